"""A simulator without a rate limit, and a client of it."""

from collections.abc import AsyncIterator

import pytest

from didww_async import Client, RateLimit, RetryPolicy
from didww_async.simulator import Simulator


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(rate_limit=None, completes_after=0.02) as running:
        yield running


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[Client]:
    async with Client(
        api_key=sim.api_key,
        base_url=sim.base_url,
        rate_limit=RateLimit(100_000),
        retry=RetryPolicy.without_waiting(),
    ) as made:
        yield made

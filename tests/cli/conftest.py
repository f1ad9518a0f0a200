"""A simulator in the test's own process, with a key that must not show up anywhere."""

from collections.abc import AsyncIterator

import pytest
from cli.commands import KEY

from didww_async.simulator import Simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(api_key=KEY, rate_limit=None, completes_after=0.05) as running:
        yield running

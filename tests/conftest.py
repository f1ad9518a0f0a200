"""What several rooms of tests need: a simulator and a client of it, and a journal's place."""

import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from stores import POSTGRES, connected

from didww_async import Client, RateLimit, RetryPolicy
from didww_async.simulator import Simulator


@pytest.fixture(scope="session", autouse=True)
def _heeds_ctrl_c() -> None:
    """A shell tells what it runs in the background to ignore Ctrl-C; what tests start must not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator without a rate limit, whose orders complete at once."""
    async with Simulator(rate_limit=None, completes_after=0.02) as running:
        yield running


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[Client]:
    """A client of the simulator that never waits."""
    async with Client(
        api_key=sim.api_key,
        base_url=sim.base_url,
        rate_limit=RateLimit(100_000),
        retry=RetryPolicy.without_waiting(),
    ) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A journal's place as `stores.opened` takes it; PostgreSQL's is gone afterwards."""
    if request.param == "sqlite":
        yield str(tmp_path / "purchases.db")
        return
    schema = f"didww_killed_{uuid.uuid4().hex[:12]}"
    with connected() as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{POSTGRES} {schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())

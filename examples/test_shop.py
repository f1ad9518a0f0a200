"""Tests of a shop against the simulator: pip install pytest pytest-asyncio, then pytest."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import attrs
import pytest
import pytest_asyncio

from didww_async import Client, RetryPolicy, ServerFailed
from didww_async.resources import ExportCreate, ExportFilters
from didww_async.simulator import DropAfter, ServerFault, Simulator
from flows import Completed, Pending, PurchaseRequest, buy
from flows.errors import OutOfStock

LONDON = PurchaseRequest(country="GB", city="London", channels=2)
pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def didww() -> AsyncIterator[Simulator]:
    # None: nothing happens by itself, the test says when.
    async with Simulator(rate_limit=None, completes_after=None, exported_after=None) as simulator:
        yield simulator


@pytest_asyncio.fixture
async def client(didww: Simulator) -> AsyncIterator[Client]:
    async with Client(
        api_key=didww.api_key, base_url=didww.base_url, retry=RetryPolicy.without_waiting()
    ) as client:
        yield client


async def test_an_order_takes_its_time(didww: Simulator, client: Client) -> None:
    pending = await buy(client, LONDON, timeout=0.1)
    assert isinstance(pending, Pending)
    didww.complete(didww.orders[0].id)
    assert len(didww.dids) == 1


async def test_a_lost_answer_is_no_second_order(didww: Simulator, client: Client) -> None:
    didww.completes_after = 0.05
    didww.inject(DropAfter(), method="POST", path="/orders")
    assert isinstance(await buy(client, LONDON), Completed)
    assert len(didww.orders) == 1


async def test_sold_out(didww: Simulator, client: Client) -> None:
    for group in await client.did_groups.list(filter={"area_name": "London"}):
        didww.set_stock(group_id=group.id, count=1)
    with pytest.raises(OutOfStock):
        await buy(client, attrs.evolve(LONDON, quantity=2))


async def test_didww_is_down(didww: Simulator, client: Client) -> None:
    didww.inject(ServerFault(503), method="GET", times=None)
    with pytest.raises(ServerFailed):
        await buy(client, LONDON)


async def test_an_export(didww: Simulator, client: Client) -> None:
    now = datetime.now(UTC)
    export = await client.exports.create(
        ExportCreate(
            export_type="cdr_in", filters=ExportFilters(from_=now - timedelta(hours=1), to=now)
        )
    )
    assert export.status == "pending"
    didww.exports.complete(export.id)
    assert (await client.exports.wait(export.id)).status == "completed"

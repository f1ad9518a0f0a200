"""Callbacks, as the simulator signs and sends them, end waits and are recorded first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs
import pytest
from aiohttp import web
from purchases import GIVES_UP_SOON, HURRIED, NEW_YORK_GROUP, TWO_CHANNELS

from didww_async import Client
from didww_async.callbacks import CallbackReceiver, OrderCallback
from didww_async.callbacks.aiohttp_web import aiohttp_handler
from didww_async.resources import DidOrderItem, OrderCreate, OrderStatus
from didww_async.simulator import AnswerLate, CallbackLost, CallbackTwice, Simulator
from flows import OrderRules, order_callbacks
from flows.completion import Canceled, Completed, wait_for_order
from flows.errors import OrderOutcomeUnknown
from flows.journal import Limits, MemoryJournal, OrderRequest, Purchase, State
from flows.ordering import Ordering

REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=2)
SELDOM = attrs.evolve(HURRIED, look_every=(30.0, 60.0))  # polling alone would take minutes


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@asynccontextmanager
async def backend(
    client: Client, journal: MemoryJournal, sim: Simulator, *, rules: OrderRules = SELDOM
) -> AsyncIterator[OrderRules]:
    """A web backend that receives callbacks; the rules to order with."""
    receiver = CallbackReceiver(
        secret=sim.callback_secret, handle=order_callbacks(client, journal, rules=rules)
    )
    application = web.Application()
    application.router.add_route("*", "/didww", aiohttp_handler(receiver))
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield attrs.evolve(rules, callback_url=f"http://127.0.0.1:{port}/didww?shop=1")
    finally:
        await runner.cleanup()
        await receiver.aclose()


async def ordered(client: Client, journal: MemoryJournal, rules: OrderRules) -> Purchase:
    return await Ordering(client, journal, rules=rules).place(
        REQUEST, reference="ref-1", limits=Limits(), born_here=True
    )


async def eventually(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("end", ["complete", "cancel"])
async def test_a_callback_ends_the_wait_and_stands_in_the_journal(
    end: str, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    async with backend(client, journal, sim) as rules:
        purchase = await ordered(client, journal, rules)
        waiting = asyncio.create_task(
            wait_for_order(client, journal, purchase, rules=rules, timeout=20)
        )
        await asyncio.sleep(0.05)
        getattr(sim, end)(str(purchase.order_id))
        async with asyncio.timeout(3):
            result = await waiting
    assert isinstance(result, Completed if end == "complete" else Canceled)
    recorded = await journal.read(purchase.key)
    assert recorded is not None
    assert (State.COMPLETED if end == "complete" else State.CANCELED) is recorded.state
    assert [204] == [sent.status for sent in sim.callbacks]


async def test_a_waiter_in_another_process_sees_it_through_the_journal(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    async with (
        Client(api_key=sim.api_key, base_url=sim.base_url) as other,
        backend(client, journal, sim) as rules,
    ):
        purchase = await ordered(client, journal, rules)
        waiting = asyncio.create_task(
            wait_for_order(other, journal, purchase, rules=rules, timeout=20)
        )
        await asyncio.sleep(0.05)
        sim.complete(str(purchase.order_id))
        async with asyncio.timeout(4):
            assert isinstance(await waiting, Completed)


async def test_it_is_answered_only_after_the_journal_write(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    class Failing(MemoryJournal):
        failures = 2

        async def replace(self, old: Purchase, new: Purchase) -> bool:
            if new.state is State.COMPLETED and self.failures:
                self.failures -= 1
                raise OSError("the disk is full")
            return await super().replace(old, new)

    failing = Failing()
    sim.completes_after = None
    async with backend(client, failing, sim) as rules:
        purchase = await ordered(client, failing, rules)
        sim.complete(str(purchase.order_id))
        await eventually(lambda: len(sim.callbacks) == 3)
        await eventually(lambda: sim.callbacks[-1].status is not None)
    assert [500, 500, 204] == [sent.status for sent in sim.callbacks]
    recorded = await failing.read(purchase.key)
    assert recorded is not None
    assert (State.COMPLETED, 2) == (recorded.state, len(recorded.numbers))


async def test_a_lost_callback_hangs_nobody(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject_callback(CallbackLost(), times=1)
    async with backend(client, journal, sim, rules=HURRIED) as rules:
        purchase = await ordered(client, journal, rules)
        result = await wait_for_order(client, journal, purchase, rules=rules, timeout=5)
    assert isinstance(result, Completed)


async def test_a_repeated_callback_changes_nothing(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject_callback(CallbackTwice(apart=0.01), times=1)
    async with backend(client, journal, sim) as rules:
        purchase = await ordered(client, journal, rules)
        await eventually(lambda: len(sim.callbacks) == 2)
        await eventually(lambda: all(sent.status for sent in sim.callbacks))
        recorded = await journal.read(purchase.key)
    assert recorded is not None
    assert State.COMPLETED is recorded.state
    assert [204, 204] == [sent.status for sent in sim.callbacks]


async def test_a_callback_that_beats_the_answer_settles_the_order(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(AnswerLate(0.8), method="POST", path="/orders")
    async with backend(client, journal, sim, rules=HURRIED) as rules:
        ordering = asyncio.create_task(ordered(client, journal, rules))
        await eventually(lambda: bool(sim.callbacks) and sim.callbacks[-1].status == 204)
        early = await journal.list()
        assert [State.COMPLETED] == [purchase.state for purchase in early]
        purchase = await ordering
    assert (State.COMPLETED, 1) == (purchase.state, len(sim.orders))


async def test_a_callback_finds_an_order_that_was_unknown(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    sim.orders_visible_after = 60
    sim.inject(AnswerLate(1), method="POST", path="/orders")
    async with backend(client, journal, sim, rules=GIVES_UP_SOON) as rules:
        with pytest.raises(OrderOutcomeUnknown):
            await ordered(client, journal, rules)
        sim.complete(sim.orders[0].id)
        await eventually(lambda: bool(sim.callbacks) and sim.callbacks[-1].status == 204)
    [purchase] = await journal.list()
    assert (State.COMPLETED, 2) == (purchase.state, len(purchase.numbers))


async def test_what_is_not_of_this_journal_is_ignored(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    handle = order_callbacks(client, journal, rules=HURRIED)
    order = await client.orders.create(
        OrderCreate(
            items=(DidOrderItem(sku_id=TWO_CHANNELS),), external_reference_id="somebody-else"
        )
    )
    for order_id in (order.id, "no-such-order", "../orders"):
        await handle(
            OrderCallback(id=order_id, type="orders", status=OrderStatus.COMPLETED, raw={})
        )
    assert [] == await journal.list()

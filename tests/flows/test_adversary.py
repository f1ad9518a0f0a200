"""Sequences that once bought twice, lost an order or said something untrue. Each was reproduced."""

import asyncio
from decimal import Decimal
from typing import Any

import attrs
import pytest
from purchases import GIVES_UP_SOON, HURRIED, NEW_YORK_GROUP, TWO_CHANNELS, posts

from didww_async import Client, RateLimit
from didww_async.simulator import (
    AnswerLate,
    DropAfter,
    DropBefore,
    GarbageBody,
    ServerFault,
    Simulator,
    TooMany,
)
from flows import BuyDidFlow, Completed, resend, resume
from flows.completion import Canceled, cancel_order, wait_for_order
from flows.errors import (
    DuplicateOrders,
    OrderOutcomeUnknown,
    OutOfStock,
    PriceOverLimit,
    ReferenceMismatch,
    ResendRefused,
    StepNotPossible,
)
from flows.journal import (
    CommitUnconfirmed,
    JournalUnavailable,
    Limits,
    MemoryJournal,
    OrderRequest,
    Purchase,
    State,
)
from flows.journal.record import Event, transition
from flows.ordering import Ordering
from flows.recording import record

FIVE = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=5)
ONE = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


async def place(
    client: Client, journal: MemoryJournal, request: OrderRequest = ONE, **options: Any
) -> Purchase:
    ordering = Ordering(client, journal, rules=options.pop("rules", HURRIED))
    return await ordering.place(
        request, reference="ref-1", limits=Limits(), born_here=True, **options
    )


async def ready(client: Client, **options: Any) -> BuyDidFlow:
    flow = BuyDidFlow(client, rules=HURRIED, **options)
    await flow.choose_country("US")
    await flow.choose_region("New York")
    await flow.choose_city("New York")
    await flow.choose_offer(sku_id=TWO_CHANNELS)
    await flow.quote()
    return flow


async def test_a_claim_is_only_for_what_the_request_carries(
    sim: Simulator, journal: MemoryJournal
) -> None:
    """While A waits for its turn, B is refused and plans another quantity under the reference."""
    limit = RateLimit(0.01)
    async with (
        Client(api_key=sim.api_key, base_url=sim.base_url, rate_limit=limit) as slow,
        Client(api_key=sim.api_key, base_url=sim.base_url, rate_limit=RateLimit(9999)) as quick,
    ):
        turn = await limit.acquire()
        waiting = asyncio.create_task(place(slow, journal, FIVE))
        await asyncio.sleep(0.02)
        sim.set_stock(group_id=NEW_YORK_GROUP, count=1)
        with pytest.raises(OutOfStock):
            await place(quick, journal, FIVE)
        await place(quick, journal, ONE)
        turn.give_back()
        with pytest.raises(ReferenceMismatch):
            await waiting
    assert [1] == [order.qty for order in sim.orders]


@pytest.mark.parametrize("late", [0.1, 0.4], ids=["answered", "without an answer"])
async def test_a_second_order_that_comes_after_all_is_told_loudly(
    late: float, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.orders_visible_after = 60
    sim.inject(DropAfter(), method="POST", path="/orders")
    with pytest.raises(OrderOutcomeUnknown):
        await place(client, journal, rules=GIVES_UP_SOON)
    first = sim.orders[0]
    sim.inject(AnswerLate(late), method="POST", path="/orders")
    sim.orders_visible_after = 0
    resending = asyncio.create_task(resend(client, journal, "ref-1", rules=GIVES_UP_SOON))
    while len(sim.orders) < 2:
        await asyncio.sleep(0.005)
    sim._world.keep_order(attrs.evolve(first, listed_from=first.created_at))
    [sent] = await journal.list()
    await record(journal, sent, Event.ORDERED, order_id=first.id)  # a callback was faster
    with pytest.raises(DuplicateOrders) as caught:
        await resending
    assert {order.id for order in sim.orders} == set(caught.value.order_ids)


# -- one flow, several tasks


async def test_a_quote_of_the_offer_before_is_not_taken_for_the_new_one(
    client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    sim.latency = 0.05
    quoting = asyncio.create_task(flow.quote(quantity=3))
    await asyncio.sleep(0.01)
    await flow.choose_offer(channels=0, prefer="cheapest")
    with pytest.raises(StepNotPossible, match="another task"):
        await quoting
    assert flow.chosen.quote is None


async def test_what_was_checked_is_what_is_ordered(client: Client, sim: Simulator) -> None:
    sim.balance = Decimal(1)
    flow = await ready(client)
    sim.balance = Decimal(1000)
    sim.latency = 0.05
    ordering = asyncio.create_task(flow.order(max_total=Decimal(8)))  # reads the balance again
    await asyncio.sleep(0.01)
    flow._change(quote=attrs.evolve(flow._quote(), quantity=10, total=Decimal(80)))
    with pytest.raises(StepNotPossible, match="another task"):
        await ordering
    assert 0 == posts(sim)


async def test_an_order_does_not_leak_into_the_next_purchase(
    client: Client, sim: Simulator
) -> None:
    flow = await ready(client)
    sim.inject(AnswerLate(0.1), method="POST", path="/orders")
    ordering = asyncio.create_task(flow.order())
    while posts(sim) == 0:
        await asyncio.sleep(0.005)
    flow.new_purchase()
    purchase = await ordering
    assert purchase.reference != flow.reference
    assert (None, False) == (flow.ids.order_id, flow.chosen.ordering)


# -- what is said of an order that may exist


@pytest.mark.parametrize("status", [401, 403, 404, 400])
async def test_a_look_up_that_is_refused_does_not_pass_for_nothing_bought(
    status: int, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(DropAfter(), method="POST", path="/orders")
    said = b'{"errors": [{"status": "%d", "title": "no"}]}' % status
    sim.inject(ServerFault(status=status, body=said), method="GET", path="/orders", times=99)
    with pytest.raises(OrderOutcomeUnknown, match=str(status)):
        await place(client, journal, rules=GIVES_UP_SOON)
    sim.clear_faults()
    assert sim.orders[0].id == (await place(client, journal)).order_id


async def test_that_didww_accepted_is_not_forgotten_when_somebody_gives_up(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.orders_visible_after = 60

    class Overtaken(MemoryJournal):
        """Right after the POST somebody else calls the outcome unknown."""

        overtaken = False

        async def replace(self, old: Purchase, new: Purchase) -> bool:
            if new.surely_bought and not self.overtaken:
                self.overtaken = True
                await super().replace(old, transition(old, Event.LOST, error="gave up"))
            return await super().replace(old, new)

    overtaken = Overtaken()
    sim.inject(GarbageBody(b"<html>"), method="POST", path="/orders")
    with pytest.raises(OrderOutcomeUnknown):
        await place(client, overtaken, rules=GIVES_UP_SOON)
    with pytest.raises(ResendRefused, match="accepted"):
        await resend(client, overtaken, "ref-1", rules=attrs.evolve(GIVES_UP_SOON, settle_for=0))


async def test_that_didww_accepted_is_written_when_the_journal_is_back(
    client: Client, sim: Simulator
) -> None:
    sim.orders_visible_after = 60

    class Away(MemoryJournal):
        times = HURRIED.attempts - 1

        async def replace(self, old: Purchase, new: Purchase) -> bool:
            if new.surely_bought and self.times:
                self.times -= 1
                raise JournalUnavailable("gone for a moment")
            return await super().replace(old, new)

    journal = Away()
    sim.inject(GarbageBody(b""), method="POST", path="/orders")
    with pytest.raises(OrderOutcomeUnknown) as caught:
        await place(client, journal, rules=GIVES_UP_SOON)
    assert caught.value.purchase.surely_bought


async def test_what_a_sweeper_says_of_an_old_claim_is_not_written_over_a_new_one(
    client: Client, journal: MemoryJournal
) -> None:
    planned = Purchase(
        key=Ordering(client, journal).key("ref-1"),
        request=ONE,
        limits=Limits(),
        state=State.SENT,
        planned_at=await journal.now(),
        order_by=await journal.now(),
        owner="first",
        attempt=1,
    )
    await journal.insert(planned)
    lost = await record(journal, planned, Event.LOST)
    again = transition(lost, Event.RESEND, owner="second", attempt=2)
    assert await journal.replace(lost, again)
    assert again == await record(journal, planned, Event.LOST)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {"type": "orders", "id": "", "attributes": {}}}',
        b'{"data": {"type": "orders", "id": "x", "attributes": {"external_reference_id": "po-0"}}}',
        b'{"data": {"type": "orders", "id": "x", "attributes": {"items": '
        b'[{"type": "did_order_items", "attributes": {"qty": 7}}]}}}',
    ],
)
async def test_an_answer_that_names_another_order_is_not_believed(
    body: bytes, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(GarbageBody(body), method="POST", path="/orders")
    purchase = await place(client, journal)
    assert (sim.orders[0].id, 1) == (purchase.order_id, posts(sim))


# -- nothing is bought behind anybody's back


async def test_what_the_caller_was_told_is_not_bought_is_not_bought_later(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(TooMany("0"), method="POST", path="/orders", times=HURRIED.attempts)
    with pytest.raises(Exception, match="429"):
        await place(client, journal)
    assert [] == await resume(client, journal, rules=HURRIED)
    assert [] == sim.orders
    await place(client, journal)  # asked for again, it is
    assert 1 == len(sim.orders)


async def test_a_resume_does_not_pay_more_than_was_confirmed(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    flow = await ready(client, journal=journal)
    sim.inject(AnswerLate(5), method="POST", path="/orders")
    ordering = asyncio.create_task(flow.order())
    while posts(sim) == 0:
        await asyncio.sleep(0.005)
    [sent] = await journal.list()
    ordering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ordering
    crashed = MemoryJournal()  # as a process left it that was killed after planning
    await crashed.insert(attrs.evolve(sent, state=State.PLANNED, key=sent.key))
    sim.reset()
    sim.clear_faults()
    sim.set_price(TWO_CHANNELS, monthly_price=Decimal(99))
    [resumed] = await resume(client, crashed, rules=HURRIED)
    assert isinstance(resumed.error, PriceOverLimit)
    assert [] == sim.orders


# -- the journal and what DIDWW says afterwards


async def test_commits_that_are_never_confirmed_end_with_an_error(
    client: Client, sim: Simulator
) -> None:
    class Failing(MemoryJournal):
        async def replace(self, old: Purchase, new: Purchase) -> bool:
            if new.state is State.SENT:
                raise CommitUnconfirmed("the disk failed")
            return await super().replace(old, new)

    async with asyncio.timeout(5):
        with pytest.raises(CommitUnconfirmed):
            await place(client, Failing())
    assert 0 == posts(sim)


async def test_numbers_that_did_not_come_are_no_numbers_and_late_ones_are_recorded(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    purchase = await place(client, journal)
    nameless = b'{"data": [{"type": "dids", "id": "d", "attributes": {"number": null}}]}'
    sim.inject(GarbageBody(nameless), method="GET", path="/dids", times=8)
    await asyncio.sleep(0.05)
    short = await wait_for_order(client, journal, purchase, rules=HURRIED, timeout=5)
    assert isinstance(short, Completed)
    assert ((), 1, ()) == (short.numbers, short.shortfall, short.purchase.numbers)
    whole = await wait_for_order(client, journal, purchase, rules=HURRIED, timeout=5)
    assert isinstance(whole, Completed)
    assert (1, 0, whole.numbers) == (len(whole.numbers), whole.shortfall, whole.purchase.numbers)


async def test_one_odd_purchase_does_not_stop_the_others_of_a_sweep(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    class Odd(MemoryJournal):
        async def read(self, key: Any) -> Purchase | None:
            if key.reference == "odd":
                raise KeyError("odd")
            return await super().read(key)

    odd = Odd()
    for reference in ("odd", "even"):
        await Ordering(client, odd, rules=HURRIED).place(
            ONE, reference=reference, limits=Limits(), born_here=True
        )
    await asyncio.sleep(0.05)
    found = {item.purchase.reference: item for item in await resume(client, odd, rules=HURRIED)}
    assert State.COMPLETED is found["even"].purchase.state
    assert "KeyError" in str(found["odd"].error)


async def test_an_order_that_is_read_is_proof_even_over_expired(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    purchase = await place(client, journal)
    other = MemoryJournal()
    await other.insert(attrs.evolve(purchase, state=State.EXPIRED, order_id=None))
    [expired] = await other.list()
    found = await record(other, expired, Event.ORDERED, order_id=purchase.order_id)
    assert State.ORDERED is found.state


async def test_a_lost_answer_to_a_cancellation_is_looked_at(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    purchase = await place(client, journal)
    sim.inject(DropBefore(), method="DELETE")
    with pytest.raises(Exception, match="may have been carried out"):
        await cancel_order(client, journal, purchase)
    sim.inject(DropAfter(), method="DELETE")
    assert isinstance(await cancel_order(client, journal, purchase), Canceled)
    [recorded] = await journal.list()
    assert State.CANCELED is recorded.state


async def test_a_maintenance_page_does_not_end_a_wait(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    purchase = await place(client, journal)
    page = GarbageBody(b"<html>maintenance</html>")
    sim.inject(page, method="GET", path=f"/orders/{purchase.order_id}", times=2)
    result = await wait_for_order(client, journal, purchase, rules=HURRIED, timeout=5)
    assert isinstance(result, Completed)

"""After a crash: every open purchase is carried on by its state; a person decides the rest."""

import asyncio
import datetime as dt
from collections.abc import Iterable

import attrs
import pytest
from purchases import GIVES_UP_SOON, HURRIED, NEW_YORK_GROUP, TWO_CHANNELS, posts

from didww_async import Client, DidwwError
from didww_async.resources import DidOrderItem, OrderCreate
from didww_async.simulator import AnswerLate, DropAfter, DropBefore, ServerFault, Simulator, TooMany
from flows import cancel, reconcile, resend, resume, run_sweeper
from flows.errors import (
    NoMatch,
    OrderNotRecorded,
    OrderOutcomeUnknown,
    OutOfStock,
    PurchaseExpired,
    ResendRefused,
)
from flows.journal import JournalUnavailable, Limits, MemoryJournal, OrderRequest, Purchase, State
from flows.journal.record import Event, transition
from flows.ordering import Ordering

REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)
LONG_AGO = dt.timedelta(minutes=10)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


async def crashed(
    client: Client,
    journal: MemoryJournal,
    *,
    reference: str = "ref-1",
    state: State = State.PLANNED,
    age: dt.timedelta = dt.timedelta(0),
) -> Purchase:
    """A purchase as a process left it that was killed."""
    now = await journal.now() - age
    planned = Purchase(
        key=Ordering(client, journal).key(reference),
        request=REQUEST,
        limits=Limits(),
        state=State.PLANNED,
        planned_at=now,
        order_by=now + dt.timedelta(minutes=15),
    )
    await journal.insert(planned)
    if state is State.PLANNED:
        return planned
    sent = transition(planned, Event.CLAIM, owner="the dead", attempt=1, claimed_at=now)
    assert await journal.replace(planned, sent)
    return sent


async def unknown(client: Client, journal: MemoryJournal, sim: Simulator) -> Purchase:
    """A purchase whose outcome is unknown, its settling time over; DIDWW has no order."""
    sim.inject(DropBefore(), method="POST", path="/orders")
    with pytest.raises(OrderOutcomeUnknown) as caught:
        await Ordering(client, journal, rules=GIVES_UP_SOON).place(
            REQUEST, reference="ref-1", limits=Limits(), born_here=True
        )
    return caught.value.purchase


def by_reference(resumed: Iterable[object]) -> dict[str, object]:
    return {
        item.purchase.reference: item.error or item.purchase.state  # type: ignore[attr-defined]
        for item in resumed
    }


async def test_what_was_planned_is_ordered(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    await crashed(client, journal)
    assert {"ref-1": State.ORDERED} == by_reference(
        await resume(client, journal, rules=GIVES_UP_SOON)
    )
    assert 1 == len(sim.orders)


async def test_what_was_planned_too_long_ago_is_not_ordered(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await crashed(client, journal, age=dt.timedelta(minutes=16))
    [resumed] = await resume(client, journal, rules=GIVES_UP_SOON)
    assert isinstance(resumed.error, PurchaseExpired)
    assert State.EXPIRED is resumed.purchase.state
    assert 0 == posts(sim)


async def test_reconcile_orders_nothing(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await crashed(client, journal)
    assert [] == await reconcile(client, journal, rules=GIVES_UP_SOON)
    assert 0 == posts(sim)


async def test_a_claim_whose_order_never_left_becomes_unknown_and_is_not_sent(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await crashed(client, journal, state=State.SENT, age=LONG_AGO)
    for _ in range(2):
        [resumed] = await resume(client, journal, rules=GIVES_UP_SOON)
        assert isinstance(resumed.error, OrderOutcomeUnknown)
        assert State.UNKNOWN is resumed.purchase.state
    assert 0 == posts(sim)


async def test_an_order_whose_answer_was_lost_is_found_with_its_numbers(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sent = await crashed(client, journal, state=State.SENT, age=LONG_AGO)
    order = await client.orders.create(order_of(sent))
    await asyncio.sleep(0.05)
    [resumed] = await resume(client, journal, rules=GIVES_UP_SOON)
    assert resumed.error is None
    assert (State.COMPLETED, order.id, 1) == (
        resumed.purchase.state,
        resumed.purchase.order_id,
        len(resumed.purchase.numbers),
    )


def order_of(purchase: Purchase) -> OrderCreate:
    """The order that the dead process may have sent."""
    return OrderCreate(
        items=(DidOrderItem(sku_id=TWO_CHANNELS, qty=1),),
        external_reference_id=purchase.reference,
    )


async def test_a_purchase_that_is_on_its_way_elsewhere_is_watched_not_sent(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sent = await crashed(client, journal, state=State.SENT)
    resuming = asyncio.create_task(resume(client, journal, rules=HURRIED))
    await asyncio.sleep(0.1)
    assert [] == sim.requests
    refused = transition(sent, Event.REFUSED, error="by its owner")
    assert await journal.replace(sent, refused)
    [resumed] = await resuming
    assert State.REFUSED is resumed.purchase.state
    assert [] == sim.requests


async def test_other_accounts_and_apis_are_left_alone(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    async with Client(api_key="k", base_url=sim.base_url, account="other") as other:
        await crashed(other, journal)
    assert [] == await resume(client, journal, rules=GIVES_UP_SOON)


async def test_a_hundred_open_purchases_at_once(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.set_stock(group_id=NEW_YORK_GROUP, count=500)
    for n in range(100):
        await crashed(client, journal, reference=f"ref-{n}")
    both = await asyncio.gather(*(resume(client, journal, rules=HURRIED) for _ in range(3)))
    assert [100, 100, 100] == [len(resumed) for resumed in both]
    assert [] == [item.error for resumed in both for item in resumed if item.error]
    assert 100 == len(sim.orders) == posts(sim)


async def test_the_sweeper_goes_on_after_a_failing_sweep(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    class Shaky(MemoryJournal):
        failures = 2

        async def list(self, **options: object) -> list[Purchase]:  # type: ignore[override]
            if self.failures:
                self.failures -= 1
                raise OSError("the database is away")
            return await super().list(**options)  # type: ignore[arg-type]

    shaky = Shaky()
    await crashed(client, shaky)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 4:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await run_sweeper(client, shaky, every=7, rules=GIVES_UP_SOON, sleep=sleep)
    assert [7, 7, 7, 7] == slept
    assert 1 == len(sim.orders)


# -- a person's decisions


async def test_an_unknown_order_is_sent_again_on_request(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await unknown(client, journal, sim)
    purchase = await resend(client, journal, "ref-1", rules=GIVES_UP_SOON)
    assert (State.ORDERED, 2) == (purchase.state, purchase.attempt)
    assert 1 == len(sim.orders)


async def test_an_order_that_turned_up_is_adopted_instead_of_sent_again(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    was = await unknown(client, journal, sim)
    await client.orders.create(order_of(was))
    before = posts(sim)
    assert State.ORDERED is (await resend(client, journal, "ref-1", rules=GIVES_UP_SOON)).state
    assert before == posts(sim)


@pytest.mark.parametrize("fault", [TooMany("0"), ServerFault(503), None])
async def test_a_second_order_that_fails_says_nothing_of_the_first(
    fault: TooMany | ServerFault | None, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await unknown(client, journal, sim)
    if fault is None:
        sim.set_stock(group_id=NEW_YORK_GROUP, count=0)
    else:
        sim.inject(fault, method="POST", path="/orders")
    with pytest.raises(OrderOutcomeUnknown) as caught:
        await resend(client, journal, "ref-1", rules=GIVES_UP_SOON)
    assert State.UNKNOWN is caught.value.purchase.state
    before = posts(sim)
    with pytest.raises(OrderOutcomeUnknown):
        await Ordering(client, journal, rules=GIVES_UP_SOON).place(
            REQUEST, reference="ref-1", limits=Limits(), born_here=False
        )
    assert before == posts(sim)


async def test_only_what_is_unknown_and_settled_is_sent_again(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    was = await unknown(client, journal, sim)
    patient = attrs.evolve(GIVES_UP_SOON, settle_for=600)
    with pytest.raises(ResendRefused, match="settling time"):
        await resend(client, journal, "ref-1", rules=patient)
    assert await journal.replace(
        was, attrs.evolve(was, surely_bought=True, revision=was.revision + 1)
    )
    with pytest.raises(ResendRefused, match="accepted"):
        await resend(client, journal, "ref-1", rules=GIVES_UP_SOON)
    await crashed(client, journal, reference="ref-2")
    with pytest.raises(ResendRefused, match="planned"):
        await resend(client, journal, "ref-2", rules=GIVES_UP_SOON)
    with pytest.raises(NoMatch, match="ref-3"):
        await resend(client, journal, "ref-3", rules=GIVES_UP_SOON)
    assert 1 == posts(sim)


async def test_two_people_who_resend_at_once_send_once(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await unknown(client, journal, sim)
    before = posts(sim)
    results = await asyncio.gather(
        *(resend(client, journal, "ref-1", rules=GIVES_UP_SOON) for _ in range(4)),
        return_exceptions=True,
    )
    assert 1 == posts(sim) - before
    assert 1 == len(sim.orders)
    assert not [result for result in results if not isinstance(result, Purchase | DidwwError)]


async def test_a_plan_is_cancelled_before_it_is_sent(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await crashed(client, journal)
    cancelled = await cancel(client, journal, "ref-1")
    assert isinstance(cancelled, Purchase)
    assert State.EXPIRED is cancelled.state
    assert [] == await resume(client, journal, rules=GIVES_UP_SOON)
    assert 0 == posts(sim)


async def test_an_order_is_cancelled_by_its_reference(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    await crashed(client, journal)
    await resume(client, journal, rules=GIVES_UP_SOON)
    await cancel(client, journal, "ref-1")
    assert ["canceled"] == [order.status for order in sim.orders]
    with pytest.raises(NoMatch, match="missing"):
        await cancel(client, journal, "missing")


async def test_an_unknown_order_can_not_be_cancelled_only_found(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await unknown(client, journal, sim)
    with pytest.raises(NoMatch, match="unknown: there is no order"):
        await cancel(client, journal, "ref-1")


async def test_out_of_stock_keeps_its_own_error_when_resumed(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.set_stock(group_id=NEW_YORK_GROUP, count=0)
    await crashed(client, journal)
    [resumed] = await resume(client, journal, rules=GIVES_UP_SOON)
    assert isinstance(resumed.error, OutOfStock)
    assert State.REFUSED is resumed.purchase.state


async def test_a_lost_answer_during_resume_is_settled(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(DropAfter(), method="POST", path="/orders")
    await crashed(client, journal)
    [resumed] = await resume(client, journal, rules=GIVES_UP_SOON)
    assert resumed.error is None
    assert 1 == len(sim.orders)


async def test_one_who_sleeps_after_a_429_against_a_resumer(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    """The claim is given back while its maker waits to try again; somebody else is faster."""
    sim.completes_after = None
    sim.inject(TooMany("0"), method="POST", path="/orders")
    asleep, wake = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await wake.wait()

    sleeper = asyncio.create_task(
        Ordering(client, journal, rules=attrs.evolve(HURRIED, sleep=sleep)).place(
            REQUEST, reference="ref-1", limits=Limits(), born_here=True
        )
    )
    await asleep.wait()
    assert {"ref-1": State.ORDERED} == by_reference(await resume(client, journal, rules=HURRIED))
    wake.set()
    assert State.ORDERED is (await sleeper).state
    assert 1 == len(sim.orders)


async def test_a_resend_against_a_late_answer(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    """Others gave up on an order whose answer is still on its way: it is found, not sent again."""
    sim.completes_after = None
    sim.inject(AnswerLate(0.9), method="POST", path="/orders")
    owner = asyncio.create_task(
        Ordering(client, journal, rules=HURRIED).place(
            REQUEST, reference="ref-1", limits=Limits(), born_here=True
        )
    )
    while posts(sim) == 0:
        await asyncio.sleep(0.005)
    [sent] = await journal.list()
    given_up = transition(sent, Event.LOST, error="no answer came")
    assert await journal.replace(sent, given_up)
    early = attrs.evolve(GIVES_UP_SOON, settle_for=0.0)
    await asyncio.sleep(0.35)
    adopted = await resend(client, journal, "ref-1", rules=early)
    answered = await owner
    assert adopted.order_id == answered.order_id
    assert (1, 1) == (len(sim.orders), posts(sim))


async def test_reconcile_does_not_order_what_is_given_back_meanwhile(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sent = await crashed(client, journal, state=State.SENT)
    reconciling = asyncio.create_task(reconcile(client, journal, rules=HURRIED))
    await asyncio.sleep(0.05)
    assert await journal.replace(sent, transition(sent, Event.GIVE_BACK, error="429"))
    [resumed] = await reconciling
    assert (State.PLANNED, None) == (resumed.purchase.state, resumed.error)
    assert 0 == posts(sim)


async def test_a_journal_that_is_away_when_the_answer_comes_is_waited_for(
    client: Client, sim: Simulator
) -> None:
    class Away(MemoryJournal):
        times = 0

        async def replace(self, old: Purchase, new: Purchase) -> bool:
            if new.state is State.ORDERED and self.times:
                self.times -= 1
                raise JournalUnavailable("gone for a moment")
            return await super().replace(old, new)

    journal = Away()
    journal.times = HURRIED.attempts - 1
    purchase = await Ordering(client, journal, rules=HURRIED).place(
        REQUEST, reference="ref-1", limits=Limits(), born_here=True
    )
    assert State.ORDERED is purchase.state
    journal.times = HURRIED.attempts
    with pytest.raises(OrderNotRecorded, match="ref-2") as caught:
        await Ordering(client, journal, rules=HURRIED).place(
            REQUEST, reference="ref-2", limits=Limits(), born_here=True
        )
    assert caught.value.order_id in {order.id for order in sim.orders}
    settled = await Ordering(client, journal, rules=GIVES_UP_SOON).place(
        REQUEST, reference="ref-2", limits=Limits(), born_here=False
    )
    assert (caught.value.order_id, 2) == (settled.order_id, posts(sim))

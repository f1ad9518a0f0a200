"""The order protocol under fire: whatever happens to the POST, never two orders, none lost."""

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from purchases import (
    GIVES_UP_SOON,
    HURRIED,
    NEW_YORK_GROUP,
    TORONTO_GROUP,
    TORONTO_SKU,
    TWO_CHANNELS,
    posts,
)

from didww_async import UNSET, Client, DidwwError, RateLimit, RetryPolicy, Unauthorized
from didww_async.resources import Did, DidGroup, DidOrderItem, OrderCreate
from didww_async.simulator import (
    AnswerLate,
    Delay,
    DropAfter,
    DropBefore,
    Fault,
    Garbage,
    GarbageBody,
    HalfBody,
    ListLate,
    Redirect,
    Reset,
    ServerFault,
    Simulator,
    TooMany,
)
from flows.completion import Completed, shortfall, wait_for_order
from flows.errors import (
    DuplicateOrders,
    FlowError,
    OrderOutcomeUnknown,
    OrderRefused,
    OutOfStock,
    PurchaseExpired,
    ReferenceMismatch,
    ReferenceTaken,
)
from flows.journal import Limits, MemoryJournal, OrderRequest, Purchase, RequestItem, State
from flows.ordering import Ordering
from flows.rules import OrderRules
from flows.verdict import refused_items

REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)
TWO = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=2)


async def place(
    ordering: Ordering,
    *,
    reference: str = "ref-1",
    request: OrderRequest = REQUEST,
    born_here: bool = True,
) -> Purchase:
    return await ordering.place(request, reference=reference, limits=Limits(), born_here=born_here)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def ordering(client: Client, journal: MemoryJournal) -> Ordering:
    return Ordering(client, journal, rules=HURRIED)


async def state(journal: MemoryJournal, ordering: Ordering, reference: str = "ref-1") -> State:
    found = await journal.read(ordering.key(reference))
    assert found is not None
    return found.state


# -- one fault


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        (DropAfter(), 1),
        (Reset(acted=True), 1),
        (HalfBody(), 1),
        (Garbage(), 1),
        (GarbageBody(b""), 1),
        (GarbageBody(b"<html>"), 1),
        (GarbageBody(b"{}"), 1),
        (GarbageBody(b'{"data": null}'), 1),
        (ServerFault(502, acted=True), 1),
        (AnswerLate(1.5), 1),
        (ListLate(0.3), 1),
        (TooMany(), 2),
        (TooMany("0"), 2),
    ],
    ids=str,
)
async def test_an_order_that_was_carried_out_is_found(
    fault: Fault, sent: int, ordering: Ordering, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(fault, method="POST", path="/orders")
    purchase = await place(ordering)
    assert (State.ORDERED, 1, sent) == (purchase.state, len(sim.orders), posts(sim))
    assert purchase.order_id == sim.orders[0].id


@pytest.mark.parametrize(
    "fault",
    [DropBefore(), Reset(acted=False), ServerFault(503), ServerFault(500), Redirect(307)],
    ids=str,
)
async def test_an_order_that_cannot_be_found_is_unknown_and_not_sent_again(
    fault: Fault, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    ordering = Ordering(client, journal, rules=GIVES_UP_SOON)
    sim.inject(fault, method="POST", path="/orders")
    with pytest.raises(OrderOutcomeUnknown, match="ref-1") as caught:
        await place(ordering)
    assert State.UNKNOWN is caught.value.purchase.state
    sent = posts(sim)
    with pytest.raises(OrderOutcomeUnknown):
        await place(ordering)
    assert sent == posts(sim)
    assert [] == sim.orders


async def test_an_order_that_the_server_carries_out_late_is_adopted(
    ordering: Ordering, sim: Simulator
) -> None:
    sim.inject(Delay(1.6), method="POST", path="/orders")
    purchase = await place(ordering)
    assert (State.ORDERED, sim.orders[0].id, 1) == (purchase.state, purchase.order_id, posts(sim))


async def test_an_unknown_order_that_shows_up_later_is_adopted(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    ordering = Ordering(client, journal, rules=GIVES_UP_SOON)
    sim.orders_visible_after = 0.8  # over the time it is looked for
    sim.inject(DropAfter(), method="POST", path="/orders")
    with pytest.raises(OrderOutcomeUnknown):
        await place(ordering)
    await asyncio.sleep(0.6)
    purchase = await place(ordering)
    assert (State.ORDERED, sim.orders[0].id) == (purchase.state, purchase.order_id)
    assert 1 == posts(sim)


async def test_a_wrong_key_gives_the_claim_back(sim: Simulator, journal: MemoryJournal) -> None:
    async with Client(api_key="wrong", base_url=sim.base_url) as stranger:
        refused = Ordering(stranger, journal, rules=HURRIED)
        with pytest.raises(Unauthorized):
            await place(refused)
        assert State.EXPIRED is await state(journal, refused)
        assert [] == sim.orders


async def test_a_server_that_cannot_be_reached_gives_the_claim_back(
    journal: MemoryJournal, unused_tcp_port: int
) -> None:
    async with Client(
        api_key="k", base_url=f"http://127.0.0.1:{unused_tcp_port}/v3", retry=RetryPolicy.none()
    ) as client:
        ordering = Ordering(client, journal, rules=HURRIED)
        with pytest.raises(DidwwError, match="Nothing was carried out"):
            await place(ordering)
        found = await journal.read(ordering.key("ref-1"))
    assert found is not None
    assert (State.EXPIRED, HURRIED.attempts) == (found.state, found.attempt)


async def test_a_refusal_is_final_for_its_watchers_but_may_be_ordered_anew(
    ordering: Ordering, sim: Simulator
) -> None:
    sim.read_only = True
    with pytest.raises(OrderRefused) as caught:
        await place(ordering)
    assert caught.value.error is not None
    assert 403 == caught.value.error.status
    sim.read_only = False
    purchase = await place(ordering, request=TWO)
    assert State.ORDERED is purchase.state
    assert 1 == len(sim.orders)


# -- references


async def test_another_request_under_a_used_reference_is_refused(
    ordering: Ordering, sim: Simulator
) -> None:
    await place(ordering)
    with pytest.raises(ReferenceMismatch, match="1 of SKU"):
        await place(ordering, request=TWO)
    assert 1 == posts(sim)


async def order_by_hand(client: Client, *, qty: int = 1, reference: str = "ref-1") -> str:
    order = await client.orders.create(
        OrderCreate(
            items=(DidOrderItem(sku_id=TWO_CHANNELS, qty=qty),), external_reference_id=reference
        )
    )
    return order.id


async def test_a_reference_from_outside_is_looked_up_before_the_first_post(
    client: Client, ordering: Ordering, sim: Simulator
) -> None:
    order_id = await order_by_hand(client)
    purchase = await place(ordering, born_here=False)
    assert (State.ORDERED, order_id) == (purchase.state, purchase.order_id)
    assert 1 == posts(sim)


async def test_an_order_that_does_not_fit_is_not_adopted(
    client: Client, ordering: Ordering, sim: Simulator
) -> None:
    order_id = await order_by_hand(client, qty=2)
    with pytest.raises(ReferenceTaken, match="it is for 2 numbers, not 1") as caught:
        await place(ordering, born_here=False)
    assert order_id == caught.value.order_id
    assert 1 == posts(sim)


async def test_several_orders_under_one_reference_are_told_loudly(
    client: Client, ordering: Ordering, sim: Simulator
) -> None:
    both = {await order_by_hand(client), await order_by_hand(client)}
    with pytest.raises(DuplicateOrders, match="SEVERAL") as caught:
        await place(ordering, born_here=False)
    assert both == set(caught.value.order_ids)
    assert 2 == posts(sim)


async def test_a_plan_that_waited_too_long_is_planned_anew_by_who_asks_for_it(
    client: Client, sim: Simulator
) -> None:
    now = dt.datetime.now(dt.UTC)
    journal = MemoryJournal(clock=lambda: now)
    ordering = Ordering(client, journal, rules=attrs.evolve(HURRIED, head_start=0.0))
    sim.inject(TooMany("0"), method="POST", times=HURRIED.attempts)
    with pytest.raises(DidwwError):
        await place(ordering)
    [stale] = await journal.list()
    now += dt.timedelta(minutes=16)
    with pytest.raises(PurchaseExpired):
        await ordering.carry_on(stale)
    assert [] == sim.orders
    purchase = await place(ordering)
    assert (State.ORDERED, now) == (purchase.state, purchase.planned_at)
    assert 1 == len(sim.orders)


# -- several at once


async def test_losers_watch_and_do_not_look_up(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(AnswerLate(0.3), method="POST", path="/orders")
    owners = [Ordering(client, journal, rules=HURRIED) for _ in range(10)]
    purchases = await asyncio.gather(*(place(owner) for owner in owners))
    assert 1 == len({purchase.order_id for purchase in purchases}) == posts(sim)
    assert 0 == sum(
        request.path == "/orders" and request.method == "GET" for request in sim.requests
    )


async def test_a_cancelled_caller_detaches_and_the_order_is_recorded(
    client: Client, ordering: Ordering, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(AnswerLate(0.2), method="POST", path="/orders")
    caller = asyncio.create_task(place(ordering))
    while posts(sim) == 0:
        await asyncio.sleep(0.005)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await client.aclose()
    assert State.ORDERED is await state(journal, ordering)
    assert 1 == len(sim.orders)


async def test_a_caller_cancelled_while_waiting_for_its_turn_has_sent_nothing(
    sim: Simulator, journal: MemoryJournal
) -> None:
    limit = RateLimit(0.01)
    async with Client(api_key=sim.api_key, base_url=sim.base_url, rate_limit=limit) as client:
        grant = await limit.acquire()
        ordering = Ordering(client, journal, rules=HURRIED)
        caller = asyncio.create_task(place(ordering))
        await asyncio.sleep(0.02)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        grant.give_back()
        await asyncio.sleep(0.02)
        assert State.EXPIRED is await state(journal, ordering)
        assert 0 == posts(sim)
        await place(ordering)  # its turn was given back
    assert 1 == len(sim.orders)


async def test_at_most_so_many_orders_are_on_their_way(sim: Simulator) -> None:
    sim.latency = 0.02
    journal = MemoryJournal()
    highest = 0
    async with Client(
        api_key=sim.api_key,
        base_url=sim.base_url,
        rate_limit=RateLimit(9999),
        max_orders_in_flight=3,
    ) as client:
        ordering = Ordering(client, journal, rules=HURRIED)
        tasks = [asyncio.create_task(place(ordering, reference=f"r-{n}")) for n in range(20)]
        while not all(task.done() for task in tasks):
            highest = max(highest, len(await journal.list(states={State.SENT})))
            await asyncio.sleep(0.002)
    assert 3 == highest
    assert 20 == len(sim.orders)


class PausedJournal(MemoryJournal):
    """A journal whose next commit of a claim takes its time, as if the machine were suspended."""

    def __init__(self, pause: float) -> None:
        super().__init__()
        self.pause = pause

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        done = await super().replace(old, new)
        if new.state is State.SENT and self.pause:
            pause, self.pause = self.pause, 0.0
            await asyncio.sleep(pause)
        return done


async def test_a_claim_that_grew_old_is_made_anew(client: Client, sim: Simulator) -> None:
    rules = attrs.evolve(HURRIED, claim_age=0.05)
    purchase = await place(Ordering(client, PausedJournal(0.1), rules=rules))
    assert (State.ORDERED, 2, 1) == (purchase.state, purchase.attempt, posts(sim))


class FailingJournal(MemoryJournal):
    """A journal that can't commit claims."""

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        if new.state is State.SENT:
            raise OSError("disk full")
        return await super().replace(old, new)


async def test_without_a_committed_claim_nothing_is_sent(client: Client, sim: Simulator) -> None:
    with pytest.raises(OSError, match="disk full"):
        await place(Ordering(client, FailingJournal(), rules=HURRIED))
    assert 0 == posts(sim)


async def test_a_late_proof_from_the_owner_overwrites_unknown(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    """Somebody else gives up on an order whose answer then arrives after all."""
    sim.orders_visible_after = 3600
    sim.inject(AnswerLate(0.8), method="POST", path="/orders")
    impatient = attrs.evolve(
        HURRIED, timeouts=attrs.evolve(HURRIED.timeouts, connect=0.1, total=0.2), settle_for=0.1
    )
    owner = asyncio.create_task(place(Ordering(client, journal, rules=HURRIED)))
    while posts(sim) == 0:
        await asyncio.sleep(0.005)
    with pytest.raises(OrderOutcomeUnknown):
        await place(Ordering(client, journal, rules=impatient))
    purchase = await owner
    assert (State.ORDERED, 1) == (purchase.state, posts(sim))


# -- all at once

FAULTS: list[Callable[[], Fault]] = [
    DropBefore,
    DropAfter,
    HalfBody,
    Garbage,
    lambda: GarbageBody(b"<html>"),
    lambda: Reset(acted=True),
    lambda: Reset(acted=False),
    lambda: ServerFault(503),
    lambda: ServerFault(503, acted=True),
    lambda: TooMany("0"),
    lambda: AnswerLate(0.05),
    lambda: ListLate(0.1),
    lambda: Delay(0.05),
]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    faults=st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 3)), max_size=5),
    callers=st.integers(1, 4),
    again=st.integers(0, 2),
)
def test_whatever_happens_there_is_at_most_one_order_and_the_journal_knows_it(
    faults: list[tuple[Callable[[], Fault], int]], callers: int, again: int
) -> None:
    asyncio.run(_storm(faults, callers=callers, again=again))


async def _storm(
    faults: list[tuple[Callable[[], Fault], int]], *, callers: int, again: int
) -> None:
    journal = MemoryJournal()
    rules = attrs.evolve(HURRIED, settle_for=0.2, look_every=(0.005, 0.02))
    rules = attrs.evolve(rules, timeouts=attrs.evolve(rules.timeouts, connect=0.1, total=0.3))
    async with (
        Simulator(rate_limit=None, completes_after=None) as sim,
        Client(
            api_key=sim.api_key,
            base_url=sim.base_url,
            rate_limit=RateLimit(99_999),
            retry=RetryPolicy.without_waiting(),
        ) as client,
    ):
        for make, after in faults:
            sim.inject(make(), path="/orders", after=after)
        ordering = Ordering(client, journal, rules=rules)
        for _ in range(1 + again):
            owners = [Ordering(client, journal, rules=rules) for _ in range(callers)]
            await asyncio.gather(*(place(owner) for owner in owners), return_exceptions=True)
        sim.clear_faults()
        last = await _outcome(place(ordering, born_here=False))
        orders = [order.id for order in sim.orders]
        assert len(orders) <= 1
        if isinstance(last, Purchase):
            assert [last.order_id] == orders
        else:
            assert isinstance(last, OrderOutcomeUnknown)
            assert [] == orders, "an order exists and the journal does not know it"


async def _outcome(work: Any) -> Purchase | FlowError:
    try:
        found: Purchase = await work
    except FlowError as error:
        return error
    return found


async def test_a_clock_that_was_set_back_does_not_keep_an_order_open(
    client: Client, sim: Simulator
) -> None:
    now = dt.datetime.now(dt.UTC)
    journal = MemoryJournal(clock=lambda: now - dt.timedelta(hours=1))
    ordering = Ordering(client, journal, rules=GIVES_UP_SOON)
    sent = await journal.insert(
        Purchase(
            key=ordering.key("x"),
            request=REQUEST,
            limits=Limits(),
            state=State.SENT,
            planned_at=now,
            claimed_at=now,
            order_by=now,
            owner="a process that was killed",
            attempt=1,
        )
    )
    async with asyncio.timeout(10):
        with pytest.raises(OrderOutcomeUnknown):
            await ordering.settle(sent)
    [known] = await journal.list()
    assert State.UNKNOWN is known.state


def test_rules_are_values() -> None:
    assert OrderRules() == OrderRules()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        OrderRules().margin = 1  # type: ignore[misc]


# -- several items

SEVERAL = OrderRequest(
    items=(
        RequestItem(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=3),
        RequestItem(sku_id=TORONTO_SKU, did_group_id=TORONTO_GROUP, quantity=2),
    )
)


async def test_an_order_of_several_items_is_one_post(ordering: Ordering, sim: Simulator) -> None:
    purchase = await place(ordering, request=SEVERAL)
    assert (State.ORDERED, 1, 5) == (purchase.state, posts(sim), sim.orders[0].qty)


async def test_an_order_of_several_items_is_found_again(ordering: Ordering, sim: Simulator) -> None:
    sim.inject(DropAfter(), method="POST", path="/orders")
    purchase = await place(ordering, request=SEVERAL)
    assert (sim.orders[0].id, 1) == (purchase.order_id, posts(sim))


async def test_a_refusal_names_the_item_that_is_short(
    ordering: Ordering, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.set_stock(group_id=TORONTO_GROUP, count=1)
    with pytest.raises(OutOfStock, match=f"2 of SKU {TORONTO_SKU}") as caught:
        await place(ordering, request=SEVERAL)
    assert caught.value.error is not None
    assert {1} == refused_items(caught.value.error)
    assert State.REFUSED is await state(journal, ordering)
    assert [] == sim.orders


async def test_numbers_of_several_groups_are_kept_with_their_groups(
    client: Client, ordering: Ordering, journal: MemoryJournal, sim: Simulator
) -> None:
    purchase = await place(ordering, request=SEVERAL)
    result = await wait_for_order(client, journal, purchase, rules=HURRIED, timeout=5)
    assert isinstance(result, Completed)
    known = result.purchase
    groups = {did.number: did.group_id for did in sim.dids}
    assert groups == dict(zip(known.numbers, known.number_groups, strict=True))
    assert (5, 0) == (len(groups), result.shortfall)


@pytest.mark.parametrize(
    ("missing", "groups"),
    [
        (0, {NEW_YORK_GROUP: 3, TORONTO_GROUP: 2}),
        (1, {NEW_YORK_GROUP: 4, TORONTO_GROUP: 1}),
        (1, {NEW_YORK_GROUP: 3, TORONTO_GROUP: 1}),
        (0, {NEW_YORK_GROUP: 3, TORONTO_GROUP: 1, "": 1}),
        (5, {}),
    ],
)
async def test_too_many_of_one_group_do_not_make_up_for_another(
    missing: int, groups: dict[str, int], ordering: Ordering
) -> None:
    purchase = await place(ordering, request=SEVERAL)
    dids = [
        Did(id=f"{group}-{n}", number=f"1{n}", did_group=DidGroup(id=group) if group else UNSET)
        for group, quantity in groups.items()
        for n in range(quantity)
    ]
    assert missing == shortfall(purchase, dids)

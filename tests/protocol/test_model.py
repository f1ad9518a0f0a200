"""The order protocol against a simulator that does its worst, as a hypothesis state machine.

Several workers share a journal; DIDWW drops, delays, resets, answers garbage, fails after acting
and shows orders late. After every step: at most one order per reference. In the end, when all is
quiet: every order at the server is in the journal.

2,000 examples by default; DIDWW_MODEL_EXAMPLES=50000 for the long run.
"""

import asyncio
import datetime as dt
import os
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from purchases import NEW_YORK_GROUP, TORONTO_GROUP, TORONTO_SKU, TWO_CHANNELS

from didww_async import Client, DidwwError, RateLimit, RetryPolicy, Timeouts
from didww_async.simulator import (
    AnswerLate,
    Delay,
    DropAfter,
    DropBefore,
    Fault,
    Garbage,
    GarbageBody,
    HalfBody,
    Injection,
    ListLate,
    Order,
    Redirect,
    Reset,
    ServerFault,
    Simulator,
    StaleClose,
    TooMany,
)
from flows import OrderRules, reconcile
from flows.journal import Limits, MemoryJournal, OrderRequest, Purchase, RequestItem, State
from flows.ordering import Ordering

T = TypeVar("T")
EXAMPLES = int(os.environ.get("DIDWW_MODEL_EXAMPLES", "2000"))
LATE = 0.06  # seconds: longer than the client waits for an answer

FAULTS: list[Fault] = [
    AnswerLate(LATE),
    Delay(LATE),
    DropAfter(),
    DropBefore(),
    Garbage(),
    GarbageBody(b""),
    GarbageBody(b'{"data": {"id": "?", "type": "surprises"}}'),
    HalfBody(),
    ListLate(LATE),
    Redirect(308),
    Reset(acted=True),
    Reset(acted=False),
    ServerFault(500, acted=True),
    ServerFault(502, acted=False),
    StaleClose(),
    TooMany("0"),
]
WORKERS = st.integers(0, 2)
NAMES = st.integers(0, 1)


ONE, TWO = (
    OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=quantity)
    for quantity in (1, 2)
)
SEVERAL = OrderRequest(
    items=(
        *ONE.items,
        RequestItem(sku_id=TORONTO_SKU, did_group_id=TORONTO_GROUP, quantity=2),
    )
)
USUAL = (ONE, SEVERAL)  # by name


class Clock:
    """Time that passes only when somebody sleeps: a minute of settling takes no minute."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def read(self) -> dt.datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)
        await asyncio.sleep(0)


class World:
    """One simulator and one client for all examples: only references are new in each."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.sim = Simulator(rate_limit=None, completes_after=None, clock=self.clock.read)
        self.used: Counter[type[Fault]] = Counter()
        self.examples = 0
        self.run(self.sim.start())
        self.client = Client(
            api_key=self.sim.api_key,
            base_url=self.sim.base_url,
            rate_limit=RateLimit(10**6),
            retry=attrs.evolve(RetryPolicy.without_waiting(), attempts=2),
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self.client.aclose())
        self.run(self.sim.stop())
        self.loop.close()


class PurchaseMachine(RuleBasedStateMachine):
    """Workers order, crash and resume while the server misbehaves."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.world.examples += 1
        self.sim = self.world.sim
        # Late orders of the example before may still arrive: names keep them apart.
        self.prefix = f"example-{self.world.examples}-"
        self.sim.reset()
        self.sim.clear_faults()
        self.journal = MemoryJournal(clock=self.world.clock.read)
        self.rules_ = OrderRules(
            timeouts=Timeouts(connect=0.03, read=0.03, total=0.04),
            look_every=(5.0, 30.0),
            sleep=self.world.clock.sleep,
        )
        self.workers = [self.worker() for _ in range(3)]
        self.tasks: list[asyncio.Task[Purchase]] = []
        self.injected: list[Injection] = []

    def worker(self) -> Ordering:
        return Ordering(self.world.client, self.journal, rules=self.rules_)

    @rule(worker=WORKERS, name=NAMES, usual=st.sampled_from([True, True, True, False]))
    def order(self, worker: int, name: int, usual: bool) -> None:
        request = USUAL[name] if usual else TWO
        place = self.workers[worker].place(
            request, reference=f"{self.prefix}{name}", limits=Limits(), born_here=False
        )
        self.tasks.append(self.world.loop.create_task(place))

    @rule(fault=st.sampled_from(FAULTS), after=st.integers(0, 1))
    def misbehave(self, fault: Fault, after: int) -> None:
        self.injected.append(self.sim.inject(fault, method="POST", path="/orders", after=after))

    @rule(fault=st.sampled_from(FAULTS), worker=WORKERS, name=NAMES)
    def order_in_bad_weather(self, fault: Fault, worker: int, name: int) -> None:
        self.misbehave(fault=fault, after=0)
        self.order(worker=worker, name=name, usual=True)

    @rule(fault=st.sampled_from([DropBefore(), ServerFault(503), TooMany("0"), GarbageBody(b"x")]))
    def misbehave_for_lookups(self, fault: Fault) -> None:
        self.sim.inject(fault, method="GET", path="/orders")

    @rule(seconds=st.sampled_from([0.0, 0.002, 0.01]))
    def let_it_run(self, seconds: float) -> None:
        self.world.run(asyncio.sleep(seconds))

    @rule()
    def run_until_quiet(self) -> None:
        self.world.run(self.quiet())

    @rule(worker=WORKERS)
    def a_worker_restarts(self, worker: int) -> None:
        """Its callers are cancelled; what is on its way goes on, as it does at DIDWW."""
        for task in self.tasks[worker::3]:
            task.cancel()
        self.workers[worker] = self.worker()

    @rule()
    def a_sweeper_passes(self) -> None:
        self.world.run(reconcile(self.world.client, self.journal, rules=self.rules_))

    @invariant()
    def no_reference_has_two_orders(self) -> None:
        orders = Counter(order.external_reference_id for order in self.orders())
        assert [] == [reference for reference, count in orders.items() if count > 1]

    def orders(self) -> list[Order]:
        ours = self.sim.orders
        return [one for one in ours if str(one.external_reference_id).startswith(self.prefix)]

    def teardown(self) -> None:
        if hasattr(self, "tasks"):
            self.world.run(self.quiet())
            self.world.run(self.everything_is_known())
            for injection in self.injected:
                self.world.used[type(injection.fault)] += injection.hits

    async def quiet(self) -> None:
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()

    async def everything_is_known(self) -> None:
        """DIDWW recovers, late orders take effect, a sweeper passes."""
        self.sim.clear_faults()
        if any(not request.acted for request in self.sim.requests):
            await asyncio.sleep(LATE)
        await reconcile(self.world.client, self.journal, rules=self.rules_)
        for _ in range(3):
            await asyncio.sleep(0)
        self.no_reference_has_two_orders()
        known = {item.reference: item for item in await self.journal.list()}
        ordered = {order.external_reference_id: order for order in self.orders()}
        for reference, order in ordered.items():
            found = known[str(reference)]
            assert (order.id, order.qty) == (found.order_id, found.request.quantity), found
        for purchase in known.values():
            has_order = purchase.state in {State.ORDERED, State.COMPLETED, State.CANCELED}
            assert has_order is (purchase.reference in ordered), purchase


def test_never_two_orders_and_none_unknown() -> None:
    world = World()
    machine = type("Machine", (PurchaseMachine,), {"world": world})
    case = machine.TestCase
    case.settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        case("runTest").runTest()
        met = {fault.__name__: count for fault, count in world.used.items() if count}
        print(f"{world.examples} examples, orders that met each fault: {met}")
        assert {type(fault).__name__ for fault in FAULTS} == set(met)
        assert world.examples >= EXAMPLES
    finally:
        world.close()


def test_every_fault_of_the_simulator_is_used() -> None:
    from typing import get_args

    assert set(get_args(Fault)) == {type(fault) for fault in FAULTS}


def test_the_machine_would_notice_a_second_order() -> None:
    """A check that can't fail is a defect: a protocol without claims is caught."""

    class Careless(Ordering):
        async def place(self, request: OrderRequest, **options: Any) -> Purchase:
            for _ in range(2):
                try:
                    return await super().place(request, **options)
                except DidwwError:
                    key = self.key(options["reference"])
                    self._journal._records.pop(key, None)  # type: ignore[attr-defined]
            raise AssertionError

    world = World()
    machine = type(
        "CarelessMachine",
        (PurchaseMachine,),
        {
            "world": world,
            "worker": lambda self: Careless(world.client, self.journal, rules=self.rules_),
        },
    )()
    try:
        machine.begin()
        machine.misbehave(fault=DropAfter(), after=0)
        world.sim.orders_visible_after = 3600
        machine.order(worker=0, name=0, usual=True)
        machine.run_until_quiet()
        with pytest.raises(AssertionError, match="example-"):
            machine.no_reference_has_two_orders()
    finally:
        world.close()

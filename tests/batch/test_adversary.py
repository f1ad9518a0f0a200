"""What only happens when two do it at once, or something changes between one step and the next."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from batch.kit import FromStock, apart, new_york, packed_only, run, states, toronto
from purchases import HURRIED, NEW_YORK_GROUP, TORONTO_GROUP, TORONTO_SKU, posts

from didww_async import Client, RateLimit
from didww_async.simulator import Delay, ServerFault, Simulator
from flows import buy
from flows.batch import AsPlanned, BatchLine, LineResult, lines_of, plan_batch
from flows.batch.resolving import OneByOne, ResolvedLine, UnbuyableLine
from flows.errors import LineChanged, NoMatch, OfferChanged, OrderOutcomeUnknown
from flows.journal import MemoryJournal, Purchase, PurchaseJournal, SqliteJournal, State
from flows.journal.record import Event, transition


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


# -- one reference, in a batch and alone


async def test_a_line_of_a_batch_is_not_bought_alone(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await run(client, [new_york(reference="x")], journal=journal)
    with pytest.raises(LineChanged, match="x already"):
        await buy(client, new_york(reference="x"), journal=journal, rules=HURRIED)
    assert 1 == posts(sim)
    # Nor does the attempt spoil the batch.
    assert {"bought": 1} == states(await run(client, [new_york(reference="x")], journal=journal))


class Meanwhile(OneByOne):
    """Something happens while a batch looks up its lines."""

    def __init__(self, client: Client, happens: Callable[[], object]) -> None:
        super().__init__(client)
        self._happens = happens

    async def resolve(
        self, lines: Sequence[BatchLine]
    ) -> AsyncIterator[ResolvedLine | UnbuyableLine]:
        found = [one async for one in super().resolve(lines)]
        happened = self._happens()
        if asyncio.iscoroutine(happened):
            await happened
        for one in found:
            yield one


async def test_a_reference_bought_alone_while_its_batch_is_looked_up_is_not_bought_again(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    async def alone() -> None:
        await buy(client, new_york(reference="x"), journal=journal, rules=HURRIED)

    results = await run(
        client,
        [new_york(reference="w"), new_york(reference="x"), toronto(reference="y")],
        journal=journal,
        resolver=Meanwhile(client, alone),
    )
    assert ["bought", "failed", "bought"] == [one.state for one in results]
    assert isinstance(results[1].error, LineChanged)
    assert 3 == sum(order.qty for order in sim.orders)


@pytest.mark.parametrize("delay", [0, 0.005, 0.01, 0.02, 0.03, 0.05])
async def test_a_reference_in_a_batch_and_alone_at_once_is_bought_at_most_once(
    delay: float, client: Client, sim: Simulator, tmp_path: Path
) -> None:
    async def alone(journal: PurchaseJournal) -> object:
        await asyncio.sleep(delay)
        return await buy(client, new_york(reference="x"), journal=journal, rules=HURRIED)

    async with SqliteJournal(tmp_path / "j") as mine, SqliteJournal(tmp_path / "j") as yours:
        await asyncio.gather(
            alone(mine),
            run(client, [new_york(reference="x")], journal=yours),
            return_exceptions=True,
        )
        await run(client, [new_york(reference="x")], journal=mine)
    assert 1 == sum(order.qty for order in sim.orders)


class Faster(MemoryJournal):
    """Another process claims every plan right before this one gives it up."""

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        if new.state is State.EXPIRED:
            current = await self.read(old.key)
            assert current is not None
            claim = {"owner": "another", "attempt": 1, "claimed_at": await self.now()}
            await super().replace(current, transition(current, Event.CLAIM, **claim))
        return await super().replace(old, new)


async def test_what_another_process_has_sent_meanwhile_is_not_called_failed(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    lines = apart([new_york()])
    await packed_only(client, journal, lines)
    faster = Faster()
    faster._packed, faster._lines = journal._packed, journal._lines
    for _ in range(20):
        sim.inject(ServerFault(503), method="GET", path="/orders")
    [result] = await run(client, lines, journal=faster)
    assert isinstance(result.error, OrderOutcomeUnknown)
    assert "unknown" == result.state


# -- what is confirmed is what is ordered


async def planned_in(
    client: Client, journal: MemoryJournal, lines: Sequence[BatchLine], *, good_for: float
) -> AsPlanned:
    """The plan as the command makes it, to be confirmed."""
    plan = await plan_batch(client, lines, batch="b", journal=journal)
    return AsPlanned(client, plan, good_for=good_for)


@pytest.mark.parametrize("good_for", [0.0, 300.0])
async def test_a_packed_order_that_became_dearer_after_the_plan_is_not_ordered(
    good_for: float, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    lines = apart([new_york(), toronto()])
    await packed_only(client, journal, lines)
    confirmed = await planned_in(client, journal, lines, good_for=good_for)
    sim.set_price(TORONTO_SKU, monthly_price="99")
    results = await run(client, lines, journal=journal, resolver=confirmed)
    assert ["bought", "failed"] == [one.state for one in results]
    assert isinstance(results[1].error, OfferChanged)


async def test_a_packed_order_of_a_changed_line_is_planned_as_the_line_is_now(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    lines = apart([new_york(), toronto()])
    await packed_only(client, journal, lines)
    lines[0] = attrs.evolve(lines[0], request=new_york(quantity=9))
    plan = await plan_batch(client, lines, batch="b", journal=journal)
    assert (10, 1) == (sum(order.quantity for order in plan.packing), plan.known)
    results = await run(client, lines, journal=journal, resolver=AsPlanned(client, plan))
    assert {"bought": 2} == states(results)
    assert 10 == sum(order.qty for order in sim.orders)


async def test_what_the_plan_could_not_buy_is_not_bought_because_it_can_be_later(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    lines = lines_of([new_york(), toronto()], batch="b")
    sim.set_stock(group_id=NEW_YORK_GROUP, count=0)
    confirmed = await planned_in(client, journal, lines, good_for=0.0)
    sim.set_stock(group_id=NEW_YORK_GROUP, count=5)
    results = await run(client, lines, journal=journal, resolver=confirmed)
    assert ["failed", "bought"] == [one.state for one in results]
    assert isinstance(results[0].error, NoMatch)


# -- two processes on one batch


@contextlib.asynccontextmanager
async def two_processes(
    sim: Simulator, path: Path
) -> AsyncIterator[tuple[tuple[Client, SqliteJournal], tuple[Client, SqliteJournal]]]:
    def client() -> Client:
        return Client(api_key=sim.api_key, base_url=sim.base_url, rate_limit=RateLimit(100_000))

    async with (
        SqliteJournal(path) as first,
        SqliteJournal(path) as second,
        client() as mine,
        client() as yours,
    ):
        yield (mine, first), (yours, second)


async def test_what_another_process_packs_anew_is_not_called_refused(
    sim: Simulator, tmp_path: Path
) -> None:
    lines = lines_of([new_york(), toronto(), new_york(), toronto()], batch="b")
    sim.set_stock(group_id=TORONTO_GROUP, count=1)

    async def process(client: Client, journal: PurchaseJournal, *, delay: float) -> list[str]:
        await asyncio.sleep(delay)
        results = await run(client, lines, journal=journal, resolver=resolver)
        return [one.state for one in results]

    async with two_processes(sim, tmp_path / "j") as (first, second):
        resolver = FromStock(first[0], sim, 1000)
        assert 4 == len([one async for one in resolver.resolve(lines)])
        sim.latency = 0.05
        mine, yours = await asyncio.gather(process(*first, delay=0), process(*second, delay=0.1))
    assert ["bought", "bought", "bought", "refused"] == mine == yours
    assert 3 == sum(order.qty for order in sim.orders)


@pytest.mark.parametrize("seed", range(6))
async def test_the_total_holds_for_two_processes_that_order_the_same_batch(
    seed: int, sim: Simulator, tmp_path: Path
) -> None:
    lines = apart([new_york() for _ in range(30)])
    sim.inject_randomly([Delay(0.05), Delay(0.2)], rate=0.5, seed=seed)

    async def process(client: Client, journal: PurchaseJournal) -> None:
        await run(client, lines, journal=journal, max_total=Decimal(100))

    async with two_processes(sim, tmp_path / "j") as (first, second):
        await asyncio.gather(process(*first), process(*second))
    assert 12 == sum(order.qty for order in sim.orders)  # at 8 USD each


async def test_what_another_process_has_bought_is_not_called_skipped(
    sim: Simulator, tmp_path: Path
) -> None:
    lines = apart([new_york() for _ in range(6)])
    async with two_processes(sim, tmp_path / "j") as ((mine, first), (yours, second)):
        other: list[LineResult] = []

        async def meanwhile() -> None:
            await asyncio.sleep(0.2)
            other.extend(await run(yours, lines[:3], journal=second))

        memory = MemoryJournal()
        await packed_only(mine, memory, lines)
        where = {"origin": mine.origin, "account": mine.account}
        assert await first.pack(list(memory._packed.values()), moves={}, **where)
        # Mine has seen that nothing is sent, and reads the prices again.
        sim.inject(Delay(1.0), method="GET", path="/did_groups")
        results, _ = await asyncio.gather(
            run(mine, lines, journal=first, max_total=Decimal(1)), meanwhile()
        )
    assert ["bought"] * 3 == [one.state for one in other]
    assert ["bought"] * 3 + ["skipped"] * 3 == [one.state for one in results]

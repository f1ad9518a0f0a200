"""Whole batches over real HTTP: bought once, refused where they must be, run again for nothing."""

import asyncio
import contextlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from batch.kit import (
    TORONTO_PREFIX,
    FromStock,
    apart,
    new_york,
    packed_only,
    run,
    states,
    toronto,
)
from purchases import (
    GIVES_UP_SOON,
    HURRIED,
    NEW_YORK_GROUP,
    TORONTO_GROUP,
    TORONTO_SKU,
    paths,
    posts,
)

from didww_async import Client, InvalidInput, RateLimit
from didww_async.simulator import (
    DropAfter,
    DropBefore,
    GarbageBody,
    HalfBody,
    Reset,
    ServerFault,
    Simulator,
    StaleClose,
    TooMany,
)
from flows import PurchaseRequest, buy, resend
from flows.batch import buy_many, lines_of
from flows.errors import (
    FlowError,
    LineChanged,
    NoMatch,
    OrderCanceled,
    OutOfStock,
    PriceOverLimit,
    PurchaseExpired,
)
from flows.journal import MemoryJournal, SqliteJournal, State
from flows.ordering import Ordering


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


async def test_lines_are_bought_in_one_order(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    npa, nxx = TORONTO_PREFIX
    requests = [new_york(quantity=2), toronto(), toronto(npa=npa, nxx=nxx), new_york()]
    results = await run(client, requests, journal=journal)
    assert {"bought": 4} == states(results), results
    assert [2, 1, 1, 1] == [len(result.numbers) for result in results]
    assert (1, 3) == (posts(sim), len(sim.orders[0].items))
    assert results[2].numbers[0].startswith(f"1{npa}{nxx}")
    group_of = {did.number: did.group_id for did in sim.dids}
    groups = [{group_of[number] for number in result.numbers} for result in results]
    assert [{NEW_YORK_GROUP}, {TORONTO_GROUP}, {TORONTO_GROUP}, {NEW_YORK_GROUP}] == groups


async def test_running_it_again_costs_nothing(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    requests = [new_york(quantity=2), toronto(), new_york()]
    first = await run(client, requests, journal=journal)
    asked = len(sim.requests)
    assert first == await run(client, requests, journal=journal)
    assert asked == len(sim.requests)


# -- refused


async def test_only_the_item_that_is_refused_moves_out(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.set_stock(group_id=TORONTO_GROUP, count=2)
    requests = [new_york(), toronto(quantity=3), new_york(quantity=2)]
    results = await run(client, requests, journal=journal, resolver=FromStock(client, sim, 9))
    assert ["bought", "refused", "bought"] == [result.state for result in results], results
    assert isinstance(results[1].error, OutOfStock)
    assert (2, 1, 3) == (posts(sim), len(sim.orders), sim.orders[0].qty)
    assert results[0].order_reference == results[2].order_reference
    assert results[0].order_reference != results[1].order_reference


async def test_what_is_short_for_several_lines_goes_to_some(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.set_stock(group_id=TORONTO_GROUP, count=5)
    requests = [new_york(), *[toronto() for _ in range(8)]]
    results = await run(client, requests, journal=journal, resolver=FromStock(client, sim, 9))
    assert {"bought": 6, "refused": 3} == states(results)
    assert 6 == sum(order.qty for order in sim.orders)


async def test_what_was_refused_is_tried_again_by_the_next_run(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.set_stock(group_id=TORONTO_GROUP, count=0)
    requests = [new_york(), toronto()]
    resolver = FromStock(client, sim, 9)
    first = await run(client, requests, journal=journal, resolver=resolver)
    assert ["bought", "refused"] == [result.state for result in first]
    sim.set_stock(group_id=TORONTO_GROUP, count=5)
    second = await run(client, requests, journal=journal)
    assert ["bought", "bought"] == [result.state for result in second]
    assert (first[0].numbers, 2) == (second[0].numbers, len(sim.orders))


async def test_a_refusal_that_names_no_item_is_narrowed_down(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    body = b'{"errors": [{"status": "422", "code": "100", "title": "is invalid"}]}'
    sim.inject(ServerFault(status=422, body=body), method="POST", path="/orders", times=2)
    requests = [new_york(), toronto(), toronto(npa="437", nxx="220")]
    results = await run(client, requests, journal=journal)
    # The whole and its first half, one line, were refused; the other half was not.
    assert ["refused", "bought", "bought"] == [result.state for result in results], results


async def test_a_line_that_cannot_be_bought_does_not_stop_the_others(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    requests = [
        PurchaseRequest(country="Atlantis"),
        new_york(max_monthly=Decimal("0.01")),
        new_york(),
    ]
    results = await run(client, requests, journal=journal)
    assert ["failed", "failed", "bought"] == [result.state for result in results]
    assert (NoMatch, PriceOverLimit) == tuple(type(one.error) for one in results[:2])
    assert 1 == sum(order.qty for order in sim.orders)


async def test_an_order_that_is_canceled_is_not_bought_again(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    [pending] = await run(client, [new_york()], journal=journal, timeout=0.05)
    assert ("pending", sim.orders[0].id) == (pending.state, pending.order_id)
    sim.cancel(sim.orders[0].id)
    for _ in range(2):
        [canceled] = await run(client, [new_york()], journal=journal)
        assert "refused" == canceled.state
        assert isinstance(canceled.error, OrderCanceled)
    assert 1 == posts(sim)


# -- money


@pytest.mark.parametrize("vat", ["0", "0.25"])
async def test_parallel_orders_never_overrun_the_balance(
    vat: str, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    """12 lines of 8 each (without VAT) in orders of their own; the balance is for some of them."""
    sim.vat_rate = Decimal(vat)
    sim.balance = Decimal(44)
    lines = apart([new_york() for _ in range(12)])
    results = await run(client, lines, journal=journal)
    affordable = int(Decimal(44) / (8 * (1 + Decimal(vat))))
    assert {"bought": affordable, "skipped": 12 - affordable} == states(results), results
    assert (affordable, affordable) == (posts(sim), len(sim.orders))  # none was even refused
    assert isinstance(next(one for one in results if one.state == "skipped").error, FlowError)


async def test_an_order_shrinks_to_what_the_balance_covers(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.balance = Decimal(44)
    results = await run(client, [new_york() for _ in range(12)], journal=journal)
    assert ["bought"] * 5 + ["skipped"] * 7 == [result.state for result in results]
    assert (1, 5) == (posts(sim), sim.orders[0].qty)
    sim.balance = Decimal(1000)
    results = await run(client, [new_york() for _ in range(12)], journal=journal)
    assert ({"bought": 12}, 12) == (states(results), sum(order.qty for order in sim.orders))


async def test_vat_that_was_not_known_shrinks_the_order_once_more(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.vat_rate = Decimal("0.25")
    sim.balance = Decimal(44)
    results = await run(client, [new_york() for _ in range(5)], journal=journal)
    assert {"bought": 4, "refused": 1} == states(results)
    assert (2, 4) == (posts(sim), sim.orders[0].qty)


async def test_the_total_is_for_the_whole_batch_and_all_its_runs(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    requests = [new_york() for _ in range(6)]
    for _ in range(2):
        results = await run(client, requests, journal=journal, max_total=Decimal(33))
        assert ["bought"] * 4 + ["skipped"] * 2 == [result.state for result in results]
    assert 4 == sum(order.qty for order in sim.orders)
    results = await run(client, requests, journal=journal, max_total=Decimal(48))
    assert {"bought": 6} == states(results)


async def test_it_stops_after_so_many_refusals(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.read_only = True
    lines = apart([new_york() for _ in range(40)])
    results = await run(client, lines, journal=journal, stop_after_refusals=2)
    found = states(results)
    assert {"refused", "skipped"} == set(found)
    assert 2 <= found["refused"] <= 2 + client.max_orders_in_flight
    sim.read_only = False
    assert {"bought": 40} == states(await run(client, lines, journal=journal))


async def test_a_wrong_key_stops_everything_at_once(
    journal: MemoryJournal, client: Client, sim: Simulator
) -> None:
    async with Client(api_key="wrong", base_url=sim.base_url) as stranger:
        lines = apart([new_york() for _ in range(40)])
        results = await run(stranger, lines, journal=journal, resolver=FromStock(client, sim, 9))
    found = states(results)
    assert found["failed"] <= client.max_orders_in_flight
    assert 40 == found["failed"] + found["skipped"]
    assert [] == sim.orders


# -- answers that do not come


async def test_an_unknown_order_is_never_ordered_again_by_itself(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.inject(DropBefore(), method="POST", path="/orders")
    requests = [new_york(), toronto()]
    for _ in range(2):
        results = await run(client, requests, journal=journal, rules=GIVES_UP_SOON)
        assert {"unknown": 2} == states(results)
    assert (1, []) == (posts(sim), sim.orders)
    [reference] = {str(result.order_reference) for result in results}
    await resend(client, journal, reference, rules=GIVES_UP_SOON)
    results = await run(client, requests, journal=journal)
    assert ({"bought": 2}, 2) == (states(results), posts(sim))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_the_server_does_each_line_is_bought_once(
    seed: int, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    rules = attrs.evolve(GIVES_UP_SOON, settle_for=0.5)
    faults = [
        DropAfter(), DropBefore(), GarbageBody(b"x"), Reset(acted=True), ServerFault(500),
        ServerFault(502, acted=True), TooMany("0"), StaleClose(), HalfBody(),
    ]  # fmt: skip
    lines = apart([(new_york, toronto)[n % 2](quantity=1 + n % 3) for n in range(24)], by=3)
    sim.inject_randomly(faults, rate=0.2, seed=seed)
    await run(client, lines, journal=journal, rules=rules)
    await run(client, lines, journal=journal, rules=rules)
    sim.clear_faults()
    results = await run(client, lines, journal=journal, rules=rules)
    for reference in {str(one.order_reference) for one in results if one.state == "unknown"}:
        await resend(client, journal, reference, rules=rules)
    results = await run(client, lines, journal=journal, rules=rules)
    assert {"bought": 24} == states(results), results
    assert [1 + n % 3 for n in range(24)] == [len(result.numbers) for result in results]
    assert 48 == sum(order.qty for order in sim.orders)
    assert 48 == len({number for result in results for number in result.numbers})


# -- stopping and going on


async def test_a_run_that_is_left_early_claims_nothing_more(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.latency = 0.02
    sim.balance = Decimal(5000)
    lines = apart([new_york() for _ in range(200)])
    resolver = FromStock(client, sim, 500)
    running = buy_many(client, lines, journal=journal, batch="b", rules=HURRIED, resolver=resolver)
    async with contextlib.aclosing(running):
        async for _ in running:
            break
    sent = posts(sim)
    await asyncio.sleep(0.1)  # what was claimed is sent and recorded
    assert posts(sim) <= sent + client.max_orders_in_flight < 200
    known = {one.order_id for one in await journal.list() if one.order_id}
    assert {order.id for order in sim.orders} == known
    sim.latency = 0
    sim.set_stock(group_id=NEW_YORK_GROUP, count=500)
    assert {"bought": 200} == states(await run(client, lines, journal=journal, resolver=resolver))
    assert 200 == sum(order.qty for order in sim.orders)


async def test_a_cancelled_run_leaves_no_order_unknown(
    sim: Simulator, journal: MemoryJournal
) -> None:
    sim.latency = 0.02
    lines = apart([new_york() for _ in range(20)])
    async with Client(
        api_key=sim.api_key, base_url=sim.base_url, rate_limit=RateLimit(100_000)
    ) as client:
        task = asyncio.create_task(run(client, lines, journal=journal))
        while posts(sim) < 5:
            await asyncio.sleep(0.002)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    known = {one.order_id for one in await journal.list() if one.order_id}
    assert {order.id for order in sim.orders} == known
    assert {State.ORDERED, State.EXPIRED, State.COMPLETED} >= {
        one.state for one in await journal.list()
    }


async def test_two_processes_with_one_batch_buy_each_line_once(
    client: Client, tmp_path: Path, sim: Simulator
) -> None:
    lines = apart([new_york() for _ in range(24)], by=2)
    async with SqliteJournal(tmp_path / "j") as mine, SqliteJournal(tmp_path / "j") as yours:
        first, second = await asyncio.gather(
            run(client, lines, journal=mine), run(client, lines, journal=yours)
        )
    assert {"bought": 24} == states(first) == states(second)
    assert [one.numbers for one in first] == [one.numbers for one in second]
    assert 24 == sum(order.qty for order in sim.orders)


async def test_what_was_packed_is_ordered_as_it_was_packed(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    lines = apart([new_york(), toronto(), new_york()], by=3)
    await packed_only(client, journal, lines)
    [packed] = journal._packed.values()
    results = await run(client, lines, journal=journal)
    assert {"bought": 3} == states(results)
    assert {packed.reference} == {order.external_reference_id for order in sim.orders}


@pytest.mark.parametrize(
    "change", ["a line is gone", "a line is changed", "a limit", "a fate", "the price"]
)
async def test_what_was_packed_for_something_else_is_packed_anew(
    change: str, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    lines = apart([new_york(), toronto(), new_york()], by=3)
    await packed_only(client, journal, lines)
    [packed] = journal._packed.values()
    if change == "a line is gone":
        lines = lines[:2]
    elif change == "a line is changed":
        lines[0] = attrs.evolve(lines[0], request=new_york(quantity=4))
    elif change == "a limit":
        lines[0] = attrs.evolve(lines[0], request=new_york(max_monthly=Decimal(1)))
    elif change == "a fate":
        lines[0] = attrs.evolve(lines[0], fate="its own")
    else:
        sim.set_price(TORONTO_SKU, monthly_price="99")
    results = await run(client, lines, journal=journal)
    if change == "a limit":
        assert isinstance(results[0].error, PriceOverLimit)
        del results[0], lines[0]
    assert {"bought": len(lines)} == states(results)
    assert packed.reference not in {order.external_reference_id for order in sim.orders}
    wanted = sum(line.request.quantity for line in lines)
    assert wanted == sum(order.qty for order in sim.orders)
    # And nobody can order the old one any more, not even who has it in memory.
    with pytest.raises(PurchaseExpired):
        await Ordering(client, journal, rules=HURRIED).place_once(
            packed.request, reference=packed.reference, limits=packed.limits, born_here=True
        )


async def test_a_line_that_is_bought_does_not_become_another_one(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await run(client, [new_york(reference="x")], journal=journal)
    [result] = await run(client, [new_york(reference="x", quantity=2)], journal=journal)
    assert "failed" == result.state
    assert isinstance(result.error, LineChanged)
    assert 1 == sum(order.qty for order in sim.orders)


async def test_a_reference_that_was_bought_alone_is_not_bought_in_a_batch(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    await buy(client, new_york(reference="x"), journal=journal, rules=HURRIED)
    [result] = await run(client, [new_york(reference="x")], journal=journal)
    assert isinstance(result.error, LineChanged)
    assert 1 == posts(sim)


# -- pending, and numbers that come late


async def test_pending_lines_are_bought_by_a_later_run(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    lines = apart([new_york(), new_york(quantity=2)])
    results = await run(client, lines, journal=journal, timeout=0.1)
    assert {"pending": 2} == states(results)
    for order in sim.orders:
        sim.complete(order.id)
    asked = len(sim.requests)
    results = await run(client, lines, journal=journal)
    assert ({"bought": 2}, 2) == (states(results), posts(sim))
    assert ["GET /orders", "GET /dids"] == paths(sim, start=asked)  # one look, one list


async def test_numbers_that_do_not_show_up_are_a_shortfall_of_the_line(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    requests = [new_york(quantity=2), toronto()]
    nothing = GarbageBody(b'{"data": [], "meta": {"total_records": 0}}')
    sim.inject(nothing, method="GET", path="/dids", times=4)
    results = await run(client, requests, journal=journal)
    assert [(2, ()), (1, ())] == [(one.shortfall, one.numbers) for one in results]
    results = await run(client, requests, journal=journal)
    assert [(0, 2), (0, 1)] == [(one.shortfall, len(one.numbers)) for one in results]
    assert 1 == posts(sim)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [], "meta": {"total_records": 0}}',
        b'{"data": [{"type": "dids", "id": "1", "attributes": {"number": "1"}}],'
        b' "meta": {"total_records": 1}}',
    ],
    ids=["nothing", "no orders"],
)
async def test_a_server_that_takes_no_list_of_orders_is_asked_one_by_one(
    body: bytes, client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.completes_after = None
    lines = apart([new_york(), new_york(quantity=2)])
    await run(client, lines, journal=journal, timeout=0.05)
    for order in sim.orders:
        sim.complete(order.id)
    sim.inject(GarbageBody(body), method="GET", path="/dids")
    asked = len(sim.requests)
    results = await run(client, lines, journal=journal)
    assert [1, 2] == [len(one.numbers) for one in results]
    assert 3 == paths(sim, start=asked).count("GET /dids")


# -- many


async def test_a_thousand_lines_need_few_tasks_and_requests(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    sim.balance = Decimal(1_000_000)
    sim.set_stock(group_id=NEW_YORK_GROUP, count=2000)
    lines = lines_of([new_york() for _ in range(1000)], batch="b")
    most = 0
    got = 0
    resolver = FromStock(client, sim, 2000)
    async for result in buy_many(
        client, lines, journal=journal, batch="b", rules=HURRIED, resolver=resolver
    ):
        most = max(most, len(asyncio.all_tasks()))
        got += len(result.numbers)
    assert (1000, 1) == (got, posts(sim))
    assert most < 60
    reads = [one for one in paths(sim) if one == "GET /dids"]
    assert len(reads) <= 11


# -- input


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": None}, "line 1 has no reference"),
        ({"batch": "no spaces"}, "letters, digits"),
        ({"batch": "x" * 61}, "at most 60"),
        ({"max_items_per_order": 0}, "max_items_per_order"),
        ({"stop_after_refusals": "many"}, "stop_after_refusals"),
        ({"max_total": Decimal(-1)}, "max_total"),
    ],
)
def test_bad_input_is_refused_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        buy_many(
            Client(api_key="k", environment="sandbox"),
            [new_york()],
            journal=MemoryJournal(),
            **({"batch": "b"} | options),
        )


def test_two_lines_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidInput, match="lines 1 and 3 have the same reference 'x'"):
        lines_of([new_york(reference="x"), new_york(reference="y"), toronto(reference="x")])
    [line] = lines_of([new_york(reference="x")])
    with pytest.raises(InvalidInput, match="the same reference 'x'"):
        lines_of([line, line])

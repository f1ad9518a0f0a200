"""Plans: what would be ordered, what not and why, and in how many requests; nothing is ordered."""

import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import attrs
import pytest

from didww_async import Client, RetryPolicy
from didww_async.simulator import DropBefore, Simulator
from didww_async.simulator.atlas import Atlas, shipped_atlas
from didww_async.simulator.coverage import GroupRow
from flows import PurchaseRequest
from flows.batch.lines import lines_of
from flows.batch.planning import Plan, plan_batch
from flows.errors import Ambiguous, NoMatch, OutOfStock, PriceOverLimit

ATLAS: Atlas = shipped_atlas()


def places(count: int, *, each: int = 0, seed: int = 1) -> Iterator[tuple[GroupRow, list[str]]]:
    """DID groups that are the only one of their city, with NANPA prefixes that have 5 in stock."""
    draws = random.Random(seed)
    groups = [
        group
        for group in ATLAS.coverage.groups
        if group.city_id and 1 == len(ATLAS.groups_by_city[group.city_id])
    ]
    draws.shuffle(groups)
    for group in groups:
        prefixes = [prefix for prefix, stock in group.stock.items() if prefix and stock >= 5]
        if (each and len(prefixes) >= each) or (not each and sum(group.stock.values()) >= 20):
            yield group, prefixes[:each]
            count -= 1
        if not count:
            return


def by_city(group: GroupRow, quantity: int) -> PurchaseRequest:
    city = ATLAS.cities[group.city_id or ""]
    region = ATLAS.regions.get(city.region_id or "")
    return PurchaseRequest(
        country=ATLAS.countries[city.country_id].iso,
        region=region.name if region else None,
        city=city.name,
        prefer="cheapest",
        quantity=quantity,
    )


def by_prefix(prefix_id: str, quantity: int) -> PurchaseRequest:
    prefix = ATLAS.prefixes[prefix_id]
    return PurchaseRequest(
        country=ATLAS.countries[prefix.country_id].iso,
        region=ATLAS.regions[prefix.region_id or ""].name,
        npa=prefix.npa,
        nxx=prefix.nxx,
        prefer="cheapest",
        quantity=quantity,
    )


async def planned(simulator: Simulator, *requests: PurchaseRequest) -> Plan:
    async with Client(
        api_key=simulator.api_key, base_url=simulator.base_url, retry=RetryPolicy.none()
    ) as client:
        return await plan_batch(client, lines_of(requests, batch="b"), batch="b")


@pytest.fixture
async def simulator() -> object:
    async with Simulator(rate_limit=None, balance=5000) as running:
        yield running


async def test_a_thousand_numbers_in_fifty_cities_take_six_requests(simulator: Simulator) -> None:
    wanted = [by_city(group, 1) for group, _ in places(50) for _ in range(20)]
    plan = await planned(simulator, *wanted)
    assert () == plan.unbuyable
    assert (1000, 50, 1) == (plan.numbers, plan.items, len(plan.packing))
    assert Counter(
        {"/countries": 1, "/regions": 1, "/cities": 1, "/did_groups": 1, "/balance": 1}
    ) == Counter(request.path for request in simulator.requests)
    assert (len(simulator.requests), 6, 6) == (plan.look_ups, plan.requests, plan.bound.total)
    assert [] == simulator.orders


async def test_a_thousand_numbers_with_two_hundred_prefixes(simulator: Simulator) -> None:
    wanted = [by_prefix(prefix, 5) for _, some in places(50, each=4) for prefix in some]
    plan = await planned(simulator, *wanted)
    assert () == plan.unbuyable
    assert (1000, 200, 4) == (plan.numbers, plan.items, len(plan.packing))
    assert len(simulator.requests) == plan.look_ups
    assert plan.requests <= 40  # 200 prefixes one by one: 406
    assert plan.bound.total <= plan.requests <= plan.bound.total + 3


async def test_what_a_plan_costs(simulator: Simulator) -> None:
    london = PurchaseRequest(country="GB", city="London", channels=2, quantity=3)
    plan = await planned(simulator, london, london, PurchaseRequest(country="GB", city="Nowhere"))
    [order] = plan.packing
    [item] = order.items
    assert (6, 1, 3) == (plan.numbers, plan.items, plan.lines)
    assert (item.setup_price * 6, item.monthly_price * 6) == (plan.setup, plan.monthly)
    assert plan.setup + plan.monthly == plan.total
    assert (Decimal(5000), True) == (plan.balance, plan.balance_is_enough)
    assert order.reference.startswith("b")


async def test_what_can_not_be_bought_says_why(simulator: Simulator) -> None:
    cases = {
        PurchaseRequest(country="GB", city="Lundon", channels=2): NoMatch,
        PurchaseRequest(country="GB", city="London"): Ambiguous,
        PurchaseRequest(country="GB", city="London", channels=2, quantity=1000): OutOfStock,
        PurchaseRequest(country="GB", city="London", channels=2, max_monthly=Decimal(0)): (
            PriceOverLimit
        ),
    }
    plan = await planned(simulator, *cases)
    assert list(cases.values()) == [type(line.error) for line in plan.unbuyable]
    assert [1, 2, 3, 4] == [line.line.number for line in plan.unbuyable]
    assert "London" in plan.unbuyable[0].error.candidates  # type: ignore[attr-defined]
    assert (0, 0) == (plan.numbers, len(plan.packing))


async def test_the_stock_is_given_to_the_first_lines(simulator: Simulator) -> None:
    half = PurchaseRequest(country="GB", city="London", channels=2, quantity=500)
    plan = await planned(simulator, half, half, of(half, 1))
    assert [2] == [line.line.number for line in plan.unbuyable]
    assert isinstance(plan.unbuyable[0].error, OutOfStock)
    assert 501 == plan.numbers


def of(request: PurchaseRequest, quantity: int) -> PurchaseRequest:
    return attrs.evolve(request, quantity=quantity)


async def test_no_answer_is_the_error_of_every_line_it_stopped(simulator: Simulator) -> None:
    simulator.inject(DropBefore(), path="/cities")
    plan = await planned(
        simulator,
        PurchaseRequest(country="GB", city="London"),
        PurchaseRequest(country="GB", city="Leeds"),
    )
    assert [1, 2] == [line.line.number for line in plan.unbuyable]
    assert 1 == len({id(line.error) for line in plan.unbuyable})

"""The legal paths to offers, and what each step costs in requests."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from didww_async import Client, InvalidInput
from didww_async.simulator import Simulator
from flows import BuyDidFlow
from flows.errors import Ambiguous, NoMatch, StepNotPossible
from flows.states import STEPS

Step = Callable[[BuyDidFlow], Coroutine[Any, Any, object]]


def country(which: str) -> Step:
    return lambda flow: flow.choose_country(which)


def kind(which: str) -> Step:
    return lambda flow: flow.choose_number_type(which)


def region(which: str) -> Step:
    return lambda flow: flow.choose_region(which)


def city(which: str) -> Step:
    return lambda flow: flow.choose_city(which)


def prefix(npa: str, nxx: str | None = None) -> Step:
    return lambda flow: flow.choose_nanpa_prefix(npa=npa, nxx=nxx)


PATHS: dict[str, list[Step]] = {
    "country alone": [country("BE")],
    "region of a country without prefixes": [country("GB"), region("Scotland")],
    "city": [country("GB"), city("London")],
    "city of a country with regions": [country("CA"), city("Toronto")],
    "region, then city": [country("US"), region("New York"), city("New York")],
    "region alone": [country("US"), region("Vermont")],
    "region, then NPA": [country("US"), region("New York"), prefix("212")],
    "region, then NPA and NXX": [country("US"), region("US-NY"), prefix("212", "472")],
    "prefix without region where there is none": [country("PR"), prefix("787")],
}


@pytest.mark.parametrize("typed", ["any type", "Local"])
@pytest.mark.parametrize("path", PATHS)
async def test_every_legal_path_leads_to_offers(path: str, typed: str, client: Client) -> None:
    flow = BuyDidFlow(client)
    first, *rest = PATHS[path]
    await first(flow)
    if typed != "any type":
        await flow.choose_number_type(typed)
    for step in rest:
        await step(flow)
    offers = await flow.offers()
    assert len(offers) > 0
    if typed == "Local":
        assert {"Local"} == {offer.number_type for offer in offers}


@pytest.mark.parametrize(
    ("expected", "before", "step"),
    [
        (1, [], country("US")),
        (1, [], country("united states")),
        (0, [country("US")], country("us")),
        (1, [country("US")], kind("local")),
        (1, [country("US")], region("New York")),
        (1, [country("GB")], city("london")),
        (1, [country("US"), region("New York")], city("New York")),
        (1, [country("US"), region("New York")], prefix("212")),
        (1, [country("US"), region("New York")], prefix("212", "472")),
        (2, [country("PR")], prefix("787")),  # is there a region to choose first? and the prefix
        (1, [country("GB"), city("London")], lambda flow: flow.offers()),
        (3, [country("EE")], lambda flow: flow.filters()),
        (4, [country("PR")], lambda flow: flow.filters()),
        (0, [country("EE"), lambda flow: flow.filters()], lambda flow: flow.filters()),
        (0, [country("EE"), lambda flow: flow.filters()], lambda flow: flow.regions()),
        (1, [], lambda flow: flow.countries()),
        (1, [country("GB")], lambda flow: flow.cities()),
    ],
)
async def test_what_a_step_costs(
    expected: int, before: list[Step], step: Step, client: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(client)
    for earlier in before:
        await earlier(flow)
    start = len(sim.requests)
    await step(flow)
    assert expected == len(sim.requests) - start, [str(r.path) for r in sim.requests[start:]]


async def test_a_big_country_costs_a_request_per_number_type_not_seen(
    client: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("US")
    start = len(sim.requests)
    filters = await flow.filters()
    first_page = await client.did_groups.list(
        filter={"country.id": str(flow.ids.country_id), "is_available": True},
        include="did_group_type",
        sort="-did_group_type.name",
        page_size=100,
    )
    seen = {group.did_group_type.id for group in first_page if group.did_group_type}
    kinds = await client.did_group_types.list()
    assert 5 + len(kinds) - len(seen) == len(sim.requests) - start - 2
    assert {"Local", "Toll-free"} <= {kind.name for kind in filters.number_types}


async def test_only_the_filters_that_fit_a_country_are_offered(client: Client) -> None:
    fits = {}
    for iso in ("US", "CA", "GB", "PR", "DE"):
        flow = BuyDidFlow(client)
        await flow.choose_country(iso)
        filters = await flow.filters()
        assert filters.number_types
        fits[iso] = (bool(filters.regions), filters.cities, filters.nanpa_prefixes)
    expected = {
        "US": (True, True, True),
        "CA": (True, True, True),
        "GB": (True, True, False),
        "PR": (False, fits["PR"][1], True),
        "DE": (False, True, False),
    }
    assert expected == fits


async def test_the_drop_down_lists_countries_on_sale_by_name(client: Client) -> None:
    countries = await BuyDidFlow(client).countries()
    names = [country.name for country in countries]
    assert sorted(names) == names
    assert "United States" in names
    assert "Cuba" not in names


@pytest.mark.parametrize("which", ["us", "US", "United States", "UNITED STATES", " us "])
async def test_a_country_is_found_by_iso_or_name_whatever_its_case(
    which: str, client: Client
) -> None:
    chosen = await BuyDidFlow(client).choose_country(which)
    assert "US" == chosen.chosen.iso
    assert chosen.chosen.id == chosen.ids.country_id


async def test_everything_is_found_by_its_id(client: Client) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("1f6fc2bd-f081-4202-9b1a-d9cb88d942b9")
    await flow.choose_region("ab7e83bc-814b-4cfa-a14c-d2df3de2a545")
    await flow.choose_city("368bf92f-c36e-473f-96fc-d53ed1b4028b")
    assert "New York" == flow.chosen.city.name  # type: ignore[union-attr]
    await flow.choose_nanpa_prefix(id="48b91ed5-13db-4920-a4cb-d0260d692053")
    assert "212-111" == str(flow.chosen.nanpa_prefix)


@pytest.mark.parametrize("which", ["NY", "ny", "US-NY", "us-ny", "new york"])
async def test_a_region_is_found_by_name_or_code(which: str, client: Client) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("US")
    assert "New York" == (await flow.choose_region(which)).chosen.name


@pytest.mark.parametrize(
    ("steps", "error", "candidate"),
    [
        ([country("XX")], NoMatch, ""),
        ([country("Untied States")], NoMatch, "United States (US)"),
        ([country("Germny")], NoMatch, "Germany (DE)"),
        ([country("US"), region("Nwe York")], NoMatch, "New York"),
        ([country("DE"), region("Bayern")], NoMatch, ""),
        ([country("GB"), city("Lodnon")], NoMatch, "London"),
        ([country("GB"), city("New York")], NoMatch, "York"),
        ([country("GB"), city("368bf92f-c36e-473f-96fc-d53ed1b4028b")], NoMatch, ""),
        ([country("US"), city("Springfield")], Ambiguous, "Illinois"),
        ([country("US"), kind("Lokal")], NoMatch, "Local"),
        ([country("US"), region("New York"), prefix("213")], NoMatch, "212"),
        ([country("US"), region("New York"), prefix("212", "999")], NoMatch, "212-"),
        ([country("GB"), prefix("212")], StepNotPossible, ""),
        ([country("DE"), prefix("212")], NoMatch, ""),
    ],
)
async def test_no_or_several_matches_list_the_candidates(
    steps: list[Step],
    error: type[NoMatch | Ambiguous | StepNotPossible],
    candidate: str,
    client: Client,
) -> None:
    flow = BuyDidFlow(client)
    *before, last = steps
    for step in before:
        await step(flow)
    was = flow.to_dict()
    with pytest.raises(error) as caught:
        await last(flow)
    if candidate:
        assert candidate in str(caught.value)
    assert was == flow.to_dict()


async def test_a_city_in_another_country_is_named_as_such(client: Client) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("GB")
    with pytest.raises(NoMatch, match="in United States, not in United Kingdom"):
        await flow.choose_city("368bf92f-c36e-473f-96fc-d53ed1b4028b")


async def test_a_prefix_needs_its_region_first_where_the_country_has_regions(
    client: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("US")
    with pytest.raises(StepNotPossible, match="choose_region"):
        await flow.choose_nanpa_prefix(npa="212", nxx="555")
    assert not [request for request in sim.requests if request.path == "/nanpa_prefixes"]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"nxx": "555"},
        {"npa": "112"},
        {"npa": "21"},
        {"npa": "2125"},
        {"npa": "٢١٢"},
        {"npa": "212", "nxx": "111"},
        {"npa": "212", "nxx": "911"},
        {"npa": "212", "nxx": "55"},
        {"npa": "212", "id": "x"},
    ],
)
async def test_what_is_no_npa_or_nxx_is_refused_before_anything_is_sent(
    bad: dict[str, str], client: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("PR")
    start = len(sim.requests)
    with pytest.raises(InvalidInput):
        await flow.choose_nanpa_prefix(**bad)  # type: ignore[arg-type]
    assert start == len(sim.requests)


@pytest.mark.parametrize(
    ("step", "possible"),
    [
        ("choose_region", ["choose_country", "new_purchase"]),
        ("choose_city", ["choose_country", "new_purchase"]),
        ("choose_offer", ["choose_country", "new_purchase"]),
        ("offers", ["choose_country", "new_purchase"]),
        ("quote", ["choose_country", "new_purchase"]),
        ("order", ["choose_country", "new_purchase"]),
        ("wait", ["choose_country", "new_purchase"]),
        ("cancel", ["choose_country", "new_purchase"]),
    ],
)
async def test_a_step_out_of_order_names_the_steps_possible_now(
    step: str, possible: list[str], client: Client, sim: Simulator
) -> None:
    flow = BuyDidFlow(client)
    arguments = ["x"] if step in {"choose_region", "choose_city"} else []
    with pytest.raises(StepNotPossible) as caught:
        await getattr(flow, step)(*arguments)
    assert possible == list(caught.value.possible) == flow.possible
    assert "country" in str(caught.value) or "needs" in str(caught.value)
    assert [] == sim.requests


async def test_choosing_again_drops_what_hung_on_it(client: Client) -> None:
    flow = BuyDidFlow(client)
    await flow.choose_country("US")
    await flow.choose_number_type("Local")
    await flow.choose_region("New York")
    await flow.choose_city("New York")
    await flow.choose_offer(channels=2, prefer="cheapest")
    await flow.quote()
    await flow.choose_nanpa_prefix(npa="212")
    assert (None, None, None) == (flow.chosen.city, flow.chosen.offer, flow.chosen.quote)
    assert flow.chosen.number_type is not None
    await flow.choose_region("Vermont")
    assert flow.chosen.nanpa_prefix is None
    await flow.choose_country("CA")
    assert (None, None) == (flow.chosen.region, flow.chosen.number_type)
    assert ["country_id"] == [name for name, found in _ids(flow).items() if found]


def _ids(flow: BuyDidFlow) -> dict[str, str | None]:
    return {name: getattr(flow.ids, name) for name in flow.ids.__slots__ if name != "__weakref__"}


def test_every_step_of_the_table_is_a_method_of_the_flow() -> None:
    assert not [step for step in STEPS if not hasattr(BuyDidFlow, step)]

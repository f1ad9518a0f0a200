"""Merged look-ups: every line gets what buy() would have given it, in far fewer requests."""

import random

import pytest

from didww_async import BadRequest, Client, RetryPolicy
from didww_async.simulator import Simulator
from didww_async.simulator.atlas import Atlas, shipped_atlas
from flows import PurchaseRequest
from flows.batch import merged_prices
from flows.batch.lines import BatchLine, lines_of
from flows.batch.looking import Merged
from flows.batch.resolving import OneByOne, ResolvedLine, UnbuyableLine

ATLAS: Atlas = shipped_atlas()
COUNTRY = {row.id: row for row in ATLAS.coverage.countries}
CITIES = [row for row in ATLAS.coverage.cities if ATLAS.groups_by_city.get(row.id)]
PREFIXES = ATLAS.coverage.prefixes
VERSIONS = ("2026-04-16", "2022-05-10", "2026-11-19")
TYPES = [None, None, "Local", "National", "toll free", "Bogus"]
FEATURES = [(), (), (), ("voice_in",), ("sms_in", "voice_in"), ("fax",)]


def requests(draws: random.Random) -> PurchaseRequest:
    """A request for somewhere in the simulator's world; now and then nothing fits."""
    place: dict[str, str | None] = {}
    match draws.choice(["city", "city", "prefix", "prefix", "npa", "region", "country", "odd"]):
        case "city":
            city = draws.choice(CITIES)
            region = ATLAS.regions.get(city.region_id or "")
            place = {"country": COUNTRY[city.country_id].iso, "city": city.name}
            if region and draws.random() < 0.6:
                place["region"] = region.iso
        case "prefix" | "npa" as kind:
            row = draws.choice(PREFIXES)
            region = ATLAS.regions.get(row.region_id or "")
            place = {"country": COUNTRY[row.country_id].name, "npa": row.npa}
            if kind == "prefix":
                place["nxx"] = row.nxx if draws.random() < 0.9 else "987"
            if region and draws.random() < 0.9:
                place["region"] = region.name.upper()
        case "region":
            region = draws.choice(ATLAS.coverage.regions)
            place = {"country": COUNTRY[region.country_id].iso, "region": region.name}
        case "country":
            country = draws.choice(ATLAS.coverage.countries)
            place = {"country": draws.choice([country.iso, country.name, country.id])}
        case "odd":
            place = draws.choice(
                [
                    {"country": "Atlantis"},
                    {"country": "GB", "city": "Lundon"},
                    {"country": "US", "city": "Springfield"},
                    {"country": "GB", "city": "london"},
                    {"country": "US", "region": "NY", "city": "New York"},
                    {"country": "US", "region": "Nowhere", "city": "New York"},
                    {"country": "US", "npa": "212"},
                    {"country": "FR", "npa": "212", "nxx": "555"},
                    {"country": "US", "city": "368bf92f-c36e-473f-96fc-d53ed1b4028b"},
                ]
            )
    return PurchaseRequest(
        **place,
        number_type=draws.choice(TYPES),
        features=draws.choice(FEATURES),
        needs_registration=draws.choice([None, None, None, False, True]),
        channels=draws.choice([None, None, 0, 2]),
        prefer=draws.choice(["cheapest", "cheapest", None]),
        quantity=draws.choice([1, 1, 2, 40]),
        allow_back_ordering=draws.random() < 0.1,
    )


def told(found: ResolvedLine | UnbuyableLine) -> object:
    if isinstance(found, UnbuyableLine) and isinstance(found.error, BadRequest):
        return ("BadRequest", found.error.detail)  # the request itself is another one
    if isinstance(found, UnbuyableLine):
        return type(found.error).__name__, str(found.error), getattr(found.error, "candidates", ())
    return found


async def merged(client: Client, lines: tuple[BatchLine, ...]) -> dict[int, object]:
    return {found.line.number: found async for found in Merged(client).resolve(lines)}


async def one_by_one(client: Client, lines: tuple[BatchLine, ...]) -> dict[int, object]:
    return {found.line.number: found async for found in OneByOne(client).resolve(lines)}


def client_of(simulator: Simulator, version: str) -> Client:
    return Client(
        api_key=simulator.api_key,
        base_url=simulator.base_url,
        token_url=simulator.token_url,
        api_version=version,
        retry=RetryPolicy.none(),
    )


@pytest.mark.parametrize("seed", range(6))
async def test_each_line_gets_what_buying_it_alone_would_give(seed: int) -> None:
    draws = random.Random(seed)
    wanted = [requests(draws) for _ in range(draws.choice([1, 3, 12, 25]))]
    version = VERSIONS[seed % len(VERSIONS)]
    async with Simulator(rate_limit=None) as simulator, client_of(simulator, version) as client:
        lines = lines_of(wanted, batch="b")
        alone = {key: told(found) for key, found in (await one_by_one(client, lines)).items()}
        client.catalogue.forget()
        together = {key: told(found) for key, found in (await merged(client, lines)).items()}
    for line in lines:
        found = together[line.number]
        if isinstance(found, tuple) and "OutOfStock" == found[0] and "earlier" in found[1]:
            continue  # the stock went to lines before it
        assert alone[line.number] == found, line.request


async def test_a_reply_that_does_not_tell_where_a_group_is_costs_requests_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = [
        PurchaseRequest(country="GB", city=city, prefer="cheapest")
        for city in ("London", "Bristol", "Nowhere")
    ]
    async with Simulator(rate_limit=None) as simulator:
        async with client_of(simulator, VERSIONS[0]) as client:
            lines = lines_of(wanted, batch="b")
            expected = {key: told(found) for key, found in (await merged(client, lines)).items()}
            before = len(simulator.requests)
        monkeypatch.setattr(merged_prices, "INCLUDED", ("stock_keeping_units",))
        async with client_of(simulator, VERSIONS[0]) as client:
            found = {key: told(one) for key, one in (await merged(client, lines)).items()}
    assert expected == found
    assert {1: ResolvedLine, 2: ResolvedLine, 3: tuple} == {
        key: type(one) for key, one in found.items()
    }
    assert len(simulator.requests) - before > before

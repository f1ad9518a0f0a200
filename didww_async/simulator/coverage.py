"""The simulator's coverage: countries, regions, cities, prefixes and DID groups of the real world.

`data/coverage.json.gz` holds the tables, without ids; `data/documented.json` holds the example
objects of the API's documentation, with theirs. `data/SOURCES.md` says where the facts come from.

Every other id is derived from what the row is about ("city/US-TX/Dallas"): it stays the same when
the data is built anew, and random ids would be most of the file.
"""

import gc
import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from hashlib import md5
from importlib.resources import files
from itertools import repeat
from typing import Any

import attrs


@attrs.frozen
class CountryRow:
    id: str
    name: str
    prefix: str | None
    iso: str


@attrs.frozen
class RegionRow:
    id: str
    name: str
    iso: str | None
    country_id: str


@attrs.frozen
class AreaRow:
    id: str
    name: str
    country_id: str


@attrs.frozen
class CityRow:
    id: str
    name: str
    country_id: str
    region_id: str | None
    area_id: str | None


@attrs.frozen
class NumberTypeRow:
    id: str
    name: str


@attrs.frozen
class PrefixRow:
    """A NANPA prefix: NPA and NXX."""

    id: str
    npa: str
    nxx: str
    country_id: str
    region_id: str | None


@attrs.frozen
class SkuRow:
    id: str
    setup_price: Decimal
    monthly_price: Decimal
    channels_included_count: int


@attrs.frozen
class GroupRow:
    """A DID group with its SKUs.

    `stock` counts the numbers in stock by NANPA prefix id, under "" without prefix.
    """

    id: str
    prefix: str
    area_name: str
    country_id: str
    region_id: str | None
    city_id: str | None
    number_type_id: str
    features: tuple[str, ...]
    is_metered: bool
    allow_additional_channels: bool
    service_restrictions: str | None
    needs_registration: bool
    available_dids_enabled: bool
    skus: tuple[SkuRow, ...]
    stock: dict[str, int]


@attrs.frozen(repr=False)
class Coverage:
    countries: tuple[CountryRow, ...]
    regions: tuple[RegionRow, ...]
    areas: tuple[AreaRow, ...]
    cities: tuple[CityRow, ...]
    number_types: tuple[NumberTypeRow, ...]
    prefixes: tuple[PrefixRow, ...]
    groups: tuple[GroupRow, ...]


@attrs.frozen
class _Ids:
    """Gives a row its id: the documented one if there is one, else one derived from its key."""

    documented: dict[str, str]

    def of(self, key: str) -> str:
        """The id of what `key` names. (`uuid.uuid5` would take four times as long.)"""
        if key in self.documented:
            return self.documented[key]
        digest = md5(key.encode(), usedforsecurity=False).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"

    def of_prefix(self, npanxx: str) -> str:
        """The id of a NANPA prefix. It shows the digits: the longest table has no time to hash."""
        return self.documented.get(npanxx) or f"{npanxx}5d-1c0d-4d5e-8f60-0d77a0{npanxx}"


@attrs.frozen
class _Places:
    """What the groups refer to by index. Regions and cities may be none: the lists end with it."""

    country_ids: list[str]
    region_ids: list[str | None]
    city_ids: list[str | None]
    type_ids: list[str]
    prefix_ids: list[str]
    cities: tuple[CityRow, ...]


def load() -> Coverage:
    """Read the coverage that ships with the package."""
    with _collector_paused():
        data = files("didww_async.simulator") / "data"
        documented = json.loads((data / "documented.json").read_bytes())
        tables = json.loads(gzip.decompress((data / "coverage.json.gz").read_bytes()))
        return _coverage(tables, documented["groups"], _Ids(documented["ids"]))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A hundred thousand new objects, none of them garbage: collecting would take half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _coverage(tables: dict[str, Any], examples: list[dict[str, Any]], ids: _Ids) -> Coverage:
    """The tables refer to each other by index, -1 meaning none."""
    countries = tuple(
        CountryRow(ids.of(f"country/{iso}"), name, prefix, iso)
        for iso, name, prefix in tables["countries"]
    )
    regions = tuple(
        RegionRow(ids.of(f"region/{iso}"), name, iso, countries[country].id)
        for country, iso, name in tables["regions"]
    )
    areas = tuple(
        AreaRow(ids.of(f"area/{countries[country].iso}/{name}"), name, countries[country].id)
        for country, name in tables["areas"]
    )
    types = tuple(NumberTypeRow(ids.of(f"type/{name}"), name) for name in tables["types"])
    cities = _cities(tables["cities"], countries, regions, areas, ids)
    prefixes = _prefixes(tables["prefixes"], countries, regions, ids)
    places = _Places(
        country_ids=[row.id for row in countries],
        region_ids=_ids_or_none(regions),
        city_ids=_ids_or_none(cities),
        type_ids=[row.id for row in types],
        prefix_ids=[row.id for row in prefixes],
        cities=cities,
    )
    documented = [_documented_group(example, ids) for example in examples]
    groups = (*documented, *_groups(tables, places, ids))
    return Coverage(countries, regions, areas, cities, types, prefixes, groups)


def _ids_or_none(rows: Sequence[RegionRow | AreaRow | CityRow]) -> list[str | None]:
    """The ids of the rows, and None at index -1."""
    return [*(row.id for row in rows), None]


def _cities(
    runs: list[list[Any]],
    countries: Sequence[CountryRow],
    regions: Sequence[RegionRow],
    areas: Sequence[AreaRow],
    ids: _Ids,
) -> tuple[CityRow, ...]:
    """The cities: each run names those of one country, region and area."""
    region_ids, area_ids = _ids_or_none(regions), _ids_or_none(areas)
    cities: list[CityRow] = []
    for country, region, area, text in runs:
        # Many names occur in several regions, so a city is known by its region where it has one.
        owner = countries[country].iso if region < 0 else regions[region].iso
        names = text.split("\n")
        cities += map(
            CityRow,
            [ids.of(f"city/{owner}/{name}") for name in names],
            names,
            repeat(countries[country].id),
            repeat(region_ids[region]),
            repeat(area_ids[area]),
        )
    return tuple(cities)


def _prefixes(
    runs: list[list[Any]],
    countries: Sequence[CountryRow],
    regions: Sequence[RegionRow],
    ids: _Ids,
) -> tuple[PrefixRow, ...]:
    """The prefixes: each run strings together the digits of those of one country and region."""
    region_ids = _ids_or_none(regions)
    prefixes: list[PrefixRow] = []
    for country, region, digits in runs:
        numbers = [digits[start : start + 6] for start in range(0, len(digits), 6)]
        prefixes += map(
            PrefixRow,
            [ids.of_prefix(number) for number in numbers],
            [number[:3] for number in numbers],
            [number[3:] for number in numbers],
            repeat(countries[country].id),
            repeat(region_ids[region]),
        )
    return tuple(prefixes)


def _groups(tables: dict[str, Any], places: _Places, ids: _Ids) -> Iterator[GroupRow]:
    """The DID groups. What many of them share, traits and prices, is in tables of its own."""
    traits = [
        (",".join(features), tuple(features), *flags) for features, *flags in tables["traits"]
    ]
    ladders = [
        [(Decimal(setup), Decimal(monthly), channels) for setup, monthly, channels in ladder]
        for ladder in tables["ladders"]
    ]
    for row in tables["groups"]:
        country, region, city, type_, code, name, trait, ladder, first_prefix, counts = row
        country_id, region_id = places.country_ids[country], places.region_ids[region]
        city_id, type_id = places.city_ids[city], places.type_ids[type_]
        label, features, metered, additional, restrictions, registration, available = traits[trait]
        group_id = ids.of(f"group/{city_id or region_id or country_id}/{type_id}/{code}/{label}")
        ends = first_prefix + len(counts)
        yield GroupRow(
            group_id,
            code,
            name or places.cities[city].name,
            country_id,
            region_id,
            city_id,
            type_id,
            features,
            metered,
            additional,
            restrictions,
            registration,
            available,
            # With another ending, the id of a group is as unique as another hash.
            tuple(
                [
                    SkuRow(f"{group_id[:32]}500{number}", setup, monthly, channels)
                    for number, (setup, monthly, channels) in enumerate(ladders[ladder])
                ]
            ),
            {"": counts[0]}
            if first_prefix < 0
            else dict(zip(places.prefix_ids[first_prefix:ends], counts, strict=True)),
        )


def _documented_group(example: dict[str, Any], ids: _Ids) -> GroupRow:
    """A Local group as the documentation shows it."""
    return GroupRow(
        id=example["id"],
        prefix=example["prefix"],
        area_name=example["city"],
        country_id=ids.of(f"country/{example['country']}"),
        region_id=ids.of(f"region/{example['region']}"),
        city_id=ids.of(f"city/{example['region']}/{example['city']}"),
        number_type_id=ids.of("type/Local"),
        features=tuple(example["features"]),
        is_metered=False,
        allow_additional_channels=True,
        service_restrictions=example["service_restrictions"],
        needs_registration=False,
        available_dids_enabled=True,
        skus=tuple(
            SkuRow(sku_id, Decimal(setup), Decimal(monthly), channels)
            for sku_id, setup, monthly, channels in example["skus"]
        ),
        stock={
            npanxx and ids.of_prefix(npanxx): count for npanxx, count in example["stock"].items()
        },
    )

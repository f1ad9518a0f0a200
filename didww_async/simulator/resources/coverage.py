"""Countries, regions, cities, areas, NANPA prefixes and number types."""

from typing import TYPE_CHECKING

from didww_async.simulator.coverage import CityRow, CountryRow, GroupRow, PrefixRow
from didww_async.simulator.filters import flag, texts
from didww_async.simulator.resources.features import FEATURES
from didww_async.simulator.schema import (
    LARGE_PAGES,
    Attribute,
    Relationship,
    Resource,
    Sort,
    column,
)
from didww_async.simulator.versions import V2022, V2026

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww_async.simulator.world import World

COUNTRY = Relationship(
    "country",
    type="countries",
    read=lambda world, row: world.atlas.countries.get(row.country_id),
)
REGION = Relationship(
    "region",
    type="regions",
    read=lambda world, row: world.atlas.regions.get(row.region_id or ""),
)


def _country_is_available(world: "World", row: CountryRow) -> bool:
    return world.any_available(world.atlas.groups_by_country.get(row.id, ()))


def _city_is_available(world: "World", row: CityRow) -> bool:
    return world.any_available(world.atlas.groups_by_city.get(row.id, ()))


def _groups_of_prefix(world: "World", row: PrefixRow) -> "Sequence[GroupRow]":
    return world.atlas.groups_by_prefix.get(row.id, ())


def _features_of_prefix(world: "World", row: PrefixRow) -> set[str]:
    return {feature for group in _groups_of_prefix(world, row) for feature in group.features}


COUNTRIES = Resource(
    type="countries",
    path="countries",
    all=lambda world: world.atlas.coverage.countries,
    of_coverage=True,
    find=lambda world, record_id: world.atlas.countries.get(record_id),
    paging=None,
    attributes=(
        Attribute("name", read=column("name")),
        Attribute("prefix", read=column("prefix")),
        Attribute("iso", read=column("iso")),
    ),
    relationships=(
        Relationship(
            "regions",
            type="regions",
            many=True,
            read=lambda world, row: world.atlas.regions_by_country.get(row.id, ()),
        ),
    ),
    relationships_until=V2022,
    filters=(
        texts("id", column("id")),
        texts("name", column("name"), ignore_case=True),
        texts("prefix", column("prefix")),
        texts("iso", column("iso")),
        flag("is_available", _country_is_available),
    ),
    sorts=(
        Sort("name", read=column("name")),
        Sort("prefix", read=column("prefix")),
        Sort("iso", read=column("iso")),
    ),
)

REGIONS = Resource(
    type="regions",
    path="regions",
    all=lambda world: world.atlas.coverage.regions,
    of_coverage=True,
    find=lambda world, record_id: world.atlas.regions.get(record_id),
    paging=None,
    attributes=(
        Attribute("name", read=column("name")),
        Attribute("iso", read=column("iso")),
    ),
    relationships=(COUNTRY,),
    relationships_until=V2022,
    filters=(
        texts("id", column("id")),
        texts("name", column("name"), ignore_case=True),
        texts(
            "country.id",
            column("country_id"),
            index=lambda world: world.atlas.regions_by_country,
        ),
        texts("iso", column("iso")),
    ),
    sorts=(Sort("name", read=column("name")), Sort("iso", read=column("iso"))),
)

CITIES = Resource(
    type="cities",
    path="cities",
    kept_in_order_of=("name",),
    all=lambda world: list(world.atlas.cities.values()),
    of_coverage=True,
    find=lambda world, record_id: world.atlas.cities.get(record_id),
    paging=LARGE_PAGES,
    attributes=(Attribute("name", read=column("name")),),
    relationships=(
        COUNTRY,
        REGION,
        Relationship(
            "area",
            type="areas",
            read=lambda world, row: world.atlas.areas.get(row.area_id or ""),
        ),
    ),
    relationships_until=V2022,
    filters=(
        texts("id", column("id")),
        texts(
            "name",
            column("name"),
            ignore_case=True,
            index=lambda world: world.atlas.cities_by_name,
        ),
        texts(
            "country.id",
            column("country_id"),
            index=lambda world: world.atlas.cities_by_country,
        ),
        texts(
            "region.id",
            column("region_id"),
            index=lambda world: world.atlas.cities_by_region,
        ),
        texts("area.id", column("area_id")),
        flag("is_available", _city_is_available),
    ),
    sorts=(Sort("name", read=column("name")),),
)

AREAS = Resource(
    type="areas",
    path="areas",
    all=lambda world: world.atlas.coverage.areas,
    of_coverage=True,
    find=lambda world, record_id: world.atlas.areas.get(record_id),
    paging=LARGE_PAGES,
    attributes=(Attribute("name", read=column("name")),),
    relationships=(COUNTRY,),
    relationships_until=V2022,
    filters=(
        texts("id", column("id")),
        texts("name", column("name"), ignore_case=True),
        texts("country.id", column("country_id")),
    ),
    sorts=(Sort("name", read=column("name")),),
)

NANPA_PREFIXES = Resource(
    type="nanpa_prefixes",
    path="nanpa_prefixes",
    kept_in_order_of=("npa", "nxx"),
    all=lambda world: list(world.atlas.prefixes.values()),
    of_coverage=True,
    find=lambda world, record_id: world.atlas.prefixes.get(record_id),
    attributes=(
        Attribute("npa", read=column("npa")),
        Attribute("nxx", read=column("nxx")),
    ),
    relationships=(COUNTRY, REGION),
    relationships_until=V2022,
    filters=(
        texts("id", column("id")),
        texts("npa", column("npa"), index=lambda world: world.atlas.prefixes_by_npa),
        texts("nxx", column("nxx")),
        texts(
            "npanxx",
            lambda _world, row: row.npa + row.nxx,
            index=lambda world: world.atlas.prefixes_by_npanxx,
        ),
        texts(
            "country.id",
            column("country_id"),
            index=lambda world: world.atlas.prefixes_by_country,
        ),
        texts(
            "region.id",
            column("region_id"),
            index=lambda world: world.atlas.prefixes_by_region,
        ),
        flag(
            "did_group.is_available",
            lambda world, row: world.any_available(_groups_of_prefix(world, row)),
        ),
        texts("did_group.features", _features_of_prefix, every=True, allowed=FEATURES),
    ),
    sorts=(Sort("npa", read=column("npa")), Sort("nxx", read=column("nxx"))),
)

DID_GROUP_TYPES = Resource(
    type="did_group_types",
    path="did_group_types",
    until=V2026,
    all=lambda world: world.atlas.coverage.number_types,
    of_coverage=True,
    find=lambda world, record_id: world.atlas.number_types.get(record_id),
    attributes=(Attribute("name", read=column("name")),),
    filters=(texts("id", column("id")), texts("name", column("name"), ignore_case=True)),
    sorts=(Sort("name", read=column("name")),),
)

"""Indexes over a Coverage: a look-up costs what it finds, not the size of the world."""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Self, TypeVar

import attrs

from didww_async.simulator.coverage import (
    AreaRow,
    CityRow,
    CountryRow,
    Coverage,
    GroupRow,
    NumberTypeRow,
    PrefixRow,
    RegionRow,
    SkuRow,
    load,
)

Row = TypeVar("Row")


def _by_key(rows: Iterable[Row], key: Callable[[Row], str | None]) -> dict[str, list[Row]]:
    """Group rows by a key; rows without one are found under "", as a blank filter finds them."""
    index: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        index[key(row) or ""].append(row)
    return dict(index)


@attrs.frozen(eq=False, repr=False)
class Atlas:
    """A Coverage with its indexes. Immutable, so several simulators share one."""

    coverage: Coverage
    countries: Mapping[str, CountryRow]
    regions: Mapping[str, RegionRow]
    areas: Mapping[str, AreaRow]
    cities: Mapping[str, CityRow]
    number_types: Mapping[str, NumberTypeRow]
    prefixes: Mapping[str, PrefixRow]
    groups: Mapping[str, GroupRow]
    skus: Mapping[str, SkuRow]
    group_of_sku: Mapping[str, GroupRow]
    stock_totals: Mapping[str, int]
    regions_by_country: Mapping[str, list[RegionRow]]
    cities_by_country: Mapping[str, list[CityRow]]
    cities_by_region: Mapping[str, list[CityRow]]
    cities_by_name: Mapping[str, list[CityRow]]
    prefixes_by_country: Mapping[str, list[PrefixRow]]
    prefixes_by_region: Mapping[str, list[PrefixRow]]
    prefixes_by_npa: Mapping[str, list[PrefixRow]]
    prefixes_by_npanxx: Mapping[str, list[PrefixRow]]
    groups_by_country: Mapping[str, list[GroupRow]]
    groups_by_region: Mapping[str, list[GroupRow]]
    groups_by_city: Mapping[str, list[GroupRow]]
    groups_by_prefix: Mapping[str, list[GroupRow]]
    groups_by_npanxx: Mapping[str, list[GroupRow]]

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        # The long tables are kept in the order that lists are mostly asked for in.
        city_rows = sorted(coverage.cities, key=attrgetter("name"))
        prefix_rows = sorted(coverage.prefixes, key=attrgetter("npa", "nxx"))
        prefixes = {row.id: row for row in prefix_rows}
        by_prefix: defaultdict[str, list[GroupRow]] = defaultdict(list)
        by_npanxx: defaultdict[str, list[GroupRow]] = defaultdict(list)
        for group in coverage.groups:
            # A group without any NANPA prefix is what a blank nanpa_prefix filter finds.
            for prefix_id in [key for key in group.stock if key] or [""]:
                by_prefix[prefix_id].append(group)
                prefix = prefixes.get(prefix_id)
                by_npanxx[prefix.npa + prefix.nxx if prefix else ""].append(group)
        return cls(
            coverage=coverage,
            countries={row.id: row for row in coverage.countries},
            regions={row.id: row for row in coverage.regions},
            areas={row.id: row for row in coverage.areas},
            cities={row.id: row for row in city_rows},
            number_types={row.id: row for row in coverage.number_types},
            prefixes=prefixes,
            groups={row.id: row for row in coverage.groups},
            skus={sku.id: sku for row in coverage.groups for sku in row.skus},
            group_of_sku={sku.id: row for row in coverage.groups for sku in row.skus},
            stock_totals={row.id: sum(row.stock.values()) for row in coverage.groups},
            regions_by_country=_by_key(coverage.regions, lambda row: row.country_id),
            cities_by_country=_by_key(city_rows, lambda row: row.country_id),
            cities_by_region=_by_key(city_rows, lambda row: row.region_id),
            cities_by_name=_by_key(city_rows, lambda row: row.name.casefold()),
            prefixes_by_country=_by_key(prefix_rows, lambda row: row.country_id),
            prefixes_by_region=_by_key(prefix_rows, lambda row: row.region_id),
            prefixes_by_npa=_by_key(prefix_rows, lambda row: row.npa),
            prefixes_by_npanxx=_by_key(prefix_rows, lambda row: row.npa + row.nxx),
            groups_by_country=_by_key(coverage.groups, lambda row: row.country_id),
            groups_by_region=_by_key(coverage.groups, lambda row: row.region_id),
            groups_by_city=_by_key(coverage.groups, lambda row: row.city_id),
            groups_by_prefix=dict(by_prefix),
            groups_by_npanxx=dict(by_npanxx),
        )


@functools.cache
def shipped_atlas() -> Atlas:
    """The atlas of the coverage that ships with the package, built once per process."""
    return Atlas.of(load())

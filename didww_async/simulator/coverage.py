"""The simulator's coverage: countries, regions, cities, prefixes and DID groups with real geography."""

from decimal import Decimal

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
    """A DID group with its SKUs. `stock` counts the numbers in stock by NANPA prefix id, under "" without prefix."""

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


@attrs.frozen
class Coverage:
    countries: tuple[CountryRow, ...]
    regions: tuple[RegionRow, ...]
    areas: tuple[AreaRow, ...]
    cities: tuple[CityRow, ...]
    number_types: tuple[NumberTypeRow, ...]
    prefixes: tuple[PrefixRow, ...]
    groups: tuple[GroupRow, ...]


def load() -> Coverage:
    """Read the coverage that ships with the package."""
    raise NotImplementedError

"""Coverage: countries, regions, cities, areas, NANPA prefixes, DID group types, POPs.

Source: doc.didww.com/api3, inventory resources; seed document 000, steps 1 and 2.
"""

from typing import ClassVar, Literal, TypedDict

from didww_async.resources.base import Resource, attribute, relationship, value
from didww_async.wire.query import FilterValue

__all__ = [
    "Area",
    "AreaFilter",
    "AreaInclude",
    "AreaSort",
    "City",
    "CityFilter",
    "CityInclude",
    "CitySort",
    "Country",
    "CountryFilter",
    "CountryInclude",
    "CountrySort",
    "DidGroupType",
    "DidGroupTypeFilter",
    "DidGroupTypeSort",
    "NanpaPrefix",
    "NanpaPrefixFilter",
    "NanpaPrefixInclude",
    "NanpaPrefixSort",
    "NothingToInclude",
    "NothingToSortBy",
    "Pop",
    "PopFilter",
    "Region",
    "RegionFilter",
    "RegionInclude",
    "RegionSort",
]

NothingToInclude = Literal[""]
NothingToSortBy = Literal[""]


@value
class Country(Resource):
    """A country with possible coverage. `prefix` is its dialling code without "+"."""

    type: ClassVar[str] = "countries"
    paged: ClassVar[bool] = False

    name: str = attribute()
    prefix: str | None = attribute()
    iso: str = attribute()
    regions: "tuple[Region, ...]" = relationship()


class CountryFilter(TypedDict, total=False):
    """Filters of GET /countries."""

    id: FilterValue
    name: FilterValue
    prefix: FilterValue
    iso: FilterValue
    is_available: bool


CountrySort = Literal["name", "-name", "prefix", "-prefix", "iso", "-iso"]
CountryInclude = Literal["regions"]


@value
class Region(Resource):
    """A state or province. `iso` may be "US-NY" or "NY", by API version."""

    type: ClassVar[str] = "regions"
    paged: ClassVar[bool] = False

    name: str = attribute()
    iso: str | None = attribute()
    country: Country | None = relationship()


RegionFilter = TypedDict(
    "RegionFilter",
    {"id": FilterValue, "name": FilterValue, "country.id": FilterValue, "iso": FilterValue},
    total=False,
)
RegionSort = Literal["name", "-name", "iso", "-iso"]
RegionInclude = Literal["country"]


@value
class Area(Resource):
    """A regulatory area of a country."""

    type: ClassVar[str] = "areas"
    max_page_size: ClassVar[int] = 1000
    walk_by: ClassVar[str | None] = "name"

    name: str = attribute()
    country: Country | None = relationship()


AreaFilter = TypedDict(
    "AreaFilter", {"id": FilterValue, "name": FilterValue, "country.id": FilterValue}, total=False
)
AreaSort = Literal["name", "-name"]
AreaInclude = Literal["country"]


@value
class City(Resource):
    """A city with possible coverage."""

    type: ClassVar[str] = "cities"
    max_page_size: ClassVar[int] = 1000
    walk_by: ClassVar[str | None] = "name"

    name: str = attribute()
    country: Country | None = relationship()
    region: Region | None = relationship()
    area: Area | None = relationship()


CityFilter = TypedDict(
    "CityFilter",
    {
        "id": FilterValue,
        "name": FilterValue,
        "country.id": FilterValue,
        "region.id": FilterValue,
        "area.id": FilterValue,
        "is_available": bool,
    },
    total=False,
)
CitySort = Literal["name", "-name"]
CityInclude = Literal["country", "region", "area"]


@value
class NanpaPrefix(Resource):
    """A North American prefix: area code (NPA) and central office code (NXX)."""

    type: ClassVar[str] = "nanpa_prefixes"
    walk_by: ClassVar[str | None] = "npa,nxx"

    npa: str = attribute()
    nxx: str = attribute()
    country: Country | None = relationship()
    region: Region | None = relationship()


NanpaPrefixFilter = TypedDict(
    "NanpaPrefixFilter",
    {
        "id": FilterValue,
        "npa": FilterValue,
        "nxx": FilterValue,
        "npanxx": FilterValue,
        "country.id": FilterValue,
        "region.id": FilterValue,
        "did_group.is_available": bool,
        "did_group.features": FilterValue,
    },
    total=False,
)
NanpaPrefixSort = Literal["npa", "-npa", "nxx", "-nxx"]
NanpaPrefixInclude = Literal["country", "region"]


@value
class DidGroupType(Resource):
    """A kind of number: Local, National, Mobile, Toll-free, ..."""

    type: ClassVar[str] = "did_group_types"
    walk_by: ClassVar[str | None] = "name"

    name: str = attribute()


class DidGroupTypeFilter(TypedDict, total=False):
    """Filters of GET /did_group_types."""

    id: FilterValue
    name: FilterValue


DidGroupTypeSort = Literal["name", "-name"]


@value
class Pop(Resource):
    """A point of presence of DIDWW: where an inbound trunk's calls leave its network."""

    type: ClassVar[str] = "pops"
    paged: ClassVar[bool] = False

    name: str = attribute()


class PopFilter(TypedDict, total=False):
    """Filters of GET /pops."""

    id: FilterValue

"""Reading coverage for the flow, in as few requests as possible; equal reads are shared and cached.

Source: seed document 000, steps 1 and 2.
"""

import asyncio
from typing import Any

from didww_async import BadRequest, Client, NotFound
from didww_async.resources import City, Country, NanpaPrefix, Region
from flows.choices import (
    CityChoice,
    CountryChoice,
    Filters,
    NanpaPrefixChoice,
    NumberTypeChoice,
    RegionChoice,
    check_name,
    folded,
    nearest,
    the_one,
)
from flows.errors import Ambiguous, NoMatch
from flows.number_types import number_types_of, spelled_for

__all__ = ["Coverage"]

ONE_PAGE = 100


class Coverage:
    """What is on offer where. Every method says what it costs when nothing is cached."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._spelled = spelled_for(client)

    async def countries(self) -> tuple[CountryChoice, ...]:
        """Countries with numbers on sale, by name: 1 request."""

        async def fetch() -> tuple[CountryChoice, ...]:
            found = await self._client.countries.list(filter={"is_available": True}, sort="name")
            return tuple(country_choice(item) for item in found)

        return await self._client.catalogue.once(("flows", "countries"), fetch)

    async def country(self, which: str) -> CountryChoice:
        """The country with this ISO code, name or id: 1 request, a few for an id or a miss."""
        which = check_name(which, what="country")
        found = await self._country_called(which)
        if found is not None:
            return found
        on_sale = await self.countries()
        return the_one(which, on_sale, what="country", also=lambda country: country.iso)

    async def number_types(self, country: CountryChoice) -> tuple[NumberTypeChoice, ...]:
        """Number types the country has in stock: 1 request, and 1 for each type it may also have
        when more than 100 DID groups fit."""

        async def fetch() -> tuple[NumberTypeChoice, ...]:
            groups = await self._client.did_groups.list(
                filter={"country.id": country.id, "is_available": True},
                include=self._spelled.include,
                fields={"did_groups": self._spelled.fields},
                sort=self._spelled.sort,
                page_size=ONE_PAGE,
            )
            seen = number_types_of(groups)
            if (groups.total_records or 0) > len(groups):
                others = [kind for kind in await self.all_number_types() if kind.id not in seen]
                has = await asyncio.gather(*(self._has(country, kind) for kind in others))
                seen |= {kind.id: kind for kind, there in zip(others, has, strict=True) if there}
            return tuple(sorted(seen.values(), key=lambda kind: kind.name))

        key = ("flows", "types", self._spelled.filter, country.id)
        return await self._client.catalogue.once(key, fetch)

    async def all_number_types(self) -> tuple[NumberTypeChoice, ...]:
        """Every number type there is: 1 request, none where they are an attribute."""
        if self._spelled.known is not None:
            return self._spelled.known

        async def fetch() -> tuple[NumberTypeChoice, ...]:
            found = [kind async for kind in self._client.did_group_types.iterate()]
            return tuple(NumberTypeChoice(id=kind.id, name=kind.name or "") for kind in found)

        return await self._client.catalogue.once(("flows", "all types"), fetch)

    async def number_type(self, which: str) -> NumberTypeChoice:
        """The number type of this name or id: 1 request."""
        which = check_name(which, what="number type")
        return the_one(which, await self.all_number_types(), what="number type")

    async def number_type_here(self, kind: NumberTypeChoice) -> NumberTypeChoice:
        """A number type chosen with any API version as this client's version has it: no request,
        or 1 when it was another one."""
        return kind if self._spelled.has(kind) else await self.number_type(kind.name)

    async def regions(self, country: CountryChoice) -> tuple[RegionChoice, ...]:
        """Regions of the country by name, () where it has none: 1 request."""

        async def fetch() -> tuple[RegionChoice, ...]:
            found = await self._client.regions.list(filter={"country.id": country.id}, sort="name")
            return tuple(region_choice(item) for item in found)

        return await self._client.catalogue.once(("flows", "regions", country.id), fetch)

    async def region(self, country: CountryChoice, which: str) -> RegionChoice:
        """The region of this name, ISO code or id: 1 request."""
        which = check_name(which, what="region")
        regions = await self.regions(country)
        if not regions:
            raise NoMatch(f"{country} has no regions; choose a city or an offer")
        try:
            return the_one(which, regions, what=f"region of {country}", also=lambda r: r.iso)
        except NoMatch:
            # "NY" and "US-NY" both name New York, whichever of them this API version uses.
            short = which.removeprefix(f"{country.iso}-")
            codes = {(item.iso or "").removeprefix(f"{country.iso}-"): item for item in regions}
            if found := codes.get(short.upper()):
                return found
            raise

    async def cities(
        self, country: CountryChoice, region: RegionChoice | None
    ) -> tuple[CityChoice, ...]:
        """Cities with numbers on sale, by name: 1 request per 1,000."""

        async def fetch() -> tuple[CityChoice, ...]:
            found = self._client.cities.iterate(
                filter=_within(country, region) | {"is_available": True},
                include="region",
                sort="name",
            )
            return tuple([city_choice(item) async for item in found])

        key = ("flows", "cities", country.id, region and region.id)
        return await self._client.catalogue.once(key, fetch)

    async def city(
        self, country: CountryChoice, region: RegionChoice | None, which: str
    ) -> CityChoice:
        """The city of this name or id: 1 request, a few for an id or a miss."""
        which = check_name(which, what="city")
        found = [
            city
            for city in await self._cities_called(country, region, which)
            if which.casefold() in {city.name.casefold(), str(city).casefold()}
        ]
        where = f"{region}, {country}" if region else str(country)
        if not found and _may_be_id(which):
            found = [city for city in [await self._city_by_id(country, region, which)] if city]
        if len(found) == 1:
            return found[0]
        if found:
            listed = [f"{city} [{city.id}]" for city in found]
            raise Ambiguous(
                f"{len(found)} cities in {where} are called {which!r}", candidates=listed
            )
        listed = nearest(which, [city.name for city in await self.cities(country, region)])
        raise NoMatch(f"no city in {where} is called {which!r}", candidates=listed)

    async def nanpa_prefixes(
        self, country: CountryChoice, region: RegionChoice | None, *, npa: str | None
    ) -> tuple[NanpaPrefixChoice, ...]:
        """NANPA prefixes with numbers on sale, by NPA and NXX: 1 request per 100."""

        async def fetch() -> tuple[NanpaPrefixChoice, ...]:
            found = self._client.nanpa_prefixes.iterate(
                filter=_within(country, region)
                | ({"npa": npa} if npa else {})
                | {"did_group.is_available": True},
                sort=("npa", "nxx"),
            )
            return tuple([prefix_choice(item) async for item in found])

        key = ("flows", "prefixes", country.id, region and region.id, npa)
        return await self._client.catalogue.once(key, fetch)

    async def nanpa_prefix(
        self, country: CountryChoice, region: RegionChoice | None, *, npa: str, nxx: str | None
    ) -> NanpaPrefixChoice:
        """The prefix NPA-NXX, or the NPA's first one on sale: 1 request."""
        if (found := await self._first_prefix(country, region, npa=npa, nxx=nxx)) is not None:
            return found
        where = f"{region}, {country}" if region else str(country)
        which = f"{npa}-{nxx}" if nxx else npa
        there = await self.nanpa_prefixes(country, region, npa=npa if nxx else None)
        listed = [str(item) for item in there] if nxx else sorted({item.npa for item in there})
        raise NoMatch(f"no NANPA prefix {which} is on sale in {where}", candidates=listed)

    async def nanpa_prefix_by_id(
        self, country: CountryChoice, region: RegionChoice | None, id: str
    ) -> NanpaPrefixChoice:
        """The prefix of this id, if it is in the country and region: 1 request."""
        found = await self._client.nanpa_prefixes.list(filter=_within(country, region) | {"id": id})
        if not found:
            raise NoMatch(f"no NANPA prefix of {region or country} has the id {id!r}")
        return prefix_choice(found[0])

    async def filters(self, country: CountryChoice) -> Filters:
        """The filters that fit the country: 3 requests, 4 for countries with dialling code 1, and
        those `number_types` may need."""
        number_types, regions, city, prefix = await asyncio.gather(
            self.number_types(country),
            self.regions(country),
            self._any_city(country),
            self._any_prefix(country),
        )
        return Filters(
            number_types=number_types, regions=regions, cities=city, nanpa_prefixes=prefix
        )

    async def _country_called(self, which: str) -> CountryChoice | None:
        async def fetch() -> CountryChoice | None:
            if len(which) == 2 and which.isalpha():
                found = await self._client.countries.list(filter={"iso": which.upper()})
                exact = [item for item in found if folded(item.iso or "") == folded(which)]
            else:
                found = await self._client.countries.list(filter={"name": which})
                exact = [item for item in found if folded(item.name or "") == folded(which)]
            if not exact and _may_be_id(which):
                exact = [item for item in [await self._country_by_id(which)] if item]
            return country_choice(exact[0]) if exact else None

        return await self._client.catalogue.once(("flows", "country", folded(which)), fetch)

    async def _cities_called(
        self, country: CountryChoice, region: RegionChoice | None, which: str
    ) -> tuple[CityChoice, ...]:
        async def fetch() -> tuple[CityChoice, ...]:
            # The API reads a comma as "any of"; such a name is looked for in the whole list.
            if "," in which:
                return await self.cities(country, region)
            found = await self._client.cities.list(
                filter=_within(country, region) | {"name": which}, include="region"
            )
            return tuple(city_choice(item) for item in found)

        key = ("flows", "city", country.id, region and region.id, which.casefold())
        return await self._client.catalogue.once(key, fetch)

    async def _first_prefix(
        self, country: CountryChoice, region: RegionChoice | None, *, npa: str, nxx: str | None
    ) -> NanpaPrefixChoice | None:
        asked = _within(country, region) | {"npa": npa}
        asked |= {"nxx": nxx} if nxx else {"did_group.is_available": True}
        found = await self._client.nanpa_prefixes.list(
            filter=asked, sort=("npa", "nxx"), page_size=1
        )
        return prefix_choice(found[0]) if found else None

    async def _any_city(self, country: CountryChoice) -> bool:
        async def fetch() -> bool:
            found = await self._client.cities.list(
                filter={"country.id": country.id, "is_available": True}, page_size=1
            )
            return len(found) > 0

        return await self._client.catalogue.once(("flows", "any city", country.id), fetch)

    async def _any_prefix(self, country: CountryChoice) -> bool:
        async def fetch() -> bool:
            found = await self._client.nanpa_prefixes.list(
                filter={"country.id": country.id}, page_size=1
            )
            return len(found) > 0

        if country.prefix not in {"1", None}:  # the numbering plan of country code 1 only
            return False
        return await self._client.catalogue.once(("flows", "any prefix", country.id), fetch)

    async def _has(self, country: CountryChoice, kind: NumberTypeChoice) -> bool:
        asked = _within(country, None) | {self._spelled.filter: kind.id, "is_available": True}
        found = await self._client.did_groups.list(
            filter=asked,
            fields={"did_groups": ("prefix",)},
            page_size=1,
        )
        return len(found) > 0

    async def _country_by_id(self, id: str) -> Country | None:
        try:
            return await self._client.countries.get(id)
        except (NotFound, BadRequest):
            return None

    async def _city_by_id(
        self, country: CountryChoice, region: RegionChoice | None, id: str
    ) -> CityChoice | None:
        try:
            city = await self._client.cities.get(id, include=("country", "region"))
        except (NotFound, BadRequest):
            return None
        if city.country and city.country.id != country.id:
            raise NoMatch(f"the city {city.name!r} is in {city.country.name}, not in {country}")
        if region and city.region and city.region.id != region.id:
            raise NoMatch(f"the city {city.name!r} is in {city.region.name}, not in {region}")
        return city_choice(city)


def _within(country: CountryChoice, region: RegionChoice | None) -> Any:
    # Any, because it is the common part of several filter types.
    found = {"country.id": country.id}
    return found | {"region.id": region.id} if region else found


def _may_be_id(which: str) -> bool:
    return any(c.isdigit() for c in which) and not any(c.isspace() for c in which)


def country_choice(item: Country) -> CountryChoice:
    return CountryChoice(
        id=item.id, name=item.name or "", iso=item.iso or "", prefix=item.prefix or None
    )


def region_choice(item: Region) -> RegionChoice:
    return RegionChoice(id=item.id, name=item.name or "", iso=item.iso or None)


def city_choice(item: City) -> CityChoice:
    region = item.region.name or None if item.region else None
    return CityChoice(id=item.id, name=item.name or "", region=region)


def prefix_choice(item: NanpaPrefix) -> NanpaPrefixChoice:
    return NanpaPrefixChoice(id=item.id, npa=item.npa or "", nxx=item.nxx or "")

"""Coverage for many lines at once: the same answers as for one line, in merged requests.

The API's filters take lists, and a comma means "any of": all countries, cities and regions that
are named anywhere are read together, and each answer is taken from the rows that belong to it.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from didww_async import Client
from didww_async.resources import City, Country, Region
from flows.batch.chunks import chunks
from flows.batch.doubted import doubted
from flows.batch.instep import InStep
from flows.batch.merged_prefixes import Prefixes, PrefixKey
from flows.batch.stages import Stage
from flows.choices import (
    CityChoice,
    CountryChoice,
    NanpaPrefixChoice,
    NumberTypeChoice,
    RegionChoice,
)
from flows.coverage import Coverage, city_choice, country_choice, region_choice

__all__ = ["MergedCoverage"]


@attrs.frozen
class _CityKey:
    country: CountryChoice
    region: RegionChoice | None
    which: str


class MergedCoverage(Coverage):
    """What is on offer where, for walkers who go in step."""

    def __init__(self, client: Client, walkers: InStep) -> None:
        super().__init__(client)
        self._walkers = walkers
        self._sent = 0
        self._prefixes = Prefixes(client, one=super()._first_prefix)

    @property
    def requests(self) -> int:
        """Requests sent, at most: without those that list what there is for what is not found."""
        return self._sent + self._prefixes.requests

    @property
    def share_on_sale(self) -> float:
        """The part of all NPA-NXX that is on sale, as last seen."""
        return self._prefixes.share_on_sale

    @property
    def area_codes(self) -> Mapping[str, str]:
        """NANPA prefix id -> its area code, of every prefix chosen so far."""
        return self._prefixes.area_codes

    @property
    def on_sale(self) -> frozenset[str]:
        """Ids of the NANPA prefixes that were on sale when they were looked up."""
        return frozenset(self._prefixes.on_sale)

    async def _country_called(self, which: str) -> CountryChoice | None:
        return await self._walkers.ask(self._countries_called, which, stage=Stage.COUNTRIES)

    async def regions(self, country: CountryChoice) -> tuple[RegionChoice, ...]:
        return await self._walkers.ask(self._regions_of, country, stage=Stage.REGIONS)

    async def _cities_called(
        self, country: CountryChoice, region: RegionChoice | None, which: str
    ) -> tuple[CityChoice, ...]:
        key = _CityKey(country, region, which)
        return await self._walkers.ask(self._cities_of, key, stage=Stage.PLACES)

    async def _first_prefix(
        self, country: CountryChoice, region: RegionChoice | None, *, npa: str, nxx: str | None
    ) -> NanpaPrefixChoice | None:
        key = PrefixKey(country=country, region=region, npa=npa, nxx=nxx)
        return await self._walkers.ask(self._prefixes.read, key, stage=Stage.PLACES)

    async def all_number_types(self) -> tuple[NumberTypeChoice, ...]:
        key = "number types"
        return await self._walkers.ask(self._types, key, stage=Stage.COUNTRIES)

    # -- what is read together

    async def _types(self, asked: Sequence[str]) -> Mapping[str, tuple[NumberTypeChoice, ...]]:
        self._sent += self._spelled.known is None
        return dict.fromkeys(asked, await super().all_number_types())

    async def _countries_called(self, asked: Sequence[str]) -> Mapping[str, CountryChoice | None]:
        """One country: 1 request; several: all countries there are, 1 request."""
        self._sent += 1
        if len(asked) == 1:
            return {asked[0]: await super()._country_called(asked[0])}
        listed = await self._client.countries.list(
            fields={"countries": ("name", "prefix", "iso")}, sort="name"
        )
        named: dict[str, Country] = {}
        for country in reversed(listed):
            named[country.id] = country
        for country in reversed(listed):
            named[(country.name or "").casefold()] = country
        by_iso = {(country.iso or "").casefold(): country for country in listed}
        found: dict[str, CountryChoice | None] = {}
        for which in asked:
            names = by_iso if len(which) == 2 and which.isalpha() else named
            there = names.get(which.casefold())
            found[which] = None if there is None else country_choice(there)
        return found

    async def _regions_of(
        self, asked: Sequence[CountryChoice]
    ) -> Mapping[CountryChoice, tuple[RegionChoice, ...]]:
        """1 request for all countries."""
        if len(asked) > 1:
            self._sent += 1
            rows = await self._client.regions.list(
                filter={"country.id": [country.id for country in asked]},
                include="country",
                fields={"regions": ("name", "iso", "country"), "countries": ("iso",)},
                sort="name",
            )
            if (by_country := _by_country(rows)) is not None:
                found = {
                    country: tuple(region_choice(row) for row in by_country.get(country.id, ()))
                    for country in asked
                }
                return await doubted(found, self._regions_alone)
        each = await asyncio.gather(*map(self._regions_alone, asked))
        return dict(zip(asked, each, strict=True))

    async def _regions_alone(self, country: CountryChoice) -> tuple[RegionChoice, ...]:
        self._sent += 1
        return await super().regions(country)

    async def _cities_of(
        self, asked: Sequence[_CityKey]
    ) -> Mapping[_CityKey, tuple[CityChoice, ...]]:
        """1 request per 1,000 cities found, and per some hundred names."""
        alone = [key for key in asked if not key.which or "," in key.which or len(asked) == 1]
        together = sorted(set(asked) - set(alone), key=lambda key: (key.country.id, key.which))
        names = sorted({key.which for key in together}, key=str.casefold)
        countries = sorted({key.country.id for key in together})
        parts = await asyncio.gather(*(self._cities(countries, part) for part in chunks(names)))
        called: defaultdict[tuple[str, str], list[City]] = defaultdict(list)
        for city in (city for part in parts for city in part):
            if not city.country:
                alone, together = list(asked), []  # the reply does not tell whose city it is
                break
            called[city.country.id, (city.name or "").casefold()].append(city)
        found = {
            key: tuple(
                city_choice(city)
                for city in called[key.country.id, key.which.casefold()]
                if key.region is None or (city.region and city.region.id == key.region.id)
            )
            for key in together
        }
        each = await asyncio.gather(*map(self._cities_alone, alone))
        together_found = await doubted(found, self._cities_alone)
        return together_found | dict(zip(alone, each, strict=True))

    async def _cities_alone(self, key: _CityKey) -> tuple[CityChoice, ...]:
        self._sent += 1
        return await super()._cities_called(key.country, key.region, key.which)

    async def _cities(self, countries: Sequence[str], names: Sequence[str]) -> list[City]:
        wanted: Any = {"country.id": countries, "name": names}
        found = [
            city
            async for city in self._client.cities.iterate(
                filter=wanted,
                include=("country", "region"),
                fields={
                    "cities": ("name", "country", "region"),
                    "countries": ("iso",),
                    "regions": ("name",),
                },
                sort="name",
            )
        ]
        self._sent += max(1, math.ceil(len(found) / City.max_page_size))
        return found


def _by_country(rows: Sequence[Region]) -> Mapping[str, list[Region]] | None:
    """The rows by country id; None when one does not tell its country."""
    found: defaultdict[str, list[Region]] = defaultdict(list)
    for row in rows:
        if not row.country:
            return None
        found[row.country.id].append(row)
    return found

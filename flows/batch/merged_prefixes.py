"""NANPA prefixes for many lines at once.

`filter[npanxx]` takes one value, `filter[npa]` and `filter[nxx]` take lists: together they give a
cross product. It is asked in blocks that fit on a page or so, and what nobody asked for is dropped.
"""

import asyncio
import itertools
import math
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import attrs

from didww_async import Client
from didww_async.resources import NanpaPrefix
from flows.batch.doubted import doubted
from flows.choices import CountryChoice, NanpaPrefixChoice, RegionChoice
from flows.coverage import prefix_choice

__all__ = ["PrefixKey", "Prefixes", "blocks"]

PAGE: Final = 100
FULL: Final = 80  # rows that are expected of a block; a few more must not cost a second page
FIRST_GUESS: Final = 0.16  # of all NPA-NXX there could be, the part that is on sale
LEAST: Final = 0.01
FEW: Final = 2  # so few are looked up one by one
NARROWEST: Final = 10  # NXXs that are looked through at first for an NPA's first prefix on sale
ALL_NXX: Final = tuple(f"{n}" for n in range(200, 1000) if n % 100 != 11)


@attrs.frozen(kw_only=True)
class PrefixKey:
    """A prefix as a line names it. `nxx` None: the NPA's first one on sale."""

    country: CountryChoice
    region: RegionChoice | None
    npa: str
    nxx: str | None


class _One(Protocol):
    def __call__(
        self, country: CountryChoice, region: RegionChoice | None, *, npa: str, nxx: str | None
    ) -> Awaitable[NanpaPrefixChoice | None]: ...


class Prefixes:
    """Reads prefixes together. `one` is how the flow reads one of them."""

    def __init__(self, client: Client, *, one: _One) -> None:
        self._client = client
        self._one = one
        self.share_on_sale = FIRST_GUESS
        self._beside = self._asked_beside = 0  # NPA-NXX that nobody asked for by name
        self.requests = 0
        self.area_codes: dict[str, str] = {}
        self.on_sale: set[str] = set()

    async def read(
        self, asked: Sequence[PrefixKey]
    ) -> Mapping[PrefixKey, NanpaPrefixChoice | None]:
        """Answer all keys: about 1 request per 100 prefixes on sale among the cross products."""
        found: dict[PrefixKey, NanpaPrefixChoice | None] = dict.fromkeys(asked)
        exact = [key for key in asked if key.nxx is not None]
        found |= await self._exact(exact, on_sale=True)
        found |= await self._exact([key for key in exact if found[key] is None], on_sale=False)
        found |= await self._first([key for key in asked if key.nxx is None])
        for prefix in filter(None, found.values()):
            self.area_codes[prefix.id] = prefix.npa
        return found

    async def _exact(
        self, asked: Sequence[PrefixKey], *, on_sale: bool
    ) -> dict[PrefixKey, NanpaPrefixChoice | None]:
        """The prefixes NPA-NXX; `on_sale`: only those with numbers in stock."""
        if len(asked) <= FEW:
            return {} if on_sale else await self._one_by_one(asked)
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for key in asked:
            wanted[key.npa].add(key.nxx or "")
        # The first block tells how many prefixes there are in a cross product; the rest follows.
        first = next(blocks(wanted, share=self.share_on_sale))
        rows = await self._crossed(*first, asked=asked, on_sale=on_sale)
        others = {npa: nxxs for npa, nxxs in wanted.items() if npa not in first[0]}
        cut = blocks(others, share=self.share_on_sale)
        rest = (self._crossed(*block, asked=asked, on_sale=on_sale) for block in cut)
        rows += itertools.chain.from_iterable(await asyncio.gather(*rest))
        found = self._matched(asked, rows)
        if on_sale:
            self.on_sale |= {row.id for row in rows}
            return found
        return await doubted(found, self._alone)

    async def _first(self, asked: Sequence[PrefixKey]) -> dict[PrefixKey, NanpaPrefixChoice | None]:
        """The first prefix on sale of each NPA: looked for from NXX 200 upwards, in windows."""
        found: dict[PrefixKey, NanpaPrefixChoice | None] = {}
        left, begin = list(asked), 0
        while len(left) > FEW and begin < len(ALL_NXX):
            npas = sorted({key.npa for key in left})
            width = max(NARROWEST, math.ceil(PAGE / (len(npas) * self.share_on_sale)), begin)
            window = ALL_NXX[begin : begin + width]
            rows = await self._crossed(npas, window, asked=left, on_sale=True)
            self.on_sale |= {row.id for row in rows}
            found |= {key: prefix for key, prefix in self._matched(left, rows).items() if prefix}
            left = [key for key in left if key not in found]
            begin += width
        if begin < len(ALL_NXX):
            alone = await self._one_by_one(left)
            self.on_sale |= {prefix.id for prefix in alone.values() if prefix}
            found |= alone
        return found

    async def _one_by_one(
        self, asked: Sequence[PrefixKey]
    ) -> dict[PrefixKey, NanpaPrefixChoice | None]:
        return dict(zip(asked, await asyncio.gather(*map(self._alone, asked)), strict=True))

    async def _alone(self, key: PrefixKey) -> NanpaPrefixChoice | None:
        self.requests += 1
        return await self._one(key.country, key.region, npa=key.npa, nxx=key.nxx)

    def _matched(
        self, asked: Sequence[PrefixKey], rows: Iterable[NanpaPrefix]
    ) -> dict[PrefixKey, NanpaPrefixChoice | None]:
        """Of each key the first row, by NPA and NXX, in its country and region."""
        by_digits: defaultdict[Any, list[NanpaPrefix]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row.npa or "", row.nxx or "")):
            by_digits[row.npa, row.nxx].append(row)
            by_digits[row.npa, None].append(row)
        return {
            key: next(
                (prefix_choice(row) for row in by_digits[key.npa, key.nxx] if _is_in(row, key)),
                None,
            )
            for key in asked
        }

    async def _crossed(
        self,
        npas: Sequence[str],
        nxxs: Sequence[str],
        *,
        asked: Sequence[PrefixKey],
        on_sale: bool,
    ) -> list[NanpaPrefix]:
        """Every prefix of these NPAs with these NXXs, in the countries and regions asked for."""
        wanted: dict[str, Any] = {
            "country.id": sorted({key.country.id for key in asked if key.npa in npas}),
            "npa": npas,
            "nxx": nxxs,
        }
        regions = {key.region.id if key.region else "" for key in asked if key.npa in npas}
        if "" not in regions:
            wanted["region.id"] = sorted(regions)
        if on_sale:
            wanted["did_group.is_available"] = True
        first = await self._page(wanted, 1)
        total = first.total_records or 0
        pairs = sum(key.npa in npas and key.nxx in nxxs for key in asked)
        if on_sale and (others := len(npas) * len(nxxs) - pairs):
            self._beside += max(0, total - pairs)
            self._asked_beside += others
            self.share_on_sale = min(1.0, max(LEAST, self._beside / self._asked_beside))
        size = max(1, len(first))
        rest = await asyncio.gather(
            *(self._page(wanted, page) for page in range(2, math.ceil(total / size) + 1))
        )
        return [row for page in (first, *rest) for row in page]

    async def _page(self, wanted: Any, page: int) -> Any:
        self.requests += 1
        return await self._client.nanpa_prefixes.list(
            filter=wanted,
            include=("country", "region"),
            fields={
                "nanpa_prefixes": ("npa", "nxx", "country", "region"),
                "countries": ("iso",),
                "regions": ("name",),
            },
            sort=("npa", "nxx"),
            page=page,
            page_size=PAGE,
        )


def blocks(
    wanted: Mapping[str, Iterable[str]], *, share: float
) -> Iterator[tuple[list[str], list[str]]]:
    """Cut the area codes into blocks whose cross product of NPAs and NXXs fills about one page.

    `wanted`: NPA -> its NXXs; `share`: the part of all others that exists too. Pure.
    """
    npas: list[str] = []
    nxxs: set[str] = set()
    pairs = 0
    for npa in sorted(wanted, key=lambda npa: npa[::-1]):  # mixed: neighbours are alike
        own = set(wanted[npa])
        crossed = (len(npas) + 1) * len(nxxs | own)
        if npas and pairs + len(own) + (crossed - pairs - len(own)) * share > FULL:
            yield npas, sorted(nxxs)
            npas, nxxs, pairs = [], set(), 0
        npas = [*npas, npa]
        nxxs |= own
        pairs += len(own)
    if npas:
        yield npas, sorted(nxxs)


def _is_in(row: NanpaPrefix, key: PrefixKey) -> bool:
    if not row.country or row.country.id != key.country.id:
        return False
    return key.region is None or bool(row.region and row.region.id == key.region.id)

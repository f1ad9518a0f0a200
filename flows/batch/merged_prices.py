"""DID groups with their SKUs for many lines at once; stock and prices are never cached.

Questions that differ in their place only are asked together. A group names its country, region and
city, so that it finds its lines again; it does not name its NANPA prefixes (see `which_group`).
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from didww_async import Client, DidwwError
from didww_async.resources import DidGroup, DidGroupFilter, DidGroupInclude
from flows.batch.chunks import chunks
from flows.batch.doubted import doubted
from flows.batch.instep import InStep
from flows.batch.stages import Stage
from flows.batch.which_group import after, first_questions, second_questions, settled
from flows.number_types import number_type_of
from flows.prices import PAGE, Prices

__all__ = ["MergedPrices"]

PLACES: Final = ("city.id", "nanpa_prefix.id", "region.id", "country.id")
INCLUDED: Final = ("stock_keeping_units", "country", "region", "city")
ATTRIBUTES: Final = ("prefix", "area_name", "features", "is_metered")
FIELDS_OF_PLACES: Final = {
    "countries": ("iso",),
    "regions": ("name",),
    "cities": ("name",),
}
TYPES: Final = frozenset({"did_group_type.id", "number_type"})
PREFIXES_TOGETHER: Final = 280

Wanted = tuple[tuple[str, Any], ...]
"""A filter of DID groups, as a key."""


@attrs.frozen
class _Class:
    """Questions that can be asked together: of the same kind of place, and else equal."""

    place: str
    rest: Wanted


class MergedPrices(Prices):
    """What DIDWW says now, for walkers who go in step."""

    def __init__(
        self,
        client: Client,
        walkers: InStep,
        *,
        family: Callable[[str], Hashable],
        on_sale: Callable[[], frozenset[str]],
    ) -> None:
        """`family`: a guess which NANPA prefixes are served by the same groups. `on_sale`: the
        prefixes that surely are served by a group with numbers in stock."""
        super().__init__(client)
        self._walkers = walkers
        self._family = family
        self._on_sale = on_sale
        self.requests = 0

    async def _groups(
        self, wanted: DidGroupFilter, *, limit: int
    ) -> tuple[Sequence[DidGroup], int]:
        key = tuple(sorted(wanted.items()))
        found = await self._walkers.ask(self._groups_of, key, stage=Stage.GROUPS)
        return found, len(found)  # all of them: a choice among the first would be read again

    async def _groups_of(
        self, asked: Sequence[Wanted]
    ) -> Mapping[Wanted, Sequence[DidGroup] | Exception]:
        classes: defaultdict[_Class, list[Wanted]] = defaultdict(list)
        for key in asked:
            classes[_class_of(dict(key))].append(key)
        found: dict[Wanted, Sequence[DidGroup] | Exception] = {}
        parts = await asyncio.gather(*(self._of_class(*item) for item in classes.items()))
        for part in parts:
            found |= part
        return found

    async def _of_class(
        self, alike: _Class, asked: Sequence[Wanted]
    ) -> Mapping[Wanted, Sequence[DidGroup] | Exception]:
        together = self._by_prefix if alike.place == "nanpa_prefix.id" else self._by_place
        try:
            return await (self._alone if len(asked) == 1 else together)(alike, asked)
        except _Unattributable:
            # The reply does not tell what belongs where: each question by itself.
            return await self._alone(alike, asked)
        except DidwwError as error:  # what is wrong with these is not wrong with others
            return dict.fromkeys(asked, error)

    async def _alone(
        self, _: _Class, asked: Sequence[Wanted]
    ) -> Mapping[Wanted, Sequence[DidGroup] | Exception]:
        each = await asyncio.gather(*(self._listed(dict(key)) for key in asked))
        return dict(zip(asked, each, strict=True))

    async def _by_place(
        self, alike: _Class, asked: Sequence[Wanted]
    ) -> Mapping[Wanted, Sequence[DidGroup] | Exception]:
        places = sorted({dict(key)[alike.place] for key in asked})
        parts = await asyncio.gather(
            *(self._listed({**dict(alike.rest), alike.place: part}) for part in chunks(places))
        )
        groups: defaultdict[str | None, list[DidGroup]] = defaultdict(list)
        for group in (group for part in parts for group in part):
            groups[_of(group, alike.place)].append(group)
        found: dict[Wanted, Sequence[DidGroup]] = {
            key: [group for group in groups[dict(key)[alike.place]] if _fits(group, dict(key))]
            for key in asked
        }
        return {**await doubted(found, lambda key: self._listed(dict(key)))}

    async def _by_prefix(
        self, alike: _Class, asked: Sequence[Wanted]
    ) -> Mapping[Wanted, Sequence[DidGroup] | Exception]:
        prefixes = sorted(
            {dict(key)["nanpa_prefix.id"] for key in asked},
            key=lambda prefix: (str(self._family(prefix)), prefix),
        )
        served: dict[str, list[DidGroup]] = {}
        for part in await asyncio.gather(
            *(
                self._serving(alike, prefixes[begin : begin + PREFIXES_TOGETHER])
                for begin in range(0, len(prefixes), PREFIXES_TOGETHER)
            )
        ):
            served |= part
        found: dict[Wanted, Sequence[DidGroup]] = {
            key: [
                group for group in served[dict(key)["nanpa_prefix.id"]] if _fits(group, dict(key))
            ]
            for key in asked
        }
        return {**await doubted(found, lambda key: self._listed(dict(key)))}

    async def _serving(
        self, alike: _Class, prefixes: Sequence[str]
    ) -> Mapping[str, list[DidGroup]]:
        """Prefix id -> the groups that serve it."""
        rest = dict(alike.rest)
        questions = first_questions(prefixes, family=self._family)
        answers = await asyncio.gather(*(self._any_of(rest, each) for each in questions))
        groups = {group.id: group for answer in answers for group in answer}
        candidates = after(questions, [[group.id for group in answer] for answer in answers])
        # That a prefix is on sale proves a group for it where nothing else narrows the groups.
        proof = self._on_sale() if set(rest) <= {"is_available"} else frozenset()
        open_ = set(candidates) - settled(candidates, questions, served=proof)
        further = second_questions({prefix: candidates[prefix] for prefix in open_})
        more = await asyncio.gather(*(self._any_of(rest, each, ids=True) for each in further))
        candidates = after(
            further, [[group.id for group in answer] for answer in more], before=candidates
        )
        return {
            prefix: [groups[each] for each in candidates[prefix] if each in groups]
            for prefix in prefixes
        }

    async def _any_of(
        self, rest: Mapping[str, Any], prefixes: Iterable[str], *, ids: bool = False
    ) -> list[DidGroup]:
        """The groups that serve any of these prefixes; `ids`: only which ones they are."""
        parts = await asyncio.gather(
            *(self._listed({**rest, "nanpa_prefix.id": part}, ids=ids) for part in chunks(prefixes))
        )
        return list({group.id: group for part in parts for group in part}.values())

    async def _listed(self, wanted: Mapping[str, Any], *, ids: bool = False) -> list[DidGroup]:
        """All pages of a list."""
        included: tuple[DidGroupInclude, ...] = (*INCLUDED, *self._spelled.include)
        attributes = (*ATTRIBUTES, *INCLUDED, *self._spelled.fields)
        fields = {"did_groups": attributes, **FIELDS_OF_PLACES}

        async def page(number: int) -> Any:
            given: Any = wanted
            self.requests += 1
            return await self._client.did_groups.list(
                filter=given,
                include=() if ids else included,
                fields={"did_groups": ("prefix",)} if ids else fields,
                sort=("area_name", "prefix"),
                page=number,
                page_size=PAGE,
            )

        first = await page(1)
        total = first.total_records or 0
        last = math.ceil(total / max(1, len(first)))
        rest = await asyncio.gather(*(page(number) for number in range(2, last + 1)))
        return list({group.id: group for each in (first, *rest) for group in each}.values())


class _Unattributable(Exception):
    """The reply leaves out where a group is."""


def _class_of(wanted: Mapping[str, Any]) -> _Class:
    place = next(name for name in PLACES if name in wanted)
    dropped = set(PLACES)
    if place in {"city.id", "nanpa_prefix.id"}:
        dropped |= TYPES  # a place has few groups: told apart here
    rest = tuple(sorted((name, found) for name, found in wanted.items() if name not in dropped))
    return _Class(place, rest)


def _of(group: DidGroup, place: str) -> str | None:
    """The id of the group's country, region, city or number type; None where it has none."""
    name = place.removesuffix(".id")
    if place in TYPES:
        kind = number_type_of(group)
        if kind is None and group.did_group_type is not None:
            raise _Unattributable(f"DID group {group.id} came without its {name}")
        return kind.id if kind else None
    there = getattr(group, name)
    if there is None:
        return None
    if not there:
        raise _Unattributable(f"DID group {group.id} came without its {name}")
    found: str = there.id
    return found


def _fits(group: DidGroup, wanted: Mapping[str, Any]) -> bool:
    return all(
        _of(group, name) == wanted[name]
        for name in ("country.id", "region.id", "city.id", *TYPES)
        if name in wanted
    )

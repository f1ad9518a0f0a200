"""What tests of batches share: requests for known places, and runs collected by state."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import attrs
import pytest
from purchases import HURRIED, NEW_YORK_GROUP, TORONTO_GROUP, TORONTO_SKU, TWO_CHANNELS

from didww_async import Client
from didww_async.simulator import Simulator
from flows import PurchaseRequest
from flows.batch import BatchLine, LineResult, buy_many, lines_of
from flows.batch.resolving import OneByOne, ResolvedLine, UnbuyableLine
from flows.journal import MemoryJournal, Purchase, PurchaseJournal

TORONTO_PREFIX = ("437", "220")


def new_york(**more: Any) -> PurchaseRequest:
    """A number of the group that tests know."""
    return PurchaseRequest(
        country="US", region="New York", city="New York", sku_id=TWO_CHANNELS, **more
    )


def toronto(**more: Any) -> PurchaseRequest:
    """A number of another group; `npa` and `nxx` for one of its prefixes."""
    place = {} if "npa" in more else {"city": "Toronto"}
    return PurchaseRequest(country="CA", region="Ontario", sku_id=TORONTO_SKU, **place, **more)


def apart(requests: Sequence[PurchaseRequest], *, by: int = 1) -> list[BatchLine]:
    """Lines of which only `by` neighbours share an order."""
    return [
        attrs.evolve(line, fate=str((line.number - 1) // by))
        for line in lines_of(requests, batch="b")
    ]


class FromStock:
    """Resolves the two places as if so many numbers were in stock: DIDWW may know better."""

    def __init__(self, client: Client, sim: Simulator, count: int) -> None:
        self._one_by_one = OneByOne(client)
        self._sim = sim
        self._count = count
        self._known: dict[str, ResolvedLine] = {}

    async def resolve(
        self, lines: Sequence[BatchLine]
    ) -> AsyncIterator[ResolvedLine | UnbuyableLine]:
        there = {group: self._sim.stock(group) for group in (NEW_YORK_GROUP, TORONTO_GROUP)}
        for group in there:
            self._sim.set_stock(group_id=group, count=self._count)
        for line in lines:
            place = line.request.country
            if place not in self._known:
                async for found in self._one_by_one.resolve([line]):
                    assert isinstance(found, ResolvedLine), found
                    self._known[place] = found
        for group, count in there.items():
            self._sim.set_stock(group_id=group, count=count)
        for line in lines:
            yield attrs.evolve(self._known[line.request.country], line=line)


async def run(
    client: Client,
    requests: Iterable[PurchaseRequest | BatchLine],
    *,
    journal: PurchaseJournal,
    **options: Any,
) -> list[LineResult]:
    """All results of a run, by line number."""
    options = {"batch": "b", "rules": HURRIED, "timeout": 5.0} | options
    found = [result async for result in buy_many(client, requests, journal=journal, **options)]
    return sorted(found, key=lambda result: result.line.number)


def states(results: Iterable[LineResult]) -> dict[str, int]:
    """How many lines are in each state."""
    return dict(Counter(str(result.state) for result in results))


async def packed_only(client: Client, journal: MemoryJournal, lines: list[BatchLine]) -> None:
    """A batch as a process leaves it that was killed right before its first claim."""

    class Killed(Exception):
        pass

    class Deadly(MemoryJournal):
        async def insert(self, purchase: Purchase) -> Purchase:
            raise Killed

    deadly = Deadly()
    with pytest.raises(Killed):
        await run(client, lines, journal=deadly)
    journal._packed, journal._lines = deadly._packed, deadly._lines

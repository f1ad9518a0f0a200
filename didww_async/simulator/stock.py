"""The numbers in stock: counts per group and NANPA prefix, and the single numbers shown so far.

Millions of numbers are in stock; only counts are kept until somebody asks to see a number.
A number, once shown or delivered, never comes a second time.
"""

import itertools
import random
import uuid
from collections.abc import Iterator, Sequence

from didww_async.simulator.atlas import Atlas
from didww_async.simulator.coverage import GroupRow
from didww_async.simulator.records import AvailableDid

NUMBERS_PER_PREFIX = 10_000
_EXAMPLE_DID = ("75a21935-acfd-4160-8485-9fb7d049f144", "12124727604")
_EXAMPLE_GROUP_ID = "916c8f4d-2108-4d79-853b-7c545ee83f8c"


class Stock:
    """What is left of the coverage's stock for one simulator."""

    def __init__(self, atlas: Atlas, *, chance: random.Random) -> None:
        self._atlas = atlas
        self._chance = chance
        self._counts: dict[str, dict[str, int]] = {}
        self._totals: dict[str, int] = {}
        self._shown: dict[tuple[str, str], list[AvailableDid]] = {}
        self._shown_by_id: dict[str, AvailableDid] = {}
        self._used: set[str] = set()
        self.revision = 0
        self._show_example()

    # Counts

    def total(self, group_id: str) -> int:
        if group_id in self._totals:
            return self._totals[group_id]
        return self._atlas.stock_totals[group_id]

    def counts(self, group_id: str) -> dict[str, int]:
        """How many numbers a group has by prefix id; not to be changed by the caller."""
        return self._counts.get(group_id) or self._atlas.groups[group_id].stock

    def count(self, group_id: str, prefix_id: str | None) -> int:
        """How many numbers an order can get: of the prefix, or of the whole group."""
        if prefix_id is None:
            return self.total(group_id)
        return self.counts(group_id).get(prefix_id, 0)

    def set_count(self, group_id: str, key: str, count: int) -> None:
        if count < 0 or (key and count > NUMBERS_PER_PREFIX):
            raise ValueError(f"stock must be 0..{NUMBERS_PER_PREFIX} per prefix, not {count}")
        counts = self._counts.get(group_id)
        if counts is None:
            counts = self._counts[group_id] = dict(self._atlas.groups[group_id].stock)
            self._totals[group_id] = self._atlas.stock_totals[group_id]
        self._totals[group_id] += count - counts.get(key, 0)
        counts[key] = count
        shown = self._shown.get((group_id, key), [])
        while len(shown) > count:
            did = shown.pop(self._chance.randrange(len(shown)))
            del self._shown_by_id[did.id]
        self.revision += 1

    def take(self, group_id: str, qty: int, prefix_id: str | None) -> tuple[tuple[str, int], ...]:
        """Take up to `qty` numbers from the prefix, or from any of the group's; tell where from."""
        counts = self.counts(group_id)
        keys = [prefix_id] if prefix_id is not None else [key for key in counts if counts[key]]
        if prefix_id is None:
            self._chance.shuffle(keys)
        taken = []
        for key in keys:
            part = min(qty, counts.get(key, 0))
            if part:
                taken.append((key, part))
                qty -= part
            if not qty:
                break
        for key, part in taken:
            self.set_count(group_id, key, self.counts(group_id)[key] - part)
        return tuple(taken)

    def give_back(self, group_id: str, taken: Sequence[tuple[str, int]]) -> None:
        for key, part in taken:
            self.set_count(group_id, key, self.counts(group_id).get(key, 0) + part)

    # Single numbers

    def shown(self, did_id: str) -> AvailableDid | None:
        return self._shown_by_id.get(did_id)

    def take_shown(self, did: AvailableDid) -> None:
        """Take this very number out of stock."""
        key = did.prefix_id or ""
        self._shown[did.group_id, key].remove(did)
        del self._shown_by_id[did.id]
        self.set_count(did.group_id, key, self.counts(did.group_id)[key] - 1)

    def put_back_shown(self, did: AvailableDid) -> None:
        key = did.prefix_id or ""
        self.set_count(did.group_id, key, self.counts(did.group_id).get(key, 0) + 1)
        self._show(did)

    def show_all(self, group_id: str, key: str) -> list[AvailableDid]:
        """Show every number of a prefix (or of a group without prefixes)."""
        shown = self._shown.setdefault((group_id, key), [])
        while len(shown) < self.counts(group_id).get(key, 0):
            self._show_another(group_id, key)
        return shown

    def show_any(self, group_id: str, key: str) -> AvailableDid:
        """Show one number of a prefix, each with the same chance."""
        shown = self._shown.setdefault((group_id, key), [])
        position = self._chance.randrange(self.counts(group_id)[key])
        return shown[position] if position < len(shown) else self._show_another(group_id, key)

    def new_number(self, group: GroupRow, prefix_id: str | None) -> str:
        """A number that fits the group and the prefix and was never given out before."""
        start, size = self._number_block(group, prefix_id)
        offset = self._chance.randrange(10**size)
        for step in range(10**size):
            number = f"{start}{(offset + step) % 10**size:0{size}}"
            if number not in self._used:
                self._used.add(number)
                return number
        raise RuntimeError(f"every number that starts with {start} is in use")

    def _number_block(self, group: GroupRow, prefix_id: str | None) -> tuple[str, int]:
        """What the numbers start with, and how many free digits follow."""
        prefix = self._atlas.prefixes.get(prefix_id or "")
        if prefix is not None:
            return f"1{prefix.npa}{prefix.nxx}", 4
        country = self._atlas.countries[group.country_id]
        start = f"{country.prefix or ''}{group.prefix}"
        if country.prefix == "1" and len(group.prefix) == 3:
            return start + self._chance.choice("23456789") + self._chance.choice("023456789"), 5
        return start, max(11 - len(start), 5)

    def _show_another(self, group_id: str, key: str) -> AvailableDid:
        number = self.new_number(self._atlas.groups[group_id], key or None)
        did_id = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        return self._show(AvailableDid(did_id, number, group_id, key or None))

    def _show(self, did: AvailableDid) -> AvailableDid:
        self._shown.setdefault((did.group_id, did.prefix_id or ""), []).append(did)
        self._shown_by_id[did.id] = did
        return did

    def _show_example(self) -> None:
        """Show the number of the documentation's example, under its id."""
        group = self._atlas.groups.get(_EXAMPLE_GROUP_ID)
        if group is None or not self.total(group.id):
            return
        did_id, number = _EXAMPLE_DID
        key = next(itertools.chain(self._keys_of(group, number), self._keys_in_stock(group)))
        self._used.add(number)
        self._show(AvailableDid(did_id, number, group.id, key or None))

    def _keys_of(self, group: GroupRow, number: str) -> Iterator[str]:
        for key in self._keys_in_stock(group):
            prefix = self._atlas.prefixes.get(key)
            if prefix is not None and number.startswith(f"1{prefix.npa}{prefix.nxx}"):
                yield key

    def _keys_in_stock(self, group: GroupRow) -> Iterator[str]:
        return (key for key, count in group.stock.items() if count)

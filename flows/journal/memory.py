"""MemoryJournal: guards the tasks of one process; it is gone when the process is."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Self

import attrs

from flows.journal.errors import OrderIdRecorded
from flows.journal.packed import PackedOrder
from flows.journal.record import Purchase, PurchaseKey, State
from flows.journal.rows import check_replacement

__all__ = ["MemoryJournal", "OrderIdRecorded"]


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class MemoryJournal:
    """A journal in a dict. No method awaits between reading and writing, which makes it atomic.

    For scripts that may lose their memory, and tests. A crash forgets every purchase: what was
    sent can then only be found by its reference at DIDWW. For one thread only.
    """

    def __init__(self, *, clock: Callable[[], dt.datetime] = _utc_now) -> None:
        self._clock = clock
        self._records: dict[PurchaseKey, Purchase] = {}
        self._order_ids: dict[tuple[str, str], PurchaseKey] = {}
        self._packed: dict[PurchaseKey, PackedOrder] = {}
        self._lines: dict[PurchaseKey, str] = {}

    async def now(self) -> dt.datetime:
        return self._clock()

    async def read(self, key: PurchaseKey) -> Purchase | None:
        return self._records.get(key)

    async def insert(self, purchase: Purchase) -> Purchase:
        if purchase.key in self._records:
            return self._records[purchase.key]
        return self._store(purchase)

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        check_replacement(old, new)
        current = self._records.get(old.key)
        if current is None or current.revision != old.revision:
            return False
        self._store(new)
        return True

    async def list(
        self,
        *,
        states: Collection[State] = (),
        origin: str | None = None,
        account: str | None = None,
        reference: str | None = None,
        updated_since: dt.datetime | None = None,
    ) -> list[Purchase]:
        found = [
            item
            for item in self._records.values()
            if (not states or item.state in states)
            and origin in {None, item.key.origin}
            and account in {None, item.key.account}
            and reference in {None, item.key.reference}
            and (updated_since is None or (item.updated_at or updated_since) >= updated_since)
        ]
        return sorted(found, key=lambda item: (item.planned_at, *attrs.astuple(item.key)))

    async def pack(
        self,
        orders: Sequence[PackedOrder],
        *,
        origin: str,
        account: str,
        moves: Mapping[str, str],
    ) -> bool:
        def key(name: str) -> PurchaseKey:
            return PurchaseKey(origin=origin, account=account, reference=name)

        lines = {line: order.reference for order in orders for line in order.lines}
        if any(self._lines.get(key(line)) != moves.get(line) for line in lines):
            return False
        if any(key(order.reference) in self._packed for order in orders):
            return False
        self._packed |= {key(order.reference): order for order in orders}
        self._lines |= {key(line): reference for line, reference in lines.items()}
        return True

    async def packed(
        self, identities: Collection[str], *, origin: str, account: str
    ) -> dict[str, PackedOrder]:
        found = {}
        for line in identities:
            key = PurchaseKey(origin=origin, account=account, reference=line)
            if (reference := self._lines.get(key)) is not None:
                found[line] = self._packed[attrs.evolve(key, reference=reference)]
        return found

    async def aclose(self) -> None:
        """Nothing to close; the records stay readable."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"MemoryJournal({len(self._records)} purchases)"

    def _store(self, purchase: Purchase) -> Purchase:
        key = purchase.key
        if purchase.order_id is not None:
            name = (key.origin, purchase.order_id)
            if self._order_ids.setdefault(name, key) != key:
                raise OrderIdRecorded(purchase.order_id)
        previous = self._records.get(key)
        if previous is not None and previous.order_id not in {None, purchase.order_id}:
            del self._order_ids[key.origin, str(previous.order_id)]
        stored = attrs.evolve(purchase, updated_at=self._clock())
        self._records[key] = stored
        return stored

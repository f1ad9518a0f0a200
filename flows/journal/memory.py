"""MemoryJournal: guards the tasks of one process; it is gone when the process is."""

import datetime as dt
from collections.abc import Callable, Collection

from flows.journal.record import Purchase, PurchaseKey, State

__all__ = ["MemoryJournal", "OrderIdRecorded"]


class OrderIdRecorded(Exception):
    """The order id stands in another record already."""


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class MemoryJournal:
    """A journal in a dict. No method awaits between reading and writing, which makes it atomic.

    For scripts that may lose their memory, and tests. A crash forgets every purchase: what was
    sent can then only be found by its reference at DIDWW.
    """

    def __init__(self, *, clock: Callable[[], dt.datetime] = _utc_now) -> None:
        self._clock = clock
        self._records: dict[PurchaseKey, Purchase] = {}
        self._order_ids: dict[str, PurchaseKey] = {}

    async def now(self) -> dt.datetime:
        return self._clock()

    async def read(self, key: PurchaseKey) -> Purchase | None:
        return self._records.get(key)

    async def insert(self, purchase: Purchase) -> Purchase:
        return self._records.setdefault(purchase.key, purchase)

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        current = self._records.get(old.key)
        if current is None or current.revision != old.revision:
            return False
        order_id = new.order_id
        if order_id is not None and self._order_ids.setdefault(order_id, new.key) != new.key:
            raise OrderIdRecorded(order_id)
        self._records[new.key] = new
        return True

    async def list(self, *, states: Collection[State] = ()) -> list[Purchase]:
        found = [item for item in self._records.values() if not states or item.state in states]
        return sorted(found, key=lambda purchase: purchase.planned_at)

    def __repr__(self) -> str:
        return f"MemoryJournal({len(self._records)} purchases)"

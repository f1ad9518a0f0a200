"""The purchase journal: what was planned, claimed, ordered; the guard against buying twice.

`PurchaseJournal` is the Protocol; `MemoryJournal` guards one process.
"""

import datetime as dt
from collections.abc import Collection
from typing import Protocol

from flows.journal.memory import MemoryJournal
from flows.journal.record import (
    Limits,
    OrderRequest,
    Purchase,
    PurchaseKey,
    State,
)

__all__ = [
    "Limits",
    "MemoryJournal",
    "OrderRequest",
    "Purchase",
    "PurchaseJournal",
    "PurchaseKey",
    "State",
]


class PurchaseJournal(Protocol):
    """A store of purchases. Every write is durable when the call returns.

    An implementation only compares and sets; which transitions exist is decided in `record`.
    """

    async def now(self) -> dt.datetime:
        """The journal's own clock (aware): one clock for all who share the journal."""
        ...

    async def read(self, key: PurchaseKey) -> Purchase | None:
        """The record as it is now, None when there is none."""
        ...

    async def insert(self, purchase: Purchase) -> Purchase:
        """Store a new record; when the key exists already, return what is there, unchanged."""
        ...

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        """Store `new` if the record still has `old.revision`; False when somebody was faster.

        Raises OrderIdRecorded when `new.order_id` stands in another record already.
        """
        ...

    async def list(self, *, states: Collection[State] = ()) -> list[Purchase]:
        """All records in these states (all of them for none), oldest plan first."""
        ...

"""The purchase journal: what was planned, claimed, ordered; the guard against buying twice.

`PurchaseJournal` is the Protocol. `MemoryJournal` guards one process, `SqliteJournal` all
processes of one machine, `PostgresJournal` (flows.journal.postgres, extra `postgres`) all machines
that share the server. All workers that buy for one account have to share one journal.
"""

import datetime as dt
import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from didww_async import InvalidInput
from flows.journal.errors import (
    CommitUnconfirmed,
    JournalError,
    JournalUnavailable,
    JournalUnusable,
    OrderIdRecorded,
)
from flows.journal.memory import MemoryJournal
from flows.journal.packed import PackedItem, PackedOrder, Share
from flows.journal.record import (
    OPEN,
    Limits,
    OrderRequest,
    Purchase,
    PurchaseKey,
    RequestItem,
    State,
)
from flows.journal.sqlite import SqliteJournal

if TYPE_CHECKING:
    from flows.journal.postgres import PostgresJournal

__all__ = [
    "OPEN",
    "CommitUnconfirmed",
    "JournalError",
    "JournalUnavailable",
    "JournalUnusable",
    "Limits",
    "MemoryJournal",
    "OrderIdRecorded",
    "OrderRequest",
    "PackedItem",
    "PackedOrder",
    "Purchase",
    "PurchaseJournal",
    "PurchaseKey",
    "RequestItem",
    "Share",
    "SqliteJournal",
    "State",
    "journal_at",
]


class PurchaseJournal(Protocol):
    """A store of purchases. Every write is durable when the call returns.

    An implementation only compares and sets; which transitions exist is decided in `record`.
    Whatever it can't do it says by a JournalError; a caller that gets one has claimed nothing.
    A cancelled call is over when CancelledError arrives: its write happened or never will, and
    `read` tells which.
    """

    async def now(self) -> dt.datetime:
        """The journal's own clock (aware): one clock for all who share the journal."""
        ...

    async def read(self, key: PurchaseKey) -> Purchase | None:
        """The record as it is now, None when there is none."""
        ...

    async def insert(self, purchase: Purchase) -> Purchase:
        """Store a new record; when the key exists already, return what is there, unchanged.

        Raises OrderIdRecorded as `replace` does.
        """
        ...

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        """Store `new` if the record still has `old.revision`; False when somebody was faster.

        `new` has the same key and the next revision. Raises OrderIdRecorded when `new.order_id`
        stands in another record of the same API origin already.
        """
        ...

    async def list(
        self,
        *,
        states: Collection[State] = (),
        origin: str | None = None,
        account: str | None = None,
        reference: str | None = None,
        updated_since: dt.datetime | None = None,
    ) -> list[Purchase]:
        """The records that fit everything given, oldest plan first.

        `states=OPEN`: what is not over; `states={State.UNKNOWN}`: what waits for a person.
        `updated_since`: written at or after that time; writes take a moment to become visible,
        so ask with some overlap.
        """
        ...

    async def pack(
        self,
        orders: Sequence[PackedOrder],
        *,
        origin: str,
        account: str,
        moves: Mapping[str, str],
    ) -> bool:
        """Commit orders of a batch and which lines are in them: all of it, or nothing.

        A line of `moves` has to be in the order that is named for it, every other one in none;
        False, and nothing is changed, when one is not, or a reference is taken. Only what is
        proven not bought, and never will be, may be moved out of: its order is refused or expired.
        """
        ...

    async def packed(
        self, identities: Collection[str], *, origin: str, account: str
    ) -> Mapping[str, PackedOrder]:
        """The order that each of these lines is in; a line that is in none is left out."""
        ...

    async def aclose(self) -> None:
        """Wait for writes on their way and let go of files, connections and threads."""
        ...


ADDRESS = re.compile(r"://|password=|:[^@/\\]*@")  # whatever may hold a password


def journal_at(where: str | os.PathLike[str]) -> "SqliteJournal | PostgresJournal":
    """The journal at a path (SQLite) or a `postgresql://` address. Opened at its first use.

    Raises InvalidInput for another address, without showing it, and ImportError, saying what to
    install, when PostgreSQL's driver is missing.
    """
    if isinstance(where, str) and where.startswith(("postgresql://", "postgres://")):
        from flows.journal.postgres import PostgresJournal  # noqa: PLC0415 - an extra

        return PostgresJournal(where)
    if ADDRESS.search(os.fspath(where)):
        raise InvalidInput(
            "the journal is a file, or an address that begins with postgresql:// (what was given "
            "may hold a password and is not shown)"
        )
    return SqliteJournal(where)

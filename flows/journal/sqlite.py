"""SqliteJournal: one file, safe for all processes and tasks of one machine.

Why the standard library's sqlite3 in a thread and not aiosqlite: aiosqlite awaits every statement
by itself, so a cancellation can fall between BEGIN and COMMIT and leave the transaction open for
the next caller; and nobody learns whether a cancelled COMMIT was done. Here a transaction is one
function in the journal's one thread (see `worker`): it ends before its caller goes on, cancelled
or not. It is also less code than working around that, and one dependency fewer.

What is promised: when a call returns its write is on the disk (`synchronous=FULL`), and of all
processes that use the same file one wins a claim (`BEGIN IMMEDIATE`). The file has to be on a
local disk: network file systems do not lock and flush as this needs, and are not supported.
A disk that lies about flushing, a file restored from a backup or copied while in use can forget
claims; so can two machines with a file each.
"""

import contextlib
import datetime as dt
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs

from flows.journal import sqlite_batches
from flows.journal.errors import JournalUnusable, OrderIdRecorded
from flows.journal.packed import LineTaken, PackedOrder
from flows.journal.record import Purchase, PurchaseKey, State
from flows.journal.rows import COLUMNS, TIMES, check_replacement, from_row, to_row
from flows.journal.sqlite_file import JournalFile
from flows.journal.worker import Worker

__all__ = ["SqliteJournal"]

READ = (
    "SELECT * FROM purchases "
    "WHERE origin = :origin AND account = :account AND reference = :reference"
)
INSERT = (
    f"INSERT INTO purchases ({', '.join(COLUMNS)}, updated_at) "  # noqa: S608 - our own names
    f"VALUES ({', '.join(f':{name}' for name in COLUMNS)}, :updated_at) "
    "ON CONFLICT (origin, account, reference) DO NOTHING"
)
REPLACE = (
    f"UPDATE purchases SET {', '.join(f'{name} = :{name}' for name in COLUMNS)}, "  # noqa: S608
    "updated_at = :updated_at WHERE origin = :origin AND account = :account "
    "AND reference = :reference AND revision = :revision - 1"
)


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class SqliteJournal:
    """A journal in an SQLite file. Several may have the same file open, in any process.

    The file is created when it is missing (readable by its owner only: it tells what was bought),
    not so its directory. It is opened by `async with`, by `open()`, or at the first call.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout: float = 10.0,
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> None:
        """`timeout`: how long to wait, in seconds, for another process that is writing.

        `clock` is there for tests: all who share the file have to have the same time.
        """
        if not str(path) or str(path) == ":memory:":
            raise JournalUnusable(
                f"{str(path)!r} is no file; for a journal without one use MemoryJournal"
            )
        try:
            self.path = Path(path).expanduser().absolute()
        except RuntimeError as problem:  # nobody's home
            raise JournalUnusable(f"{str(path)!r} is no file: {problem}") from None
        self._clock = clock
        self._file = JournalFile(self.path, timeout=timeout)
        self._worker = Worker(repr(self), threads=1)

    async def open(self) -> Self:
        """Open or create the file. Raises JournalUnusable or JournalUnavailable."""
        await self._worker.run(self._file.connection)
        return self

    async def aclose(self) -> None:
        """Wait for writes on their way, close the file and end the thread."""
        await self._worker.aclose(self._file.close)

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.aclose()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self.path)!r})"

    # -- PurchaseJournal

    async def now(self) -> dt.datetime:
        """The machine's clock, which all processes that can share the file have in common."""
        return self._clock()

    async def read(self, key: PurchaseKey) -> Purchase | None:
        return await self._worker.run(lambda: self._read(key))

    async def insert(self, purchase: Purchase) -> Purchase:
        row = _to_sqlite(purchase, self._clock())

        def work() -> Purchase:
            with self._storing(row["order_id"]) as connection:
                connection.execute(INSERT, row)
                return _from_sqlite(connection.execute(READ, row).fetchone())

        return await self._worker.run(work)

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        check_replacement(old, new)
        row = _to_sqlite(new, self._clock())

        def work() -> bool:
            with self._storing(row["order_id"]) as connection:
                return connection.execute(REPLACE, row).rowcount == 1

        return await self._worker.run(work)

    async def list(
        self,
        *,
        states: Collection[State] = (),
        origin: str | None = None,
        account: str | None = None,
        reference: str | None = None,
        updated_since: dt.datetime | None = None,
    ) -> list[Purchase]:
        wanted: dict[str, Any] = {
            "origin = ?": origin,
            "account = ?": account,
            "reference = ?": reference,
            "updated_at >= ?": None if updated_since is None else _text(updated_since),
        }
        asked = {term: value for term, value in wanted.items() if value is not None}
        terms, values = list(asked), list(asked.values())
        if states:
            terms.append(f"state IN ({', '.join('?' * len(states))})")
            values += [state.value for state in states]
        where = f"WHERE {' AND '.join(terms)}" if terms else ""
        query = f"SELECT * FROM purchases {where} ORDER BY planned_at, origin, account, reference"  # noqa: S608

        def work() -> list[Purchase]:
            with self._file.errors():
                rows = self._file.connection().execute(query, values)
                return [_from_sqlite(row) for row in rows]

        return await self._worker.run(work)

    async def pack(
        self,
        orders: Sequence[PackedOrder],
        *,
        origin: str,
        account: str,
        moves: Mapping[str, str],
    ) -> bool:
        def work() -> bool:
            try:
                with self._file.writing() as connection:
                    sqlite_batches.store(
                        connection, orders, origin=origin, account=account, moves=moves
                    )
            except LineTaken:
                return False
            return True

        return await self._worker.run(work)

    async def packed(
        self, identities: Collection[str], *, origin: str, account: str
    ) -> dict[str, PackedOrder]:
        def work() -> dict[str, PackedOrder]:
            with self._file.reading() as connection:
                return sqlite_batches.packed(connection, identities, origin=origin, account=account)

        return await self._worker.run(work)

    # -- in the thread

    def _read(self, key: PurchaseKey) -> Purchase | None:
        with self._file.errors():
            row = self._file.connection().execute(READ, attrs.asdict(key)).fetchone()
        return None if row is None else _from_sqlite(row)

    @contextlib.contextmanager
    def _storing(self, order_id: str | None) -> Iterator[sqlite3.Connection]:
        """A write of a record; an order id that another record has already is told as such."""
        with self._file.writing() as connection:
            try:
                yield connection
            except sqlite3.IntegrityError as error:
                if "purchases.order_id" in str(error):
                    raise OrderIdRecorded(order_id) from None
                raise


def _text(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _to_sqlite(purchase: Purchase, now: dt.datetime) -> dict[str, Any]:
    row = to_row(purchase)
    times = {name: row[name] and _text(row[name]) for name in TIMES}
    return {**row, **times, "updated_at": _text(now)}


def _from_sqlite(row: Mapping[str, Any] | sqlite3.Row) -> Purchase:
    values = dict(row)
    for name in (*TIMES, "updated_at"):
        if values[name] is not None:
            values[name] = dt.datetime.fromisoformat(values[name])
    return from_row(values)

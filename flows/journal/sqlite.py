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
import stat
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs

from flows.journal import sqlite_batches
from flows.journal.errors import (
    CommitUnconfirmed,
    JournalError,
    JournalUnavailable,
    JournalUnusable,
    OrderIdRecorded,
)
from flows.journal.packed import LineTaken, PackedOrder
from flows.journal.record import Purchase, PurchaseKey, State
from flows.journal.rows import COLUMNS, TIMES, check_replacement, from_row, to_row
from flows.journal.worker import Worker

__all__ = ["SqliteJournal"]

APPLICATION_ID = 0x44494457  # "DIDW": in the file's header, so that `file` and we know it

# One entry per schema version, never changed once released; a file is brought up to date in one
# transaction. Times are ISO 8601 in UTC with microseconds, which sort as text.
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """
        CREATE TABLE purchases (
            origin TEXT NOT NULL,
            account TEXT NOT NULL,
            reference TEXT NOT NULL,
            state TEXT NOT NULL,
            order_id TEXT,
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            owner TEXT,
            order_by TEXT NOT NULL,
            planned_at TEXT NOT NULL,
            claimed_at TEXT,
            updated_at TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            details TEXT NOT NULL,
            PRIMARY KEY (origin, account, reference)
        ) WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX purchases_order_id ON purchases (origin, order_id)",
        "CREATE INDEX purchases_state ON purchases (state, planned_at)",
        "CREATE INDEX purchases_updated_at ON purchases (updated_at)",
    ),
    sqlite_batches.MIGRATION,
)
VERSION = len(MIGRATIONS)
PARTS = sqlite_batches.PARTS | {
    "purchases",
    "purchases_order_id",
    "purchases_state",
    "purchases_updated_at",
}

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
BETWEEN_TRIES = 0.02

LOCKED = "{journal} was locked by another process for more than {timeout:g} s; nothing was written"
NO_RIGHT = "{journal} and the files beside it can't be written: {said}"
ERRORS: Mapping[int, tuple[type[JournalError], str]] = {
    sqlite3.SQLITE_BUSY: (JournalUnavailable, LOCKED),
    sqlite3.SQLITE_LOCKED: (JournalUnavailable, LOCKED),
    sqlite3.SQLITE_FULL: (
        JournalUnavailable,
        "the disk of {journal} is full; nothing was written",
    ),
    sqlite3.SQLITE_NOTADB: (
        JournalUnusable,
        "{journal} is no journal: it is not an SQLite file. It was left as it is",
    ),
    sqlite3.SQLITE_READONLY: (JournalUnusable, NO_RIGHT),
    sqlite3.SQLITE_CANTOPEN: (JournalUnusable, NO_RIGHT),
    sqlite3.SQLITE_PERM: (JournalUnusable, NO_RIGHT),
    sqlite3.SQLITE_CORRUPT: (JournalUnusable, "{journal} is damaged: {said}"),
    # A flush that failed: SQLite takes the write back, but a crash now could bring it back.
    sqlite3.SQLITE_IOERR: (
        CommitUnconfirmed,
        "the disk of {journal} failed, whether the last write is on it is unknown: {said}",
    ),
}


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
        self.path = Path(path).expanduser().absolute()
        self._timeout = timeout
        self._clock = clock
        self._opened: tuple[sqlite3.Connection, os.stat_result] | None = None
        self._worker = Worker(repr(self), threads=1)

    async def open(self) -> Self:
        """Open or create the file. Raises JournalUnusable or JournalUnavailable."""
        await self._worker.run(self._connection)
        return self

    async def aclose(self) -> None:
        """Wait for writes on their way, close the file and end the thread."""
        await self._worker.aclose(self._close)

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
            with self._transaction(row["order_id"]) as connection:
                connection.execute(INSERT, row)
                return _from_sqlite(connection.execute(READ, row).fetchone())

        return await self._worker.run(work)

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        check_replacement(old, new)
        row = _to_sqlite(new, self._clock())

        def work() -> bool:
            with self._transaction(row["order_id"]) as connection:
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
            with self._errors():
                return [_from_sqlite(row) for row in self._connection().execute(query, values)]

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
                with self._transaction(None) as connection:
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
            with self._errors(), _transaction(self._connection(), "BEGIN"):
                return sqlite_batches.packed(
                    self._connection(), identities, origin=origin, account=account
                )

        return await self._worker.run(work)

    # -- in the thread

    def _read(self, key: PurchaseKey) -> Purchase | None:
        with self._errors():
            row = self._connection().execute(READ, attrs.asdict(key)).fetchone()
        return None if row is None else _from_sqlite(row)

    @contextlib.contextmanager
    def _transaction(self, order_id: str | None) -> Iterator[sqlite3.Connection]:
        """A write: all of the block is committed and on the disk when it is left, or nothing."""
        with self._errors():
            connection = self._connection()
            with _transaction(connection, "BEGIN IMMEDIATE"):
                try:
                    yield connection
                except sqlite3.IntegrityError as error:
                    if "purchases.order_id" in str(error):
                        raise OrderIdRecorded(order_id) from None
                    raise

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            with self._errors():
                self._opened = self._open()
        connection, then = self._opened
        self._check_still_there(then)
        return connection

    def _check_still_there(self, then: os.stat_result) -> None:
        """A deleted or replaced file still takes writes, which nobody else would ever see."""
        try:
            now = self.path.stat()
        except OSError:
            now = None
        if now is None or (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino):
            raise JournalUnusable(
                f"the journal {self.path} was deleted, moved or replaced while it was in use. "
                "Put it back before anything else is bought"
            )

    def _open(self) -> tuple[sqlite3.Connection, os.stat_result]:
        self._create_file()
        identity = self.path.stat()
        # Only the worker's one thread and, after it, the one that closes use the connection.
        connection = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection, identity

    def _create_file(self) -> None:
        if not self.path.parent.is_dir():
            raise JournalUnusable(
                f"the directory of the journal {self.path} does not exist; create it first"
            )
        try:
            # Not left to SQLite, which would let others read it.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            regular = stat.S_ISREG(self.path.stat().st_mode)
        except OSError as error:
            raise JournalUnusable(
                f"the journal {self.path} can't be opened for writing: {error.strerror}"
            ) from error
        if not regular:
            raise JournalUnusable(f"{self.path} is not a file, so it can't be a journal")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # First only look: a file that is somebody else's stays as it is.
        with _transaction(connection, "BEGIN"):
            version = self._version(connection)
        self._write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: flush the disk's own cache as well
        if version < VERSION:
            with _transaction(connection, "BEGIN IMMEDIATE"):
                self._migrate(connection)
        self._check_parts(connection)

    def _version(self, connection: sqlite3.Connection) -> int:
        """The file's schema version, 0 for an empty file; raises when it is not for us.

        To be asked in a transaction: another process may be creating the journal right now.
        """
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        parts = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application == 0 and version == 0 and parts == 0:
            return 0
        if application != APPLICATION_ID:
            raise JournalUnusable(
                f"{self.path} is a database of another program, not a purchase journal; "
                "it was left as it is"
            )
        if version > VERSION:
            raise JournalUnusable(
                f"the journal {self.path} has schema {version}, this version of the library "
                f"knows {VERSION}: upgrade it"
            )
        return version

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Switch to WAL. SQLite does not wait for others here, so this does."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                break
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(BETWEEN_TRIES)
        if mode != "wal":
            raise JournalUnusable(
                f"the file system of {self.path} can't do write-ahead logging; "
                "put the journal on a local disk"
            )

    def _migrate(self, connection: sqlite3.Connection) -> None:
        # Once more: another process may have done it while this one waited for its turn.
        for statements in MIGRATIONS[self._version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")

    def _check_parts(self, connection: sqlite3.Connection) -> None:
        found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(purchases)")}
        missing = (PARTS - found) | ({*COLUMNS, "updated_at"} - columns)
        if missing:
            raise JournalUnusable(
                f"the journal {self.path} is damaged: {', '.join(sorted(missing))} is missing"
            )

    def _close(self) -> None:
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            if self._opened is not None and self._opened[0].in_transaction:
                self._close()  # it can't even be rolled back: begin anew with the next call
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> JournalError:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        kind, words = ERRORS.get(_code(error), (JournalError, "{journal} failed: {said}"))
        return kind(
            words.format(
                journal=f"the journal {self.path}", said=f"{error} ({name})", timeout=self._timeout
            )
        )


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """With BEGIN one view of the file; with BEGIN IMMEDIATE also the right to write, at once."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _code(error: sqlite3.Error) -> int:
    """The primary result code; extended ones carry it in their lowest byte."""
    code = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else int(code) & 0xFF


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

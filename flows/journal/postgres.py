"""PostgresJournal: one table, safe for all processes of all machines that share the server.

Why psycopg, called from threads, and neither asyncpg nor psycopg's async half: connections and
pools of those belong to one event loop, and a cancellation goes through them while a COMMIT is on
its way. Here a transaction is one function in a thread (see `worker`), for any event loop, and
ends before its caller goes on. psycopg is libpq: every form of address, TLS and password file
that PostgreSQL knows works, also several hosts of which one is writable. Keeping a few idle
connections is a list; what matters, what a lost connection means at which moment, no pool knows.

What is promised: when a call returns its write is flushed to the server's disk
(`synchronous_commit`), and of all that use the same table one wins a claim. When the server fails
over to a standby, claims survive only on a *synchronous* standby (`synchronous_standby_names`):
with an asynchronous one the last claims can be lost, and with them the guard. The server's
`fsync` has to be on, as it is by default.

A COMMIT whose confirmation got lost is no claim. Every write carries an id of its own; after such
a loss the same write is tried again on a new connection, which waits for the row lock of the old
one: so it either finds its own id, or does now what was not done then.
"""

import contextlib
import datetime as dt
import functools
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs

try:
    import psycopg
    from psycopg import sql
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.rows import DictRow, dict_row
except ImportError as missing:
    raise ImportError(
        "PostgresJournal needs psycopg: pip install 'didww-async[postgres]'"
    ) from missing

from flows.journal.errors import (
    CommitUnconfirmed,
    JournalError,
    JournalUnavailable,
    JournalUnusable,
    OrderIdRecorded,
)
from flows.journal.record import Purchase, PurchaseKey, State
from flows.journal.rows import COLUMNS, check_replacement, from_row, to_row
from flows.journal.worker import Worker

__all__ = ["PostgresJournal"]

T = TypeVar("T")
Connection = psycopg.Connection[DictRow]

OURS = "didww-async purchase journal, schema "  # the table's comment, with the version
MIGRATION_LOCK = 0x4449445757  # "DIDWW": an advisory lock, so that one worker at a time migrates
LONGEST_NAME = 40  # PostgreSQL cuts names at 63 bytes, and those of indexes are longer

# One entry per schema version, never changed once released. Collation "C": keys are compared byte
# by byte, whatever the operating system's language tables say after its next upgrade.
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """
        CREATE TABLE {table} (
            origin text COLLATE "C" NOT NULL,
            account text COLLATE "C" NOT NULL,
            reference text COLLATE "C" NOT NULL,
            state text COLLATE "C" NOT NULL,
            order_id text COLLATE "C",
            revision bigint NOT NULL,
            attempt bigint NOT NULL,
            owner text COLLATE "C",
            order_by timestamptz NOT NULL,
            planned_at timestamptz NOT NULL,
            claimed_at timestamptz,
            updated_at timestamptz NOT NULL,
            fingerprint text COLLATE "C" NOT NULL,
            details json NOT NULL,
            write_id uuid NOT NULL,
            PRIMARY KEY (origin, account, reference)
        )
        """,
        "CREATE UNIQUE INDEX {order_id_index} ON {table} (origin, order_id)",
        "CREATE INDEX {state_index} ON {table} (state, planned_at)",
        "CREATE INDEX {updated_at_index} ON {table} (updated_at)",
    ),
)
VERSION = len(MIGRATIONS)

# Everything a transaction depends on is said in it and not on the connection, which may be one of
# a proxy's that others use too. A server that hears nothing from a lost connection ends its
# transaction, so that its locks do not outlive us. `remote_apply` is more than `on`: it stays.
BEGIN = """
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL statement_timeout = {milliseconds};
SET LOCAL lock_timeout = {milliseconds};
SET LOCAL idle_in_transaction_session_timeout = {milliseconds};
SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')
    WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)
"""
READ_COLUMNS = (*(name for name in COLUMNS if name != "details"), "details::text", "updated_at")
THE_ROW = "origin = %(origin)s AND account = %(account)s AND reference = %(reference)s"
READ = f"SELECT {', '.join(READ_COLUMNS)} FROM {{table}} WHERE {THE_ROW}"  # noqa: S608
INSERT = f"""
INSERT INTO {{table}} ({", ".join(COLUMNS)}, updated_at, write_id)
VALUES ({", ".join(f"%({name})s" for name in COLUMNS)}, clock_timestamp(), %(write_id)s)
ON CONFLICT (origin, account, reference) DO NOTHING
"""  # noqa: S608
REPLACE = f"""
UPDATE {{table}} SET {", ".join(f"{name} = %({name})s" for name in COLUMNS)},
    updated_at = clock_timestamp(), write_id = %(write_id)s
WHERE {THE_ROW} AND revision = %(revision)s - 1
"""  # noqa: S608
WHOSE = f"SELECT write_id FROM {{table}} WHERE {THE_ROW} FOR UPDATE"  # noqa: S608

KEEP_IDLE = 60.0  # seconds; an older connection may have been dropped by what lies in between
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


class PostgresJournal:
    """A journal in a PostgreSQL table, which is created when it is missing.

    It connects with `async with`, `open()`, or the first call. One object may be used from
    several event loops; every process makes its own.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "public",
        table: str = "didww_purchases",
        connections: int = 4,
        timeout: float = 10.0,
    ) -> None:
        """`dsn`: a `postgresql://` address or "key=value ..." as libpq understands them.

        `schema` and `table` have to be the same for all who buy for one account. `connections`:
        at most so many at once. `timeout`: how long, in seconds, to wait for the server to
        connect, for a lock and for a transaction.
        """
        self._address, self._shown = _parsed(dsn, timeout)
        self._schema, self._table = _checked_name(schema), _checked_name(table)
        self._timeout = timeout
        self._idle: list[_Line] = []
        self._lock = threading.Lock()
        self._ready = False
        self._names = {
            "table": sql.Identifier(schema, table),
            **{
                f"{column}_index": sql.Identifier(f"{table}_{column}")
                for column in ("order_id", "state", "updated_at")
            },
            "milliseconds": sql.Literal(max(1, round(timeout * 1000))),
        }
        self._worker = Worker(repr(self), threads=connections)

    async def open(self) -> Self:
        """Connect, and create or migrate the table if it needs that.

        Raises JournalUnavailable when the server can't be reached, JournalUnusable when the table
        is not ours, too new, or can't be created.
        """
        await self._worker.run(self._make_ready)
        return self

    async def migrate(self) -> None:
        """Create the table, or bring it up to date; nothing when it is.

        Safe when several workers start at once. Needs the right to create tables in the schema;
        without it let somebody who has it call this once.
        """
        await self._worker.run(self._migrate)

    async def aclose(self) -> None:
        """Wait for writes on their way, close the connections and end the threads."""
        await self._worker.aclose(self._drop_idle)

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
        return f"PostgresJournal({self._shown!r}, table='{self._schema}.{self._table}')"

    # -- PurchaseJournal

    async def now(self) -> dt.datetime:
        """The server's clock."""
        rows = await self._query("SELECT clock_timestamp() AS now")
        now: dt.datetime = rows[0]["now"]
        return now.astimezone(dt.UTC)

    async def read(self, key: PurchaseKey) -> Purchase | None:
        rows = await self._query(READ, attrs.asdict(key))
        return _from_postgres(rows[0]) if rows else None

    async def insert(self, purchase: Purchase) -> Purchase:
        row = {**to_row(purchase), "write_id": uuid.uuid4()}

        def work(connection: Connection, *, again: bool) -> Purchase:
            # Done twice it is the same as once, so nobody has to ask whose write it was.
            self._execute(connection, INSERT, row)
            found = self._execute(connection, READ, row).fetchone()
            assert found is not None  # noqa: S101 - no row is ever deleted
            return _from_postgres(found)

        return await self._write(work, purchase.order_id)

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        check_replacement(old, new)
        row = {**to_row(new), "write_id": uuid.uuid4()}

        def work(connection: Connection, *, again: bool) -> bool:
            if self._execute(connection, REPLACE, row).rowcount == 1:
                return True
            if not again:
                return False
            # FOR UPDATE makes this a write: its own confirmed COMMIT vouches, at a synchronous
            # standby too, for the one before it that was not confirmed.
            found = self._execute(connection, WHOSE, row).fetchone()
            return found is not None and bool(found["write_id"] == row["write_id"])

        return await self._write(work, new.order_id)

    async def list(
        self,
        *,
        states: Collection[State] = (),
        origin: str | None = None,
        account: str | None = None,
        reference: str | None = None,
        updated_since: dt.datetime | None = None,
    ) -> list[Purchase]:
        wanted: dict[str, tuple[str, Any]] = {
            "state": ("state = ANY(%(state)s)", [state.value for state in states] or None),
            "origin": ("origin = %(origin)s", origin),
            "account": ("account = %(account)s", account),
            "reference": ("reference = %(reference)s", reference),
            "since": ("updated_at >= %(since)s", updated_since),
        }
        asked = {name: pair for name, pair in wanted.items() if pair[1] is not None}
        terms = " AND ".join(term for term, _ in asked.values())
        query = (
            f"SELECT {', '.join(READ_COLUMNS)} FROM {{table}} "  # noqa: S608 - our own names
            f"{'WHERE ' + terms if terms else ''} ORDER BY planned_at, origin, account, reference"
        )
        rows = await self._query(query, {name: value for name, (_, value) in asked.items()})
        return [_from_postgres(row) for row in rows]

    # -- in the threads

    async def _query(self, query: str, values: dict[str, Any] | None = None) -> list[DictRow]:
        def work(connection: Connection) -> list[DictRow]:
            return self._execute(connection, query, values).fetchall()

        return await self._worker.run(lambda: self._on_a_line(work))

    async def _write(self, work: "Work[T]", order_id: str | None) -> T:
        return await self._worker.run(lambda: self._written(work, order_id))

    def _written(self, work: "Work[T]", order_id: str | None) -> T:
        """Do the work in a transaction; while its COMMIT is unconfirmed, do it again."""
        give_up = time.monotonic() + self._timeout
        pause = FIRST_PAUSE
        again = False
        while True:
            attempt = functools.partial(self._transaction, functools.partial(work, again=again))
            try:
                return self._on_a_line(attempt)
            except _Unconfirmed as error:
                again, why = True, str(error)
            except psycopg.errors.UniqueViolation:
                raise OrderIdRecorded(order_id) from None
            except JournalUnavailable as error:
                if not again:
                    raise
                why = str(error)
            if time.monotonic() > give_up:
                break
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise CommitUnconfirmed(
            f"the connection of {self!r} was lost while committing, and whether the write was "
            f"done could not be found out within {self._timeout:g} s: {why}"
        )

    def _transaction(self, work: Callable[[Connection], T], connection: Connection) -> T:
        self._execute(connection, BEGIN)
        warned: list[str] = []
        try:
            found = work(connection)
        except BaseException:
            if not connection.closed:
                connection.execute("ROLLBACK")
            raise
        # Before the next line the server surely has not committed; after it, only it knows.
        connection.add_notice_handler(notice := lambda said: warned.append(str(said.severity)))
        try:
            done = connection.execute("COMMIT").statusmessage
        except psycopg.Error as error:
            if connection.closed:
                raise _Unconfirmed(self._clean(error)) from None
            raise
        finally:
            connection.remove_notice_handler(notice)
        if done != "COMMIT":
            raise JournalUnavailable(f"{self!r} answered a COMMIT with {done}: nothing was written")
        if "WARNING" in warned:  # committed here, but the wait for the standby was broken off
            raise _Unconfirmed("the server did not wait for its standby")
        return found

    def _on_a_line(self, work: Callable[[Connection], T]) -> T:
        """Do the work on a connection. What a lost idle connection could not begin is repeated."""
        self._make_ready()
        return self._with_line(work)

    def _with_line(self, work: Callable[[Connection], T]) -> T:
        for line in (self._taken(), None):
            fresh = line is None
            used = line or self._connected()
            try:
                with used.cut_after(2 * self._timeout):
                    found = work(used.connection)
            except psycopg.Error as error:
                lost = bool(used.connection.closed)
                self._give_back(used)
                if isinstance(error, psycopg.errors.UniqueViolation):
                    raise
                if lost:
                    self._drop_idle()  # the others are as old
                if fresh or not lost:
                    failure = self._error(error)
                    break
            except BaseException:
                self._give_back(used)
                raise
            else:
                self._give_back(used)
                return found
        raise failure

    def _taken(self) -> "_Line | None":
        with self._lock:
            while self._idle:
                line = self._idle.pop()
                if time.monotonic() - line.used < KEEP_IDLE and not line.connection.closed:
                    return line
                line.close()
        return None

    def _give_back(self, line: "_Line") -> None:
        if line.connection.closed or not line.idle:
            line.close()
            return
        line.used = time.monotonic()
        with self._lock:
            self._idle.append(line)

    def _drop_idle(self) -> None:
        with self._lock:
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()

    def _connected(self) -> "_Line":
        try:
            connection = psycopg.connect(
                self._address, autocommit=True, row_factory=dict_row, prepare_threshold=None
            )
        except psycopg.Error as error:
            why = self._clean(error)
        else:
            return _Line(connection)
        raise JournalUnavailable(f"{self!r} can't be reached; nothing was written: {why}")

    def _execute(
        self, connection: Connection, query: str, values: dict[str, Any] | None = None
    ) -> psycopg.Cursor[DictRow]:
        return connection.execute(sql.SQL(query).format(**self._names), values)

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

import asyncio
import contextlib
import datetime as dt
import functools
import math
import socket
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import attrs

try:
    import psycopg
    from psycopg import sql
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.pq import TransactionStatus
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
from flows.journal.rows import COLUMNS, TIMES, check_replacement, from_row, to_row
from flows.journal.worker import Worker

__all__ = ["PostgresJournal"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
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
SET LOCAL statement_timeout = {limit};
SET LOCAL lock_timeout = {limit};
SET LOCAL idle_in_transaction_session_timeout = {half};
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
RETURNING updated_at
"""  # noqa: S608
REPLACE = f"""
UPDATE {{table}} SET {", ".join(f"{name} = %({name})s" for name in COLUMNS)},
    updated_at = clock_timestamp(), write_id = %(write_id)s
WHERE {THE_ROW} AND revision = %(revision)s - 1
"""  # noqa: S608
WHOSE = f"SELECT write_id FROM {{table}} WHERE {THE_ROW} FOR UPDATE"  # noqa: S608

# The table, as the server's catalogue knows it.
LOOK = """
SELECT obj_description(c.oid, 'pg_class') AS comment, c.relpersistence::text AS persistence,
    ARRAY(SELECT attname::text FROM pg_attribute
          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
    ARRAY(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
          WHERE x.indrelid = c.oid AND x.indisvalid) AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""

TOO_SLOW = frozenset({"57014", "55P03"})  # statement_timeout, lock_timeout
MISFITS = ("22", "28", "3D", "3F", "42")  # no such table, no right to it, data it does not take
SECRET = ("password", "sslpassword")
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
        address = _parsed(dsn, timeout)
        self._address = make_conninfo("", **address)
        self._shown = _shown(address)
        self._secrets = [str(address[name]) for name in SECRET if address.get(name)]
        self._schema, self._table = _checked_name(schema), _checked_name(table)
        self._timeout = timeout
        indexes = {name: f"{table}_{name}" for name in ("order_id", "state", "updated_at")}
        self._parts = {*COLUMNS, "updated_at", "write_id", *indexes.values()}
        self._order_id_index = indexes["order_id"]
        milliseconds = max(2, round(timeout * 1000))
        self._names: dict[str, sql.Composable] = {
            "schema": sql.Identifier(schema),
            "table": sql.Identifier(schema, table),
            "comment": sql.Literal(OURS + str(VERSION)),
            "limit": sql.Literal(milliseconds),
            "half": sql.Literal(milliseconds // 2),
            **{f"{name}_index": sql.Identifier(index) for name, index in indexes.items()},
        }
        self._idle: list[_Line] = []
        self._busy: set[_Line] = set()
        self._lock = threading.Lock()
        self._preparing = threading.Lock()
        self._ready = False
        self._worker = Worker(repr(self), threads=connections)

    async def open(self) -> Self:
        """Connect, and create or migrate the table if it needs that.

        Raises JournalUnavailable when the server can't be reached, JournalUnusable when the table
        is not ours, too new, or can't be created.
        """
        await self._run(self._make_ready)
        return self

    async def migrate(self) -> None:
        """Create the table, or bring it up to date; nothing when it is.

        Safe when several workers start at once. Needs the right to create tables in the schema;
        without it let somebody who has it call this once.
        """
        await self._run(lambda: self._written(self._migration))

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
        return _utc(rows[0]["now"])

    async def read(self, key: PurchaseKey) -> Purchase | None:
        rows = await self._query(READ, attrs.asdict(key))
        return _from_postgres(rows[0]) if rows else None

    async def insert(self, purchase: Purchase) -> Purchase:
        row = {**to_row(purchase), "write_id": uuid.uuid4()}

        def work(connection: Connection, *, again: bool) -> Purchase:
            # Done twice it is the same as once, so nobody has to ask whose write it was.
            inserted = self._store(connection, INSERT, row).fetchone()
            if inserted is not None:
                return attrs.evolve(purchase, updated_at=_utc(inserted["updated_at"]))
            found = self._execute(connection, READ, row).fetchone()
            assert found is not None  # noqa: S101 - no row is ever deleted
            return _from_postgres(found)

        return await self._write(work)

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        check_replacement(old, new)
        row = {**to_row(new), "write_id": uuid.uuid4()}

        def work(connection: Connection, *, again: bool) -> bool:
            if self._store(connection, REPLACE, row).rowcount == 1:
                return True
            if not again:
                return False
            # FOR UPDATE makes this a write: its own confirmed COMMIT vouches, at a synchronous
            # standby too, for the one before it that was not confirmed.
            found = self._execute(connection, WHOSE, row).fetchone()
            return found is not None and bool(found["write_id"] == row["write_id"])

        return await self._write(work)

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

    async def _query(
        self, query: str, values: Mapping[str, Any] | None = None
    ) -> Sequence[DictRow]:
        def work(connection: Connection) -> Sequence[DictRow]:
            return self._execute(connection, query, values).fetchall()

        def prepared() -> Sequence[DictRow]:
            self._make_ready()
            return self._on_connection(work)

        return await self._run(prepared)

    async def _write(self, work: "Work[T]") -> T:
        def prepared() -> T:
            self._make_ready()
            return self._written(work)

        return await self._run(prepared)

    async def _run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread, and look after it: a blocking call has no end of its own."""
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def look() -> None:
            nonlocal timer
            self._cut_overdue()
            timer = loop.call_later(self._timeout / 2, look)

        timer = loop.call_later(self._timeout / 2, look)
        try:
            return await self._worker.run(work)
        finally:
            timer.cancel()

    def _written(self, work: "Work[T]") -> T:
        """Do the work in a transaction; while its COMMIT is unconfirmed, do it again."""
        again = False
        give_up, pause = math.inf, FIRST_PAUSE
        while True:
            step = functools.partial(self._transaction, functools.partial(work, again=again))
            try:
                return self._on_connection(step)
            except _Unconfirmed as error:
                why = str(error)
            except JournalUnavailable as error:
                if not again:
                    raise
                why = str(error)
            if not again:
                again, give_up = True, time.monotonic() + self._timeout
            if time.monotonic() >= give_up:
                break
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise CommitUnconfirmed(
            f"{self!r} did not confirm a COMMIT, and whether it was done could not be found out "
            f"within {self._timeout:g} s: {why}"
        )

    def _transaction(self, work: Callable[[Connection], T], connection: Connection) -> T:
        self._execute(connection, BEGIN)
        try:
            found = work(connection)
        except BaseException:
            if not connection.closed:
                connection.execute("ROLLBACK")
            raise
        self._commit(connection)
        return found

    def _commit(self, connection: Connection) -> None:
        """Commit, or raise _Unconfirmed when only the server knows whether it did."""
        warnings: list[str] = []

        def listen(notice: psycopg.errors.Diagnostic) -> None:
            if notice.severity_nonlocalized == "WARNING":
                warnings.append(str(notice.message_primary))

        connection.add_notice_handler(listen)
        try:
            answer = connection.execute("COMMIT").statusmessage
        except psycopg.Error as error:
            # Also when the server answers with an error: it may have come after the commit.
            why = self._clean(error)
        else:
            if answer != "COMMIT":
                raise JournalUnavailable(
                    f"{self!r} answered {answer} to a COMMIT; nothing was written"
                )
            if not warnings:
                return
            # Committed there, but the wait for the synchronous standby was broken off.
            why = warnings[0]
        finally:
            connection.remove_notice_handler(listen)
        raise _Unconfirmed(why)

    def _on_connection(self, step: Callable[[Connection], T]) -> T:
        """Run `step` on an idle connection, or on a new one if there is none that still works."""
        idle = self._take_idle()
        if idle is not None:
            try:
                return self._use(idle, step)
            except _Lost:  # before any COMMIT, so that nothing happened
                self._drop_idle()  # the others are no younger
        try:
            return self._use(self._connect(), step)
        except _Lost as error:
            why = str(error)
        raise JournalUnavailable(f"{self!r} was lost; nothing was written: {why}")

    def _use(self, line: "_Line", step: Callable[[Connection], T]) -> T:
        # Longer than the server's own limits: this is for one that does not answer at all.
        line.overdue = time.monotonic() + 1.5 * self._timeout
        with self._lock:
            self._busy.add(line)
        try:
            return step(line.connection)
        except psycopg.Error as error:
            last_words = error.diag.severity_nonlocalized in {"FATAL", "PANIC"}
            lost = line.connection.closed or last_words
            failure = _Lost(self._clean(error)) if lost else self._refusal(error)
        finally:
            self._put_back(line)
        raise failure

    def _execute(
        self, connection: Connection, query: str, values: Mapping[str, Any] | None = None
    ) -> psycopg.Cursor[DictRow]:
        return connection.execute(sql.SQL(query).format(**self._names), values)

    def _store(
        self, connection: Connection, query: str, row: Mapping[str, Any]
    ) -> psycopg.Cursor[DictRow]:
        try:
            return self._execute(connection, query, row)
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name != self._order_id_index:
                raise
        raise OrderIdRecorded(row["order_id"])

    # -- connections

    def _connect(self) -> "_Line":
        try:
            connection = psycopg.connect(
                self._address, autocommit=True, row_factory=dict_row, prepare_threshold=None
            )
        except psycopg.Error as error:
            why = self._clean(error)
        else:
            return _Line(connection)
        raise JournalUnavailable(f"{self!r} can't be reached; nothing was written: {why}")

    def _take_idle(self) -> "_Line | None":
        with self._lock:
            if self._idle and time.monotonic() - self._idle[-1].used < KEEP_IDLE:
                return self._idle.pop()
        self._drop_idle()  # the last one is the youngest
        return None

    def _put_back(self, line: "_Line") -> None:
        usable = line.connection.info.transaction_status is TransactionStatus.IDLE
        line.used = time.monotonic()
        with self._lock:
            self._busy.discard(line)
            if usable:
                self._idle.append(line)
        if not usable:
            line.close()

    def _drop_idle(self) -> None:
        with self._lock:
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()

    def _cut_overdue(self) -> None:
        now = time.monotonic()
        with self._lock:
            for line in self._busy:
                if line.overdue < now:
                    line.cut()

    # -- the table

    def _make_ready(self) -> None:
        """Before the first call: is the table there, and is it ours?"""
        with self._preparing:
            if not self._ready:
                if self._on_connection(self._version) < VERSION:
                    self._written(self._migration)
                self._ready = True

    def _migration(self, connection: Connection, *, again: bool) -> None:
        # Workers that start together queue up here; all but the first find it done.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        version = self._version(connection)
        if version == VERSION:
            return
        known = "SELECT FROM pg_namespace WHERE nspname = %s"
        if connection.execute(known, [self._schema]).fetchone() is None:
            self._execute(connection, "CREATE SCHEMA {schema}")
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                self._execute(connection, statement)
        self._execute(connection, "COMMENT ON TABLE {table} IS {comment}")

    def _version(self, connection: Connection) -> int:
        """The table's schema version, 0 when there is none; raises when it is not for us."""
        table = connection.execute(LOOK, [self._schema, self._table]).fetchone()
        if table is None:
            return 0
        comment = table["comment"] or ""
        if not comment.startswith(OURS) or not comment.removeprefix(OURS).isdecimal():
            raise JournalUnusable(
                f"{self!r} is a table of something else: it lacks the comment "
                f"{OURS + str(VERSION)!r}. It was left as it is"
            )
        version = int(comment.removeprefix(OURS))
        if version > VERSION:
            raise JournalUnusable(
                f"{self!r} has schema {version}, this version of the library knows {VERSION}: "
                "upgrade it"
            )
        if table["persistence"] != "p":
            raise JournalUnusable(f"{self!r} is unlogged or temporary: a crash would empty it")
        missing = self._parts - {*table["columns"], *table["indexes"]}
        if version == VERSION and missing:
            raise JournalUnusable(f"{self!r} is damaged: {', '.join(sorted(missing))} is missing")
        return version

    # -- words

    def _refusal(self, error: psycopg.Error) -> JournalError:
        """What an error means that the server answered on a connection that still works."""
        said = f"{self._clean(error)} ({error.sqlstate})"
        state = error.sqlstate or ""
        if state in TOO_SLOW:
            return JournalUnavailable(
                f"{self!r} was locked or busy for more than {self._timeout:g} s; "
                f"nothing was written: {said}"
            )
        if state.startswith(MISFITS):
            return JournalUnusable(f"{self!r} can't be used: {said}")
        return JournalUnavailable(f"{self!r} failed; nothing was written: {said}")

    def _clean(self, error: psycopg.Error) -> str:
        """The error's words on one line, without any password."""
        said = " ".join(str(error).split()) or type(error).__name__
        for secret in self._secrets:
            said = said.replace(secret, "***")
        return said


class Work(Protocol[T_co]):
    """What is done in a transaction. `again`: a COMMIT of the same work was not confirmed."""

    def __call__(self, connection: Connection, *, again: bool) -> T_co: ...


class _Unconfirmed(Exception):
    """The COMMIT was sent, its confirmation did not come."""


class _Lost(Exception):
    """The connection was lost before a COMMIT was sent: nothing happened."""


class _Line:
    """A connection, with a way to cut it off from another thread."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.used = self.overdue = time.monotonic()
        # A duplicate, so that no other file can have its number when it is cut.
        self._socket = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)

    def cut(self) -> None:
        """End whatever call waits for the server, with an error."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.connection.close()
        self._socket.close()


def _parsed(dsn: str, timeout: float) -> dict[str, Any]:
    """The parts of an address. Raises JournalUnusable, which does not show it."""
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error:
        given = {}
    else:
        # Where the rest of a password ends up that has an @ or / in it.
        wrong = "@" in f"{given.get('host', '')}{given.get('dbname', '')}"
        if not wrong and set(str(given.get("port", ""))) <= set("0123456789,"):
            return {
                "connect_timeout": max(2, math.ceil(timeout)),
                "application_name": "didww-async",
                "keepalives_idle": 30,
                "target_session_attrs": "read-write",
                **given,
            }
    raise JournalUnusable(
        "the PostgreSQL address can't be understood (it may hold a password and is not shown). "
        "It looks like postgresql://user:password@host:5432/database, with %40 for an @ and "
        "%2F for a / in the password"
    )


def _shown(address: Mapping[str, Any]) -> str:
    """An address without secrets."""
    user = f"{address['user']}@" if "user" in address else ""
    port = f":{address['port']}" if "port" in address else ""
    return f"postgresql://{user}{address.get('host', '')}{port}/{address.get('dbname', '')}"


def _checked_name(name: str) -> str:
    if not name or "\0" in name or len(name.encode()) > LONGEST_NAME:
        raise JournalUnusable(f"a schema or table name has 1 to {LONGEST_NAME} bytes: {name!r}")
    return name


def _from_postgres(row: Mapping[str, Any]) -> Purchase:
    times = {name: row[name] and _utc(row[name]) for name in (*TIMES, "updated_at")}
    return from_row({**row, **times})


def _utc(time: dt.datetime) -> dt.datetime:
    return time.astimezone(dt.UTC)

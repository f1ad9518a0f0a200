"""PostgresJournal: one table, safe for all processes of all machines that share the server.

psycopg is libpq: every form of address, TLS and password file that PostgreSQL knows works, also
several hosts of which one is writable.

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
import datetime as dt
import functools
import math
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
    from psycopg.rows import DictRow
except ImportError as missing:
    raise ImportError(
        "PostgresJournal needs psycopg: pip install 'didww-async[postgres]'"
    ) from missing

from flows.journal.errors import CommitUnconfirmed, JournalUnavailable, OrderIdRecorded
from flows.journal.packed import LineTaken, PackedOrder, read_packed
from flows.journal.postgres_batches import (
    INSERT_LINES,
    INSERT_ORDERS,
    LINES,
    MOVE_LINES,
    ORDERS,
    batch_tables,
    rows_of,
)
from flows.journal.postgres_connections import (
    Connection,
    Connections,
    Unconfirmed,
    parsed_address,
    shown_address,
)
from flows.journal.postgres_table import (
    INSERT,
    LOOK,
    MIGRATION_LOCK,
    MIGRATIONS,
    OURS,
    READ,
    REPLACE,
    VERSION,
    WHOSE,
    checked_name,
    from_postgres,
    index_names,
    list_query,
    utc,
    version_of,
)
from flows.journal.record import Purchase, PurchaseKey, State
from flows.journal.rows import check_replacement, to_row
from flows.journal.worker import Worker

__all__ = ["PostgresJournal"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


class Work(Protocol[T_co]):
    """What is done in a transaction. `again`: a COMMIT of the same work was not confirmed."""

    def __call__(self, connection: Connection, *, again: bool) -> T_co: ...


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
        address = parsed_address(dsn, timeout)
        self._shown = shown_address(address)
        self._schema, self._table = checked_name(schema), checked_name(table)
        self._timeout = timeout
        indexes = index_names(table)
        self._order_id_index = indexes["order_id"]
        self._names: dict[str, sql.Composable] = {
            "schema": sql.Identifier(schema),
            "table": sql.Identifier(schema, table),
            "comment": sql.Literal(OURS + str(VERSION)),
            **{f"{name}_index": sql.Identifier(index) for name, index in indexes.items()},
            **{
                name: sql.Identifier(schema, beside) for name, beside in batch_tables(table).items()
            },
        }
        self._connections = Connections(address, journal=repr(self), timeout=timeout)
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
        await self._worker.aclose(self._connections.drop_idle)

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
        return utc(rows[0]["now"])

    async def read(self, key: PurchaseKey) -> Purchase | None:
        rows = await self._query(READ, attrs.asdict(key))
        return from_postgres(rows[0]) if rows else None

    async def insert(self, purchase: Purchase) -> Purchase:
        row = {**to_row(purchase), "write_id": uuid.uuid4()}

        def work(connection: Connection, *, again: bool) -> Purchase:
            # Done twice it is the same as once, so nobody has to ask whose write it was.
            inserted = self._store(connection, INSERT, row).fetchone()
            if inserted is not None:
                return attrs.evolve(purchase, updated_at=utc(inserted["updated_at"]))
            found = self._execute(connection, READ, row).fetchone()
            assert found is not None  # noqa: S101 - no row is ever deleted
            return from_postgres(found)

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
        query, values = list_query(
            states=states,
            origin=origin,
            account=account,
            reference=reference,
            updated_since=updated_since,
        )
        rows = await self._query(query, values)
        return [from_postgres(row) for row in rows]

    async def pack(
        self,
        orders: Sequence[PackedOrder],
        *,
        origin: str,
        account: str,
        moves: Mapping[str, str],
    ) -> bool:
        values = rows_of(orders, origin=origin, account=account, moves=moves)
        lines = {INSERT_LINES: len(values["new"]), MOVE_LINES: len(values["moved"])}

        def work(connection: Connection, *, again: bool) -> None:
            # Waits for an unconfirmed COMMIT of the same orders that is on its way.
            inserted = self._execute(connection, INSERT_ORDERS, values).rowcount
            if inserted != len(orders):
                if again and self._are_packed(connection, values):
                    return
                raise LineTaken
            for statement, count in lines.items():
                if count and self._execute(connection, statement, values).rowcount != count:
                    raise LineTaken

        try:
            await self._write(work)
        except LineTaken:
            return False
        return True

    def _are_packed(self, connection: Connection, values: Mapping[str, Any]) -> bool:
        """Whether an unconfirmed COMMIT was done after all: the references are its own."""
        # FOR UPDATE: as in `replace`, this confirmed COMMIT vouches for that one.
        found = self._execute(connection, ORDERS + " FOR UPDATE", values).fetchall()
        return len(found) == len(values["references"])

    async def packed(
        self, identities: Collection[str], *, origin: str, account: str
    ) -> dict[str, PackedOrder]:
        asked = {"origin": origin, "account": account, "identities": list(identities)}
        lines = await self._query(LINES, asked)
        reference_of = {row["identity"]: row["reference"] for row in lines}
        wanted = list(set(reference_of.values()))
        rows = await self._query(ORDERS, {**asked, "references": wanted})
        orders = {row["reference"]: read_packed(row["reference"], row["details"]) for row in rows}
        return {line: orders[reference] for line, reference in reference_of.items()}

    # -- in the threads

    async def _query(
        self, query: str, values: Mapping[str, Any] | None = None
    ) -> Sequence[DictRow]:
        def work(connection: Connection) -> Sequence[DictRow]:
            return self._execute(connection, query, values).fetchall()

        def prepared() -> Sequence[DictRow]:
            self._make_ready()
            return self._connections.run(work)

        return await self._run(prepared)

    async def _write(self, work: Work[T]) -> T:
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
            self._connections.cut_overdue()
            timer = loop.call_later(self._timeout / 2, look)

        timer = loop.call_later(self._timeout / 2, look)
        try:
            return await self._worker.run(work)
        finally:
            timer.cancel()

    def _written(self, work: Work[T]) -> T:
        """Do the work in a transaction; while its COMMIT is unconfirmed, do it again."""
        again = False
        give_up, pause = math.inf, FIRST_PAUSE
        while True:
            try:
                return self._connections.transaction(functools.partial(work, again=again))
            except Unconfirmed as error:
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

    # -- the table

    def _make_ready(self) -> None:
        """Before the first call: is the table there, and is it ours?"""
        with self._preparing:
            if not self._ready:
                if self._connections.run(self._version) < VERSION:
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
        found = connection.execute(LOOK, [self._schema, self._table]).fetchone()
        return version_of(found, self._table, journal=repr(self))

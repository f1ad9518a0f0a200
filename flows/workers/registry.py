"""Who is alive: a heartbeat per worker process in PostgreSQL, told by the server's clock.

Two small tables beside the engine's own, in its schema:

    didww_workers   one row per executor id: which process has it (`incarnation`), and its last beat
    didww_account   one row: the API and account that all workers of this schema buy for

An id belongs to the process whose incarnation is in the row. It changes hands only when the row
is older than `dead_after`, in one statement, so of two processes that want it one gets it.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import attrs
import psycopg
from psycopg import sql

from flows.workers.errors import NotInstalled

__all__ = ["Binding", "Registry"]

T = TypeVar("T")

INSTALL_LOCK = 0x4449445758  # an advisory lock, so that one worker at a time creates the tables
FORGET_AFTER = "7 days"

TABLES = """
CREATE TABLE IF NOT EXISTS {schema}.didww_workers (
    executor_id text PRIMARY KEY,
    incarnation uuid NOT NULL,
    application_version text NOT NULL,
    beat_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.didww_account (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    origin text NOT NULL,
    account text NOT NULL
)
"""
ENTER = """
INSERT INTO {schema}.didww_workers AS w (executor_id, incarnation, application_version, beat_at)
VALUES (%(executor_id)s, %(incarnation)s, %(version)s, clock_timestamp())
ON CONFLICT (executor_id) DO UPDATE
    SET incarnation = excluded.incarnation, application_version = excluded.application_version,
        beat_at = clock_timestamp()
    WHERE w.beat_at < clock_timestamp() - make_interval(secs => %(dead_after)s)
       OR w.incarnation = excluded.incarnation
RETURNING 1
"""
BEAT = """
INSERT INTO {schema}.didww_workers AS w (executor_id, incarnation, application_version, beat_at)
VALUES (%(executor_id)s, %(incarnation)s, %(version)s, clock_timestamp())
ON CONFLICT (executor_id) DO UPDATE SET beat_at = clock_timestamp()
    WHERE w.incarnation = excluded.incarnation
RETURNING 1
"""
LEAVE = """
DELETE FROM {schema}.didww_workers
WHERE executor_id = %(executor_id)s AND incarnation = %(incarnation)s
"""
FORGET = "DELETE FROM {schema}.didww_workers WHERE beat_at < clock_timestamp() - %(age)s::interval"
LAST_BEAT = """
SELECT beat_at::text FROM {schema}.didww_workers WHERE executor_id = %(executor_id)s
"""
ALIVE = """
SELECT executor_id FROM {schema}.didww_workers
WHERE beat_at >= clock_timestamp() - make_interval(secs => %(dead_after)s)
"""
BIND = """
INSERT INTO {schema}.didww_account (origin, account) VALUES (%(origin)s, %(account)s)
ON CONFLICT DO NOTHING
"""
BOUND = "SELECT origin, account FROM {schema}.didww_account"


@attrs.frozen
class Binding:
    """What the workers of a schema buy for: the API's origin and the account's label."""

    origin: str
    account: str

    def __str__(self) -> str:
        return f"{self.origin} (account {self.account!r})"


class Registry:
    """The two tables. Every call is one transaction on a connection of its own.

    A connection per call costs a few milliseconds per beat, and none is ever stale.
    """

    def __init__(self, dsn: str, *, schema: str, timeout: float = 10.0) -> None:
        """Nothing is connected yet. `timeout`: for connecting and for each statement, seconds."""
        self._dsn = dsn
        self._schema = sql.Identifier(schema)
        self._timeout = timeout
        # Not the event loop's threads: the engine replaces those and ends them when it stops.
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="didww-registry")

    async def install(self) -> None:
        """Create the tables where they are missing; safe when several do so at once."""

        def work(connection: psycopg.Connection) -> None:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [INSTALL_LOCK])
            connection.execute(sql.SQL(TABLES).format(schema=self._schema))

        await self._run(work)

    async def enter(
        self, *, executor_id: str, incarnation: str, version: str, dead_after: float
    ) -> bool:
        """Take the executor id unless another process has it that is not dead for sure."""
        values = {
            "executor_id": executor_id,
            "incarnation": incarnation,
            "version": version,
            "dead_after": dead_after,
        }
        await self._query(FORGET, {"age": FORGET_AFTER})
        return bool(await self._query(ENTER, values))

    async def last_beat(self, executor_id: str) -> str | None:
        """When the id's owner was last heard of, as a text to compare."""
        rows = await self._query(LAST_BEAT, {"executor_id": executor_id})
        return rows[0][0] if rows else None

    async def beat(self, *, executor_id: str, incarnation: str, version: str) -> bool:
        """Say that this process is alive. False: the id is another's now."""
        values = {"executor_id": executor_id, "incarnation": incarnation, "version": version}
        return bool(await self._query(BEAT, values))

    async def leave(self, *, executor_id: str, incarnation: str) -> None:
        """Give the id up: what its process left behind may be taken over at once."""
        await self._query(LEAVE, {"executor_id": executor_id, "incarnation": incarnation})

    async def alive(self, *, dead_after: float) -> set[str]:
        """The executor ids that were heard of within so many seconds."""
        return {row[0] for row in await self._query(ALIVE, {"dead_after": dead_after})}

    async def bind(self, wanted: Binding) -> Binding:
        """Bind the schema to an API and account unless it is bound; what it is bound to now."""
        await self._query(BIND, {"origin": wanted.origin, "account": wanted.account})
        return await self.bound() or wanted

    async def bound(self) -> Binding | None:
        """What the schema is bound to; None before the first worker."""
        rows = await self._query(BOUND, {})
        return Binding(*rows[0]) if rows else None

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._threads.shutdown(wait=False)

    # -- in the thread

    async def _query(self, query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        statement = sql.SQL(query).format(schema=self._schema)

        def work(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

        return await self._run(work)

    async def _run(self, work: Callable[[psycopg.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: self._transaction(work)
        )

    def _transaction(self, work: Callable[[psycopg.Connection], T]) -> T:
        with psycopg.connect(
            self._dsn,
            connect_timeout=max(2, round(self._timeout)),
            options=f"-c statement_timeout={round(self._timeout * 1000)}",
            application_name="didww-workers",
        ) as connection:
            try:
                return work(connection)
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
                raise NotInstalled(
                    f"the database has no tables for workers ({error.diag.message_primary}): "
                    "start a worker, or call flows.workers.install() with the same schema"
                ) from error

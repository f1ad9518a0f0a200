"""What the worker tests share: worker processes, and questions to simulator and database."""

import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from waiting import until
from workers import worker_script

from didww_async import Client, RateLimit
from flows import PurchaseRequest

KEY = "key-that-must-not-be-stored-anywhere"
READY = 20.0


def request(reference: str, **more: Any) -> PurchaseRequest:
    """Two channels in New York: one offer."""
    return PurchaseRequest(
        country="US", region="New York", npa="212", channels=2, reference=reference, **more
    )


# Workers are forked from a process that has imported everything: each starts in no time.
WORKERS = multiprocessing.get_context("forkserver")
WORKERS.set_forkserver_preload(["__main__", "workers.worker_script"])


@attrs.define(eq=False)
class WorkerProcess:
    """A worker in a process of its own."""

    process: ForkServerProcess

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    async def died(self, *, within: float = 15.0) -> int:
        """The exit code, when the process has ended by itself."""
        await until(lambda: self.process.exitcode is not None, within=within)
        return self.process.exitcode or 0

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.died()

    def signal(self, number: signal.Signals) -> None:
        if self.process.exitcode is None and self.process.pid is not None:
            os.kill(self.process.pid, number)

    async def stop(self) -> int:
        """End it as a supervisor does."""
        self.signal(signal.SIGTERM)
        return await self.died()


@asynccontextmanager
async def worker(
    dsn: str, base_url: str, executor_id: str, *, crash: str = "", **settings: Any
) -> AsyncIterator[WorkerProcess]:
    """A worker that is ready; killed at the end if it still runs."""
    environ = {"DIDWW_API_KEY": KEY, "DIDWW_BASE_URL": base_url, "CRASH": crash}
    ready, says = WORKERS.Pipe(duplex=False)
    process = WORKERS.Process(
        target=worker_script.work,
        args=({"dsn": dsn, "executor_id": executor_id, **settings}, environ, says),
    )
    with pytest.MonkeyPatch.context() as patch:  # for the process that forks, at its first use
        patch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
        process.start()
    started = WorkerProcess(process)
    try:
        await until(lambda: ready.poll() or process.exitcode is not None, within=READY)
        assert process.exitcode is None, f"the worker {executor_id} ended at once"
        yield started
    finally:
        started.signal(signal.SIGKILL)
        await started.died()
        ready.close()
        says.close()


async def orders_at(base_url: str) -> list[tuple[str, str]]:
    """The orders that exist, asked over HTTP by a client of its own: (reference, order id)."""
    async with Client(api_key=KEY, base_url=base_url, rate_limit=RateLimit(1000)) as client:
        found = [order async for order in client.orders.iterate()]
    return sorted((str(order.external_reference_id), order.id) for order in found)


def everything_in(dsn: str) -> str:
    """Every row of every table of the database, as one text."""
    tables = """
        SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
    """
    with psycopg.connect(dsn) as connection:
        return "\n".join(
            str(row[0])
            for (table,) in connection.execute(tables).fetchall()
            for row in connection.execute(f"SELECT t::text FROM {table} AS t").fetchall()  # noqa: S608
        )


def dispatches(dsn: str) -> dict[str, int]:
    """How often each run was begun, by its id."""
    query = "SELECT workflow_uuid, recovery_attempts FROM dbos.workflow_status"
    with psycopg.connect(dsn) as connection:
        return dict(connection.execute(query).fetchall())


def is_stopped(process: WorkerProcess) -> bool:
    """Whether the process is stopped by a signal (Linux)."""
    return (
        Path(f"/proc/{process.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    )

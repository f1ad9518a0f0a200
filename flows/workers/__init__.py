"""Purchases in worker processes that may be killed at any time, on an engine that exists already.

DBOS over PostgreSQL (extra `dbos`). In the web process, which needs no API key:

    async with PurchaseQueue("postgresql://app@db/app") as purchases:
        reference = await purchases.enqueue(PurchaseRequest(country="US", npa="212", channels=2))
        status = await purchases.wait(reference, timeout=60)

In every worker process (DIDWW_API_KEY and DIDWW_ENVIRONMENT in its environment):

    async def main():
        worker = PurchaseWorker(
            dsn="postgresql://app@db/app",
            executor_id=os.environ["HOSTNAME"],  # of its own in every process
            application_version="1",  # pinned
        )
        async with worker:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
            await worker.run()

Each step of the flow (recall, choose, offer, quote, order, wait) is a durable step of the
workflow "reference#run". Engines run a step again after kill -9, so the order step goes through
the purchase journal: its claim is committed before the POST, outside the engine's checkpoints.
An unknown outcome is a result (`outcome.state`), not an exception, and is never sent again.

Dead workers. DBOS recovers at start-up what its own executor id left; for ids that do not come
back it has a paid service. Here every worker beats in a table, by the server's clock, and takes
over the work of ids that were silent for `dead_after`. A worker that was only paused may come back
at any moment: its results are refused by the engine, and the journal keeps it from ordering what
somebody else ordered. An id that is new in every start (a pod's name, or host and a random part)
is best: a supervisor's restart then begins at once, while a fixed one waits until its predecessor
is surely dead.

Upgrading. Work that was begun is carried on only by workers of its version, because it replays
the steps it was begun with. Give a release another `application_version` when the steps change
(a new version of this library that says so, or your own steps); then start workers of the new
version beside the old ones. New purchases go to the latest version from then on. When
`await purchases.load_by_version()` has no old version any more, stop the old workers. To go
back to an older version: `await purchases.make_latest("1")`.

One API and account per `schema`; a worker that would mix them does not start. The journal has to
be one PostgreSQL that all workers share. What is in the database: requests, choices, prices,
numbers; no API key.

Celery, arq and other queues: `buy_once()` inside a task, with the journal as the guard; it needs
no DBOS. See RECIPES.md beside this file.
"""

import importlib
from typing import TYPE_CHECKING, Any

from flows.workers.documents import Outcome, Problem, dump_request, load_request
from flows.workers.errors import (
    ExecutorIdInUse,
    NotInstalled,
    RequestMismatch,
    WorkerError,
    WorkerMisconfigured,
)
from flows.workers.once import buy_once

if TYPE_CHECKING:
    from flows.workers.engine import install
    from flows.workers.queue import PurchaseQueue, PurchaseStatus, Stage, VersionLoad
    from flows.workers.worker import PurchaseWorker

__all__ = [
    "PurchaseWorker",
    "PurchaseQueue",
    "PurchaseStatus",
    "Stage",
    "VersionLoad",
    "install",
    "buy_once",
    "Outcome",
    "Problem",
    "dump_request",
    "load_request",
    "WorkerError",
    "WorkerMisconfigured",
    "ExecutorIdInUse",
    "RequestMismatch",
    "NotInstalled",
]

# Read at their first use: they need DBOS, which `buy_once` does not.
ON_DBOS = {
    "PurchaseWorker": "flows.workers.worker",
    "PurchaseQueue": "flows.workers.queue",
    "PurchaseStatus": "flows.workers.queue",
    "Stage": "flows.workers.queue",
    "VersionLoad": "flows.workers.queue",
    "install": "flows.workers.engine",
}


def __getattr__(name: str) -> Any:
    if name in ON_DBOS:
        return getattr(importlib.import_module(ON_DBOS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

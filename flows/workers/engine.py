"""DBOS, and nothing of it anywhere else: what is configured, started, recovered and stopped.

What DBOS 3.4 does, and what follows from it:

- One DBOS per process, in globals of its own: so one PurchaseWorker per process.
- It pickles by default: here everything is plain JSON (`DBOSPortableJSONSerializer`).
- At start-up it takes back the running workflows of its *own* executor id and version, and it does
  nothing for those of others; `recover` is what its paid conductor calls for dead executors.
- Taking a workflow over gives it a new owner token. The old owner, if it still lives, can store
  no result any more; but it may be in the middle of a step, and nothing but the journal keeps
  that from ordering a second time.
- Work that was enqueued without a version goes to the latest version that was ever registered.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

try:
    from dbos import (
        DBOS,
        DBOSClient,
        DBOSConfig,
        DBOSPortableJSONSerializer,
        WorkflowSerializationFormat,
        WorkflowStatus,
    )
    from dbos import error as dbos_errors
except ImportError as missing:
    raise ImportError("flows.workers needs DBOS: pip install 'didww-async[dbos]'") from missing

from flows.workers.documents import Json
from flows.workers.errors import WorkerMisconfigured
from flows.workers.registry import Registry

__all__ = ["OPEN", "Engine", "WorkflowStatus", "connect", "enqueue_once", "install"]

APPLICATION = "didww-purchases"
WORKFLOW = "didww_purchase"
OPEN = ("DELAYED", "ENQUEUED", "PENDING")  # not over yet, in DBOS's words
JSON = DBOSPortableJSONSerializer()

# A private name of DBOS; checked at start, so that an incompatible DBOS fails there.
RECOVER = "_recover_pending_workflows"

Workflow = Callable[[Json], Awaitable[Json]]


async def install(dsn: str, *, schema: str = "dbos") -> None:
    """Create or migrate the tables of the engine and of the workers; the database, too.

    Workers do it when they start. Call it once before a web process enqueues to a new database,
    or with a role that may create tables when the workers' role may not.
    """
    registry = Registry(dsn, schema=schema)
    try:
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: DBOS.migrate(dsn, schema=schema)
        )
        await registry.install()
    finally:
        registry.close()


def connect(dsn: str, *, schema: str) -> DBOSClient:
    """A client that enqueues and looks, without running anything. Connects at its first use."""
    return DBOSClient(
        system_database_url=dsn,
        dbos_system_schema=schema,
        serializer=JSON,
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,
    )


async def enqueue_once(client: DBOSClient, *, workflow_id: str, queue: str, document: Json) -> bool:
    """Put one run on the queue; False when there is one with this id already."""
    try:
        await client.enqueue_async(
            {
                "workflow_name": WORKFLOW,
                "queue_name": queue,
                "workflow_id": workflow_id,
                "workflow_id_reuse_policy": "reject",
                "serialization_type": WorkflowSerializationFormat.PORTABLE,
            },
            document,
        )
    except dbos_errors.DBOSWorkflowIDInUseError:
        return False
    return True


class Engine:
    """The one DBOS of this process while it runs, executing one kind of workflow."""

    def __init__(
        self, dsn: str, *, schema: str, executor_id: str, version: str, queue: str, connections: int
    ) -> None:
        self._executor_id = executor_id
        self._version = version
        self._queue = queue
        self._running: dict[asyncio.Task[Any], str] = {}
        self._stopping = False
        self._dbos: DBOS | None = None
        self._config = DBOSConfig(
            name=APPLICATION,
            system_database_url=dsn,
            dbos_system_schema=schema,
            sys_db_pool_size=connections,
            executor_id=executor_id,
            application_version=version,
            serializer=JSON,
            run_migrations=False,  # `install` did
            log_level="WARNING",
        )

    @property
    def running(self) -> frozenset[str]:
        """The ids of the workflows that run here now."""
        return frozenset(self._running.values())

    async def start(self, workflow: Workflow, *, concurrency: int, poll_every: float) -> None:
        """Begin to take work from the queue, on this event loop.

        Blocks the loop for a moment: DBOS takes the loop it is launched on for its workflows.
        """
        if not callable(getattr(DBOS, RECOVER, None)):
            raise WorkerMisconfigured(
                "this version of DBOS can't take over the work of dead processes; "
                "install the one that the extra 'dbos' asks for"
            )
        made = DBOS(config=self._config)  # or the one that is there already
        if (DBOS.executor_id, DBOS.application_version) != (self._executor_id, self._version):
            raise WorkerMisconfigured(
                f"DBOS runs as executor {DBOS.executor_id!r}, version "
                f"{DBOS.application_version!r}: either this process uses it already (there is "
                "one per process; give the purchases a process of their own), or DBOS Cloud "
                "replaces the settings"
            )
        self._dbos = made
        DBOS.workflow(name=WORKFLOW)(self._registered(workflow))
        DBOS.listen_queues([self._queue])
        DBOS.launch()
        await DBOS.register_queue_async(
            self._queue, worker_concurrency=concurrency, polling_interval_sec=poll_every
        )

    async def durably(
        self, name: str, step: Callable[..., Awaitable[Json]], *arguments: Any
    ) -> Json:
        """Run a step of the current workflow, or return what it returned before."""

        async def run(*given: Any) -> Json:
            return await step(*given)

        return await DBOS.run_step_async({"name": name}, run, *arguments)

    async def held(self) -> dict[str, str]:
        """The work of this queue and version that is running, or was: run id -> executor id."""
        found = await DBOS.list_workflows_async(
            status="PENDING",
            queue_name=self._queue,
            app_version=self._version,
            load_input=False,
            load_output=False,
        )
        return {item.workflow_id: item.executor_id or "" for item in found}

    async def recover(self, executors: Collection[str]) -> list[str]:
        """Put the running work of these executors, of this version, back on its queue.

        Each workflow is taken from a dead executor at most once, whoever tries at the same time:
        DBOS compares and sets state and executor in one statement.
        """
        recover: Callable[[list[str]], Sequence[Any]] = getattr(DBOS, RECOVER)
        handles = await asyncio.to_thread(recover, sorted(executors))
        return [handle.get_workflow_id() for handle in handles]

    async def requeue(self, workflow_id: str) -> None:
        """Put one run back on the queue, whoever has it."""
        await DBOS.resume_workflow_async(workflow_id, queue_name=self._queue)

    async def stop(self, *, grace: float) -> None:
        """Take no more work, let what runs go on for `grace` seconds, then leave it to others.

        What is left keeps its results so far and is carried on by whoever recovers it.
        """
        if self._dbos is None:
            return
        for event in self._dbos.background_thread_stop_events:
            event.set()
        if self._running and grace > 0:
            await asyncio.wait(self._running, timeout=grace)
        self._stopping = True
        left = list(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await _in_a_thread(DBOS.destroy)
        # DBOS made its threads the loop's own, and has ended them.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        self._dbos = None

    def _registered(self, workflow: Workflow) -> Workflow:
        async def didww_purchase(request: Json) -> Json:
            task = asyncio.current_task()
            if self._stopping or task is None:
                raise asyncio.CancelledError  # taken in the last moment: left to others
            self._running[task] = DBOS.workflow_id or ""
            try:
                return await workflow(request)
            finally:
                del self._running[task]

        return didww_purchase


async def _in_a_thread(work: Callable[[], Any]) -> None:
    """Not one of the loop's threads: those are what is being ended."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def run() -> None:
        try:
            work()
        finally:
            loop.call_soon_threadsafe(done.set_result, None)

    threading.Thread(target=run, name="didww-stop", daemon=True).start()
    await done

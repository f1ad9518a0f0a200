"""PurchaseWorker: one process that buys what is on the queue, and takes over from dead ones."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import psycopg

from didww_async import Client
from flows.journal import PurchaseJournal
from flows.journal.postgres import PostgresJournal
from flows.rules import OrderRules
from flows.workers import run
from flows.workers.checks import (
    check_dsn,
    check_executor_id,
    check_heartbeat,
    check_journal,
    check_version,
)
from flows.workers.documents import Json
from flows.workers.engine import Engine, install
from flows.workers.errors import ExecutorIdInUse, WorkerMisconfigured
from flows.workers.registry import Binding, Registry
from flows.workers.steps import PurchaseSteps

__all__ = ["PurchaseWorker"]

log = logging.getLogger("didww_async.workers")


class PurchaseWorker:
    """Runs purchases durably. One per process; run several processes, on several machines.

        worker = PurchaseWorker(dsn=dsn, executor_id="buyer-1", application_version="7")
        async with worker:
            await worker.run()

    Promised: for one reference at most one order exists, however often workers are killed,
    paused, or run twice; and a purchase that was begun is carried on while a worker of its
    version lives. Not promised: that a purchase is not lost to safety; when a process dies
    between claim and POST, the outcome is "unknown" and a person decides.
    """

    def __init__(
        self,
        *,
        dsn: str,
        executor_id: str,
        application_version: str,
        client_factory: Callable[[], Client] = Client.from_env,
        journal: PurchaseJournal | None = None,
        queue: str = "purchases",
        concurrency: int = 10,
        schema: str = "dbos",
        rules: OrderRules | None = None,
        wait_for: float = 600.0,
        patience: float = 300.0,
        heartbeat: float = 5.0,
        dead_after: float = 30.0,
        poll_every: float = 1.0,
        grace: float = 30.0,
        connections: int = 5,
    ) -> None:
        """Nothing is started before `async with`.

        `dsn`: a `postgresql://` address; of the engine and, unless `journal` is given, of the
        purchase journal. `executor_id`: this process's name, different in every process that is
        alive (a pod's or a slot's name). `application_version`: pinned; change it when the steps
        change, see "Upgrading" in `flows.workers`. `client_factory`: makes the client here, in
        this process; by default from DIDWW_API_KEY and DIDWW_ENVIRONMENT. Several workers share one
        key's 20 requests per second: give each client its part as `rate_limit`. `concurrency`:
        purchases at once in each worker; DBOS keeps it with the queue, so give all workers the
        same. `schema`: the engine's; one per account. Times in seconds: `wait_for` a pending
        order, `patience` with an API that does not answer, `heartbeat` between beats,
        `dead_after` without one a process is taken for dead, `poll_every` between looks at the
        queue, `grace` for running work when stopping. `connections`: of the engine, at most.

        Raises WorkerMisconfigured when it would not be safe to run like this.
        """
        check_executor_id(executor_id)
        check_version(application_version)
        check_dsn(dsn)
        check_journal(journal)
        check_heartbeat(heartbeat, dead_after)
        self._dsn, self._schema = dsn, schema
        self._executor_id, self._version = executor_id, application_version
        self._incarnation = str(uuid.uuid4())
        self._client_factory = client_factory
        self._journal = journal
        self._rules = rules or OrderRules()
        self._wait_for, self._patience = wait_for, patience
        self._heartbeat, self._dead_after = heartbeat, dead_after
        self._concurrency, self._poll_every, self._grace = concurrency, poll_every, grace
        self._registry = Registry(dsn, schema=schema)
        self._engine = Engine(
            dsn,
            schema=schema,
            executor_id=executor_id,
            version=application_version,
            queue=queue,
            connections=connections,
        )
        self._stack = AsyncExitStack()
        self._stopped = asyncio.Event()
        self._pulse: asyncio.Task[None] | None = None
        self._dropped: set[str] = set()

    async def __aenter__(self) -> Self:
        """Create what is missing in the database, take the executor id, and begin to work.

        Raises ExecutorIdInUse when a process that is alive has the id. After a crash the id
        looks alive for `dead_after` seconds; that long this waits.
        """
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """Work until `stop()`, or until cancelled.

        Raises ExecutorIdInUse when another process took the id over, because this one was
        paused for so long that it looked dead: end the process then, and start it anew.
        """
        stopped = asyncio.ensure_future(self._stopped.wait())
        pulse = self._pulse
        if pulse is None:
            raise RuntimeError("the worker runs inside `async with` only")
        try:
            await asyncio.wait({stopped, pulse}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if pulse.done() and not pulse.cancelled():
            pulse.result()

    def stop(self) -> None:
        """Let `run()` return: what a handler of SIGTERM calls."""
        self._stopped.set()

    @property
    def running(self) -> frozenset[str]:
        """The runs that are under way in this process, as "reference#number"."""
        return self._engine.running

    async def recover(self) -> list[str]:
        """Take over the work of dead processes now; the heartbeat does it regularly.

        Dead is whose last beat is older than `dead_after`, by the server's clock. Several workers
        may do it at once, and nothing breaks when the dead turns out to have been paused only.
        """
        held = await self._engine.held()
        # Asked afterwards: who began to hold work in between has beaten before that.
        alive = await self._registry.alive(dead_after=self._dead_after)
        dead = set(held.values()) - alive - {self._executor_id}
        taken = await self._engine.recover(dead) if dead else []
        if taken:
            log.warning("took over %s from %s", ", ".join(taken), ", ".join(sorted(dead)))
        return taken + await self._recover_dropped(held)

    # -- inside

    async def _recover_dropped(self, held: Mapping[str, str]) -> list[str]:
        """Take back what this process holds but does not run: DBOS took it from the queue and
        lost it, because the database went away in between. What it began a moment ago looks
        the same, so only what was dropped at the last look, too, counts."""
        ours = {key for key, executor_id in held.items() if executor_id == self._executor_id}
        dropped = ours - self._engine.running
        lost, self._dropped = dropped & self._dropped, dropped
        for key in sorted(lost):
            log.warning("%s was dropped by the engine: back on the queue", key)
            await self._engine.requeue(key)
        return sorted(lost)

    async def _start(self) -> None:
        stack = self._stack
        stack.callback(self._registry.close)
        await install(self._dsn, schema=self._schema)
        # In this order, so that on leaving the work is over before the client goes.
        client = await stack.enter_async_context(self._client_factory())
        await self._bind(client)
        journal = self._journal
        if journal is None:
            journal = await stack.enter_async_context(PostgresJournal(self._dsn))
        await self._take_executor_id()
        stack.push_async_callback(self._leave)
        self._pulse = asyncio.create_task(self._beat())
        stack.push_async_callback(self._end_pulse)
        stack.push_async_callback(self._engine.stop, grace=self._grace)
        steps = PurchaseSteps(
            client=client,
            journal=journal,
            rules=self._rules,
            wait_for=self._wait_for,
            patience=self._patience,
        )

        async def purchase(request: Json) -> Json:
            return await run.purchase(steps, self._engine.durably, request)

        await self._engine.start(
            purchase, concurrency=self._concurrency, poll_every=self._poll_every
        )

    async def _bind(self, client: Client) -> None:
        ours = Binding(client.origin, client.account)
        bound = await self._registry.bind(ours)
        if bound != ours:
            raise WorkerMisconfigured(
                f"the workers of schema {self._schema!r} buy at {bound}, this client at {ours}. "
                "References are unique per schema: give every API and account one of its own"
            )

    async def _take_executor_id(self) -> None:
        seen = await self._registry.last_beat(self._executor_id)
        while not await self._registry.enter(
            executor_id=self._executor_id,
            incarnation=self._incarnation,
            version=self._version,
            dead_after=self._dead_after,
        ):
            beat = await self._registry.last_beat(self._executor_id)
            if seen is not None and beat not in {seen, None}:
                raise ExecutorIdInUse(
                    f"the executor id {self._executor_id!r} belongs to a process that is alive. "
                    "Two healthy processes that share an id re-run each other's steps: give every "
                    "process an id of its own"
                )
            seen = beat
            log.info("waiting until the last process called %s is surely dead", self._executor_id)
            await asyncio.sleep(self._heartbeat / 2)

    async def _leave(self) -> None:
        try:
            await self._registry.leave(executor_id=self._executor_id, incarnation=self._incarnation)
        except psycopg.Error as error:  # it will look dead by itself soon
            log.warning("could not sign off: %s", error)

    async def _beat(self) -> None:
        while True:
            try:
                ours = await self._registry.beat(
                    executor_id=self._executor_id,
                    incarnation=self._incarnation,
                    version=self._version,
                )
            except psycopg.Error as error:
                log.warning("the heartbeat failed: %s", error)
            else:
                if not ours:
                    break
                await self._recover_quietly()
            await asyncio.sleep(self._heartbeat)
        await self._engine.stop(grace=0)
        raise ExecutorIdInUse(
            f"another process took over the executor id {self._executor_id!r}, because nothing "
            f"was heard of this one for {self._dead_after:g} s. It has stopped"
        )

    async def _recover_quietly(self) -> None:
        try:
            await self.recover()
        except Exception:  # whatever the database says: the next beat tries again
            log.exception("could not look for the work of dead processes")

    async def _end_pulse(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            await asyncio.gather(self._pulse, return_exceptions=True)

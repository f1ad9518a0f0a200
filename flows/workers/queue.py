"""PurchaseQueue: ask for purchases and see what became of them, from any process.

It runs nothing and needs no API key: what a web backend holds.
"""

import asyncio
import enum
from collections import Counter
from types import TracebackType
from typing import Self

import attrs

from flows.buy_did import new_reference
from flows.journal import Purchase, PurchaseJournal, PurchaseKey, State
from flows.journal.postgres import PostgresJournal
from flows.script import PurchaseRequest
from flows.workers import engine
from flows.workers.documents import Json, Outcome, dump_request, load_outcome
from flows.workers.engine import OPEN, WorkflowStatus
from flows.workers.errors import RequestMismatch
from flows.workers.registry import Binding, Registry
from flows.workers.steps import FREE

__all__ = ["PurchaseQueue", "PurchaseStatus", "Stage", "VersionLoad"]

BETWEEN = "#"  # not a character of references
FINAL = frozenset({State.COMPLETED, State.CANCELED})
ANY_VERSION = "(any)"


class Stage(enum.StrEnum):
    """Where a run stands in the engine."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the run itself broke: see the workers' log; the journal knows the purchase


STAGES = {
    "DELAYED": Stage.QUEUED,
    "ENQUEUED": Stage.QUEUED,
    "PENDING": Stage.RUNNING,
    "SUCCESS": Stage.DONE,
}


@attrs.frozen(kw_only=True)
class PurchaseStatus:
    """Where a purchase stands. `run` counts from 1.

    `purchase` is the journal's record as it is now, and the truth; `outcome` is what the run
    ended with (None before that). `executor_id`: who runs it, or ran it last.
    """

    reference: str
    run: int
    stage: Stage
    purchase: Purchase | None
    outcome: Outcome | None = None
    executor_id: str | None = None
    version: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, well or not."""
        return self.stage in {Stage.DONE, Stage.FAILED}


@attrs.frozen(kw_only=True)
class VersionLoad:
    """How many runs of an application version are not over."""

    queued: int
    running: int


class PurchaseQueue:
    """The way in, and the window.

    async with PurchaseQueue(dsn) as purchases:
        reference = await purchases.enqueue(PurchaseRequest(country="US", npa="212", ...))
        status = await purchases.wait(reference, timeout=60)
    """

    def __init__(
        self,
        dsn: str,
        *,
        queue: str = "purchases",
        schema: str = "dbos",
        journal: PurchaseJournal | None = None,
    ) -> None:
        """`dsn`, `queue`, `schema` as the workers have them; `journal` the same as theirs, by
        default the one in `dsn`. Nothing is connected before the first call."""
        self._queue = queue
        self._client = engine.connect(dsn, schema=schema)
        self._registry = Registry(dsn, schema=schema)
        self._binding: Binding | None = None
        self._own = PostgresJournal(dsn) if journal is None else None
        self._journal: PurchaseJournal = journal or self._own  # type: ignore[assignment]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self._client.destroy)
        self._registry.close()
        if self._own is not None:
            await self._own.aclose()

    async def enqueue(self, request: PurchaseRequest) -> str:
        """Have a purchase made, and return its reference (a new one if the request has none).

        Asking again with the same request is the same purchase: while a run is open, or when it
        is completed or canceled, nothing is enqueued. After a run that ended otherwise (refused,
        expired, nothing planned, unknown, still pending) another run begins; it never sends what
        is unknown. The limits in the request are what protects from a price that changed while
        it was in the queue.

        Raises RequestMismatch when the reference stands for another request that is not proven
        to be not bought; NotInstalled.
        """
        await self._bound()  # says NotInstalled in our words, before the engine says it in its own
        reference = request.reference or new_reference()
        document = dump_request(attrs.evolve(request, reference=reference))
        while True:
            last = await self._last(reference)
            if last is None:
                number = 1
            elif await self._same_purchase(reference, last, document):
                return reference
            else:
                number = _number(last) + 1
            workflow_id = f"{reference}{BETWEEN}{number}"
            if await engine.enqueue_once(
                self._client, workflow_id=workflow_id, queue=self._queue, document=document
            ):
                return reference
            # Somebody else was faster: look at what they enqueued.

    async def status(self, reference: str) -> PurchaseStatus | None:
        """Where the purchase stands, by its last run; None when it was never enqueued.

        Raises NotInstalled.
        """
        await self._bound()
        last = await self._last(reference)
        if last is None:
            return None
        stage = STAGES.get(last.status, Stage.FAILED)
        return PurchaseStatus(
            reference=reference,
            run=_number(last),
            stage=stage,
            purchase=await self._record(reference),
            outcome=load_outcome(last.output) if stage is Stage.DONE and last.output else None,
            executor_id=last.executor_id,
            version=last.app_version,
        )

    async def wait(self, reference: str, *, timeout: float, every: float = 0.5) -> PurchaseStatus:
        """Look every so many seconds until the run is over, or `timeout` seconds have passed.

        Returns the status as it is then. Raises LookupError when it was never enqueued.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            status = await self.status(reference)
            if status is None:
                raise LookupError(f"the purchase {reference} was never enqueued")
            if status.is_over or loop.time() + every > deadline:
                return status
            await asyncio.sleep(every)

    async def load_by_version(self) -> dict[str, VersionLoad]:
        """How much is open per application version; "(any)" is what no worker has taken yet.

        A version that is not in it is drained: its last worker may be stopped.
        """
        found = await self._client.list_workflows_async(
            status=list(OPEN), queue_name=self._queue, load_input=False, load_output=False
        )
        counted = Counter(
            (item.app_version or ANY_VERSION, item.status == "PENDING") for item in found
        )
        return {
            version: VersionLoad(queued=counted[version, False], running=counted[version, True])
            for version in sorted({version for version, _ in counted})
        }

    async def make_latest(self, version: str) -> None:
        """Let new purchases go to the workers of this version: after going back to an older one.

        A version becomes the latest when it starts for the first time, not when it starts again.
        """
        await self._client.set_latest_application_version_async(version)

    # -- inside

    async def _last(self, reference: str) -> WorkflowStatus | None:
        found = await self._client.list_workflows_async(workflow_id_prefix=f"{reference}{BETWEEN}")
        return max(found, key=_number, default=None)

    async def _same_purchase(self, reference: str, last: WorkflowStatus, document: Json) -> bool:
        """Whether the last run is all that is asked for. Raises RequestMismatch."""
        record = await self._record(reference)
        is_open = last.status in OPEN
        free = not is_open and (record is None or record.state in FREE)
        if not free and _request(last) != document:
            raise RequestMismatch(
                f"the reference {reference} already stands for another request. Nothing was "
                "enqueued; a new purchase needs a new reference"
            )
        return is_open or (record is not None and record.state in FINAL)

    async def _record(self, reference: str) -> Purchase | None:
        bound = await self._bound()
        if bound is None:  # no worker was ever started: nothing can have been bought
            return None
        key = PurchaseKey(origin=bound.origin, account=bound.account, reference=reference)
        return await self._journal.read(key)

    async def _bound(self) -> Binding | None:
        """What the workers buy for; it never changes once it is there."""
        if self._binding is None:
            self._binding = await self._registry.bound()
        return self._binding


def _number(run: WorkflowStatus) -> int:
    return int(run.workflow_id.rpartition(BETWEEN)[2])


def _request(run: WorkflowStatus) -> Json | None:
    arguments = () if run.input is None else run.input["args"]
    return arguments[0] if arguments else None

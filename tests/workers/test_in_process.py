"""A worker inside the test's own event loop: as it may live in a backend."""

import asyncio
import subprocess
import sys

import psycopg
import pytest
import sqlalchemy
from dbos import DBOS
from purchases import HURRIED, references
from waiting import until
from workers.kit import KEY, request
from workers.kit import worker as worker_process

from didww_async import Client
from didww_async.simulator import AnswerLate, Simulator
from flows.journal import MemoryJournal, SqliteJournal, State
from flows.workers import PurchaseQueue, PurchaseStatus, PurchaseWorker, WorkerMisconfigured

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.mark.parametrize("again", [1, 2])
async def test_a_worker_lives_in_any_event_loop_and_leaves_it_as_it_was(
    dsn: str, sim: Simulator, again: int
) -> None:
    made = PurchaseWorker(
        dsn=dsn,
        executor_id=f"here-{again}",
        application_version="1",
        client_factory=lambda: Client(api_key=KEY, base_url=sim.base_url),
        heartbeat=0.2,
        dead_after=1.0,
        poll_every=0.1,
    )
    async with PurchaseQueue(dsn) as purchases, made as worker:
        working = asyncio.create_task(worker.run())
        await purchases.enqueue(request("p-1"))
        status = await purchases.wait("p-1", timeout=15, every=0.05)
        assert status.outcome is not None
        assert State.COMPLETED is status.outcome.state
        assert frozenset() == worker.running
        assert [] == await worker.recover()
        worker.stop()
        await working
    assert "a thread" == await asyncio.to_thread(str, "a thread")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"executor_id": "local"}, "re-run each other's steps"),
        ({"executor_id": ""}, "re-run each other's steps"),
        ({"application_version": ""}, "not pinned"),
        ({"dsn": "sqlite:///here.db"}, "PostgreSQL"),
        ({"dsn": "host=here"}, "PostgreSQL"),
        ({"heartbeat": 10.0, "dead_after": 20.0}, "three times"),
        ({"heartbeat": 0.0}, "three times"),
        ({"journal": MemoryJournal()}, "MemoryJournal is not shared"),
    ],
)
def test_what_would_not_be_safe_is_refused_with_its_reason(
    settings: dict[str, object], why: str
) -> None:
    good = {"dsn": NOWHERE, "executor_id": "one", "application_version": "1"}
    PurchaseWorker(**good)
    with pytest.raises(WorkerMisconfigured, match=why):
        PurchaseWorker(**(good | settings))


def test_the_default_journal_of_one_machine_is_refused(tmp_path: object) -> None:
    with pytest.raises(WorkerMisconfigured, match="SqliteJournal is not shared"):
        PurchaseWorker(
            dsn=NOWHERE,
            executor_id="one",
            application_version="1",
            journal=SqliteJournal(f"{tmp_path}/journal"),
        )


@pytest.mark.parametrize("missing", ["executor_id", "application_version"])
def test_neither_id_nor_version_has_a_default(missing: str) -> None:
    good = {"dsn": NOWHERE, "executor_id": "one", "application_version": "1"}
    del good[missing]
    with pytest.raises(TypeError, match=missing):
        PurchaseWorker(**good)


def test_flows_does_not_bring_the_engine() -> None:
    code = "import flows, sys; sys.exit('dbos' in sys.modules or 'psycopg' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


async def test_what_the_engine_took_and_dropped_is_put_back(
    dsn: str, sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    made = PurchaseWorker(
        dsn=dsn,
        executor_id="here",
        application_version="1",
        client_factory=lambda: Client(api_key=KEY, base_url=sim.base_url),
        rules=HURRIED,
        heartbeat=0.2,
        dead_after=1.0,
        poll_every=0.1,
    )
    sim.inject(AnswerLate(0.5), method="POST", path="/orders")
    async with PurchaseQueue(dsn) as purchases, made as worker:
        await purchases.enqueue(request("p-1"))
        await until(lambda: sim.orders)
        assert frozenset({"p-1#1"}) == worker.running
        for task in asyncio.all_tasks():
            if "_execute_workflow_async" in repr(task.get_coro()):
                task.cancel()
        status = await purchases.wait("p-1", timeout=15, every=0.05)
        assert status.outcome is not None
        assert State.COMPLETED is status.outcome.state
    assert "p-1#1 was dropped by the engine" in caplog.text
    assert 1 == len(sim.orders)


async def test_a_database_that_drops_all_connections_in_the_middle(
    dsn: str, sim: Simulator
) -> None:
    sim.inject(AnswerLate(1.0), method="POST", path="/orders", times=3)
    several = [f"p-{number}" for number in range(3)]
    async with PurchaseQueue(dsn) as purchases, worker_process(dsn, sim.base_url, "one"):
        for reference in several:
            await purchases.enqueue(request(reference))
        await until(lambda: sim.orders)
        with psycopg.connect(dsn, autocommit=True) as connection:
            for _ in range(5):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                await asyncio.sleep(0.3)
        for reference in several:
            status = await wait_stubbornly(purchases, reference)
            assert status.outcome is not None
            assert State.COMPLETED is status.outcome.state
    assert several == sorted(map(str, references(sim)))


async def wait_stubbornly(purchases: PurchaseQueue, reference: str) -> PurchaseStatus:
    """Wait over connections that were dropped: the client's pool may hold some."""
    for _ in range(10):
        try:
            return await purchases.wait(reference, timeout=15, every=0.05)
        except sqlalchemy.exc.OperationalError:
            continue
    pytest.fail("the database stayed away")


async def test_a_process_that_uses_dbos_already_is_refused_and_keeps_its_own(
    dsn: str, sim: Simulator
) -> None:
    theirs = DBOS(config={"name": "theirs", "system_database_url": dsn, "executor_id": "theirs"})
    try:
        with pytest.raises(WorkerMisconfigured, match="one per process"):
            async with PurchaseWorker(
                dsn=dsn,
                executor_id="ours",
                application_version="1",
                client_factory=lambda: Client(api_key=KEY, base_url=sim.base_url),
            ):
                pytest.fail("it must not start")
        assert "theirs" == DBOS.executor_id
        assert theirs is DBOS(config={"name": "asked-again"})
    finally:
        DBOS.destroy()

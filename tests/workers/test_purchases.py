"""Purchases through real worker processes: enqueued here, bought there."""

import asyncio
import sys
from decimal import Decimal

import psycopg
import pytest
from purchases import posts, simulator_process
from workers.kit import KEY, dispatches, everything_in, orders_at, request, worker

from didww_async.simulator import DropBefore, ServerFault, Simulator
from flows.journal import State
from flows.workers import NotInstalled, PurchaseQueue, RequestMismatch, Stage, VersionLoad

ENQUEUE = """
import asyncio, sys
from flows.workers import PurchaseQueue
from workers.kit import request
async def main():
    async with PurchaseQueue(sys.argv[1]) as purchases:
        sys.stdin.readline()
        print(*await asyncio.gather(*(purchases.enqueue(request("twice")) for _ in range(5))))
asyncio.run(main())
"""


async def test_a_purchase_from_end_to_end(dsn: str) -> None:
    async with (
        simulator_process(api_key=KEY, completes_after=0.05) as url,
        PurchaseQueue(dsn) as purchases,
    ):
        assert await purchases.status("p-1") is None
        assert "p-1" == await purchases.enqueue(request("p-1"))
        waiting = await purchases.status("p-1")
        assert waiting is not None
        assert (Stage.QUEUED, None, False) == (waiting.stage, waiting.purchase, waiting.is_over)
        assert {"(any)": VersionLoad(queued=1, running=0)} == await purchases.load_by_version()

        async with worker(dsn, url, "one") as process:
            status = await purchases.wait("p-1", timeout=15, every=0.05)
            assert 0 == await process.stop()

        assert (Stage.DONE, 1) == (status.stage, status.run)
        assert ("one", "1") == (status.executor_id, status.version)
        outcome = status.outcome
        assert outcome is not None
        assert outcome.problem is None
        assert State.COMPLETED is outcome.state
        assert outcome.is_bought
        assert outcome.purchase == status.purchase
        assert outcome.purchase is not None
        assert 1 == len(outcome.numbers)
        assert [("p-1", outcome.purchase.order_id)] == await orders_at(url)
        assert {} == await purchases.load_by_version()
    assert KEY not in everything_in(dsn)
    assert "p-1" in everything_in(dsn)


async def test_what_the_engine_stores_is_json(dsn: str, sim: Simulator) -> None:
    async with PurchaseQueue(dsn) as purchases, worker(dsn, sim.base_url, "one"):
        await purchases.enqueue(request("p-1", max_monthly=Decimal("4.50")))
        await purchases.wait("p-1", timeout=15, every=0.05)
    steps = ["recall", "choose", "offer", "quote", "order", "wait"]
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT function_name, output::json, serialization "
            "FROM dbos.operation_outputs ORDER BY function_id"
        ).fetchall()
        assert steps == [name for name, _, _ in found]
        assert {"portable_json"} == {serialization for _, _, serialization in found}
        for table, column in (("workflow_input", "inputs"), ("workflow_output", "output")):
            query = f"SELECT {column}::json FROM dbos.{table}"  # noqa: S608
            assert connection.execute(query).fetchone()


async def test_asked_twice_and_from_two_processes_it_is_one_purchase(
    dsn: str, sim: Simulator
) -> None:
    askers = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            ENQUEUE,
            dsn,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        for _ in range(2)
    ]
    async with PurchaseQueue(dsn) as purchases, worker(dsn, sim.base_url, "one"):
        said = await asyncio.gather(*(asker.communicate(b"\n") for asker in askers))
        assert [b"twice twice twice twice twice\n"] * 2 == [out for out, _ in said]
        await purchases.wait("twice", timeout=15, every=0.05)
        assert "twice" == await purchases.enqueue(request("twice"))  # over, and no second run
        with pytest.raises(RequestMismatch):
            await purchases.enqueue(request("twice", quantity=2))
    assert {"twice#1": 1} == dispatches(dsn)
    assert 1 == len(sim.orders)


async def test_an_unknown_outcome_is_a_result_and_another_run_only_looks(
    dsn: str, sim: Simulator
) -> None:
    sim.inject(DropBefore(), method="POST", path="/orders")
    async with (
        PurchaseQueue(dsn) as purchases,
        worker(dsn, sim.base_url, "one", rules="gives up soon"),
    ):
        await purchases.enqueue(request("lost"))
        first = await purchases.wait("lost", timeout=15, every=0.05)
        await purchases.enqueue(request("lost"))
        second = await purchases.wait("lost", timeout=15, every=0.05)
        with pytest.raises(RequestMismatch):  # it may be bought: nothing else in its place
            await purchases.enqueue(request("lost", quantity=2))
    for run, status in enumerate((first, second), 1):
        assert (Stage.DONE, run) == (status.stage, status.run)
        assert status.outcome is not None
        assert status.outcome.problem is not None
        assert State.UNKNOWN is status.outcome.state
        assert "OrderOutcomeUnknown" == status.outcome.problem.type
    assert 1 == posts(sim)
    assert [] == sim.orders


async def test_a_refused_purchase_may_be_run_again_also_for_another_request(
    dsn: str, sim: Simulator
) -> None:
    async with PurchaseQueue(dsn) as purchases, worker(dsn, sim.base_url, "one"):
        sim.balance = Decimal(0)
        await purchases.enqueue(request("again"))
        broke = await purchases.wait("again", timeout=15, every=0.05)
        assert broke.outcome is not None
        assert broke.outcome.problem is not None
        assert (None, "BalanceTooLow") == (broke.outcome.state, broke.outcome.problem.type)

        sim.balance = Decimal(100)
        await purchases.enqueue(request("again", quantity=2))
        bought = await purchases.wait("again", timeout=15, every=0.05)
        assert bought.outcome is not None
        assert (2, State.COMPLETED) == (bought.run, bought.outcome.state)
        assert 2 == len(bought.outcome.numbers)
    assert 1 == len(sim.orders)


async def test_a_step_waits_for_an_api_that_is_away_and_gives_up_in_words(
    dsn: str, sim: Simulator
) -> None:
    async with (
        PurchaseQueue(dsn) as purchases,
        worker(dsn, sim.base_url, "one", patience=0.3, wait_for=0.2),
    ):
        sim.inject(ServerFault(), method="GET", times=None)
        await purchases.enqueue(request("away"))
        status = await purchases.wait("away", timeout=30, every=0.05)
    assert status.outcome is not None
    assert status.outcome.problem is not None
    assert (Stage.DONE, "ServerFailed") == (status.stage, status.outcome.problem.type)
    assert status.outcome.purchase is None


async def test_a_database_without_tables_is_said_so(dsn: str) -> None:
    async with PurchaseQueue(dsn, schema="elsewhere") as purchases:
        with pytest.raises(NotInstalled):
            await purchases.enqueue(request("p-1"))
        with pytest.raises(NotInstalled):
            await purchases.status("p-1")

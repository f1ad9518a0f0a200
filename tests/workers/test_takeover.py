"""Several workers: who takes over from whom, and when a dead one turns out to be alive."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack

import pytest
from purchases import posts, references
from waiting import until
from workers.kit import KEY, dispatches, is_stopped, orders_at, request, worker

from didww_async import Client
from didww_async.simulator import AnswerLate, Simulator
from flows.journal import State
from flows.workers import (
    ExecutorIdInUse,
    PurchaseQueue,
    PurchaseWorker,
    Stage,
    VersionLoad,
    WorkerMisconfigured,
)

PAUSABLE = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


async def test_two_survivors_share_what_a_dead_worker_left_and_nothing_runs_a_third_time(
    dsn: str, sim: Simulator
) -> None:
    several = [f"p-{number}" for number in range(4)]
    sim.inject(AnswerLate(3.0), method="POST", path="/orders", times=len(several))
    async with PurchaseQueue(dsn) as purchases, AsyncExitStack() as survivors:
        async with worker(dsn, sim.base_url, "dead") as dead:
            for reference in several:
                await purchases.enqueue(request(reference))
            await until(lambda: len(sim.orders) == len(several))
            await dead.kill()
        # Long enough that neither takes the other, if the machine is busy, for dead.
        both = [worker(dsn, sim.base_url, name, dead_after=5.0) for name in ("b", "c")]
        await asyncio.gather(*map(survivors.enter_async_context, both))
        for reference in several:
            status = await purchases.wait(reference, timeout=40, every=0.05)
            assert status.outcome is not None
            assert State.COMPLETED is status.outcome.state
            assert status.executor_id in {"b", "c"}
    assert several == sorted(map(str, references(sim)))
    assert {f"{reference}#1": 2 for reference in several} == dispatches(dsn)


@PAUSABLE
@pytest.mark.parametrize("given_up", [False, True])
async def test_a_worker_that_is_paused_after_its_claim_and_comes_back_buys_once(
    dsn: str, sim: Simulator, *, given_up: bool
) -> None:
    async with (
        PurchaseQueue(dsn) as purchases,
        worker(dsn, sim.base_url, "paused", crash="pause after claim") as paused,
    ):
        await purchases.enqueue(request("p-1"))
        await until(lambda: is_stopped(paused))
        async with worker(dsn, sim.base_url, "survivor") as survivor:
            if given_up:
                status = await purchases.wait("p-1", timeout=20, every=0.05)
                assert status.outcome is not None
                assert State.UNKNOWN is status.outcome.state
            else:
                await until(lambda: dispatches(dsn) == {"p-1#1": 2})
            assert 0 == posts(sim)
            paused.signal(signal.SIGCONT)
            await until(lambda: sim.orders)
            status = await purchases.wait("p-1", timeout=20, every=0.05)
            assert ("survivor", Stage.DONE) == (status.executor_id, status.stage)
            assert 0 == await survivor.stop()
        # The one that came back is well: it takes the next purchase.
        await purchases.enqueue(request("p-2"))
        second = await purchases.wait("p-2", timeout=20, every=0.05)
        assert ("paused", State.COMPLETED) == (second.executor_id, second.outcome.state)
        first = await purchases.status("p-1")
    assert 2 == posts(sim)
    assert first is not None
    assert first.purchase is not None
    assert second.purchase is not None
    known = [("p-1", first.purchase.order_id), ("p-2", second.purchase.order_id)]
    assert known == await orders_at(sim.base_url)


@PAUSABLE
async def test_a_worker_that_is_paused_in_its_post_does_not_hurt(dsn: str, sim: Simulator) -> None:
    sim.inject(AnswerLate(0.5), method="POST", path="/orders")
    async with (
        PurchaseQueue(dsn) as purchases,
        worker(dsn, sim.base_url, "paused") as paused,
        worker(dsn, sim.base_url, "survivor", poll_every=0.1),
    ):
        await purchases.enqueue(request("p-1"))
        await until(lambda: sim.orders)
        first = await purchases.status("p-1")
        assert first is not None
        if first.executor_id == "paused":
            paused.signal(signal.SIGSTOP)
        status = await purchases.wait("p-1", timeout=20, every=0.05)
        paused.signal(signal.SIGCONT)
        assert status.outcome is not None
        assert State.COMPLETED is status.outcome.state
    assert 1 == posts(sim)


async def test_a_worker_that_is_stopped_hands_over_at_once(dsn: str) -> None:
    async with (
        Simulator(api_key=KEY, rate_limit=None, completes_after=3600) as sim,
        PurchaseQueue(dsn) as purchases,
        worker(dsn, sim.base_url, "first", grace=0.0) as first,
    ):
        await purchases.enqueue(request("p-1"))
        await until(lambda: sim.orders)
        assert 0 == await first.stop()
        # It would take a minute to call the first one dead.
        async with worker(dsn, sim.base_url, "second", dead_after=60.0):
            await until(lambda: dispatches(dsn) == {"p-1#1": 2})
            sim.complete(sim.orders[0].id)
            status = await purchases.wait("p-1", timeout=20, every=0.05)
            assert "second" == status.executor_id
            assert status.outcome is not None
            assert State.COMPLETED is status.outcome.state
    assert 1 == posts(sim)


def in_this_process(dsn: str, sim: Simulator, executor_id: str) -> PurchaseWorker:
    return PurchaseWorker(
        dsn=dsn,
        executor_id=executor_id,
        application_version="1",
        client_factory=lambda: Client(api_key=KEY, base_url=sim.base_url),
        heartbeat=0.2,
        dead_after=30.0,  # what lives may well be slow
        poll_every=0.1,
    )


@PAUSABLE
async def test_an_executor_id_belongs_to_one_living_process(dsn: str, sim: Simulator) -> None:
    async with worker(dsn, sim.base_url, "slot-1") as first:
        with pytest.raises(ExecutorIdInUse, match="re-run each other's steps"):
            async with in_this_process(dsn, sim, "slot-1"):
                pytest.fail("it must not start")

        first.signal(signal.SIGSTOP)
        async with worker(dsn, sim.base_url, "slot-1") as second:
            first.signal(signal.SIGCONT)
            assert 1 == await first.died()  # it notices, and stops by itself
            assert second.returncode is None


async def test_workers_of_another_api_or_account_need_another_schema(
    dsn: str, sim: Simulator
) -> None:
    async with worker(dsn, sim.base_url, "one"), Simulator(api_key=KEY) as other:
        with pytest.raises(WorkerMisconfigured, match="References are unique per schema"):
            async with in_this_process(dsn, other, "two"):
                pytest.fail("it must not start")


async def test_a_version_is_drained_by_workers_of_that_version(dsn: str, sim: Simulator) -> None:
    async with PurchaseQueue(dsn) as purchases:
        async with worker(dsn, sim.base_url, "old", crash="after record") as old:
            await purchases.enqueue(request("p-1"))
            await old.died()
        async with worker(dsn, sim.base_url, "new", application_version="2"):
            await purchases.enqueue(request("p-2"))
            await purchases.wait("p-2", timeout=20, every=0.05)
            left = await purchases.load_by_version()
            assert {"1": VersionLoad(queued=0, running=1)} == left

            async with worker(dsn, sim.base_url, "old-again") as drain:
                await purchases.wait("p-1", timeout=20, every=0.05)
                assert {} == await purchases.load_by_version()
                await purchases.enqueue(request("p-3"))
                latest = await purchases.wait("p-3", timeout=20, every=0.05)
                assert "2" == latest.version  # new work does not go to the old version ...

                await purchases.make_latest("1")
                await purchases.enqueue(request("p-4"))
                back = await purchases.wait("p-4", timeout=20, every=0.05)
                assert "1" == back.version  # ... unless it is made the latest again
                assert 0 == await drain.stop()
    assert 4 == len(sim.orders)

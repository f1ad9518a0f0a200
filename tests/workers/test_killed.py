"""kill -9 at every point of the order protocol: one order at most, and the journal knows it.

A victim per point buys until it kills itself (or is killed) there. Afterwards its purchases are
carried on, by another worker or by the victim started again.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest
from purchases import NEW_YORK_GROUP, posts, references
from waiting import until
from workers.kit import dispatches, orders_at, request, worker

from didww_async.simulator import AnswerLate, Delay, Simulator
from flows.journal import State
from flows.workers import PurchaseQueue, Stage

BY_ITSELF = {
    "before-claim": State.COMPLETED,
    "after-claim": State.UNKNOWN,  # the safe direction: a person decides
    "before-record": State.COMPLETED,
    "after-record": State.COMPLETED,
}
IN_THE_POST = {"in-the-post-acted": State.COMPLETED, "in-the-post-unread": State.COMPLETED}
POINTS = BY_ITSELF | IN_THE_POST
# The server acts when a survivor has looked already: who sends then buys twice.
ACTS_LATE = 2.2
FOR_EVER = 60.0  # victims must not take over from each other


async def killed(dsn: str, sim: Simulator, purchases: PurchaseQueue, point: str) -> None:
    """Let one worker take one purchase and die at the point."""
    crash = point.replace("-", " ") if point in BY_ITSELF else ""
    before = posts(sim)

    def acted() -> bool:
        return point in references(sim)

    async with worker(dsn, sim.base_url, point, crash=crash, dead_after=FOR_EVER) as victim:
        match point:
            case "in-the-post-unread":
                sim.inject(Delay(ACTS_LATE), method="POST", path="/orders")
            case "in-the-post-acted":
                sim.inject(AnswerLate(5.0), method="POST", path="/orders")
        await purchases.enqueue(request(point))
        if point == "in-the-post-unread":
            await until(lambda: posts(sim) > before)
            assert not acted()
            await victim.kill()
        elif point == "in-the-post-acted":
            await until(acted)
            await victim.kill()
        assert -9 == await victim.died()
    status = await purchases.status(point)
    assert status is not None
    assert (Stage.RUNNING, point) == (status.stage, status.executor_id)


@pytest.mark.parametrize(
    ("how", "points"),
    [("taken over", list(POINTS)), ("restarted", ["after-claim", "before-record", "after-record"])],
)
async def test_one_order_at_most_and_none_is_lost(
    dsn: str, sim: Simulator, how: str, points: list[str]
) -> None:
    async with PurchaseQueue(dsn) as purchases, AsyncExitStack() as workers:
        for point in points:
            await killed(dsn, sim, purchases, point)
        names = ["survivor"] if how == "taken over" else points
        await asyncio.gather(
            *(
                workers.enter_async_context(
                    worker(dsn, sim.base_url, name, heartbeat=0.1, dead_after=0.5)
                )
                for name in names
            )
        )
        found = {point: await purchases.wait(point, timeout=20, every=0.05) for point in points}
    assert dict.fromkeys(points, Stage.DONE) == {k: status.stage for k, status in found.items()}
    states = {point: status.outcome and status.outcome.state for point, status in found.items()}
    assert {point: POINTS[point] for point in points} == states
    known = {
        (point, status.purchase.order_id)
        for point, status in found.items()
        if status.purchase is not None and status.purchase.order_id is not None
    }
    assert known == set(await orders_at(sim.base_url))
    assert len(points) - 1 == len(sim.orders)
    if how == "taken over":
        assert {f"{point}#1": 2 for point in points} == dispatches(dsn)


async def test_a_refusal_that_was_not_reported_is_not_tried_once_more(
    dsn: str, sim: Simulator
) -> None:
    sim.inject(Delay(0.3), method="POST", path="/orders")
    async with PurchaseQueue(dsn) as purchases:
        async with worker(dsn, sim.base_url, "victim", crash="after refusal") as victim:
            await purchases.enqueue(request("p-1"))
            await until(lambda: posts(sim))
            sim.set_stock(group_id=NEW_YORK_GROUP, count=0)
            assert -9 == await victim.died()
        sim.set_stock(group_id=NEW_YORK_GROUP, count=10)
        async with worker(dsn, sim.base_url, "survivor"):
            status = await purchases.wait("p-1", timeout=15, every=0.05)
            assert status.outcome is not None
            assert State.REFUSED is status.outcome.state
            assert 1 == posts(sim)

            await purchases.enqueue(request("p-1"))  # a run of its own, and somebody's decision
            again = await purchases.wait("p-1", timeout=15, every=0.05)
            assert again.outcome is not None
            assert (2, State.COMPLETED) == (again.run, again.outcome.state)
    assert 1 == len(sim.orders)

"""Processes killed with SIGKILL at every point of the order protocol, then restarted.

Never two orders and none lost: every order at the server is in the journal in the end. What died
between claim and POST is unknown, for a person to decide; it is not ordered a second time.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from protocol.worker import POINTS
from stores import opened

from didww_async.simulator import AnswerLate, Delay, Fault, ListLate, Simulator
from flows.journal import Purchase, PurchaseKey, State

WORKER = Path(__file__).with_name("worker.py")
KILLED = -signal.SIGKILL


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(rate_limit=None, completes_after=None) as running:
        yield running


async def start(
    where: str, sim: Simulator, point: str, *, reference: str = "ref-1"
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        where,
        sim.base_url,
        reference,
        point,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(WORKER.parent.parent)},
    )


async def finish(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, out.decode()


async def run(where: str, sim: Simulator, point: str) -> tuple[int | None, str]:
    return await finish(await start(where, sim, point))


async def known(where: str, sim: Simulator, reference: str = "ref-1") -> Purchase | None:
    journal = opened(where)
    try:
        return await journal.read(
            PurchaseKey(origin=sim.base_url, account="default", reference=reference)
        )
    finally:
        await journal.aclose()


def posts(sim: Simulator) -> int:
    return sum(request.method == "POST" for request in sim.requests)


# Point -> orders that exist, POSTs that were sent, state after the restart.
EXPECTED = {
    "before the plan": (1, 1, State.ORDERED),
    "after the plan": (1, 1, State.ORDERED),
    "before the claim": (1, 1, State.ORDERED),
    "after the claim": (0, 0, State.UNKNOWN),
    "after the answer, before the journal write": (1, 1, State.ORDERED),
    "after the journal write": (1, 1, State.ORDERED),
}


def test_every_point_has_its_expectation() -> None:
    assert set(POINTS) == set(EXPECTED)


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_point_and_started_again(point: str, where: str, sim: Simulator) -> None:
    assert KILLED == (await run(where, sim, point))[0]
    status, out = await run(where, sim, "nowhere")
    assert 0 == status, out
    found = await known(where, sim)
    assert found is not None
    assert EXPECTED[point] == (len(sim.orders), posts(sim), found.state)
    assert [order.id for order in sim.orders] == ([found.order_id] if found.order_id else [])


@pytest.mark.parametrize(
    ("fault", "when"),
    [
        (Delay(0.5), lambda sim: posts(sim) == 1),  # read, and acted upon after the client's death
        (AnswerLate(5), lambda sim: len(sim.orders) == 1),
    ],
    ids=["before the server acted", "after the server acted"],
)
async def test_killed_during_the_post_and_resumed(
    fault: Fault, when: Callable[[Simulator], bool], where: str, sim: Simulator
) -> None:
    sim.inject(fault, method="POST", path="/orders")
    process = await start(where, sim, "nowhere")
    while not when(sim):
        await asyncio.sleep(0.005)
    process.kill()
    await finish(process)
    found = await known(where, sim)
    assert found is not None
    assert State.SENT is found.state
    status, out = await run(where, sim, "resume")
    assert 0 == status, out
    found = await known(where, sim)
    assert found is not None
    assert (1, 1, State.ORDERED) == (len(sim.orders), posts(sim), found.state)
    assert sim.orders[0].id == found.order_id


async def test_an_order_that_is_listed_late_is_found_by_a_later_sweep(
    where: str, sim: Simulator
) -> None:
    """Killed after the POST; DIDWW shows the order only after 6 s: unknown at first, then found."""
    sim.inject(ListLate(6), method="POST", path="/orders")
    point = "after the answer, before the journal write"
    assert KILLED == (await run(where, sim, point))[0]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 15
    states = []
    while loop.time() < deadline:
        assert 0 == (await run(where, sim, "resume"))[0]
        found = await known(where, sim)
        assert found is not None
        states.append(found.state)
        if found.state is State.ORDERED:
            break
        await asyncio.sleep(1)
    assert (State.UNKNOWN, State.ORDERED) == (states[0], states[-1])
    assert (1, 1) == (len(sim.orders), posts(sim))


async def test_double_click_in_two_processes(where: str, sim: Simulator) -> None:
    sim.inject(AnswerLate(0.3), method="POST", path="/orders")
    both = [await start(where, sim, "nowhere") for _ in range(2)]
    assert [0, 0] == [status for status, _ in [await finish(process) for process in both]]
    assert (1, 1) == (len(sim.orders), posts(sim))


async def test_a_resumer_while_the_first_post_is_on_its_way(where: str, sim: Simulator) -> None:
    sim.inject(AnswerLate(0.8), method="POST", path="/orders")
    first = await start(where, sim, "nowhere")
    while posts(sim) == 0:
        await asyncio.sleep(0.005)
    looked = len(sim.requests)
    resumer = await start(where, sim, "resume")
    assert 0 == (await finish(first))[0]
    assert 0 == (await finish(resumer))[0]
    assert (1, 1) == (len(sim.orders), posts(sim))
    # It watches the journal; only the state of the finished order is read, by its id.
    later = [request for request in sim.requests[looked:] if request.path == "/orders"]
    assert [] == later


async def test_unknown_outcomes_are_at_most_the_orders_in_flight(
    where: str, sim: Simulator
) -> None:
    names = [f"ref-{n}" for n in range(6)]
    processes = [
        await start(where, sim, "after the claim" if n < 2 else "nowhere", reference=name)
        for n, name in enumerate(names)
    ]
    for process in processes:
        await finish(process)
    assert 0 == (await run(where, sim, "resume"))[0]
    found = [await known(where, sim, name) for name in names]
    states = [purchase.state for purchase in found if purchase is not None]
    assert [State.UNKNOWN] * 2 + [State.ORDERED] * 4 == states
    assert 4 == len(sim.orders)

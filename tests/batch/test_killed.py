"""Processes killed with SIGKILL at random moments of a batch, and the batch run again.

No line is bought twice, no order is unknown to the journal, and every line ends bought or unknown;
after the named resend of what is proven absent, every line is bought.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from batch.worker import GROUPS, IN_FLIGHT, RULES, quantity_of
from stores import opened

from didww_async import Client, RateLimit
from didww_async.simulator import Simulator
from flows import resend
from flows.journal import Purchase, State

ZYGOTE = Path(__file__).with_name("worker.py")
LINES = 50
KILLS_PER_BATCH = 10
ENDED = {State.ORDERED, State.COMPLETED}


class Zygote:
    """Starts runs of batches as processes of their own, within milliseconds."""

    def __init__(self, process: asyncio.subprocess.Process, tmp_path: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._ask, self._answers = process.stdin, process.stdout
        self._results = tmp_path / "results.json"

    async def start(self, job: dict[str, Any]) -> int:
        self._results.unlink(missing_ok=True)
        self._ask.write(json.dumps(job | {"results": str(self._results)}).encode() + b"\n")
        return int(await self._answers.readline())

    async def ended(self, pid: int) -> int:
        said = (await asyncio.wait_for(self._answers.readline(), 30)).split()
        assert pid == int(said[0])
        return int(said[1])

    async def run(self, job: dict[str, Any]) -> dict[str, list[Any]]:
        """A run that nobody disturbs."""
        assert 0 == await self.ended(await self.start(job))
        found: dict[str, list[Any]] = json.loads(self._results.read_text())
        return found


@pytest.fixture
async def zygote(tmp_path: Path) -> AsyncIterator[Zygote]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ZYGOTE),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ZYGOTE.parent.parent)},
    )
    yield Zygote(process, tmp_path)
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(
        rate_limit=None, completes_after=0.03, balance="1000000", latency=0.004
    ) as running:
        for group, _ in GROUPS:
            running.set_stock(group_id=group, count=50_000)
        yield running


async def purchases(place: str) -> dict[str, Purchase]:
    journal = opened(place)
    try:
        return {one.reference: one for one in await journal.list()}
    finally:
        await journal.aclose()


def orders_of(sim: Simulator, batch: str) -> Counter[str]:
    names = [str(order.external_reference_id) for order in sim.orders]
    return Counter(name for name in names if name.startswith(f"{batch}."))


async def test_killed_at_random_moments_and_run_again(
    where: str,
    zygote: Zygote,
    sim: Simulator,
) -> None:
    kills = 20 if " " in where else 100  # PostgreSQL: the journal differs, not the batch
    chance = random.Random(kills)
    job = {"journal": where, "base_url": sim.base_url, "lines": LINES}
    await zygote.run(job | {"batch": "warm-up"})
    began = time.monotonic()
    await zygote.run(job | {"batch": "measured"})
    whole = time.monotonic() - began
    killed = unknown = batches = 0
    while killed < kills:
        batches += 1
        batch = f"batch-{batches}"
        for _ in range(KILLS_PER_BATCH):
            open_before = await in_doubt(where)
            pid = await zygote.start(job | {"batch": batch})
            await asyncio.sleep(chance.uniform(0, 0.7 * whole))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if await zygote.ended(pid) != -signal.SIGKILL:
                break
            killed += 1
            assert len(await in_doubt(where) - open_before) <= IN_FLIGHT
        unknown += await check(job | {"batch": batch}, where, zygote, sim)
    took = time.monotonic() - began
    print(
        f"{killed} kills in {batches} batches of {LINES} lines ({whole:.2f} s each without a "
        f"kill), {unknown} orders unknown until resent, {took:.1f} s"
    )


async def in_doubt(place: str) -> set[str]:
    found = await purchases(place)
    return {name for name, one in found.items() if one.state in {State.SENT, State.UNKNOWN}}


async def check(job: dict[str, Any], place: str, zygote: Zygote, sim: Simulator) -> int:
    """Run the batch to its end and look at every promise. Returns the number of unknown orders."""
    batch = str(job["batch"])
    names = [f"{batch}:{n}" for n in range(LINES)]
    found = await zygote.run(job)
    assert set(names) == set(found)
    assert {state for state, *_ in found.values()} <= {"bought", "unknown"}, found
    known = await purchases(place)
    there = orders_of(sim, batch)
    assert {1} >= set(there.values())
    of_batch = {name: one for name, one in known.items() if name.startswith(f"{batch}.")}
    assert set(there) == {name for name, one in of_batch.items() if one.state in ENDED}
    unknown = [name for name, one in of_batch.items() if one.state is State.UNKNOWN]
    assert set(unknown) == {line[2] for line in found.values() if line[0] == "unknown"}
    # A person looked: these are not at DIDWW.
    journal = opened(place)
    async with Client(
        api_key=sim.api_key, base_url=sim.base_url, rate_limit=RateLimit(10_000)
    ) as client:
        for name in unknown:
            await resend(client, journal, name, rules=RULES)
    await journal.aclose()
    found = await zygote.run(job)
    assert {"bought"} == {state for state, *_ in found.values()}, found
    numbers = [number for _, got, *_ in found.values() for number in got]
    wanted = {f"{batch}:{n}": quantity_of(n) for n in range(LINES)}
    assert wanted == {name: len(got) for name, (_, got, *_) in found.items()}
    assert sum(wanted.values()) == len(set(numbers))
    bought = [one for one in sim.orders if str(one.external_reference_id).startswith(f"{batch}.")]
    assert sum(wanted.values()) == sum(one.qty for one in bought)  # nothing beside it
    return len(unknown)

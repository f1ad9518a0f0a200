"""What tests of purchases share: known ids, an order protocol in a hurry, and counters."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from didww_async import Timeouts
from didww_async.simulator import Simulator
from flows import OrderRules

NEW_YORK = "368bf92f-c36e-473f-96fc-d53ed1b4028b"
NEW_YORK_GROUP = "ef7c258f-19b9-478b-ab68-d6b30d00c9f9"
TWO_CHANNELS = "e2406add-fd8a-475c-b959-81e9619d7a4b"
TORONTO_GROUP = "e908e526-92e4-40e2-aa0d-19744122bd1d"
TORONTO_SKU = "e908e526-92e4-40e2-aa0d-197441225000"

HURRIED = OrderRules(
    timeouts=Timeouts(connect=0.5, read=1.0, total=2.0),
    margin=0.0,
    settle_for=1.0,
    head_start=0.3,
    look_every=(0.01, 0.1),
)

# For orders that will not be found: the time to look for them is soon over.
GIVES_UP_SOON = OrderRules(
    timeouts=Timeouts(connect=0.2, read=0.2, total=0.3),
    margin=0.0,
    settle_for=0.2,
    head_start=0.0,
    look_every=(0.01, 0.05),
)


def paths(sim: Simulator, *, start: int = 0) -> list[str]:
    """What the simulator was asked, as "GET /cities"."""
    return [f"{request.method} {request.path}" for request in sim.requests[start:]]


def posts(sim: Simulator) -> int:
    """How many orders were asked for on the wire."""
    return sum(request.method == "POST" for request in sim.requests)


def references(sim: Simulator) -> Iterable[str | None]:
    """The external references of the orders that exist."""
    return [order.external_reference_id for order in sim.orders]


SERVE = """
import asyncio, json, sys
from didww_async.simulator import Simulator
async def main():
    async with Simulator(**json.loads(sys.argv[1])) as sim:
        print(sim.base_url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@asynccontextmanager
async def simulator_process(**options: object) -> AsyncIterator[str]:
    """A simulator in a process of its own, so that a busy client does not slow it down."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVE,
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()

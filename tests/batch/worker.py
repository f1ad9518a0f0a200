"""A zygote: imports everything once, then forks a process for every run of a batch it is told.

Reads one JSON object per line: {"journal": ..., "base_url": ..., "batch": ..., "lines": ...}.
Answers with the pid of the process, and with "PID RETURNCODE" when it has ended. The process
writes its results as JSON into the file "results" names.
"""

import asyncio
import contextlib
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp  # noqa: F401 - imported before the forks, not in each of them
from purchases import NEW_YORK_GROUP, TORONTO_GROUP, TORONTO_SKU, TWO_CHANNELS
from stores import opened

import flows.journal.postgres  # noqa: F401 - as above
from didww_async import Client, RateLimit, Timeouts
from flows import OrderRules, PurchaseRequest
from flows.batch import BatchLine, buy_many
from flows.batch.resolving import ResolvedLine

GROUPS = (
    (NEW_YORK_GROUP, TWO_CHANNELS),
    (TORONTO_GROUP, TORONTO_SKU),
    ("2f338702-727d-42d5-aa7f-5084d6b8a0b2", "2f338702-727d-42d5-aa7f-5084d6b85000"),
)
RULES = OrderRules(
    timeouts=Timeouts(connect=0.2, read=0.25, total=0.3),
    margin=0.0,
    settle_for=0.15,
    head_start=0.05,
    look_every=(0.01, 0.03),
)
IN_FLIGHT = 3


def quantity_of(number: int) -> int:
    """What the line of this number is for."""
    return 1 + number % 2


def request_of(number: int) -> PurchaseRequest:
    return PurchaseRequest(country="US", quantity=quantity_of(number))


class Known:
    """Knows the offer of every line, so that the kills fall into what comes after."""

    async def resolve(self, lines: Sequence[BatchLine]) -> AsyncIterator[ResolvedLine]:
        for line in lines:
            group, sku = GROUPS[line.number % len(GROUPS)]
            yield ResolvedLine(
                line=line,
                sku_id=sku,
                did_group_id=group,
                nanpa_prefix_id=None,
                npanxx=None,
                setup_price=Decimal(10),
                monthly_price=Decimal(10),
            )


async def run(job: dict[str, Any]) -> dict[str, Any]:
    journal = opened(job["journal"])
    found = {}
    async with (
        contextlib.aclosing(journal),
        Client(
            api_key="simulator",
            base_url=job["base_url"],
            rate_limit=RateLimit(10_000),
            max_orders_in_flight=IN_FLIGHT,
        ) as client,
    ):
        lines = [
            # Small fates: every order is for a few lines of its own.
            BatchLine(
                number=n, identity=f"{job['batch']}:{n}", request=request_of(n), fate=str(n // 5)
            )
            for n in range(job["lines"])
        ]
        results = buy_many(
            client,
            lines,
            journal=journal,
            batch=job["batch"],
            rules=RULES,
            resolver=Known(),
            timeout=10,
        )
        async for one in results:
            found[one.line.identity] = (one.state, one.numbers, one.order_reference, str(one.error))
    return found


def report(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    print(pid, os.waitstatus_to_exitcode(status), flush=True)


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                found = asyncio.run(run(job))
                Path(job["results"]).write_text(json.dumps(found))
                code = 0
            finally:
                os._exit(code)
        print(pid, flush=True)
        threading.Thread(target=report, args=(pid,), daemon=True).start()


if __name__ == "__main__":
    main()

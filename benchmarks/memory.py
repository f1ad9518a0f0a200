"""What a call costs in memory while it waits for its turn, beside raw aiohttp.

    python -m benchmarks.memory

Every figure is taken in a fresh process: the resident memory that so many calls in flight add,
divided by their number. The server never answers; 24 connections are open.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from didww_async import Client, RateLimit

__all__ = ["rows"]

CALLS = (1_000, 10_000)
CONNECTIONS = 24
PAGE = 4096  # bytes


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


async def nothing(_: str, run: Callable[[Callable[[], Awaitable[object]]], Awaitable[int]]) -> int:
    """The tasks alone: what the flows themselves keep."""
    return await run(asyncio.Event().wait)


async def client(url: str, run: Callable[[Callable[[], Awaitable[object]]], Awaitable[int]]) -> int:
    """`didww_async.Client`, whose calls wait before their request is built."""
    limit = RateLimit(1_000_000)
    async with Client(
        api_key="k" * 20, base_url=url, rate_limit=limit, max_connections=CONNECTIONS
    ) as found:
        return await run(lambda: found.orders.list(filter={"status": "pending"}))


async def pool(url: str, run: Callable[[Callable[[], Awaitable[object]]], Awaitable[int]]) -> int:
    """Raw aiohttp, whose requests wait for one of as many connections."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        return await run(lambda: session.get(f"{url}/orders", params={"filter[status]": "pending"}))


KINDS = {"tasks alone": nothing, "didww_async": client, "raw aiohttp": pool}


async def measure(kind: str, calls: int) -> int:
    """Bytes that so many calls in flight add to this process."""
    accepted: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _, writer: accepted.append(writer), "127.0.0.1", 0, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]

    async def run(call: Callable[[], Awaitable[object]]) -> int:
        async def flow() -> None:
            await call()

        async def begin(count: int) -> list[asyncio.Task[None]]:
            tasks = [asyncio.create_task(flow()) for _ in range(count)]
            for _ in range(50):
                await asyncio.sleep(0.002)
            return tasks

        tasks = await begin(
            2 * CONNECTIONS
        )  # what loads, connects and is cached is no cost of each
        before = resident()
        tasks += await begin(calls)
        added = resident() - before
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return added

    try:
        return await KINDS[kind](f"http://127.0.0.1:{port}/v3", run)
    finally:
        for writer in accepted:
            writer.close()
        server.close()


def rows() -> list[dict[str, Any]]:
    """Measure every kind and number of calls; one row each."""
    found = []
    for calls in CALLS:
        for kind in KINDS:
            command = [sys.executable, "-m", "benchmarks.memory", kind, str(calls)]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            added = json.loads(done.stdout)
            found.append(
                {"variant": kind, "calls": calls, "bytes": added, "kib_each": added / calls / 1024}
            )
    return found


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'':16}{'in flight':>10}{'KiB each':>10}{'MiB':>8}")
    for row in found:
        total = row["bytes"] / 2**20
        print(f"{row['variant']:16}{row['calls']:>10}{row['kib_each']:>10.1f}{total:>8.1f}")


def main() -> None:
    if len(sys.argv) > 1:
        print(asyncio.run(measure(sys.argv[1], int(sys.argv[2]))))
        return
    print_table(rows())


if __name__ == "__main__":
    main()

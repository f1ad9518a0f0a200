"""How much of the 20 requests per second is used, and how many are refused, by kind of server.

    python -m benchmarks.limiter [SECONDS]

All cases run side by side for a minute: one client with 32 tasks against each kind of server, and
four processes that share one server over Redis (left out when no Redis answers at 127.0.0.1).
"""

import asyncio
import contextlib
import json
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from subprocess import PIPE
from typing import Any

from benchmarks.limited_server import KINDS
from didww_async import Client, RateLimit

PER_SECOND = 20.0
TASKS = 32
REDIS = "redis://127.0.0.1:6379/0"


async def started(*arguments: str) -> asyncio.subprocess.Process:
    """A Python process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdin=PIPE, stdout=PIPE
    )


async def told(process: asyncio.subprocess.Process, line: bytes = b"\n") -> str:
    """What it prints next."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    return (await process.stdout.readline()).decode()


@contextlib.asynccontextmanager
async def server(kind: str, per_second: float) -> AsyncIterator[tuple[str, Callable[[], Any]]]:
    """A limited server's URL, and a function that reads its counts."""
    process = await started("benchmarks.limited_server", kind, str(per_second))
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()

        async def counts() -> Any:
            return json.loads(await told(process))

        yield url, counts
    finally:
        process.kill()
        await process.wait()


async def keep_asking(client: Client, *, seconds: float) -> None:
    """Ask for the balance with many tasks, until the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
            for _ in range(TASKS):
                tasks.create_task(_ask(client))


async def _ask(client: Client) -> None:
    while True:
        await client.balance.get()


async def one_client(kind: str, *, seconds: float, allowed: float = PER_SECOND) -> dict[str, Any]:
    """One client, limited to 20 per second, against a server that allows `allowed`."""
    async with (
        server(kind, allowed) as (url, counts),
        Client(api_key="key", base_url=url, rate_limit=RateLimit(PER_SECOND)) as client,
    ):
        await keep_asking(client, seconds=seconds)
        return _row(f"{kind}, {allowed:g}/s", await counts(), seconds=seconds, allowed=allowed)


async def four_processes(*, seconds: float) -> dict[str, Any]:
    """Four processes that share the limit over Redis, against a sliding window."""
    async with server("sliding window", PER_SECOND) as (url, counts):
        name = f"benchmark-{uuid.uuid4().hex}"
        workers = [await started("benchmarks.limiter", "worker", name, url) for _ in range(4)]
        for worker in workers:
            assert worker.stdout is not None
            await worker.stdout.readline()
        await asyncio.gather(*(told(worker, f"{seconds}\n".encode()) for worker in workers))
        found = await counts()
        for worker in workers:
            await worker.wait()
        return _row("4 processes, Redis", found, seconds=seconds, allowed=PER_SECOND)


async def work(name: str, url: str) -> None:
    """One of the four processes."""
    from didww_async import RedisRateLimit

    async with (
        RedisRateLimit(REDIS, name=name, processes=4) as limit,
        Client(api_key="key", base_url=url, rate_limit=limit) as client,
    ):
        print("ready", flush=True)
        seconds = float(await asyncio.to_thread(sys.stdin.readline))
        await keep_asking(client, seconds=seconds)
        print("done", flush=True)


def _row(name: str, counts: dict[str, int], *, seconds: float, allowed: float) -> dict[str, Any]:
    return {
        "server": name,
        "granted": counts["granted"],
        "refused": counts["refused"],
        "used": counts["granted"] / (allowed * seconds),
    }


async def measure(*, seconds: float) -> list[dict[str, Any]]:
    """All cases at once; the servers and clients use a few per cent of a core."""
    cases = [one_client(kind, seconds=seconds) for kind in KINDS]
    cases.append(one_client("sliding window", seconds=seconds, allowed=10))
    if _redis_answers():
        cases.append(four_processes(seconds=seconds))
    return list(await asyncio.gather(*cases))


def _redis_answers() -> bool:
    try:
        import redis

        return bool(redis.Redis.from_url(REDIS, socket_connect_timeout=1).ping())
    except (ImportError, OSError, redis.RedisError):
        return False


def rows(*, seconds: float = 60.0) -> list[dict[str, Any]]:
    """One row per kind of server; `used`: granted requests, as a share of those it allows."""
    return asyncio.run(measure(seconds=seconds))


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'server':<24} {'granted':>8} {'refused':>8} {'used':>7}")
    for row in found:
        print(f"{row['server']:<24} {row['granted']:>8} {row['refused']:>8} {row['used']:>7.1%}")


def main() -> None:
    print_table(rows(seconds=float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        asyncio.run(work(*sys.argv[2:]))
    else:
        main()

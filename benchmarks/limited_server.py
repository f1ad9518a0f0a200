"""A server that limits requests in one of the ways servers do; it runs in a process of its own.

    python -m benchmarks.limited_server KIND PER_SECOND

prints its base URL, then on every line it reads a JSON object: requests granted, requests refused.
Each answer takes 20 to 60 ms; a request is judged when it arrives.
"""

import asyncio
import json
import math
import random
import sys
import time
from collections import deque
from collections.abc import Callable

from aiohttp import web

Judge = Callable[[float], bool]
BALANCE = {
    "data": {
        "id": "b",
        "type": "balances",
        "attributes": {"balance": "1.0", "credit": "0.0", "total_balance": "1.0"},
    },
    "meta": {"api_version": "2026-04-16"},
}
REFUSED = {"errors": [{"status": "429", "detail": "Too Many Requests"}]}


def sliding_window(per_second: float) -> Judge:
    """At most `per_second` in any second: the strictest reading of the documented limit."""
    granted: deque[float] = deque()

    def judge(now: float) -> bool:
        while granted and now - granted[0] >= 1.0:
            granted.popleft()
        if len(granted) >= per_second:
            return False
        granted.append(now)
        return True

    return judge


def fixed_window(per_second: float) -> Judge:
    """At most `per_second` between two ticks of the server's clock."""
    counted: dict[int, int] = {}

    def judge(now: float) -> bool:
        tick = math.floor(now)
        if counted.get(tick, 0) >= per_second:
            return False
        counted[tick] = counted.get(tick, 0) + 1
        return True

    return judge


def token_bucket(per_second: float, *, size: float | None = None) -> Judge:
    """A bucket of `size` tokens (a second's worth), filled at `per_second`."""
    most = per_second if size is None else size
    tokens, filled_at = most, time.monotonic()

    def judge(now: float) -> bool:
        nonlocal tokens, filled_at
        tokens, filled_at = min(most, tokens + (now - filled_at) * per_second), now
        if tokens < 1:
            return False
        tokens -= 1
        return True

    return judge


def no_burst(per_second: float) -> Judge:
    """One request at a time, evenly spaced, give or take a fifth of the gap."""
    return token_bucket(per_second, size=1.2)


KINDS: dict[str, Callable[[float], Judge]] = {
    "sliding window": sliding_window,
    "fixed window": fixed_window,
    "token bucket": token_bucket,
    "no burst": no_burst,
}


async def serve(kind: str, per_second: float) -> None:
    """Serve until standard input ends."""
    judge = KINDS[kind](per_second)
    counts = {"granted": 0, "refused": 0}

    async def answer(_: web.BaseRequest) -> web.Response:
        granted = judge(time.monotonic())
        counts["granted" if granted else "refused"] += 1
        await asyncio.sleep(random.uniform(0.02, 0.06))
        return web.json_response(BALANCE if granted else REFUSED, status=200 if granted else 429)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v3", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(counts), flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2])))

"""A process of its own that sends requests under a rate limit shared over Redis, until it is told.

Arguments: Redis' URL, the limit's name, how many processes there are, requests per second, the
server's URL, seconds. Prints one JSON object: requests sent, requests refused with 429.
"""

import asyncio
import json
import sys
import time

from didww_async import Client, DidwwError, RateLimited, RedisRateLimit, RetryPolicy
from didww_async.transport import redis_limit

redis_limit.PATIENCE = 5.0  # on a busy machine Redis answers late; that is not being away


async def main() -> None:
    url, name, processes, per_second, server, seconds = sys.argv[1:]
    sent = refused = 0
    async with (
        RedisRateLimit(
            url, name=name, processes=int(processes), per_second=float(per_second)
        ) as limit,
        Client(
            api_key="simulator",
            base_url=server,
            rate_limit=limit,
            retry=RetryPolicy(attempts=1),
        ) as client,
    ):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        end = time.monotonic() + float(seconds)

        async def worker() -> None:
            nonlocal sent, refused
            while time.monotonic() < end:
                try:
                    await client.balance.get()
                    sent += 1
                except RateLimited:
                    refused += 1
                except DidwwError as failure:
                    print(failure, file=sys.stderr)

        await asyncio.gather(*(worker() for _ in range(8)))
    print(json.dumps({"sent": sent, "refused": refused}))


asyncio.run(main())

"""One of several processes that race for the same references; run by test_race.py.

    python -m journal.buyer '{"base_url": ..., "api_key": ..., "journal": {...}, ...}'

Says "ready", waits for a line, then tries to place every order and says what it saw, as JSON.
"""

import asyncio
import collections
import json
import sys
import time
from typing import Any

from purchases import NEW_YORK_GROUP, TWO_CHANNELS
from stores import POSTGRES

from didww_async import Client, RateLimit
from didww_async.transport.call import AttemptRecord
from flows.journal import Limits, OrderRequest, SqliteJournal
from flows.ordering import Ordering, OrderRules

REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)
# Times of a real order, so that nobody takes a busy machine for a lost answer or an abandoned plan;
# quick watching.
RULES = OrderRules(head_start=30.0, look_every=(0.1, 1.0))


def journal_of(options: dict[str, Any]) -> Any:
    if "path" in options:
        return SqliteJournal(**options, timeout=30)
    from flows.journal.postgres import PostgresJournal

    return PostgresJournal(POSTGRES, **options, timeout=30)


async def main(job: dict[str, Any]) -> None:
    calls: collections.Counter[str] = collections.Counter()

    def count(record: AttemptRecord) -> None:
        calls[record.method] += 1

    async with (
        journal_of(job["journal"]) as journal,
        Client(
            api_key=job["api_key"],
            base_url=job["base_url"],
            rate_limit=RateLimit(100_000),
            on_attempt=count,
        ) as client,
    ):
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        began = time.monotonic()
        ordering = Ordering(client, journal, rules=RULES)
        purchases = await asyncio.gather(
            *(
                ordering.place(
                    REQUEST, reference=reference, limits=Limits(), born_here=job["born_here"]
                )
                for reference in job["references"]
            )
        )
    print(
        json.dumps(
            {
                "orders": {purchase.reference: purchase.order_id for purchase in purchases},
                "posts": calls["POST"],
                "look_ups": calls["GET"],
                "seconds": time.monotonic() - began,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

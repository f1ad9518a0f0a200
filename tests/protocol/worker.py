"""A process that buys, and kills itself with SIGKILL at a named point of the order protocol.

python worker.py JOURNAL BASE_URL REFERENCE POINT     order under the reference
python worker.py JOURNAL BASE_URL - resume            carry on what is open
"""

import asyncio
import os
import signal
import sys

from purchases import NEW_YORK_GROUP, TWO_CHANNELS
from stores import opened

from didww_async import Client, DidwwError, RateLimit, Timeouts
from flows import OrderRules, resume
from flows.journal import (
    Limits,
    OrderRequest,
    Purchase,
    PurchaseJournal,
    State,
)
from flows.ordering import Ordering

REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)
RULES = OrderRules(
    timeouts=Timeouts(connect=0.5, read=1.0, total=1.2),
    margin=0.0,
    settle_for=0.4,
    head_start=0.3,
    look_every=(0.02, 0.1),
)

# Point -> (before or after the journal write, the state written). The points during the POST are
# the parent's: it sees what the server has read and done.
POINTS = {
    "before the plan": ("before", State.PLANNED),
    "after the plan": ("after", State.PLANNED),
    "before the claim": ("before", State.SENT),
    "after the claim": ("after", State.SENT),
    "after the answer, before the journal write": ("before", State.ORDERED),
    "after the journal write": ("after", State.ORDERED),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(journal: PurchaseJournal, point: str) -> PurchaseJournal:
    """The journal, deadly at one point."""
    when, state = POINTS.get(point, ("never", State.CANCELED))
    insert, replace = journal.insert, journal.replace

    async def deadly_insert(purchase: Purchase) -> Purchase:
        if (when, state) == ("before", State.PLANNED):
            die()
        found = await insert(purchase)
        if (when, state) == ("after", State.PLANNED):
            die()
        return found

    async def deadly_replace(old: Purchase, new: Purchase) -> bool:
        if (when, state) == ("before", new.state):
            die()
        done = await replace(old, new)
        if done and (when, state) == ("after", new.state):
            die()
        return done

    journal.insert = deadly_insert  # type: ignore[method-assign]
    journal.replace = deadly_replace  # type: ignore[method-assign]
    return journal


async def main(where: str, base_url: str, reference: str, point: str) -> None:
    journal = mortal(opened(where), point)
    async with Client(
        api_key="simulator", base_url=base_url, rate_limit=RateLimit(10_000)
    ) as client:
        try:
            if point == "resume":
                for resumed in await resume(client, journal, rules=RULES):
                    print(resumed.purchase.reference, resumed.purchase.state, resumed.error)
            else:
                ordering = Ordering(client, journal, rules=RULES)
                await ordering.place(REQUEST, reference=reference, limits=Limits(), born_here=False)
        except DidwwError as error:
            print(type(error).__name__, error)
    await journal.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

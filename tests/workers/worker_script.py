"""A worker for tests, which may kill or stop itself at a point of the order protocol (CRASH)."""

import asyncio
import logging
import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from purchases import GIVES_UP_SOON, HURRIED

from flows.journal import Purchase, State
from flows.journal.postgres import PostgresJournal
from flows.workers import PurchaseWorker

CRASH = ""
RULES = {"hurried": HURRIED, "gives up soon": GIVES_UP_SOON}


def reach(point: str) -> None:
    """Die at the point that CRASH names; "pause ..." only stops there until SIGCONT, once."""
    global CRASH  # noqa: PLW0603
    if CRASH == point:
        os.kill(os.getpid(), signal.SIGKILL)
    if CRASH == f"pause {point}":
        CRASH = ""
        os.kill(os.getpid(), signal.SIGSTOP)


class CrashingJournal(PostgresJournal):
    """Reaches a point before and after the writes that the order protocol hangs on."""

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        points = {State.SENT: "claim", State.ORDERED: "record", State.REFUSED: "refusal"}
        point = points.get(new.state, "other")
        if old.state is new.state:
            point = "other"
        reach(f"before {point}")
        done = await super().replace(old, new)
        reach(f"after {point}")
        return done


async def main(settings: dict[str, Any], ready: Connection) -> None:
    rules = RULES[settings.pop("rules", "hurried")]
    journal = CrashingJournal(settings["dsn"])
    options = {
        "application_version": "1",
        "heartbeat": 0.2,
        "dead_after": 1.0,
        "poll_every": 0.1,
        "grace": 5.0,
        "wait_for": 20.0,
        "patience": 5.0,
    } | settings
    async with journal, PurchaseWorker(rules=rules, journal=journal, **options) as worker:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        ready.send("ready")
        await worker.run()


def work(settings: dict[str, Any], environ: dict[str, str], ready: Connection) -> None:
    """What the process does: a worker until SIGTERM."""
    global CRASH  # noqa: PLW0603
    CRASH = environ["CRASH"]
    os.environ.update(environ)
    logging.basicConfig(level=os.environ.get("LOG", "CRITICAL"))
    asyncio.run(main(settings, ready))

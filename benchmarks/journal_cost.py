"""What the journal costs: purchases per second with each journal, nothing else in the way.

    python -m benchmarks.journal_cost [--purchases 200] [--repetitions 7]

A purchase is what ordering writes: insert, claim, ordered, completed, each committed. All kinds
run in turns within every repetition, so that a busy moment of the machine hits all of them; the
table shows medians. "one by one" is the time a single purchase waits for its journal; "at once"
keeps several purchases on their way, as an order limit of 8 does. DIDWW allows 20 requests/s: a
journal keeps up when it can do more than 20 purchases/s, and far more is far better.
"""

import argparse
import asyncio
import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from flows.journal import (
    JournalError,
    Limits,
    MemoryJournal,
    OrderRequest,
    Purchase,
    PurchaseJournal,
    PurchaseKey,
    SqliteJournal,
    State,
)
from flows.journal.record import Event, transition

POSTGRES = os.environ.get("DIDWW_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
ALLOWED = 20  # requests per second
REQUEST = OrderRequest.of_one(sku_id="sku", did_group_id="group", quantity=1)


async def purchase(journal: PurchaseJournal, reference: str) -> None:
    """The four writes of a purchase, and the reading of the clock before two of them."""
    now = await journal.now()
    plan = await journal.insert(
        Purchase(
            key=PurchaseKey(origin="http://x/v3", account="default", reference=reference),
            request=REQUEST,
            limits=Limits(),
            state=State.PLANNED,
            planned_at=now,
            order_by=now + dt.timedelta(minutes=15),
        )
    )
    claimed = transition(plan, Event.CLAIM, owner="me", attempt=1, claimed_at=await journal.now())
    assert await journal.replace(plan, claimed)
    ordered = transition(claimed, Event.ORDERED, order_id=f"order of {reference}")
    assert await journal.replace(claimed, ordered)
    completed = transition(ordered, Event.COMPLETED, numbers=("12125550100",))
    assert await journal.replace(ordered, completed)


async def rate(journal: PurchaseJournal, name: str, *, purchases: int, at_once: int) -> float:
    """Purchases per second, `at_once` on their way all the time."""
    left = iter(range(purchases))

    async def worker() -> None:
        for n in left:
            await purchase(journal, f"{name}-{n}")

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return purchases / (time.perf_counter() - began)


class NoJournal:
    """What it costs to do nothing: every answer is yes."""

    async def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    async def insert(self, record: Purchase) -> Purchase:
        return record

    async def replace(self, old: Purchase, new: Purchase) -> bool:
        return True


@asynccontextmanager
async def journals(directory: Path) -> AsyncIterator[dict[str, PurchaseJournal]]:
    """All kinds that can be had here, each empty."""
    found: dict[str, PurchaseJournal] = {
        "none": NoJournal(),  # type: ignore[dict-item]
        "memory": MemoryJournal(),
        "sqlite": await SqliteJournal(directory / "journal.sqlite").open(),
    }
    table = f"journal_cost_{os.getpid()}"
    try:
        from flows.journal.postgres import PostgresJournal

        found["postgres"] = await PostgresJournal(POSTGRES, table=table, connections=8).open()
    except (ImportError, JournalError) as error:
        print(f"without PostgreSQL: {error}", file=sys.stderr)
    try:
        yield found
    finally:
        for name, journal in found.items():
            if name != "none":
                await journal.aclose()
        if "postgres" in found:
            import psycopg

            with psycopg.connect(POSTGRES, autocommit=True) as connection:
                connection.execute(f"DROP TABLE {table}")  # type: ignore[arg-type]


async def measure(
    directory: Path, *, repetitions: int, purchases: int, at_once: int
) -> list[dict[str, Any]]:
    """Purchases per second with every journal, in turns."""
    rates: dict[tuple[str, int], list[float]] = {}
    async with journals(directory) as kinds:
        for repetition in range(repetitions + 1):
            for kind, journal in kinds.items():
                for together in (1, at_once):
                    run = f"{repetition}-{together}"
                    count = max(10, purchases if repetition else 10)
                    done = await rate(journal, run, purchases=count, at_once=together)
                    if repetition:  # the first one only warms up
                        rates.setdefault((kind, together), []).append(done)
        medians = {case: statistics.median(found) for case, found in rates.items()}
        return [
            {
                "journal": kind,
                "one_by_one": medians[kind, 1],
                "at_once": medians[kind, at_once],
                "times_the_rate_limit": min(medians[kind, 1], medians[kind, at_once]) / ALLOWED,
            }
            for kind in kinds
        ]


def rows(
    *, repetitions: int = 7, purchases: int = 200, at_once: int = 8, directory: Path | None = None
) -> list[dict[str, Any]]:
    """One row per journal: whole purchases per second."""
    with tempfile.TemporaryDirectory(dir=directory) as name:
        work = measure(Path(name), repetitions=repetitions, purchases=purchases, at_once=at_once)
        return asyncio.run(work)


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'journal':<10}{'one by one':>16}{'8 at once':>16}{'of what DIDWW takes':>22}")
    for row in found:
        print(
            f"{row['journal']:<10}{row['one_by_one']:>12,.0f} /s{row['at_once']:>14,.0f} /s"
            f"{row['times_the_rate_limit']:>21.0f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="What the purchase journal costs.")
    parser.add_argument("--purchases", type=int, default=200, help="per run")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--directory", type=Path, help="where the SQLite file goes")
    given = parser.parse_args()
    print_table(
        rows(repetitions=given.repetitions, purchases=given.purchases, directory=given.directory)
    )


if __name__ == "__main__":
    main()

"""buy_once: a purchase in a task of any queue, repeated as queues do."""

import asyncio
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from purchases import GIVES_UP_SOON, HURRIED, NEW_YORK_GROUP, posts
from workers.kit import KEY, request

from didww_async import Client, InvalidInput, RateLimit
from didww_async.simulator import DropAfter, DropBefore, Simulator
from flows import PurchaseRequest
from flows.journal import (
    JournalUnavailable,
    JournalUnusable,
    MemoryJournal,
    Purchase,
    PurchaseKey,
    SqliteJournal,
    State,
)
from flows.workers import Outcome, buy_once


def client_of(sim: Simulator) -> Client:
    return Client(api_key=KEY, base_url=sim.base_url, rate_limit=RateLimit(1000))


async def test_a_task_that_is_repeated_buys_once(sim: Simulator, tmp_path: Path) -> None:
    async def task() -> Outcome:
        async with client_of(sim) as client, SqliteJournal(tmp_path / "journal") as journal:
            return await buy_once(client, journal, request("p-1"), rules=HURRIED)

    sim.inject(DropAfter(), method="POST", path="/orders")
    together = await asyncio.gather(*(task() for _ in range(4)))
    sim.set_stock(group_id=NEW_YORK_GROUP, count=0)  # nothing is chosen or checked again
    sim.balance = Decimal(0)
    later = await task()
    assert {(State.COMPLETED, None)} == {(o.state, o.problem) for o in [*together, later]}
    assert 1 == len({outcome.numbers for outcome in [*together, later]})
    assert 1 == posts(sim)


async def test_a_reference_does_not_change_what_it_stands_for(
    sim: Simulator, tmp_path: Path
) -> None:
    async with client_of(sim) as client, SqliteJournal(tmp_path / "journal") as journal:
        await buy_once(client, journal, request("p-1"), rules=HURRIED)
        other = await buy_once(client, journal, request("p-1", quantity=2), rules=HURRIED)
    assert other.problem is not None
    assert ("ReferenceMismatch", State.COMPLETED) == (other.problem.type, other.state)
    assert 1 == posts(sim)


async def test_an_unknown_outcome_is_returned_and_never_sent_again(
    sim: Simulator, tmp_path: Path
) -> None:
    sim.inject(DropBefore(), method="POST", path="/orders")
    async with client_of(sim) as client, SqliteJournal(tmp_path / "journal") as journal:
        for _ in range(2):
            outcome = await buy_once(client, journal, request("p-1"), rules=GIVES_UP_SOON)
            assert State.UNKNOWN is outcome.state
            assert not outcome.is_bought
    assert 1 == posts(sim)


class AwayForAWhile(MemoryJournal):
    """A journal whose server restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 3

    async def read(self, key: PurchaseKey) -> Purchase | None:
        if self.away:
            self.away -= 1
            raise JournalUnavailable("it restarts")
        return await super().read(key)


async def test_a_journal_that_is_away_is_waited_for_however_long(sim: Simulator) -> None:
    async with client_of(sim) as client:
        journal = AwayForAWhile()
        outcome = await buy_once(client, journal, request("p-1"), rules=HURRIED, patience=0.0)
    assert 0 == journal.away
    assert State.COMPLETED is outcome.state
    assert 1 == posts(sim)


async def test_a_journal_that_is_broken_is_an_error_and_no_result(
    sim: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "journal").write_text("something else")
    async with client_of(sim) as client:
        with pytest.raises(JournalUnusable):
            await buy_once(client, SqliteJournal(tmp_path / "journal"), request("p-1"))
    assert 0 == posts(sim)


async def test_the_reference_is_born_before_the_task(sim: Simulator, tmp_path: Path) -> None:
    async with client_of(sim) as client, SqliteJournal(tmp_path / "journal") as journal:
        with pytest.raises(InvalidInput, match="before the task is enqueued"):
            await buy_once(client, journal, PurchaseRequest(country="US"))
    assert [] == sim.requests


def test_it_needs_no_engine() -> None:
    code = "from flows.workers import buy_once; import sys; sys.exit('dbos' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})

"""Who is cancelled before the order went out has bought nothing, and nobody buys it later."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from purchases import HURRIED, NEW_YORK_GROUP, TWO_CHANNELS

from didww_async import Client
from didww_async.simulator import Simulator
from flows import SqliteJournal, resume
from flows.journal import Limits, OrderRequest, Purchase
from flows.ordering import Ordering

REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(tmp_path / "purchases.db", timeout=0.1) as opened:
        await opened.now()
        yield opened


class Hold:
    """Another process that holds the journal's file."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._file = sqlite3.connect(journal.path, isolation_level=None)
        self._file.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        self._file.execute("ROLLBACK")
        self._file.close()


def placing(client: Client, journal: SqliteJournal) -> "asyncio.Task[Purchase]":
    ordering = Ordering(client, journal, rules=HURRIED)
    return asyncio.create_task(
        ordering.place(REQUEST, reference="shop-7", limits=Limits(), born_here=True)
    )


async def waiting_for_its_turn(client: Client, journal: SqliteJournal) -> "asyncio.Task[Purchase]":
    client.rate_limit.pause(60)
    caller = placing(client, journal)
    while not await journal.list():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    return caller


async def test_cancelled_while_the_plan_is_written(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    async with SqliteJournal(tmp_path / "purchases.db") as journal:
        await journal.list()
        held = Hold(journal)
        caller = placing(client, journal)
        await asyncio.sleep(0.1)
        caller.cancel()
        asyncio.get_running_loop().call_later(0.2, held.end)
        with pytest.raises(asyncio.CancelledError):
            await caller
        await resume(client, journal, rules=HURRIED)
    assert [] == sim.orders


async def test_cancelled_while_it_waits_for_its_turn_and_the_journal_is_away(
    sim: Simulator, client: Client, journal: SqliteJournal
) -> None:
    caller = await waiting_for_its_turn(client, journal)
    held = Hold(journal)
    caller.cancel()
    asyncio.get_running_loop().call_later(0.15, held.end)
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ["expired"] == [one.state for one in await journal.list()]
    assert [] == sim.orders


async def test_cancelled_is_cancelled_though_the_journal_stays_away(
    client: Client, journal: SqliteJournal
) -> None:
    caller = await waiting_for_its_turn(client, journal)
    held = Hold(journal)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    held.end()

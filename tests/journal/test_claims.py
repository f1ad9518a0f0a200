"""Ordering with a journal that fails: nothing is sent without a committed claim."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from purchases import HURRIED, NEW_YORK_GROUP, TWO_CHANNELS, posts
from stores import POSTGRES

from didww_async import Client, RateLimit
from didww_async.simulator import Simulator
from flows.errors import OrderOutcomeUnknown
from flows.journal import (
    CommitUnconfirmed,
    JournalError,
    JournalUnavailable,
    Limits,
    OrderRequest,
    Purchase,
    SqliteJournal,
    State,
)
from flows.ordering import Ordering

REQUEST = OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1)
RULES = attrs.evolve(HURRIED, settle_for=0.3, look_every=(0.01, 0.05), claim_age=30)
RULES = attrs.evolve(RULES, timeouts=attrs.evolve(HURRIED.timeouts, connect=0.5, total=1.0))


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(rate_limit=None, completes_after=None) as running:
        yield running


async def place(sim: Simulator, journal: Any) -> Purchase:
    async with Client(
        api_key=sim.api_key, base_url=sim.base_url, rate_limit=RateLimit(9999)
    ) as client:
        ordering = Ordering(client, journal, rules=RULES)
        return await ordering.place(REQUEST, reference="r", limits=Limits(), born_here=True)


async def test_a_file_that_is_locked(sim: Simulator, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    async with SqliteJournal(path, timeout=0.1) as journal:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalUnavailable, match="locked"):
                await place(sim, journal)
        assert 0 == posts(sim)
        assert State.ORDERED is (await place(sim, journal)).state
    assert 1 == posts(sim)


REFUSE_CLAIMS = """
CREATE TEMP TRIGGER refuse BEFORE UPDATE ON main.purchases
BEGIN SELECT RAISE(ABORT, 'no room for a claim'); END
"""


async def test_a_claim_that_cannot_be_written(sim: Simulator, tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "journal") as journal:
        connection = journal._file.connection()
        connection.execute(REFUSE_CLAIMS)
        with pytest.raises(JournalError, match="no room for a claim"):
            await place(sim, journal)
        assert 0 == posts(sim)
        connection.execute("DROP TRIGGER refuse")
        assert State.ORDERED is (await place(sim, journal)).state
    assert 1 == posts(sim)


@pytest.mark.parametrize("what", ["before", "after", "late", "never"])
async def test_a_claim_whose_confirmation_got_lost(
    what: str, sim: Simulator, postgres_options: dict[str, Any]
) -> None:
    from journal.proxy import proxy_before

    from flows.journal.postgres import PostgresJournal

    async with (
        proxy_before(POSTGRES) as proxy,
        PostgresJournal(proxy.dsn, **postgres_options, timeout=2) as journal,
    ):
        proxy.commits = ["", what]  # the plan's, the claim's
        purchase = await place(sim, journal)
        assert (State.ORDERED, 1) == (purchase.state, purchase.attempt)
    assert [purchase.order_id] == [order.id for order in sim.orders]
    assert 1 == posts(sim)


@pytest.mark.parametrize("what", ["before", "after"])
async def test_a_claim_that_nobody_can_confirm_sends_nothing(
    what: str, sim: Simulator, postgres_options: dict[str, Any]
) -> None:
    from journal.proxy import proxy_before

    from flows.journal.postgres import PostgresJournal

    async with (
        proxy_before(POSTGRES) as proxy,
        PostgresJournal(proxy.dsn, **postgres_options, timeout=2) as journal,
    ):
        proxy.commits = ["", what]
        proxy.refusing = True
        with pytest.raises(CommitUnconfirmed):
            await place(sim, journal)
        assert 0 == posts(sim)
        proxy.refusing = False
        if what == "before":  # there is no claim
            assert State.ORDERED is (await place(sim, journal)).state
        else:  # there is one, and nobody may know that nothing was sent for it
            with pytest.raises(OrderOutcomeUnknown):
                await place(sim, journal)
    assert (1 if what == "before" else 0) == posts(sim) == len(sim.orders)

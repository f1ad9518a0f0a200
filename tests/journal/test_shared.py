"""What every journal does alike: memory, SQLite, PostgreSQL."""

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from journal.kit import NOON, purchase, successor

from didww_async import InvalidInput
from flows.journal import (
    OPEN,
    JournalError,
    OrderIdRecorded,
    OrderRequest,
    Purchase,
    PurchaseJournal,
    State,
    journal_at,
)
from flows.journal.record import Event, transition


async def test_what_is_written_is_read(journal: PurchaseJournal) -> None:
    plan = purchase()
    assert await journal.read(plan.key) is None
    assert plan == await journal.insert(plan)
    assert plan == await journal.read(plan.key)


async def test_inserting_again_changes_nothing(journal: PurchaseJournal) -> None:
    plan = await journal.insert(purchase())
    other = purchase(request=OrderRequest.of_one(sku_id="x", did_group_id="y", quantity=9))
    assert plan == await journal.insert(other)
    assert [plan] == await journal.list()


@pytest.mark.parametrize("field", ["origin", "account", "reference"])
async def test_every_part_of_the_key_counts(journal: PurchaseJournal, field: str) -> None:
    plan = purchase()
    other = attrs.evolve(plan, key=attrs.evolve(plan.key, **{field: "other"}))
    await journal.insert(plan)
    await journal.insert(attrs.evolve(other, state=State.SENT))
    assert plan == await journal.read(plan.key)
    assert [other.key] == [p.key for p in await journal.list(**{field: "other"})]


async def test_only_the_current_version_is_replaced(journal: PurchaseJournal) -> None:
    plan = await journal.insert(purchase())
    claimed = transition(plan, Event.CLAIM, owner="a", attempt=1, claimed_at=NOON)
    assert await journal.replace(plan, claimed)
    stale = transition(plan, Event.CLAIM, owner="b", attempt=1, claimed_at=NOON)
    assert not await journal.replace(plan, stale)
    assert claimed == await journal.read(plan.key)


async def test_what_is_not_there_is_not_replaced(journal: PurchaseJournal) -> None:
    plan = purchase()
    assert not await journal.replace(plan, successor(plan))
    assert [] == await journal.list()


async def test_a_replacement_is_the_next_version_of_the_same_purchase(
    journal: PurchaseJournal,
) -> None:
    plan = await journal.insert(purchase())
    for new in (plan, attrs.evolve(plan, revision=2), successor(purchase("ref-2"))):
        with pytest.raises(InvalidInput, match="next version"):
            await journal.replace(plan, new)


async def test_an_order_id_stands_in_one_record_only(journal: PurchaseJournal) -> None:
    first = await journal.insert(purchase("ref-1", State.SENT))
    assert await journal.replace(first, successor(first, order_id="o-1"))
    second = await journal.insert(purchase("ref-2", State.SENT))
    with pytest.raises(OrderIdRecorded, match="o-1"):
        await journal.replace(second, successor(second, order_id="o-1"))
    with pytest.raises(OrderIdRecorded, match="o-1"):
        await journal.insert(purchase("ref-3", order_id="o-1"))
    assert second == await journal.read(second.key)
    assert 2 == len(await journal.list())


async def test_another_api_may_have_the_same_order_id(journal: PurchaseJournal) -> None:
    here = await journal.insert(purchase(order_id="o-1"))
    elsewhere = attrs.evolve(here, key=attrs.evolve(here.key, origin="http://sandbox/v3"))
    assert elsewhere == await journal.insert(elsewhere)


async def test_an_order_id_that_is_taken_back_is_free(journal: PurchaseJournal) -> None:
    first = await journal.insert(purchase(order_id="o-1"))
    assert await journal.replace(first, successor(first, order_id=None))
    assert "o-1" == (await journal.insert(purchase("ref-2", order_id="o-1"))).order_id


async def test_an_order_id_may_be_written_again_in_its_own_record(
    journal: PurchaseJournal,
) -> None:
    first = await journal.insert(purchase(order_id="o-1"))
    assert await journal.replace(first, successor(first, state=State.COMPLETED))


async def test_list_filters_and_sorts_by_plan(journal: PurchaseJournal) -> None:
    late = attrs.evolve(purchase("late"), planned_at=NOON + dt.timedelta(microseconds=1))
    for item in (late, purchase("sent", State.SENT), purchase("early")):
        await journal.insert(item)
    assert ["early", "late"] == [p.reference for p in await journal.list(states={State.PLANNED})]
    assert ["early", "sent", "late"] == [p.reference for p in await journal.list()]
    assert ["sent"] == [p.reference for p in await journal.list(reference="sent")]
    assert [] == await journal.list(reference="sent", states=[State.PLANNED])
    assert [] == await journal.list(account="nobody")


async def test_open_purchases_are_those_that_are_not_over(journal: PurchaseJournal) -> None:
    for state in State:
        await journal.insert(purchase(f"ref-{state}", state))
    over = {State.REFUSED, State.COMPLETED, State.CANCELED, State.EXPIRED}
    assert set(State) - over == {p.state for p in await journal.list(states=OPEN)}
    assert ["ref-unknown"] == [p.reference for p in await journal.list(states={State.UNKNOWN})]


async def test_the_journal_says_when_it_wrote(journal: PurchaseJournal) -> None:
    before = await journal.now()
    plan = await journal.insert(purchase("ref-1"))
    await journal.insert(purchase("ref-2"))
    between = await journal.now()
    assert await journal.replace(plan, successor(plan))
    after = await journal.now()
    changed = await journal.list(updated_since=between)
    assert ["ref-1"] == [p.reference for p in changed]
    assert before <= (plan.updated_at or NOON) <= between
    assert between <= (changed[0].updated_at or NOON) <= after
    assert [] == await journal.list(updated_since=after + dt.timedelta(seconds=1))


async def test_times_come_back_in_utc(journal: PurchaseJournal) -> None:
    east = dt.timezone(dt.timedelta(hours=5, minutes=45))
    plan = purchase(planned_at=NOON.astimezone(east), claimed_at=NOON.astimezone(east))
    found = await journal.insert(plan)
    assert plan == found
    assert dt.timedelta(0) == (await journal.now()).utcoffset()


async def test_of_a_hundred_tasks_one_claims(journal: PurchaseJournal) -> None:
    async def claim(n: int) -> bool:
        plan = await journal.insert(purchase())
        if plan.state is not State.PLANNED:
            return False
        new = transition(plan, Event.CLAIM, owner=f"task-{n}", attempt=1, claimed_at=NOON)
        return await journal.replace(plan, new)

    won = await asyncio.gather(*(claim(n) for n in range(100)))
    found = (await journal.list())[0]
    assert [True] == [one for one in won if one]
    assert (f"task-{won.index(True)}", 1) == (found.owner, found.attempt)


async def test_it_closes_twice_and_says_what_it_is(journal: PurchaseJournal) -> None:
    assert type(journal).__name__ in repr(journal)
    await journal.aclose()
    await journal.aclose()


# -- the durable ones


async def test_it_is_still_there_after_closing(another: Callable[[], Any]) -> None:
    async with another() as journal:
        plan = await journal.insert(purchase())
    async with another() as journal:
        assert [plan] == await journal.list()


async def test_two_journals_are_one(another: Callable[[], Any]) -> None:
    async with another() as mine, another() as yours:
        plan = await mine.insert(purchase())
        assert plan == await yours.insert(purchase())
        assert await yours.replace(plan, successor(plan, owner="you"))
        assert not await mine.replace(plan, successor(plan, owner="me"))
        assert "you" == (await mine.read(plan.key)).owner


async def test_it_opens_by_itself_and_is_no_journal_after_closing(
    another: Callable[[], Any],
) -> None:
    journal = another()
    await journal.insert(purchase())
    await journal.aclose()
    with pytest.raises(JournalError, match="is closed"):
        await journal.read(purchase().key)


async def test_many_open_at_once(another: Callable[[], Any]) -> None:
    journals = [another() for _ in range(8)]
    plans = await asyncio.gather(*(journal.insert(purchase()) for journal in journals))
    await asyncio.gather(*(journal.aclose() for journal in journals))
    assert 1 == len(set(plans))


@pytest.mark.parametrize(
    "broken",
    [
        purchase(planned_at=NOON.replace(tzinfo=None)),
        purchase(order_id="o\0"),
        purchase(owner="\ud800"),
    ],
    ids=["no time zone", "NUL", "half a character"],
)
async def test_what_cannot_be_kept_is_refused(broken: Purchase, another: Callable[[], Any]) -> None:
    async with another() as journal:
        with pytest.raises(InvalidInput):
            await journal.insert(broken)
        assert [] == await journal.list()


def test_an_address_says_which_journal_it_is(tmp_path: Any) -> None:
    assert "SqliteJournal" in repr(journal_at(tmp_path / "journal"))
    pytest.importorskip("psycopg")
    assert "PostgresJournal" in repr(journal_at("postgresql://127.0.0.1/test"))

"""Any record survives any journal, and any history of races leaves one line of versions."""

import asyncio
import itertools
import json
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from journal.conftest import maker
from journal.kit import purchase, purchases

from flows.journal import JournalUnusable, OrderIdRecorded, Purchase, PurchaseKey, State
from flows.journal.record import TRANSITIONS, Event, IllegalTransition, transition
from flows.journal.rows import from_row, to_row

T = TypeVar("T")
NUMBERS = itertools.count()
REFERENCES = ("ref-1", "ref-2", "ref-3")
ORDER_IDS = ("o-1", "o-2")
ONE_ITEM = '{"items": [{"sku_id": "s", "did_group_id": "g", "quantity": 1}]}'
ODD_ITEM = ONE_ITEM.replace("1", '1, "tomorrow": 1')
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def shared(kind: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A journal for many examples, each with event loops of its own."""
    journal = maker(kind, request)()
    yield journal
    asyncio.run(journal.aclose())


# -- any record


@settings(max_examples=60, deadline=None, suppress_health_check=HEALTH)
@given(data=st.data())
def test_any_record_comes_back_as_it_was(data: st.DataObject, shared: Any) -> None:
    key = PurchaseKey(origin=f"http://{next(NUMBERS)}", account="é", reference="r")
    record = data.draw(purchases(st.just(key)))

    async def there_and_back() -> Purchase:
        await shared.insert(record)
        found = await shared.read(key)
        assert found is not None
        return found

    found = asyncio.run(there_and_back())
    assert record == found
    assert attrs.astuple(record)[:-1] == attrs.astuple(found)[:-1]
    assert str(record.amount) == str(found.amount)  # 1.50 stays 1.50
    assert record.fingerprint == found.fingerprint


def test_every_field_is_kept() -> None:
    columns = {"key": "reference", "request": "details", "limits": "details"}
    changed = purchase(
        amount=None,
        numbers=("1",),
        number_groups=("g",),
        error="e",
        surely_bought=True,
        doubtful=True,
        asked="a",
    )
    row = to_row(changed)
    kept = {**row, **json.loads(row["details"]), "amount": None, "updated_at": None}
    fields = {columns.get(field.name, field.name) for field in attrs.fields(Purchase)}
    assert set() == fields - set(kept)
    assert changed == from_row({**row, "updated_at": None})


def test_a_row_written_today_is_understood_by_every_later_version() -> None:
    details = (
        '{"request": {"items": [{"sku_id": "s", "did_group_id": "g", "quantity": 2,'
        ' "nanpa_prefix_id": null}], "allow_back_ordering": true},'
        ' "limits": {"max_setup": null, "max_monthly": "4.50",'
        ' "max_total": null}, "amount": "9.00", "numbers": ["12125550000"]}'
    )
    row = {**to_row(purchase()), "updated_at": None, "details": details}
    found = from_row(row)
    assert (2, True) == (found.request.quantity, found.request.allow_back_ordering)
    assert ("9.00", "4.50") == (str(found.amount), str(found.limits.max_monthly))
    assert (("12125550000",), None, False) == (found.numbers, found.error, found.surely_bought)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "posted"},
        {"details": "{}"},
        {"details": "no JSON"},
        {"details": f'{{"request": {ONE_ITEM}}}'},
        {"details": '{"request": {"items": []}, "limits": {}}'},
        {"details": '{"request": {}, "limits": {}, "tomorrow": 1}'},
        {"details": f'{{"request": {ONE_ITEM[:-1]}, "tomorrow": 1}}, "limits": {{}}}}'},
        {"details": f'{{"request": {ODD_ITEM}, "limits": {{}}}}'},
        {"details": f'{{"request": {ONE_ITEM}, "limits": {{"max_total": 1.1}}}}'},
    ],
    ids=[
        "state",
        "empty",
        "no JSON",
        "no limits",
        "no items",
        "field",
        "field of the request",
        "field of an item",
        "float",
    ],
)
def test_what_this_version_does_not_know_is_refused(change: dict[str, str]) -> None:
    row = {**to_row(purchase()), "updated_at": None, **change}
    with pytest.raises(JournalUnusable, match="record of ref-1 can't be read"):
        from_row(row)


async def test_an_unreadable_record_is_told_and_left_alone(tmp_path: Path) -> None:
    from flows.journal import SqliteJournal

    async with SqliteJournal(tmp_path / "j") as journal:
        await journal.insert(purchase())
        with sqlite3.connect(tmp_path / "j") as other:
            other.execute("UPDATE purchases SET state = 'posted'")
        other.close()
        with pytest.raises(JournalUnusable, match="newer version"):
            await journal.insert(purchase())


# -- any history


class JournalMachine(RuleBasedStateMachine):
    """Owners race on a few purchases with stale records; a dict says what has to come out."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__()
        self.journal = make()
        self.loop = asyncio.new_event_loop()
        self.origin = f"http://{next(NUMBERS)}"  # every example has records of its own
        self.model: dict[PurchaseKey, Purchase] = {}
        self.seen: list[Purchase] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.loop.close()

    def taken(self, order_id: str | None, key: PurchaseKey) -> bool:
        return order_id is not None and any(
            item.order_id == order_id and item.key != key for item in self.model.values()
        )

    @rule(reference=st.sampled_from(REFERENCES), owner=st.sampled_from("ab"))
    def insert(self, reference: str, owner: str) -> None:
        key = PurchaseKey(origin=self.origin, account="default", reference=reference)
        plan = purchase(key=key, owner=owner)
        found = self.run(self.journal.insert(plan))
        assert self.model.setdefault(key, plan) == found
        self.seen.append(found)

    @rule(
        event=st.sampled_from(Event),
        which=st.integers(min_value=0),
        order_id=st.sampled_from(ORDER_IDS),
    )
    def try_event_on_any_version_seen(self, event: Event, which: int, order_id: str) -> None:
        if not self.seen:
            return
        old = self.seen[which % len(self.seen)]
        try:
            new = transition(old, event, **({"order_id": order_id} if event == "ordered" else {}))
        except IllegalTransition:
            return
        current = old.revision == self.model[old.key].revision
        refused = current and self.taken(new.order_id, new.key)
        try:
            done = self.run(self.journal.replace(old, new))
        except OrderIdRecorded:
            assert refused
            return
        assert (current, False) == (done, refused)
        if done:
            before = self.model[old.key].state
            assert any((before, to) == (key[0], new.state) for key, to in TRANSITIONS.items())
            self.model[old.key] = new
            self.seen.append(new)

    @rule(states=st.sets(st.sampled_from(State)))
    def list_by_state(self, states: set[State]) -> None:
        expected = [p for p in self.model.values() if not states or p.state in states]
        found = self.run(self.journal.list(states=states, origin=self.origin))
        assert sorted(expected, key=lambda p: p.reference) == found

    @invariant()
    def the_journal_holds_the_last_accepted_versions(self) -> None:
        for key, expected in self.model.items():
            assert expected == self.run(self.journal.read(key))


def test_races_leave_one_line_of_versions(kind: str, shared: Any) -> None:
    examples = {"memory": 100, "sqlite": 40, "postgres": 20}[kind]
    run_state_machine_as_test(
        lambda: JournalMachine(lambda: shared),
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=HEALTH,
        ),
    )

"""The transition table, and the journal's compare-and-set, as a state machine."""

import asyncio
import datetime as dt
from collections.abc import Coroutine
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from didww_async import InvalidInput
from flows.journal import Limits, MemoryJournal, OrderRequest, Purchase, PurchaseKey, State
from flows.journal.memory import OrderIdRecorded
from flows.journal.record import (
    TRANSITIONS,
    Event,
    IllegalTransition,
    check_reference,
    transition,
)

T = TypeVar("T")
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


# A journal written today must be understood by every later version.
FINGERPRINT = "864bda7a4ce5a70363d0120f69f57311c5845d85238a4a07c88cad03d6c3569c"


def purchase(reference: str = "ref-1", state: State = State.PLANNED) -> Purchase:
    return Purchase(
        key=PurchaseKey(origin="http://x/v3", account="default", reference=reference),
        request=OrderRequest(sku_id="sku", did_group_id="group", quantity=1),
        limits=Limits(),
        state=state,
        planned_at=NOON,
        order_by=NOON + dt.timedelta(minutes=15),
    )


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", State)
def test_the_table_alone_decides_what_follows(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        after = transition(purchase(state=state), event)
        assert (TRANSITIONS[state, event], 1) == (after.state, after.revision)
    else:
        with pytest.raises(IllegalTransition):
            transition(purchase(state=state), event)


def test_final_states_have_no_way_out() -> None:
    assert not [key for key in TRANSITIONS if key[0] in {State.COMPLETED, State.CANCELED}]


def test_what_is_ordered_or_refused_never_becomes_unknown() -> None:
    assert [State.SENT] == [state for (state, _), to in TRANSITIONS.items() if to is State.UNKNOWN]


def test_only_a_claim_or_a_person_sends() -> None:
    senders = {(state, event) for (state, event), to in TRANSITIONS.items() if to is State.SENT}
    assert {(State.PLANNED, Event.CLAIM), (State.UNKNOWN, Event.RESEND)} == senders


@pytest.mark.parametrize("reference", ["a", "A.b_c:d-9", "x" * 100])
def test_usable_references(reference: str) -> None:
    assert reference == check_reference(reference)


@pytest.mark.parametrize("reference", ["", "x" * 101, "a b", "a/b", "ä", "a\n", "a,b", None, 7])
def test_unusable_references_are_refused(reference: Any) -> None:
    with pytest.raises(InvalidInput, match="purchase reference"):
        check_reference(reference)


def test_equal_requests_have_equal_fingerprints_across_processes() -> None:
    request = OrderRequest(sku_id="sku", did_group_id="group", quantity=1)
    assert FINGERPRINT == request.fingerprint
    assert attrs.evolve(request, quantity=2).fingerprint != request.fingerprint


class JournalMachine(RuleBasedStateMachine):
    """Owners race on one purchase with stale records; one version follows another."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = MemoryJournal(clock=lambda: NOON)
        self.loop = asyncio.new_event_loop()
        self.first = self.run(self.journal.insert(purchase()))
        self.seen = [self.first]
        self.history = [self.first]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.loop.close()

    @rule(event=st.sampled_from(Event), which=st.integers(min_value=0))
    def try_event_on_any_version_seen(self, event: Event, which: int) -> None:
        old = self.seen[which % len(self.seen)]
        try:
            new = transition(old, event, order_id="o-1" if event is Event.ORDERED else None)
        except IllegalTransition:
            return
        if self.run(self.journal.replace(old, new)):
            assert old == self.history[-1]
            self.history.append(new)
            self.seen.append(new)

    @precondition(lambda self: len(self.history) > 1)
    @rule()
    def inserting_again_changes_nothing(self) -> None:
        assert self.history[-1] == self.run(self.journal.insert(purchase()))

    @invariant()
    def the_journal_holds_the_last_accepted_version(self) -> None:
        assert self.history[-1] == self.run(self.journal.read(self.first.key))

    @invariant()
    def every_step_taken_is_in_the_table(self) -> None:
        for before, after in zip(self.history, self.history[1:], strict=False):
            assert after.revision == before.revision + 1
            assert any(
                (before.state, to) == (key[0], after.state) for key, to in TRANSITIONS.items()
            )


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


async def test_an_order_id_stands_in_one_record_only() -> None:
    journal = MemoryJournal()
    for reference in ("ref-1", "ref-2"):
        sent = await journal.insert(purchase(reference, State.SENT))
        ordered = transition(sent, Event.ORDERED, order_id="o-1")
        if reference == "ref-1":
            assert await journal.replace(sent, ordered)
        else:
            with pytest.raises(OrderIdRecorded):
                await journal.replace(sent, ordered)
    assert State.SENT is (await journal.read(purchase("ref-2").key)).state  # type: ignore[union-attr]


async def test_list_filters_by_state_and_is_sorted_by_plan() -> None:
    journal = MemoryJournal()
    late = attrs.evolve(purchase("late"), planned_at=NOON + dt.timedelta(hours=1))
    for item in (late, purchase("sent", State.SENT), purchase("early")):
        await journal.insert(item)
    assert ["early", "late"] == [p.reference for p in await journal.list(states={State.PLANNED})]
    assert 3 == len(await journal.list())

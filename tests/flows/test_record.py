"""The transition table, and the journal's compare-and-set, as a state machine."""

import datetime as dt
from typing import Any, TypeVar

import attrs
import pytest

from didww_async import InvalidInput
from flows.journal import Limits, OrderRequest, Purchase, PurchaseKey, State
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
FINGERPRINT = "8318101320761c4ca67193257974d5db3205247b608c5e27afbfe8f9fe1cbecf"


def purchase(reference: str = "ref-1", state: State = State.PLANNED) -> Purchase:
    return Purchase(
        key=PurchaseKey(origin="http://x/v3", account="default", reference=reference),
        request=OrderRequest.of_one(sku_id="sku", did_group_id="group", quantity=1),
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
    ways = {to for (state, _), to in TRANSITIONS.items() if state is State.COMPLETED}
    assert {State.COMPLETED} == ways  # only numbers that show up late
    assert not [key for key in TRANSITIONS if key[0] is State.CANCELED]


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
    request = OrderRequest.of_one(sku_id="sku", did_group_id="group", quantity=1)
    assert FINGERPRINT == request.fingerprint
    two = OrderRequest.of_one(sku_id="sku", did_group_id="group", quantity=2)
    assert two.fingerprint != request.fingerprint
    assert attrs.evolve(request, items=request.items * 2).fingerprint != request.fingerprint

"""Requests, records and outcomes survive JSON; what is wrong is refused with its name."""

import datetime as dt
import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww_async import InvalidInput
from flows import PurchaseRequest
from flows.journal import Limits, OrderRequest, Purchase, PurchaseKey, State
from flows.workers import Outcome, Problem
from flows.workers.documents import (
    dump_outcome,
    dump_purchase,
    dump_request,
    load_outcome,
    load_purchase,
    load_request,
)

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
NAMES = st.none() | st.text(max_size=20)
MONEY = st.none() | st.decimals(0, 10_000, places=2)
REQUESTS = st.builds(
    PurchaseRequest,
    country=st.text(max_size=20),
    region=NAMES,
    city=st.none(),
    npa=st.sampled_from([None, "212"]),
    number_type=NAMES,
    features=st.lists(st.sampled_from(["voice_in", "sms"]), max_size=2).map(tuple),
    needs_registration=st.none() | st.booleans(),
    sku_id=NAMES,
    channels=st.none() | st.integers(0, 100),
    prefer=st.sampled_from([None, "cheapest"]),
    quantity=st.integers(1, 1000),
    allow_back_ordering=st.booleans(),
    max_setup=MONEY,
    max_monthly=MONEY,
    max_total=MONEY,
    reference=st.sampled_from([None, "buy-1"]),
)
RECORDS = st.builds(
    Purchase,
    key=st.just(PurchaseKey(origin="http://x/v3", account="default", reference="ref-1")),
    request=st.builds(
        OrderRequest.of_one, sku_id=st.text(), did_group_id=st.text(), quantity=st.just(2)
    ),
    limits=st.builds(Limits, max_setup=MONEY, max_total=MONEY),
    state=st.sampled_from(State),
    order_by=st.just(NOON),
    planned_at=st.just(NOON),
    claimed_at=st.sampled_from([None, NOON]),
    amount=MONEY,
    numbers=st.lists(st.text(), max_size=3).map(tuple),
    error=NAMES,
    surely_bought=st.booleans(),
)


@given(REQUESTS)
def test_a_request_survives_json(request: PurchaseRequest) -> None:
    assert request == load_request(json.loads(json.dumps(dump_request(request))))


@given(RECORDS, NAMES)
def test_a_record_and_an_outcome_survive_json(record: Purchase, said: str | None) -> None:
    assert record == load_purchase(json.loads(json.dumps(dump_purchase(record))))
    problem = None if said is None else Problem(type="NoMatch", message=said)
    outcome = Outcome(reference="ref-1", purchase=record, problem=problem, shortfall=1)
    assert outcome == load_outcome(json.loads(json.dumps(dump_outcome(outcome))))
    assert (record.state in {State.ORDERED, State.COMPLETED}) == outcome.is_bought


def test_what_a_newer_version_adds_to_a_record_is_passed_over() -> None:
    outcome = Outcome(reference="ref-1")
    assert outcome == load_outcome(dump_outcome(outcome) | {"news": 1})
    assert (None, False, ()) == (outcome.state, outcome.is_bought, outcome.numbers)


@pytest.mark.parametrize(
    "wrong",
    [
        {"contry": "US"},
        {"country": 1},
        {"quantity": "1"},
        {"quantity": 0},
        {"max_total": 5.5},
        {"max_total": "a lot"},
        {"max_total": "NaN"},
        {"npa": "12"},
        {"reference": "not a reference"},
        {"prefer": "dearest"},
        {"api_key": "secret"},
    ],
)
def test_a_request_that_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    good = dump_request(PurchaseRequest(country="US"))
    assert {"country": "US", "features": [], "quantity": 1, "allow_back_ordering": False} == good
    with pytest.raises(InvalidInput):
        load_request(good | wrong)


def test_a_request_has_no_place_for_a_key() -> None:
    names = {field.name for field in attrs.fields(PurchaseRequest)}
    assert not {name for name in names if "key" in name or "token" in name}

"""Callbacks as typed values: documented kinds, unknown ones, and what is none."""

import copy
import json
import pickle
from decimal import Decimal
from urllib.parse import quote_plus, urlencode

import attrs
import pytest
from callbacks.kit import ORDER
from hypothesis import example, given, settings
from hypothesis import strategies as st

from didww_async.callbacks import (
    AddressVerificationCallback,
    Callback,
    CallbackStatus,
    EmergencyVerificationCallback,
    ExportCallback,
    OrderCallback,
    TrunkEvent,
    UnknownCallback,
    UnreadableCallback,
    parse_body,
    parse_query,
)
from didww_async.resources.orders import OrderStatus

HOSTILE = [
    b"",
    b"&",
    b"id=1",
    b"id=1&type=orders",
    b"id=&type=orders&status=completed",
    b"id=%ff&type=orders&status=completed",
    b"id=\xff&type=orders&status=completed",
    b"id=" + b"1" * 65 + b"&type=orders&status=completed",
    b"id=1&type=orders&status=completed" + b"&a" * 64,
    b"{",
    b"{}",
    b"[1]",
    b"[[]]",
    b'["a"]',
    b"\xff",
    b"[" * 100_000,
    b'[{"a": NaN}]',
    b'[{"a": Infinity}]',
    b'[{"a": "\\ud800"}]',
    b'{"id": "1", "type": "orders", "status": null}',
    b'{"id": ["1"], "type": "orders", "status": "completed"}',
    b'{"id": true, "type": "orders", "status": "completed"}',
    b'[{"a": ' + b"1" * 5000 + b"}]",
]


def form(**values):
    return urlencode(values).encode()


def test_orders():
    [callback] = parse_body(form(**ORDER))
    assert callback == OrderCallback(
        id=ORDER["id"], type="orders", status=OrderStatus.COMPLETED, raw=ORDER
    )
    assert callback == parse_query(urlencode(ORDER))
    assert parse_body(json.dumps(ORDER).encode()) == (callback,)
    match callback:
        case OrderCallback(status=OrderStatus.COMPLETED):
            pass
        case _:
            raise AssertionError(callback)


def test_the_customers_own_parameters_stay_reachable():
    callback = parse_query(f"opaque=a+b%26&id=mine&{urlencode(ORDER)}")
    assert (ORDER["id"], "a b&") == (callback.id, callback.raw["opaque"])


def test_exports():
    [callback] = parse_body(form(id="1", type="exports", status="completed", url="https://a/b?c=d"))
    assert isinstance(callback, ExportCallback)
    assert (CallbackStatus.COMPLETED, "https://a/b?c=d") == (callback.status, callback.url)
    assert parse_body(form(id="1", type="exports", status="pending"))[0].url is None


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("address_verifications", AddressVerificationCallback),
        ("emergency_verifications", EmergencyVerificationCallback),
    ],
)
@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (b"", ()),
        (b"&reject_reasons=", ()),
        (b"&reject_reasons=Too+old", ("Too old",)),
        (b"&reject_reasons[]=Too+old&reject_reasons%5B%5D=Not+yours", ("Too old", "Not yours")),
        ({"reject_reasons": None}, ()),
        ({"reject_reasons": ["Too old", None, {}]}, ("Too old",)),
    ],
)
def test_verifications(kind, cls, body, reasons):
    usual = {"id": "1", "type": kind, "status": "Rejected", "reject_comment": "Sorry"}
    body = form(**usual) + body if isinstance(body, bytes) else json.dumps(usual | body).encode()
    [callback] = parse_body(body)
    assert isinstance(callback, cls)
    assert CallbackStatus.REJECTED is callback.status
    assert (reasons, "Sorry") == (callback.reject_reasons, callback.reject_comment)


def test_events_of_trunks():
    entries = [
        {"id": "1", "type": "voice_out_trunks", "status": "blocked", "spent": 1.50},
        {"event": "threshold", "trunk_id": 7, "when": None},
        ORDER,
    ]
    body = json.dumps(entries).encode()
    first, second, third = parse_body(body)
    assert isinstance(first, TrunkEvent)
    assert ("blocked", Decimal("1.5")) == (first.status, first.raw["spent"])
    assert isinstance(second, TrunkEvent)
    assert ("", "", "") == (second.id, second.type, second.status)
    assert entries[1] == second.raw
    assert isinstance(third, OrderCallback)
    assert parse_body(b"[]") == ()


def test_unknown_types_and_statuses_are_kept():
    [callback] = parse_body(form(id="7", type="ponies", status="Neighing", colour="pink"))
    assert isinstance(callback, UnknownCallback)
    assert ("7", "ponies", "Neighing") == (callback.id, callback.type, callback.status)
    assert not callback.status.is_known
    assert callback.raw["colour"] == "pink"


def test_callbacks_are_values():
    [callback] = parse_body(form(**ORDER))
    assert callback == pickle.loads(pickle.dumps(callback))  # noqa: S301
    assert callback == copy.deepcopy(callback)
    assert {callback} == {copy.copy(callback)}
    assert "raw" not in repr(callback)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        callback.id = "2"


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:30]))
def test_what_is_no_callback(body):
    with pytest.raises(UnreadableCallback):
        parse_body(body)


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore"))
)
@example(b"[{}]")
def test_hostile_bodies(body):
    try:
        found = parse_body(body)
    except UnreadableCallback:
        return
    assert all(isinstance(callback, Callback) for callback in found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["id", "type", "status", "url", "reject_reasons", "reject_comment"])
TYPES = st.sampled_from(["orders", "exports", "address_verifications", "voice_out_trunks"])


@settings(deadline=None)
@given(st.dictionaries(FIELDS, JSON | TYPES) | st.lists(st.dictionaries(FIELDS, JSON | TYPES)))
def test_hostile_json(payload):
    try:
        found = parse_body(json.dumps(payload).encode())
    except UnreadableCallback:
        return
    for callback in found:
        assert isinstance(callback.status, str)
        assert isinstance(repr(callback), str)


@given(st.text())
@example("id=\ud800")
@example("id=\udcff&type=orders&status=x")
def test_hostile_queries(query):
    try:
        parse_query(query)
    except UnreadableCallback:
        return


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64))
def test_any_text_comes_through_a_form(text):
    body = f"id={quote_plus(text)}&status={quote_plus(text)}&type={quote_plus(text)}".encode()
    [callback] = parse_body(body)
    assert (text, text) == (callback.id, callback.type)

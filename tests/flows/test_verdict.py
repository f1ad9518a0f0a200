"""What an answer to the POST proves: the table that decides about money."""

import datetime as dt

import attrs
import pytest

from didww_async import (
    UNSET,
    ApiError,
    BadRequest,
    Conflict,
    DidwwError,
    ErrorObject,
    Forbidden,
    InsufficientBalance,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ReadOnlyToken,
    ServerFailed,
    TokenRejected,
    Unauthorized,
    UnreadableReply,
    ValidationFailed,
)
from didww_async.resources import DidOrderLine, Order, UnknownNested
from flows.journal import Limits, OrderRequest, Purchase, PurchaseKey, RequestItem, State
from flows.verdict import Verdict, matching, misfit, refused_items, stock_items, verdict

SAID = ErrorObject(status="4xx", code="100", title="no", detail="no")
REFERENCE_TAKEN = ErrorObject(
    detail="has already been taken", pointer="/data/attributes/external_reference_id"
)
REFERENCE_LONG = ErrorObject(
    detail="is too long (maximum is 100 characters)",
    pointer="/data/attributes/external_reference_id",
)
QTY = ErrorObject(detail="more than available", pointer="/data/attributes/items/0/qty")


def answer(kind: type[ApiError], status: int, *errors: ErrorObject) -> ApiError:
    return kind(method="POST", url="http://x/v3/orders", status=status, errors=errors)


@pytest.mark.parametrize(
    ("expected", "failure"),
    [
        (Verdict.AGAIN, answer(RateLimited, 429, SAID)),
        (Verdict.AGAIN, answer(RateLimited, 429)),
        (Verdict.AGAIN, NotSent(method="POST", url="u", reason="refused")),
        (Verdict.AGAIN, answer(TokenRejected, 401)),
        (Verdict.AGAIN, answer(TokenRejected, 401, SAID)),
        (Verdict.STOP, answer(ReadOnlyToken, 403)),
        (Verdict.STOP, answer(ReadOnlyToken, 403, SAID)),
        (Verdict.STOP, answer(Unauthorized, 401, SAID)),
        (Verdict.STOP, answer(Unauthorized, 401)),
        (Verdict.STOP, answer(ApiError, 406)),
        (Verdict.STOP, answer(ApiError, 415, SAID)),
        (Verdict.REFUSED, answer(BadRequest, 400, SAID)),
        (Verdict.REFUSED, answer(InsufficientBalance, 400, SAID)),
        (Verdict.REFUSED, answer(Forbidden, 403, SAID)),
        (Verdict.REFUSED, answer(NotFound, 404, SAID)),
        (Verdict.REFUSED, answer(Conflict, 409, SAID)),
        (Verdict.REFUSED, answer(ValidationFailed, 422, QTY)),
        (Verdict.REFUSED, answer(ValidationFailed, 422, REFERENCE_LONG)),
        (Verdict.UNKNOWN, answer(ValidationFailed, 422, REFERENCE_TAKEN)),
        (Verdict.UNKNOWN, answer(BadRequest, 400)),  # a proxy's page, not the API's word
        (Verdict.UNKNOWN, answer(Forbidden, 403)),
        (Verdict.UNKNOWN, answer(ApiError, 408, SAID)),
        (Verdict.UNKNOWN, answer(ServerFailed, 500, SAID)),
        (Verdict.UNKNOWN, answer(ServerFailed, 503)),
        (Verdict.UNKNOWN, answer(UnreadableReply, 307)),
        (Verdict.UNKNOWN, OutcomeUnknown(method="POST", url="u", reason="reset")),
        (Verdict.BOUGHT, answer(UnreadableReply, 201, SAID)),
        (Verdict.BOUGHT, answer(UnreadableReply, 200)),
        (Verdict.UNKNOWN, DidwwError("something else")),
    ],
    ids=str,
)
def test_each_failure_of_the_post_has_its_verdict(expected: Verdict, failure: DidwwError) -> None:
    assert expected is verdict(failure)


@pytest.mark.parametrize(
    ("expected", "pointer"),
    [
        (True, "/data/attributes/items/0/qty"),
        (True, "/data/attributes/items/12/qty"),
        (False, "/data/attributes/items/0/sku_id"),
        (False, "/data/attributes/base"),
        (False, None),
    ],
)
def test_a_refusal_for_stock_is_told_by_its_pointer(expected: bool, pointer: str | None) -> None:
    refusal = answer(ValidationFailed, 422, ErrorObject(pointer=pointer))
    assert expected is bool(stock_items(refusal))


def test_a_refusal_tells_which_items_it_is_about() -> None:
    pointers = ("items/3/qty", "items/0/sku_id", "items", "items/x/qty", "base")
    objections = [ErrorObject(pointer=f"/data/attributes/{end}") for end in pointers]
    refusal = answer(ValidationFailed, 422, *objections)
    assert ({0, 3}, {3}) == (refused_items(refusal), stock_items(refusal))


NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
PURCHASE = Purchase(
    key=PurchaseKey(origin="o", account="a", reference="ref-1"),
    request=OrderRequest.of_one(sku_id="sku", did_group_id="group", quantity=3),
    limits=Limits(),
    state=State.SENT,
    planned_at=NOON,
    order_by=NOON + dt.timedelta(minutes=15),
)
LINE = DidOrderLine(qty=3, did_group_id="group")


@pytest.mark.parametrize(
    ("fits", "order"),
    [
        (True, Order(id="1", created_at=NOON, items=(LINE,))),
        (True, Order(id="1", created_at=NOON - dt.timedelta(minutes=4), items=(LINE,))),
        (True, Order(id="1")),
        (True, Order(id="1", created_at=NOON, items=(DidOrderLine(did_group_id=None),))),
        (False, Order(id="1", created_at=NOON - dt.timedelta(minutes=6), items=(LINE,))),
        (False, Order(id="1", created_at=NOON, items=(LINE, LINE))),
        (False, Order(id="1", created_at=NOON, items=(UnknownNested(),))),
        (False, Order(id="1", items=(DidOrderLine(qty=2, did_group_id="group"),))),
        (False, Order(id="1", items=(DidOrderLine(qty=3, did_group_id="other"),))),
    ],
)
def test_an_order_found_again_must_fit_the_plan(fits: bool, order: Order) -> None:
    why = misfit(order, PURCHASE)
    assert fits is (why is None), why


SEVERAL = attrs.evolve(
    PURCHASE,
    request=OrderRequest(
        items=(
            RequestItem(sku_id="a", did_group_id="x", quantity=2, nanpa_prefix_id="p"),
            RequestItem(sku_id="a", did_group_id="x", quantity=3, nanpa_prefix_id="q"),
            RequestItem(sku_id="b", did_group_id="y", quantity=4),
        )
    ),
)


def item(group: str | None, quantity: int | None) -> DidOrderLine:
    return DidOrderLine(
        did_group_id=UNSET if group is None else group, qty=UNSET if quantity is None else quantity
    )


@pytest.mark.parametrize(
    ("fits", "items"),
    [
        (True, [item("y", 4), item("x", 3), item("x", 2)]),
        (True, [item("x", 5), item("y", 4)]),  # told together
        (True, [item("x", None), item("x", 2), item("y", None)]),
        (True, [item(None, 4), item(None, 2), item(None, 3)]),
        (False, [item("y", 4), item("x", 3), item("x", 3)]),
        (False, [item("y", 5), item("x", 4)]),
        (False, [item("x", 5)]),
        (False, [item("x", 5), item("y", 4), item("z", 1)]),
        (False, [item("x", None), item("y", None)]),
        (False, [item("x", 6), item("x", None), item("y", None)]),
        (False, [item(None, 4), item(None, 2), item(None, 4)]),
        (False, [item("x", 2), item("x", 3), item("y", 4), UnknownNested()]),
    ],
)
def test_several_items_fit_in_any_order(fits: bool, items: list[DidOrderLine]) -> None:
    why = misfit(Order(id="1", created_at=NOON, items=tuple(items)), SEVERAL)
    assert fits is (why is None), why


def test_only_the_exact_reference_matches() -> None:
    same = Order(id="1", external_reference_id="ref-1")
    others = [
        Order(id="2", external_reference_id="ref-11"),
        Order(id="3", external_reference_id="REF-1"),
        Order(id="4", external_reference_id=None),
        Order(id="5", external_reference_id=UNSET),
    ]
    assert [same] == matching([*others, same], "ref-1")

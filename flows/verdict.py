"""What the answer to an order's POST proves, and whether a found order is this one (pure)."""

import datetime as dt
import enum
from collections.abc import Sequence

from didww_async import (
    UNSET,
    ApiError,
    DidwwError,
    NotSent,
    RateLimited,
    ReadOnlyToken,
    TokenRejected,
    UnreadableReply,
    ValidationFailed,
)
from didww_async.resources import DidOrderLine, Order
from flows.journal.record import Purchase

__all__ = ["CLOCK_SKEW", "Verdict", "is_answer_to", "matching", "misfit", "stock_item", "verdict"]

# The order's clock is DIDWW's, the plan's is the journal's.
CLOCK_SKEW = dt.timedelta(minutes=5)


class Verdict(enum.Enum):
    """What a failed POST proves."""

    REFUSED = "refused: surely not bought, and the same order would be refused again"
    AGAIN = "not carried out: may be sent again after a new claim"
    STOP = "not carried out, and sending it again would not help"
    BOUGHT = "surely bought, order id unknown"
    UNKNOWN = "may have been bought"


def verdict(failure: DidwwError) -> Verdict:
    """Judge the failure of one POST /orders. When in doubt: UNKNOWN. Table: test_verdict.py."""
    match failure:
        case RateLimited() | NotSent() | TokenRejected():
            return Verdict.AGAIN
        case UnreadableReply(status=status):
            return Verdict.BOUGHT if 200 <= status < 300 else Verdict.UNKNOWN
        case ReadOnlyToken() | ApiError(status=401 | 406 | 415):
            return Verdict.STOP
        case ValidationFailed() if _objects_to_reference(failure):
            return Verdict.UNKNOWN
        case ApiError(status=status, errors=errors) if errors and 400 <= status < 500:
            return Verdict.UNKNOWN if status in {408, 429} else Verdict.REFUSED
        case _:
            return Verdict.UNKNOWN


def _objects_to_reference(failure: ApiError) -> bool:
    # "Already taken" means that the order may exist; "too long" does not.
    return any(
        "external_reference_id" in (error.pointer or "") and "too long" not in (error.detail or "")
        for error in failure.errors
    )


def stock_item(failure: ApiError) -> bool:
    """Whether a refusal says that fewer numbers are in stock than ordered."""
    return any(
        (error.pointer or "").startswith("/data/attributes/items/")
        and (error.pointer or "").endswith("/qty")
        for error in failure.errors
    )


def is_answer_to(order: Order, purchase: Purchase) -> bool:
    """Whether the answer to a POST is an order that can be this purchase, with a usable id."""
    reference = order.external_reference_id or purchase.reference
    return bool(order.id) and reference == purchase.reference and not _other_items(order, purchase)


def matching(orders: Sequence[Order], reference: str) -> list[Order]:
    """The orders that carry exactly this reference, whatever the server's filter let through."""
    return [order for order in orders if order.external_reference_id == reference]


def misfit(order: Order, purchase: Purchase) -> str | None:
    """Why an order that carries the reference can't be this purchase; None when it fits.

    What the server left out is not held against it.
    """
    created = order.created_at
    if isinstance(created, dt.datetime) and created < purchase.planned_at - CLOCK_SKEW:
        return f"it was created at {created:%F %T%z}, before this purchase was planned"
    return _other_items(order, purchase)


def _other_items(order: Order, purchase: Purchase) -> str | None:
    if not order.items:
        return None
    line = order.items[0]
    if not isinstance(line, DidOrderLine) or len(order.items) != 1:
        return f"it has {len(order.items)} items, the first of type {line.type or 'unknown'}"
    request = purchase.request
    if line.qty not in {request.quantity, None, UNSET}:
        return f"it is for {line.qty} numbers, not {request.quantity}"
    if line.did_group_id not in {request.did_group_id, None, UNSET}:
        return f"it is for DID group {line.did_group_id}, not {request.did_group_id}"
    return None

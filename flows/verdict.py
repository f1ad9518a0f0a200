"""What the answer to an order's POST proves, and whether a found order is this one (pure)."""

import datetime as dt
import enum
import re
from collections import Counter
from collections.abc import Sequence

from didww_async import (
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

__all__ = [
    "CLOCK_SKEW",
    "Verdict",
    "is_answer_to",
    "matching",
    "misfit",
    "refused_items",
    "stock_items",
    "verdict",
]

# The order's clock is DIDWW's, the plan's is the journal's.
CLOCK_SKEW = dt.timedelta(minutes=5)
ITEM = re.compile(r"/data/attributes/items/(\d+)(?:/(\w+))?", re.ASCII)


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


def refused_items(failure: ApiError) -> frozenset[int]:
    """The positions of the items that a refusal names, from 0; none when it names none."""
    return frozenset(position for position, _ in _items_named(failure))


def stock_items(failure: ApiError) -> frozenset[int]:
    """The positions of the items of which, a refusal says, fewer are in stock than ordered."""
    return frozenset(position for position, field in _items_named(failure) if field == "qty")


def _items_named(failure: ApiError) -> list[tuple[int, str | None]]:
    pointers = (ITEM.fullmatch(error.pointer or "") for error in failure.errors)
    return [(int(found[1]), found[2]) for found in pointers if found]


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
    """Items may come in another order than sent, and the reply tells their DID groups only."""
    if not order.items:
        return None
    lines = [line for line in order.items if isinstance(line, DidOrderLine)]
    if len(lines) != len(order.items):
        other = next(line for line in order.items if not isinstance(line, DidOrderLine))
        return f"it has an item of type {other.type or 'unknown'}"
    wanted = purchase.request.by_group
    of_group: Counter[str | None] = Counter()
    whole = True  # nothing was left out, so that sums can be compared
    for line in lines:
        group = line.did_group_id if isinstance(line.did_group_id, str) else None
        whole = whole and isinstance(line.qty, int) and group is not None
        of_group[group] += line.qty if isinstance(line.qty, int) else 0
    for group, quantity in of_group.items():
        if group is not None and group not in wanted:
            return f"it is for DID group {group}, not {' or '.join(wanted)}"
        most = purchase.request.quantity if group is None else wanted[group]
        if quantity > most or (whole and quantity < most):
            return f"it is for {quantity} numbers, not {most}"
    if whole and set(of_group) != set(wanted):
        return f"it has nothing of DID group {', '.join(set(wanted) - {*map(str, of_group)})}"
    return None if whole else _left_out(lines, purchase)


def _left_out(lines: Sequence[DidOrderLine], purchase: Purchase) -> str | None:
    """What can still be said where some items came without DID group or quantity."""
    items = len(purchase.request.items)
    if len(lines) != items:
        return f"it has {len(lines)} items, not {items}"
    quantities = [line.qty for line in lines if isinstance(line.qty, int)]
    total = purchase.request.quantity
    if sum(quantities) > total or (len(quantities) == items and sum(quantities) != total):
        return f"it is for {sum(quantities)} numbers, not {total}"
    return None

"""Every error of the flow.

    FlowError (a DidwwError)
    ├── StepNotPossible          the step is out of order; it names the steps possible now
    ├── NoMatch                  nothing fits what was asked for; candidates are listed
    ├── Ambiguous                several fit; candidates are listed
    ├── InvalidFlowData          saved flow data that was changed or belongs elsewhere
    ├── PriceOverLimit           refused here: the price is over a limit
    ├── OfferChanged             refused here: the price or offer is not what was quoted
    ├── BalanceTooLow            refused here: the balance does not cover the order
    ├── CancelRefused            the order can't be cancelled (any more)
    ├── OutOfStock               not enough in stock: order fewer, another offer, or back-order
    ├── ResendRefused            an order that must not be sent again
    ├── OrderRefused             DIDWW refused the order; nothing was bought
    ├── PurchaseExpired          planned too long ago to be bought at that price
    ├── ReferenceMismatch        the reference already stands for another request
    ├── ReferenceTaken           DIDWW has an order under it that does not fit this purchase
    ├── DuplicateOrders          DIDWW has several orders under one reference: look at once
    ├── LineChanged              the name of a batch's line stands for another purchase already
    ├── OrderCanceled            the order of a batch's line was canceled; nothing is bought
    ├── BatchStopped             a stop rule came before this line; nothing was sent for it
    ├── OrderNotRecorded         ordered, but the journal could not write it down
    └── OrderOutcomeUnknown      the order may or may not exist; resumable, never sent again alone

The journal's errors are FlowErrors too: flows.journal.JournalError and its kinds.
All survive pickling; where there is a journal record it is in `purchase`.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from didww_async import ApiError, DidwwError, InvalidInput

if TYPE_CHECKING:
    from flows.journal.record import Purchase

__all__ = [
    "Ambiguous",
    "BalanceTooLow",
    "BatchStopped",
    "CancelRefused",
    "DuplicateOrders",
    "FlowError",
    "InvalidFlowData",
    "LineChanged",
    "NoMatch",
    "OfferChanged",
    "OrderCanceled",
    "OrderNotRecorded",
    "OrderOutcomeUnknown",
    "OrderRefused",
    "OutOfStock",
    "PriceOverLimit",
    "PurchaseExpired",
    "ReferenceMismatch",
    "ReferenceTaken",
    "ResendRefused",
    "StepNotPossible",
]

SHOWN = 12  # candidates in a message; `candidates` has them all


class FlowError(DidwwError):
    """Root of everything the flow raises on purpose."""


class StepNotPossible(FlowError):
    """The step is out of order. `possible` names the steps that can be taken now."""

    def __init__(self, step: str, *, why: str, possible: Sequence[str]) -> None:
        self.step = step
        self.possible = tuple(possible)
        super().__init__(f"{step}() is not possible now: {why}. Possible: {', '.join(possible)}")


class NoMatch(FlowError):
    """Nothing fits. `candidates` are the nearest, or all that could be chosen."""

    def __init__(self, what: str, *, candidates: Sequence[str] | None = None) -> None:
        self.candidates = tuple(candidates or ())
        listed = "" if candidates is None else f". {_listed('To choose from', candidates)}"
        super().__init__(f"{what}{listed}")


class Ambiguous(FlowError):
    """Several fit. `candidates` are those that do; say which."""

    def __init__(self, what: str, *, candidates: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        super().__init__(f"{what}. {_listed('Say which one', candidates)}")


class InvalidFlowData(FlowError, InvalidInput):
    """The saved data is not what `to_dict()` wrote, or belongs to another API or account."""


class PriceOverLimit(FlowError):
    """The price is over a limit of the caller's; nothing was sent."""

    def __init__(
        self, limit: str, *, allowed: Decimal, price: Decimal, why: str | None = None
    ) -> None:
        self.limit = limit
        self.allowed = allowed
        self.price = price
        super().__init__(
            why
            or f"the price {price} is over {limit}={allowed} (both without VAT). Nothing was sent; "
            "raise the limit or choose another offer"
        )


class OfferChanged(FlowError):
    """The offer is not what was quoted any more; nothing was sent. Choose and quote again."""


class BalanceTooLow(FlowError):
    """The balance does not cover the order even without VAT; nothing was sent."""

    def __init__(self, *, available: Decimal, needed: Decimal) -> None:
        self.available = available
        self.needed = needed
        super().__init__(
            f"the balance is {available}, the order costs {needed} without VAT. Nothing was sent; "
            "top up, or order less"
        )


class OutOfStock(FlowError):
    """Fewer numbers are in stock than asked for; nothing was bought.

    `available` is the number in stock where known; `choices` what can be done: "fewer",
    "another offer", "back-order"; `error` DIDWW's answer, where it was asked.
    """

    choices = ("fewer", "another offer", "back-order")

    def __init__(
        self,
        what: str,
        *,
        available: int | None = None,
        purchase: "Purchase | None" = None,
        error: ApiError | None = None,
    ) -> None:
        self.available = available
        self.purchase = purchase
        self.error = error
        super().__init__(
            f"{what}. Nothing was bought; order fewer, choose another offer, or pass "
            "allow_back_ordering=True and wait"
        )


class CancelRefused(FlowError):
    """DIDWW did not cancel the order; `status` is what it is now."""

    def __init__(self, *, order_id: str, status: str, error: ApiError | None) -> None:
        self.order_id = order_id
        self.status = status
        self.error = error
        said = f" ({error.detail or error.title})" if error is not None else ""
        super().__init__(f"order {order_id} is {status} and was not cancelled{said}")


class OrderRefused(FlowError):
    """DIDWW refused the order; nothing was bought. `error` is its answer, where still known."""

    def __init__(self, *, purchase: "Purchase", error: ApiError | None = None) -> None:
        self.purchase = purchase
        self.error = error
        super().__init__(f"the order {purchase.reference} was refused: {purchase.error}")


class PurchaseExpired(FlowError):
    """The plan is older than its `order_by`; nothing was bought. Quote and order again."""

    def __init__(self, *, purchase: "Purchase") -> None:
        self.purchase = purchase
        super().__init__(
            f"the purchase {purchase.reference} was to be ordered by {purchase.order_by:%F %T%z}; "
            "nothing was bought. Quote again and order"
        )


class ReferenceMismatch(FlowError):
    """The reference stands for another request. Nothing was sent; use new_purchase()."""

    def __init__(self, *, purchase: "Purchase") -> None:
        self.purchase = purchase
        super().__init__(
            f"the reference {purchase.reference} already stands for another request "
            f"({purchase.request}), which is {purchase.state}. Nothing was sent; a new purchase "
            "needs a new reference: new_purchase()"
        )


class ReferenceTaken(FlowError):
    """DIDWW has an order under this reference that is not this purchase; it was not adopted."""

    def __init__(self, *, purchase: "Purchase", order_id: str, why: str) -> None:
        self.purchase = purchase
        self.order_id = order_id
        super().__init__(
            f"order {order_id} carries the reference {purchase.reference}, but {why}. "
            "Look at that order; for another purchase use a new reference"
        )


class ResendRefused(FlowError):
    """The order must not be sent again; nothing was sent. `purchase` is where it stands."""

    def __init__(self, *, purchase: "Purchase", why: str) -> None:
        self.purchase = purchase
        super().__init__(f"the purchase {purchase.reference} is not sent again: {why}")


class DuplicateOrders(FlowError):
    """Several orders carry this reference: money may have been spent twice. Look at once."""

    def __init__(self, *, purchase: "Purchase", order_ids: Sequence[str]) -> None:
        self.purchase = purchase
        self.order_ids = tuple(order_ids)
        super().__init__(
            f"SEVERAL orders carry the reference {purchase.reference}: {', '.join(order_ids)}. "
            "Look at them now and cancel what is pending and unwanted"
        )


class LineChanged(FlowError):
    """A name stands for something else already: a line of a batch is in an order for another
    request, or was bought alone, or what is to be bought alone is a line. Nothing was sent."""

    def __init__(self, identity: str, *, reference: str, state: str) -> None:
        self.identity = identity
        self.reference = reference
        super().__init__(
            f"line {identity} already stands for another purchase: it is in order {reference}, "
            f"which is {state}. Nothing was sent; give a new purchase a new reference"
        )


class OrderCanceled(FlowError):
    """The order was canceled: nothing is bought. `purchase` is the journal's record."""

    def __init__(self, *, purchase: "Purchase") -> None:
        self.purchase = purchase
        super().__init__(
            f"order {purchase.order_id} ({purchase.reference}) was canceled; nothing is bought. "
            "To buy after all, give the line a new reference"
        )


class BatchStopped(FlowError):
    """A stop rule ended the batch before this line's turn; nothing was sent for it."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"nothing was sent, because the batch was stopped: {why}. Run it again to go on"
        )


class OrderNotRecorded(FlowError):
    """DIDWW made the order, and the journal could not be written. `order_id` is its id.

    Nothing is lost: ordering again under the same reference finds it.
    """

    def __init__(self, *, purchase: "Purchase", order_id: str, why: str) -> None:
        self.purchase = purchase
        self.order_id = order_id
        super().__init__(
            f"order {order_id} was made for {purchase.reference}, but the journal could not record "
            f"it: {why}. Nothing is lost: order() with the same reference finds it"
        )


class OrderOutcomeUnknown(FlowError):
    """The order was sent, no answer came, and no order was found: it may exist or not.

    Nothing sends it again by itself. Ordering again under the same reference looks for it anew.
    `candidates` are ids of orders that look alike but can't be matched by reference.
    """

    def __init__(
        self, *, purchase: "Purchase", candidates: Sequence[str] = (), why: str | None = None
    ) -> None:
        self.purchase = purchase
        self.candidates = tuple(candidates)
        why = why or purchase.error or "no answer came"
        alike = f" Orders that look alike: {', '.join(candidates)}." if candidates else ""
        super().__init__(
            f"whether the order {purchase.reference} exists is unknown ({why}). "
            f"It is not sent again; order() with the same reference looks for it.{alike}"
        )


def _listed(intro: str, candidates: Sequence[str]) -> str:
    if not candidates:
        return "Nothing is on offer here"
    more = f" and {len(candidates) - SHOWN} more" if len(candidates) > SHOWN else ""
    return f"{intro}: {'; '.join(candidates[:SHOWN])}{more}"

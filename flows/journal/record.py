"""Purchase: what the journal remembers of one purchase, and the one table of its transitions.

    planned --claim--> sent --ordered--> ordered --completed--> completed
       |  ^             | \\--refused--> refused --plan--> planned
       |  \\--give_back--/  \\--lost----> unknown --ordered/refused/give_back--> ...
       |                                    \\--resend--> sent (a person's decision)
       \\--expire--> expired --plan--> planned          ordered --canceled--> canceled

Pure: every event is a function from a record to its next version, or IllegalTransition.
"""

import datetime as dt
import enum
import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from didww_async import InvalidInput

__all__ = [
    "OPEN",
    "TRANSITIONS",
    "Event",
    "IllegalTransition",
    "Limits",
    "NOT_BOUGHT",
    "OrderRequest",
    "Purchase",
    "PurchaseKey",
    "RequestItem",
    "State",
    "check_reference",
    "transition",
]

REFERENCE = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class State(enum.StrEnum):
    """Where a purchase stands."""

    PLANNED = "planned"
    SENT = "sent"
    ORDERED = "ordered"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    COMPLETED = "completed"
    CANCELED = "canceled"
    EXPIRED = "expired"


# Something may still happen to these by itself: what a resume carries on.
OPEN = frozenset({State.PLANNED, State.SENT, State.UNKNOWN, State.ORDERED})


class Event(enum.StrEnum):
    """What can happen to a purchase."""

    PLAN = "plan"
    CLAIM = "claim"
    GIVE_BACK = "give_back"
    ORDERED = "ordered"
    REFUSED = "refused"
    LOST = "lost"
    RESEND = "resend"
    EXPIRE = "expire"
    COMPLETED = "completed"
    CANCELED = "canceled"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.PLANNED, Event.CLAIM): State.SENT,
    (State.PLANNED, Event.EXPIRE): State.EXPIRED,
    # Found at DIDWW before anything was sent: an earlier claim store was lost.
    (State.PLANNED, Event.ORDERED): State.ORDERED,
    (State.SENT, Event.ORDERED): State.ORDERED,
    (State.SENT, Event.REFUSED): State.REFUSED,
    (State.SENT, Event.GIVE_BACK): State.PLANNED,
    (State.SENT, Event.LOST): State.UNKNOWN,
    # A late proof: the answer, or the order itself, turned up after all.
    (State.UNKNOWN, Event.ORDERED): State.ORDERED,
    (State.UNKNOWN, Event.REFUSED): State.REFUSED,
    (State.UNKNOWN, Event.GIVE_BACK): State.PLANNED,
    (State.UNKNOWN, Event.RESEND): State.SENT,
    (State.REFUSED, Event.PLAN): State.PLANNED,
    (State.EXPIRED, Event.PLAN): State.PLANNED,
    # An order that was read at DIDWW is proof, whatever else was thought of it.
    (State.REFUSED, Event.ORDERED): State.ORDERED,
    (State.EXPIRED, Event.ORDERED): State.ORDERED,
    (State.ORDERED, Event.COMPLETED): State.COMPLETED,
    (State.COMPLETED, Event.COMPLETED): State.COMPLETED,  # numbers that showed up late
    (State.ORDERED, Event.CANCELED): State.CANCELED,
}

NOT_BOUGHT = frozenset({State.PLANNED, State.REFUSED, State.EXPIRED})

# What is said of one claim only: it is not written over another one.
OF_ONE_CLAIM = frozenset({Event.REFUSED, Event.GIVE_BACK, Event.LOST})


class IllegalTransition(Exception):
    """The table has no such transition from this state."""


@attrs.frozen(kw_only=True)
class PurchaseKey:
    """What identifies a purchase: the API it goes to, the account's label, its reference."""

    origin: str
    account: str
    reference: str


@attrs.frozen(kw_only=True)
class RequestItem:
    """One item of an order; `did_group_id` is what a found order's items are compared with."""

    sku_id: str
    did_group_id: str
    quantity: int
    nanpa_prefix_id: str | None = None

    def __str__(self) -> str:
        prefix = f" with prefix {self.nanpa_prefix_id}" if self.nanpa_prefix_id else ""
        return f"{self.quantity} of SKU {self.sku_id}{prefix}"


@attrs.frozen(kw_only=True)
class OrderRequest:
    """What is to be ordered: one item or several, in the order in which they are sent."""

    items: tuple[RequestItem, ...]
    allow_back_ordering: bool = False

    def __attrs_post_init__(self) -> None:
        if not self.items:
            raise InvalidInput("an order needs at least one item")
        check_back_ordering(self.allow_back_ordering)

    @classmethod
    def of_one(
        cls,
        *,
        sku_id: str,
        did_group_id: str,
        quantity: int,
        nanpa_prefix_id: str | None = None,
        allow_back_ordering: bool = False,
    ) -> "OrderRequest":
        """A request with a single item."""
        item = RequestItem(
            sku_id=sku_id,
            did_group_id=did_group_id,
            quantity=quantity,
            nanpa_prefix_id=nanpa_prefix_id,
        )
        return cls(items=(item,), allow_back_ordering=allow_back_ordering)

    @property
    def one(self) -> RequestItem | None:
        """The item, when there is no other one."""
        return self.items[0] if len(self.items) == 1 else None

    @property
    def quantity(self) -> int:
        """How many numbers are ordered, over all items."""
        return sum(item.quantity for item in self.items)

    @property
    def by_group(self) -> Mapping[str, int]:
        """How many numbers are ordered of each DID group."""
        found: dict[str, int] = {}
        for item in self.items:
            found[item.did_group_id] = found.get(item.did_group_id, 0) + item.quantity
        return found

    @property
    def fingerprint(self) -> str:
        """Equal for equal requests, across processes and versions of this library."""
        text = json.dumps(attrs.asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __str__(self) -> str:
        if self.one is not None:
            return str(self.one)
        return f"{self.quantity} numbers in {len(self.items)} items"


def check_back_ordering(allowed: object) -> bool:
    """Return whether a back order is allowed. Raises InvalidInput for "false", 1, None, ..."""
    if type(allowed) is not bool:
        raise InvalidInput(f"allow_back_ordering is True or False, not {allowed!r}")
    return allowed


def _price(_: object, attribute: "attrs.Attribute[Any]", found: object) -> None:
    usable = isinstance(found, Decimal | int) and not isinstance(found, bool)
    if found is not None and not (usable and Decimal(found).is_finite() and found >= 0):  # type: ignore[arg-type, operator]
        raise InvalidInput(f"{attribute.name} is a price such as Decimal('4.50'), not {found!r}")


@attrs.frozen(kw_only=True)
class Limits:
    """Most that may be paid, USD without VAT: setup and monthly per number of any item, total for
    the whole order.

    Raises InvalidInput for what is no price.
    """

    max_setup: Decimal | None = attrs.field(default=None, validator=_price)
    max_monthly: Decimal | None = attrs.field(default=None, validator=_price)
    max_total: Decimal | None = attrs.field(default=None, validator=_price)


@attrs.frozen(kw_only=True)
class Purchase:
    """One purchase in the journal. `revision` counts its versions, for compare-and-set.

    `attempt` counts claims; `owner` names the last one's maker. `surely_bought` says that DIDWW
    accepted the order though its id is unknown, `doubtful` that it was sent again while nobody
    knew what became of the first time. `asked`: the fingerprint of the caller's own request.
    `number_groups`: the DID group of each of `numbers`, where the order is for several. Times
    are the journal's own; `updated_at` is filled in by the journal when it writes, and says nothing
    about equality.
    """

    key: PurchaseKey
    request: OrderRequest
    limits: Limits
    state: State
    order_by: dt.datetime
    planned_at: dt.datetime
    revision: int = 0
    attempt: int = 0
    owner: str | None = None
    claimed_at: dt.datetime | None = None
    order_id: str | None = None
    amount: Decimal | None = None
    numbers: tuple[str, ...] = ()
    number_groups: tuple[str, ...] = ()
    error: str | None = None
    surely_bought: bool = False
    doubtful: bool = False
    asked: str | None = None
    updated_at: dt.datetime | None = attrs.field(default=None, eq=False)

    @property
    def reference(self) -> str:
        return self.key.reference

    @property
    def fingerprint(self) -> str:
        return self.request.fingerprint


def transition(purchase: Purchase, event: Event, **changes: Any) -> Purchase:
    """The next version of a record. Raises IllegalTransition when the table has no such step."""
    target = TRANSITIONS.get((purchase.state, event))
    if target is None:
        raise IllegalTransition(f"{purchase.state} can't become anything by {event}")
    if purchase.doubtful and event in OF_ONE_CLAIM:
        target = State.UNKNOWN  # that the second order failed says nothing of the first
    if event is Event.RESEND:
        changes["doubtful"] = True
    return attrs.evolve(purchase, state=target, revision=purchase.revision + 1, **changes)


def check_reference(reference: str) -> str:
    """Return the reference. Raises InvalidInput unless it is 1 to 100 of A-Z a-z 0-9 . _ : -"""
    if not isinstance(reference, str) or not REFERENCE.fullmatch(reference):
        raise InvalidInput(
            f"a purchase reference is 1 to 100 letters, digits or . _ : - , not {reference!r}"
        )
    return reference

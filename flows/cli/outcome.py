"""What became of a purchase: judged from the journal, told to people and machines (pure)."""

from decimal import Decimal
from typing import Any

import attrs

from flows import Canceled, Completed, Offer, Purchase, PurchaseResult, Quote, SavedIds
from flows.cli.connect import Place
from flows.cli.exits import Exit, exit_for
from flows.cli.show import aligned, cell, money
from flows.errors import CancelRefused, OrderNotRecorded, ReferenceMismatch, ResendRefused
from flows.journal import State
from flows.journal.record import REFERENCE

__all__ = ["Outcome", "after_error", "after_waiting", "ids_of", "quote_lines"]

NOTHING_CHOSEN = SavedIds()
DECISIONS = (ResendRefused, CancelRefused)  # refused whatever the state is: not a loose end
STATUS = {
    "sent": "unknown",
    "unknown": "unknown",
    "ordered": "pending",
    "completed": "completed",
    "canceled": "canceled",
    "refused": "refused",
}


@attrs.frozen(kw_only=True)
class Outcome:
    """`status`: completed, pending, canceled, unknown (it may be bought), refused or not_bought.

    `earlier_runs`: the reference came from the user and this journal does not know it, so that a
    run with another one may have ordered under it. `planned`: the plan is still there.
    """

    status: str
    code: Exit
    reference: str | None = None
    order_id: str | None = None
    numbers: tuple[str, ...] = ()
    shortfall: int = 0
    ids: SavedIds = NOTHING_CHOSEN
    quote: Quote | None = None
    quantity: int | None = None
    charged: Decimal | None = None
    error: BaseException | None = None
    earlier_runs: bool = False
    planned: bool = False

    def document(self, place: Place, *, message: str | None) -> dict[str, Any]:
        """The one JSON object. Prices are USD; setup and monthly are per number, without VAT."""
        quote = self.quote
        return {
            "reference": self.reference,
            "order_id": self.order_id,
            "status": self.status,
            "numbers": self.numbers,
            "quantity": self.quantity,
            "shortfall": self.shortfall,
            "ids": attrs.asdict(self.ids),
            "prices": {
                "setup": quote.setup_price if quote else None,
                "monthly": quote.monthly_price if quote else None,
                "total": quote.total if quote else None,
                "charged": self.charged,
                "currency": "USD",
            },
            "environment": place.environment,
            "simulated": place.simulated,
            "api": place.api,
            "error": error_document(self.error, message),
        }

    def told(self, place: Place, options: str = "") -> list[str]:
        """The outcome for people, without its numbers and error.

        `options`: what the commands it names need to find the same API and journal.
        """
        where = " on the simulator; nothing was bought at DIDWW" if place.simulated else ""
        order, reference = self.order_id, self.reference
        named = f"--reference{'=' if f'{reference}'.startswith('-') else ' '}{reference}"
        charged = f", charged {money(self.charged)} USD" if self.charged is not None else ""
        match self.status:
            case "completed":
                lines = [f"Order {order} is completed{where}{charged} (reference {reference})."]
                if self.shortfall:
                    lines.append(f"{self.shortfall} of its numbers have not shown up yet.")
            case "pending":
                lines = [f"Order {order} is placed{where}{charged} (reference {reference})."]
                lines += _later(place, f"Look again with: didww-async order {order}{options}")
            case "canceled" if order is None:
                lines = [f"The plan {reference} is dropped: nothing was ordered."]
            case "canceled":
                lines = [f"Order {order} was canceled: nothing is bought."]
            case "unknown":
                lines = [f"The order {reference} may be on its way{where}."]
                lines += _later(
                    place,
                    f"Settle it with: didww-async reconcile{options}",
                    f"What is known: didww-async journal {named}{options}",
                    f"Running buy again with {named} settles it as well, and never orders twice.",
                    "If it stays unknown, look at your orders at DIDWW; if it is not there: "
                    f"didww-async resend {reference}{options}",
                )
            case _ if self.planned and not place.simulated:
                lines = [
                    "Nothing was bought. The plan is still in the journal: didww-async resume"
                    f"{options} would order it while it is young, didww-async cancel {reference}"
                    f"{options} drops it."
                ]
            case _ if self.earlier_runs and not place.simulated:
                lines = [
                    "Nothing was bought by this run. Whether an earlier one ordered, see: "
                    f"didww-async order {named}{options}"
                ]
            case _:
                lines = ["Nothing was bought."]
        return lines


def error_document(error: BaseException | None, message: str | None) -> dict[str, Any] | None:
    """An error as JSON values."""
    if error is None:
        return None
    found: dict[str, Any] = {"type": type(error).__name__, "message": message}
    if candidates := getattr(error, "candidates", ()):
        found["candidates"] = list(candidates)
    return found


def after_waiting(result: PurchaseResult, **known: Any) -> Outcome:
    """The outcome of an order that was waited for."""
    found: dict[str, Any] = {
        "order_id": result.order.id,
        "charged": result.charged or None,
        **known,
    }
    match result:
        case Completed():
            return Outcome(
                status="completed",
                code=Exit.INCOMPLETE if result.shortfall else Exit.OK,
                numbers=result.numbers,
                shortfall=result.shortfall,
                **found,
            )
        case Canceled():
            return Outcome(status="canceled", code=Exit.REFUSED, **found)
        case _:
            return Outcome(status="pending", code=Exit.INCOMPLETE, **found)


def after_error(
    error: BaseException, purchase: Purchase | None, *, reference_given: bool, **known: Any
) -> Outcome:
    """The outcome when something went wrong: the journal says what is known of the order."""
    code = exit_for(error)
    if isinstance(error, ReferenceMismatch):  # the journal tells of another purchase
        return Outcome(status="refused", code=code, error=error, earlier_runs=True, **known)
    status = _status(error, purchase)
    if status is None:
        status = "refused" if code is Exit.REFUSED else "not_bought"
    if code is not Exit.INTERRUPTED and (status == "unknown" or not isinstance(error, DECISIONS)):
        code = {
            "unknown": Exit.UNKNOWN,
            "pending": Exit.INCOMPLETE,
            "completed": Exit.INCOMPLETE,
        }.get(status, code)
    if purchase is None:
        reference = known.get("reference") or ""
        known["earlier_runs"] = reference_given and REFERENCE.fullmatch(reference) is not None
    else:
        order_id = getattr(error, "order_id", None) if status == "pending" else None
        known["order_id"] = purchase.order_id or order_id
        known["charged"] = purchase.amount
        known["numbers"] = purchase.numbers
        known["ids"] = ids_of(purchase, known.get("ids", NOTHING_CHOSEN))
        known["quantity"] = known.get("quantity") or purchase.request.quantity
        known["planned"] = purchase.state is State.PLANNED
    return Outcome(status=status, code=code, error=error, **known)


def _status(error: BaseException, purchase: Purchase | None) -> str | None:
    match error:
        case OrderNotRecorded():
            return "pending"
        case CancelRefused(status="pending" | "completed" | "canceled" as found):
            return found
    return STATUS.get(purchase.state.value if purchase else "")


def ids_of(purchase: Purchase, ids: SavedIds) -> SavedIds:
    """The ids that the journal knows, among those chosen."""
    ids = attrs.evolve(ids, order_id=purchase.order_id)
    item = purchase.request.one
    if item is None:  # an order of a batch has no one choice
        return ids
    return attrs.evolve(
        ids,
        sku_id=item.sku_id,
        did_group_id=item.did_group_id,
        nanpa_prefix_id=item.nanpa_prefix_id,
    )


def quote_lines(offer: Offer, quote: Quote, *, place: str, width: int | None) -> list[str]:
    """What is going to be ordered and what it costs, for the user to confirm."""
    number = "number" if quote.quantity == 1 else "numbers"
    enough = "enough" if quote.balance_is_enough else "NOT ENOUGH"
    what = " ".join(filter(None, [offer.number_type, offer.area_name, offer.prefix]))
    fields = {
        "Order": f"{quote.quantity} {number}: {cell(what)}, {offer.channels} channels",
        "Where": place,
        "Features": cell(offer.features),
        "SKU": offer.sku_id,
        "Setup": f"{money(quote.setup_price)} per number",
        "Monthly": f"{money(quote.monthly_price)} per number, {money(quote.monthly_total)} in all",
        "Due now": f"{money(quote.total)} ({quote.note})",
        "Balance": f"{money(quote.balance)}: {enough}",
        "Registration": "needed: the numbers work only after it is approved"
        if quote.needs_registration
        else "not needed",
    }
    if quote.allow_back_ordering:
        fields["Back order"] = "yes: what is not in stock may take days"
    if quote.service_restrictions:
        fields["Restrictions"] = quote.service_restrictions
    return aligned(fields, width)


def _later(place: Place, *lines: str) -> list[str]:
    # A simulator of our own ends with the process: there is nothing to look at later.
    return [] if place.simulated else list(lines)

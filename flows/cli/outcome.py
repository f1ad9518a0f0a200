"""What became of a purchase: judged from the journal, told to people and machines (pure)."""

from decimal import Decimal
from typing import Any

import attrs

from flows import Canceled, Completed, Offer, Purchase, PurchaseResult, Quote, SavedIds
from flows.cli.connect import Place
from flows.cli.exits import Exit, exit_for
from flows.cli.show import aligned, cell, money

__all__ = ["Outcome", "after_error", "after_waiting", "quote_lines"]

NOTHING_CHOSEN = SavedIds()
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

    `earlier_runs`: the reference came from the user and was not looked up, so that an earlier run
    may have ordered under it what this one did not.
    """

    status: str
    code: Exit
    reference: str | None = None
    order_id: str | None = None
    numbers: tuple[str, ...] = ()
    shortfall: int = 0
    ids: SavedIds = NOTHING_CHOSEN
    quote: Quote | None = None
    charged: Decimal | None = None
    error: BaseException | None = None
    earlier_runs: bool = False

    def document(self, place: Place, *, message: str | None) -> dict[str, Any]:
        """The one JSON object. Prices are USD; setup and monthly are per number, without VAT."""
        quote = self.quote
        return {
            "reference": self.reference,
            "order_id": self.order_id,
            "status": self.status,
            "numbers": self.numbers,
            "quantity": quote.quantity if quote else None,
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

    def told(self, place: Place) -> list[str]:
        """The outcome for people, without its numbers and error."""
        where = " on the simulator; nothing was bought at DIDWW" if place.simulated else ""
        order, reference = self.order_id, self.reference
        charged = f", charged {money(self.charged)} USD" if self.charged is not None else ""
        match self.status:
            case "completed":
                lines = [f"Order {order} is completed{where}{charged} (reference {reference})."]
                if self.shortfall:
                    lines.append(f"{self.shortfall} of its numbers have not shown up yet.")
            case "pending":
                lines = [f"Order {order} is placed{where}{charged} (reference {reference})."]
                lines += _later(place, f"Look again with: didww-async order {order}")
            case "canceled":
                lines = [f"Order {order} was canceled: nothing is bought."]
            case "unknown":
                lines = [f"The order {reference} may be on its way{where}."]
                lines += _later(
                    place,
                    f"Look for it with: didww-async order --reference {reference}",
                    "If it is not there after some minutes, running buy again with --reference "
                    f"{reference} and the same options looks once more before it orders.",
                )
            case _ if self.earlier_runs and not place.simulated:
                lines = [
                    "Nothing was bought by this run. Whether an earlier one ordered, see: "
                    f"didww-async order --reference {reference}"
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
    status = STATUS.get(purchase.state.value if purchase else "")
    if status is None:
        status = "refused" if code is Exit.REFUSED else "not_bought"
    if code is not Exit.INTERRUPTED:
        code = {
            "unknown": Exit.UNKNOWN,
            "pending": Exit.INCOMPLETE,
            "completed": Exit.INCOMPLETE,
        }.get(status, code)
    if purchase is None:
        known["earlier_runs"] = reference_given
    else:
        known |= {"order_id": purchase.order_id, "charged": purchase.amount}
        known |= {"numbers": purchase.numbers}
    return Outcome(status=status, code=code, error=error, **known)


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

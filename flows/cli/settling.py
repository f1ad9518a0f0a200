"""`reconcile`, `resume` and `journal`: the purchases of a journal, settled or only listed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import attrs

from didww_async import Client, InvalidInput
from flows import Purchase, PurchaseJournal, Resumed, reconcile, resume
from flows.cli.answering import Answer, Asked
from flows.cli.connect import Place, named_by, working
from flows.cli.exits import Exit, UserLeft, exit_for
from flows.cli.keeping import journal_to_list
from flows.cli.options import Journaled
from flows.cli.screen import Screen
from flows.cli.show import Column, Listing, cell, money
from flows.journal import State

__all__ = ["exit_of", "listing_of", "read_journal", "settle"]

IN_DOUBT = frozenset({State.SENT, State.UNKNOWN})
BOUGHT = frozenset({State.ORDERED, State.COMPLETED})
DECIDE = (
    "What is unknown stays so until you decide: look at your orders at DIDWW. If one is not "
    "there, didww-async resend REFERENCE sends it again."
)


async def settle(
    connection: Journaled, asked: Asked, *, orders: bool = False, yes: bool = False
) -> Answer:
    """Settle every open purchase of this API and account; with `orders` also order the planned."""
    screen = asked.screen
    if orders and not yes and not screen.can_ask:
        raise InvalidInput(
            "this orders what was planned, and there is no terminal to confirm it at: add --yes"
        )
    async with working(connection, create=False) as (client, asked.place, journal):
        if orders and not yes:
            await _confirm(client, journal, screen, asked.place)
        doing = "settling (what was sent just now is given its time first, up to 3 minutes)"
        try:
            async with screen.progress(doing):
                found = await (resume if orders else reconcile)(client, journal)
        except asyncio.CancelledError:
            screen.say("Interrupted: what is on its way is written down first.", "warning")
            raise
    note = None if found else "Nothing is open."
    if any(item.purchase.state is State.UNKNOWN for item in found):
        note = DECIDE
    return Answer(found=listing_of(found), code=exit_of(found), note=note)


async def _confirm(client: Client, journal: PurchaseJournal, screen: Screen, place: Place) -> None:
    now = await journal.now()
    planned = [
        purchase
        for purchase in await journal.list(
            states={State.PLANNED}, origin=client.origin, account=client.account
        )
        if purchase.order_by >= now
    ]
    if not planned:
        return
    from flows.cli.asking import Asking  # noqa: PLC0415 - it takes a while to load

    for purchase in planned:
        most = purchase.limits.max_total
        price = "" if most is None else f", at most {money(most)} USD without VAT"
        planned_at = cell(purchase.planned_at)
        screen.say(f"{purchase.reference}: {purchase.request}{price}, planned {planned_at}")
    what = "this purchase" if len(planned) == 1 else f"these {len(planned)} purchases"
    if not await Asking(screen).confirm(f"Order {what} ({place.environment})?"):
        raise UserLeft("it was not confirmed")


def exit_of(found: Sequence[Resumed]) -> Exit:
    """UNKNOWN while an outcome is; PARTIAL when some are bought and the others refused; else what
    the first error means."""
    if any(item.purchase.state in IN_DOUBT for item in found):
        return Exit.UNKNOWN
    failed = [exit_for(item.error) for item in found if item.error is not None]
    bought = any(item.error is None and item.purchase.state in BOUGHT for item in found)
    if bought and set(failed) == {Exit.REFUSED}:
        return Exit.PARTIAL
    return failed[0] if failed else Exit.OK


async def read_journal(
    connection: Journaled,
    asked: Asked,
    *,
    states: Sequence[State] = (),
    reference: str | None = None,
    all_accounts: bool = False,
) -> Answer:
    """The purchases of the journal, of one API unless none is named; nothing is asked of DIDWW."""
    origin, account = (None, None) if all_accounts else named_by(connection)
    asked.place = attrs.evolve(asked.place, api=origin)
    journal = journal_to_list(connection)
    try:
        found = await journal.list(
            states=states,
            origin=origin,
            account=account,
            reference=reference,
        )
    finally:
        await journal.aclose()
    return Answer(found=listing_of(found))


def listing_of(found: Sequence[Purchase | Resumed]) -> Listing:
    """Purchases as rows, with what stands in the way of those that are not further."""
    return Listing(
        name="purchases",
        columns=(
            Column("reference", "reference", folds=True),
            Column("state", "state"),
            Column("order_id", "order id", spare=2),
            Column("quantity", "qty", right=True, spare=4),
            Column("numbers", "numbers", spare=5, folds=True),
            Column("planned_at", "planned", spare=3),
            Column("updated_at", "updated", spare=6),
            Column("error", "error", spare=1, folds=True),
            Column("api", "api", spare=7),
            Column("account", "account", spare=8),
        ),
        rows=tuple(
            _row(item.purchase, item.error) if isinstance(item, Resumed) else _row(item)
            for item in found
        ),
    )


def _row(purchase: Purchase, error: Exception | None = None) -> dict[str, Any]:
    return {
        "reference": purchase.reference,
        "state": str(purchase.state),
        "order_id": purchase.order_id,
        "quantity": purchase.request.quantity,
        "sku_id": one.sku_id if (one := purchase.request.one) else None,
        "numbers": purchase.numbers,
        "charged": purchase.amount,
        "planned_at": purchase.planned_at,
        "claimed_at": purchase.claimed_at,
        "updated_at": purchase.updated_at,
        "attempt": purchase.attempt,
        "error": purchase.error if error is None else str(error),
        "api": purchase.key.origin,
        "account": purchase.key.account,
    }

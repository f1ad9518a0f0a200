"""Being told: what DIDWW's callbacks say of orders goes to the journal and to all who wait.

    receiver = CallbackReceiver(secret=..., handle=order_callbacks(client, journal))

A callback is only a hint. The order is read from DIDWW and what that says is recorded, before
the callback is answered: one that is lost, repeated, late or forged changes nothing. Waiters of
this process are woken, those of other processes see the journal. Orders that were made with
`OrderRules(callback_url=...)` call back.
"""

import logging
from collections.abc import Awaitable, Callable

from didww_async import Client, InvalidInput, NotFound
from didww_async.callbacks import Callback, OrderCallback
from didww_async.resources import Order
from flows.completion import conclude, watcher_of
from flows.journal import PurchaseJournal
from flows.journal.record import Purchase, State
from flows.ordering import Ordering
from flows.rules import OrderRules
from flows.verdict import misfit

__all__ = ["order_callbacks"]

log = logging.getLogger("didww_async.flows")


def order_callbacks(
    client: Client, journal: PurchaseJournal, *, rules: OrderRules | None = None
) -> Callable[[Callback], Awaitable[None]]:
    """Make the `handle` of a CallbackReceiver: it records what became of the order.

    Costs 1 request per callback, and 1 per 100 numbers. It ignores what is not an order of this
    journal, and raises the client's or the journal's error when it can't do its work, so that
    DIDWW is answered 500 and calls again.
    """
    ordering = Ordering(client, journal, rules=rules)
    rules = rules or OrderRules()

    async def handle(callback: Callback) -> None:
        if not isinstance(callback, OrderCallback) or not callback.id:
            return
        try:
            order = await ordering.read_order(callback.id)
        except (NotFound, InvalidInput):
            log.warning("a callback names order %r, which DIDWW does not know", callback.id)
            return
        purchase = await _purchase_of(order, ordering, journal)
        if purchase is None:
            log.info("a callback names order %s, which is not in the journal", order.id)
            return
        if purchase.state in {State.SENT, State.UNKNOWN}:
            # Faster than the answer to the POST, or found after all.
            purchase = await ordering.adopt(purchase, order)
        await conclude(client, journal, purchase, order, rules=rules)
        watcher_of(client, rules=rules).hint(order.id)

    return handle


async def _purchase_of(
    order: Order, ordering: Ordering, journal: PurchaseJournal
) -> Purchase | None:
    """The purchase that an order belongs to: by its reference, if it fits."""
    reference = order.external_reference_id or ""
    purchase = await journal.read(ordering.key(reference)) if reference else None
    if purchase is None or purchase.order_id not in {None, order.id}:
        return None
    return None if misfit(order, purchase) else purchase

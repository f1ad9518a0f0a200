"""Settling: what became of an order without an answer. Sends nothing but look-ups."""

import datetime as dt
import time

from didww_async import (
    BadRequest,
    Client,
    DidwwError,
    NoAnswer,
    RateLimited,
    ServerFailed,
    UnreadableReply,
)
from didww_async.resources import Order
from flows.errors import DuplicateOrders, FlowError, OrderOutcomeUnknown, ReferenceTaken
from flows.journal import OrderIdRecorded, PurchaseJournal
from flows.journal.record import Event, Purchase, State
from flows.recording import record, same_claim
from flows.rules import OrderRules
from flows.verdict import CLOCK_SKEW, matching, misfit

__all__ = ["Settling"]

PASSING = (NoAnswer, RateLimited, ServerFailed, UnreadableReply)  # look again later


class Settling:
    """Watches the journal and looks orders up by reference."""

    def __init__(self, client: Client, journal: PurchaseJournal, *, rules: OrderRules) -> None:
        """`client` must speak an API version with external references."""
        self._orders = client.orders
        self._journal = journal
        self._rules = rules
        self._in_flight = rules.timeouts.total + rules.margin

    async def settled(self, purchase: Purchase, *, owner: str | None = None) -> Purchase:
        """Watch, then look up, until the purchase is proven or its settling time is over.

        `owner`: of a claim whose exchange the caller knows to be over: it looks at once. Others
        first let a healthy one finish. A purchase that is unknown already is looked up once.
        Returns the record, "unknown" when nothing was found. Raises DuplicateOrders,
        ReferenceTaken; OrderOutcomeUnknown when DIDWW could not be asked.
        """
        pauses = self._rules.pauses()
        claim, since = purchase, time.monotonic()
        while True:
            now = await self._journal.now()
            if not same_claim(purchase, claim):
                claim, since = purchase, time.monotonic()
            # The journal's clock may have been set back since the claim; this one never is.
            waited = time.monotonic() - since
            is_settled = waited >= self._in_flight + self._rules.settle_for
            may_look = now >= self.may_look(purchase) or waited >= self._in_flight
            if purchase.owner == owner or may_look:
                is_settled = is_settled or now >= self.give_up(purchase)
                over = is_settled or purchase.state is State.UNKNOWN
                found, failure = await self._looked_up(purchase)
                if found is not None:
                    return await self.adopted(purchase, found)
                if over and failure is None:
                    reason = purchase.error or "no answer came"
                    return await record(self._journal, purchase, Event.LOST, error=reason)
                if failure is not None and (over or not isinstance(failure, PASSING)):
                    # Never looked up with success: that is no ground for "unknown" in the journal.
                    raise OrderOutcomeUnknown(purchase=purchase, why=str(failure))
            await pauses.wait()
            purchase = await self._journal.read(purchase.key) or purchase
            if purchase.state not in {State.SENT, State.UNKNOWN}:
                return purchase

    def may_look(self, purchase: Purchase) -> dt.datetime:
        """When the POST of the last claim is over, whoever makes it."""
        in_flight = dt.timedelta(seconds=self._in_flight)
        return (purchase.claimed_at or purchase.planned_at) + in_flight

    def give_up(self, purchase: Purchase) -> dt.datetime:
        """When an order that is not found is called unknown."""
        return self.may_look(purchase) + dt.timedelta(seconds=self._rules.settle_for)

    async def _looked_up(self, purchase: Purchase) -> tuple[Order | None, DidwwError | None]:
        """`look_up`, with what keeps DIDWW from being asked as a value."""
        try:
            return await self.look_up(purchase), None
        except FlowError:
            raise
        except DidwwError as failure:
            return None, failure

    async def look_up(self, purchase: Purchase) -> Order | None:
        """The one order that carries the reference and fits; None when there is none (yet).

        Raises DuplicateOrders, ReferenceTaken; OrderOutcomeUnknown with candidates when the
        server does not know external references.
        """
        try:
            orders = await self._orders.list(
                filter={"external_reference_id": purchase.reference}, sort="created_at"
            )
        except BadRequest:
            raise await self._without_references(purchase) from None
        found = matching(orders, purchase.reference)
        if len(found) > 1:
            raise DuplicateOrders(purchase=purchase, order_ids=[order.id for order in found])
        if not found:
            return None
        if (why := misfit(found[0], purchase)) is not None:
            raise ReferenceTaken(purchase=purchase, order_id=found[0].id, why=why)
        return found[0]

    async def adopted(self, purchase: Purchase, order: Order) -> Purchase:
        """Record that `order` is this purchase.

        Raises ReferenceTaken when it is another's, DuplicateOrders when this purchase has another
        order already.
        """
        try:
            found = await record(
                self._journal,
                purchase,
                Event.ORDERED,
                order_id=order.id,
                amount=order.amount or None,
                error=None,
            )
        except OrderIdRecorded:
            why = "it stands in the journal under another reference"
            raise ReferenceTaken(purchase=purchase, order_id=order.id, why=why) from None
        if found.order_id not in {None, order.id}:
            raise DuplicateOrders(purchase=found, order_ids=[str(found.order_id), order.id])
        return found

    async def _without_references(self, purchase: Purchase) -> OrderOutcomeUnknown:
        since = purchase.planned_at - CLOCK_SKEW
        orders = await self._orders.list(
            filter={"created_at_gteq": since}, sort="-created_at", page_size=100
        )
        alike = [order.id for order in orders if misfit(order, purchase) is None]
        return OrderOutcomeUnknown(purchase=purchase, candidates=alike)

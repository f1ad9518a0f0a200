"""After the order: waiting for it, reading the numbers, cancelling it."""

import asyncio
from decimal import Decimal
from typing import TypeAlias

import attrs

from didww_async import ApiError, Client, Conflict, NotFound, ValidationFailed
from didww_async.resources import Did, Order, OrderStatus
from flows.errors import CancelRefused
from flows.journal.record import Event, Purchase
from flows.ordering import Ordering, OrderRules

__all__ = ["Canceled", "Completed", "Pending", "PurchaseResult", "cancel_order", "wait_for_order"]

READS_UNTIL_SHORTFALL = 4


@attrs.frozen(kw_only=True)
class _Placed:
    """`purchase` is the journal's record, `order` what DIDWW says. `charged` includes VAT."""

    purchase: Purchase
    order: Order

    @property
    def charged(self) -> Decimal | None:
        """What DIDWW charged, VAT included; None when it did not say."""
        return self.order.amount or self.purchase.amount


@attrs.frozen(kw_only=True)
class Completed(_Placed):
    """The order is completed. `shortfall`: how many of the ordered numbers did not show up."""

    dids: tuple[Did, ...]
    shortfall: int

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers bought, E.164 without "+"."""
        return tuple(did.number for did in self.dids)


@attrs.frozen(kw_only=True)
class Pending(_Placed):
    """Still pending when the time was over; wait again, today or in days (a back order)."""


@attrs.frozen(kw_only=True)
class Canceled(_Placed):
    """The order was canceled: nothing is bought."""


PurchaseResult: TypeAlias = Completed | Pending | Canceled


async def wait_for_order(
    client: Client, ordering: Ordering, purchase: Purchase, *, rules: OrderRules, timeout: float
) -> PurchaseResult:
    """Poll the order until it is final or `timeout` seconds are over, then read its numbers.

    Costs 1 request per look, with growing pauses, and 1 per 100 numbers.
    """
    assert purchase.order_id is not None  # noqa: S101 - the caller checked the state
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    pauses = rules.pauses()
    while True:
        order = await client.orders.get(purchase.order_id)
        if order.status == OrderStatus.COMPLETED:
            return await _completed(client, ordering, purchase, order, rules=rules)
        if order.status == OrderStatus.CANCELED:
            purchase = await ordering.record(purchase, Event.CANCELED)
            return Canceled(purchase=purchase, order=order)
        if loop.time() >= deadline:
            return Pending(purchase=purchase, order=order)
        await pauses.wait()


async def cancel_order(client: Client, ordering: Ordering, purchase: Purchase) -> Canceled:
    """Cancel a pending order: 2 requests.

    The answer to a DELETE is not trusted (aiohttp may have sent it twice): the order is read and
    its real state reported. Raises CancelRefused when it is not canceled.
    """
    assert purchase.order_id is not None  # noqa: S101 - the caller checked the state
    refusal: ApiError | None = None
    try:
        await client.orders.delete(purchase.order_id)
    except (NotFound, ValidationFailed, Conflict) as failure:
        refusal = failure
    order = await client.orders.get(purchase.order_id)
    if order.status != OrderStatus.CANCELED:
        raise CancelRefused(order_id=order.id, status=str(order.status), error=refusal)
    return Canceled(purchase=await ordering.record(purchase, Event.CANCELED), order=order)


async def _completed(
    client: Client, ordering: Ordering, purchase: Purchase, order: Order, *, rules: OrderRules
) -> Completed:
    wanted = purchase.request.quantity
    pauses = rules.pauses()
    for read in range(1, READS_UNTIL_SHORTFALL + 1):
        dids = tuple(
            [did async for did in client.dids.iterate(filter={"order.id": order.id}, sort="number")]
        )
        if len(dids) >= wanted or read == READS_UNTIL_SHORTFALL:
            break
        await pauses.wait()
    numbers = tuple(did.number for did in dids)
    purchase = await ordering.record(purchase, Event.COMPLETED, numbers=numbers)
    return Completed(
        purchase=purchase, order=order, dids=dids, shortfall=max(0, wanted - len(dids))
    )

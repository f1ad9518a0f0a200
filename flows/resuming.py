"""Resuming: carry on what a crash, a restart or a lost answer left open; and a person's decisions.

By the state of each purchase: planned is ordered if it is not too old; sent is settled; unknown is
looked for once more; ordered is asked about. Nothing that is unknown is ever sent again here.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection

import attrs

from didww_async import Client, DidwwError
from flows.choices import nearest
from flows.completion import Canceled, cancel_order, conclude
from flows.errors import FlowError, NoMatch
from flows.journal import PurchaseJournal
from flows.journal.record import OPEN, Event, Purchase, State, check_reference
from flows.ordering import Ordering
from flows.prices import Prices
from flows.recording import record
from flows.rules import OrderRules

__all__ = [
    "Resumed",
    "cancel",
    "find_purchase",
    "reconcile",
    "resend",
    "resume",
    "run_sweeper",
]

MAYBE_BOUGHT = OPEN - {State.PLANNED}

log = logging.getLogger("didww_async.flows")


@attrs.frozen(kw_only=True)
class Resumed:
    """What became of one open purchase; `error` says why it is not further."""

    purchase: Purchase
    error: DidwwError | None = None


async def resume(
    client: Client, journal: PurchaseJournal, *, rules: OrderRules | None = None
) -> list[Resumed]:
    """Carry on every open purchase of this client's API and account, oldest first.

    Also orders what was planned before a crash, because it was confirmed, unless it is too old or
    costs more by now. Returns one entry per open purchase; raises nothing of DIDWW's, only the
    journal's errors.
    """
    rules = rules or OrderRules()
    ordering = Ordering(client, journal, rules=rules)
    prices = Prices(client)

    async def carry_on(purchase: Purchase) -> Purchase:
        if purchase.state is State.PLANNED:
            await prices.check_limits(purchase.request, purchase.limits)
        return await ordering.carry_on(purchase)

    return await _each(client, journal, OPEN, carry_on, rules=rules)


async def reconcile(
    client: Client, journal: PurchaseJournal, *, rules: OrderRules | None = None
) -> list[Resumed]:
    """As `resume`, but nothing is ordered: what is sent is settled, what is ordered asked about."""
    rules = rules or OrderRules()
    ordering = Ordering(client, journal, rules=rules)
    return await _each(client, journal, MAYBE_BOUGHT, ordering.settle, rules=rules)


async def run_sweeper(
    client: Client,
    journal: PurchaseJournal,
    *,
    every: float = 60.0,
    rules: OrderRules | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Resume every `every` seconds until cancelled, inside a backend or worker.

    Several processes may do so on one journal. A sweep that fails is logged and tried again.
    """
    while True:
        try:
            for resumed in await resume(client, journal, rules=rules):
                if resumed.error is not None:
                    log.warning("purchase %s: %s", resumed.purchase.reference, resumed.error)
        except Exception:  # the sweeper outlives a database that is away for a while
            log.exception("the sweep failed; trying again in %g s", every)
        await sleep(every)


async def resend(
    client: Client, journal: PurchaseJournal, reference: str, *, rules: OrderRules | None = None
) -> Purchase:
    """Send an order of unknown outcome once more: the decision of a person who has looked.

    Returns the purchase, ordered. Raises ResendRefused unless it is unknown, its settling time is
    over and it is not surely bought; NoMatch when the journal has no such reference.
    """
    ordering = Ordering(client, journal, rules=rules)
    return await ordering.resend(await find_purchase(client, journal, reference))


async def cancel(client: Client, journal: PurchaseJournal, reference: str) -> Canceled | Purchase:
    """Cancel what is pending: an order at DIDWW, or a plan that was not sent yet.

    Raises CancelRefused when the order is not pending any more, NoMatch when the journal has no
    such purchase or its order is not known.
    """
    purchase = await find_purchase(client, journal, reference)
    if purchase.state in {State.PLANNED, State.EXPIRED}:
        return await record(journal, purchase, Event.EXPIRE, error="cancelled before it was sent")
    if purchase.order_id is None:
        raise NoMatch(f"the purchase {reference} is {purchase.state}: there is no order to cancel")
    return await cancel_order(client, journal, purchase)


async def find_purchase(client: Client, journal: PurchaseJournal, reference: str) -> Purchase:
    """The journal's record of a reference. Raises NoMatch when it has none."""
    key = Ordering(client, journal).key(check_reference(reference))
    found = await journal.read(key)
    if found is None:
        there = await journal.list(origin=client.origin, account=client.account)
        near = nearest(reference, [item.reference for item in there])
        raise NoMatch(f"the journal has no purchase {reference!r}", candidates=near or None)
    return found


async def _each(
    client: Client,
    journal: PurchaseJournal,
    states: Collection[State],
    carry_on: Callable[[Purchase], Awaitable[Purchase]],
    *,
    rules: OrderRules,
) -> list[Resumed]:
    async def one(purchase: Purchase) -> Resumed:
        error: DidwwError
        try:
            if purchase.state is not State.ORDERED:
                purchase = await carry_on(purchase)
            if purchase.state is State.ORDERED and purchase.order_id is not None:
                order = await client.orders.get(purchase.order_id)
                purchase = (await conclude(client, journal, purchase, order, rules=rules)).purchase
        except DidwwError as failure:
            error = failure
        except Exception as problem:  # one purchase must not keep the others from being settled
            log.exception("resuming %s failed in an unforeseen way", purchase.reference)
            error = FlowError(f"unforeseen: {type(problem).__name__}: {problem}")
        else:
            return Resumed(purchase=purchase)
        with contextlib.suppress(Exception):
            purchase = await journal.read(purchase.key) or purchase
        return Resumed(purchase=purchase, error=error)

    ours = await journal.list(states=states, origin=client.origin, account=client.account)
    return list(await asyncio.gather(*map(one, ours)))

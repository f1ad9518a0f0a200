"""After the order: waiting for it, reading the numbers, cancelling it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeAlias

import attrs

from didww_async import (
    ApiError,
    Client,
    Conflict,
    DidwwError,
    NoAnswer,
    NotFound,
    ServerFailed,
    ValidationFailed,
)
from didww_async.resources import Did, Order, OrderStatus
from flows.errors import CancelRefused
from flows.journal import PurchaseJournal
from flows.journal.record import Event, Purchase, State
from flows.recording import record
from flows.rules import OrderRules, check_timeout
from flows.watching import OrderWatcher

__all__ = ["Canceled", "Completed", "Pending", "PurchaseResult", "cancel_order", "wait_for_order"]

READS_UNTIL_SHORTFALL = 4
JOURNAL_EVERY = 1.0  # seconds between looks at the journal, where another process may have written


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
        return numbers_of(self.dids)


@attrs.frozen(kw_only=True)
class Pending(_Placed):
    """Still pending when the time was over; wait again, today or in days (a back order)."""


@attrs.frozen(kw_only=True)
class Canceled(_Placed):
    """The order was canceled: nothing is bought."""


PurchaseResult: TypeAlias = Completed | Pending | Canceled


async def wait_for_order(
    client: Client,
    journal: PurchaseJournal,
    purchase: Purchase,
    *,
    rules: OrderRules,
    timeout: float,
) -> PurchaseResult:
    """Wait until the order is final or `timeout` seconds are over, then read its numbers.

    All waiters of a client share one watcher: 1 request per look for up to 100 orders, with
    growing pauses, and 1 per 100 numbers.
    """
    check_timeout(timeout)
    order_id = _order_id(purchase)
    placed_at = purchase.claimed_at or purchase.planned_at
    age = (await journal.now() - placed_at).total_seconds()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    order: Order | None = None
    with watcher_of(client, rules=rules).watching(order_id, age=age) as watched:
        while order is None:
            left = deadline - loop.time()
            order = await watched.final(within=min(max(left, 0.0), JOURNAL_EVERY))
            if order is None and (left <= 0 or await _is_over(journal, purchase)):
                order = await client.orders.get(order_id)
    return await conclude(client, journal, purchase, order, rules=rules)


async def conclude(
    client: Client,
    journal: PurchaseJournal,
    purchase: Purchase,
    order: Order,
    *,
    rules: OrderRules,
) -> PurchaseResult:
    """Record what an order read from DIDWW says: completed with its numbers, canceled, pending."""
    if order.status == OrderStatus.COMPLETED:
        return await _completed(client, journal, purchase, order, rules=rules)
    if order.status == OrderStatus.CANCELED:
        purchase = await record(journal, purchase, Event.CANCELED)
        return Canceled(purchase=purchase, order=order)
    return Pending(purchase=purchase, order=order)


async def cancel_order(client: Client, journal: PurchaseJournal, purchase: Purchase) -> Canceled:
    """Cancel a pending order: 2 requests.

    The answer to a DELETE is not trusted, because it may have been lost: the order is read and its
    real state reported. Raises CancelRefused when it is not canceled.
    """
    order_id = _order_id(purchase)
    refusal: ApiError | None = None
    lost: DidwwError | None = None
    try:
        await client.orders.delete(order_id)
    except (NotFound, ValidationFailed, Conflict) as failure:
        refusal = failure
    except (NoAnswer, ServerFailed) as failure:
        lost = failure
    order = await client.orders.get(order_id)
    if order.status != OrderStatus.CANCELED:
        if lost is not None:
            raise lost
        raise CancelRefused(order_id=order.id, status=str(order.status), error=refusal)
    return Canceled(purchase=await record(journal, purchase, Event.CANCELED), order=order)


def watcher_of(client: Client, *, rules: OrderRules) -> OrderWatcher:
    """The one watcher of a client."""
    found: OrderWatcher | None = client.state.get("flows.watcher")
    if found is None:
        found = client.state["flows.watcher"] = OrderWatcher(client, rules=rules)
    return found


async def _is_over(journal: PurchaseJournal, purchase: Purchase) -> bool:
    """Whether another process has recorded the end of the purchase."""
    found = await journal.read(purchase.key)
    return found is not None and found.state in {State.COMPLETED, State.CANCELED}


def _order_id(purchase: Purchase) -> str:
    assert purchase.order_id is not None  # noqa: S101 - the callers checked the state
    return purchase.order_id


async def _completed(
    client: Client,
    journal: PurchaseJournal,
    purchase: Purchase,
    order: Order,
    *,
    rules: OrderRules,
) -> Completed:
    pauses = rules.pauses()
    for read in range(1, READS_UNTIL_SHORTFALL + 1):
        dids = await _dids_of(client, purchase, order)
        short = shortfall(purchase, dids)
        if not short or read == READS_UNTIL_SHORTFALL:
            break
        await pauses.wait()
    known = await keep_numbers(journal, purchase, dids)
    return Completed(purchase=known, order=order, dids=dids, shortfall=short)


async def _dids_of(client: Client, purchase: Purchase, order: Order) -> tuple[Did, ...]:
    # Which DID group a number is of matters only where the order is for several.
    several = len(purchase.request.by_group) > 1
    found = client.dids.iterate(
        filter={"order.id": order.id}, sort="number", include="did_group" if several else ()
    )
    return tuple([did async for did in found])


async def keep_numbers(
    journal: PurchaseJournal, purchase: Purchase, dids: Iterable[Did]
) -> Purchase:
    """Record that the order is completed with these DIDs. Numbers known before stay in front, so
    that who gets which does not change when late ones show up."""
    several = len(purchase.request.by_group) > 1
    read = {did.number: _group_of(did) for did in dids if numbers_of([did])}
    known = await journal.read(purchase.key) or purchase
    told = known.number_groups or ("",) * len(known.numbers)
    groups = dict(zip(known.numbers, told, strict=True)) | read
    numbers = tuple(groups)
    told = tuple(groups.values()) if several else ()
    is_news = (known.numbers, known.number_groups) != (numbers, told)
    if known.state is State.COMPLETED and not is_news:
        return known
    return await record(journal, known, Event.COMPLETED, numbers=numbers, number_groups=told)


def shortfall(purchase: Purchase, dids: Iterable[Did]) -> int:
    """How many of the ordered numbers are missing, group by group: one too many of one DID group
    does not make up for another."""
    wanted = purchase.request.by_group
    counted = [did for did in dids if numbers_of([did])]
    if len(wanted) == 1:
        return max(0, purchase.request.quantity - len(counted))
    there = Counter(_group_of(did) for did in counted)
    # Numbers whose group was not told may be of any.
    missing = sum(max(0, quantity - there[group]) for group, quantity in wanted.items())
    return max(0, missing - there[""])


def _group_of(did: Did) -> str:
    """The id of a DID's group, "" where it was not told."""
    return did.did_group.id if did.did_group else ""


def numbers_of(dids: Sequence[Did]) -> tuple[str, ...]:
    """The numbers of DIDs, as far as DIDWW told them."""
    return tuple(did.number for did in dids if isinstance(did.number, str) and did.number)

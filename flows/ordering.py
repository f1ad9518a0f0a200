"""Ordering: plan -> claim -> one POST -> settle. For one reference at most one order exists.

The claim (planned -> sent, committed) comes before the POST, and one claim is one POST. Whatever
is not proven stays "sent" and is settled by looking the reference up; an empty look-up proves
nothing, so a purchase that is not found ends as "unknown" and is never sent again by itself.
"""

import asyncio
import datetime as dt
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from didww_async import (
    UNSET,
    ApiError,
    BadRequest,
    Client,
    DidwwError,
    NoAnswer,
    PreparedOrder,
    RateLimited,
    ServerFailed,
    Timeouts,
)
from didww_async.resources import DidOrderItem, Order, OrderCreate
from flows.errors import (
    DuplicateOrders,
    OrderOutcomeUnknown,
    OrderRefused,
    OutOfStock,
    PurchaseExpired,
    ReferenceMismatch,
    ReferenceTaken,
)
from flows.journal import PurchaseJournal
from flows.journal.memory import OrderIdRecorded
from flows.journal.record import (
    OWNERS_WORD,
    Event,
    IllegalTransition,
    Limits,
    OrderRequest,
    Purchase,
    PurchaseKey,
    State,
    transition,
)
from flows.verdict import CLOCK_SKEW, Verdict, matching, misfit, stock_item, verdict

__all__ = ["Ordering", "OrderRules"]

log = logging.getLogger("didww_async.flows")

ORDERING_VERSION = "2026-04-16"  # the first with external_reference_id


@attrs.frozen(kw_only=True)
class OrderRules:
    """Times of the order protocol, in seconds unless they say otherwise.

    `timeouts`: of the POST. `margin`: added to its total before anybody else looks the order up.
    `settle_for`: how long an order without an answer is looked for before it is unknown.
    `claim_age`: an older claim is made anew, because the process was paused. `order_within`: how
    long a plan may wait to be ordered. `attempts`: claims per call when DIDWW says 429 or can't
    be reached. `quote_age`: an older quote is read again before ordering. `look_every`: first and
    longest pause between look-ups, journal watches and polls. `sleep` is there for tests.
    """

    timeouts: Timeouts = attrs.field(factory=lambda: Timeouts(connect=10, read=60, total=90))
    margin: float = 5.0
    settle_for: float = 60.0
    claim_age: float = 2.0
    order_within: float = 15 * 60.0
    attempts: int = 4
    quote_age: float = 5 * 60.0
    look_every: tuple[float, float] = (0.5, 10.0)
    sleep: Callable[[float], Awaitable[None]] = attrs.field(default=asyncio.sleep, repr=False)

    def pauses(self) -> "Pauses":
        """A fresh series of growing pauses."""
        return Pauses(self)


class Pauses:
    """Pauses that double up to a cap, a little random so that waiters do not march in step."""

    def __init__(self, rules: OrderRules) -> None:
        self._next, self._longest = rules.look_every
        self._sleep = rules.sleep

    async def wait(self) -> None:
        pause, self._next = self._next, min(self._longest, self._next * 2)
        await self._sleep(pause * random.uniform(0.75, 1.0))  # noqa: S311 - not for secrets


class Ordering:
    """Places orders for one client and journal. Each object is one owner of claims."""

    def __init__(
        self, client: Client, journal: PurchaseJournal, *, rules: OrderRules | None = None
    ) -> None:
        self._client = client
        self._journal = journal
        self._rules = rules or OrderRules()
        self._owner = uuid.uuid4().hex
        # Orders are placed and looked up by reference, whatever version the client speaks else.
        speaks = client.api_version >= ORDERING_VERSION
        self._orders = (client if speaks else client.at_version(ORDERING_VERSION)).orders

    def key(self, reference: str) -> PurchaseKey:
        """The journal key of a reference of this client."""
        return PurchaseKey(
            origin=self._client.origin, account=self._client.account, reference=reference
        )

    async def place(
        self, request: OrderRequest, *, reference: str, limits: Limits, born_here: bool
    ) -> Purchase:
        """Order `request` under `reference`, or report the order that exists already.

        `born_here`: the reference was made by this process, so that DIDWW can't know it yet.
        Returns the purchase in state ordered, completed or canceled. Raises OutOfStock,
        OrderRefused, PurchaseExpired, ReferenceMismatch, ReferenceTaken, DuplicateOrders,
        OrderOutcomeUnknown, or the client's error when DIDWW surely did not carry it out (then
        calling again is safe).
        """
        purchase = await self._plan(request, reference=reference, limits=limits)
        if purchase.state is State.UNKNOWN:
            return await self.settle(purchase)
        if not born_here and purchase.state is State.PLANNED:
            found = await self._look_up(purchase)
            if found is not None:
                return await self._adopt(purchase, found)
        pauses = self._rules.pauses()
        failures = 0
        while True:
            purchase, failure = await self._carry_on(purchase)
            if purchase.state is not State.PLANNED:
                return _result(purchase, failure)
            if failure is not None:
                failures += 1
                if failures == self._rules.attempts or verdict(failure) is Verdict.STOP:
                    raise failure
            await pauses.wait()

    async def settle(self, purchase: Purchase) -> Purchase:
        """Find out what became of a purchase that is sent or unknown. Sends nothing.

        Returns and raises as `place` does.
        """
        return _result(await self._settled(purchase), None)

    async def record(self, purchase: Purchase, event: Event, **changes: Any) -> Purchase:
        """Write an event to the journal, over whatever happened meanwhile.

        Returns the record as it is afterwards: with the event, or as somebody else left it when
        the event can't follow any more.
        """
        current: Purchase | None = purchase
        while current is not None:
            if event in OWNERS_WORD and not _same_claim(current, purchase):
                return current
            try:
                new = transition(current, event, **changes)
            except IllegalTransition:
                return current
            if await self._journal.replace(current, new):
                return new
            current = await self._journal.read(purchase.key)
        return purchase

    # -- planning

    async def _plan(self, request: OrderRequest, *, reference: str, limits: Limits) -> Purchase:
        now = await self._journal.now()
        plan = Purchase(
            key=self.key(reference),
            request=request,
            limits=limits,
            state=State.PLANNED,
            planned_at=now,
            order_by=now + dt.timedelta(seconds=self._rules.order_within),
        )
        found = await self._journal.insert(plan)
        if found.state in {State.REFUSED, State.EXPIRED}:
            # Proven not bought: the reference is free for this request, also for another one.
            found = await self.record(
                found,
                Event.PLAN,
                request=request,
                limits=limits,
                planned_at=plan.planned_at,
                order_by=plan.order_by,
                error=None,
            )
        if found.fingerprint != request.fingerprint:
            raise ReferenceMismatch(purchase=found)
        return found

    # -- one claim, one POST

    async def _carry_on(self, purchase: Purchase) -> tuple[Purchase, DidwwError | None]:
        failure: DidwwError | None = None
        if purchase.state is State.PLANNED:
            purchase, failure = await self._client.run_to_completion(self._send(purchase))
        if purchase.state is State.SENT:
            purchase = await self._settled(purchase)
        return purchase, failure

    async def _send(self, purchase: Purchase) -> tuple[Purchase, DidwwError | None]:
        """Claim and send; the client owns the task this runs in."""
        async with self._orders.prepare(_body(purchase), timeouts=self._rules.timeouts) as order:
            claimed = await self._claim(purchase)
            if claimed.state is not State.SENT or claimed.owner != self._owner:
                return claimed, None
            try:
                placed = await order.send()
            except DidwwError as failure:
                return await self._judge(claimed, failure), failure
            except asyncio.CancelledError:
                await self._canceled(claimed, order)
                raise
            except Exception as problem:  # whatever it is, the order may exist: settle it
                log.exception("placing %s failed in an unforeseen way", claimed.reference)
                return await self._note(claimed, error=f"{type(problem).__name__}"), None
        return await self._placed(claimed, placed), None

    async def _claim(self, purchase: Purchase) -> Purchase:
        """Commit a claim right before the POST; the record as somebody else made it if too late."""
        current: Purchase | None = purchase
        while current is not None and current.state is State.PLANNED:
            now = await self._journal.now()
            if now > current.order_by:
                current = await self.record(current, Event.EXPIRE, error="the plan was too old")
                break
            started = time.monotonic(), time.time()
            new = transition(
                current,
                Event.CLAIM,
                owner=self._owner,
                attempt=current.attempt + 1,
                claimed_at=now,
                error=None,
            )
            if not await self._journal.replace(current, new):
                current = await self._journal.read(purchase.key)
                continue
            # The monotonic clock stands still while a machine is suspended, the other may jump.
            age = max(time.monotonic() - started[0], time.time() - started[1])
            if age <= self._rules.claim_age:
                return new
            current = await self.record(new, Event.GIVE_BACK)
        return current or purchase

    async def _judge(self, claimed: Purchase, failure: DidwwError) -> Purchase:
        match verdict(failure):
            case Verdict.AGAIN | Verdict.STOP:
                return await self.record(claimed, Event.GIVE_BACK, error=str(failure))
            case Verdict.REFUSED:
                return await self.record(claimed, Event.REFUSED, error=str(failure))
            case Verdict.BOUGHT:
                return await self._note(claimed, error=str(failure), surely_bought=True)
            case Verdict.UNKNOWN:
                return await self._note(claimed, error=str(failure))

    async def _note(self, claimed: Purchase, **changes: Any) -> Purchase:
        """Add what is known to a purchase that stays sent."""
        new = attrs.evolve(claimed, revision=claimed.revision + 1, **changes)
        if await self._journal.replace(claimed, new):
            return new
        return await self._journal.read(claimed.key) or claimed

    async def _canceled(self, claimed: Purchase, order: PreparedOrder) -> None:
        if not order.began:
            await self.record(claimed, Event.GIVE_BACK, error="cancelled before it was sent")

    async def _placed(self, claimed: Purchase, order: Order) -> Purchase:
        return await self.record(
            claimed,
            Event.ORDERED,
            order_id=order.id,
            amount=order.amount or None,
            error=None,
        )

    # -- settling

    async def _settled(self, purchase: Purchase) -> Purchase:
        """Watch, then look up, until the purchase is proven or its settling time is over."""
        claimed_at = purchase.claimed_at or purchase.planned_at
        in_flight = self._rules.timeouts.total + self._rules.margin
        may_look = claimed_at + dt.timedelta(seconds=in_flight)
        give_up = may_look + dt.timedelta(seconds=self._rules.settle_for)
        pauses = self._rules.pauses()
        while True:
            # Who sent it knows that its exchange is over; others let a healthy one finish.
            if purchase.owner == self._owner or await self._journal.now() >= may_look:
                over = await self._journal.now() >= give_up or purchase.state is State.UNKNOWN
                try:
                    found = await self._look_up(purchase)
                except (NoAnswer, ServerFailed, RateLimited):
                    if over:  # never looked up with success: that is no ground for "unknown"
                        raise OrderOutcomeUnknown(purchase=purchase) from None
                else:
                    if found is not None:
                        return await self._adopted(purchase, found)
                    if over:
                        reason = purchase.error or "no answer came"
                        return await self.record(purchase, Event.LOST, error=reason)
            await pauses.wait()
            purchase = await self._journal.read(purchase.key) or purchase
            if purchase.state not in {State.SENT, State.UNKNOWN}:
                return purchase

    async def _look_up(self, purchase: Purchase) -> Order | None:
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

    async def _without_references(self, purchase: Purchase) -> OrderOutcomeUnknown:
        since = purchase.planned_at - CLOCK_SKEW
        orders = await self._orders.list(
            filter={"created_at_gteq": since}, sort="-created_at", page_size=100
        )
        alike = [order.id for order in orders if misfit(order, purchase) is None]
        return OrderOutcomeUnknown(purchase=purchase, candidates=alike)

    async def _adopt(self, purchase: Purchase, order: Order) -> Purchase:
        return _result(await self._adopted(purchase, order), None)

    async def _adopted(self, purchase: Purchase, order: Order) -> Purchase:
        try:
            return await self._placed(purchase, order)
        except OrderIdRecorded:
            why = "it stands in the journal under another reference"
        raise ReferenceTaken(purchase=purchase, order_id=order.id, why=why)


def _result(purchase: Purchase, failure: DidwwError | None) -> Purchase:
    match purchase.state:
        case State.ORDERED | State.COMPLETED | State.CANCELED:
            return purchase
        case State.REFUSED:
            error = failure if isinstance(failure, ApiError) else None
            if error is not None and stock_item(error):
                raise OutOfStock(
                    f"fewer than {purchase.request.quantity} numbers are in stock",
                    purchase=purchase,
                )
            raise OrderRefused(purchase=purchase, error=error)
        case State.EXPIRED:
            raise PurchaseExpired(purchase=purchase)
        case _:
            raise OrderOutcomeUnknown(purchase=purchase)


def _same_claim(current: Purchase, claimed: Purchase) -> bool:
    return (current.owner, current.attempt) == (claimed.owner, claimed.attempt)


def _body(purchase: Purchase) -> OrderCreate:
    request = purchase.request
    item = DidOrderItem(
        sku_id=request.sku_id,
        qty=request.quantity,
        nanpa_prefix_id=UNSET if request.nanpa_prefix_id is None else request.nanpa_prefix_id,
    )
    return OrderCreate(
        items=(item,),
        allow_back_ordering=request.allow_back_ordering,
        external_reference_id=purchase.reference,
    )

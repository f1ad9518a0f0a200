"""Ordering: plan -> claim -> one POST -> settle. For one reference at most one order exists.

The claim (planned -> sent, committed) comes before the POST, and one claim is one POST. Whatever
is not proven stays "sent" and is settled by looking the reference up; an empty look-up proves
nothing, so a purchase that is not found ends as "unknown" and is never sent again by itself.
"""

import asyncio
import contextlib
import datetime as dt
import functools
import itertools
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection

import attrs

from didww_async import (
    UNSET,
    ApiError,
    Client,
    ClientClosed,
    DidwwError,
    InvalidInput,
    NotSent,
    PreparedOrder,
    RateLimited,
)
from didww_async.resources import DidOrderItem, Order, OrderCreate
from flows.errors import (
    FlowError,
    LineChanged,
    OrderNotRecorded,
    OrderOutcomeUnknown,
    OrderRefused,
    OutOfStock,
    PurchaseExpired,
    ReferenceMismatch,
    ResendRefused,
)
from flows.journal import CommitUnconfirmed, JournalError, PurchaseJournal
from flows.journal.record import (
    NOT_BOUGHT,
    Event,
    Limits,
    OrderRequest,
    Purchase,
    PurchaseKey,
    State,
    transition,
)
from flows.recording import record, same_claim
from flows.rules import OrderRules
from flows.settling import Settling
from flows.verdict import Verdict, is_answer_to, stock_items, verdict

__all__ = ["Ordering"]

log = logging.getLogger("didww_async.flows")

ORDERING_VERSION = "2026-04-16"  # the first with external_reference_id
OPEN_END = frozenset({State.SENT, State.UNKNOWN})
CLAIMS = {State.PLANNED: Event.CLAIM, State.UNKNOWN: Event.RESEND}


class Ordering:
    """Places orders for one client and journal.

    Each sending is an owner of its own claim, so that one object may be asked twice at once.
    """

    def __init__(
        self, client: Client, journal: PurchaseJournal, *, rules: OrderRules | None = None
    ) -> None:
        if not hasattr(journal, "insert"):
            raise InvalidInput(
                f"a journal is an object such as journal_at('purchases.db'), not {journal!r}"
            )
        self._client = client
        self._journal = journal
        self._rules = rules or OrderRules()
        # Orders are placed and looked up by reference, whatever version the client speaks else.
        speaks = client.api_version >= ORDERING_VERSION
        speaker = client if speaks else client.at_version(ORDERING_VERSION)
        self._orders = speaker.orders
        self._settling = Settling(speaker, journal, rules=self._rules)

    def key(self, reference: str) -> PurchaseKey:
        """The journal key of a reference of this client."""
        return PurchaseKey(
            origin=self._client.origin, account=self._client.account, reference=reference
        )

    async def place(
        self,
        request: OrderRequest,
        *,
        reference: str,
        limits: Limits,
        born_here: bool,
        asked: str | None = None,
    ) -> Purchase:
        """Order `request` under `reference`, or report the order that exists already.

        `born_here`: the reference was made by this process, so that DIDWW can't know it yet.
        `asked`: kept with the plan, to compare with when the reference is used again.
        Returns the purchase in state ordered, completed or canceled. Raises OutOfStock,
        OrderRefused, PurchaseExpired, ReferenceMismatch, ReferenceTaken, DuplicateOrders,
        LineChanged, OrderOutcomeUnknown, or the client's error when DIDWW surely did not carry it
        out (then calling again is safe).
        """
        plan = await self._new_plan(request, reference=reference, limits=limits, asked=asked)
        async with self._given_up_when_cancelled(plan):
            found = await self._planned(plan)
            if found.state in {State.REFUSED, State.EXPIRED}:
                # Proven not bought: the reference is free for this request, also for another one.
                found = await record(
                    self._journal,
                    found,
                    Event.PLAN,
                    request=plan.request,
                    limits=plan.limits,
                    planned_at=plan.planned_at,
                    order_by=plan.order_by,
                    owner=plan.owner,
                    asked=plan.asked,
                    error=None,
                )
        return await self._ordered(plan, found, born_here=born_here)

    async def place_once(
        self, request: OrderRequest, *, reference: str, limits: Limits, born_here: bool
    ) -> Purchase:
        """As `place`, but a reference that was refused or has expired stays so for ever.

        For orders of a batch: whoever sees that one is proven not bought may move its lines into
        another order, so that it must never be ordered after all. Raises OrderRefused or
        PurchaseExpired then, beside what `place` raises.
        """
        plan = await self._new_plan(request, reference=reference, limits=limits, asked=None)
        async with self._given_up_when_cancelled(plan):
            found = await self._planned(plan)
        if found.state in {State.REFUSED, State.EXPIRED}:
            return _result(_of(request, found), None)
        return await self._ordered(plan, found, born_here=born_here)

    async def withdraw(self, request: OrderRequest, *, reference: str, limits: Limits) -> Purchase:
        """Make sure that what was not sent yet under a reference never is: `place_once` of anybody
        refuses it from now on. Returns the record: expired, or what it had become already."""
        plan = await self._new_plan(request, reference=reference, limits=limits, asked=None)
        found = await self._journal.insert(plan)
        if found.state is State.PLANNED:
            found = await record(self._journal, found, Event.EXPIRE, error="withdrawn")
        return found

    async def carry_on(self, purchase: Purchase, *, born_here: bool = False) -> Purchase:
        """Take a purchase of the journal as far as it goes: send what is planned, settle what is
        sent or unknown. Returns and raises as `place` does."""
        request = purchase.request
        if purchase.state is State.UNKNOWN:
            return _result(_of(request, await self._settling.settled(purchase)), None)
        if purchase.state is State.PLANNED and not born_here:
            purchase = await self._no_line(purchase)
        if purchase.state is State.PLANNED and not born_here:
            found = await self._settling.look_up(purchase)
            if found is not None:
                return _result(await self._settling.adopted(purchase, found), None)
        pauses = self._rules.pauses()
        failures = 0
        while True:
            purchase, failure = await self._step(purchase)
            _of(request, purchase)
            if purchase.state is not State.PLANNED:
                return _result(purchase, failure)
            if failure is not None:
                failures += 1
                if failures == self._rules.attempts or verdict(failure) is Verdict.STOP:
                    raise failure
            await pauses.wait()

    async def settle(self, purchase: Purchase) -> Purchase:
        """Find out what became of a purchase that is sent or unknown. Orders nothing.

        Returns and raises as `place` does, and returns what is planned again, because its order
        was surely not carried out.
        """
        settled = await self._settling.settled(purchase)
        return settled if settled.state is State.PLANNED else _result(settled, None)

    async def resend(self, purchase: Purchase) -> Purchase:
        """Send an order of unknown outcome once more: a person's decision, never made here.

        Looks once more first, and adopts what it finds. If DIDWW refuses the new order, the first
        one stays unknown. Returns and raises as `place` does; ResendRefused when the purchase is
        not unknown, its settling time is not over, or DIDWW is known to have accepted it.
        """
        if purchase.state is not State.UNKNOWN:
            raise ResendRefused(purchase=purchase, why=f"it is {purchase.state}, not unknown")
        if purchase.surely_bought:
            raise ResendRefused(purchase=purchase, why="DIDWW has accepted it")
        if await self._journal.now() < self._settling.give_up(purchase):
            raise ResendRefused(purchase=purchase, why="its settling time is not over")
        found = await self._settling.look_up(purchase)
        if found is not None:
            return _result(await self._settling.adopted(purchase, found), None)
        owner = uuid.uuid4().hex
        sent, failure = await self._send(purchase, owner)
        if sent.state is State.SENT:
            sent = await self._settling.settled(sent, owner=owner)
        elif failure is not None and sent.order_id is not None:
            # Somebody found the first order while the second one was on its way.
            await self._settling.look_up(sent)
        return _result(sent, failure)

    async def read_order(self, order_id: str) -> Order:
        """The order as DIDWW has it, with its external reference: 1 request."""
        return await self._orders.get(order_id)

    async def adopt(self, purchase: Purchase, order: Order) -> Purchase:
        """Record that an order read from DIDWW is this purchase. Raises ReferenceTaken."""
        return await self._settling.adopted(purchase, order)

    # -- planning

    async def _new_plan(
        self, request: OrderRequest, *, reference: str, limits: Limits, asked: str | None
    ) -> Purchase:
        now = await self._journal.now()
        return Purchase(
            key=self.key(reference),
            request=request,
            limits=limits,
            state=State.PLANNED,
            planned_at=now,
            order_by=now + dt.timedelta(seconds=self._rules.order_within),
            owner=uuid.uuid4().hex,
            asked=asked,
        )

    async def _planned(self, plan: Purchase) -> Purchase:
        """What the journal has under the plan's reference, the plan itself when it is new."""
        found = await self._journal.insert(plan)
        if found.state is State.PLANNED and plan.planned_at > found.order_by:
            # Too old for a resume to order; whoever asks for it now has seen today's price.
            found = await record(self._journal, found, Event.EXPIRE)
        return found

    async def _ordered(self, plan: Purchase, found: Purchase, *, born_here: bool) -> Purchase:
        """Carry on what stands under the plan's reference, the caller's own plan or another's."""
        purchase = _of(plan.request, found)
        async with self._given_up_when_cancelled(purchase):
            try:
                if purchase.owner != plan.owner:
                    purchase = _of(plan.request, await self._left_alone(purchase))
                return await self.carry_on(purchase, born_here=born_here)
            except FlowError:
                raise
            except DidwwError as failure:
                # Who asked is told that nothing was bought: nobody may order it behind their back.
                why = f"not carried out: {failure}"
                left = await record(self._journal, purchase, Event.EXPIRE, error=why)
                if left.state in NOT_BOUGHT:
                    raise
                # Somebody else has claimed it meanwhile.
                raise OrderOutcomeUnknown(purchase=left, why=str(failure)) from failure

    @contextlib.asynccontextmanager
    async def _given_up_when_cancelled(self, plan: Purchase) -> AsyncIterator[None]:
        """Who is cancelled has bought nothing: nobody may order their plan behind their back.

        The caller's CancelledError comes when that is written, or has failed again and again.
        """
        try:
            yield
        except asyncio.CancelledError:
            give_up = functools.partial(self._insist, plan, lambda: self._given_up(plan))
            with contextlib.suppress(DidwwError):  # was logged; the plan ends with its `order_by`
                try:
                    await self._client.run_to_completion(give_up())
                except ClientClosed:
                    await give_up()
            raise

    async def _given_up(self, plan: Purchase) -> Purchase:
        found = await self._journal.read(plan.key)
        if found is None or found.request != plan.request:
            return plan
        return await record(self._journal, found, Event.EXPIRE, error="not carried out: cancelled")

    async def _no_line(self, purchase: Purchase) -> Purchase:
        """Raise LineChanged, and never order it, if the reference is that of a line of a batch.

        Asked after the plan is in the journal: batches look for plans after they are packed.
        """
        key = purchase.key
        packed = await self._journal.packed([key.reference], origin=key.origin, account=key.account)
        if (order := packed.get(key.reference)) is None:
            return purchase
        left = await record(self._journal, purchase, Event.EXPIRE, error="it is a batch's line")
        if left.state is not State.EXPIRED:  # somebody was faster
            return left
        known = await self._journal.read(attrs.evolve(key, reference=order.reference))
        state = known.state if known else "packed"
        raise LineChanged(key.reference, reference=order.reference, state=state)

    async def _left_alone(self, purchase: Purchase) -> Purchase:
        """Give whoever planned it time to order it: a second click has nothing to look up."""
        until = purchase.planned_at + dt.timedelta(seconds=self._rules.head_start)
        pauses = self._rules.pauses()
        while purchase.state is State.PLANNED and await self._journal.now() < until:
            await pauses.wait()
            purchase = await self._journal.read(purchase.key) or purchase
        return purchase

    # -- one claim, one POST

    async def _step(self, purchase: Purchase) -> tuple[Purchase, DidwwError | None]:
        failure: DidwwError | None = None
        owner = uuid.uuid4().hex
        if purchase.state is State.PLANNED:
            try:
                purchase, failure = await self._send(purchase, owner)
            except (NotSent, RateLimited) as no_token:  # its turn did not come: nothing is claimed
                failure = no_token
        if purchase.state is State.SENT:
            purchase = await self._settling.settled(purchase, owner=owner)
        return purchase, failure

    async def _send(self, purchase: Purchase, owner: str) -> tuple[Purchase, DidwwError | None]:
        """Wait for the order's turn, then claim and send in a task that the client owns.

        A caller that is cancelled while it waits has ordered nothing; later it only detaches.
        """
        body = _body(purchase, callback_url=self._rules.callback_url)
        order = self._orders.prepare(body, timeouts=self._rules.timeouts)
        async with contextlib.AsyncExitStack() as turn:
            await turn.enter_async_context(order)
            theirs = turn.pop_all()
        try:
            return await self._client.run_to_completion(
                self._claim_and_post(purchase, owner, order, theirs)
            )
        except ClientClosed:
            await theirs.aclose()  # the work was not begun: nobody else gives the turn back
            raise

    async def _claim_and_post(
        self,
        purchase: Purchase,
        owner: str,
        order: PreparedOrder,
        turn: contextlib.AsyncExitStack,
    ) -> tuple[Purchase, DidwwError | None]:
        async with turn:
            claimed = await self._claim(purchase, owner)
            if claimed.state is not State.SENT or claimed.owner != owner:
                return claimed, None
            try:
                placed = await order.send()
            except DidwwError as failure:
                judge = functools.partial(self._judge, claimed, failure)
                return await self._insist(claimed, judge), failure
            except asyncio.CancelledError:
                await self._canceled(claimed, order)
                raise
            except Exception as problem:  # whatever it is, the order may exist: settle it
                log.exception("placing %s failed in an unforeseen way", claimed.reference)
                error = type(problem).__name__
                return await self._insist(claimed, lambda: self._note(claimed, error=error)), None
        if not is_answer_to(placed, claimed):
            said = f"DIDWW accepted it, but answered with order {placed.id!r}, which does not fit"
            return await self._insist(
                claimed, lambda: self._note(claimed, error=said, surely_bought=True)
            ), None
        return await self._insist(
            claimed, lambda: self._settling.adopted(claimed, placed), order_id=placed.id
        ), None

    async def _insist(
        self,
        claimed: Purchase,
        write: Callable[[], Awaitable[Purchase]],
        *,
        order_id: str | None = None,
    ) -> Purchase:
        """Write what became of a claim; a journal that is away for a moment is waited for."""
        pauses = self._rules.pauses()
        for attempt in itertools.count(1):
            try:
                return await write()
            except JournalError as problem:
                why = str(problem)
            log.warning("purchase %s, order %s: %s", claimed.reference, order_id, why)
            if attempt >= self._rules.attempts:
                break
            await pauses.wait()
        if order_id is None:
            raise OrderOutcomeUnknown(purchase=claimed, why=why)
        raise OrderNotRecorded(purchase=claimed, order_id=order_id, why=why)

    async def _claim(self, purchase: Purchase, owner: str) -> Purchase:
        """Commit a claim right before the POST; the record as somebody else made it if too late.

        Only what the POST carries is claimed: a record that stands for another request by now is
        left alone.
        """
        event = CLAIMS[purchase.state]
        current = purchase
        for _ in range(self._rules.attempts):
            if (current.state, current.request) != (purchase.state, purchase.request):
                break
            now = await self._journal.now()
            if event is Event.CLAIM and now > current.order_by:
                why = "the plan was too old"
                return await record(self._journal, current, Event.EXPIRE, error=why)
            started = time.monotonic(), time.time()
            new = transition(
                current,
                event,
                owner=owner,
                attempt=current.attempt + 1,
                claimed_at=now,
                error=None,
            )
            if not await self._committed(current, new):
                current = await self._journal.read(purchase.key) or current
                if event is Event.RESEND:
                    break  # decided for the record as it was
                continue
            # The monotonic clock stands still while a machine is suspended, the other may jump.
            age = max(time.monotonic() - started[0], time.time() - started[1])
            if age <= self._rules.claim_age:
                return new
            current = await record(self._journal, new, Event.GIVE_BACK)
        return current

    async def _committed(self, old: Purchase, new: Purchase) -> bool:
        """Whether the claim is in the journal. One that only may be is given back, and raises."""
        try:
            return await self._journal.replace(old, new)
        except CommitUnconfirmed:
            with contextlib.suppress(JournalError):  # it may be away still
                found = await self._journal.read(new.key)
                if found is not None and found.owner == new.owner:
                    await record(self._journal, found, Event.GIVE_BACK)
            raise

    async def _judge(self, claimed: Purchase, failure: DidwwError) -> Purchase:
        error = str(failure)
        match verdict(failure):
            case Verdict.AGAIN | Verdict.STOP:
                return await record(self._journal, claimed, Event.GIVE_BACK, error=error)
            case Verdict.REFUSED:
                return await record(self._journal, claimed, Event.REFUSED, error=error)
            case Verdict.BOUGHT:
                return await self._note(claimed, error=error, surely_bought=True)
            case Verdict.UNKNOWN:
                return await self._note(claimed, error=error)

    async def _note(
        self, claimed: Purchase, *, error: str, surely_bought: bool = False
    ) -> Purchase:
        """Add what is known to a claim whose outcome stays open, whoever looks at it meanwhile."""
        current: Purchase | None = claimed
        while current is not None and same_claim(current, claimed) and current.state in OPEN_END:
            new = attrs.evolve(
                current,
                revision=current.revision + 1,
                error=error,
                surely_bought=surely_bought or current.surely_bought,
            )
            if await self._journal.replace(current, new):
                return new
            current = await self._journal.read(claimed.key)
        return current or claimed

    async def _canceled(self, claimed: Purchase, order: PreparedOrder) -> None:
        if not order.began:
            why = "cancelled before it was sent"
            await record(self._journal, claimed, Event.GIVE_BACK, error=why)


def _result(purchase: Purchase, failure: DidwwError | None) -> Purchase:
    match purchase.state:
        case State.ORDERED | State.COMPLETED | State.CANCELED:
            return purchase
        case State.REFUSED:
            error = failure if isinstance(failure, ApiError) else None
            items = len(purchase.request.items)
            if error is not None and (short := {one for one in stock_items(error) if one < items}):
                raise OutOfStock(_shortage(purchase.request, short), purchase=purchase, error=error)
            raise OrderRefused(purchase=purchase, error=error)
        case State.EXPIRED:
            raise PurchaseExpired(purchase=purchase)
        case _:
            raise OrderOutcomeUnknown(purchase=purchase)


def _shortage(request: OrderRequest, short: Collection[int]) -> str:
    if request.one is not None:
        return f"fewer than {request.quantity} numbers are in stock"
    named = [str(item) for position, item in enumerate(request.items) if position in short]
    return f"fewer numbers are in stock than ordered: {'; '.join(named)}"


def _of(request: OrderRequest, purchase: Purchase) -> Purchase:
    """The purchase, if the reference still stands for this request. Raises ReferenceMismatch."""
    if purchase.request != request:
        raise ReferenceMismatch(purchase=purchase)
    return purchase


def _body(purchase: Purchase, *, callback_url: str | None) -> OrderCreate:
    items = tuple(
        DidOrderItem(
            sku_id=item.sku_id,
            qty=item.quantity,
            nanpa_prefix_id=UNSET if item.nanpa_prefix_id is None else item.nanpa_prefix_id,
        )
        for item in purchase.request.items
    )
    return OrderCreate(
        items=items,
        allow_back_ordering=purchase.request.allow_back_ordering,
        external_reference_id=purchase.reference,
        callback_url=callback_url or UNSET,
        callback_method="post" if callback_url else UNSET,
    )

"""Waiting for the orders of a batch, and reading their numbers: many orders per request."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import attrs

from didww_async import BadRequest, Client, DidwwError
from didww_async.resources import Did, Order, OrderStatus
from flows.completion import keep_numbers, watcher_of
from flows.journal import JournalError, Purchase, PurchaseJournal, State
from flows.journal.packed import PackedOrder
from flows.journal.record import Event
from flows.recording import record
from flows.rules import OrderRules
from flows.watching import Watched

__all__ = ["Completing", "Ended"]

log = logging.getLogger("didww_async.flows")

READS_UNTIL_SHORTFALL = 4
ORDERS_TOGETHER = 50  # whose numbers are read as one list
NUMBERS_TOGETHER = 1000
FIELDS = {
    "dids": ("number", "order", "did_group"),
    "orders": ("status",),
    "did_groups": ("prefix",),
}


@attrs.frozen(kw_only=True)
class Ended:
    """An order that is completed, canceled, or still pending when its time was over."""

    packed: PackedOrder
    purchase: Purchase
    error: DidwwError | None = None


Tell: TypeAlias = Callable[[Ended], None]


@attrs.define(eq=False, kw_only=True)
class _Waiting:
    packed: PackedOrder
    purchase: Purchase
    deadline: float
    watched: Watched | None  # None: known to be completed
    leave: contextlib.ExitStack

    @property
    def order_id(self) -> str:
        return self.purchase.order_id or ""

    def is_over(self, now: float) -> bool:
        return self.watched is None or self.watched.is_over or now >= self.deadline


class Completing:
    """One task waits for all orders: it costs 1 request per look at 100 orders, and 1 per 100
    numbers. `tell` is called once for every order that was added."""

    def __init__(
        self,
        client: Client,
        journal: PurchaseJournal,
        *,
        rules: OrderRules,
        timeout: float,
        tell: Tell,
    ) -> None:
        self._client = client
        self._journal = journal
        self._rules = rules
        self._timeout = timeout
        self._tell = tell
        self._waiting: dict[str, _Waiting] = {}
        self._news = asyncio.Event()
        self._no_more = False

    async def add(self, packed: PackedOrder, purchase: Purchase) -> None:
        """Wait for an order that exists; at most the time-out, from now on."""
        leave = contextlib.ExitStack()
        watched: Watched | None = None
        if purchase.state is not State.COMPLETED:
            placed_at = purchase.claimed_at or purchase.planned_at
            age = (await self._journal.now() - placed_at).total_seconds()
            watching = watcher_of(self._client, rules=self._rules).watching(
                str(purchase.order_id), age=age, news=self._news
            )
            watched = leave.enter_context(watching)
        self._waiting[str(purchase.order_id)] = _Waiting(
            packed=packed,
            purchase=purchase,
            deadline=self._now() + self._timeout,
            watched=watched,
            leave=leave,
        )
        self._news.set()

    def no_more(self) -> None:
        """Nothing will be added any more: `run` ends with the last one."""
        self._no_more = True
        self._news.set()

    async def run(self) -> None:
        """Wait for all there is and comes, until `no_more`."""
        try:
            while self._waiting or not self._no_more:
                self._news.clear()
                now = self._now()
                over = [one for one in self._waiting.values() if one.is_over(now)]
                if over:
                    await self._conclude(over)
                    continue
                next_at = min((one.deadline for one in self._waiting.values()), default=None)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if next_at is None else next_at - now):
                        await self._news.wait()
        finally:
            for one in self._waiting.values():
                one.leave.close()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _conclude(self, over: Iterable[_Waiting]) -> None:
        completed = []
        for one in over:
            one.leave.close()
            del self._waiting[one.order_id]
            order = one.watched.seen if one.watched else None
            if one.watched is None or (order and order.status == OrderStatus.COMPLETED):
                completed.append(one)
            elif order and order.status == OrderStatus.CANCELED:
                self._told(one, await self._recorded(one, order))
            else:
                failure = one.watched.failure
                error = failure if isinstance(failure, DidwwError) else None
                self._told(one, one.purchase, error)
        await asyncio.gather(*map(self._read, _together(completed)))

    async def _recorded(self, one: _Waiting, order: Order) -> Purchase:
        try:
            return await record(self._journal, one.purchase, Event.CANCELED)
        except JournalError as problem:  # it is asked about again in the next run
            log.warning("order %s is canceled, the journal does not know: %s", order.id, problem)
            return attrs.evolve(one.purchase, state=State.CANCELED)

    def _told(self, one: _Waiting, purchase: Purchase, error: DidwwError | None = None) -> None:
        self._tell(Ended(packed=one.packed, purchase=purchase, error=error))

    # -- numbers

    async def _read(self, some: Sequence[_Waiting]) -> None:
        left = {one.order_id: one for one in some}
        pauses = self._rules.pauses()
        # What was short before may still be: one look is enough.
        reads = READS_UNTIL_SHORTFALL if any(one.watched for one in some) else 1
        for read in range(1, reads + 1):
            try:
                dids = await self._dids_of(list(left))
            except DidwwError as failure:
                # Ordered and completed; only the numbers are not at hand.
                for one in left.values():
                    self._told(one, one.purchase, failure)
                return
            for order_id, one in list(left.items()):
                if read == reads or not _is_short(one.purchase, dids[order_id]):
                    del left[order_id]
                    await self._keep(one, dids[order_id])
            if not left:
                return
            await pauses.wait()

    async def _dids_of(self, order_ids: Sequence[str]) -> dict[str, list[Did]]:
        """The numbers of several orders: 1 request per 100, more from a server without lists."""
        found: dict[str, list[Did]] = {order_id: [] for order_id in order_ids}
        only = order_ids[0] if len(order_ids) == 1 else ""
        try:
            async for did in self._client.dids.iterate(
                filter={"order.id": order_ids},
                sort="number",
                include=("order", "did_group"),
                fields=FIELDS,
            ):
                order_id = only or (did.order.id if did.order else "")
                if order_id in found:
                    found[order_id].append(did)
        except BadRequest:
            if only:
                raise
        if not only and not any(found.values()):
            # No numbers at all may also mean that the list was not understood as one.
            for order_id in order_ids:
                found |= await self._dids_of([order_id])
        return found

    async def _keep(self, one: _Waiting, dids: Sequence[Did]) -> None:
        try:
            purchase = await keep_numbers(self._journal, one.purchase, dids)
        except JournalError as problem:
            log.warning("the numbers of order %s are not in the journal: %s", one.order_id, problem)
            self._told(one, one.purchase, problem)
            return
        self._told(one, purchase)


def _is_short(purchase: Purchase, dids: Iterable[Did]) -> bool:
    there = Counter(did.did_group.id if did.did_group else "" for did in dids if did.number)
    wanted = purchase.request.by_group
    if there[""]:  # which group they are of was not told
        return sum(there.values()) < purchase.request.quantity
    return any(there[group] < quantity for group, quantity in wanted.items())


def _together(some: Sequence[_Waiting]) -> Iterator[list[_Waiting]]:
    """Orders whose numbers are read as one list."""
    part: list[_Waiting] = []
    numbers = 0
    for one in some:
        if part and (len(part) == ORDERS_TOGETHER or numbers > NUMBERS_TOGETHER):
            yield part
            part, numbers = [], 0
        part.append(one)
        numbers += one.packed.quantity
    if part:
        yield part

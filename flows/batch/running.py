"""buy_many: many purchases at once, each line bought once, whatever happens in between.

What the journal knows comes first: orders of an earlier run are asked about, packed ones go on
under the references they have. Lines that are free are resolved, packed and committed, then
ordered by a few workers, while one task waits for all orders that exist.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from didww_async import Client, DidwwError, InvalidInput
from flows.batch.alone import NEVER_BOUGHT
from flows.batch.completing import Completing, Ended
from flows.batch.giving import delivered, given
from flows.batch.known import Known, KnownOrder, is_wanted, known_lines
from flows.batch.lines import BatchLine, lines_of
from flows.batch.looking import Merged
from flows.batch.packing import pack, references
from flows.batch.placing import Placing, StopRules
from flows.batch.purse import Purse
from flows.batch.resolving import ResolvedLine, Resolver, UnbuyableLine, within_limits
from flows.batch.results import LineResult, LineState
from flows.batch.telling import Told
from flows.errors import FlowError
from flows.journal import Limits, Purchase, PurchaseJournal, State
from flows.journal.packed import PackedOrder
from flows.offers import Offer
from flows.ordering import Ordering
from flows.prices import Prices
from flows.rules import OrderRules, check_timeout
from flows.script import PurchaseRequest

__all__ = ["buy_many"]

T = TypeVar("T")

WAVE = 5000  # lines that are resolved and packed together
ROUNDS = 12  # looks at lines that another process packs, halves included, at the same time


def buy_many(
    client: Client,
    requests: Iterable[PurchaseRequest | BatchLine],
    *,
    journal: PurchaseJournal,
    batch: str | None = None,
    rules: OrderRules | None = None,
    resolver: Resolver | None = None,
    max_items_per_order: int = 50,
    max_total: Decimal | None = None,
    stop_after_refusals: int | None = None,
    balance: Decimal | None = None,
    timeout: float = 60.0,
) -> AsyncGenerator[LineResult, None]:
    """Buy many numbers; yields the result of each line as soon as it is final.

    A line is known by its request's reference, without one by the name of the `batch` and its
    place in it: run it again, after a crash or to retry what was refused, and nothing is bought a
    second time. `max_items_per_order`: how many different items may stand or fall together; give
    lines a `fate` of their own to keep them apart. `max_total`: USD without VAT for the whole
    batch, earlier runs included (processes that run it at the same time should have the same lines
    and limits, and may go over it when orders are refused). `stop_after_refusals`: order nothing
    more after so many refused orders. `balance`: the account's, if it was read just now.
    `timeout`: seconds to wait for an order's numbers before its lines are "pending".

    Stopping early (break, aclose(), Ctrl-C) claims nothing more; orders on their way are brought
    to their end by the client. Raises InvalidInput at once for what can't be right, JournalError
    when the journal can't be read; whatever happens to lines is in their results.
    """
    lines = lines_of(requests, batch=batch)
    Limits(max_total=max_total)
    check_timeout(timeout)
    for name, number in (
        ("max_items_per_order", max_items_per_order),
        ("stop_after_refusals", stop_after_refusals),
    ):
        if number is not None and (type(number) is not int or number < 1):
            raise InvalidInput(f"{name} is a whole number, 1 or more, not {number!r}")
    run = _Run(
        client,
        lines,
        journal=journal,
        batch=batch,
        rules=rules or OrderRules(),
        resolver=resolver or Merged(client),
        max_items_per_order=max_items_per_order,
        purse=Purse(Prices(client).balance, max_total=max_total, known=balance),
        stop=StopRules(after_refusals=stop_after_refusals),
        timeout=timeout,
    )
    return run.results()


class _Run:
    """One run of a batch."""

    def __init__(
        self,
        client: Client,
        lines: Sequence[BatchLine],
        *,
        journal: PurchaseJournal,
        batch: str | None,
        rules: OrderRules,
        resolver: Resolver,
        max_items_per_order: int,
        purse: Purse,
        stop: StopRules,
        timeout: float,
    ) -> None:
        self._client = client
        self._lines = {line.identity: line for line in lines}
        self._told = Told(self._lines)
        self._journal = journal
        self._resolver = resolver
        self._max_items = max_items_per_order
        self._purse = purse
        self._stop = stop
        self._references = references(batch)
        self._ordering = Ordering(client, journal, rules=rules)
        self._completing = Completing(
            client, journal, rules=rules, timeout=timeout, tell=self._told.ended
        )
        self._placing = Placing(
            self._ordering,
            journal,
            purse=purse,
            stop=stop,
            references=self._references,
            tell=self._told.order,
            placed=self._placed,
        )
        self._begun: set[str] = set()  # references of orders that are being followed

    async def results(self) -> AsyncGenerator[LineResult, None]:
        work = asyncio.create_task(self._work())
        work.add_done_callback(lambda _: self._told.no_more())
        try:
            while (result := await self._told.next()) is not None:
                yield result
            await work
        finally:
            work.cancel()
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # looked at: it was raised above, or nobody listens any more

    async def _work(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._completing.run())
                left = list(self._lines.values())
                for _ in range(ROUNDS):
                    await self._round(left)
                    moved = self._placing.moved_by_others & set(self._lines)
                    left = [self._lines[one] for one in sorted(moved)]
                    self._placing.moved_by_others.clear()
                    if not left:
                        break
                for line in left:
                    busy = FlowError(
                        f"another process keeps packing line {line.identity}, and may be "
                        "buying it: run the batch again when that one has ended"
                    )
                    self._told.line(line, LineState.FAILED, error=busy)
                self._completing.no_more()
        except BaseExceptionGroup as several:
            error: BaseException = several
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            raise error from None

    async def _round(self, lines: Sequence[BatchLine]) -> None:
        known = await known_lines(
            self._journal, lines, origin=self._client.origin, account=self._client.account
        )
        for line, error in known.failed:
            self._told.line(line, LineState.FAILED, error=error)
        begun = [order for order in known.begun if order.packed.reference not in self._begun]
        for order in begun:
            self._begun.add(order.packed.reference)
            if not _is_canceled(order):
                self._purse.ordered += order.packed.total
        unsettled = [order for order in begun if not await self._is_settled(order)]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._at_once(unsettled, self._settle))
            going_on = await self._going_on(known)
            await self._at_once(going_on, lambda one: self._placing.place(one, born_here=False))
            known.free.sort(key=lambda line: line.number)
            for start in range(0, len(known.free), WAVE):
                await self._wave(known.free[start : start + WAVE], known)

    async def _at_once(self, orders: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Do it for all of them, as many at once as the client sends orders."""
        source = iter(orders)

        async def worker() -> None:
            for order in source:
                await work(order)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._client.max_orders_in_flight):
                group.create_task(worker())

    # -- orders of an earlier run

    async def _is_settled(self, order: KnownOrder) -> bool:
        """Pass on what is ordered; what was sent without an answer is left to be settled."""
        purchase = order.purchase
        if purchase is None or purchase.state in {State.SENT, State.UNKNOWN}:
            return False
        await self._placed(order.packed, purchase)
        return True

    async def _settle(self, order: KnownOrder) -> None:
        assert order.purchase is not None  # noqa: S101 - it was sent
        await self._placing.settle(order.packed, order.purchase)

    async def _going_on(self, known: Known) -> list[PackedOrder]:
        """The orders that were packed and not sent, and may be sent as they are; the lines of the
        others are free."""
        wanted = [one.packed for one in known.packed if is_wanted(one.packed, self._lines)]
        groups = [item.did_group_id for packed in wanted for item in packed.items]
        try:
            now = await Prices(self._client).of_groups(groups)
        except DidwwError as error:  # they stay packed
            for packed in wanted:
                self._told.order(packed, packed.lines, LineState.FAILED, error)
            still, known.packed = [], [one for one in known.packed if one.packed not in wanted]
        else:
            still = [packed for packed in wanted if _costs_no_more(packed, now)]
            still.sort(key=self._place_of)
        for order in known.packed:
            if order.packed not in still:
                await self._withdraw(order.packed, known)
        return still

    async def _withdraw(self, packed: PackedOrder, known: Known) -> None:
        found = await self._ordering.withdraw(
            packed.request, reference=packed.reference, limits=packed.limits
        )
        ours = [line for line in packed.lines if line in self._lines]
        if found.state not in NEVER_BOUGHT:  # another process was faster
            self._placing.moved_by_others.update(ours)
            return
        known.free += [self._lines[line] for line in ours]
        known.moves |= dict.fromkeys(ours, packed.reference)

    # -- new orders

    async def _wave(self, lines: Sequence[BatchLine], known: Known) -> None:
        if self._stop.stopped is not None:
            for line in lines:
                self._told.line(line, LineState.SKIPPED, error=self._stop.stopped)
            return
        resolved: list[ResolvedLine] = []
        async for answer in self._resolver.resolve(lines):
            found = within_limits(answer) if isinstance(answer, ResolvedLine) else answer
            if isinstance(found, UnbuyableLine):
                self._told.line(found.line, LineState.FAILED, error=found.error)
            else:
                resolved.append(found)
        orders = await self._committed(sorted(resolved, key=lambda one: one.line.number), known)
        await self._at_once(orders, lambda one: self._placing.place(one, born_here=True))

    async def _committed(self, resolved: list[ResolvedLine], known: Known) -> Sequence[PackedOrder]:
        """Pack the lines and commit it, without those that another process packs meanwhile."""
        place = {"origin": self._client.origin, "account": self._client.account}
        while resolved:
            orders = pack(
                resolved, references=self._references, max_items_per_order=self._max_items
            ).orders
            names = [one.line.identity for one in resolved]
            moves = {name: known.moves[name] for name in names if name in known.moves}
            if await self._journal.pack(orders, moves=moves, **place):
                return sorted(orders, key=self._place_of)
            now = await self._journal.packed(names, **place)
            taken = {name for name, order in now.items() if moves.get(name) != order.reference}
            self._placing.moved_by_others |= taken
            resolved = [one for one in resolved if one.line.identity not in taken]
        return ()

    def _place_of(self, packed: PackedOrder) -> int:
        """Whoever runs the batch orders in the order of its lines: so several at once that have
        the same limits come to the same end."""
        return min(self._lines[name].number for name in packed.lines if name in self._lines)

    async def _placed(self, packed: PackedOrder, purchase: Purchase) -> None:
        """The order exists: wait for it, unless all is known already."""
        self._begun.add(packed.reference)
        if purchase.state is State.CANCELED or _is_whole(packed, purchase):
            self._told.ended(Ended(packed=packed, purchase=purchase))
        else:
            await self._completing.add(packed, purchase)


def _is_whole(packed: PackedOrder, purchase: Purchase) -> bool:
    """Whether the journal has all numbers, and knows whose they are."""
    numbers = delivered(packed, purchase)
    groups_told = all(number.did_group_id for number in numbers)
    complete = purchase.state is State.COMPLETED and groups_told
    return complete and sum(map(len, given(packed, numbers).values())) == packed.quantity


def _is_canceled(order: KnownOrder) -> bool:
    return order.purchase is not None and order.purchase.state is State.CANCELED


def _costs_no_more(packed: PackedOrder, now: Mapping[str, Offer]) -> bool:
    return all(
        (offer := now.get(item.sku_id)) is not None
        and offer.setup_price <= item.setup_price
        and offer.monthly_price <= item.monthly_price
        for item in packed.items
    )

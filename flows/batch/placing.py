"""Placing the orders of a batch: money set aside, each order once, what is refused packed anew."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

import attrs

from didww_async import DidwwError, InsufficientBalance, ValidationFailed
from flows.batch.alone import NEVER_BOUGHT, bought_alone
from flows.batch.packing import References, Repacked, halved, repacked, trimmed, within
from flows.batch.purse import Purse
from flows.batch.results import LineState
from flows.errors import (
    BalanceTooLow,
    BatchStopped,
    DuplicateOrders,
    OrderNotRecorded,
    OrderOutcomeUnknown,
    OrderRefused,
    OutOfStock,
    PriceOverLimit,
    PurchaseExpired,
    ReferenceMismatch,
    ReferenceTaken,
)
from flows.journal import JournalError, Purchase, PurchaseJournal, State
from flows.journal.packed import PackedOrder
from flows.journal.record import NOT_BOUGHT
from flows.ordering import Ordering
from flows.verdict import Verdict, refused_items, stock_items, verdict

__all__ = ["Placing", "StopRules"]

log = logging.getLogger("didww_async.flows")

# The order exists, or may: its lines are not anybody's to order again.
UNSURE = (
    DuplicateOrders,
    JournalError,
    OrderNotRecorded,
    OrderOutcomeUnknown,
    ReferenceMismatch,
    ReferenceTaken,
)

Tell: TypeAlias = Callable[[PackedOrder, Sequence[str], LineState, DidwwError | None], None]
Placed: TypeAlias = Callable[[PackedOrder, Purchase], Awaitable[None]]


class Order(Protocol):
    """Orders a packed order that was committed."""

    async def __call__(self, packed: PackedOrder, *, born_here: bool) -> None: ...


@attrs.define
class StopRules:
    """Why nothing more is ordered, once that is so. `after_refusals`: so many refused orders."""

    after_refusals: int | None = None
    refusals: int = 0
    stopped: BatchStopped | None = None

    def stop(self, why: str) -> BatchStopped:
        """Order nothing more; the first reason is the one that is told."""
        self.stopped = self.stopped or BatchStopped(why)
        return self.stopped

    def refused(self) -> None:
        """DIDWW refused an order."""
        self.refusals += 1
        if self.after_refusals is not None and self.refusals >= self.after_refusals:
            self.stop(f"DIDWW refused {self.refusals} orders")


class Placing:
    """Takes one packed order after the other as far as DIDWW's answer.

    `tell` is called for lines that get no further, `placed` for orders that exist.
    """

    def __init__(
        self,
        ordering: Ordering,
        journal: PurchaseJournal,
        *,
        purse: Purse,
        stop: StopRules,
        references: References,
        tell: Tell,
        placed: Placed,
    ) -> None:
        self._ordering = ordering
        self._journal = journal
        self._purse = purse
        self._stop = stop
        self._references = references
        self._tell = tell
        self._placed = placed
        self.moved_by_others: set[str] = set()

    async def place(self, packed: PackedOrder, *, born_here: bool) -> None:
        """Order it, and what is packed anew of it when it is refused."""
        if self._stop.stopped is not None:
            await self._skip(packed, self._stop.stopped)
        elif await self._is_free(packed) and await self._has_money(packed):
            if self._stop.stopped is None:
                await self._send(packed, born_here=born_here)
            else:  # while it waited for the money
                self._purse.not_bought(packed.reference, packed.total)
                await self._skip(packed, self._stop.stopped)

    async def settle(self, packed: PackedOrder, purchase: Purchase) -> None:
        """Find out what became of an order that an earlier run has sent."""
        try:
            settled = await self._ordering.settle(purchase)
        except (OutOfStock, OrderRefused, PurchaseExpired):
            # It was another process's, which may be packing its lines anew.
            self._purse.not_bought(packed.reference, packed.total)
            self.moved_by_others.update(packed.lines)
        except DidwwError as doubt:
            self._tell(packed, packed.lines, LineState.UNKNOWN, doubt)
        else:
            if settled.state is State.PLANNED:  # surely not carried out
                self._purse.not_bought(packed.reference, packed.total)
                await self.place(packed, born_here=False)
            else:
                await self._placed(packed, settled)

    async def _place_last(self, packed: PackedOrder, *, born_here: bool) -> None:
        """Order what the money is still enough for, though it has ended the batch."""
        if await self._is_free(packed) and await self._has_money(packed):
            await self._send(packed, born_here=born_here)

    async def _is_free(self, packed: PackedOrder) -> bool:
        """Whether no line of it is bought alone, under its own name; else the others are packed
        anew. Asked after the packing is committed: who buys alone asks for that."""
        key = self._ordering.key(packed.reference)
        try:
            alone = await bought_alone(
                self._journal, packed.lines, origin=key.origin, account=key.account
            )
        except JournalError as problem:
            self._stop.stop(f"the journal failed: {problem}")
            self._tell(packed, packed.lines, LineState.FAILED, problem)
            return False
        if not alone:
            return True
        if not await self._withdrawn(packed):
            self.moved_by_others.update(packed.lines)
            return False
        for line, why in alone.items():
            self._tell(packed, [line], LineState.FAILED, why)
        others = set(packed.lines) - set(alone)
        await self._instead(packed, within(packed, others, references=self._references))
        return False

    async def _has_money(self, packed: PackedOrder) -> bool:
        """Whether its price is set aside; what became of its lines is told otherwise."""
        try:
            await self._purse.set_aside(packed.reference, packed.total)
        except (BalanceTooLow, PriceOverLimit) as error:
            await self._too_dear(packed, error)
        except DidwwError as error:  # the balance can't be read
            if not await self._is_followed(packed):
                self._failed(packed, error)
        else:
            return True
        return False

    async def _send(self, packed: PackedOrder, *, born_here: bool) -> None:
        reference, total = packed.reference, packed.total
        try:
            purchase = await self._ordering.place_once(
                packed.request, reference=reference, limits=packed.limits, born_here=born_here
            )
        except (OutOfStock, OrderRefused) as refusal:
            self._purse.not_bought(reference, total)
            self._stop.refused()
            if refusal.error is None:  # the answer went to another process, which packs it anew
                self.moved_by_others.update(packed.lines)
            else:
                await self._refused(packed, refusal)
        except UNSURE as doubt:
            self._purse.unknown(reference)
            self._tell(packed, packed.lines, LineState.UNKNOWN, doubt)
            if isinstance(doubt, JournalError):
                self._stop.stop(f"the journal failed: {doubt}")
        except PurchaseExpired:
            # Planned by an earlier run, too long ago; its prices were read again since.
            self._purse.not_bought(reference, total)
            again = attrs.evolve(packed, reference=self._references())
            await self._instead(packed, Repacked(orders=(again,), left_out=()))
        except DidwwError as failure:
            self._purse.not_bought(reference, total)
            self._failed(packed, failure)
        except BaseException:
            self._purse.unknown(reference)
            raise
        else:
            self._purse.paid(reference, total, amount=purchase.amount)
            await self._placed(packed, purchase)

    # -- what did not work out

    async def _refused(self, packed: PackedOrder, refusal: OutOfStock | OrderRefused) -> None:
        error = refusal.error
        new = Repacked(orders=(), left_out=packed.lines)
        if isinstance(error, InsufficientBalance):
            if self._purse.corrected(packed.total, error):
                allowed = self._purse.left_of_balance()
                some = trimmed(packed, allowed=allowed, references=self._references)
                new = some if some.left_out else new
            self._stop.stop("DIDWW says that the balance does not cover the next order")
        elif error is not None:
            named = {one for one in refused_items(error) if one < len(packed.items)}
            if named:
                short = stock_items(error)
                new = repacked(packed, named=named, short=short, references=self._references)
            elif isinstance(error, ValidationFailed) and error.pointer is None:
                new = halved(packed, references=self._references)
        self._tell(packed, new.left_out, LineState.REFUSED, refusal)
        is_last = isinstance(error, InsufficientBalance)
        await self._instead(packed, new, order=self._place_last if is_last else self.place)

    async def _too_dear(self, packed: PackedOrder, error: BalanceTooLow | PriceOverLimit) -> None:
        """The money ends the batch; the first lines that it is enough for are still ordered."""
        self._stop.stop(str(error))
        left = [self._purse.left_of_limit()]
        if isinstance(error, BalanceTooLow):
            left.append(self._purse.left_of_balance())
        allowed = min(one for one in left if one is not None)
        new = trimmed(packed, allowed=allowed, references=self._references)
        if not new.left_out or not new.orders or not await self._withdrawn(packed):
            await self._skip(packed, error)
            return
        self._tell(packed, new.left_out, LineState.SKIPPED, error)
        await self._instead(packed, new, order=self._place_last)

    async def _withdrawn(self, packed: PackedOrder) -> bool:
        """Whether it is certain that nobody orders it any more."""
        try:
            found = await self._ordering.withdraw(
                packed.request, reference=packed.reference, limits=packed.limits
            )
        except JournalError as problem:
            log.warning("order %s can't be withdrawn: %s", packed.reference, problem)
            return False
        return found.state in NEVER_BOUGHT

    async def _instead(
        self, packed: PackedOrder, new: Repacked, *, order: Order | None = None
    ) -> None:
        """Commit what takes the place of an order that is proven not to exist, then order it."""
        if not new.orders:
            return
        lines = [line for one in new.orders for line in one.lines]
        key = self._ordering.key(packed.reference)
        try:
            ours = await self._journal.pack(
                new.orders,
                origin=key.origin,
                account=key.account,
                moves=dict.fromkeys(lines, packed.reference),
            )
        except JournalError as problem:
            self._stop.stop(f"the journal failed: {problem}")
            self._tell(packed, lines, LineState.FAILED, problem)
            return
        if not ours:
            self.moved_by_others.update(lines)
            return
        for one in new.orders:
            await (order or self.place)(one, born_here=True)

    def _failed(self, packed: PackedOrder, failure: DidwwError) -> None:
        """Surely not carried out. What would fail for every order ends the batch."""
        self._tell(packed, packed.lines, LineState.FAILED, failure)
        if verdict(failure) is Verdict.STOP:
            self._stop.stop(str(failure))

    async def _skip(self, packed: PackedOrder, why: DidwwError) -> None:
        if not await self._is_followed(packed):
            self._tell(packed, packed.lines, LineState.SKIPPED, why)

    async def _is_followed(self, packed: PackedOrder) -> bool:
        """Whether another process has sent it: then what becomes of it is told here, too."""
        try:
            found = await self._journal.read(self._ordering.key(packed.reference))
        except JournalError as problem:
            log.warning("order %s can't be looked at: %s", packed.reference, problem)
            return False
        if found is None or found.state in NOT_BOUGHT:
            return False
        self._purse.ordered += packed.total
        if found.state in {State.SENT, State.UNKNOWN}:
            await self.settle(packed, found)
        else:
            await self._placed(packed, found)
        return True

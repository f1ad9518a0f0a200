"""Telling what became of the lines: once each, in the order in which it is known."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from didww_async import DidwwError
from flows.batch.completing import Ended
from flows.batch.giving import delivered, given
from flows.batch.lines import BatchLine
from flows.batch.results import LineResult, LineState
from flows.errors import OrderCanceled
from flows.journal import Purchase, State
from flows.journal.packed import PackedOrder

__all__ = ["Told"]


class Told:
    """Results on their way to whoever reads them. Lines of other runs are passed over."""

    def __init__(self, lines: Mapping[str, BatchLine]) -> None:
        self._lines = lines
        self._told: set[str] = set()
        self._results: asyncio.Queue[LineResult | None] = asyncio.Queue()

    async def next(self) -> LineResult | None:
        """The next result, None after the last one."""
        return await self._results.get()

    def no_more(self) -> None:
        """All is told."""
        self._results.put_nowait(None)

    def line(self, line: BatchLine, state: LineState, **more: Any) -> None:
        """Tell about one line; what is said of it later is passed over."""
        if line.identity not in self._told:
            self._told.add(line.identity)
            self._results.put_nowait(LineResult(line=line, state=state, **more))

    def order(
        self,
        packed: PackedOrder,
        lines: Iterable[str],
        state: LineState,
        error: DidwwError | None,
        order_id: str | None = None,
    ) -> None:
        """Tell the same about several lines of an order."""
        for name in lines:
            item, share = packed.share_of(name)
            if name in self._lines:
                self.line(
                    self._lines[name],
                    state,
                    order_id=order_id or getattr(error, "order_id", None),
                    order_reference=packed.reference,
                    price=item.price * share.quantity,
                    error=error,
                )

    def ended(self, ended: Ended) -> None:
        """Tell what an order that exists has come to."""
        packed, purchase = ended.packed, ended.purchase
        if purchase.state is State.CANCELED:
            error = OrderCanceled(purchase=purchase)
            self.order(packed, packed.lines, LineState.REFUSED, error, purchase.order_id)
        elif purchase.state is not State.COMPLETED or ended.error is not None:
            self.order(packed, packed.lines, LineState.PENDING, ended.error, purchase.order_id)
        else:
            for line, numbers in given(packed, delivered(packed, purchase)).items():
                self._bought(packed, line, numbers, purchase)

    def _bought(
        self, packed: PackedOrder, line: str, numbers: tuple[str, ...], purchase: Purchase
    ) -> None:
        item, share = packed.share_of(line)
        if line in self._lines:
            self.line(
                self._lines[line],
                LineState.BOUGHT,
                numbers=numbers,
                shortfall=share.quantity - len(numbers),
                order_id=purchase.order_id,
                order_reference=packed.reference,
                price=item.price * share.quantity,
            )

"""What lines ask for -> which SKU, DID group and prefix it is, at which price."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Protocol

import attrs

from didww_async import Client, DidwwError
from flows.batch.lines import BatchLine
from flows.buy_did import BuyDidFlow
from flows.errors import PriceOverLimit
from flows.journal import Limits, MemoryJournal
from flows.offers import check_limits
from flows.script import choose_all

__all__ = ["OneByOne", "ResolvedLine", "Resolver", "UnbuyableLine", "within_limits"]

TOGETHER = 8


@attrs.frozen(kw_only=True)
class ResolvedLine:
    """A line and the offer that fits it. Prices are per number, USD without VAT.

    `npanxx`: the six digits of its NANPA prefix, by which its numbers are told from others.
    """

    line: BatchLine
    sku_id: str
    did_group_id: str
    nanpa_prefix_id: str | None
    npanxx: str | None
    setup_price: Decimal
    monthly_price: Decimal


@attrs.frozen(kw_only=True)
class UnbuyableLine:
    """A line that can't be bought, and why."""

    line: BatchLine
    error: DidwwError


class Resolver(Protocol):
    """Finds the offers of lines; how many look-ups that takes is up to it."""

    def resolve(self, lines: Sequence[BatchLine]) -> AsyncIterator[ResolvedLine | UnbuyableLine]:
        """Each line once, in any order. Orders nothing and raises nothing of DIDWW's."""
        ...


class OneByOne:
    """The steps of BuyDidFlow for every line by itself; equal look-ups of places are shared."""

    def __init__(self, client: Client, *, together: int = TOGETHER) -> None:
        self._client = client
        self._together = together

    async def resolve(
        self, lines: Sequence[BatchLine]
    ) -> AsyncIterator[ResolvedLine | UnbuyableLine]:
        for start in range(0, len(lines), self._together):
            some = lines[start : start + self._together]
            for found in await asyncio.gather(*map(self._resolved, some)):
                yield found

    async def _resolved(self, line: BatchLine) -> ResolvedLine | UnbuyableLine:
        flow = BuyDidFlow(self._client, journal=MemoryJournal())
        try:
            await choose_all(flow, line.request)
        except DidwwError as error:
            return UnbuyableLine(line=line, error=error)
        offer, prefix = flow.chosen.offer, flow.chosen.nanpa_prefix
        assert offer is not None  # noqa: S101 - choose_all chose it or raised
        return ResolvedLine(
            line=line,
            sku_id=offer.sku_id,
            did_group_id=offer.did_group_id,
            nanpa_prefix_id=prefix.id if prefix else None,
            npanxx=prefix.npa + prefix.nxx if prefix else None,
            setup_price=offer.setup_price,
            monthly_price=offer.monthly_price,
        )


def within_limits(found: ResolvedLine) -> ResolvedLine | UnbuyableLine:
    """The line, unless its own price limits forbid it (pure)."""
    request = found.line.request
    limits = Limits(
        max_setup=request.max_setup, max_monthly=request.max_monthly, max_total=request.max_total
    )
    try:
        check_limits([(found.setup_price, found.monthly_price, request.quantity)], limits=limits)
    except PriceOverLimit as error:
        return UnbuyableLine(line=found.line, error=error)
    return found

"""Which offer each line gets: the steps of `buy()` for every line, with merged look-ups.

Each line walks through the very steps of a single purchase, so that it gets the offer, or the
error, that `buy()` would have given it; only what the steps read is asked for together.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Sequence

import attrs

from didww_async import BadRequest, Client, DidwwError, InvalidInput
from flows.batch.instep import InStep
from flows.batch.lines import BatchLine
from flows.batch.merged_coverage import MergedCoverage
from flows.batch.merged_prices import MergedPrices
from flows.batch.resolving import ResolvedLine, UnbuyableLine
from flows.buy_did import BuyDidFlow
from flows.choices import NanpaPrefixChoice
from flows.errors import FlowError, OutOfStock
from flows.journal import Limits, MemoryJournal
from flows.offers import Offer, check_limits
from flows.script import PurchaseRequest, choose_all

__all__ = ["LookedUp", "Merged"]

BREATH = 10_000  # lines
TOGETHER = 4000  # different requests that go in step; more would only cost memory
OF_ONE_LINE = (FlowError, InvalidInput, BadRequest)

LookedUp = Callable[[int, int], None]
"""Told how many of how many different requests are looked up."""


@attrs.frozen
class _Choice:
    """What a request stands for, now."""

    offer: Offer
    nanpa_prefix: NanpaPrefixChoice | None


class Merged:
    """Finds the offers of lines in as few look-ups as is safe. Equal requests are one.

    The stock of a DID group is given to the lines in their order; a line that it does not suffice
    for is OutOfStock, so that it does not spoil the order of the others. `requests` counts what
    was sent, without the lists of what there is for what was not found; `share_on_sale` is the
    part of all NPA-NXX that was on sale where it was looked.
    """

    def __init__(self, client: Client, *, progress: LookedUp = lambda _done, _of: None) -> None:
        self._client = client
        self._progress = progress
        self.requests = 0
        self.share_on_sale = 1.0

    async def resolve(
        self, lines: Sequence[BatchLine]
    ) -> AsyncIterator[ResolvedLine | UnbuyableLine]:
        """Each line once, in their order. What stops all look-ups (no answer, a refused key) is
        the error of every line that was not looked up before."""
        asked = list(dict.fromkeys(map(_wanted, lines)))
        chosen: dict[PurchaseRequest, _Choice | DidwwError] = {}
        for begin in range(0, len(asked), TOGETHER):
            part = asked[begin : begin + TOGETHER]
            found = await self._choose(part)
            chosen |= zip(part, found, strict=True)
            self._progress(begin + len(part), len(asked))
            stopped = (each for each in found if isinstance(each, DidwwError))
            if why := next((each for each in stopped if not isinstance(each, OF_ONE_LINE)), None):
                chosen |= dict.fromkeys(asked[begin + len(part) :], why)
                break
        stock = _Stock()
        for number, line in enumerate(lines):
            if number % BREATH == 0:
                await asyncio.sleep(0)  # others want to go on, too
            yield _resolved(line, chosen[_wanted(line)], stock)

    async def _choose(self, requests: Sequence[PurchaseRequest]) -> list[_Choice | DidwwError]:
        walkers = InStep()
        coverage = MergedCoverage(self._client, walkers)

        def family(prefix_id: str) -> Hashable:
            return coverage.area_codes.get(prefix_id, "")

        prices = MergedPrices(
            self._client, walkers, family=family, on_sale=lambda: coverage.on_sale
        )
        flows = (_Walk(self._client, coverage=coverage, prices=prices) for _ in requests)
        try:
            return await walkers.walk(
                [flow.chosen_for(request) for flow, request in zip(flows, requests, strict=True)]
            )
        finally:
            self.requests += coverage.requests + prices.requests
            self.share_on_sale = coverage.share_on_sale


class _Walk(BuyDidFlow):
    """A flow up to its offer that reads together with others."""

    def __init__(self, client: Client, *, coverage: MergedCoverage, prices: MergedPrices) -> None:
        super().__init__(client, journal=MemoryJournal())
        self._coverage = coverage
        self._prices = prices

    async def chosen_for(self, request: PurchaseRequest) -> _Choice | DidwwError:
        try:
            await choose_all(self, request)
            offer = self._offer()
            check_limits(
                [(offer.setup_price, offer.monthly_price, request.quantity)],
                limits=Limits(
                    max_setup=request.max_setup,
                    max_monthly=request.max_monthly,
                    max_total=request.max_total,
                ),
            )
        except DidwwError as error:
            return error.with_traceback(None)  # many lines keep it for long
        return _Choice(offer, self.chosen.nanpa_prefix)


def _wanted(line: BatchLine) -> PurchaseRequest:
    """What the look-up depends on; the line's own name does not matter."""
    request = line.request
    return request if request.reference is None else attrs.evolve(request, reference=None)


class _Stock:
    """What is left of the DID groups' stock after the lines before."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._short: dict[tuple[str, int, int], OutOfStock] = {}

    def take(self, offer: Offer, quantity: int) -> OutOfStock | None:
        """Take numbers for a line; the error, the same for equal lines, when too few are left."""
        taken = self._taken.get(offer.did_group_id, 0)
        if offer.in_stock is None or taken + quantity <= offer.in_stock:
            self._taken[offer.did_group_id] = taken + quantity
            return None
        key = (offer.did_group_id, taken, quantity)
        if key not in self._short:
            self._short[key] = OutOfStock(
                f"{offer.in_stock} numbers are in stock, {taken} of them for earlier lines, and "
                f"{quantity} were asked for",
                available=max(0, offer.in_stock - taken),
            )
        return self._short[key]


def _resolved(
    line: BatchLine, choice: _Choice | DidwwError, stock: _Stock
) -> ResolvedLine | UnbuyableLine:
    """What becomes of a line whose request stands for this choice."""
    if isinstance(choice, DidwwError):
        return UnbuyableLine(line=line, error=choice)
    if not line.request.allow_back_ordering:
        short = stock.take(choice.offer, line.request.quantity)
        if short is not None:
            return UnbuyableLine(line=line, error=short)
    offer, prefix = choice.offer, choice.nanpa_prefix
    return ResolvedLine(
        line=line,
        sku_id=offer.sku_id,
        did_group_id=offer.did_group_id,
        nanpa_prefix_id=prefix.id if prefix else None,
        npanxx=prefix.npa + prefix.nxx if prefix else None,
        setup_price=offer.setup_price,
        monthly_price=offer.monthly_price,
    )

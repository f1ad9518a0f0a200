"""The purse: what a batch may still spend, watched over orders that are on their way together.

DIDWW checks every order against the balance by itself, so that parallel orders can overrun it. An
order's amount is therefore set aside before it is claimed, with VAT: how much that is shows in the
first answer, until then it is taken to be high. An order that would only fit without it waits
until nothing else is on its way, and goes alone, when DIDWW's own check is enough.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from didww_async import InsufficientBalance
from flows.errors import BalanceTooLow, PriceOverLimit

__all__ = ["Purse"]

VAT_AT_MOST = Decimal("1.3")  # until an answer has told: no country takes more
ROUNDING = Decimal("1.02")  # VAT is rounded per number, so that its part differs between orders
NOTHING = Decimal(0)
TOLD = ("available_balance", "total_cost")  # in the meta of DIDWW's refusal


class Purse:
    """`balance` reads the account's balance: 1 request; `known`: as somebody has just read it.
    `max_total`: USD without VAT, for the
    whole batch; `spent`: of it, what earlier runs have ordered."""

    def __init__(
        self,
        balance: Callable[[], Awaitable[Decimal]],
        *,
        max_total: Decimal | None = None,
        spent: Decimal = NOTHING,
        known: Decimal | None = None,
    ) -> None:
        self._read = balance
        self._max_total = max_total
        self._balance = known
        self._vat: Decimal | None = None
        self._on_their_way: dict[str, Decimal] = {}
        self._unknown = NOTHING
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self.ordered = spent

    @property
    def vat(self) -> Decimal:
        """What a price is multiplied with to be sure that it includes VAT."""
        return VAT_AT_MOST if self._vat is None else self._vat * ROUNDING

    def left_of_limit(self) -> Decimal | None:
        """What `max_total` leaves, USD without VAT; None without a limit."""
        return None if self._max_total is None else self._max_total - self.ordered

    def left_of_balance(self) -> Decimal:
        """What the balance surely covers, USD without VAT. For when nothing is on its way."""
        return ((self._balance or NOTHING) - self._unknown) / (self._vat or 1)

    async def set_aside(self, reference: str, total: Decimal) -> None:
        """Wait until an order of `total` (without VAT) can't overrun the balance.

        First come, first served. Raises PriceOverLimit when it is over what `max_total` leaves,
        BalanceTooLow when the balance does not cover it.
        """
        async with self._turn:
            left = self.left_of_limit()
            if left is not None and total > left and self._max_total is not None:
                price = self.ordered + total
                raise PriceOverLimit(
                    "max_total",
                    allowed=self._max_total,
                    price=price,
                    why=f"with its next order the batch would cost {price}, over "
                    f"max_total={self._max_total} (both without VAT): what does not fit into the "
                    "limit was not ordered",
                )
            await self._wait_for_balance(total)
            self._on_their_way[reference] = total * self.vat
            self.ordered += total

    async def _wait_for_balance(self, total: Decimal) -> None:
        is_new = self._balance is None
        if self._balance is None:
            self._balance = await self._read()
        while self._free() < total * self.vat:
            if self._on_their_way:
                self._news.clear()
                await self._news.wait()
            elif not is_new:
                self._balance, is_new = await self._read(), True
            elif total <= self.left_of_balance():
                return  # alone: DIDWW's check of this one order is enough
            else:
                available = self._balance - self._unknown
                raise BalanceTooLow(available=available, needed=total)

    def _free(self) -> Decimal:
        assert self._balance is not None  # noqa: S101 - read before
        return self._balance - self._unknown - sum(self._on_their_way.values(), start=NOTHING)

    def paid(self, reference: str, total: Decimal, *, amount: Decimal | None) -> None:
        """The order exists; `amount` with VAT is what DIDWW charged, where it said."""
        reserved = self._on_their_way.pop(reference, NOTHING)
        if amount is not None:
            self._learn(total, amount)
        if self._balance is not None:
            self._balance -= reserved if amount is None else amount
        self._news.set()

    def corrected(self, total: Decimal, refusal: InsufficientBalance) -> bool:
        """DIDWW refused an order of `total` (without VAT) for lack of money: take over what it
        says of balance and cost; False when it does not say."""
        try:
            balance, cost = (Decimal(refusal.meta[name]) for name in TOLD)
        except (KeyError, ArithmeticError, TypeError, ValueError):
            return False
        if not (balance.is_finite() and cost.is_finite()):
            return False
        self._balance = balance
        self._learn(total, cost)
        return True

    def _learn(self, total: Decimal, amount: Decimal) -> None:
        if total > 0:
            self._vat = max(self._vat or Decimal(1), amount / total)

    def not_bought(self, reference: str, total: Decimal) -> None:
        """The order surely does not exist."""
        self._on_their_way.pop(reference, None)
        self.ordered -= total
        self._news.set()

    def unknown(self, reference: str) -> None:
        """The order may exist: its amount stays set aside."""
        self._unknown += self._on_their_way.pop(reference, NOTHING)
        self._news.set()

"""Planning a batch: what would be ordered, what it costs, what can't be bought, how many requests.

    plan = await plan_batch(client, lines_of(requests, batch="spring"))
    print(plan.total, plan.balance, [str(line.error) for line in plan.unbuyable])

Nothing is ordered. `buy_many` looks up and packs in the same way, commits its packing and orders
it; what is on sale, and at which price, may have changed by then.
"""

from collections.abc import Sequence
from decimal import Decimal

import attrs

from didww_async import Client
from flows.batch.lines import BatchLine
from flows.batch.looking import LookedUp, Merged
from flows.batch.packing import pack, references
from flows.batch.resolving import ResolvedLine, UnbuyableLine
from flows.journal.packed import Packing
from flows.prices import Prices

__all__ = ["Plan", "plan_batch"]


@attrs.frozen(kw_only=True)
class Plan:
    """What a batch comes to. Money is USD without VAT; DIDWW adds VAT where it applies.

    `packing`: the orders. `unbuyable`: the lines that are in none of them, each with its error.
    `balance`: the account's when the plan was made. `look_ups`: requests that the plan took,
    without those that list what there is instead of what was not found.
    """

    lines: int
    packing: Packing
    unbuyable: tuple[UnbuyableLine, ...]
    balance: Decimal
    look_ups: int

    @property
    def items(self) -> int:
        """How many order items there are."""
        return sum(len(order.items) for order in self.packing)

    @property
    def numbers(self) -> int:
        """How many numbers would be bought."""
        return sum(order.quantity for order in self.packing)

    @property
    def total(self) -> Decimal:
        """What is due at once: setup and first month of all numbers."""
        return self.packing.total

    @property
    def setup(self) -> Decimal:
        """The setup of all numbers."""
        items = (item for order in self.packing for item in order.items)
        return sum((item.setup_price * item.quantity for item in items), start=Decimal(0))

    @property
    def monthly(self) -> Decimal:
        """What all numbers cost each month."""
        return self.total - self.setup

    @property
    def balance_is_enough(self) -> bool:
        """Whether the balance covers `total` (VAT may still come on top)."""
        return self.balance >= self.total

    @property
    def requests(self) -> int:
        """Look-ups and orders together; waiting for the orders and reading their numbers is not
        in it."""
        return self.look_ups + len(self.packing)


async def plan_batch(
    client: Client,
    lines: Sequence[BatchLine],
    *,
    batch: str | None = None,
    max_items_per_order: int = 50,
    progress: LookedUp = lambda _done, _of: None,
) -> Plan:
    """Plan a batch: look-ups, and 1 request for the balance. Nothing is ordered.

    `max_items_per_order`: fewer put fewer lines at risk of one unknown outcome, more take fewer
    requests. `progress` is told how many of how many different requests are looked up. What is
    wrong with a line is in `unbuyable`; raises what reading the balance raises.
    """
    look_up = Merged(client, progress=progress)
    found = [line async for line in look_up.resolve(lines)]
    buyable = (line for line in found if isinstance(line, ResolvedLine))
    return Plan(
        lines=len(lines),
        packing=pack(
            buyable, references=references(batch), max_items_per_order=max_items_per_order
        ),
        unbuyable=tuple(line for line in found if isinstance(line, UnbuyableLine)),
        balance=await Prices(client).balance(),
        look_ups=look_up.requests + 1,
    )

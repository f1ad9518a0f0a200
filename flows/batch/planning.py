"""Planning a batch: what would be ordered, what it costs, what can't be bought, how many requests.

    plan = await plan_batch(client, lines_of(requests, batch="spring"))
    print(plan.total, plan.balance, [str(line.error) for line in plan.unbuyable])

Nothing is ordered. `buy_many` looks up and packs in the same way, commits its packing and orders
it; what is on sale, and at which price, may have changed by then.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal

import attrs

from didww_async import Client
from flows.batch.bound import Bound, bound_of
from flows.batch.lines import BatchLine
from flows.batch.looking import LookedUp, Merged
from flows.batch.packing import pack, references
from flows.batch.resolving import ResolvedLine, UnbuyableLine
from flows.errors import OfferChanged
from flows.journal.packed import Packing
from flows.prices import Prices

__all__ = ["AsPlanned", "Plan", "plan_batch"]

QUOTE_AGE = 5 * 60.0  # seconds, as of a single quote


@attrs.frozen(kw_only=True)
class Plan:
    """What a batch comes to. Money is USD without VAT; DIDWW adds VAT where it applies.

    `packing`: the orders. `resolved`: the lines in new ones, each with its offer. `unbuyable`:
    the lines that are in none, each with its error.
    `balance`: the account's when the plan was made. `look_ups`: requests that the plan took,
    without those that list what there is instead of what was not found. `bound`: the fewest
    requests that could do.
    """

    lines: int
    packing: Packing
    resolved: tuple[ResolvedLine, ...] = attrs.field(repr=False)
    unbuyable: tuple[UnbuyableLine, ...]
    balance: Decimal
    look_ups: int
    bound: Bound

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


class AsPlanned:
    """Answers from a plan, so that what was confirmed is ordered without another look.

    After `good_for` seconds everything is looked up again, and a line whose price has risen, or
    whose offer is another one, is OfferChanged. Lines that the plan does not know are looked up.
    """

    def __init__(
        self,
        client: Client,
        plan: Plan,
        *,
        good_for: float = QUOTE_AGE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._clock = clock
        self._until = clock() + good_for
        planned: tuple[ResolvedLine | UnbuyableLine, ...] = (*plan.unbuyable, *plan.resolved)
        self._planned = {found.line.identity: found for found in planned}

    async def resolve(
        self, lines: Sequence[BatchLine]
    ) -> AsyncIterator[ResolvedLine | UnbuyableLine]:
        """Each line once."""
        is_old = self._clock() > self._until
        anew = []
        for line in lines:
            planned = self._planned.get(line.identity)
            if is_old or planned is None or planned.line.request != line.request:
                anew.append(line)
            else:
                yield planned
        async for found in Merged(self._client).resolve(anew):
            yield _unless_dearer(found, self._planned.get(found.line.identity))


def _unless_dearer(
    found: ResolvedLine | UnbuyableLine, planned: ResolvedLine | UnbuyableLine | None
) -> ResolvedLine | UnbuyableLine:
    if not isinstance(found, ResolvedLine) or not isinstance(planned, ResolvedLine):
        return found
    same = found.sku_id == planned.sku_id and found.nanpa_prefix_id == planned.nanpa_prefix_id
    if (
        same
        and found.setup_price <= planned.setup_price
        and found.monthly_price <= planned.monthly_price
    ):
        return found
    changed = OfferChanged(
        f"it was to be SKU {planned.sku_id} at {planned.setup_price} setup and "
        f"{planned.monthly_price} monthly, now it is {found.sku_id} at {found.setup_price} and "
        f"{found.monthly_price}; plan again"
    )
    return UnbuyableLine(line=found.line, error=changed)


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
    buyable = tuple(line for line in found if isinstance(line, ResolvedLine))
    return Plan(
        lines=len(lines),
        packing=pack(
            buyable, references=references(batch), max_items_per_order=max_items_per_order
        ),
        resolved=buyable,
        unbuyable=tuple(line for line in found if isinstance(line, UnbuyableLine)),
        balance=await Prices(client).balance(),
        look_ups=look_up.requests + 1,
        bound=bound_of(
            buyable,
            share_on_sale=look_up.share_on_sale,
            max_items_per_order=max_items_per_order,
        ),
    )

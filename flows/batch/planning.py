"""Planning a batch: what would be ordered, what it costs, what can't be bought, how many requests.

    plan = await plan_batch(client, lines_of(requests, batch="spring"))
    print(plan.total, plan.balance, [str(line.error) for line in plan.unbuyable])

Nothing is ordered. `buy_many` looks up and packs in the same way, commits its packing and orders
it; what is on sale, and at which price, may have changed by then.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal

import attrs

from didww_async import Client
from flows.batch.bound import Bound, bound_of
from flows.batch.known import Known, is_wanted, known_lines
from flows.batch.lines import BatchLine
from flows.batch.looking import LookedUp, Merged
from flows.batch.packing import pack, references
from flows.batch.resolving import ResolvedLine, UnbuyableLine
from flows.errors import OfferChanged
from flows.journal import PurchaseJournal
from flows.journal.packed import PackedItem, PackedOrder, Packing
from flows.prices import Prices

__all__ = ["AsPlanned", "Plan", "plan_batch"]

QUOTE_AGE = 5 * 60.0  # seconds, as of a single quote


@attrs.frozen(kw_only=True)
class Plan:
    """What a batch comes to. Money is USD without VAT; DIDWW adds VAT where it applies.

    `packing`: the orders. `resolved`: the lines in new ones, each with its offer. `unbuyable`:
    the lines that are in none, each with its error.
    `known`: how many lines stand in orders of an earlier run; of these the packing has those that
    were not sent. `balance`: the account's when the plan was made. `look_ups`: requests that the
    plan took, without those that list what there is instead of what was not found. `bound`: the
    fewest requests that could do.
    """

    lines: int
    known: int = 0
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
    whose offer is another one, is OfferChanged; so is a line whose order was packed by an earlier
    run, and can't be sent as it was. What the plan could not buy is not bought. Lines that the
    plan does not know are looked up.
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
        self._packed = {
            share.identity: item
            for order in plan.packing
            for item in order.items
            for share in item.shares
        }

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
            name = found.line.identity
            yield _as_confirmed(found, self._planned.get(name) or self._packed.get(name))


def _as_confirmed(
    found: ResolvedLine | UnbuyableLine, planned: ResolvedLine | UnbuyableLine | PackedItem | None
) -> ResolvedLine | UnbuyableLine:
    if isinstance(planned, UnbuyableLine):  # nobody confirmed that it is bought
        return attrs.evolve(planned, line=found.line)
    if isinstance(found, UnbuyableLine) or planned is None:
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
    journal: PurchaseJournal | None = None,
    max_items_per_order: int = 50,
    progress: LookedUp = lambda _done, _of: None,
) -> Plan:
    """Plan a batch: look-ups, and 1 request for the balance. Nothing is ordered.

    `journal`: lines that it has in an order are not planned anew, and what was packed and not
    sent is part of the plan as it was packed; without one all lines are taken to be new.
    `max_items_per_order`: fewer put fewer lines at risk of one unknown outcome, more take fewer
    requests. `progress` is told how many of how many different requests are looked up. What is
    wrong with a line is in `unbuyable`; raises what reading the balance raises, and JournalError.
    """
    known = Known(free=list(lines))
    waiting: tuple[PackedOrder, ...] = ()
    if journal is not None:
        known = await known_lines(journal, lines, origin=client.origin, account=client.account)
        waiting = _taken_out(known, {line.identity: line for line in lines})
    failed = tuple(UnbuyableLine(line=line, error=error) for line, error in known.failed)
    free = sorted(known.free, key=lambda line: line.number)
    look_up = Merged(client, progress=progress)
    found = [line async for line in look_up.resolve(free)]
    buyable = tuple(line for line in found if isinstance(line, ResolvedLine))
    new = pack(buyable, references=references(batch), max_items_per_order=max_items_per_order)
    return Plan(
        lines=len(free) + len(failed),
        known=len(lines) - len(free) - len(failed),
        packing=Packing(orders=(*waiting, *new)),
        resolved=buyable,
        unbuyable=(*failed, *(line for line in found if isinstance(line, UnbuyableLine))),
        balance=await Prices(client).balance(),
        look_ups=look_up.requests + 1,
        bound=bound_of(
            buyable,
            share_on_sale=look_up.share_on_sale,
            max_items_per_order=max_items_per_order,
        ),
    )


def _taken_out(known: Known, lines: Mapping[str, BatchLine]) -> tuple[PackedOrder, ...]:
    """The packed orders that go on as they are; the lines of the others become free."""
    still = tuple(one.packed for one in known.packed if is_wanted(one.packed, lines))
    for order in known.packed:
        if order.packed not in still:
            known.free += [lines[name] for name in order.packed.lines if name in lines]
    return still

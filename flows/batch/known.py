"""What the journal knows of a batch's lines: which are ordered, may go on, or are free."""

from collections.abc import Mapping, Sequence

import attrs

from flows.batch.alone import NEVER_BOUGHT, bought_alone
from flows.batch.lines import BatchLine
from flows.batch.resolving import ResolvedLine, UnbuyableLine, within_limits
from flows.errors import LineChanged
from flows.journal import Purchase, PurchaseJournal, PurchaseKey, State
from flows.journal.packed import PackedItem, PackedOrder

__all__ = ["Known", "KnownOrder", "is_wanted", "known_lines"]

TOGETHER = 1000  # lines asked about at once


@attrs.frozen(kw_only=True)
class KnownOrder:
    """An order of an earlier run, and the journal's record of it: None when nothing was begun."""

    packed: PackedOrder
    purchase: Purchase | None

    @property
    def is_never_bought(self) -> bool:
        """Whether it is proven not to exist, for ever: its lines may move."""
        return self.purchase is not None and self.purchase.state in NEVER_BOUGHT

    @property
    def is_begun(self) -> bool:
        """Whether it was sent, or more."""
        return self.purchase is not None and self.purchase.state not in {
            *NEVER_BOUGHT,
            State.PLANNED,
        }


@attrs.define(kw_only=True)
class Known:
    """The lines of a run, by what the journal says of them.

    `free`: to be ordered, of which `moves` tells the order they were in. `begun`: orders that
    exist or may. `packed`: orders that were packed and not sent. `failed`: lines that stand for
    something else already.
    """

    free: list[BatchLine] = attrs.field(factory=list)
    moves: dict[str, str] = attrs.field(factory=dict)
    begun: list[KnownOrder] = attrs.field(factory=list)
    packed: list[KnownOrder] = attrs.field(factory=list)
    failed: list[tuple[BatchLine, LineChanged]] = attrs.field(factory=list)


async def known_lines(
    journal: PurchaseJournal, lines: Sequence[BatchLine], *, origin: str, account: str
) -> Known:
    """Look all lines up in the journal; asks DIDWW nothing."""
    orders: dict[str, KnownOrder] = {}
    known = Known()
    for start in range(0, len(lines), TOGETHER):
        some = lines[start : start + TOGETHER]
        names = [line.identity for line in some]
        found = await journal.packed(names, origin=origin, account=account)
        for packed in found.values():
            if packed.reference not in orders:
                key = PurchaseKey(origin=origin, account=account, reference=packed.reference)
                orders[packed.reference] = KnownOrder(
                    packed=packed, purchase=await journal.read(key)
                )
        for line in some:
            if (in_order := found.get(line.identity)) is not None:
                _sort_in(known, line, orders[in_order.reference])
        new = [line for line in some if line.identity not in found]
        alone = await bought_alone(
            journal, [line.identity for line in new], origin=origin, account=account
        )
        known.failed += [(line, alone[line.identity]) for line in new if line.identity in alone]
        known.free += [line for line in new if line.identity not in alone]
    for order in orders.values():
        if not order.is_never_bought:
            (known.begun if order.is_begun else known.packed).append(order)
    return known


def _sort_in(known: Known, line: BatchLine, order: KnownOrder) -> None:
    reference = order.packed.reference
    if order.is_never_bought:
        known.free.append(line)
        known.moves[line.identity] = reference
    elif order.is_begun and is_changed(line, order.packed):
        state = order.purchase.state if order.purchase else "packed"
        known.failed.append((line, LineChanged(line.identity, reference=reference, state=state)))


def is_changed(line: BatchLine, packed: PackedOrder) -> bool:
    """Whether the line asks for something else than what was packed under its name."""
    return packed.share_of(line.identity)[1].asked != line.request.fingerprint


def is_wanted(packed: PackedOrder, lines: Mapping[str, BatchLine]) -> bool:
    """Whether an order that was packed and not sent may be sent as it is: every line in it is
    asked for, as it was then, within its limits, and they may share an order (pure)."""
    if len({line.fate for name in packed.lines if (line := lines.get(name))}) > 1:
        return False
    for item in packed.items:
        for share in item.shares:
            line = lines.get(share.identity)
            if line is None or is_changed(line, packed):
                return False
            if isinstance(within_limits(_as_packed(line, item)), UnbuyableLine):
                return False
    return True


def _as_packed(line: BatchLine, item: PackedItem) -> ResolvedLine:
    return ResolvedLine(
        line=line,
        sku_id=item.sku_id,
        did_group_id=item.did_group_id,
        nanpa_prefix_id=item.nanpa_prefix_id,
        npanxx=item.npanxx,
        setup_price=item.setup_price,
        monthly_price=item.monthly_price,
    )

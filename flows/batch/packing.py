"""Lines -> orders of several items: packing, and packing anew what was refused (pure).

Lines of the same SKU and prefix become one item, items become orders. In one order the items of
a DID group have one SKU, because the numbers of an order tell their group, not their SKU.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import TypeAlias, TypeVar

import attrs

from flows.batch.resolving import ResolvedLine
from flows.journal.packed import MAX_ITEM_QUANTITY, PackedItem, PackedOrder, Packing, Share

__all__ = [
    "References",
    "Repacked",
    "halved",
    "pack",
    "references",
    "repacked",
    "trimmed",
    "within",
]

T = TypeVar("T")
References: TypeAlias = Callable[[], str]


def references(batch: str | None) -> References:
    """Makes order references that nobody used before, beginning with the batch's name."""
    return lambda: f"{batch or 'batch'}.{uuid.uuid4().hex}"


# -- packing


def pack(
    lines: Iterable[ResolvedLine], *, references: References, max_items_per_order: int = 50
) -> Packing:
    """Merge lines into items and items into orders, in the order of the lines.

    Only lines of one fate, and with the same wish for back orders, share an order.
    """
    together: dict[tuple[str | None, bool], list[ResolvedLine]] = {}
    for found in lines:
        fate = (found.line.fate, found.line.request.allow_back_ordering)
        together.setdefault(fate, []).append(found)
    return Packing(
        orders=tuple(
            PackedOrder(reference=references(), items=tuple(items), allow_back_ordering=back)
            for (_, back), some in together.items()
            for items in _orders(_items(some), most=max_items_per_order)
        )
    )


def _items(lines: Iterable[ResolvedLine]) -> list[PackedItem]:
    open_: dict[PackedItem, list[list[Share]]] = {}
    for found in lines:
        request = found.line.request
        share = Share(
            identity=found.line.identity, quantity=request.quantity, asked=request.fingerprint
        )
        kind = _kind_of(found)
        bins = open_.setdefault(kind, [])
        if not bins or sum(one.quantity for one in bins[-1]) + share.quantity > MAX_ITEM_QUANTITY:
            bins.append([])
        bins[-1].append(share)
    return [
        attrs.evolve(kind, shares=tuple(shares)) for kind, bins in open_.items() for shares in bins
    ]


def _kind_of(found: ResolvedLine) -> PackedItem:
    """What the shares of one item have in common; its one share stands for none in particular."""
    return PackedItem(
        sku_id=found.sku_id,
        did_group_id=found.did_group_id,
        nanpa_prefix_id=found.nanpa_prefix_id,
        npanxx=found.npanxx,
        setup_price=found.setup_price,
        monthly_price=found.monthly_price,
        shares=(Share(identity="-", quantity=1, asked=""),),
    )


def _orders(items: Iterable[PackedItem], *, most: int) -> list[list[PackedItem]]:
    """First fit: the first order with room and without another SKU of the same group."""
    orders: list[list[PackedItem]] = []
    with_room: list[tuple[list[PackedItem], dict[str, str]]] = []
    for item in items:
        for order, sku_of in with_room:
            if sku_of.setdefault(item.did_group_id, item.sku_id) == item.sku_id:
                order.append(item)
                break
        else:
            order = [item]
            orders.append(order)
            with_room.append((order, {item.did_group_id: item.sku_id}))
        with_room = [pair for pair in with_room if len(pair[0]) < most]
    return orders


# -- packing anew


@attrs.frozen(kw_only=True)
class Repacked:
    """What takes the place of an order that is proven not to exist: new orders, and the lines
    that are in none of them."""

    orders: tuple[PackedOrder, ...]
    left_out: tuple[str, ...]


def repacked(
    order: PackedOrder,
    *,
    named: Collection[int],
    short: Collection[int],
    references: References,
) -> Repacked:
    """Pack a refused order anew: only the items that the refusal named move out.

    `named`: their positions; `short`: those of which fewer are in stock than ordered. The rest
    goes out together. What is short for several lines is tried for each half of them, so that
    some get theirs; what is refused for one line alone, or for another reason, is left out.
    """
    rest = [item for position, item in enumerate(order.items) if position not in named]
    halves = [
        [attrs.evolve(item, shares=half)]
        for position, item in enumerate(order.items)
        if position in named and position in short
        for half in _halves(item.shares)
    ]
    return _instead(order, [rest, *halves] if rest else halves, references=references)


def halved(order: PackedOrder, *, references: References) -> Repacked:
    """Pack an order that was refused without naming an item as two: one of them may be fine."""
    halves = [list(half) for half in _halves(order.items)]
    if not halves:
        [item] = order.items
        halves = [[attrs.evolve(item, shares=half)] for half in _halves(item.shares)]
    return _instead(order, halves, references=references)


def trimmed(order: PackedOrder, *, allowed: Decimal, references: References) -> Repacked:
    """The lines of an order that cost no more than `allowed` together (USD without VAT), the
    first ones first; the first one that does not fit ends it."""
    fits: set[str] = set()
    for item in order.items:
        for share in item.shares:
            cost = item.price * share.quantity
            if cost > allowed:
                return within(order, fits, references=references)
            allowed -= cost
            fits.add(share.identity)
    return within(order, fits, references=references)


def within(order: PackedOrder, lines: Collection[str], *, references: References) -> Repacked:
    """The order with these lines only, under a new reference."""
    items = [
        attrs.evolve(item, shares=shares)
        for item in order.items
        if (shares := tuple(one for one in item.shares if one.identity in lines))
    ]
    return _instead(order, [items] if items else [], references=references)


def _instead(
    order: PackedOrder, parts: Iterable[Sequence[PackedItem]], *, references: References
) -> Repacked:
    orders = tuple(
        attrs.evolve(order, reference=references(), items=tuple(items)) for items in parts
    )
    kept = {line for new in orders for line in new.lines}
    return Repacked(orders=orders, left_out=tuple(one for one in order.lines if one not in kept))


def _halves(found: tuple[T, ...]) -> tuple[tuple[T, ...], ...]:
    half = len(found) // 2
    return (found[:half], found[half:]) if half else ()

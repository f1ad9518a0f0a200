"""Lines with their offers -> order items -> orders (pure, deterministic).

Lines of the same SKU and NANPA prefix share an item, up to 1,000 numbers; items share an order. A
line is never split. Two items whose numbers could not be told apart afterwards (the same DID group,
and not two different prefixes) are never in one order: DIDWW's reply does not name the SKU.

An order stands or falls as one: whatever happens to its answer happens to all of its lines. Many
items to an order cost fewer requests; few of them put fewer lines at risk of an unknown outcome.
"""

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal

import attrs

from didww_async import InvalidInput
from flows.batch.lines import BatchLine, check_batch
from flows.choices import NanpaPrefixChoice
from flows.journal.packed import MAX_ITEM_QUANTITY, PackedItem, PackedOrder, Packing, Share
from flows.offers import Offer

__all__ = ["ITEMS_PER_ORDER", "Buyable", "pack"]

ITEMS_PER_ORDER = 50
OPEN_ITEMS = 8  # looked at for a line that does not fit into the last one


@attrs.frozen(kw_only=True)
class Buyable:
    """A line, and the offer that was chosen for it."""

    line: BatchLine
    offer: Offer
    nanpa_prefix: NanpaPrefixChoice | None = None

    @property
    def quantity(self) -> int:
        """How many numbers the line is for."""
        return self.line.request.quantity

    @property
    def total(self) -> Decimal:
        """What is due at once: setup and first month of all numbers, USD without VAT."""
        return (self.offer.setup_price + self.offer.monthly_price) * self.quantity


def pack(
    lines: Iterable[Buyable], *, batch: str | None = None, max_items: int = ITEMS_PER_ORDER
) -> Packing:
    """Pack the lines into as few orders as these rules allow, in the order of the lines.

    `batch`: a name that the orders' references begin with. `max_items`: most items of one order.
    Lines of different `fate`, or of which only one may be back-ordered, never share an order.
    Equal lines give equal orders with equal references. Raises InvalidInput for a bad `batch` or
    `max_items`.
    """
    if batch is not None:
        check_batch(batch)
    if type(max_items) is not int or max_items < 1:
        raise InvalidInput(f"max_items is a whole number from 1, not {max_items!r}")
    apart: dict[Hashable, _Items] = {}
    for line in lines:
        back = line.line.request.allow_back_ordering
        items = apart.setdefault((line.line.fate, back), _Items(allow_back_ordering=back))
        items.add(line)
    return Packing(
        orders=tuple(
            PackedOrder(
                reference=_reference(order, batch),
                items=order,
                allow_back_ordering=items.allow_back_ordering,
            )
            for items in apart.values()
            for order in _orders(items.packed(), max_items)
        )
    )


@attrs.define(kw_only=True)
class _Item:
    """An item that is being filled."""

    first: Buyable
    quantity: int = 0
    lines: list[Buyable] = attrs.field(factory=list)

    def add(self, line: Buyable) -> None:
        self.lines.append(line)
        self.quantity += line.quantity

    def packed(self) -> PackedItem:
        offer, prefix = self.first.offer, self.first.nanpa_prefix
        return PackedItem(
            sku_id=offer.sku_id,
            did_group_id=offer.did_group_id,
            nanpa_prefix_id=prefix.id if prefix else None,
            npanxx=f"{prefix.npa}{prefix.nxx}" if prefix else None,
            setup_price=offer.setup_price,
            monthly_price=offer.monthly_price,
            shares=tuple(
                Share(
                    identity=line.line.identity,
                    quantity=line.quantity,
                    asked=line.line.request.fingerprint,
                )
                for line in self.lines
            ),
        )


class _Items:
    """The items of lines that may share an order."""

    def __init__(self, *, allow_back_ordering: bool) -> None:
        self.allow_back_ordering = allow_back_ordering
        self._all: list[_Item] = []
        self._open: dict[Hashable, list[_Item]] = {}

    def add(self, line: Buyable) -> None:
        offer, prefix = line.offer, line.nanpa_prefix
        prices = (offer.setup_price, offer.monthly_price)
        key = (offer.sku_id, prefix.id if prefix else None, prices)
        there = self._open.setdefault(key, [])
        for item in there:
            if item.quantity + line.quantity <= MAX_ITEM_QUANTITY:
                item.add(line)
                break
        else:
            item = _Item(first=line)
            item.add(line)
            self._all.append(item)
            there.append(item)
        if item.quantity == MAX_ITEM_QUANTITY or len(there) > OPEN_ITEMS:
            there.remove(max(there, key=lambda each: each.quantity))

    def packed(self) -> Iterable[PackedItem]:
        return (item.packed() for item in self._all)


class _Order:
    """An order that is being filled."""

    def __init__(self) -> None:
        self.items: list[PackedItem] = []
        self._prefixes: dict[str, set[str | None]] = {}

    def takes(self, item: PackedItem) -> bool:
        """Whether the item's numbers could be told from all others of the order."""
        prefixes = self._prefixes.get(item.did_group_id, set())
        return not prefixes & {item.npanxx, None} and (item.npanxx is not None or not prefixes)

    def add(self, item: PackedItem) -> None:
        self.items.append(item)
        self._prefixes.setdefault(item.did_group_id, set()).add(item.npanxx)


def _orders(items: Iterable[PackedItem], max_items: int) -> list[tuple[PackedItem, ...]]:
    full: list[_Order] = []
    unfilled: list[_Order] = []
    for item in items:
        order = next((order for order in unfilled if order.takes(item)), None)
        if order is None:
            order = _Order()
            full.append(order)
            unfilled.append(order)
        order.add(item)
        if len(order.items) == max_items:
            unfilled.remove(order)
    return [tuple(order.items) for order in full]


def _reference(items: Sequence[PackedItem], batch: str | None) -> str:
    """The same for the same lines, so that a lost journal leaves a second guard: what was ordered
    under it is found again."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(f"{item.sku_id} {item.nanpa_prefix_id}\n".encode())
        for share in item.shares:
            digest.update(f"{share.identity} {share.quantity} {share.asked}\n".encode())
    return f"{batch or 'batch'}:{digest.hexdigest()[:24]}"

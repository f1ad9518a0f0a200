"""What the journal keeps of a batch: which line is in which item of which order (pure).

A packing is committed before its first order is claimed and reused word for word after a crash.
A line is one share of one item: it is never split, and belongs to one order at a time.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import attrs
from cattrs.preconf.json import make_converter

from didww_async import InvalidInput
from flows.journal.errors import JournalUnusable
from flows.journal.record import Limits, OrderRequest, RequestItem, check_reference

__all__ = [
    "MAX_ITEM_QUANTITY",
    "LineTaken",
    "PackedItem",
    "PackedOrder",
    "Packing",
    "Share",
    "read_packed",
]

T = TypeVar("T")
MAX_ITEM_QUANTITY = 1000  # of one order item: DIDWW takes no more


@attrs.frozen(kw_only=True)
class Share:
    """What one line gets of an item: `quantity` numbers.

    `identity`: the line's stable name. `asked`: the fingerprint of the line's request, so that a
    changed file does not pass for the one that was packed.
    """

    identity: str
    quantity: int
    asked: str

    def __attrs_post_init__(self) -> None:
        check_reference(self.identity)
        if type(self.quantity) is not int or self.quantity < 1:
            raise InvalidInput(f"a share is of at least 1 number, not {self.quantity!r}")


@attrs.frozen(kw_only=True)
class PackedItem:
    """One order item: numbers of one SKU (and NANPA prefix) for one or more lines.

    `npanxx`: the prefix's six digits, by which numbers are given to lines. Prices are per number,
    USD without VAT, as they were confirmed.
    """

    sku_id: str
    did_group_id: str
    nanpa_prefix_id: str | None = None
    npanxx: str | None = None
    setup_price: Decimal
    monthly_price: Decimal
    shares: tuple[Share, ...]

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.quantity <= MAX_ITEM_QUANTITY:
            raise InvalidInput(
                f"an order item is for 1 to {MAX_ITEM_QUANTITY} numbers, not {self.quantity}"
            )

    @property
    def quantity(self) -> int:
        """How many numbers the item is for: the sum of its shares."""
        return sum(share.quantity for share in self.shares)

    @property
    def price(self) -> Decimal:
        """What one number costs at once: setup and first month, USD without VAT."""
        return self.setup_price + self.monthly_price

    @property
    def total(self) -> Decimal:
        """What the item costs at once, USD without VAT."""
        return self.price * self.quantity


@attrs.frozen(kw_only=True)
class PackedOrder:
    """One order of a batch, to be sent under `reference`.

    Its items of one DID group have one SKU: numbers tell their group, not their SKU.
    """

    reference: str = attrs.field(validator=lambda _self, _field, found: check_reference(found))
    items: tuple[PackedItem, ...]
    allow_back_ordering: bool = False

    def __attrs_post_init__(self) -> None:
        lines = self.lines
        if not lines or len(set(lines)) < len(lines):
            raise InvalidInput(
                f"order {self.reference} needs items, and each line in one of them only"
            )
        skus = {(item.did_group_id, item.sku_id) for item in self.items}
        if len(skus) > len({item.did_group_id for item in self.items}):
            raise InvalidInput(
                f"order {self.reference} has two SKUs of one DID group; its numbers could not be "
                "told apart: put them into two orders"
            )

    @property
    def lines(self) -> tuple[str, ...]:
        """The identities of the lines in it."""
        return tuple(share.identity for item in self.items for share in item.shares)

    @property
    def request(self) -> OrderRequest:
        """What is sent to DIDWW."""
        return OrderRequest(
            items=tuple(
                RequestItem(
                    sku_id=item.sku_id,
                    did_group_id=item.did_group_id,
                    quantity=item.quantity,
                    nanpa_prefix_id=item.nanpa_prefix_id,
                )
                for item in self.items
            ),
            allow_back_ordering=self.allow_back_ordering,
        )

    @property
    def limits(self) -> Limits:
        """The prices that were confirmed: whoever has to resume the order pays no more."""
        return Limits(
            max_setup=max(item.setup_price for item in self.items),
            max_monthly=max(item.monthly_price for item in self.items),
            max_total=self.total,
        )

    @property
    def quantity(self) -> int:
        """How many numbers it is for."""
        return sum(item.quantity for item in self.items)

    @property
    def total(self) -> Decimal:
        """What it costs at once, USD without VAT."""
        return sum((item.total for item in self.items), start=Decimal(0))

    def share_of(self, identity: str) -> tuple[PackedItem, Share]:
        """A line's item and share. Raises KeyError when the line is not in this order."""
        for item in self.items:
            for share in item.shares:
                if share.identity == identity:
                    return item, share
        raise KeyError(identity)

    def to_json(self) -> str:
        """The order as JSON text."""
        return CONVERTER.dumps(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "PackedOrder":
        """Read what `to_json` wrote. Raises InvalidInput for anything else."""
        return _read(text, cls)


@attrs.frozen(kw_only=True)
class Packing:
    """The orders of a batch. Raises InvalidInput when a line or a reference is there twice."""

    orders: tuple[PackedOrder, ...]

    def __attrs_post_init__(self) -> None:
        for what, names in (
            ("line", [line for order in self.orders for line in order.lines]),
            ("order reference", [order.reference for order in self.orders]),
        ):
            if twice := _twice(names):
                raise InvalidInput(f"the {what} {twice!r} is in the packing twice")

    def __iter__(self) -> Iterator[PackedOrder]:
        return iter(self.orders)

    def __len__(self) -> int:
        return len(self.orders)

    @property
    def total(self) -> Decimal:
        """What all of it costs at once, USD without VAT."""
        return sum((order.total for order in self.orders), start=Decimal(0))

    def to_json(self) -> str:
        """The packing as JSON text."""
        return CONVERTER.dumps(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Packing":
        """Read what `to_json` wrote. Raises InvalidInput for anything else."""
        return _read(text, cls)


class LineTaken(Exception):
    """A line is not where it was thought to be: somebody else packed it meanwhile."""


def read_packed(reference: str, details: str) -> PackedOrder:
    """A journal's own order. Raises JournalUnusable when this version can't read it."""
    try:
        return PackedOrder.from_json(details)
    except InvalidInput as problem:
        why = str(problem)
    raise JournalUnusable(
        f"the packed order {reference} can't be read: {why}. It is damaged, or a newer version of "
        "this library wrote it. Upgrade before you go on"
    )


def _twice(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _exactly(found: Any, kind: type) -> Any:
    if type(found) is not kind:
        raise TypeError(f"{found!r} is no {kind.__name__}")
    return found


def _price(found: Any, _: type) -> Decimal:
    price = Decimal(_exactly(found, str))
    if not price.is_finite() or price < 0:
        raise ValueError(f"{found!r} is no price")
    return price


CONVERTER = make_converter(forbid_extra_keys=True, detailed_validation=False)
CONVERTER.register_unstructure_hook(Decimal, str)
CONVERTER.register_structure_hook(Decimal, _price)
for _kind in (str, int, bool):
    CONVERTER.register_structure_hook(_kind, _exactly)


def _read(text: str | bytes, kind: type[T]) -> T:
    try:
        return CONVERTER.loads(text, kind)
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with it, it is no packing
        why = f"{type(problem).__name__}: {problem}"
    raise InvalidInput(f"this is not a packing that was written here ({why})")

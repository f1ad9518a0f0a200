"""Orders: what was bought, for how much, and how far it is.

Source: doc.didww.com/api3, orders; seed document 000, step 4.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import Nested, Resource, UnknownNested, attribute, value
from didww_async.resources.inputs import CallbackMethod, Input, check_range
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

__all__ = [
    "AvailableDidOrderItem",
    "CallbackMethod",
    "CapacityOrderItem",
    "CapacityOrderLine",
    "DidOrderItem",
    "DidOrderLine",
    "EmergencyOrderLine",
    "GenericOrderLine",
    "NewOrderItem",
    "Order",
    "OrderCreate",
    "OrderFilter",
    "OrderItem",
    "OrderSort",
    "OrderStatus",
    "OrderUpdate",
    "ReservedDidOrderItem",
]


class OrderStatus(OpenEnum):
    """How far an order is; completed and canceled are final."""

    PENDING = "pending"
    COMPLETED = "completed"
    CANCELED = "canceled"


@value
class _OrderLine(Nested):
    """What every item of an order's reply has. `nrc` and `mrc` are per unit, VAT included."""

    qty: int = attribute()
    nrc: Decimal = attribute()
    mrc: Decimal = attribute()
    prorated_mrc: bool = attribute()
    billed_from: dt.date | None = attribute()
    billed_to: dt.date | None = attribute()


@value
class DidOrderLine(_OrderLine):
    """Ordered DIDs of one DID group. The API does not say which SKU or NANPA prefix it was."""

    type: ClassVar[str] = "did_order_items"

    did_group_id: str | None = attribute()
    setup_price: Decimal = attribute()
    monthly_price: Decimal = attribute()


@value
class CapacityOrderLine(_OrderLine):
    """Ordered channels of a capacity pool."""

    type: ClassVar[str] = "capacity_order_items"

    capacity_pool_id: str | None = attribute()


@value
class EmergencyOrderLine(_OrderLine):
    """An emergency calling service; the API creates these by itself."""

    type: ClassVar[str] = "emergency_order_items"

    emergency_calling_service_id: str | None = attribute()


@value
class GenericOrderLine(_OrderLine):
    """Something else DIDWW put on an order."""

    type: ClassVar[str] = "generic_order_items"


OrderItem: TypeAlias = (
    DidOrderLine | CapacityOrderLine | EmergencyOrderLine | GenericOrderLine | UnknownNested
)


@value
class Order(Resource):
    """An order of numbers or channels. `amount` includes VAT.

    The numbers are not in it: read dids by `order.id`.
    """

    type: ClassVar[str] = "orders"
    walk_by: ClassVar[str | None] = "created_at,reference"

    reference: str = attribute()
    description: str = attribute()
    amount: Decimal = attribute()
    status: OrderStatus = attribute()
    created_at: dt.datetime = attribute()
    callback_url: str | None = attribute()
    callback_method: CallbackMethod | None = attribute()
    external_reference_id: str | None = attribute()
    items: tuple[OrderItem, ...] = attribute()


def _check_sku(sku_id: str, cycles: int | None | Unset) -> None:
    if not sku_id:
        raise InvalidInput("sku_id is empty; take it from a DID group's stock_keeping_units")
    if cycles is not UNSET:
        check_range("billing_cycles_count", cycles, 0, 999)


@value
class DidOrderItem(Nested):
    """Buy `qty` (1 to 1000) numbers of a SKU; `nanpa_prefix_id` restricts them to NPA/NXX."""

    type: ClassVar[str] = "did_order_items"

    sku_id: str
    qty: int = 1
    nanpa_prefix_id: str | Unset = UNSET
    billing_cycles_count: int | None | Unset = UNSET

    def __attrs_post_init__(self) -> None:
        _check_sku(self.sku_id, self.billing_cycles_count)
        if not isinstance(self.qty, int) or not 1 <= self.qty <= 1000:
            raise InvalidInput(f"qty is a whole number from 1 to 1000, not {self.qty!r}")


@value
class AvailableDidOrderItem(Nested):
    """Buy one specific available DID."""

    type: ClassVar[str] = "did_order_items"

    sku_id: str
    available_did_id: str
    billing_cycles_count: int | None | Unset = UNSET

    def __attrs_post_init__(self) -> None:
        _check_sku(self.sku_id, self.billing_cycles_count)
        if not self.available_did_id:
            raise InvalidInput("available_did_id is empty")


@value
class ReservedDidOrderItem(Nested):
    """Buy the DID that a reservation holds."""

    type: ClassVar[str] = "did_order_items"

    sku_id: str
    did_reservation_id: str
    billing_cycles_count: int | None | Unset = UNSET

    def __attrs_post_init__(self) -> None:
        _check_sku(self.sku_id, self.billing_cycles_count)
        if not self.did_reservation_id:
            raise InvalidInput("did_reservation_id is empty")


@value
class CapacityOrderItem(Nested):
    """Buy `qty` channels (1 or more) of a capacity pool."""

    type: ClassVar[str] = "capacity_order_items"

    capacity_pool_id: str
    qty: int

    def __attrs_post_init__(self) -> None:
        if not self.capacity_pool_id:
            raise InvalidInput("capacity_pool_id is empty")
        if not isinstance(self.qty, int) or self.qty < 1:
            raise InvalidInput(f"qty is a whole number, 1 or more, not {self.qty!r}")


NewOrderItem: TypeAlias = (
    DidOrderItem | AvailableDidOrderItem | ReservedDidOrderItem | CapacityOrderItem
)


@value
class OrderCreate(Input):
    """What POST /orders takes.

    `items`: one or more, all DIDs or all capacity. `allow_back_ordering` is always sent: the API
    takes true when it is left out, which may buy numbers that are not in stock.
    `external_reference_id` (at most 100 characters, API 2026-04-16 and later) finds the order
    again; it does not keep a repeated POST from buying twice.
    """

    type: ClassVar[str] = "orders"

    items: Sequence[NewOrderItem]
    allow_back_ordering: bool = False
    callback_url: str | Unset = UNSET
    callback_method: CallbackMethod | Literal["get", "post"] | Unset = UNSET
    external_reference_id: str | Unset = UNSET

    def _check(self) -> None:
        if not self.items:
            raise InvalidInput("items is empty: an order needs at least one item")
        if len(self.items) > 1 and len({item.type for item in self.items}) > 1:
            raise InvalidInput("items can't mix DIDs and capacity in one order: place two orders")


@value
class OrderUpdate(Input):
    """What PATCH /orders/{id} takes: the external reference only (API 2026-04-16 and later)."""

    type: ClassVar[str] = "orders"

    external_reference_id: str


class OrderFilter(TypedDict, total=False):
    """Filters of GET /orders; `external_reference_id` is exact (API 2026-04-16 and later)."""

    id: FilterValue
    status: FilterValue
    reference: FilterValue
    external_reference_id: FilterValue
    created_at_gteq: FilterValue
    created_at_lteq: FilterValue


OrderSort = Literal[
    "amount",
    "-amount",
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "reference",
    "-reference",
    "status",
    "-status",
]

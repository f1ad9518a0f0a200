"""What the account owns and does: frozen values; a change is a new value in the world's tables."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import attrs


@attrs.frozen
class AvailableDid:
    """One number in stock that has been shown, and so can be reserved or ordered by its id."""

    id: str
    number: str
    group_id: str
    prefix_id: str | None


@attrs.frozen
class Reservation:
    """A hold on an available DID."""

    id: str
    available_did: AvailableDid
    description: str | None
    created_at: datetime
    expires_at: datetime


@attrs.frozen(kw_only=True)
class Item:
    """What all items of orders have: `nrc` is paid once, `mrc` every month, for each of `qty`."""

    qty: int
    nrc: Decimal
    mrc: Decimal
    billed_from: date | None = None
    billed_to: date | None = None


@attrs.frozen(kw_only=True)
class OrderItem(Item):
    """Numbers. `taken` counts what was taken from stock by prefix id; `missing` is back-ordered."""

    sku_id: str
    group_id: str
    channels_included_count: int
    prefix_id: str | None = None
    billing_cycles_count: int | None = None
    available_did: AvailableDid | None = None
    reservation_id: str | None = None
    taken: tuple[tuple[str, int], ...] = ()
    missing: int = 0


@attrs.frozen(kw_only=True)
class CapacityItem(Item):
    """Channels of a capacity pool."""

    capacity_pool_id: str


@attrs.frozen(kw_only=True)
class EmergencyItem(Item):
    """An emergency calling service."""

    emergency_calling_service_id: str


@attrs.frozen(kw_only=True)
class Order:
    """An order. `status` is pending, completed or canceled, whatever a version calls it."""

    id: str
    reference: str
    description: str
    status: str
    amount: Decimal
    items: tuple[Item, ...]
    reply_order: tuple[int, ...]
    created_at: datetime
    listed_from: datetime
    version: str
    allow_back_ordering: bool
    external_reference_id: str | None
    callback_url: str | None
    callback_method: str | None

    type: ClassVar[str] = "orders"

    def callback_details(self) -> dict[str, str]:
        return {}

    @property
    def did_items(self) -> tuple[OrderItem, ...]:
        return tuple(item for item in self.items if isinstance(item, OrderItem))

    @property
    def back_ordered(self) -> bool:
        return any(item.missing for item in self.did_items)

    @property
    def qty(self) -> int:
        return sum(item.qty for item in self.items)


@attrs.frozen(kw_only=True)
class Did:
    """A number of the account."""

    id: str
    number: str
    order_id: str
    group_id: str
    sku_id: str
    prefix_id: str | None
    created_at: datetime
    expires_at: datetime
    awaiting_registration: bool
    channels_included_count: int
    billing_cycles_count: int | None
    description: str | None = None
    blocked: bool = False
    terminated: bool = False
    capacity_limit: int | None = None
    dedicated_channels_count: int = 0
    emergency_enabled: bool = False
    address_verification_id: str | None = None
    voice_in_trunk_id: str | None = None
    voice_in_trunk_group_id: str | None = None
    capacity_pool_id: str | None = None
    shared_capacity_group_id: str | None = None
    emergency_calling_service_id: str | None = None


@attrs.frozen
class Balance:
    id: str
    balance: Decimal
    credit: Decimal

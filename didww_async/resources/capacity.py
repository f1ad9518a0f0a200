"""Capacity: bought channels in pools, and groups of DIDs that share them.

A channel is one simultaneous call. Prices are USD per channel without VAT.
Source: doc.didww.com/api3, capacity_pools, shared_capacity_groups.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict

from didww_async.resources.base import (
    Resource,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.inputs import Input
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.coverage import Country
    from didww_async.resources.numbers import Did

__all__ = [
    "CapacityPool",
    "CapacityPoolFilter",
    "CapacityPoolInclude",
    "CapacityPoolSort",
    "CapacityPoolUpdate",
    "QtyBasedPricing",
    "SharedCapacityGroup",
    "SharedCapacityGroupCreate",
    "SharedCapacityGroupFilter",
    "SharedCapacityGroupInclude",
    "SharedCapacityGroupSort",
    "SharedCapacityGroupUpdate",
]


@value
class CapacityPool(Resource):
    """A pool of bought channels, for DIDs of its `countries`.

    More channels are bought with an order (`CapacityOrderItem`), `minimum_qty_per_order` or more
    at a time. `metered_rate` is per minute.
    """

    type: ClassVar[str] = "capacity_pools"
    walk_by: ClassVar[str | None] = "name"

    name: str = attribute()
    renew_date: dt.date = attribute()
    total_channels_count: int = attribute()
    assigned_channels_count: int = attribute()
    minimum_limit: int = attribute()
    minimum_qty_per_order: int = attribute()
    setup_price: Decimal = attribute()
    monthly_price: Decimal = attribute()
    metered_rate: Decimal = attribute()
    countries: "tuple[Country, ...]" = relationship()
    shared_capacity_groups: "tuple[SharedCapacityGroup, ...]" = relationship()
    qty_based_pricings: "tuple[QtyBasedPricing, ...]" = relationship()


@value
class CapacityPoolUpdate(Input):
    """What PATCH /capacity_pools/{id} takes: fewer channels than now, to stop paying for them.

    The API refuses an increase, and less than `assigned_channels_count` or `minimum_limit`.
    """

    type: ClassVar[str] = "capacity_pools"

    total_channels_count: int


CapacityPoolFilter = TypedDict(
    "CapacityPoolFilter",
    {
        "id": FilterValue,
        "country.id": FilterValue,
        "has_unassigned_channels": bool,
        "name": FilterValue,
    },
    total=False,
)
CapacityPoolSort = Literal[
    "assigned_channels_count",
    "-assigned_channels_count",
    "metered_rate",
    "-metered_rate",
    "minimum_limit",
    "-minimum_limit",
    "minimum_qty_per_order",
    "-minimum_qty_per_order",
    "monthly_price",
    "-monthly_price",
    "name",
    "-name",
    "renew_date",
    "-renew_date",
    "setup_price",
    "-setup_price",
    "total_channels_count",
    "-total_channels_count",
]
CapacityPoolInclude = Literal[
    "countries",
    "shared_capacity_groups",
    "qty_based_pricings",
    "shared_capacity_groups.dids",
]


@value
class QtyBasedPricing(Resource):
    """The price of a pool's channels from `qty` on; comes as an included resource only."""

    type: ClassVar[str] = "qty_based_pricings"

    qty: int = attribute()
    setup_price: Decimal = attribute()
    monthly_price: Decimal = attribute()


@value
class SharedCapacityGroup(Resource):
    """DIDs that share channels of a pool.

    `metered_channels_count`: calls beyond the shared channels, billed per minute; None: no such
    calls.
    """

    type: ClassVar[str] = "shared_capacity_groups"
    walk_by: ClassVar[str | None] = "created_at,name"

    name: str = attribute()
    shared_channels_count: int = attribute()
    metered_channels_count: int | None = attribute()
    external_reference_id: str | None = attribute()
    created_at: dt.datetime = attribute()
    capacity_pool: CapacityPool | None = relationship()
    dids: "tuple[Did, ...]" = relationship()


@value
class SharedCapacityGroupCreate(Input):
    """What POST /shared_capacity_groups takes.

    `shared_channels_count`: at most the channels of the pool that no group has yet.
    """

    type: ClassVar[str] = "shared_capacity_groups"

    name: str
    capacity_pool: str = required_relationship("capacity_pools")
    shared_channels_count: int | Unset = UNSET
    metered_channels_count: int | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    dids: Sequence[str] | Unset = relationship("dids")


@value
class SharedCapacityGroupUpdate(Input):
    """What PATCH /shared_capacity_groups/{id} takes; `dids` replaces the whole set."""

    type: ClassVar[str] = "shared_capacity_groups"

    name: str | Unset = UNSET
    shared_channels_count: int | Unset = UNSET
    metered_channels_count: int | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    capacity_pool: str | Unset = relationship("capacity_pools")
    dids: Sequence[str] | Unset = relationship("dids")


SharedCapacityGroupFilter = TypedDict(
    "SharedCapacityGroupFilter",
    {
        "id": FilterValue,
        "capacity_pool.id": FilterValue,
        "external_reference_id": FilterValue,
        "name": FilterValue,
    },
    total=False,
)
SharedCapacityGroupSort = Literal[
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "metered_channels_count",
    "-metered_channels_count",
    "name",
    "-name",
    "shared_channels_count",
    "-shared_channels_count",
]
SharedCapacityGroupInclude = Literal[
    "capacity_pool",
    "dids",
    "dids.did_group",
    "capacity_pool.countries",
]

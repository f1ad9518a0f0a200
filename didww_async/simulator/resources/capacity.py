"""Capacity pools and shared capacity groups."""

from didww_async.simulator import capacity
from didww_async.simulator.filters import flag, texts
from didww_async.simulator.inputs import (
    creating,
    field,
    link,
    links,
    reference,
    text,
    updating,
    whole,
)
from didww_async.simulator.resources import links as to
from didww_async.simulator.resources.columns import (
    CREATED_AT,
    OWN_REFERENCE,
    OWN_REFERENCE_FILTER,
    OWN_REFERENCE_SORT,
    columns,
    exact,
    sorts,
    to_one,
    written,
)
from didww_async.simulator.schema import Attribute, Input, Relationship, Resource, Sort, column
from didww_async.simulator.text import decimal_text
from didww_async.simulator.versions import V2026

_RELEASE = (field("total_channels_count", whole()),)
_COUNTS = ("total_channels_count", "minimum_limit", "minimum_qty_per_order")
_PRICES = ("setup_price", "monthly_price", "metered_rate")

CAPACITY_POOLS = Resource(
    type="capacity_pools",
    path="capacity_pools",
    table=lambda world: world.owned.capacity_pools,
    update=updating(_RELEASE, capacity.release_channels),
    updates=_RELEASE,
    attributes=(
        *columns("name"),
        written("renew_date", str),
        *columns(*_COUNTS),
        Attribute(
            "assigned_channels_count", read=lambda world, row: capacity.assigned(world, row.id)
        ),
        *(written(name, decimal_text) for name in _PRICES),
    ),
    relationships=(
        Relationship(
            "countries",
            type="countries",
            many=True,
            read=lambda world, row: [world.atlas.countries[key] for key in row.country_ids],
        ),
        Relationship(
            "shared_capacity_groups",
            type="shared_capacity_groups",
            many=True,
            read=lambda world, row: capacity.groups_of(world, row.id),
        ),
        Relationship(
            "qty_based_pricings",
            type="qty_based_pricings",
            many=True,
            read=lambda _world, row: row.pricings,
        ),
    ),
    filters=(
        *exact("id", "name"),
        texts("country.id", column("country_ids")),
        flag("has_unassigned_channels", lambda world, row: capacity.unassigned(world, row.id) > 0),
    ),
    sorts=(
        *sorts("name", "renew_date", *_COUNTS, *_PRICES),
        Sort("assigned_channels_count", read=lambda world, row: capacity.assigned(world, row.id)),
    ),
)

QTY_BASED_PRICINGS = Resource(
    type="qty_based_pricings",
    attributes=(
        *columns("qty"),
        written("setup_price", decimal_text),
        written("monthly_price", decimal_text),
    ),
)


def _group_inputs(*, required: bool) -> tuple[Input, ...]:
    return (
        field("name", text, required=required),
        field("shared_channels_count", whole()),
        field("metered_channels_count", whole(), nullable=True),
        field("external_reference_id", reference, nullable=True, since=V2026),
        link("capacity_pool", to.CAPACITY_POOLS, required=required),
        links("dids", to.DIDS),
    )


SHARED_CAPACITY_GROUPS = Resource(
    type="shared_capacity_groups",
    path="shared_capacity_groups",
    table=lambda world: world.owned.shared_capacity_groups,
    create=creating(_group_inputs(required=True), capacity.make_group),
    update=updating(_group_inputs(required=False), capacity.change_group),
    delete=capacity.delete_group,
    creates=_group_inputs(required=True),
    updates=_group_inputs(required=False),
    attributes=(
        *columns("name", "shared_channels_count", "metered_channels_count"),
        OWN_REFERENCE,
        CREATED_AT,
    ),
    relationships=(
        to_one("capacity_pool", "capacity_pools", lambda world: world.owned.capacity_pools),
        Relationship("dids", type="dids", many=True, read=capacity.dids_of),
    ),
    filters=(*exact("id", "name", "capacity_pool.id"), OWN_REFERENCE_FILTER),
    sorts=(
        *sorts("created_at", "name", "shared_channels_count", "metered_channels_count"),
        OWN_REFERENCE_SORT,
    ),
)

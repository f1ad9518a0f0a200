"""Capacity: pools of bought channels, and how numbers and groups share them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from didww_async.simulator.atlas import Atlas
from didww_async.simulator.coverage import CountryRow
from didww_async.simulator.errors import unprocessable
from didww_async.simulator.inputs import Values
from didww_async.simulator.records import Did
from didww_async.simulator.regulation import named_id

if TYPE_CHECKING:
    from didww_async.simulator.world import World

_ZONES = (
    ("North America", "1", "15.0", "0.0"),
    ("Europe", "34", "20.0", "0.0"),
    ("Rest of World", "256789", "30.0", "5.0"),
)
"""A pool's name, the first digits of its countries' prefixes, its monthly and its setup price."""


@attrs.frozen
class QtyBasedPricing:
    """What a channel costs from a quantity on."""

    id: str
    qty: int
    setup_price: Decimal
    monthly_price: Decimal


@attrs.frozen(kw_only=True)
class CapacityPool:
    id: str
    name: str
    country_ids: tuple[str, ...]
    renew_date: date
    setup_price: Decimal
    monthly_price: Decimal
    metered_rate: Decimal
    pricings: tuple[QtyBasedPricing, ...]
    total_channels_count: int = 0
    minimum_limit: int = 0
    minimum_qty_per_order: int = 1

    def price_of(self, qty: int) -> tuple[Decimal, Decimal]:
        """The setup and the monthly price of a channel, when so many are bought."""
        for pricing in reversed(self.pricings):
            if qty >= pricing.qty:
                return pricing.setup_price, pricing.monthly_price
        return self.setup_price, self.monthly_price


@attrs.frozen(kw_only=True)
class SharedCapacityGroup:
    """Channels of a pool that several numbers share. Each `Did` says which group it is in."""

    id: str
    created_at: datetime
    name: str
    capacity_pool_id: str
    shared_channels_count: int = 0
    metered_channels_count: int | None = None
    external_reference_id: str | None = None


# Pools


def first_pools(atlas: Atlas, today: date) -> dict[str, CapacityPool]:
    """The pools of a new account, without channels."""
    renewed = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    pools = {}
    for name, starts, monthly, setup in _ZONES:
        countries = [row for row in atlas.coverage.countries if _is_in_zone(row, starts)]
        if countries:
            pool = CapacityPool(
                id=named_id(f"capacity_pool/{name}"),
                name=name,
                country_ids=tuple(row.id for row in countries),
                renew_date=renewed,
                setup_price=Decimal(setup),
                monthly_price=Decimal(monthly),
                metered_rate=Decimal("0.01"),
                pricings=tuple(
                    QtyBasedPricing(
                        named_id(f"qty_based_pricing/{name}/{qty}"),
                        qty,
                        Decimal(setup),
                        Decimal(monthly) * share,
                    )
                    for qty, share in ((10, Decimal("0.9")), (100, Decimal("0.8")))
                ),
            )
            pools[pool.id] = pool
    return pools


def _is_in_zone(country: CountryRow, starts: str) -> bool:
    return country.prefix is not None and country.prefix[0] in starts


def assigned(world: "World", pool_id: str) -> int:
    """How many channels of a pool are in use: by numbers alone and by groups."""
    dedicated = sum(
        did.dedicated_channels_count
        for did in world.dids.values()
        if did.capacity_pool_id == pool_id
    )
    shared = sum(group.shared_channels_count for group in groups_of(world, pool_id))
    return dedicated + shared


def groups_of(world: "World", pool_id: str) -> list[SharedCapacityGroup]:
    return [
        group
        for group in world.owned.shared_capacity_groups.values()
        if group.capacity_pool_id == pool_id
    ]


def unassigned(world: "World", pool_id: str) -> int:
    return world.owned.capacity_pools[pool_id].total_channels_count - assigned(world, pool_id)


def release_channels(world: "World", pool: CapacityPool, values: Values) -> CapacityPool:
    """Carry out PATCH /capacity_pools/{id}, which can only make a pool smaller."""
    count = values.get("total_channels_count", pool.total_channels_count)
    pointer = "/data/attributes/total_channels_count"
    if values and count >= pool.total_channels_count:
        raise unprocessable(pointer, f"must be less than {pool.total_channels_count}")
    least = max(assigned(world, pool.id), pool.minimum_limit)
    if values and count < least:
        raise unprocessable(pointer, f"must be greater than or equal to {least}")
    return _kept(world, attrs.evolve(pool, total_channels_count=count))


def add_channels(world: "World", pool_id: str, qty: int) -> None:
    """Add the channels of a completed order."""
    pool = world.owned.capacity_pools[pool_id]
    _kept(world, attrs.evolve(pool, total_channels_count=pool.total_channels_count + qty))


def _kept(world: "World", pool: CapacityPool) -> CapacityPool:
    world.owned.capacity_pools[pool.id] = pool
    return pool


# Shared capacity groups


def make_group(world: "World", values: Values) -> SharedCapacityGroup:
    did_ids = values.pop("dids_ids", ())
    group = SharedCapacityGroup(id=world.new_id(), created_at=world.now(), **values)
    _check_share(world, group, held=0)
    _check_dids(world, group, did_ids)
    return _kept_with_dids(world, group, did_ids)


def change_group(world: "World", group: SharedCapacityGroup, values: Values) -> SharedCapacityGroup:
    did_ids = values.pop("dids_ids", None)
    if did_ids is None:
        did_ids = tuple(did.id for did in dids_of(world, group))
    changed = attrs.evolve(group, **values)
    stays = changed.capacity_pool_id == group.capacity_pool_id
    _check_share(world, changed, held=group.shared_channels_count if stays else 0)
    _check_dids(world, changed, did_ids)
    return _kept_with_dids(world, changed, did_ids)


def delete_group(world: "World", group: SharedCapacityGroup) -> None:
    """Delete a group: its channels are free again, its numbers are in none."""
    for did in dids_of(world, group):
        world.keep_did(attrs.evolve(did, shared_capacity_group_id=None))
    del world.owned.shared_capacity_groups[group.id]


def dids_of(world: "World", group: SharedCapacityGroup) -> list[Did]:
    return [did for did in world.dids.values() if did.shared_capacity_group_id == group.id]


def _check_share(world: "World", group: SharedCapacityGroup, *, held: int) -> None:
    free = unassigned(world, group.capacity_pool_id) + held
    if group.shared_channels_count > free:
        raise unprocessable(
            "/data/attributes/shared_channels_count", f"must be less than or equal to {free}"
        )


def _check_dids(world: "World", group: SharedCapacityGroup, did_ids: Sequence[str]) -> None:
    for did_id in did_ids:
        if not _covers(world, group.capacity_pool_id, world.dids[did_id]):
            raise unprocessable("/data/relationships/dids", "country is not in the capacity pool")


def _kept_with_dids(
    world: "World", group: SharedCapacityGroup, did_ids: Sequence[str]
) -> SharedCapacityGroup:
    world.owned.shared_capacity_groups[group.id] = group
    for did in dids_of(world, group):
        if did.id not in did_ids:
            world.keep_did(attrs.evolve(did, shared_capacity_group_id=None))
    for did_id in did_ids:
        did = world.dids[did_id]
        if did.capacity_pool_id != group.capacity_pool_id:
            # Its own channels are of another pool.
            did = attrs.evolve(did, dedicated_channels_count=0)
        world.keep_did(
            attrs.evolve(
                did,
                shared_capacity_group_id=group.id,
                capacity_pool_id=group.capacity_pool_id,
            )
        )
    return group


# Numbers


def link_did(world: "World", did: Did, values: Values) -> Did:
    """Give a number channels of its own, or a place in a group."""
    changed = _with_group(world, _with_pool(world, did, values), values)
    changed = attrs.evolve(
        changed,
        dedicated_channels_count=values.get(
            "dedicated_channels_count", changed.dedicated_channels_count
        ),
    )
    _check_dedicated(world, did, changed)
    return changed


def _with_pool(world: "World", did: Did, values: Values) -> Did:
    if "capacity_pool_id" not in values:
        return did
    pool_id = values["capacity_pool_id"]
    if pool_id is None:
        return attrs.evolve(
            did,
            capacity_pool_id=None,
            shared_capacity_group_id=None,
            dedicated_channels_count=0,
        )
    if not _covers(world, pool_id, did):
        raise unprocessable("/data/relationships/capacity_pool", "does not cover the country")
    group = world.owned.shared_capacity_groups.get(did.shared_capacity_group_id or "")
    if group is not None and group.capacity_pool_id != pool_id:
        did = attrs.evolve(did, shared_capacity_group_id=None)
    return attrs.evolve(did, capacity_pool_id=pool_id)


def _with_group(world: "World", did: Did, values: Values) -> Did:
    if "shared_capacity_group_id" not in values:
        return did
    group_id = values["shared_capacity_group_id"]
    if group_id is None:
        return attrs.evolve(did, shared_capacity_group_id=None)
    group = world.owned.shared_capacity_groups[group_id]
    pointer = "/data/relationships/shared_capacity_group"
    if values.get("capacity_pool_id") not in {None, group.capacity_pool_id}:
        raise unprocessable(pointer, "is not of the capacity pool")
    if not _covers(world, group.capacity_pool_id, did):
        raise unprocessable(pointer, "does not cover the country")
    return attrs.evolve(
        did, shared_capacity_group_id=group.id, capacity_pool_id=group.capacity_pool_id
    )


def _check_dedicated(world: "World", before: Did, after: Did) -> None:
    wanted = after.dedicated_channels_count
    pointer = "/data/attributes/dedicated_channels_count"
    moved = before.capacity_pool_id != after.capacity_pool_id
    if not wanted or (wanted == before.dedicated_channels_count and not moved):
        return
    if not world.atlas.groups[after.group_id].allow_additional_channels:
        raise unprocessable(pointer, "can't be added to this DID")
    if after.capacity_pool_id is None:
        raise unprocessable("/data/relationships/capacity_pool", "can't be blank")
    held = 0 if moved else before.dedicated_channels_count
    free = unassigned(world, after.capacity_pool_id) + held
    if wanted > free:
        raise unprocessable(pointer, f"must be less than or equal to {free}")


def _covers(world: "World", pool_id: str, did: Did) -> bool:
    country_id = world.atlas.groups[did.group_id].country_id
    pools: Mapping[str, CapacityPool] = world.owned.capacity_pools
    return country_id in pools[pool_id].country_ids

"""The account's numbers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.coverage import GroupRow
from didww_async.simulator.errors import Problem, RefusedError, invalid, unprocessable
from didww_async.simulator.records import Did
from didww_async.simulator.resources.features import FEATURES, OLD_FEATURES
from didww_async.simulator.schema import (
    Attribute,
    Filter,
    Input,
    Relationship,
    Resource,
    Sort,
    column,
    flag,
    nothing,
    texts,
)
from didww_async.simulator.text import time_text
from didww_async.simulator.versions import V2022, V2026

if TYPE_CHECKING:
    from didww_async.simulator.world import World

_LINKED = {
    "capacity_pool": "capacity_pools",
    "shared_capacity_group": "shared_capacity_groups",
    "address_verification": "address_verifications",
    "voice_in_trunk": "voice_in_trunks",
    "voice_in_trunk_group": "voice_in_trunk_groups",
}
_LINKED_SINCE_2026 = {
    "emergency_calling_service": "emergency_calling_services",
    "emergency_verification": "emergency_verifications",
    "identity": "identities",
}


def _group(world: "World", did: Did) -> GroupRow:
    return world.atlas.groups[did.group_id]


def _cycles(_world: "World", did: Did) -> str | None:
    return None if did.billing_cycles_count is None else str(did.billing_cycles_count)


def _unlinked(name: str, *, since: str | None = None) -> Filter:
    """A filter by something that no number is linked to."""
    return texts(name, nothing, since=since)


def _update(world: "World", did: Did, data: Mapping[str, Any], _version: str) -> Did:
    """Carry out PATCH /dids/{id}."""
    attributes = data.get("attributes", {})
    problems = [
        problem
        for name, value in attributes.items()
        if (problem := _problem_with(name, value)) is not None
    ]
    for name, relationship in data.get("relationships", {}).items():
        if not isinstance(relationship, dict) or relationship.get("data") is not None:
            problems.append(invalid(f"/data/relationships/{name}", "must exist"))
    if problems:
        raise RefusedError(422, *problems)
    if did.blocked:
        raise unprocessable("/data/attributes/base", "DID is blocked")
    changed = attrs.evolve(did, **attributes)
    world.keep_did(changed)
    return changed


def _problem_with(name: str, value: Any) -> Problem | None:
    pointer = f"/data/attributes/{name}"
    if name == "terminated":
        return None if isinstance(value, bool) else invalid(pointer, "is invalid")
    if name == "description":
        return None if value is None or isinstance(value, str) else invalid(pointer, "is invalid")
    if value is None and name != "dedicated_channels_count":
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        return invalid(pointer, "is not a number")
    return None if value >= 0 else invalid(pointer, "must be greater than or equal to 0")


DIDS = Resource(
    type="dids",
    path="dids",
    all=lambda world: list(world.dids.values()),
    find=lambda world, record_id: world.dids.get(record_id),
    update=_update,
    attributes=(
        Attribute("number", read=column("number")),
        Attribute("description", read=column("description")),
        Attribute("blocked", read=column("blocked")),
        Attribute("awaiting_registration", read=column("awaiting_registration")),
        Attribute("terminated", read=column("terminated")),
        Attribute("emergency_enabled", read=column("emergency_enabled"), since=V2026),
        Attribute("capacity_limit", read=column("capacity_limit")),
        Attribute("channels_included_count", read=column("channels_included_count")),
        Attribute("dedicated_channels_count", read=column("dedicated_channels_count")),
        Attribute("billing_cycles_count", read=column("billing_cycles_count")),
        Attribute("created_at", read=lambda _world, did: time_text(did.created_at)),
        Attribute("expires_at", read=lambda _world, did: time_text(did.expires_at)),
    ),
    relationships=(
        Relationship("did_group", type="did_groups", read=_group),
        Relationship(
            "order", type="orders", read=lambda world, did: world.orders.get(did.order_id)
        ),
        *(Relationship(name, type=kind, read=nothing) for name, kind in _LINKED.items()),
        *(
            Relationship(name, type=kind, read=nothing, since=V2026)
            for name, kind in _LINKED_SINCE_2026.items()
        ),
    ),
    filters=(
        texts("id", column("id")),
        texts("number", column("number")),
        texts("description", column("description")),
        texts("order.id", column("order_id"), index=lambda world: world.dids_by_order),
        texts("order.reference", lambda world, did: world.orders[did.order_id].reference),
        texts("did_group.id", column("group_id")),
        texts(
            "did_group.features",
            lambda world, did: _group(world, did).features,
            every=True,
            allowed=OLD_FEATURES,
            until=V2022,
        ),
        texts(
            "did_group.features",
            lambda world, did: _group(world, did).features,
            every=True,
            allowed=FEATURES,
            since=V2026,
        ),
        texts("country.id", lambda world, did: _group(world, did).country_id),
        texts("region.id", lambda world, did: _group(world, did).region_id),
        texts("city.id", lambda world, did: _group(world, did).city_id),
        texts("billing_cycles_count", _cycles),
        flag("awaiting_registration", column("awaiting_registration")),
        flag("blocked", column("blocked")),
        flag("terminated", column("terminated")),
        flag("pending_removal", lambda _world, did: did.billing_cycles_count == 0),
        flag("emergency_enabled", column("emergency_enabled"), since=V2026),
        *(_unlinked(f"{name}.id") for name in _LINKED),
        _unlinked("trunk.id"),
        _unlinked("trunk_group.id"),
        _unlinked("emergency_calling_service.id", since=V2026),
    ),
    sorts=tuple(
        Sort(name, read=column(name))
        for name in (
            "awaiting_registration",
            "billing_cycles_count",
            "blocked",
            "capacity_limit",
            "channels_included_count",
            "created_at",
            "dedicated_channels_count",
            "description",
            "expires_at",
            "number",
            "terminated",
        )
    ),
    updates=(
        Input("capacity_limit"),
        Input("description"),
        Input("terminated"),
        Input("billing_cycles_count"),
        Input("dedicated_channels_count"),
        *(Input(name, relationship=True) for name in _LINKED),
        Input("emergency_calling_service", relationship=True, since=V2026),
    ),
)

"""The account's numbers, and what happened to them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator import numbers
from didww_async.simulator.coverage import GroupRow
from didww_async.simulator.emergency import EmergencyService
from didww_async.simulator.filters import at_least, at_most, flag, moment, texts
from didww_async.simulator.history import ACTIONS, METHODS, HistoryEntry, is_kept, kept
from didww_async.simulator.inputs import any_text, field, link, updating, whole
from didww_async.simulator.inputs import flag as is_true
from didww_async.simulator.records import Did
from didww_async.simulator.resources import links as to
from didww_async.simulator.resources.columns import CREATED_AT, columns, exact, sorts
from didww_async.simulator.resources.features import FEATURES, OLD_FEATURES
from didww_async.simulator.schema import Attribute, Read, Relationship, Resource, Sort, column
from didww_async.simulator.text import time_text
from didww_async.simulator.versions import V2022, V2026

if TYPE_CHECKING:
    from didww_async.simulator.world import World


def _group(world: "World", did: Did) -> GroupRow:
    return world.atlas.groups[did.group_id]


def _cycles(_world: "World", did: Did) -> str | None:
    return None if did.billing_cycles_count is None else str(did.billing_cycles_count)


def _found(column_name: str, table: Callable[["World"], Mapping[str, Any]]) -> Read:
    read = column(column_name)
    return lambda world, did: table(world).get(read(world, did) or "")


def _service(world: "World", did: Did) -> EmergencyService | None:
    return world.owned.emergency_services.get(did.emergency_calling_service_id or "")


def _emergency_verification(world: "World", did: Did) -> Any:
    service = _service(world, did)
    return service and world.owned.emergency_verifications[service.emergency_verification_id]


def _identity(world: "World", did: Did) -> Any:
    """Who the number is registered to."""
    owned = world.owned
    verification = owned.address_verifications.get(did.address_verification_id or "")
    if verification is None:
        return None
    return owned.identities.get(owned.addresses[verification.address_id].identity_id)


_ROUTED_TO = {
    "capacity_pool": to.CAPACITY_POOLS,
    "shared_capacity_group": to.SHARED_CAPACITY_GROUPS,
    "address_verification": to.ADDRESS_VERIFICATIONS,
    "voice_in_trunk": to.VOICE_IN_TRUNKS,
    "voice_in_trunk_group": to.VOICE_IN_TRUNK_GROUPS,
}
_CHANGES = (
    field("capacity_limit", whole(), nullable=True),
    field("description", any_text, nullable=True),
    field("terminated", is_true),
    field("billing_cycles_count", whole(0, 999), nullable=True),
    field("dedicated_channels_count", whole()),
    *(link(name, target, nullable=True) for name, target in _ROUTED_TO.items()),
    link("emergency_calling_service", to.EMERGENCY_CALLING_SERVICES, nullable=True, since=V2026),
)

DIDS = Resource(
    type="dids",
    path="dids",
    table=lambda world: world.dids,
    update=updating(_CHANGES, numbers.change),
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
        *(
            Relationship(name, type=target.type, read=_found(f"{name}_id", target.table))
            for name, target in _ROUTED_TO.items()
        ),
        Relationship(
            "emergency_calling_service",
            type="emergency_calling_services",
            read=_service,
            since=V2026,
        ),
        Relationship(
            "emergency_verification",
            type="emergency_verifications",
            read=_emergency_verification,
            since=V2026,
        ),
        Relationship("identity", type="identities", read=_identity, since=V2026),
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
        *exact(*(f"{name}.id" for name in _ROUTED_TO)),
        texts("trunk.id", column("voice_in_trunk_id")),
        texts("trunk_group.id", column("voice_in_trunk_group_id")),
        *exact("emergency_calling_service.id", since=V2026),
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
    updates=_CHANGES,
)


# What happened to them


def _change(_world: "World", entry: HistoryEntry) -> dict[str, Any]:
    """Counts of cycles are told as texts; null means that the number is renewed for ever."""
    if entry.action != "billing_cycles_count_changed":
        return {}
    return {
        "from": None if entry.before is None else str(entry.before),
        "to": None if entry.after is None else str(entry.after),
    }


DID_HISTORY = Resource(
    type="did_history",
    path="did_history",
    since=V2026,
    table=kept,
    attributes=(*columns("did_number", "action", "method"), CREATED_AT),
    meta=_change,
    filters=(
        *exact("id", "did_number"),
        texts("action", column("action"), allowed=ACTIONS),
        texts("method", column("method"), allowed=METHODS),
        attrs.evolve(
            at_least("created_at_gteq", column("created_at"), parse=moment), allows=is_kept
        ),
        at_most("created_at_lteq", column("created_at"), parse=moment),
    ),
    sorts=sorts("created_at"),
)

"""Numbers: the DIDs the account owns, and what happened to them.

Source: doc.didww.com/api3, dids, did_history.
"""

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import Meta, Resource, attribute, relationship, value
from didww_async.resources.inputs import Input, check_range
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.capacity import CapacityPool, SharedCapacityGroup
    from didww_async.resources.emergency import EmergencyCallingService, EmergencyVerification
    from didww_async.resources.identity import Identity
    from didww_async.resources.inventory import DidGroup
    from didww_async.resources.orders import Order
    from didww_async.resources.regulation import AddressVerification
    from didww_async.resources.voice_in import VoiceInTrunk, VoiceInTrunkGroup

__all__ = [
    "Did",
    "DidAction",
    "DidActionMethod",
    "DidFilter",
    "DidHistory",
    "DidHistoryFilter",
    "DidHistoryMeta",
    "DidHistorySort",
    "DidInclude",
    "DidSort",
    "DidUpdate",
]


@value
class Did(Resource):
    """A number of the account, E.164 without "+".

    `awaiting_registration`: it works only after its address verification is approved.
    `blocked`: it can't receive calls. `capacity_limit`: simultaneous calls, None for no limit.
    `billing_cycles_count`: cycles left, None: renews for ever, 0: will be removed. `expires_at`:
    the end of the billing period.
    """

    type: ClassVar[str] = "dids"
    walk_by: ClassVar[str | None] = "created_at,number"

    number: str = attribute()
    description: str | None = attribute()
    blocked: bool = attribute()
    awaiting_registration: bool = attribute()
    terminated: bool = attribute()
    emergency_enabled: bool = attribute()
    capacity_limit: int | None = attribute()
    channels_included_count: int = attribute()
    dedicated_channels_count: int = attribute()
    billing_cycles_count: int | None = attribute()
    created_at: dt.datetime = attribute()
    expires_at: dt.datetime | None = attribute()
    did_group: "DidGroup | None" = relationship()
    order: "Order | None" = relationship()
    capacity_pool: "CapacityPool | None" = relationship()
    shared_capacity_group: "SharedCapacityGroup | None" = relationship()
    address_verification: "AddressVerification | None" = relationship()
    voice_in_trunk: "VoiceInTrunk | None" = relationship()
    voice_in_trunk_group: "VoiceInTrunkGroup | None" = relationship()
    emergency_calling_service: "EmergencyCallingService | None" = relationship()
    emergency_verification: "EmergencyVerification | None" = relationship()
    identity: "Identity | None" = relationship()


_ROUTES = (
    ("voice_in_trunk", "voice_in_trunk_group"),
    ("voice_in_trunk_group", "voice_in_trunk"),
)


@value
class DidUpdate(Input):
    """What PATCH /dids/{id} takes; name what changes only. None sends null, which clears.

    A DID is routed to a trunk or to a trunk group: giving one clears the other, whichever it was.
    `capacity_limit`: simultaneous calls, None for no limit. `terminated`: True cancels at the end
    of the billing period, False restores. `billing_cycles_count`: 0 to 999, 0 removes the DID at
    the end of the period, None renews for ever.
    """

    type: ClassVar[str] = "dids"

    description: str | None | Unset = UNSET
    capacity_limit: int | None | Unset = UNSET
    terminated: bool | Unset = UNSET
    billing_cycles_count: int | None | Unset = UNSET
    dedicated_channels_count: int | Unset = UNSET
    capacity_pool: str | None | Unset = relationship("capacity_pools")
    shared_capacity_group: str | None | Unset = relationship("shared_capacity_groups")
    address_verification: str | None | Unset = relationship("address_verifications")
    voice_in_trunk: str | None | Unset = relationship("voice_in_trunks")
    voice_in_trunk_group: str | None | Unset = relationship("voice_in_trunk_groups")
    emergency_calling_service: str | None | Unset = relationship("emergency_calling_services")

    def _check(self) -> None:
        check_range("billing_cycles_count", self.billing_cycles_count, 0, 999)
        if self.voice_in_trunk and self.voice_in_trunk_group:
            raise InvalidInput(
                "voice_in_trunk and voice_in_trunk_group exclude each other: a DID is routed to "
                "one of them; give None for the other"
            )
        for given, other in _ROUTES:
            if getattr(self, given) and getattr(self, other) is UNSET:
                object.__setattr__(self, other, None)  # or a routed DID would have both


DidFilter = TypedDict(
    "DidFilter",
    {
        "id": FilterValue,
        "number": FilterValue,
        "description": FilterValue,
        "order.id": FilterValue,
        "order.reference": FilterValue,
        "did_group.id": FilterValue,
        "did_group.features": FilterValue,
        "country.id": FilterValue,
        "region.id": FilterValue,
        "city.id": FilterValue,
        "awaiting_registration": bool,
        "blocked": bool,
        "terminated": bool,
        "pending_removal": bool,
        "emergency_enabled": bool,
        "billing_cycles_count": FilterValue,
        "address_verification.id": FilterValue,
        "capacity_pool.id": FilterValue,
        "emergency_calling_service.id": FilterValue,
        "shared_capacity_group.id": FilterValue,
        "trunk.id": FilterValue,
        "trunk_group.id": FilterValue,
        "voice_in_trunk.id": FilterValue,
        "voice_in_trunk_group.id": FilterValue,
    },
    total=False,
)
DidSort = Literal[
    "awaiting_registration",
    "-awaiting_registration",
    "billing_cycles_count",
    "-billing_cycles_count",
    "blocked",
    "-blocked",
    "capacity_limit",
    "-capacity_limit",
    "channels_included_count",
    "-channels_included_count",
    "created_at",
    "-created_at",
    "dedicated_channels_count",
    "-dedicated_channels_count",
    "description",
    "-description",
    "expires_at",
    "-expires_at",
    "number",
    "-number",
    "terminated",
    "-terminated",
]
DidInclude = Literal[
    "did_group",
    "order",
    "capacity_pool",
    "shared_capacity_group",
    "address_verification",
    "voice_in_trunk",
    "voice_in_trunk_group",
    "emergency_calling_service",
    "emergency_verification",
    "identity",
    "did_group.stock_keeping_units",
    "did_group.country",
    "did_group.region",
    "did_group.city",
    "did_group.did_group_type",
    "did_group.address_requirement",
    "address_verification.address",
    "shared_capacity_group.capacity_pool",
    "voice_in_trunk_group.voice_in_trunks",
]


class DidAction(OpenEnum):
    """What happened to a DID."""

    ASSIGNED = "assigned"
    RENEWED = "renewed"
    CANCELED = "canceled"
    REMOVED = "removed"
    RESTORED = "restored"
    BILLING_CYCLES_COUNT_CHANGED = "billing_cycles_count_changed"


class DidActionMethod(OpenEnum):
    """Through what it happened."""

    SYSTEM = "system"
    API2 = "api2"
    API3 = "api3"
    STAFF = "staff"
    USER_PANEL = "user_panel"
    MCP = "mcp"


@value
class DidHistoryMeta(Meta):
    """The value before (`from_`) and after (`to`) a change, as text."""

    only_raw: ClassVar[bool] = False

    from_: str | None = attribute()
    to: str | None = attribute()


@value
class DidHistory(Resource):
    """One thing that happened to a DID; kept for 90 days (API 2026-04-16 and later)."""

    type: ClassVar[str] = "did_history"
    walk_by: ClassVar[str | None] = "created_at"

    did_number: str | None = attribute()
    action: DidAction = attribute()
    method: DidActionMethod = attribute()
    created_at: dt.datetime = attribute()
    meta: DidHistoryMeta = DidHistoryMeta()


class DidHistoryFilter(TypedDict, total=False):
    """Filters of GET /did_history; a `created_at_gteq` more than 90 days ago is refused."""

    id: FilterValue
    action: FilterValue
    created_at_gteq: FilterValue
    created_at_lteq: FilterValue
    did_number: FilterValue
    method: FilterValue


DidHistorySort = Literal["created_at", "-created_at"]

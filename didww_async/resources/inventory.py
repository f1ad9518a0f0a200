"""Inventory: DID groups with their SKUs, available DIDs, reservations.

Source: doc.didww.com/api3; seed documents 000 (step 3), 001 and 002.
"""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict

from didww_async.resources.base import (
    Meta,
    Resource,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.inputs import Input
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.coverage import City, Country, DidGroupType, NanpaPrefix, Region
    from didww_async.resources.regulation import AddressRequirement

__all__ = [
    "AvailableDid",
    "AvailableDidFilter",
    "AvailableDidInclude",
    "AvailableDidSort",
    "DidGroup",
    "DidGroupFilter",
    "DidGroupInclude",
    "DidGroupMeta",
    "DidGroupSort",
    "DidReservation",
    "DidReservationCreate",
    "DidReservationFilter",
    "DidReservationInclude",
    "DidReservationSort",
    "Feature",
    "NumberType",
    "StockKeepingUnit",
]


class Feature(OpenEnum):
    """What a number can do. `SMS_OUT` and `VOICE` are spellings of older API versions."""

    VOICE_IN = "voice_in"
    VOICE_OUT = "voice_out"
    T38 = "t38"
    SMS_IN = "sms_in"
    SMS_OUT = "sms_out"
    P2P = "p2p"
    A2P = "a2p"
    EMERGENCY = "emergency"
    CNAM_OUT = "cnam_out"
    VOICE = "voice"


class NumberType(OpenEnum):
    """What kind of number: an attribute since API version 2026-11-19.

    Older versions have the relationship `did_group_type`, whose name is "Local", "Toll-free", ...
    """

    LOCAL = "local"
    NATIONAL = "national"
    MOBILE = "mobile"
    TOLL_FREE = "toll_free"
    SHARED_COST = "shared_cost"
    GLOBAL = "global"


@value
class StockKeepingUnit(Resource):
    """A priced offer in a DID group: what an order item buys. Prices are USD without VAT."""

    type: ClassVar[str] = "stock_keeping_units"

    setup_price: Decimal = attribute()
    monthly_price: Decimal = attribute()
    channels_included_count: int = attribute()


@value
class DidGroupMeta(Meta):
    """Stock and terms of a DID group."""

    only_raw: ClassVar[bool] = False

    available_dids_enabled: bool = attribute()
    needs_registration: bool = attribute()
    is_available: bool = attribute()
    total_count: int = attribute()


@value
class DidGroup(Resource):
    """Numbers that share a country, type, area and prefix.

    `service_restrictions` is HTML. `prefix` is the dialling prefix (with or without the country
    code: sources differ). `number_type` is an attribute since API version 2026-11-19; older ones
    have the relationship `did_group_type`, and `kind_of_number` tells in every version.
    """

    type: ClassVar[str] = "did_groups"
    walk_by: ClassVar[str | None] = "area_name,prefix"

    prefix: str = attribute()
    area_name: str = attribute()
    number_type: NumberType = attribute()
    features: tuple[Feature, ...] = attribute()
    is_metered: bool = attribute()
    allow_additional_channels: bool = attribute()
    service_restrictions: str | None = attribute()
    country: "Country | None" = relationship()
    region: "Region | None" = relationship()
    city: "City | None" = relationship()
    did_group_type: "DidGroupType | None" = relationship()
    stock_keeping_units: tuple[StockKeepingUnit, ...] = relationship()
    address_requirement: "AddressRequirement | None" = relationship()
    meta: DidGroupMeta = DidGroupMeta()

    @property
    def kind_of_number(self) -> NumberType | None:
        """The number type in any API version; None while the reply does not say.

        Up to 2026-04-16 that takes `include="did_group_type"`.
        """
        if self.number_type:
            return self.number_type
        name = self.did_group_type.name if self.did_group_type else None
        return NumberType(name) if name else None


DidGroupFilter = TypedDict(
    "DidGroupFilter",
    {
        "id": FilterValue,
        "prefix": FilterValue,
        "area_name": FilterValue,
        "is_metered": bool,
        "allow_additional_channels": bool,
        "available_dids_enabled": bool,
        "features": FilterValue,
        "needs_registration": bool,
        "is_available": bool,
        "country.id": FilterValue,
        "region.id": FilterValue,
        "city.id": FilterValue,
        "nanpa_prefix.id": FilterValue,
        "nanpa_prefix.npanxx": FilterValue,
        "did_group_type.id": FilterValue,
        "number_type": FilterValue,
        "meta.total_count_gteq": int,
    },
    total=False,
)
DidGroupSort = Literal[
    "country.name",
    "-country.name",
    "did_group_type.name",
    "-did_group_type.name",
    "number_type",
    "-number_type",
    "prefix",
    "-prefix",
    "local_prefix",
    "-local_prefix",
    "is_metered",
    "-is_metered",
    "area_name",
    "-area_name",
    "allow_additional_channels",
    "-allow_additional_channels",
    "service_restrictions",
    "-service_restrictions",
]
DidGroupInclude = Literal[
    "country",
    "region",
    "city",
    "did_group_type",
    "stock_keeping_units",
    "address_requirement",
]


@value
class AvailableDid(Resource):
    """One specific number in stock, E.164 without "+". DIDWW forbids mirroring the list.

    A list holds some of them, in random order; `meta["total_count"]` of its page says how many
    there are.
    """

    type: ClassVar[str] = "available_dids"
    paged: ClassVar[bool] = False

    number: str = attribute()
    did_group: DidGroup | None = relationship()
    nanpa_prefix: "NanpaPrefix | None" = relationship()


AvailableDidFilter = TypedDict(
    "AvailableDidFilter",
    {
        "id": FilterValue,
        "number_contains": str,
        "did_group.id": FilterValue,
        "did_group_type.id": FilterValue,
        "did_group.number_type": FilterValue,
        "did_group.needs_registration": bool,
        "did_group.features": FilterValue,
        "country.id": FilterValue,
        "region.id": FilterValue,
        "city.id": FilterValue,
        "nanpa_prefix.id": FilterValue,
    },
    total=False,
)
AvailableDidSort = Literal["number", "-number"]
AvailableDidInclude = Literal[
    "did_group",
    "nanpa_prefix",
    "did_group.stock_keeping_units",
    "did_group.country",
    "did_group.region",
    "did_group.city",
    "did_group.did_group_type",
]


@value
class DidReservation(Resource):
    """A hold on an available DID, until `expires_at`.

    How many more can be held at once: `meta["available_count"]` of a page of the list.
    """

    type: ClassVar[str] = "did_reservations"
    walk_by: ClassVar[str | None] = "created_at"

    description: str | None = attribute()
    created_at: dt.datetime = attribute()
    expires_at: dt.datetime = attribute()
    available_did: AvailableDid | None = relationship()


@value
class DidReservationCreate(Input):
    """What POST /did_reservations takes: the id of an available DID."""

    type: ClassVar[str] = "did_reservations"

    available_did: str = required_relationship("available_dids")
    description: str | Unset = UNSET


class DidReservationFilter(TypedDict, total=False):
    """Filters of GET /did_reservations."""

    id: FilterValue
    description: FilterValue


DidReservationSort = Literal[
    "created_at",
    "-created_at",
    "description",
    "-description",
    "expires_at",
    "-expires_at",
    "expire_at",
    "-expire_at",
]
DidReservationInclude = Literal[
    "available_did",
    "available_did.did_group",
]

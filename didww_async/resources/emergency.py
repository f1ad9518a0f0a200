"""Emergency calling: what it asks for, registering an address for it, the service that results.

Source: doc.didww.com/api3, emergency_requirements and what follows (API 2026-04-16 and later).
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import (
    Meta,
    Resource,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.identity import IdentityType
from didww_async.resources.inputs import CallbackMethod, Input
from didww_async.resources.regulation import AreaLevel, VerificationStatus
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.coverage import Country, DidGroupType
    from didww_async.resources.identity import Address
    from didww_async.resources.numbers import Did
    from didww_async.resources.orders import Order

__all__ = [
    "EmergencyCallingService",
    "EmergencyCallingServiceFilter",
    "EmergencyCallingServiceInclude",
    "EmergencyCallingServiceMeta",
    "EmergencyCallingServiceSort",
    "EmergencyCallingServiceStatus",
    "EmergencyRequirement",
    "EmergencyRequirementFilter",
    "EmergencyRequirementInclude",
    "EmergencyRequirementMeta",
    "EmergencyRequirementValidation",
    "EmergencyRequirementValidationCreate",
    "EmergencyVerification",
    "EmergencyVerificationCreate",
    "EmergencyVerificationFilter",
    "EmergencyVerificationInclude",
    "EmergencyVerificationSort",
    "EmergencyVerificationUpdate",
]


class EmergencyCallingServiceStatus(OpenEnum):
    """How far an emergency calling service is; canceled is final."""

    NEW = "new"
    IN_PROCESS = "in_process"
    ACTIVE = "active"
    PENDING_UPDATE = "pending_update"
    CHANGES_REQUIRED = "changes_required"
    CANCELED = "canceled"


@value
class EmergencyRequirementMeta(Meta):
    """What emergency calling costs, in USD."""

    only_raw: ClassVar[bool] = False

    setup_price: Decimal | None = attribute()
    monthly_price: Decimal | None = attribute()


@value
class EmergencyRequirement(Resource):
    """What one country asks for emergency calling with one type of number.

    An area level of None: that kind of identity is not accepted. Mandatory fields are labels for
    people, and so is `estimate_setup_time`. Without a price there is no requirement to read.
    """

    type: ClassVar[str] = "emergency_requirements"
    # No walk_by: the API can't sort this list.

    identity_type: IdentityType = attribute()
    personal_area_level: AreaLevel | None = attribute()
    business_area_level: AreaLevel | None = attribute()
    address_area_level: AreaLevel = attribute()
    personal_mandatory_fields: tuple[str, ...] = attribute()
    business_mandatory_fields: tuple[str, ...] = attribute()
    address_mandatory_fields: tuple[str, ...] = attribute()
    estimate_setup_time: str = attribute()
    requirement_restriction_message: str | None = attribute()
    country: "Country | None" = relationship()
    did_group_type: "DidGroupType | None" = relationship()
    meta: EmergencyRequirementMeta = EmergencyRequirementMeta()


EmergencyRequirementFilter = TypedDict(
    "EmergencyRequirementFilter",
    {"id": FilterValue, "country.id": FilterValue, "did_group_type.id": FilterValue},
    total=False,
)
EmergencyRequirementInclude = Literal["country", "did_group_type"]


@value
class EmergencyRequirementValidation(Resource):
    """A check that was passed; it holds nothing. A check that fails is a ValidationFailed."""

    type: ClassVar[str] = "emergency_requirement_validations"


@value
class EmergencyRequirementValidationCreate(Input):
    """What POST /emergency_requirement_validations takes: an identity, an address, or both.

    A dry run: nothing is stored. Of both, the address must belong to the identity.
    """

    type: ClassVar[str] = "emergency_requirement_validations"

    emergency_requirement: str = required_relationship("emergency_requirements")
    identity: str | None | Unset = relationship("identities")
    address: str | None | Unset = relationship("addresses")

    def _check(self) -> None:
        if not self.identity and not self.address:
            raise InvalidInput("give identity, address or both: there is nothing to check")


@value
class EmergencyCallingServiceMeta(Meta):
    """What the service costs, in USD."""

    only_raw: ClassVar[bool] = False

    setup_price: Decimal = attribute()
    monthly_price: Decimal = attribute()


@value
class EmergencyCallingService(Resource):
    """Emergency calling for DIDs; an emergency verification makes it, deleting it cancels it.

    `renew_date`: None once it is canceled.
    """

    type: ClassVar[str] = "emergency_calling_services"
    walk_by: ClassVar[str | None] = "created_at,name"

    name: str = attribute()
    reference: str = attribute()
    status: EmergencyCallingServiceStatus = attribute()
    activated_at: dt.datetime | None = attribute()
    canceled_at: dt.datetime | None = attribute()
    renew_date: dt.date | None = attribute()
    created_at: dt.datetime = attribute()
    country: "Country | None" = relationship()
    did_group_type: "DidGroupType | None" = relationship()
    order: "Order | None" = relationship()
    emergency_requirement: EmergencyRequirement | None = relationship()
    emergency_verification: "EmergencyVerification | None" = relationship()
    dids: "tuple[Did, ...]" = relationship()
    meta: EmergencyCallingServiceMeta = EmergencyCallingServiceMeta()


EmergencyCallingServiceFilter = TypedDict(
    "EmergencyCallingServiceFilter",
    {
        "id": FilterValue,
        "address.id": FilterValue,
        "country.id": FilterValue,
        "did_group_type.id": FilterValue,
        "identity.id": FilterValue,
        "name": FilterValue,
        "reference": FilterValue,
        "status": FilterValue,
    },
    total=False,
)
EmergencyCallingServiceSort = Literal[
    "country.name",
    "-country.name",
    "created_at",
    "-created_at",
    "name",
    "-name",
    "renew_date",
    "-renew_date",
    "status",
    "-status",
]
EmergencyCallingServiceInclude = Literal[
    "country",
    "did_group_type",
    "order",
    "emergency_requirement",
    "emergency_verification",
    "dids",
    "emergency_requirement.country",
    "emergency_verification.address",
    "dids.did_group",
]


@value
class EmergencyVerification(Resource):
    """An address handed in for emergency calling. `reject_reasons`: None unless rejected."""

    type: ClassVar[str] = "emergency_verifications"
    walk_by: ClassVar[str | None] = "created_at"

    reference: str = attribute()
    status: VerificationStatus = attribute()
    reject_reasons: tuple[str, ...] | None = attribute()
    reject_comment: str | None = attribute()
    callback_url: str | None = attribute()
    callback_method: CallbackMethod | None = attribute()
    external_reference_id: str | None = attribute()
    created_at: dt.datetime = attribute()
    address: "Address | None" = relationship()
    emergency_calling_service: EmergencyCallingService | None = relationship()
    dids: "tuple[Did, ...]" = relationship()


@value
class EmergencyVerificationCreate(Input):
    """What POST /emergency_verifications takes: `dids` or `emergency_calling_service`, not both.

    With `dids` a service is made for them, which is charged monthly; with a service its address
    is verified again.
    """

    type: ClassVar[str] = "emergency_verifications"

    address: str = required_relationship("addresses")
    dids: Sequence[str] | Unset = relationship("dids")
    emergency_calling_service: str | Unset = relationship("emergency_calling_services")
    callback_url: str | None | Unset = UNSET
    callback_method: CallbackMethod | Literal["get", "post"] | None | Unset = UNSET
    external_reference_id: str | Unset = UNSET

    def _check(self) -> None:
        if bool(self.dids) == bool(self.emergency_calling_service):
            raise InvalidInput(
                "give dids (to make a service) or emergency_calling_service (to verify again), "
                "one of the two"
            )


@value
class EmergencyVerificationUpdate(Input):
    """What PATCH /emergency_verifications/{id} takes: the external reference only."""

    type: ClassVar[str] = "emergency_verifications"

    external_reference_id: str


EmergencyVerificationFilter = TypedDict(
    "EmergencyVerificationFilter",
    {
        "id": FilterValue,
        "emergency_calling_service.id": FilterValue,
        "external_reference_id": FilterValue,
        "status": FilterValue,
    },
    total=False,
)
EmergencyVerificationSort = Literal[
    "created_at", "-created_at", "external_reference_id", "-external_reference_id"
]
EmergencyVerificationInclude = Literal[
    "address",
    "emergency_calling_service",
    "dids",
    "address.identity",
    "emergency_calling_service.dids",
]

"""Regulation: what a country asks for before a number works, and handing it in.

The way: `AddressRequirement` says what is needed (include `did_group.address_requirement` with a
DID); identity, address, proofs and documents give it; `AddressRequirementValidationCreate` checks
it; `AddressVerificationCreate` submits it for DIDs.
Source: doc.didww.com/api3, address_requirements and address_verifications; facts file, section 6.
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import (
    Resource,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.documents import ProofType, SupportingDocumentTemplate
from didww_async.resources.identity import Address, IdentityType
from didww_async.resources.inputs import CallbackMethod, Input
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.coverage import Country, DidGroupType
    from didww_async.resources.numbers import Did

__all__ = [
    "AddressRequirement",
    "AddressRequirementFilter",
    "AddressRequirementInclude",
    "AddressRequirementSort",
    "AddressRequirementValidation",
    "AddressRequirementValidationCreate",
    "AddressVerification",
    "AddressVerificationCreate",
    "AddressVerificationFilter",
    "AddressVerificationInclude",
    "AddressVerificationSort",
    "AddressVerificationUpdate",
    "AreaLevel",
    "IdentityField",
    "VerificationStatus",
]


class AreaLevel(OpenEnum):
    """How near to the number a person, company or address must be."""

    WORLD_WIDE = "world_wide"
    COUNTRY = "country"
    AREA = "area"
    CITY = "city"


class IdentityField(OpenEnum):
    """A field of an identity that a requirement may ask for."""

    BIRTH_DATE = "birth_date"
    BIRTH_COUNTRY = "birth_country"
    COUNTRY = "country"
    PERSONAL_TAX_ID = "personal_tax_id"
    ID_NUMBER = "id_number"
    VAT_ID = "vat_id"
    COMPANY_REG_NUMBER = "company_reg_number"
    CONTACT_EMAIL = "contact_email"


class VerificationStatus(OpenEnum):
    """How far a verification is; approved and rejected are final."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@value
class AddressRequirement(Resource):
    """What one country asks for one type of number.

    An area level of None: that kind of identity is not accepted. Mandatory fields of None: none.
    `restriction_message` is for people. Include the documents and proof types to see which.
    """

    type: ClassVar[str] = "address_requirements"
    walk_by: ClassVar[str | None] = (
        "restriction_message,personal_proof_qty,business_proof_qty,address_proof_qty"
    )

    identity_type: IdentityType = attribute()
    personal_area_level: AreaLevel | None = attribute()
    business_area_level: AreaLevel | None = attribute()
    address_area_level: AreaLevel = attribute()
    personal_proof_qty: int = attribute()
    business_proof_qty: int = attribute()
    address_proof_qty: int = attribute()
    personal_mandatory_fields: tuple[IdentityField, ...] | None = attribute()
    business_mandatory_fields: tuple[IdentityField, ...] | None = attribute()
    service_description_required: bool = attribute()
    restriction_message: str = attribute()
    country: "Country | None" = relationship()
    did_group_type: "DidGroupType | None" = relationship()
    personal_permanent_document: SupportingDocumentTemplate | None = relationship()
    business_permanent_document: SupportingDocumentTemplate | None = relationship()
    personal_onetime_document: SupportingDocumentTemplate | None = relationship()
    business_onetime_document: SupportingDocumentTemplate | None = relationship()
    personal_proof_types: tuple[ProofType, ...] = relationship()
    business_proof_types: tuple[ProofType, ...] = relationship()
    address_proof_types: tuple[ProofType, ...] = relationship()


AddressRequirementFilter = TypedDict(
    "AddressRequirementFilter",
    {"id": FilterValue, "country.id": FilterValue, "did_group_type.id": FilterValue},
    total=False,
)
AddressRequirementSort = Literal[
    "address_proof_qty",
    "-address_proof_qty",
    "business_proof_qty",
    "-business_proof_qty",
    "personal_proof_qty",
    "-personal_proof_qty",
    "restriction_message",
    "-restriction_message",
    "service_description_required",
    "-service_description_required",
]
AddressRequirementInclude = Literal[
    "country",
    "did_group_type",
    "personal_permanent_document",
    "business_permanent_document",
    "personal_onetime_document",
    "business_onetime_document",
    "personal_proof_types",
    "business_proof_types",
    "address_proof_types",
]


@value
class AddressRequirementValidation(Resource):
    """A check that was passed; it holds nothing. A check that fails is a ValidationFailed."""

    type: ClassVar[str] = "address_requirement_validations"


@value
class AddressRequirementValidationCreate(Input):
    """What POST /address_requirement_validations takes: an identity, an address, or both.

    A dry run: nothing is stored. Of both, the address must belong to the identity.
    """

    type: ClassVar[str] = "address_requirement_validations"

    address_requirement: str = required_relationship("address_requirements")
    identity: str | None | Unset = relationship("identities")
    address: str | None | Unset = relationship("addresses")

    def _check(self) -> None:
        if not self.identity and not self.address:
            raise InvalidInput("give identity, address or both: there is nothing to check")


@value
class AddressVerification(Resource):
    """An address handed in for DIDs; they work once it is approved.

    `reject_reasons`: None unless rejected; hand in again with a new verification.
    """

    type: ClassVar[str] = "address_verifications"
    walk_by: ClassVar[str | None] = "created_at"

    reference: str = attribute()
    status: VerificationStatus = attribute()
    reject_reasons: tuple[str, ...] | None = attribute()
    reject_comment: str | None = attribute()
    service_description: str | None = attribute()
    callback_url: str | None = attribute()
    callback_method: CallbackMethod | None = attribute()
    external_reference_id: str | None = attribute()
    created_at: dt.datetime = attribute()
    address: Address | None = relationship()
    dids: "tuple[Did, ...]" = relationship()


@value
class AddressVerificationCreate(Input):
    """What POST /address_verifications takes.

    `service_description`: where the requirement says so. `onetime_files`: encrypted files of the
    filled-in one-time documents; they are copied and used up.
    """

    type: ClassVar[str] = "address_verifications"

    address: str = required_relationship("addresses")
    dids: Sequence[str] = required_relationship("dids")
    onetime_files: Sequence[str] | Unset = relationship("encrypted_files")
    service_description: str | None | Unset = UNSET
    callback_url: str | None | Unset = UNSET
    callback_method: CallbackMethod | Literal["get", "post"] | None | Unset = UNSET
    external_reference_id: str | Unset = UNSET


@value
class AddressVerificationUpdate(Input):
    """What PATCH /address_verifications/{id} takes: the external reference only."""

    type: ClassVar[str] = "address_verifications"

    external_reference_id: str


AddressVerificationFilter = TypedDict(
    "AddressVerificationFilter",
    {
        "id": FilterValue,
        "address.id": FilterValue,
        "address.identity.id": FilterValue,
        "external_reference_id": FilterValue,
        "reference": FilterValue,
        "reference_in": FilterValue,
        "status": FilterValue,
    },
    total=False,
)
AddressVerificationSort = Literal[
    "created_at", "-created_at", "external_reference_id", "-external_reference_id"
]
AddressVerificationInclude = Literal[
    "address",
    "dids",
    "address.identity",
    "address.country",
    "dids.did_group",
]

"""Identity: the person or company a number is registered to, and its addresses.

Source: doc.didww.com/api3, identities, addresses.
"""

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import (
    Resource,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.inputs import Input, check_digits
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.coverage import Area, City, Country
    from didww_async.resources.documents import PermanentSupportingDocument, Proof

__all__ = [
    "Address",
    "AddressCreate",
    "AddressFilter",
    "AddressInclude",
    "AddressSort",
    "AddressUpdate",
    "Identity",
    "IdentityCreate",
    "IdentityFilter",
    "IdentityInclude",
    "IdentitySort",
    "IdentityType",
    "IdentityUpdate",
]


class IdentityType(OpenEnum):
    """Whom a number is registered to; requirements may take `ANY`."""

    PERSONAL = "personal"
    BUSINESS = "business"
    ANY = "any"


@value
class Identity(Resource):
    """A person, or a company and the person who stands for it.

    `phone_number`: digits only. `verified`: DIDWW has accepted it.
    """

    type: ClassVar[str] = "identities"
    walk_by: ClassVar[str | None] = "created_at"

    identity_type: IdentityType = attribute()
    first_name: str = attribute()
    last_name: str = attribute()
    phone_number: str = attribute()
    contact_email: str | None = attribute()
    company_name: str | None = attribute()
    company_reg_number: str | None = attribute()
    vat_id: str | None = attribute()
    id_number: str | None = attribute()
    personal_tax_id: str | None = attribute()
    birth_date: dt.date | None = attribute()
    description: str | None = attribute()
    external_reference_id: str | None = attribute()
    created_at: dt.datetime = attribute()
    verified: bool = attribute()
    country: "Country | None" = relationship()
    birth_country: "Country | None" = relationship()
    proofs: "tuple[Proof, ...]" = relationship()
    addresses: "tuple[Address, ...]" = relationship()
    permanent_documents: "tuple[PermanentSupportingDocument, ...]" = relationship()


@value
class IdentityCreate(Input):
    """What POST /identities takes.

    `phone_number`: digits only. `company_name`: needed for a business. What else is needed says
    the address requirement (`personal_mandatory_fields`, `business_mandatory_fields`); an
    `AddressRequirementValidationCreate` checks it before anything is submitted.
    """

    type: ClassVar[str] = "identities"

    identity_type: IdentityType | Literal["personal", "business"]
    first_name: str
    last_name: str
    phone_number: str
    contact_email: str | None | Unset = UNSET
    company_name: str | None | Unset = UNSET
    company_reg_number: str | None | Unset = UNSET
    vat_id: str | None | Unset = UNSET
    id_number: str | None | Unset = UNSET
    personal_tax_id: str | None | Unset = UNSET
    birth_date: dt.date | None | Unset = UNSET
    description: str | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    country: str | None | Unset = relationship("countries")
    birth_country: str | None | Unset = relationship("countries")

    def _check(self) -> None:
        check_digits("phone_number", self.phone_number)
        if self.identity_type == IdentityType.ANY:
            raise InvalidInput("identity_type is 'personal' or 'business'; 'any' is no identity")
        if self.identity_type == IdentityType.BUSINESS and not self.company_name:
            raise InvalidInput("company_name is needed when identity_type is 'business'")


@value
class IdentityUpdate(Input):
    """What PATCH /identities/{id} takes; `identity_type` can't change."""

    type: ClassVar[str] = "identities"

    first_name: str | Unset = UNSET
    last_name: str | Unset = UNSET
    phone_number: str | Unset = UNSET
    contact_email: str | None | Unset = UNSET
    company_name: str | None | Unset = UNSET
    company_reg_number: str | None | Unset = UNSET
    vat_id: str | None | Unset = UNSET
    id_number: str | None | Unset = UNSET
    personal_tax_id: str | None | Unset = UNSET
    birth_date: dt.date | None | Unset = UNSET
    description: str | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    country: str | None | Unset = relationship("countries")
    birth_country: str | None | Unset = relationship("countries")

    def _check(self) -> None:
        check_digits("phone_number", self.phone_number)


IdentityFilter = TypedDict(
    "IdentityFilter",
    {
        "id": FilterValue,
        "birth_date": FilterValue,
        "company_name": FilterValue,
        "company_name_contains": FilterValue,
        "company_reg_number": FilterValue,
        "company_reg_number_contains": FilterValue,
        "country.id": FilterValue,
        "description": FilterValue,
        "description_contains": FilterValue,
        "external_reference_id": FilterValue,
        "first_name": FilterValue,
        "first_name_contains": FilterValue,
        "id_number": FilterValue,
        "id_number_contains": FilterValue,
        "identity_type": FilterValue,
        "last_name": FilterValue,
        "last_name_contains": FilterValue,
        "personal_tax_id": FilterValue,
        "personal_tax_id_contains": FilterValue,
        "phone_number": FilterValue,
        "phone_number_contains": FilterValue,
        "vat_id": FilterValue,
        "vat_id_contains": FilterValue,
    },
    total=False,
)
IdentitySort = Literal[
    "birth_date",
    "-birth_date",
    "company_name",
    "-company_name",
    "company_reg_number",
    "-company_reg_number",
    "contact_email",
    "-contact_email",
    "created_at",
    "-created_at",
    "description",
    "-description",
    "external_reference_id",
    "-external_reference_id",
    "first_name",
    "-first_name",
    "id_number",
    "-id_number",
    "last_name",
    "-last_name",
    "personal_tax_id",
    "-personal_tax_id",
    "phone_number",
    "-phone_number",
    "vat_id",
    "-vat_id",
    "verified",
    "-verified",
]
IdentityInclude = Literal[
    "country",
    "birth_country",
    "proofs",
    "addresses",
    "permanent_documents",
    "proofs.proof_type",
    "addresses.country",
    "addresses.proofs",
    "permanent_documents.template",
]


@value
class Address(Resource):
    """A postal address of an identity. `verified`: DIDWW has accepted it."""

    type: ClassVar[str] = "addresses"
    walk_by: ClassVar[str | None] = "created_at"

    address: str = attribute()
    city_name: str = attribute()
    postal_code: str = attribute()
    description: str | None = attribute()
    external_reference_id: str | None = attribute()
    created_at: dt.datetime = attribute()
    verified: bool = attribute()
    identity: Identity | None = relationship()
    country: "Country | None" = relationship()
    area: "Area | None" = relationship()
    city: "City | None" = relationship()
    proofs: "tuple[Proof, ...]" = relationship()


@value
class AddressCreate(Input):
    """What POST /addresses takes. `address`: street and house number."""

    type: ClassVar[str] = "addresses"

    address: str
    city_name: str
    postal_code: str
    identity: str = required_relationship("identities")
    country: str = required_relationship("countries")
    description: str | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET


@value
class AddressUpdate(Input):
    """What PATCH /addresses/{id} takes; the identity and the country can't change."""

    type: ClassVar[str] = "addresses"

    address: str | Unset = UNSET
    city_name: str | Unset = UNSET
    postal_code: str | Unset = UNSET
    description: str | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET


AddressFilter = TypedDict(
    "AddressFilter",
    {
        "id": FilterValue,
        "address": FilterValue,
        "address_contains": FilterValue,
        "area.id": FilterValue,
        "city.id": FilterValue,
        "city_name": FilterValue,
        "city_name_contains": FilterValue,
        "country.id": FilterValue,
        "description": FilterValue,
        "description_contains": FilterValue,
        "external_reference_id": FilterValue,
        "identity.external_reference_id": FilterValue,
        "identity.id": FilterValue,
        "postal_code": FilterValue,
        "postal_code_contains": FilterValue,
    },
    total=False,
)
AddressSort = Literal[
    "address",
    "-address",
    "city_name",
    "-city_name",
    "created_at",
    "-created_at",
    "description",
    "-description",
    "external_reference_id",
    "-external_reference_id",
    "postal_code",
    "-postal_code",
    "verified",
    "-verified",
]
AddressInclude = Literal[
    "identity",
    "country",
    "area",
    "city",
    "proofs",
    "identity.country",
    "identity.proofs",
    "proofs.proof_type",
]

"""Address requirements, their validation, and address verifications."""

from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator import verifying
from didww_async.simulator.filters import texts
from didww_async.simulator.inputs import (
    Values,
    any_text,
    creating,
    field,
    link,
    links,
    reference,
    updating,
    url,
)
from didww_async.simulator.requiring import validate
from didww_async.simulator.resources import links as to
from didww_async.simulator.resources.columns import (
    CREATED_AT,
    NUMBER_TYPE,
    NUMBER_TYPE_FILTER,
    OWN_REFERENCE,
    OWN_REFERENCE_FILTER,
    OWN_REFERENCE_SORT,
    columns,
    exact,
    sorts,
    to_one,
)
from didww_async.simulator.schema import Attribute, Input, Relationship, Resource, column
from didww_async.simulator.spelling import (
    AREA_LEVELS,
    CALLBACK_METHODS,
    IDENTITY_TYPES,
    VERIFICATION_STATUSES,
)
from didww_async.simulator.versions import V2022, V2026

if TYPE_CHECKING:
    from didww_async.simulator.world import World

_AREA_LEVELS = ("personal_area_level", "business_area_level", "address_area_level")
_PROOF_QTYS = ("personal_proof_qty", "business_proof_qty", "address_proof_qty")
_DOCUMENTS = (
    "personal_permanent_document",
    "business_permanent_document",
    "personal_onetime_document",
    "business_onetime_document",
)
_PROOF_TYPES = {
    "personal_proof_types": "personal_proof_type_ids",
    "business_proof_types": "business_proof_type_ids",
    "address_proof_types": "address_proof_type_ids",
}


def _proof_types(ids: str) -> Any:
    read = column(ids)
    return lambda world, row: [world.regulation.proof_types[key] for key in read(world, row)]


ADDRESS_REQUIREMENTS = Resource(
    type="address_requirements",
    path="address_requirements",
    since=V2026,
    table=lambda world: world.regulation.address_requirements,
    attributes=(
        *IDENTITY_TYPES.attribute("identity_type"),
        *(part for name in _AREA_LEVELS for part in AREA_LEVELS.attribute(name)),
        *columns(
            *_PROOF_QTYS,
            "personal_mandatory_fields",
            "business_mandatory_fields",
            "service_description_required",
            "restriction_message",
        ),
    ),
    relationships=(
        to_one("country", "countries", lambda world: world.atlas.countries),
        NUMBER_TYPE,
        *(
            to_one(name, "supporting_document_templates", lambda world: world.regulation.templates)
            for name in _DOCUMENTS
        ),
        *(
            Relationship(name, type="proof_types", many=True, read=_proof_types(ids))
            for name, ids in _PROOF_TYPES.items()
        ),
    ),
    filters=(*exact("id", "country.id"), *NUMBER_TYPE_FILTER),
    sorts=sorts(*_PROOF_QTYS, "restriction_message", "service_description_required"),
)

REQUIREMENTS = attrs.evolve(
    ADDRESS_REQUIREMENTS, type="requirements", path="requirements", since=None, until=V2022
)


@attrs.frozen
class Checked:
    """A validation or something else that leaves nothing behind but its id."""

    id: str


def validation(
    type: str, requirement: Input, *, since: str | None = None, until: str | None = None
) -> Resource:
    """The resource whose creation checks an identity or an address against a requirement."""
    inputs = (
        requirement,
        link("identity", to.IDENTITIES, nullable=True),
        link("address", to.ADDRESSES, nullable=True),
    )
    [target] = requirement.targets

    def make(world: "World", values: Values) -> Checked:
        validate(world, values, target.table(world)[values[f"{requirement.name}_id"]])
        return Checked(world.new_id())

    return Resource(
        type=type,
        path=type,
        create=creating(inputs, make),
        creates=inputs,
        since=since,
        until=until,
    )


ADDRESS_REQUIREMENT_VALIDATIONS = validation(
    "address_requirement_validations",
    link("address_requirement", to.ADDRESS_REQUIREMENTS, required=True),
    since=V2026,
)
REQUIREMENT_VALIDATIONS = validation(
    "requirement_validations",
    link("requirement", to.REQUIREMENTS, required=True),
    until=V2022,
)

CALLBACK_INPUTS = (
    field("callback_url", url, nullable=True),
    *CALLBACK_METHODS.inputs("callback_method", nullable=True),
)
_NEW_VERIFICATION = (
    field("service_description", any_text, nullable=True),
    *CALLBACK_INPUTS,
    field("external_reference_id", reference, nullable=True, since=V2026),
    link("address", to.ADDRESSES, required=True),
    links("dids", to.DIDS, required=True),
    links("onetime_files", to.FILES),
)
CHANGED_REFERENCE = (field("external_reference_id", reference, nullable=True, since=V2026),)


def _old_reasons(_world: "World", row: Any) -> str | None:
    """2022-05-10 has the reasons as one text."""
    return None if row.reject_reasons is None else ", ".join(row.reject_reasons)


REJECTION = (
    Attribute("reject_reasons", read=_old_reasons, until=V2022),
    Attribute("reject_reasons", read=column("reject_reasons"), since=V2026),
    *columns("reject_comment", since=V2026),
)


def _identity_id(world: "World", row: Any) -> str | None:
    address = world.owned.addresses.get(row.address_id)
    return address.identity_id if address else None


def dids(world: "World", row: Any) -> list[Any]:
    return [world.dids[did_id] for did_id in row.did_ids if did_id in world.dids]


ADDRESS_VERIFICATIONS = Resource(
    type="address_verifications",
    path="address_verifications",
    table=lambda world: world.owned.address_verifications,
    create=creating(_NEW_VERIFICATION, verifying.submit),
    update=updating(CHANGED_REFERENCE, verifying.change_reference),
    creates=_NEW_VERIFICATION,
    updates=CHANGED_REFERENCE,
    attributes=(
        *columns("reference"),
        *VERIFICATION_STATUSES.attribute("status"),
        *REJECTION,
        *columns("service_description", "callback_url"),
        *CALLBACK_METHODS.attribute("callback_method"),
        OWN_REFERENCE,
        CREATED_AT,
    ),
    relationships=(
        to_one("address", "addresses", lambda world: world.owned.addresses),
        Relationship("dids", type="dids", many=True, read=dids),
    ),
    filters=(
        *exact("id", "address.id", "reference"),
        texts("reference_in", column("reference")),
        texts("address.identity.id", _identity_id),
        *VERIFICATION_STATUSES.filter("status"),
        OWN_REFERENCE_FILTER,
    ),
    sorts=(*sorts("created_at"), OWN_REFERENCE_SORT),
)

"""Emergency calling: requirements, their validation, services and verifications."""

from typing import TYPE_CHECKING, Any

from didww_async.simulator import emergency
from didww_async.simulator.filters import texts
from didww_async.simulator.inputs import creating, field, link, links, reference, updating
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
    written,
)
from didww_async.simulator.resources.regulation import (
    CALLBACK_INPUTS,
    CHANGED_REFERENCE,
    REJECTION,
    dids,
    validation,
)
from didww_async.simulator.schema import Relationship, Resource, Sort, column
from didww_async.simulator.spelling import CALLBACK_METHODS, VERIFICATION_STATUSES
from didww_async.simulator.text import decimal_text, time_text
from didww_async.simulator.versions import V2026

if TYPE_CHECKING:
    from didww_async.simulator.world import World

_COUNTRY = to_one("country", "countries", lambda world: world.atlas.countries)


def _prices(_world: "World", row: Any) -> dict[str, Any]:
    return {
        "setup_price": decimal_text(row.setup_price),
        "monthly_price": decimal_text(row.monthly_price),
    }


EMERGENCY_REQUIREMENTS = Resource(
    type="emergency_requirements",
    path="emergency_requirements",
    since=V2026,
    table=lambda world: world.regulation.emergency_requirements,
    attributes=columns(
        "identity_type",
        "personal_area_level",
        "business_area_level",
        "address_area_level",
        "personal_mandatory_fields",
        "business_mandatory_fields",
        "address_mandatory_fields",
        "estimate_setup_time",
        "requirement_restriction_message",
    ),
    relationships=(_COUNTRY, NUMBER_TYPE),
    meta=_prices,
    filters=(*exact("id", "country.id"), *NUMBER_TYPE_FILTER),
)

EMERGENCY_REQUIREMENT_VALIDATIONS = validation(
    "emergency_requirement_validations",
    link("emergency_requirement", to.EMERGENCY_REQUIREMENTS, required=True),
    since=V2026,
)


def _address_id(world: "World", row: Any) -> str:
    return world.owned.emergency_verifications[row.emergency_verification_id].address_id


def _identity_id(world: "World", row: Any) -> str | None:
    address = world.owned.addresses.get(_address_id(world, row))
    return address.identity_id if address else None


EMERGENCY_CALLING_SERVICES = Resource(
    type="emergency_calling_services",
    path="emergency_calling_services",
    since=V2026,
    table=lambda world: world.owned.emergency_services,
    delete=emergency.cancel,
    attributes=(
        *columns("name", "reference", "status"),
        written("activated_at", time_text),
        written("canceled_at", time_text),
        written("renew_date", str),
        CREATED_AT,
    ),
    relationships=(
        _COUNTRY,
        NUMBER_TYPE,
        to_one("order", "orders", lambda world: world.orders),
        to_one(
            "emergency_requirement",
            "emergency_requirements",
            lambda world: world.regulation.emergency_requirements,
        ),
        to_one(
            "emergency_verification",
            "emergency_verifications",
            lambda world: world.owned.emergency_verifications,
        ),
        Relationship("dids", type="dids", many=True, read=emergency.dids_of),
    ),
    meta=_prices,
    filters=(
        *exact("id", "name", "reference", "country.id"),
        *NUMBER_TYPE_FILTER,
        texts("status", column("status"), allowed=emergency.STATUSES),
        texts("address.id", _address_id),
        texts("identity.id", _identity_id),
    ),
    sorts=(
        Sort("country.name", read=lambda world, row: world.atlas.countries[row.country_id].name),
        *sorts("created_at", "name", "renew_date", "status"),
    ),
)

_NEW_VERIFICATION = (
    *CALLBACK_INPUTS,
    field("external_reference_id", reference, nullable=True),
    link("address", to.ADDRESSES, required=True),
    links("dids", to.DIDS),
    link("emergency_calling_service", to.EMERGENCY_CALLING_SERVICES),
)

EMERGENCY_VERIFICATIONS = Resource(
    type="emergency_verifications",
    path="emergency_verifications",
    since=V2026,
    table=lambda world: world.owned.emergency_verifications,
    create=creating(_NEW_VERIFICATION, emergency.submit),
    update=updating(CHANGED_REFERENCE, emergency.change_reference),
    creates=_NEW_VERIFICATION,
    updates=CHANGED_REFERENCE,
    attributes=(
        *columns("reference"),
        *VERIFICATION_STATUSES.attribute("status"),
        *REJECTION,
        *columns("callback_url"),
        *CALLBACK_METHODS.attribute("callback_method"),
        OWN_REFERENCE,
        CREATED_AT,
    ),
    relationships=(
        to_one("address", "addresses", lambda world: world.owned.addresses),
        to_one(
            "emergency_calling_service",
            "emergency_calling_services",
            lambda world: world.owned.emergency_services,
        ),
        Relationship("dids", type="dids", many=True, read=dids),
    ),
    filters=(
        *exact("id", "emergency_calling_service.id"),
        *VERIFICATION_STATUSES.filter("status"),
        OWN_REFERENCE_FILTER,
    ),
    sorts=(*sorts("created_at"), OWN_REFERENCE_SORT),
)

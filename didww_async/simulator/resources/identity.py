"""Identities and their addresses."""

from typing import Any

from didww_async.simulator import identities
from didww_async.simulator.coverage import CityRow
from didww_async.simulator.filters import texts
from didww_async.simulator.identities import Address, city_of
from didww_async.simulator.inputs import (
    any_text,
    creating,
    day,
    digits,
    field,
    link,
    reference,
    text,
    updating,
)
from didww_async.simulator.resources import links as to
from didww_async.simulator.resources.columns import (
    CREATED_AT,
    columns,
    exact,
    searched,
    sorts,
    to_one,
    written,
)
from didww_async.simulator.schema import Relationship, Resource
from didww_async.simulator.spelling import IDENTITY_TYPES, capitalised
from didww_async.simulator.versions import V2026


def _owned_by(table: str, column_name: str) -> Any:
    """Read the records of a table that name this record."""
    return lambda world, record: [
        row
        for row in getattr(world.owned, table).values()
        if getattr(row, column_name) == record.id
    ]


def _countries(world: Any) -> Any:
    return world.atlas.countries


def _identities(world: Any) -> Any:
    return world.owned.identities


# Identities

_IDENTITY_TEXTS = (
    "company_name",
    "company_reg_number",
    "vat_id",
    "id_number",
    "personal_tax_id",
    "description",
)
_IDENTITY_CHANGES = (
    field("phone_number", digits),
    field("contact_email", any_text, nullable=True),
    *(field(name, any_text, nullable=True) for name in _IDENTITY_TEXTS),
    field("birth_date", day, nullable=True),
    field("external_reference_id", reference, nullable=True),
    link("country", to.COUNTRIES, nullable=True),
    link("birth_country", to.COUNTRIES, nullable=True, since=V2026),
)
_NEW_IDENTITY = (
    *capitalised("personal", "business").inputs("identity_type", required=True),
    field("first_name", text, required=True),
    field("last_name", text, required=True),
    field("phone_number", digits, required=True),
    *_IDENTITY_CHANGES[1:],
)
_CHANGED_IDENTITY = (
    field("first_name", text),
    field("last_name", text),
    *_IDENTITY_CHANGES,
)

IDENTITIES = Resource(
    type="identities",
    path="identities",
    table=lambda world: world.owned.identities,
    create=creating(_NEW_IDENTITY, identities.make_identity),
    update=updating(_CHANGED_IDENTITY, identities.change_identity),
    delete=identities.delete_identity,
    creates=_NEW_IDENTITY,
    updates=_CHANGED_IDENTITY,
    attributes=(
        *IDENTITY_TYPES.attribute("identity_type"),
        *columns("first_name", "last_name", "phone_number", "contact_email", *_IDENTITY_TEXTS),
        written("birth_date", str),
        *columns("external_reference_id"),
        CREATED_AT,
        *columns("verified"),
    ),
    relationships=(
        to_one("country", "countries", _countries),
        to_one("birth_country", "countries", _countries, since=V2026),
        Relationship("proofs", type="proofs", many=True, read=_owned_by("proofs", "entity_id")),
        Relationship(
            "addresses", type="addresses", many=True, read=_owned_by("addresses", "identity_id")
        ),
        Relationship(
            "permanent_documents",
            type="permanent_supporting_documents",
            many=True,
            read=_owned_by("permanent_documents", "identity_id"),
        ),
    ),
    filters=(
        *exact("id", "country.id", "external_reference_id"),
        texts("birth_date", lambda _world, row: row.birth_date and str(row.birth_date)),
        *IDENTITY_TYPES.filter("identity_type"),
        *searched("first_name", "last_name", "phone_number", *_IDENTITY_TEXTS),
    ),
    sorts=sorts(
        "first_name",
        "last_name",
        "phone_number",
        "contact_email",
        *_IDENTITY_TEXTS,
        "birth_date",
        "created_at",
        "external_reference_id",
        "verified",
    ),
)

# Addresses

_ADDRESS_TEXTS = ("address", "city_name", "postal_code")
_ADDRESS_NOTES = (
    field("description", any_text, nullable=True),
    field("external_reference_id", reference, nullable=True),
)
_NEW_ADDRESS = (
    *(field(name, text, required=True) for name in _ADDRESS_TEXTS),
    *_ADDRESS_NOTES,
    link("identity", to.IDENTITIES, required=True),
    link("country", to.COUNTRIES, required=True),
)
_CHANGED_ADDRESS = (*(field(name, text) for name in _ADDRESS_TEXTS), *_ADDRESS_NOTES)


def _area(world: Any, row: Address) -> Any:
    city: CityRow | None = city_of(world, row)
    return world.atlas.areas.get(city.area_id or "") if city else None


def _area_id(world: Any, row: Address) -> str | None:
    city = city_of(world, row)
    return city.area_id if city else None


def _city_id(world: Any, row: Address) -> str | None:
    city = city_of(world, row)
    return city.id if city else None


ADDRESSES = Resource(
    type="addresses",
    path="addresses",
    table=lambda world: world.owned.addresses,
    create=creating(_NEW_ADDRESS, identities.make_address),
    update=updating(_CHANGED_ADDRESS, identities.change_address),
    delete=identities.delete_address,
    creates=_NEW_ADDRESS,
    updates=_CHANGED_ADDRESS,
    attributes=(
        *columns(*_ADDRESS_TEXTS, "description", "external_reference_id"),
        CREATED_AT,
        *columns("verified"),
    ),
    relationships=(
        to_one("identity", "identities", _identities),
        to_one("country", "countries", _countries),
        Relationship("area", type="areas", read=_area),
        Relationship("city", type="cities", read=city_of),
        Relationship("proofs", type="proofs", many=True, read=_owned_by("proofs", "entity_id")),
    ),
    filters=(
        *exact("id", "identity.id", "country.id", "external_reference_id"),
        texts(
            "identity.external_reference_id",
            lambda world, row: world.owned.identities[row.identity_id].external_reference_id,
        ),
        texts("city.id", _city_id),
        texts("area.id", _area_id),
        *searched(*_ADDRESS_TEXTS, "description"),
    ),
    sorts=sorts(*_ADDRESS_TEXTS, "description", "external_reference_id", "created_at", "verified"),
)

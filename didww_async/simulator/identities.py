"""Identities and their addresses: the persons and companies that numbers are registered to."""

from datetime import date, datetime
from typing import TYPE_CHECKING

import attrs

from didww_async.simulator.errors import in_use, unprocessable
from didww_async.simulator.inputs import Values

if TYPE_CHECKING:
    from didww_async.simulator.coverage import CityRow
    from didww_async.simulator.world import World


@attrs.frozen(kw_only=True)
class Identity:
    id: str
    created_at: datetime
    identity_type: str
    first_name: str
    last_name: str
    phone_number: str
    contact_email: str | None = None
    company_name: str | None = None
    company_reg_number: str | None = None
    vat_id: str | None = None
    id_number: str | None = None
    personal_tax_id: str | None = None
    birth_date: date | None = None
    description: str | None = None
    external_reference_id: str | None = None
    country_id: str | None = None
    birth_country_id: str | None = None
    verified: bool = False


@attrs.frozen(kw_only=True)
class Address:
    id: str
    created_at: datetime
    address: str
    city_name: str
    postal_code: str
    identity_id: str
    country_id: str
    description: str | None = None
    external_reference_id: str | None = None
    verified: bool = False


def make_identity(world: "World", values: Values) -> Identity:
    identity = Identity(id=world.new_id(), created_at=world.now(), **values)
    _check_company(identity)
    world.owned.identities[identity.id] = identity
    return identity


def change_identity(world: "World", identity: Identity, values: Values) -> Identity:
    changed = attrs.evolve(identity, **values)
    _check_company(changed)
    world.owned.identities[changed.id] = changed
    return changed


def delete_identity(world: "World", identity: Identity) -> None:
    """Delete an identity and all that is its own, unless a verification needs an address."""
    addresses = addresses_of(world, identity)
    for address in addresses:
        _refuse_in_use(world, address, what="identity")
    for address in addresses:
        delete_address(world, address)
    _delete_proofs(world, identity.id)
    for document in list(world.owned.permanent_documents.values()):
        if document.identity_id == identity.id:
            del world.owned.permanent_documents[document.id]
    del world.owned.identities[identity.id]


def make_address(world: "World", values: Values) -> Address:
    address = Address(id=world.new_id(), created_at=world.now(), **values)
    world.owned.addresses[address.id] = address
    return address


def change_address(world: "World", address: Address, values: Values) -> Address:
    changed = attrs.evolve(address, **values)
    world.owned.addresses[changed.id] = changed
    return changed


def delete_address(world: "World", address: Address) -> None:
    """Delete an address with its proofs, unless a verification needs it."""
    _refuse_in_use(world, address, what="address")
    _delete_proofs(world, address.id)
    del world.owned.addresses[address.id]


def addresses_of(world: "World", identity: Identity) -> list[Address]:
    return [row for row in world.owned.addresses.values() if row.identity_id == identity.id]


def city_of(world: "World", address: Address) -> "CityRow | None":
    """The city that an address names, if coverage knows it."""
    named = world.atlas.cities_by_name.get(address.city_name.strip().casefold(), ())
    return next((city for city in named if city.country_id == address.country_id), None)


def _check_company(identity: Identity) -> None:
    if identity.identity_type == "business" and not identity.company_name:
        raise unprocessable("/data/attributes/company_name", "can't be blank")


def _refuse_in_use(world: "World", address: Address, *, what: str) -> None:
    owned = world.owned
    for verification in owned.address_verifications.values():
        if verification.address_id == address.id and verification.status != "rejected":
            raise in_use(what, f"address verification {verification.reference}")
    for service in owned.emergency_services.values():
        current = owned.emergency_verifications[service.emergency_verification_id]
        if current.address_id == address.id and service.status != "canceled":
            raise in_use(what, f"emergency calling service {service.reference}")


def _delete_proofs(world: "World", entity_id: str) -> None:
    for proof in list(world.owned.proofs.values()):
        if proof.entity_id == entity_id:
            del world.owned.proofs[proof.id]

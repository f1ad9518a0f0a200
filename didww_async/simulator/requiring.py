"""Comparing an identity and an address with what a requirement asks for."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.errors import Problem, RefusedError, invalid
from didww_async.simulator.identities import Address, Identity, city_of
from didww_async.simulator.inputs import Values
from didww_async.simulator.regulation import AddressRequirement, EmergencyRequirement

if TYPE_CHECKING:
    from didww_async.simulator.world import World

_IDENTITY = "/data/relationships/identity"
_ADDRESS = "/data/relationships/address"
_LABELS = {
    "Birth date": "birth_date",
    "Company registration number": "company_reg_number",
}
"""Emergency requirements name fields as a person would."""

Requirement = AddressRequirement | EmergencyRequirement


def validate(world: "World", values: Values, requirement: Requirement) -> None:
    """Refuse with everything that is missing. Nothing is kept."""
    identity = world.owned.identities.get(values.get("identity_id") or "")
    address = world.owned.addresses.get(values.get("address_id") or "")
    if identity is None and address is None:
        raise RefusedError(
            422, invalid(_IDENTITY, "can't be blank"), invalid(_ADDRESS, "can't be blank")
        )
    if identity and address and address.identity_id != identity.id:
        raise RefusedError(422, invalid(_ADDRESS, "does not belong to the identity"))
    problems: list[Problem] = []
    if identity is not None:
        problems += _identity_problems(world, identity, requirement)
    if address is not None:
        problems += _address_problems(world, address, requirement)
    if problems:
        raise RefusedError(422, *problems)


def problems_with(world: "World", address: Address, requirement: Requirement) -> list[Problem]:
    """What an address and its identity lack."""
    identity = world.owned.identities[address.identity_id]
    return [
        *_identity_problems(world, identity, requirement),
        *_address_problems(world, address, requirement),
    ]


def _identity_problems(
    world: "World", identity: Identity, requirement: Requirement
) -> Iterable[Problem]:
    kind = identity.identity_type
    if requirement.identity_type not in {"any", kind}:
        yield invalid(_IDENTITY, f"must be {requirement.identity_type}")
        return
    asked = _of_kind(requirement, kind)
    if asked["area_level"] is None:
        yield invalid(_IDENTITY, f"must not be {kind}")
    if asked["area_level"] == "country" and identity.country_id != requirement.country_id:
        yield invalid(_IDENTITY, "country is not accepted")
    for name in asked["mandatory_fields"] or ():
        column = {"birth_country": "birth_country_id", "country": "country_id"}.get(name, name)
        if getattr(identity, _LABELS.get(column, column)) is None:
            yield invalid(_IDENTITY, f"{_LABELS.get(name, name)} can't be blank")
    if isinstance(requirement, EmergencyRequirement):
        return
    found = _proofs_of(world, identity.id, asked["proof_type_ids"])
    if found < asked["proof_qty"]:
        yield invalid(_IDENTITY, f"needs {asked['proof_qty']} proofs, has {found}")
    template_id = asked["permanent_document_id"]
    if template_id is not None and not any(
        document.identity_id == identity.id and document.template_id == template_id
        for document in world.owned.permanent_documents.values()
    ):
        name = world.regulation.templates[template_id].name
        yield invalid(_IDENTITY, f"needs the permanent document {name}")


def _address_problems(
    world: "World", address: Address, requirement: Requirement
) -> Iterable[Problem]:
    level = requirement.address_area_level
    if level != "world_wide" and address.country_id != requirement.country_id:
        yield invalid(_ADDRESS, "country is not accepted")
    elif level in {"area", "city"} and city_of(world, address) is None:
        yield invalid(_ADDRESS, "city is not accepted")
    if isinstance(requirement, EmergencyRequirement):
        return
    found = _proofs_of(world, address.id, requirement.address_proof_type_ids)
    if found < requirement.address_proof_qty:
        yield invalid(_ADDRESS, f"needs {requirement.address_proof_qty} proofs, has {found}")


def _of_kind(requirement: Requirement, kind: str) -> Mapping[str, Any]:
    """What is asked of a kind of identity, without the kind in the names."""
    start = f"{kind}_"
    fields = attrs.asdict(requirement, recurse=False)
    return {
        name.removeprefix(start): value for name, value in fields.items() if name.startswith(start)
    }


def _proofs_of(world: "World", entity_id: str, type_ids: Iterable[str]) -> int:
    wanted = set(type_ids)
    return sum(
        proof.entity_id == entity_id and proof.proof_type_id in wanted
        for proof in world.owned.proofs.values()
    )

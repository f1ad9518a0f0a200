"""Proofs and permanent documents: uploaded files that say what they prove, and of whom."""

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from didww_async.simulator.errors import unprocessable
from didww_async.simulator.inputs import Values

if TYPE_CHECKING:
    from didww_async.simulator.identities import Address, Identity
    from didww_async.simulator.world import World


@attrs.frozen(kw_only=True)
class Proof:
    id: str
    created_at: datetime
    proof_type_id: str
    entity_id: str
    file_ids: tuple[str, ...]
    external_reference_id: str | None = None
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True)
class PermanentDocument:
    id: str
    created_at: datetime
    template_id: str
    identity_id: str
    file_ids: tuple[str, ...]
    external_reference_id: str | None = None


def make_proof(world: "World", values: Values) -> Proof:
    """Keep a proof. The files are copied: that they lapse later does not matter."""
    values["file_ids"] = values.pop("files_ids")
    proof = Proof(id=world.new_id(), created_at=world.now(), **values)
    proves = world.regulation.proof_types[proof.proof_type_id].entity_type
    identity = world.owned.identities.get(proof.entity_id)
    fits = proves == ("Address" if identity is None else identity.identity_type.capitalize())
    if not fits:
        raise unprocessable("/data/relationships/proof_type", "does not fit the entity")
    world.owned.proofs[proof.id] = proof
    return proof


def change_proof(world: "World", proof: Proof, values: Values) -> Proof:
    changed = attrs.evolve(proof, **values)
    world.owned.proofs[changed.id] = changed
    return changed


def entity_of(world: "World", proof: Proof) -> "Identity | Address":
    return world.owned.identities.get(proof.entity_id) or world.owned.addresses[proof.entity_id]


def make_document(world: "World", values: Values) -> PermanentDocument:
    values["file_ids"] = values.pop("files_ids")
    document = PermanentDocument(id=world.new_id(), created_at=world.now(), **values)
    _check_template(world, document)
    world.owned.permanent_documents[document.id] = document
    return document


def change_document(
    world: "World", document: PermanentDocument, values: Values
) -> PermanentDocument:
    if "files_ids" in values:
        values["file_ids"] = values.pop("files_ids")
    changed = attrs.evolve(document, **values)
    _check_template(world, changed)
    world.owned.permanent_documents[changed.id] = changed
    return changed


def _check_template(world: "World", document: PermanentDocument) -> None:
    if not world.regulation.templates[document.template_id].permanent:
        raise unprocessable("/data/relationships/template", "is not permanent")

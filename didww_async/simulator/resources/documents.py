"""Proofs, permanent documents, and the files they are made of."""

from didww_async.simulator import documents
from didww_async.simulator.filters import flag
from didww_async.simulator.identities import Address
from didww_async.simulator.inputs import (
    creating,
    field,
    link,
    links,
    reference,
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
from didww_async.simulator.schema import Attribute, Relationship, Resource, Sort, column
from didww_async.simulator.text import old_time_text, time_text
from didww_async.simulator.uploading import live_files, upload
from didww_async.simulator.versions import V2022, V2026

# Proofs and permanent documents

PROOF_TYPES = Resource(
    type="proof_types",
    path="proof_types",
    table=lambda world: world.regulation.proof_types,
    paging=None,
    attributes=columns("name", "entity_type"),
    filters=exact("id", "entity_type"),
    sorts=sorts("name", "entity_type"),
)

_NEW_PROOF = (
    field("external_reference_id", reference),
    link("proof_type", to.PROOF_TYPES, required=True),
    link("entity", to.IDENTITIES, to.ADDRESSES, required=True),
    links("files", to.FILES, required=True),
)
_CHANGED_PROOF = (field("external_reference_id", reference, nullable=True),)

PROOFS = Resource(
    type="proofs",
    path="proofs",
    table=lambda world: world.owned.proofs,
    create=creating(_NEW_PROOF, documents.make_proof),
    update=updating(_CHANGED_PROOF, documents.change_proof),
    delete=lambda world, proof: world.owned.proofs.__delitem__(proof.id),
    creates=_NEW_PROOF,
    updates=_CHANGED_PROOF,
    attributes=(
        CREATED_AT,
        written("expires_at", time_text),
        *columns("external_reference_id"),
    ),
    relationships=(
        to_one("proof_type", "proof_types", lambda world: world.regulation.proof_types),
        Relationship(
            "entity",
            type="identities",
            others=("addresses",),
            type_of=lambda record: "addresses" if isinstance(record, Address) else "identities",
            read=documents.entity_of,
        ),
    ),
    filters=exact("id", "external_reference_id"),
    sorts=sorts("created_at", "expires_at", "external_reference_id"),
)

SUPPORTING_DOCUMENT_TEMPLATES = Resource(
    type="supporting_document_templates",
    path="supporting_document_templates",
    table=lambda world: world.regulation.templates,
    attributes=columns("name", "permanent", "url"),
    filters=(
        *exact("id"),
        *searched("name"),
        flag("permanent", column("permanent")),
    ),
    sorts=sorts("name", "permanent"),
)

_NEW_DOCUMENT = (
    field("external_reference_id", reference),
    link("template", to.TEMPLATES, required=True),
    link("identity", to.IDENTITIES, required=True),
    links("files", to.FILES, required=True),
)
_CHANGED_DOCUMENT = (
    field("external_reference_id", reference, nullable=True),
    link("template", to.TEMPLATES),
    link("identity", to.IDENTITIES),
    links("files", to.FILES),
)

PERMANENT_SUPPORTING_DOCUMENTS = Resource(
    type="permanent_supporting_documents",
    path="permanent_supporting_documents",
    table=lambda world: world.owned.permanent_documents,
    create=creating(_NEW_DOCUMENT, documents.make_document),
    update=updating(_CHANGED_DOCUMENT, documents.change_document),
    delete=lambda world, document: world.owned.permanent_documents.__delitem__(document.id),
    creates=_NEW_DOCUMENT,
    updates=_CHANGED_DOCUMENT,
    attributes=(CREATED_AT, *columns("external_reference_id")),
    relationships=(
        to_one(
            "template", "supporting_document_templates", lambda world: world.regulation.templates
        ),
        to_one("identity", "identities", lambda world: world.owned.identities),
    ),
    filters=exact("id", "external_reference_id"),
    sorts=sorts("created_at", "external_reference_id"),
)

# Files

PUBLIC_KEYS = Resource(
    type="public_keys",
    path="public_keys",
    all=lambda world: world.public_keys,
    is_public=True,
    bare=True,
    paging=None,
    attributes=columns("key"),
    filters=exact("id"),
    sorts=sorts("key"),
)

ENCRYPTED_FILES = Resource(
    type="encrypted_files",
    path="encrypted_files",
    table=live_files,
    upload=upload,
    delete=lambda world, file: world.owned.files.__delitem__(file.id),
    attributes=(
        *columns("description"),
        Attribute("expire_at", read=lambda _world, row: old_time_text(row.expires_at), until=V2022),
        Attribute("expires_at", read=lambda _world, row: time_text(row.expires_at), since=V2026),
    ),
    filters=exact("id"),
    sorts=(
        *sorts("description"),
        Sort("expire_at", read=column("expires_at")),
        Sort("expires_at", read=column("expires_at"), since=V2026),
    ),
)

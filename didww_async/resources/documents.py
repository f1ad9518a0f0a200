"""Documents: proofs of identities and addresses, and forms to fill in.

Files are encrypted and uploaded first (`files`); a proof or document then takes them by id.
Source: doc.didww.com/api3, proof_types, proofs, supporting_document_templates,
permanent_supporting_documents.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar, Literal, TypedDict

from didww_async.resources.base import (
    Resource,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.identity import Address, Identity
from didww_async.resources.inputs import Input
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

__all__ = [
    "PermanentSupportingDocument",
    "PermanentSupportingDocumentCreate",
    "PermanentSupportingDocumentFilter",
    "PermanentSupportingDocumentInclude",
    "PermanentSupportingDocumentSort",
    "PermanentSupportingDocumentUpdate",
    "Proof",
    "ProofCreate",
    "ProofEntityType",
    "ProofFilter",
    "ProofInclude",
    "ProofSort",
    "ProofType",
    "ProofTypeFilter",
    "ProofTypeSort",
    "ProofUpdate",
    "SupportingDocumentTemplate",
    "SupportingDocumentTemplateFilter",
    "SupportingDocumentTemplateSort",
]


class ProofEntityType(OpenEnum):
    """What a kind of document proves."""

    ADDRESS = "Address"
    BUSINESS = "Business"
    PERSONAL = "Personal"
    PORTING = "Porting"


@value
class ProofType(Resource):
    """A kind of document that is accepted as proof, such as a passport."""

    type: ClassVar[str] = "proof_types"
    paged: ClassVar[bool] = False

    name: str = attribute()
    entity_type: ProofEntityType = attribute()


class ProofTypeFilter(TypedDict, total=False):
    """Filters of GET /proof_types."""

    id: FilterValue
    entity_type: FilterValue


ProofTypeSort = Literal["entity_type", "-entity_type", "name", "-name"]


@value
class SupportingDocumentTemplate(Resource):
    """A blank form to fill in, at `url`.

    `permanent`: kept with the identity (`PermanentSupportingDocument`); otherwise it goes with one
    address verification, as one of its `onetime_files`.
    """

    type: ClassVar[str] = "supporting_document_templates"
    walk_by: ClassVar[str | None] = "name"

    name: str = attribute()
    permanent: bool = attribute()
    url: str = attribute()


class SupportingDocumentTemplateFilter(TypedDict, total=False):
    """Filters of GET /supporting_document_templates."""

    id: FilterValue
    name: FilterValue
    name_contains: FilterValue
    permanent: bool


SupportingDocumentTemplateSort = Literal["name", "-name", "permanent", "-permanent"]


@value
class Proof(Resource):
    """A document that proves an identity or an address. `expires_at` None: it does not expire."""

    type: ClassVar[str] = "proofs"
    walk_by: ClassVar[str | None] = "created_at"

    created_at: dt.datetime = attribute()
    expires_at: dt.datetime | None = attribute()
    external_reference_id: str | None = attribute()
    proof_type: ProofType | None = relationship()
    entity: Identity | Address | None = relationship()


@value
class ProofCreate(Input):
    """What POST /proofs takes.

    `entity`: the identity or address itself; `Identity(id=...)` or `Address(id=...)` is enough. It
    must be what the proof type proves. `files`: encrypted files; they are copied and used up.
    """

    type: ClassVar[str] = "proofs"

    proof_type: str = required_relationship("proof_types")
    entity: Identity | Address = required_relationship()
    files: Sequence[str] = required_relationship("encrypted_files")
    external_reference_id: str | Unset = UNSET


@value
class ProofUpdate(Input):
    """What PATCH /proofs/{id} takes: the external reference only."""

    type: ClassVar[str] = "proofs"

    external_reference_id: str


class ProofFilter(TypedDict, total=False):
    """Filters of GET /proofs."""

    id: FilterValue
    external_reference_id: FilterValue


ProofSort = Literal[
    "created_at",
    "-created_at",
    "expires_at",
    "-expires_at",
    "external_reference_id",
    "-external_reference_id",
]
ProofInclude = Literal["proof_type", "entity"]


@value
class PermanentSupportingDocument(Resource):
    """A filled-in form that is kept with an identity."""

    type: ClassVar[str] = "permanent_supporting_documents"
    walk_by: ClassVar[str | None] = "created_at"

    created_at: dt.datetime = attribute()
    external_reference_id: str | None = attribute()
    template: SupportingDocumentTemplate | None = relationship()
    identity: Identity | None = relationship()


@value
class PermanentSupportingDocumentCreate(Input):
    """What POST /permanent_supporting_documents takes; `files` are encrypted files."""

    type: ClassVar[str] = "permanent_supporting_documents"

    template: str = required_relationship("supporting_document_templates")
    identity: str = required_relationship("identities")
    files: Sequence[str] = required_relationship("encrypted_files")
    external_reference_id: str | Unset = UNSET


@value
class PermanentSupportingDocumentUpdate(Input):
    """What PATCH /permanent_supporting_documents/{id} takes; `files` replace the document."""

    type: ClassVar[str] = "permanent_supporting_documents"

    external_reference_id: str | Unset = UNSET
    template: str | Unset = relationship("supporting_document_templates")
    identity: str | Unset = relationship("identities")
    files: Sequence[str] | Unset = relationship("encrypted_files")


class PermanentSupportingDocumentFilter(TypedDict, total=False):
    """Filters of GET /permanent_supporting_documents."""

    id: FilterValue
    external_reference_id: FilterValue


PermanentSupportingDocumentSort = Literal[
    "created_at", "-created_at", "external_reference_id", "-external_reference_id"
]
PermanentSupportingDocumentInclude = Literal["template", "identity"]

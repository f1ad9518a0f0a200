"""What the account owns besides orders, numbers and reservations: a table per resource, by id."""

import attrs

from didww_async.simulator.documents import PermanentDocument, Proof
from didww_async.simulator.identities import Address, Identity
from didww_async.simulator.uploading import EncryptedFile
from didww_async.simulator.verifying import AddressVerification


@attrs.define(eq=False)
class Belongings:
    identities: dict[str, Identity] = attrs.field(factory=dict)
    addresses: dict[str, Address] = attrs.field(factory=dict)
    proofs: dict[str, Proof] = attrs.field(factory=dict)
    permanent_documents: dict[str, PermanentDocument] = attrs.field(factory=dict)
    files: dict[str, EncryptedFile] = attrs.field(factory=dict)
    address_verifications: dict[str, AddressVerification] = attrs.field(factory=dict)

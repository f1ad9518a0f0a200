"""What the account owns besides orders, numbers and reservations: a table per resource, by id."""

import attrs

from didww_async.simulator.capacity import CapacityPool, SharedCapacityGroup
from didww_async.simulator.documents import PermanentDocument, Proof
from didww_async.simulator.emergency import EmergencyService, EmergencyVerification
from didww_async.simulator.exporting import Export
from didww_async.simulator.history import HistoryEntry
from didww_async.simulator.identities import Address, Identity
from didww_async.simulator.outgoing import OutTrunk
from didww_async.simulator.trunks import InTrunk, InTrunkGroup
from didww_async.simulator.uploading import EncryptedFile
from didww_async.simulator.verifying import AddressVerification


@attrs.define(eq=False, kw_only=True)
class Belongings:
    capacity_pools: dict[str, CapacityPool]
    shared_capacity_groups: dict[str, SharedCapacityGroup] = attrs.field(factory=dict)
    identities: dict[str, Identity] = attrs.field(factory=dict)
    addresses: dict[str, Address] = attrs.field(factory=dict)
    proofs: dict[str, Proof] = attrs.field(factory=dict)
    permanent_documents: dict[str, PermanentDocument] = attrs.field(factory=dict)
    files: dict[str, EncryptedFile] = attrs.field(factory=dict)
    address_verifications: dict[str, AddressVerification] = attrs.field(factory=dict)
    emergency_services: dict[str, EmergencyService] = attrs.field(factory=dict)
    emergency_verifications: dict[str, EmergencyVerification] = attrs.field(factory=dict)
    in_trunks: dict[str, InTrunk] = attrs.field(factory=dict)
    in_trunk_groups: dict[str, InTrunkGroup] = attrs.field(factory=dict)
    out_trunks: dict[str, OutTrunk] = attrs.field(factory=dict)
    exports: dict[str, Export] = attrs.field(factory=dict)
    history: dict[str, HistoryEntry] = attrs.field(factory=dict)

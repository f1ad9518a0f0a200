"""The API's collections, one line each; a collection opens when it is first used."""

# ruff: noqa: F403, F405 - the lines below name nearly everything there is in resources

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from didww_async import resources

if TYPE_CHECKING:
    from didww_async import downloads, prepared, uploads
    from didww_async.channel import Channel
    from didww_async.collection import (
        Creates,
        Lists,
        ListsWithoutKey,
        Reads,
        ReadsCreatesDeletes,
        ReadsCreatesUpdates,
        ReadsDeletes,
        ReadsUpdates,
        ReadsWrites,
        Singleton,
    )
    from didww_async.resources.account import *
    from didww_async.resources.capacity import *
    from didww_async.resources.coverage import *
    from didww_async.resources.documents import *
    from didww_async.resources.emergency import *
    from didww_async.resources.exports import *
    from didww_async.resources.files import *
    from didww_async.resources.identity import *
    from didww_async.resources.inventory import *
    from didww_async.resources.numbers import *
    from didww_async.resources.orders import *
    from didww_async.resources.regulation import *
    from didww_async.resources.sip import *
    from didww_async.resources.voice_in import *
    from didww_async.resources.voice_out import *

__all__ = ["Api"]

LINE = re.compile(r"((?P<module>\w+)\.)?(?P<operations>\w+)\[(?P<resource>\w+)[],]")
A = TypeVar("A", bound="type[Api]")


class _Opening:
    """Makes a collection the first time it is asked for; from then on it is the client's own."""

    def __init__(self, name: str, line: str) -> None:
        found = LINE.match(line)
        if found is None:
            raise TypeError(f"{name}: operations[resource, ...] expected, not {line}")
        self._name = name
        self._module = found["module"] or "collection"
        self._operations = found["operations"]
        self._resource = found["resource"]

    def __get__(self, api: Api | None, owner: type[Api]) -> Any:
        if api is None:
            return self
        operations = getattr(import_module(f"didww_async.{self._module}"), self._operations)
        opened = operations(api._channel(), getattr(resources, self._resource), path=self._name)  # noqa: SLF001 - its own
        vars(api)[self._name] = opened
        return opened


def _opened_on_use(cls: A) -> A:
    for name, line in cls.__annotations__.items():
        setattr(cls, name, _Opening(name, line))
    return cls


@_opened_on_use
class Api:
    """What DIDWW lets an account do: `collection: operations[resource, filter, sort, include]`.

    `create` and `update` take what is named behind these four.
    """

    # What can be bought
    countries: Reads[Country, CountryFilter, CountrySort, CountryInclude]
    regions: Reads[Region, RegionFilter, RegionSort, RegionInclude]
    cities: Reads[City, CityFilter, CitySort, CityInclude]
    areas: Reads[Area, AreaFilter, AreaSort, AreaInclude]
    nanpa_prefixes: Reads[NanpaPrefix, NanpaPrefixFilter, NanpaPrefixSort, NanpaPrefixInclude]
    did_group_types: Reads[DidGroupType, DidGroupTypeFilter, DidGroupTypeSort, NothingToInclude]
    did_groups: Reads[DidGroup, DidGroupFilter, DidGroupSort, DidGroupInclude]
    available_dids: Reads[AvailableDid, AvailableDidFilter, AvailableDidSort, AvailableDidInclude]

    # Buying, and what was bought
    balance: Singleton[Balance]
    did_reservations: ReadsCreatesDeletes[
        DidReservation,
        DidReservationFilter,
        DidReservationSort,
        DidReservationInclude,
        DidReservationCreate,
    ]
    orders: prepared.Orders[
        Order, OrderFilter, OrderSort, NothingToInclude, OrderCreate, OrderUpdate
    ]
    dids: ReadsUpdates[Did, DidFilter, DidSort, DidInclude, DidUpdate]
    did_history: Reads[DidHistory, DidHistoryFilter, DidHistorySort, NothingToInclude]
    capacity_pools: ReadsUpdates[
        CapacityPool, CapacityPoolFilter, CapacityPoolSort, CapacityPoolInclude, CapacityPoolUpdate
    ]
    shared_capacity_groups: ReadsWrites[
        SharedCapacityGroup,
        SharedCapacityGroupFilter,
        SharedCapacityGroupSort,
        SharedCapacityGroupInclude,
        SharedCapacityGroupCreate,
        SharedCapacityGroupUpdate,
    ]

    # Voice
    pops: Lists[Pop, PopFilter, NothingToSortBy, NothingToInclude]
    voice_in_trunks: ReadsWrites[
        VoiceInTrunk,
        VoiceInTrunkFilter,
        VoiceInTrunkSort,
        VoiceInTrunkInclude,
        VoiceInTrunkCreate,
        VoiceInTrunkUpdate,
    ]
    voice_in_trunk_groups: ReadsWrites[
        VoiceInTrunkGroup,
        VoiceInTrunkGroupFilter,
        VoiceInTrunkGroupSort,
        VoiceInTrunkGroupInclude,
        VoiceInTrunkGroupCreate,
        VoiceInTrunkGroupUpdate,
    ]
    voice_out_trunks: ReadsWrites[
        VoiceOutTrunk,
        VoiceOutTrunkFilter,
        VoiceOutTrunkSort,
        VoiceOutTrunkInclude,
        VoiceOutTrunkCreate,
        VoiceOutTrunkUpdate,
    ]
    voice_out_trunk_regenerate_credentials: Creates[
        VoiceOutTrunkRegenerateCredential, VoiceOutTrunkRegenerateCredentialCreate
    ]

    # Identities, addresses, documents
    identities: ReadsWrites[
        Identity, IdentityFilter, IdentitySort, IdentityInclude, IdentityCreate, IdentityUpdate
    ]
    addresses: ReadsWrites[
        Address, AddressFilter, AddressSort, AddressInclude, AddressCreate, AddressUpdate
    ]
    address_requirements: Reads[
        AddressRequirement,
        AddressRequirementFilter,
        AddressRequirementSort,
        AddressRequirementInclude,
    ]
    address_requirement_validations: Creates[
        AddressRequirementValidation, AddressRequirementValidationCreate
    ]
    address_verifications: ReadsCreatesUpdates[
        AddressVerification,
        AddressVerificationFilter,
        AddressVerificationSort,
        AddressVerificationInclude,
        AddressVerificationCreate,
        AddressVerificationUpdate,
    ]
    proof_types: Reads[ProofType, ProofTypeFilter, ProofTypeSort, NothingToInclude]
    proofs: ReadsWrites[Proof, ProofFilter, ProofSort, ProofInclude, ProofCreate, ProofUpdate]
    supporting_document_templates: Reads[
        SupportingDocumentTemplate,
        SupportingDocumentTemplateFilter,
        SupportingDocumentTemplateSort,
        NothingToInclude,
    ]
    permanent_supporting_documents: ReadsWrites[
        PermanentSupportingDocument,
        PermanentSupportingDocumentFilter,
        PermanentSupportingDocumentSort,
        PermanentSupportingDocumentInclude,
        PermanentSupportingDocumentCreate,
        PermanentSupportingDocumentUpdate,
    ]
    public_keys: ListsWithoutKey[PublicKey, PublicKeyFilter, PublicKeySort, NothingToInclude]
    encrypted_files: uploads.EncryptedFiles[
        EncryptedFile,
        EncryptedFileFilter,
        EncryptedFileSort,
        NothingToInclude,
        EncryptedFileCreate,
    ]

    # Emergency calls
    emergency_requirements: Reads[
        EmergencyRequirement,
        EmergencyRequirementFilter,
        NothingToSortBy,
        EmergencyRequirementInclude,
    ]
    emergency_requirement_validations: Creates[
        EmergencyRequirementValidation, EmergencyRequirementValidationCreate
    ]
    emergency_calling_services: ReadsDeletes[
        EmergencyCallingService,
        EmergencyCallingServiceFilter,
        EmergencyCallingServiceSort,
        EmergencyCallingServiceInclude,
    ]
    emergency_verifications: ReadsCreatesUpdates[
        EmergencyVerification,
        EmergencyVerificationFilter,
        EmergencyVerificationSort,
        EmergencyVerificationInclude,
        EmergencyVerificationCreate,
        EmergencyVerificationUpdate,
    ]

    # Reports
    exports: downloads.Exports[
        Export, ExportFilter, ExportSort, NothingToInclude, ExportCreate, ExportUpdate
    ]

    def _channel(self) -> Channel:
        """What the collections speak through."""
        raise NotImplementedError

    def _without_collections(self) -> dict[str, Any]:
        return {
            name: found for name, found in vars(self).items() if name not in Api.__annotations__
        }

"""The API's resources: frozen attrs classes, one module per chapter of the API.

A chapter loads when one of its names is asked for, or when a reply holds one of its types.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from didww_async.resources.base import (
    FlatNested,
    Meta,
    Nested,
    Resource,
    UnknownNested,
    UnknownResource,
)

# Chapter -> the API's type -> its class, and the names that belong to it ("+" is the class again).
CONTENTS: Mapping[str, Mapping[str, str]] = {
    "coverage": {
        "countries": "Country +Filter +Sort +Include",
        "regions": "Region +Filter +Sort +Include",
        "cities": "City +Filter +Sort +Include",
        "areas": "Area +Filter +Sort +Include",
        "nanpa_prefixes": "NanpaPrefix +Filter +Sort +Include",
        "did_group_types": "DidGroupType +Filter +Sort",
        "pops": "Pop +Filter",
        "": "NothingToInclude NothingToSortBy",
    },
    "inventory": {
        "did_groups": "DidGroup +Filter +Sort +Include +Meta Feature NumberType",
        "stock_keeping_units": "StockKeepingUnit",
        "available_dids": "AvailableDid +Filter +Sort +Include",
        "did_reservations": "DidReservation +Filter +Sort +Include +Create",
    },
    "orders": {
        "orders": "Order +Filter +Sort +Create +Update +Status",
        "": "AvailableDidOrderItem CallbackMethod CapacityOrderItem CapacityOrderLine DidOrderItem "
        "DidOrderLine EmergencyOrderLine GenericOrderLine NewOrderItem OrderItem "
        "ReservedDidOrderItem",
    },
    "numbers": {
        "dids": "Did +Filter +Sort +Include +Update",
        "did_history": "DidHistory +Filter +Sort +Meta DidAction DidActionMethod",
    },
    "account": {
        "balances": "Balance",
    },
    "capacity": {
        "capacity_pools": "CapacityPool +Filter +Sort +Include +Update",
        "qty_based_pricings": "QtyBasedPricing",
        "shared_capacity_groups": "SharedCapacityGroup +Filter +Sort +Include +Create +Update",
    },
    "sip": {
        "": "Codec DiversionInjectMode DiversionRelayPolicy MediaEncryptionMode "
        "NetworkProtocolPriority PstnConfiguration ReroutingDisconnectCode RxDtmfFormat "
        "SipConfiguration "
        "SstRefreshMethod StirShakenMode TransportProtocol TrunkConfiguration TxDtmfFormat",
    },
    "voice_in": {
        "voice_in_trunks": "VoiceInTrunk +Filter +Sort +Include +Create +Update",
        "voice_in_trunk_groups": "VoiceInTrunkGroup +Filter +Sort +Include +Create +Update +Meta",
        "": "CliFormat",
    },
    "voice_out": {
        "voice_out_trunks": "VoiceOutTrunk +Filter +Sort +Include +Create +Update +Meta +Status",
        "voice_out_trunk_regenerate_credentials": "VoiceOutTrunkRegenerateCredential +Create",
        "": "AuthenticationMethod CredentialsAndIp DefaultDstAction IpOnly OnCliMismatchAction "
        "Twilio",
    },
    "identity": {
        "identities": "Identity +Filter +Sort +Include +Create +Update +Type",
        "addresses": "Address +Filter +Sort +Include +Create +Update",
    },
    "files": {
        "public_keys": "PublicKey +Filter +Sort",
        "encrypted_files": "EncryptedFile +Filter +Sort +Create",
    },
    "documents": {
        "proof_types": "ProofType +Filter +Sort",
        "proofs": "Proof +Filter +Sort +Include +Create +Update +EntityType",
        "supporting_document_templates": "SupportingDocumentTemplate +Filter +Sort",
        "permanent_supporting_documents": "PermanentSupportingDocument +Filter +Sort +Include "
        "+Create +Update",
    },
    "regulation": {
        "address_requirements": "AddressRequirement +Filter +Sort +Include",
        "address_requirement_validations": "AddressRequirementValidation +Create",
        "address_verifications": "AddressVerification +Filter +Sort +Include +Create +Update",
        "": "AreaLevel IdentityField VerificationStatus",
    },
    "emergency": {
        "emergency_requirements": "EmergencyRequirement +Filter +Include +Meta",
        "emergency_requirement_validations": "EmergencyRequirementValidation +Create",
        "emergency_calling_services": "EmergencyCallingService +Filter +Sort +Include +Meta "
        "+Status",
        "emergency_verifications": "EmergencyVerification +Filter +Sort +Include +Create +Update",
    },
    "exports": {
        "exports": "Export +Filter +Sort +Create +Update +Status +Type",
        "": "ExportFilters",
    },
}


def names_on(shelf: str) -> list[str]:
    """The names on a shelf of CONTENTS, written out."""
    first, *others = shelf.split()
    return [first, *(first + name[1:] if name.startswith("+") else name for name in others)]


_CHAPTERS: Mapping[str, str] = {
    name: chapter
    for chapter, shelves in CONTENTS.items()
    for shelf in shelves.values()
    for name in names_on(shelf)
}
_CLASSES: Mapping[str, str] = {
    type_: names_on(shelf)[0]
    for shelves in CONTENTS.values()
    for type_, shelf in shelves.items()
    if type_
}

__all__ = [
    "FlatNested",
    "Meta",
    "Nested",
    "Resource",
    "UnknownNested",
    "UnknownResource",
    "by_type",
]

if TYPE_CHECKING:
    from didww_async.resources import (
        account,
        capacity,
        coverage,
        documents,
        emergency,
        exports,
        files,
        identity,
        inventory,
        numbers,
        orders,
        regulation,
        sip,
        voice_in,
        voice_out,
    )
    from didww_async.resources.account import *  # noqa: F403
    from didww_async.resources.capacity import *  # noqa: F403
    from didww_async.resources.coverage import *  # noqa: F403
    from didww_async.resources.documents import *  # noqa: F403
    from didww_async.resources.emergency import *  # noqa: F403
    from didww_async.resources.exports import *  # noqa: F403
    from didww_async.resources.files import *  # noqa: F403
    from didww_async.resources.identity import *  # noqa: F403
    from didww_async.resources.inventory import *  # noqa: F403
    from didww_async.resources.numbers import *  # noqa: F403
    from didww_async.resources.orders import *  # noqa: F403
    from didww_async.resources.regulation import *  # noqa: F403
    from didww_async.resources.sip import *  # noqa: F403
    from didww_async.resources.voice_in import *  # noqa: F403
    from didww_async.resources.voice_out import *  # noqa: F403

    __all__ += account.__all__
    __all__ += capacity.__all__
    __all__ += coverage.__all__
    __all__ += documents.__all__
    __all__ += emergency.__all__
    __all__ += exports.__all__
    __all__ += files.__all__
    __all__ += identity.__all__
    __all__ += inventory.__all__
    __all__ += numbers.__all__
    __all__ += orders.__all__
    __all__ += regulation.__all__
    __all__ += sip.__all__
    __all__ += voice_in.__all__
    __all__ += voice_out.__all__
else:  # a __getattr__ that type checkers see would let a misspelt name pass
    __all__ += list(_CHAPTERS)

    def __getattr__(name: str) -> object:
        if name in CONTENTS:
            return import_module(f"{__name__}.{name}")
        if name in _CHAPTERS:
            return getattr(import_module(f"{__name__}.{_CHAPTERS[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *CONTENTS})


class _ByType(Mapping[str, type[Resource]]):
    """Resource classes by type; a chapter loads when one of its types is looked up."""

    def __getitem__(self, type_: str) -> type[Resource]:
        name = _CLASSES[type_]
        return cast("type[Resource]", getattr(import_module(f"{__name__}.{_CHAPTERS[name]}"), name))

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)


def by_type() -> Mapping[str, type[Resource]]:
    """Every resource class by the type the API calls it."""
    return _ByType()

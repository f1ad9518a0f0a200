"""The API versions spoken, and what each spells differently, as data.

The names and values of this library are those of 2026-04-16, plus what later versions add. Replies
are read by one superset of all spellings (the server may serve another version than asked for);
requests are written in the spelling of the version asked for. Source: facts file, sections 3, 9 and
10; where it is silent about a version the line says "unsure".
"""

from collections.abc import Mapping
from typing import TypeVar

from didww_async.errors import InvalidInput
from didww_async.related import RELATED
from didww_async.spelling import ApiVersion, Key

__all__ = ["DEFAULT_VERSION", "VERSIONS", "ApiVersion", "aliases", "type_aliases", "version"]

DEFAULT_VERSION = "2026-04-16"
SINCE_2026 = f"use a client with api_version={DEFAULT_VERSION!r} or later"
BY_GROUP_TYPE = "use the relationship did_group_type, the filter 'did_group_type.id' and its sort"
BY_NUMBER_TYPE = "use number_type of did_groups, which holds local, mobile, toll_free, ..."

WITH_CREDENTIALS = "use CredentialsAndIp, the one way to authenticate that it has"

V = TypeVar("V")


def _each(types: str, name: str, what: V) -> dict[Key, V]:
    """The same for one name of several types."""
    return {(type_, name): what for type_ in types.split()}


NEW_REFERENCE = (
    "orders exports shared_capacity_groups voice_in_trunks voice_in_trunk_groups voice_out_trunks "
    "address_verifications"
)
HAVE_CALLBACKS = "orders exports address_verifications"
SPELLED_WITH_FEATURES: tuple[Key, ...] = (
    ("did_groups", "features"),
    ("available_dids", "did_group.features"),
    ("nanpa_prefixes", "did_group.features"),
    ("dids", "did_group.features"),
)
NEW_IN_SIP = (
    "network_protocol_priority",
    "use_did_in_ruri",
    "enabled_sip_registration",
    "diversion_inject_mode",
    "cnam_lookup",
)
AREA_LEVELS = {"world_wide": "WorldWide", "country": "Country", "area": "Area", "city": "City"}


def _capitalised(*words: str) -> dict[str, str]:
    return {word: word.capitalize() for word in words}


V2022 = ApiVersion(
    date="2022-05-10",
    related=RELATED,
    types={
        "address_requirements": "requirements",
        "address_requirement_validations": "requirement_validations",
    },
    names={
        ("did_groups", "address_requirement"): "requirement",
        ("address_requirement_validations", "address_requirement"): "requirement",
        ("did_reservations", "expires_at"): "expire_at",
        ("encrypted_files form", "file"): "items][][file",
        ("encrypted_files form", "description"): "items][][description",
        ("encrypted_files", "expires_at"): "expire_at",
    },
    values={
        ("orders", "status"): _capitalised("pending", "completed", "canceled"),
        ("exports", "status"): _capitalised("pending", "processing", "completed"),
        ("address_verifications", "status"): _capitalised("pending", "approved", "rejected"),
        **_each(HAVE_CALLBACKS, "callback_method", {"get": "GET", "post": "POST"}),
        **_each(
            "identities address_requirements",
            "identity_type",
            _capitalised("personal", "business", "any"),
        ),
        ("address_requirements", "personal_area_level"): AREA_LEVELS,
        ("address_requirements", "business_area_level"): AREA_LEVELS,
        ("address_requirements", "address_area_level"): AREA_LEVELS,
        ("voice_out_trunks", "status"): _capitalised("active", "blocked"),
        ("voice_out_trunks", "on_cli_mismatch_action"): {
            "reject_call": "Reject call",
            "replace_cli": "Replace CLI",
            "send_original_cli": "Send Original CLI",
            "randomize_cli": "Randomize CLI",  # unsure: maybe newer than this version
        },
        # unsure: recorded replies show "Reject call" above; these follow the same pattern
        ("voice_out_trunks", "default_dst_action"): {
            "allow_all": "Allow Calls",
            "reject_all": "Reject Calls",
        },
        ("voice_out_trunks", "media_encryption_mode"): {
            "disabled": "Disable",
            "srtp_sdes": "SRTP SDES",
            "srtp_dtls": "SRTP DTLS",
            "zrtp": "ZRTP",
        },
    },
    lacks={
        # unsure for all but orders: the facts name orders only. Identities, addresses, proofs and
        # permanent documents may well have had it: there the server decides.
        **_each(NEW_REFERENCE, "external_reference_id", SINCE_2026),
        ("did_groups", "meta.total_count_gteq"): SINCE_2026,
        ("dids", "emergency_enabled"): SINCE_2026,
        ("dids", "emergency_calling_service"): SINCE_2026,
        ("dids", "emergency_calling_service.id"): SINCE_2026,
        ("dids", "emergency_verification"): SINCE_2026,
        ("dids", "identity"): SINCE_2026,
        ("voice_out_trunks", "emergency_dids"): SINCE_2026,
        ("voice_out_trunks", "emergency_enable_all"): SINCE_2026,
        ("voice_out_trunks", "rtp_timeout"): SINCE_2026,  # unsure
        ("address_verifications", "reject_comment"): SINCE_2026,  # unsure
        ("identities", "birth_country"): SINCE_2026,  # unsure
        ("voice_out_trunks", "authentication_method.type"): SINCE_2026,
        **dict.fromkeys((("sip_configurations", name) for name in NEW_IN_SIP), SINCE_2026),
        ("credentials_and_ip", "tech_prefix"): SINCE_2026,  # unsure
        ("did_groups", "number_type"): BY_GROUP_TYPE,
        ("available_dids", "did_group.number_type"): BY_GROUP_TYPE,
    },
    unfolds=frozenset({("voice_out_trunks", "authentication_method")}),
    lacks_types={
        "ip_only": WITH_CREDENTIALS,
        "twilio": WITH_CREDENTIALS,
        "did_history": SINCE_2026,
        "emergency_requirements": SINCE_2026,
        "emergency_requirement_validations": SINCE_2026,
        "emergency_calling_services": SINCE_2026,
        "emergency_verifications": SINCE_2026,
    },
)

NO_SMS_OUT = {"sms_out": "it is a feature of 2022-05-10; later versions have p2p and a2p"}

V2026 = ApiVersion(
    date="2026-04-16",
    related=RELATED,
    lacks={
        ("did_groups", "number_type"): BY_GROUP_TYPE,
        ("available_dids", "did_group.number_type"): BY_GROUP_TYPE,
    },
    lacks_values=dict.fromkeys(SPELLED_WITH_FEATURES, NO_SMS_OUT),
)

BEARER = ApiVersion(
    date="2026-11-19",
    credentials="token",
    related=RELATED,
    lacks={
        ("did_groups", "did_group_type"): BY_NUMBER_TYPE,
        ("did_groups", "did_group_type.id"): BY_NUMBER_TYPE,
        ("did_groups", "did_group_type.name"): BY_NUMBER_TYPE,
        ("available_dids", "did_group_type.id"): "use the filter 'did_group.number_type'",
        # unsure: it has no such resource any more, so nothing can lead to it
        **_each(
            "address_requirements emergency_requirements emergency_calling_services",
            "did_group_type",
            BY_NUMBER_TYPE,
        ),
        **_each(
            "address_requirements emergency_requirements emergency_calling_services",
            "did_group_type.id",
            BY_NUMBER_TYPE,
        ),
    },
    lacks_types={"did_group_types": BY_NUMBER_TYPE},
    lacks_values=dict.fromkeys(SPELLED_WITH_FEATURES, NO_SMS_OUT),
)

VERSIONS: Mapping[str, ApiVersion] = {found.date: found for found in (V2022, V2026, BEARER)}


def version(date: str) -> ApiVersion:
    """Look a version up. Raises InvalidInput for one this library does not speak."""
    found = VERSIONS.get(date)
    if found is None:
        raise InvalidInput(
            f"API version {date!r} is not spoken here; choose of {', '.join(VERSIONS)}"
        )
    return found


def aliases() -> dict[str, dict[str, str]]:
    """Per resource type as a reply may spell it: every other name -> ours."""
    found: dict[str, dict[str, str]] = {}
    for spelling in VERSIONS.values():
        for (type_, ours), theirs in spelling.names.items():
            for spelled in {type_, spelling.types.get(type_, type_)}:
                found.setdefault(spelled, {})[theirs] = ours
    return found


def type_aliases() -> dict[str, str]:
    """Every resource type that a version spells differently -> ours."""
    return {
        theirs: ours for spelling in VERSIONS.values() for ours, theirs in spelling.types.items()
    }

"""Outbound voice: trunks that calls are made through, how they authenticate, new credentials.

Source: doc.didww.com/api3, voice_out_trunks, voice_out_trunk_regenerate_credentials.
"""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import (
    Meta,
    Nested,
    Resource,
    UnknownNested,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.inputs import Input
from didww_async.resources.sip import MediaEncryptionMode
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.numbers import Did

__all__ = [
    "AuthenticationMethod",
    "CredentialsAndIp",
    "DefaultDstAction",
    "IpOnly",
    "OnCliMismatchAction",
    "Twilio",
    "VoiceOutTrunk",
    "VoiceOutTrunkCreate",
    "VoiceOutTrunkFilter",
    "VoiceOutTrunkInclude",
    "VoiceOutTrunkMeta",
    "VoiceOutTrunkRegenerateCredential",
    "VoiceOutTrunkRegenerateCredentialCreate",
    "VoiceOutTrunkSort",
    "VoiceOutTrunkStatus",
    "VoiceOutTrunkUpdate",
]


class VoiceOutTrunkStatus(OpenEnum):
    """Whether calls can be made; `BLOCKED` stops them."""

    ACTIVE = "active"
    BLOCKED = "blocked"


class OnCliMismatchAction(OpenEnum):
    """What happens to a call whose caller's number is none of the trunk's DIDs."""

    REJECT_CALL = "reject_call"
    REPLACE_CLI = "replace_cli"
    SEND_ORIGINAL_CLI = "send_original_cli"
    RANDOMIZE_CLI = "randomize_cli"


class DefaultDstAction(OpenEnum):
    """What may be called; `dst_prefixes` are the exceptions."""

    __also__: ClassVar[Mapping[str, str]] = {
        "Allow Calls": "allow_all",
        "Reject Calls": "reject_all",
    }

    ALLOW_ALL = "allow_all"
    REJECT_ALL = "reject_all"
    also = enum.nonmember({"Allow Calls": "allow_all", "Reject Calls": "reject_all"})


@value
class CredentialsAndIp(Nested):
    """A user name and password, which the API makes, and the IP addresses calls come from.

    `tech_prefix` goes before the called number.
    """

    type: ClassVar[str] = "credentials_and_ip"

    allowed_sip_ips: tuple[str, ...] | None = attribute()
    tech_prefix: str | None = attribute()
    username: str | None = attribute(secret=True, read_only=True)
    password: str | None = attribute(secret=True, read_only=True)


@value
class IpOnly(Nested):
    """The IP addresses calls come from, which can't be changed once they are set.

    Some accounts can't choose this method: DIDWW's staff sets it up.
    """

    type: ClassVar[str] = "ip_only"

    allowed_sip_ips: tuple[str, ...] | None = attribute()
    tech_prefix: str | None = attribute()


@value
class Twilio(Nested):
    """Calls come from an account of Twilio."""

    type: ClassVar[str] = "twilio"

    twilio_account_sid: str = attribute()


AuthenticationMethod: TypeAlias = CredentialsAndIp | IpOnly | Twilio | UnknownNested


@value
class VoiceOutTrunkMeta(Meta):
    """`spent_amount`: USD, in the current period."""

    only_raw: ClassVar[bool] = False

    spent_amount: Decimal = attribute()


@value
class VoiceOutTrunk(Resource):
    """A trunk to make calls through.

    `capacity_limit`: simultaneous calls, None for no limit. `allow_any_did_as_cli`: every DID may
    be the caller's number, and `dids` can't be assigned; `emergency_enable_all` is the same for
    `emergency_dids`. `dst_prefixes`: exceptions to `default_dst_action`. `allowed_rtp_ips`: None
    for no restriction. `rtp_timeout`: seconds. `callback_url` is called when the spending of the
    period reaches `threshold_amount` (USD).
    """

    type: ClassVar[str] = "voice_out_trunks"
    walk_by: ClassVar[str | None] = "created_at,name"

    name: str = attribute()
    status: VoiceOutTrunkStatus = attribute()
    external_reference_id: str | None = attribute()
    capacity_limit: int | None = attribute()
    allow_any_did_as_cli: bool = attribute()
    on_cli_mismatch_action: OnCliMismatchAction = attribute()
    default_dst_action: DefaultDstAction = attribute()
    dst_prefixes: tuple[str, ...] = attribute()
    media_encryption_mode: MediaEncryptionMode = attribute()
    allowed_rtp_ips: tuple[str, ...] | None = attribute()
    force_symmetric_rtp: bool = attribute()
    rtp_ping: bool = attribute()
    rtp_timeout: int = attribute()
    threshold_amount: Decimal = attribute()
    callback_url: str | None = attribute()
    emergency_enable_all: bool = attribute()
    created_at: dt.datetime = attribute()
    threshold_reached: bool = attribute()
    authentication_method: AuthenticationMethod = attribute(unfolded=CredentialsAndIp)
    dids: "tuple[Did, ...]" = relationship()
    emergency_dids: "tuple[Did, ...]" = relationship()
    meta: VoiceOutTrunkMeta = VoiceOutTrunkMeta()


@value
class _VoiceOutTrunkInput(Input):
    type: ClassVar[str] = "voice_out_trunks"

    name: str | Unset = UNSET
    authentication_method: AuthenticationMethod | Unset = UNSET
    status: VoiceOutTrunkStatus | Literal["active", "blocked"] | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    capacity_limit: int | None | Unset = UNSET
    allow_any_did_as_cli: bool | Unset = UNSET
    on_cli_mismatch_action: (
        OnCliMismatchAction
        | Literal["reject_call", "replace_cli", "send_original_cli", "randomize_cli"]
        | Unset
    ) = UNSET
    default_dst_action: DefaultDstAction | Literal["allow_all", "reject_all"] | Unset = UNSET
    dst_prefixes: Sequence[str] | Unset = UNSET
    media_encryption_mode: (
        MediaEncryptionMode | Literal["disabled", "srtp_sdes", "srtp_dtls", "zrtp"] | Unset
    ) = UNSET
    allowed_rtp_ips: Sequence[str] | None | Unset = UNSET
    force_symmetric_rtp: bool | Unset = UNSET
    rtp_ping: bool | Unset = UNSET
    rtp_timeout: int | Unset = UNSET
    threshold_amount: Decimal | Unset = UNSET
    callback_url: str | None | Unset = UNSET
    emergency_enable_all: bool | Unset = UNSET
    default_did: str | None | Unset = relationship("dids")
    dids: Sequence[str] | Unset = relationship("dids")
    emergency_dids: Sequence[str] | Unset = relationship("dids")

    def _check(self) -> None:
        if self.allow_any_did_as_cli is True and self.dids:
            raise InvalidInput("dids can't be assigned with allow_any_did_as_cli=True")
        if self.emergency_enable_all is True and self.emergency_dids:
            raise InvalidInput("emergency_dids can't be assigned with emergency_enable_all=True")


@value
class VoiceOutTrunkCreate(_VoiceOutTrunkInput):
    """What POST /voice_out_trunks takes; fields as in `VoiceOutTrunk`.

    `default_did`: the caller's number for `REPLACE_CLI`, where the account has that feature; it
    can't be read back.
    """

    name: str
    authentication_method: AuthenticationMethod


@value
class VoiceOutTrunkUpdate(_VoiceOutTrunkInput):
    """What PATCH /voice_out_trunks/{id} takes; fields as in `VoiceOutTrunk` and its create.

    `authentication_method` replaces the whole method: change the one that was read with
    `replace`. `dids` and `emergency_dids` replace the whole set.
    """


VoiceOutTrunkFilter = TypedDict(
    "VoiceOutTrunkFilter",
    {
        "id": FilterValue,
        "allow_any_did_as_cli": bool,
        "authentication_method.type": FilterValue,
        "default_did.id": FilterValue,
        "default_dst_action": FilterValue,
        "external_reference_id": FilterValue,
        "media_encryption_mode": FilterValue,
        "name": FilterValue,
        "name_contains": FilterValue,
        "on_cli_mismatch_action": FilterValue,
        "status": FilterValue,
        "threshold_reached": bool,
    },
    total=False,
)
VoiceOutTrunkSort = Literal[
    "allow_any_did_as_cli",
    "-allow_any_did_as_cli",
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "name",
    "-name",
    "threshold_reached",
    "-threshold_reached",
]
VoiceOutTrunkInclude = Literal["dids", "emergency_dids"]


@value
class VoiceOutTrunkRegenerateCredential(Resource):
    """Credentials were made anew; it holds nothing: read the trunk again."""

    type: ClassVar[str] = "voice_out_trunk_regenerate_credentials"


@value
class VoiceOutTrunkRegenerateCredentialCreate(Input):
    """What POST /voice_out_trunk_regenerate_credentials takes: a trunk with `CredentialsAndIp`.

    The old credentials stop working.
    """

    type: ClassVar[str] = "voice_out_trunk_regenerate_credentials"

    voice_out_trunk: str = required_relationship("voice_out_trunks")

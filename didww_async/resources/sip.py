"""Trunk configurations: where an inbound trunk sends its calls, by SIP or to a telephone number.

Source: doc.didww.com/api3, voice_in_trunks, configuration.
"""

import enum
from collections.abc import Mapping
from typing import ClassVar, TypeAlias

from didww_async.errors import InvalidInput
from didww_async.resources.base import Nested, UnknownNested, attribute, value
from didww_async.resources.inputs import check_digits, check_range
from didww_async.resources.sip_codes import (
    Codec,
    ReroutingDisconnectCode,
    RxDtmfFormat,
    SstRefreshMethod,
    TransportProtocol,
    TxDtmfFormat,
)
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import Unset

__all__ = [
    "Codec",
    "DiversionInjectMode",
    "DiversionRelayPolicy",
    "MediaEncryptionMode",
    "NetworkProtocolPriority",
    "PstnConfiguration",
    "ReroutingDisconnectCode",
    "RxDtmfFormat",
    "SipConfiguration",
    "SstRefreshMethod",
    "StirShakenMode",
    "TransportProtocol",
    "TrunkConfiguration",
    "TxDtmfFormat",
]


class NetworkProtocolPriority(OpenEnum):
    """Which of IPv4 and IPv6 a host name is resolved to."""

    FORCE_IPV4 = "force_ipv4"
    FORCE_IPV6 = "force_ipv6"
    PREFER_IPV4 = "prefer_ipv4"
    PREFER_IPV6 = "prefer_ipv6"
    ANY = "any"


class MediaEncryptionMode(OpenEnum):
    """How the voice is encrypted."""

    __also__: ClassVar[Mapping[str, str]] = {"Disable": "disabled"}

    DISABLED = "disabled"
    SRTP_SDES = "srtp_sdes"
    SRTP_DTLS = "srtp_dtls"
    ZRTP = "zrtp"
    also = enum.nonmember({"Disable": "disabled"})


class StirShakenMode(OpenEnum):
    """How the attestation of the caller's number is passed on."""

    DISABLED = "disabled"
    ORIGINAL = "original"
    PAI = "pai"
    ORIGINAL_PAI = "original_pai"
    VERSTAT = "verstat"


class DiversionRelayPolicy(OpenEnum):
    """In which form a received Diversion header is passed on."""

    NONE = "none"
    AS_IS = "as_is"
    SIP = "sip"
    TEL = "tel"


class DiversionInjectMode(OpenEnum):
    """Whether a Diversion header with the DID is added."""

    NONE = "none"
    DID_NUMBER = "did_number"


@value
class SipConfiguration(Nested):
    """Calls go to a SIP server.

    Either to `host` (and `port`, 1 to 65535), or, with `enabled_sip_registration`, to the device
    that registers with `incoming_auth_username` and `incoming_auth_password`: the API makes these
    two, and they are not sent back. With registration `host` and `port` must be None;
    `use_did_in_ruri` needs it.

    `username`: the user part of the request URI. `codec_ids`: in order of preference.
    `sip_timer_b`, `dns_srv_failover_timer`: milliseconds; `rtp_timeout` and the session timers
    (`sst_...`): seconds. `allowed_rtp_ips`: None for no restriction. Whole numbers that stand for
    something have names: `Codec`, `TransportProtocol`, `RxDtmfFormat`, `TxDtmfFormat`,
    `SstRefreshMethod`, `ReroutingDisconnectCode` (the answers after which a call is tried
    elsewhere).
    """

    type: ClassVar[str] = "sip_configurations"

    host: str | None = attribute()
    port: int | None = attribute()
    username: str | None = attribute()
    transport_protocol_id: int = attribute()
    network_protocol_priority: NetworkProtocolPriority = attribute()
    resolve_ruri: bool = attribute()
    use_did_in_ruri: bool = attribute()
    codec_ids: tuple[int, ...] = attribute()
    rx_dtmf_format_id: int | None = attribute()
    tx_dtmf_format_id: int | None = attribute()
    auth_enabled: bool = attribute()
    auth_user: str | None = attribute()
    auth_password: str | None = attribute(secret=True)
    auth_from_user: str | None = attribute()
    auth_from_domain: str | None = attribute()
    enabled_sip_registration: bool = attribute()
    incoming_auth_username: str | None = attribute(secret=True, read_only=True)
    incoming_auth_password: str | None = attribute(secret=True, read_only=True)
    sst_enabled: bool = attribute()
    sst_min_timer: int | None = attribute()
    sst_max_timer: int | None = attribute()
    sst_session_expires: int | None = attribute()
    sst_refresh_method_id: int = attribute()
    sst_accept_501: bool = attribute()
    sip_timer_b: int | None = attribute()
    dns_srv_failover_timer: int | None = attribute()
    rtp_ping: bool | None = attribute()
    rtp_timeout: int | None = attribute()
    force_symmetric_rtp: bool | None = attribute()
    symmetric_rtp_ignore_rtcp: bool | None = attribute()
    allowed_rtp_ips: tuple[str, ...] | None = attribute()
    media_encryption_mode: MediaEncryptionMode = attribute()
    stir_shaken_mode: StirShakenMode = attribute()
    diversion_relay_policy: DiversionRelayPolicy = attribute()
    diversion_inject_mode: DiversionInjectMode = attribute()
    cnam_lookup: bool = attribute()
    max_transfers: int = attribute()
    max_30x_redirects: int = attribute()
    rerouting_disconnect_code_ids: tuple[int, ...] | None = attribute()


@value
class PstnConfiguration(Nested):
    """Calls go on to a telephone number, `dst`: E.164 without "+"."""

    type: ClassVar[str] = "pstn_configurations"

    dst: str | None = attribute()


TrunkConfiguration: TypeAlias = SipConfiguration | PstnConfiguration | UnknownNested


def check_configuration(given: TrunkConfiguration | Unset) -> None:
    """Refuse, before it is sent, what the API documents as not possible.

    Not done when a configuration is made, because the server's are read by the same classes.
    """
    if isinstance(given, PstnConfiguration):
        check_digits("configuration.dst", given.dst)
    if not isinstance(given, SipConfiguration):
        return
    check_range("configuration.port", given.port, 1, 65535)
    if given.enabled_sip_registration is True:
        for name, found in (("host", given.host), ("port", given.port)):
            if found:
                raise InvalidInput(
                    f"configuration.{name} must be None with enabled_sip_registration: calls go "
                    "to the device that registers"
                )
    if given.enabled_sip_registration is False and given.use_did_in_ruri is True:
        raise InvalidInput("configuration.use_did_in_ruri needs enabled_sip_registration")

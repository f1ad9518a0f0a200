"""Names for the whole numbers that the API uses in SIP configurations.

Source: doc.didww.com/api3, voice_in_trunks, configuration; the numbers also in the vendor's SDKs.
"""

import enum

__all__ = [
    "Codec",
    "ReroutingDisconnectCode",
    "RxDtmfFormat",
    "SstRefreshMethod",
    "TransportProtocol",
    "TxDtmfFormat",
]


class TransportProtocol(enum.IntEnum):
    """Values of `transport_protocol_id`."""

    UDP = 1
    TCP = 2
    TLS = 3


class Codec(enum.IntEnum):
    """Values of `codec_ids`."""

    TELEPHONE_EVENT = 6
    G723 = 7
    G729 = 8
    PCMU = 9
    PCMA = 10
    SPEEX = 12
    GSM = 13
    G726_32 = 14
    G721 = 15
    G726_24 = 16
    G726_40 = 17
    G726_16 = 18
    L16 = 19


class RxDtmfFormat(enum.IntEnum):
    """Values of `rx_dtmf_format_id`: how keys arrive."""

    RFC_2833 = 1
    SIP_INFO = 2
    RFC_2833_OR_SIP_INFO = 3


class TxDtmfFormat(enum.IntEnum):
    """Values of `tx_dtmf_format_id`: how keys are sent."""

    DISABLED = 1
    RFC_2833 = 2
    SIP_INFO_RELAY = 3
    SIP_INFO_DTMF = 4


class SstRefreshMethod(enum.IntEnum):
    """Values of `sst_refresh_method_id`."""

    INVITE = 1
    UPDATE = 2
    UPDATE_FALLBACK_INVITE = 3


class ReroutingDisconnectCode(enum.IntEnum):
    """Values of `rerouting_disconnect_code_ids`: SIP answers, by their status, and no answer."""

    SIP_400 = 56
    SIP_401 = 57
    SIP_402 = 58
    SIP_403 = 59
    SIP_404 = 60
    SIP_408 = 64
    SIP_409 = 65
    SIP_410 = 66
    SIP_412 = 67
    SIP_413 = 68
    SIP_414 = 69
    SIP_415 = 70
    SIP_416 = 71
    SIP_417 = 72
    SIP_420 = 73
    SIP_421 = 74
    SIP_422 = 75
    SIP_423 = 76
    SIP_424 = 77
    SIP_428 = 78
    SIP_429 = 79
    SIP_433 = 80
    SIP_436 = 81
    SIP_437 = 82
    SIP_438 = 83
    SIP_480 = 84
    SIP_482 = 86
    SIP_483 = 87
    SIP_484 = 88
    SIP_485 = 89
    SIP_486 = 90
    SIP_487 = 91
    SIP_488 = 92
    SIP_494 = 96
    SIP_500 = 97
    SIP_501 = 98
    SIP_502 = 99
    SIP_503 = 100
    SIP_504 = 101
    SIP_505 = 102
    SIP_513 = 103
    SIP_580 = 104
    SIP_600 = 105
    SIP_603 = 106
    SIP_604 = 107
    SIP_606 = 108
    RINGING_TIMEOUT = 1505

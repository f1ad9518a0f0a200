"""DIDWW's callbacks: signed HTTP notifications that an order completed, an export is ready, ...

    receiver = CallbackReceiver(secret=..., handle=handle)

`didww_async.callbacks.aiohttp_web.aiohttp_handler(receiver)` is a handler for aiohttp.web,
`didww_async.callbacks.asgi.asgi_app(receiver)` an application for FastAPI, Starlette and every
other ASGI server.
"""

from didww_async.callbacks.parsing import (
    AddressVerificationCallback,
    Callback,
    CallbackStatus,
    EmergencyVerificationCallback,
    ExportCallback,
    OrderCallback,
    TrunkEvent,
    UnknownCallback,
    UnreadableCallback,
    parse_body,
    parse_query,
)
from didww_async.callbacks.receiver import CallbackReceiver, CallbackReply
from didww_async.callbacks.signature import SIGNATURE_HEADER, is_valid, sign

__all__ = [
    "CallbackReceiver",
    "CallbackReply",
    "Callback",
    "OrderCallback",
    "ExportCallback",
    "AddressVerificationCallback",
    "EmergencyVerificationCallback",
    "TrunkEvent",
    "UnknownCallback",
    "CallbackStatus",
    "UnreadableCallback",
    "parse_body",
    "parse_query",
    "sign",
    "is_valid",
    "SIGNATURE_HEADER",
]

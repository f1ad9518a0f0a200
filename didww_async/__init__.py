"""An asyncio client for the DIDWW phone-number API v3.

    async with Client(api_key=..., environment="sandbox") as client:
        async for city in client.cities.iterate(filter={"country.id": country.id}):
            ...

Resource classes and input classes are in `didww_async.resources`, all errors also in
`didww_async.errors`, a DIDWW API that runs on this machine in `didww_async.simulator`.
A name loads its module when it is first asked for, so that importing the package costs little.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from didww_async.addresses import Environment
    from didww_async.auth import ApiKey, Auth, BearerToken, TokenScope
    from didww_async.client import Client
    from didww_async.collection import Page
    from didww_async.errors import (
        ApiError,
        BadRequest,
        ClientClosed,
        Conflict,
        DidwwError,
        ErrorObject,
        Forbidden,
        InsufficientBalance,
        InvalidInput,
        KeyRefused,
        NoAnswer,
        NotFound,
        NotInThisVersion,
        NotSent,
        OutcomeUnknown,
        RateLimited,
        ReadOnlyToken,
        ServerFailed,
        StillPending,
        TokenNotFetched,
        TokenNotGranted,
        TokenRejected,
        Unauthorized,
        UnreadableReply,
        ValidationFailed,
    )
    from didww_async.prepared import PreparedOrder
    from didww_async.transport.call import AttemptRecord, Timeouts
    from didww_async.transport.limiter import Limiter
    from didww_async.transport.redis_limit import RedisRateLimit
    from didww_async.transport.retry import RetryPolicy
    from didww_async.transport.throttle import RateLimit
    from didww_async.wire.unset import UNSET, Unset, is_set

__version__ = "0.1.0"

__all__ = [
    "Client",
    "RateLimit",
    "RedisRateLimit",
    "Limiter",
    "RetryPolicy",
    "Timeouts",
    "Environment",
    "ApiKey",
    "Auth",
    "BearerToken",
    "TokenScope",
    "AttemptRecord",
    "Page",
    "PreparedOrder",
    "UNSET",
    "Unset",
    "is_set",
    "ApiError",
    "BadRequest",
    "ClientClosed",
    "Conflict",
    "DidwwError",
    "ErrorObject",
    "Forbidden",
    "InsufficientBalance",
    "InvalidInput",
    "KeyRefused",
    "NoAnswer",
    "NotFound",
    "NotInThisVersion",
    "NotSent",
    "OutcomeUnknown",
    "RateLimited",
    "ReadOnlyToken",
    "ServerFailed",
    "StillPending",
    "TokenNotFetched",
    "TokenNotGranted",
    "TokenRejected",
    "Unauthorized",
    "UnreadableReply",
    "ValidationFailed",
]

# Every other name is an error.
_MODULES = {
    "Client": "client",
    "RateLimit": "transport.throttle",
    "RedisRateLimit": "transport.redis_limit",
    "Limiter": "transport.limiter",
    "RetryPolicy": "transport.retry",
    "Timeouts": "transport.call",
    "Environment": "addresses",
    "ApiKey": "auth",
    "Auth": "auth",
    "BearerToken": "auth",
    "TokenScope": "auth",
    "AttemptRecord": "transport.call",
    "Page": "collection",
    "PreparedOrder": "prepared",
    "UNSET": "wire.unset",
    "Unset": "wire.unset",
    "is_set": "wire.unset",
}

if not TYPE_CHECKING:  # a __getattr__ that type checkers see would let a misspelt name pass

    def __getattr__(name: str) -> object:
        if name in {"errors", "resources"}:
            return import_module(f"{__name__}.{name}")
        if name in __all__:
            return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

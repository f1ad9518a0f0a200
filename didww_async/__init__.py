"""An asyncio client for the DIDWW phone-number API v3.

    async with Client(api_key=..., environment="sandbox") as client:
        async for city in client.cities.iterate(filter={"country.id": country.id}):
            ...

Resource classes and input classes are in `didww_async.resources`, all errors also in
`didww_async.errors`, a DIDWW API that runs on this machine in `didww_async.simulator`.
"""

from didww_async.auth import ApiKey, Auth, BearerToken
from didww_async.client import Client
from didww_async.collection import Page, PreparedOrder
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
    TokenNotFetched,
    TokenNotGranted,
    TokenRejected,
    Unauthorized,
    UnreadableReply,
    ValidationFailed,
)
from didww_async.transport.call import AttemptRecord, Timeouts
from didww_async.transport.retry import RetryPolicy
from didww_async.transport.throttle import RateLimit
from didww_async.wire.unset import UNSET, Unset

__all__ = [
    "Client",
    "RateLimit",
    "RetryPolicy",
    "Timeouts",
    "ApiKey",
    "Auth",
    "BearerToken",
    "AttemptRecord",
    "Page",
    "PreparedOrder",
    "UNSET",
    "Unset",
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
    "TokenNotFetched",
    "TokenNotGranted",
    "TokenRejected",
    "Unauthorized",
    "UnreadableReply",
    "ValidationFailed",
]

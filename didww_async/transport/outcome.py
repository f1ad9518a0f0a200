"""What a reply or an exception means: success, refused, not sent, or unknown (pure)."""

import datetime as dt
import email.utils
import math
from collections.abc import Mapping

import aiohttp

from didww_async.errors import (
    ApiError,
    BadRequest,
    Conflict,
    ErrorObject,
    Forbidden,
    InsufficientBalance,
    NoAnswer,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ServerFailed,
    Unauthorized,
    UnreadableReply,
    ValidationFailed,
)
from didww_async.transport.call import Reply
from didww_async.wire.document import parse_errors

__all__ = ["error_of_exception", "error_of_reply", "retry_after", "unreadable"]

BY_STATUS: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: ValidationFailed,
    429: RateLimited,
}
SNIPPET = 200

# The order matters: ClientConnectorError is a subclass of ClientOSError, which may mean anything.
SURELY_NOT_SENT = (
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientConnectorError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


def error_of_exception(exception: Exception, *, method: str, url: str) -> NoAnswer | None:
    """The verdict on a failed exchange; None when it is not a failure of the network.

    Source: measured on aiohttp 3.14; the table stands in tests/client/test_outcome.py.
    """
    if isinstance(exception, SURELY_NOT_SENT):
        return NotSent(method=method, url=url, reason=_reason(exception))
    if isinstance(exception, (aiohttp.ClientError, TimeoutError, OSError)):
        return OutcomeUnknown(method=method, url=url, reason=_reason(exception))
    return None


def error_of_reply(reply: Reply, *, method: str, url: str, now: dt.datetime) -> ApiError | None:
    """The error an answer stands for; None for a 2xx."""
    if 200 <= reply.status < 300:
        return None
    errors = parse_errors(reply.body)
    return _class_for(reply.status, errors)(
        method=method,
        url=url,
        status=reply.status,
        errors=errors,
        request_id=reply.request_id,
        retry_after=retry_after(reply.headers.get("retry-after"), now=now),
        body="" if errors else _snippet(reply.body),
    )


def unreadable(reply: Reply, *, method: str, url: str, why: str) -> UnreadableReply:
    """The error for a 2xx whose body is not what the API promises."""
    return UnreadableReply(
        method=method,
        url=url,
        status=reply.status,
        request_id=reply.request_id,
        errors=(ErrorObject(detail=f"{why}; it begins {_snippet(reply.body)!r}"),),
        body=_snippet(reply.body),
    )


def retry_after(header: str | None, *, now: dt.datetime) -> float | None:
    """The seconds a Retry-After header asks for (a number or an HTTP date); None if unusable."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (email.utils.parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _class_for(status: int, errors: tuple[ErrorObject, ...]) -> type[ApiError]:
    if status in {400, 402, 422} and any(_says_balance(error) for error in errors):
        return InsufficientBalance
    if status >= 500:
        return ServerFailed
    if status < 400:
        return UnreadableReply
    return BY_STATUS.get(status, ApiError)


def _says_balance(error: ErrorObject) -> bool:
    text = f"{error.title} {error.detail}".casefold()
    return "insufficient balance" in text or "insufficient funds" in text


def _snippet(body: bytes) -> str:
    return body[:SNIPPET].decode("utf-8", "replace")


def _reason(exception: Exception) -> str:
    # Never str() of a ClientResponseError's request: it carries the headers, and with them the key.
    if isinstance(exception, aiohttp.ClientResponseError):
        return f"{type(exception).__name__}: {exception.message}"
    text = str(exception)
    return f"{type(exception).__name__}: {text}" if text else type(exception).__name__

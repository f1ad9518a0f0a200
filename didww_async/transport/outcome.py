"""What a reply or an exception means: success, refused, not sent, or unknown (pure)."""

import datetime as dt
import email.utils
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
import attrs

from didww_async.errors import (
    ApiError,
    BadRequest,
    Conflict,
    ErrorObject,
    Forbidden,
    InsufficientBalance,
    NotFound,
    RateLimited,
    ServerFailed,
    Unauthorized,
    UnreadableReply,
    ValidationFailed,
)
from didww_async.transport.call import Reply
from didww_async.wire.document import parse_errors

__all__ = [
    "Unanswered",
    "error_of_reply",
    "retry_after",
    "unanswered",
    "unreadable",
    "without",
]

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
QUOTED = re.compile(r":?\s*(?:\n|\bb['\"]|\bbytearray\()")
PASSWORD_MEMBER = re.compile(
    r'("[^"]*(?:password|secret|token|username|auth_user)[^"]*"\s*:\s*")(?:[^"\\]|\\.)*',
    re.IGNORECASE,
)

# The order matters: ClientConnectorError is a subclass of ClientOSError, which may mean anything.
SURELY_NOT_SENT = (
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientConnectorError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


@attrs.frozen
class Unanswered:
    """What the network did instead of bringing an answer.

    All that is kept of the exception: it leads to the request, with the key, and to its body.
    """

    surely_not_sent: bool
    reason: str


def unanswered(exception: Exception, secrets: Iterable[str]) -> Unanswered:
    """What an exchange without an answer comes to: what the network, or aiohttp, raised instead.

    Source: measured on aiohttp 3.14; the table stands in tests/client/test_outcome.py.
    """
    return Unanswered(isinstance(exception, SURELY_NOT_SENT), _reason(exception, secrets))


def error_of_reply(reply: Reply, *, method: str, url: str, now: dt.datetime) -> ApiError:
    """The error that an answer stands for which did not succeed."""
    if 200 <= reply.status < 300:
        return unreadable(reply, method=method, url=url, why=reply.cut_off)
    body = without(reply.secrets, reply.body.decode("utf-8", "replace"))
    errors = tuple(_blotted(error, reply.secrets) for error in parse_errors(body))
    return _class_for(reply.status, errors)(
        method=method,
        url=url,
        status=reply.status,
        errors=errors,
        request_id=reply.request_id,
        retry_after=retry_after(reply.headers.get("retry-after"), now=now),
        body="" if errors else _snippet(body),
    )


def unreadable(reply: Reply, *, method: str, url: str, why: str) -> UnreadableReply:
    """The error for a 2xx whose body is not what the API promises."""
    # Secrets go first: the end of the snippet might cut one in two, and show the half.
    body = _snippet(without(reply.secrets, reply.body[: SNIPPET * 10].decode("utf-8", "replace")))
    return UnreadableReply(
        method=method,
        url=url,
        status=reply.status,
        request_id=reply.request_id,
        errors=(ErrorObject(detail=f"{why}; it begins {body!r}"),),
        body=body,
        cut_off=bool(reply.cut_off),
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
        except (ValueError, TypeError, OverflowError, IndexError):
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


def without(secrets: Iterable[str], text: str) -> str:
    """The text with every secret blotted out."""
    # A proxy's error page may well show the request it got, and with it the key; a body that broke
    # off may end in the middle of it.
    for secret in filter(None, secrets):
        text = text.replace(secret, "(hidden)")
        for length in range(len(secret) - 1, len(secret) // 3, -1):
            text = text.removesuffix(secret[:length])
    return text


def _blotted(found: Any, secrets: tuple[str, ...]) -> Any:
    """What was read, without secrets: in the body they may have been written with escapes."""
    match found:
        case str():
            return without(secrets, found)
        case list():
            return [_blotted(item, secrets) for item in found]
        case dict():
            return {_blotted(key, secrets): _blotted(item, secrets) for key, item in found.items()}
        case ErrorObject():
            members = attrs.asdict(found, recurse=False)
            return ErrorObject(**_blotted(members, secrets))
        case _:
            return found


def _snippet(body: str) -> str:
    """The beginning of a body, for messages: passwords of trunks blotted out."""
    return PASSWORD_MEMBER.sub(r"\1(hidden)", body)[:SNIPPET]


def _reason(exception: Exception, secrets: Iterable[str]) -> str:
    # Never str() of a ClientResponseError's request: it carries the headers, and with them the key.
    if isinstance(exception, aiohttp.ClientResponseError):
        # Without what the parser quotes: it may be the body, and in it a token or a password.
        text = QUOTED.split(exception.message)[0]
    else:
        text = str(exception)
    text = without(secrets, text)[: SNIPPET * 2]
    return f"{type(exception).__name__}: {text}" if text else type(exception).__name__

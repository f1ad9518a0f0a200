"""Every error of the client.

    DidwwError
    ├── InvalidInput             refused here, nothing was sent (also a ValueError)
    │   └── NotInThisVersion     the API version in use lacks it
    ├── StillPending             what was waited for takes longer; wait again
    ├── ClientClosed             the client was closed, or belongs to another event loop
    ├── ApiError                 the server answered
    │   ├── BadRequest           400
    │   │   ├── InsufficientBalance
    │   │   └── TokenNotGranted  by the token service
    │   ├── Unauthorized         401
    │   │   ├── KeyRefused       by the token service
    │   │   └── TokenRejected    by the API
    │   ├── Forbidden            403
    │   │   └── ReadOnlyToken
    │   ├── NotFound             404
    │   ├── Conflict             409
    │   ├── ValidationFailed     422
    │   ├── RateLimited          429
    │   ├── ServerFailed         5xx
    │   └── UnreadableReply      an answer that is no JSON:API document, or a redirect
    └── NoAnswer                 the server did not answer
        ├── NotSent              and surely has not read the request
        │   └── TokenNotFetched  because there was no token to send it with
        └── OutcomeUnknown       but may have carried it out

All of them survive pickling. None ever holds the API key or a token.
"""

from collections.abc import Mapping
from typing import Any, Self

import attrs

__all__ = [
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

LONGEST = 1000  # characters of the server's words in a message; `errors` has them all


class DidwwError(Exception):
    """Root of everything this library raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword arguments can't be rebuilt by calling the class again.
        return (_rebuilt, (type(self), self.args, self.__dict__))


def _rebuilt(cls: type[Exception], args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidInput(DidwwError, ValueError):
    """The caller's input can't be right; it was refused before anything was sent."""


class NotInThisVersion(InvalidInput):
    """The API version in use does not have this field, filter or operation."""


class StillPending(DidwwError):
    """What was waited for is not there yet; nothing is lost, wait again."""


class ClientClosed(DidwwError):
    """The client can't be used: it was closed, or it belongs to another event loop."""


@attrs.frozen(kw_only=True)
class ErrorObject:
    """One entry of a JSON:API error document; the server may leave any member out."""

    status: str | None = None
    code: str | None = None
    title: str | None = None
    detail: str | None = None
    pointer: str | None = None
    meta: Mapping[str, Any] = attrs.field(factory=dict, hash=False)

    def __str__(self) -> str:
        text = self.detail or self.title or "no detail given"
        where = f" at {self.pointer}" if self.pointer else ""
        code = f" (code {self.code})" if self.code else ""
        return f"{text}{where}{code}"


class ApiError(DidwwError):
    """The server answered, and the answer is not a success.

    `status` is the HTTP status; `errors` the JSON:API errors (empty when the body had none);
    `code`, `title`, `detail`, `pointer` and `meta` are those of the first; `request_id` is the
    server's X-Request-Id; `retry_after` the seconds it asked to wait; `body` the start of a body
    that was no JSON:API document.
    """

    advice = "See `errors` for what the server objects to."

    def __init__(
        self,
        *,
        method: str,
        url: str,
        status: int,
        errors: tuple[ErrorObject, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        body: str = "",
    ) -> None:
        self.method = method
        self.url = url
        self.status = status
        self.errors = errors
        self.request_id = request_id
        self.retry_after = retry_after
        self.body = body
        super().__init__(self._message())

    @classmethod
    def instead_of(cls, other: "ApiError") -> Self:
        """The same answer, understood better."""
        return cls(
            method=other.method,
            url=other.url,
            status=other.status,
            errors=other.errors,
            request_id=other.request_id,
            retry_after=other.retry_after,
            body=other.body,
        )

    def _message(self) -> str:
        said = "; ".join(str(error) for error in self.errors)
        if not said:
            said = f"no JSON:API error in the body: {self.body!r}" if self.body else "an empty body"
        request = f" [request {self.request_id}]" if self.request_id else ""
        said = f"{said[:LONGEST]}..." if len(said) > LONGEST else f"{said.rstrip('.')}."
        return f"{self.method} {self.url} -> {self.status}{request}: {said} {self.advice}"

    @property
    def _first(self) -> ErrorObject:
        return self.errors[0] if self.errors else ErrorObject()

    @property
    def code(self) -> str | None:
        return self._first.code

    @property
    def title(self) -> str | None:
        return self._first.title

    @property
    def detail(self) -> str | None:
        return self._first.detail

    @property
    def pointer(self) -> str | None:
        return self._first.pointer

    @property
    def meta(self) -> Mapping[str, Any]:
        return self._first.meta


class BadRequest(ApiError):
    """400: an unknown filter, sort or page, a malformed item, or too little balance."""

    advice = "Check the names and values of filters, sorts, page and items."


class InsufficientBalance(BadRequest):
    """400: the prepaid balance does not cover the order; `meta` may say by how much."""

    advice = "Nothing was bought. Top up the balance, or order less."


class TokenNotGranted(BadRequest):
    """400 of the token service: it grants no token with this scope and lifetime."""

    advice = "The call was not sent; ask for another scope, or ask DIDWW what the key may do."


class Unauthorized(ApiError):
    """401: the API key is missing or not valid for this environment."""

    advice = "Check the API key and that it belongs to this environment (production or sandbox)."


class KeyRefused(Unauthorized):
    """401 of the token service: it does not accept the API key."""

    advice = (
        "The token service refused the API key, so the call was not sent: check the key and that "
        "it belongs to this environment (production or sandbox)."
    )


class TokenRejected(Unauthorized):
    """401 of the API to a bearer token: expired, revoked, or of another environment.

    Nothing was carried out. The token is dropped; the next call gets a new one.
    """

    advice = (
        "The API rejected the bearer token. A new one is got for the next call; if that is "
        "rejected too, check that token service and API are of one environment."
    )


class Forbidden(ApiError):
    """403: a read-only account, a plan without this feature, or a token's scope."""

    advice = "The account or key may not do this; ask DIDWW to enable it."


class ReadOnlyToken(Forbidden):
    """403 to a write with a token of scope "read"; surely not carried out."""

    advice = 'The bearer token is read-only; for writes make one with scope="full".'


class NotFound(ApiError):
    """404: no such record for this account."""

    advice = "Check the id; it may be gone, or belong to another account."


class Conflict(ApiError):
    """409: the resource is still in use."""

    advice = "Detach what still uses it, then try again."


class ValidationFailed(ApiError):
    """422: the server read the input and refuses it; `pointer` names the field."""

    advice = "Correct the field that `pointer` names."


class RateLimited(ApiError):
    """429: more requests than the key may send; surely not carried out."""

    advice = "Share one RateLimit (and BearerToken) between all clients of this key, or slow down."


class ServerFailed(ApiError):
    """5xx: the server failed; a write may or may not have been carried out."""

    advice = "Before repeating a write, look whether it took effect."


class UnreadableReply(ApiError):
    """An answer that is not what the API promises: no JSON:API document, too large, a redirect.

    `status` is the HTTP status. After a write with a 2xx status the server did carry it out.
    `cut_off`: the connection broke while the body was read.
    """

    advice = "Check base_url, and whether a proxy answers in the API's place."

    def __init__(
        self,
        *,
        method: str,
        url: str,
        status: int,
        errors: tuple[ErrorObject, ...] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        body: str = "",
        cut_off: bool = False,
    ) -> None:
        self.cut_off = cut_off
        super().__init__(
            method=method,
            url=url,
            status=status,
            errors=errors,
            request_id=request_id,
            retry_after=retry_after,
            body=body,
        )


class NoAnswer(DidwwError):
    """No answer arrived. `reason` names what happened on the connection."""

    advice = ""

    def __init__(self, *, method: str, url: str, reason: str) -> None:
        self.method = method
        self.url = url
        self.reason = reason
        super().__init__(f"{method} {url}: {reason}. {self.advice}")


class NotSent(NoAnswer):
    """The server surely has not read the request (name, connect or TLS failed)."""

    advice = "Nothing was carried out; check the network and base_url, then try again."


class TokenNotFetched(NotSent):
    """The token service gave no token, so the API was surely not called."""

    advice = "The call itself was not sent; check the network and token_url, then try again."


class OutcomeUnknown(NoAnswer):
    """The request may have reached the server, and no answer came back."""

    advice = "It may have been carried out: look before repeating a write."

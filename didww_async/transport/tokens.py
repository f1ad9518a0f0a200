"""Fetching a bearer token: one exchange with the token service, and what its answer means."""

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from yarl import URL

from didww_async.auth import GrantedToken, TokenRequest
from didww_async.errors import (
    ApiError,
    ErrorObject,
    KeyRefused,
    RateLimited,
    TokenNotFetched,
    TokenNotGranted,
)
from didww_async.transport.call import Call, Operation, Reply, Timeouts
from didww_async.transport.exchange import Exchange
from didww_async.transport.headers import RequestHeaders
from didww_async.transport.limiter import Unlimited
from didww_async.transport.outcome import Unanswered, retry_after, without
from didww_async.transport.turn import Turn

__all__ = ["TokenFetcher"]

# Everybody waits for it, so it is given up sooner than an ordinary call.
TIMEOUTS = Timeouts(connect=10.0, read=15.0, total=30.0)
REFUSALS: Mapping[int, type[ApiError]] = {400: TokenNotGranted, 401: KeyRefused, 429: RateLimited}
TOKEN = Operation(
    method="POST",
    kind="POST token",
    api_version=None,
    accepts="application/json",
    sends="application/json",
    fresh=True,
)
LONGEST_TOKEN = 16_384  # characters: what headers usually have room for


class TokenFetcher:
    """Asks token services through the connections of one client, beside the API's rate limit."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        user_agent: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._exchange = exchange
        self._user_agent = user_agent
        self._now = now

    async def __call__(self, request: TokenRequest) -> GrantedToken:
        """Ask once. Raises KeyRefused, TokenNotGranted, RateLimited or TokenNotFetched."""
        secrets = tuple(request.headers.values())
        self._exchange.check_usable()
        call = Call(TOKEN, path="", body=request.body)
        headers = RequestHeaders(user_agent=self._user_agent, auth=request.headers)
        # The API's limits do not count requests for tokens.
        turn = Turn(Unlimited(), headers, places=(), waited=0.0)
        came = await self._exchange.send(call, URL(request.url), turn, TIMEOUTS)
        if isinstance(came, Unanswered):
            raise _no_token(request, came.reason)
        return self._read(request, came, secrets)

    def _read(self, request: TokenRequest, reply: Reply, secrets: tuple[str, ...]) -> GrantedToken:
        said = _json(reply.body)
        if refusal := REFUSALS.get(reply.status):
            raise refusal(
                method="POST",
                url=request.url,
                status=reply.status,
                errors=_errors(said, secrets),
                request_id=reply.request_id,
                retry_after=retry_after(reply.headers.get("retry-after"), now=self._now()),
            )
        if not 200 <= reply.status < 300:
            named = "".join(f": {error}" for error in _errors(said, secrets))
            raise _no_token(request, f"the token service answered {reply.status}{named}")
        return _granted(request, said)


def _granted(request: TokenRequest, said: Mapping[str, Any]) -> GrantedToken:
    # Nothing of a success is ever quoted: it may hold a good token where it is not expected.
    token = said.get("access_token")
    if not isinstance(token, str) or not token:
        raise _no_token(request, "the token service's answer holds no access_token")
    if len(token) > LONGEST_TOKEN or not all("!" <= character <= "~" for character in token):
        raise _no_token(request, "the access_token can't travel in a header")
    kind = said.get("token_type")
    if isinstance(kind, str) and kind.casefold() != "bearer":
        raise _no_token(request, "the token service's answer holds no bearer token")
    scope = said.get("scope")
    return GrantedToken(
        token=token,
        expires_in=_lifetime(request, said.get("expires_in")),
        scope=scope if isinstance(scope, str) else None,
    )


def _lifetime(request: TokenRequest, said: Any) -> float | None:
    if said is None:
        return None
    try:
        seconds = math.nan if isinstance(said, bool) else float(said)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise _no_token(request, "the token service's expires_in is no number of seconds")
    return seconds


def _no_token(request: TokenRequest, reason: str) -> TokenNotFetched:
    return TokenNotFetched(method="POST", url=request.url, reason=f"got no bearer token, {reason}")


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _errors(said: Mapping[str, Any], secrets: tuple[str, ...]) -> tuple[ErrorObject, ...]:
    """An OAuth-style refusal as the errors of this library: `error` is the code."""
    code, detail = said.get("error"), said.get("error_description")
    if not isinstance(code, str) and not isinstance(detail, str):
        return ()
    return (
        ErrorObject(
            code=without(secrets, code) if isinstance(code, str) else None,
            detail=without(secrets, detail) if isinstance(detail, str) else None,
        ),
    )

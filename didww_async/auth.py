"""Who is asking: the API key, or the bearer token got with it. Neither ever shows anywhere."""

import asyncio
import json
import logging
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol, runtime_checkable

import attrs

from didww_async.addresses import Environment, token_service_at
from didww_async.errors import (
    ApiError,
    ClientClosed,
    DidwwError,
    Forbidden,
    InvalidInput,
    ReadOnlyToken,
    TokenNotFetched,
    TokenRejected,
    Unauthorized,
)

__all__ = [
    "TOKEN_VERSION",
    "ApiKey",
    "Auth",
    "BearerToken",
    "FetchToken",
    "GrantedToken",
    "NoKey",
    "Renewable",
    "TokenRequest",
    "TokenScope",
]

TokenScope = Literal["full", "read"]
AUDIENCE = "api.didww.com"  # of the sandbox's tokens too
TOKEN_VERSION = "2026-11-19"  # noqa: S105 - the version that tokens are made for
SHORTEST, LONGEST = 60, 3600  # seconds a token may live
MARGIN = 60.0  # seconds before a token expires in which it is renewed
LARGEST_MARGIN = 0.2  # of the lifetime, for tokens that live shorter
RETRY_RENEWAL = 5.0  # seconds between tries to do so

log = logging.getLogger("didww_async")


class Auth(Protocol):
    """Gives the headers that authenticate one request."""

    async def headers(self) -> Mapping[str, str]:
        """The headers to add to a request that is about to be sent."""
        ...


@runtime_checkable
class Renewable(Auth, Protocol):
    """An `Auth` that wants to know when the API refused its headers."""

    def refused(self, refusal: ApiError, headers: Mapping[str, str]) -> ApiError:
        """The API answered 401 or 403 to `headers`: the error to raise.

        After a TokenRejected the call is sent once more (an order is not: it needs a new claim),
        with the headers as they are by then.
        """
        ...


class ApiKey:
    """Authenticates with the `Api-Key` header (API versions up to 2026-04-16)."""

    __slots__ = ("__key",)

    def __init__(self, key: str) -> None:
        """Raises InvalidInput for a key that can't travel in a header, without showing it."""
        self.__key = _checked(key)

    async def headers(self) -> Mapping[str, str]:
        return self.fixed()

    def fixed(self) -> Mapping[str, str]:
        """The headers, for who need not ask again: they stay the same."""
        return {"Api-Key": self.__key}

    def __repr__(self) -> str:
        return "ApiKey(hidden)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("an API key is not pickled: give each process its own")


class NoKey:
    """Authenticates with nothing: for `GET /public_keys`, and for files outside of the API."""

    async def headers(self) -> Mapping[str, str]:
        return self.fixed()

    def fixed(self) -> Mapping[str, str]:
        """The headers: none."""
        return {}


@attrs.frozen(kw_only=True)
class TokenRequest:
    """What is sent to the token service, by POST."""

    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes


@attrs.frozen(kw_only=True)
class GrantedToken:
    """What the token service answered; None where it did not say."""

    token: str = attrs.field(repr=False)
    expires_in: float | None
    scope: str | None


FetchToken = Callable[[TokenRequest], Awaitable[GrantedToken]]


@attrs.frozen(kw_only=True)
class _Held:
    """A token and until when it serves; times are of the BearerToken's clock."""

    token: str = attrs.field(repr=False)
    scope: str
    renew_at: float
    expires_at: float


@attrs.frozen(kw_only=True)
class _Flight:
    """A request for a token that is on its way, and through whose connections."""

    task: "asyncio.Task[_Held]"
    fetch: FetchToken


class BearerToken:
    """Authenticates with a short-lived token (API version 2026-11-19), got with the API key.

    It is fetched when first needed, once for everybody who waits for it, renewed shortly before it
    expires (while calls go on with the old one), and after the API rejected it. Share one object
    between all clients of the same key and scope, in any event loop.
    """

    __slots__ = (
        "__held",
        "__key",
        "_clock",
        "_expires_in",
        "_flights",
        "scope",
        "token_url",
    )

    def __init__(
        self,
        *,
        api_key: str,
        environment: Environment | None = None,
        token_url: str | None = None,
        scope: TokenScope = "full",
        expires_in: int = 900,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is sent before the first call of a client.

        `environment`: whose token service to ask; `token_url` replaces it (a simulator, a proxy);
        one of the two is required. `scope`: "read" allows GET only. `expires_in`: how long a token
        should live, 60 to 3600 seconds; what the service answers counts. `clock`: seconds that
        never jump, for tests.

        Raises InvalidInput when an argument can't be right. Source: facts file, section 1.
        """
        self.__key = _checked(api_key)
        if scope not in ("full", "read"):
            raise InvalidInput(f'a token\'s scope is "full" or "read", not {scope!r}')
        if type(expires_in) is not int or not SHORTEST <= expires_in <= LONGEST:
            raise InvalidInput(f"expires_in is {SHORTEST} to {LONGEST} seconds, not {expires_in!r}")
        self.scope = scope
        self.token_url = str(token_service_at(environment, token_url))
        self._expires_in = expires_in
        self._clock = clock
        self.__held: _Held | None = None
        self._flights: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Flight] = (
            weakref.WeakKeyDictionary()
        )

    def through(self, fetch: FetchToken) -> Renewable:
        """The `Auth` of one client, whose connections carry the requests for tokens."""
        return _Through(self, fetch)

    async def headers(self, fetch: FetchToken) -> Mapping[str, str]:
        """The headers of a request; waits for a token when there is none.

        Raises KeyRefused, TokenNotGranted, RateLimited or TokenNotFetched: in each case the call
        that wanted the headers was not sent.
        """
        held, now = self.__held, self._clock()
        if held is None or now >= held.expires_at:
            held = await self._renewed(fetch)
        elif now >= held.renew_at:
            self._flight(fetch)  # nobody waits for it: the one at hand is good for a while
        return {"Authorization": f"Bearer {held.token}"}

    def refused(self, refusal: ApiError, headers: Mapping[str, str]) -> ApiError:
        """The error for a 401 or 403; a refused token is dropped if it is still the current one."""
        held = self.__held
        current = held is not None and headers.get("Authorization") == f"Bearer {held.token}"
        if isinstance(refusal, Unauthorized):
            if current:
                self.__held = None
            return TokenRejected.instead_of(refusal)
        scope = held.scope if held is not None else self.scope
        if isinstance(refusal, Forbidden) and scope == "read" and refusal.method != "GET":
            return ReadOnlyToken.instead_of(refusal)
        return refusal

    async def _renewed(self, fetch: FetchToken) -> _Held:
        while True:
            flight = self._flight(fetch)
            try:
                return await asyncio.shield(flight.task)
            except (ClientClosed, TokenNotFetched):
                # Another client's connections may be closed or broken; these are not known to be.
                if flight.fetch == fetch:
                    raise

    def _flight(self, fetch: FetchToken) -> _Flight:
        """The request that is on its way in this event loop, or a new one.

        In a task of its own: who came first may be cancelled, the others still want the token.
        """
        loop, flights = asyncio.get_running_loop(), self._flights
        if (found := flights.get(loop)) is None:
            found = _Flight(task=loop.create_task(self._fetched(fetch)), fetch=fetch)
            flights[loop] = found
            found.task.add_done_callback(lambda task: _landed(flights, loop, task))
        return found

    async def _fetched(self, fetch: FetchToken) -> _Held:
        asked_at = self._clock()
        before = self.__held
        try:
            granted = await fetch(self._request())
        except DidwwError as problem:
            if before is not None and before is self.__held:
                log.warning("the bearer token was not renewed: %s", problem)
                self.__held = attrs.evolve(before, renew_at=self._clock() + RETRY_RENEWAL)
            raise
        lives = self._expires_in if granted.expires_in is None else granted.expires_in
        self.__held = _Held(
            token=granted.token,
            scope=granted.scope or self.scope,
            renew_at=asked_at + lives - min(MARGIN, lives * LARGEST_MARGIN),
            expires_at=asked_at + lives,
        )
        log.debug("a new bearer token of %s, good for %g s", self.token_url, lives)
        return self.__held

    def _request(self) -> TokenRequest:
        asked = {
            "aud": AUDIENCE,
            "scope": self.scope,
            "api_version": TOKEN_VERSION,
            "expires_in": self._expires_in,
        }
        return TokenRequest(
            url=self.token_url,
            headers={"Api-Key": self.__key},
            body=json.dumps(asked, separators=(",", ":")).encode(),
        )

    def __repr__(self) -> str:
        return f"BearerToken({self.token_url}, scope={self.scope!r})"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a bearer token is not pickled: give each process its own")


@attrs.frozen(repr=False)
class _Through:
    _token: BearerToken
    _fetch: FetchToken

    async def headers(self) -> Mapping[str, str]:
        return await self._token.headers(self._fetch)

    def refused(self, refusal: ApiError, headers: Mapping[str, str]) -> ApiError:
        return self._token.refused(refusal, headers)

    def __repr__(self) -> str:
        return repr(self._token)


def _landed(
    flights: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Flight]",
    loop: asyncio.AbstractEventLoop,
    task: "asyncio.Task[_Held]",
) -> None:
    del flights[loop]
    if not task.cancelled():
        task.exception()  # looked at, also when every caller has gone


def _checked(key: str) -> str:
    if not isinstance(key, str) or not key.strip():
        raise InvalidInput("the API key is empty; set api_key=... or DIDWW_API_KEY")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidInput("the API key holds blanks, control or non-ASCII characters")
    return key

"""Client: what users hold. One attribute per collection of the API."""

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from yarl import URL

from didww_async import __version__
from didww_async.addresses import Environment, api_at
from didww_async.api import Api
from didww_async.auth import Auth, BearerToken
from didww_async.catalogue import Catalogue
from didww_async.credentials import Credentials
from didww_async.errors import InvalidInput
from didww_async.owned import OwnedWork
from didww_async.transport.call import AttemptRecord, Timeouts
from didww_async.transport.exchange import Exchange
from didww_async.transport.limiter import Limiter
from didww_async.transport.retry import RetryPolicy
from didww_async.transport.sender import Sender
from didww_async.transport.throttle import RateLimit
from didww_async.transport.tokens import TokenFetcher
from didww_async.versions import DEFAULT_VERSION, version
from didww_async.wire.codec import Codec, best_codec

if TYPE_CHECKING:
    import aiohttp

    from didww_async.channel import Channel

__all__ = ["Client", "Environment"]

T = TypeVar("T")


class Client(Api):
    """A connection to the DIDWW API, shared by all tasks of one event loop.

    Use it as `async with Client(...) as client:` or call `aclose()`. `catalogue` caches reference
    data for a short time; `state` is a place for what libraries built on the client keep per
    client (views made by `at_version` share both).
    """

    def __init__(
        self,
        *,
        api_key: str | Auth | BearerToken,
        environment: Environment | None = None,
        base_url: str | URL | None = None,
        token_url: str | URL | None = None,
        api_version: str = DEFAULT_VERSION,
        account: str = "default",
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        rate_limit: Limiter | None = None,
        max_connections: int = 24,
        max_orders_in_flight: int = 8,
        session: "aiohttp.ClientSession | None" = None,
        trace_configs: Sequence["aiohttp.TraceConfig"] = (),
        on_attempt: Callable[[AttemptRecord], None] | None = None,
        codec: Codec | None = None,
    ) -> None:
        """Nothing is sent before the first call.

        `api_key`: the key, from which bearer tokens are got where the version wants them; or a
        `BearerToken`; or an `Auth` of your own. `environment`: "production" or "sandbox";
        `base_url` replaces it (a simulator, a proxy); one of the two is required. `token_url`: the
        token service that belongs to such a `base_url`. `api_version`: the version to speak:
        "2022-05-10", "2026-04-16" or "2026-11-19" (with bearer tokens). `account`: a label of
        yours that keeps purchases of several accounts apart in one journal. `timeouts`, `retry`:
        per attempt and between attempts. `rate_limit`: share one object between all clients of the
        same key. `max_connections`: calls on the wire at once. `max_orders_in_flight`: prepared
        orders at once, so that a crash leaves few open questions. `session`: your own aiohttp
        session; it is not closed here. `trace_configs`: aiohttp tracing, for
        example OpenTelemetry's. `on_attempt`: called with a frozen record after every attempt; it
        must not block. `codec`: how JSON is read and written; by orjson where it is installed.

        Raises InvalidInput when an argument can't be right.
        """
        if session is not None and trace_configs:
            raise InvalidInput("give trace_configs to your own session, not to the client")
        for name, most in (
            ("max_connections", max_connections),
            ("max_orders_in_flight", max_orders_in_flight),
        ):
            if not isinstance(most, int) or most < 1:
                raise InvalidInput(f"{name} is a whole number, at least 1, not {most!r}")
        if not isinstance(account, str) or not account:
            raise InvalidInput(f"account is a label of yours for the account, not {account!r}")
        for name, given, wanted in (
            ("timeouts", timeouts, Timeouts),
            ("retry", retry, RetryPolicy),
        ):
            if given is not None and not isinstance(given, wanted):
                raise InvalidInput(f"{name} is a {wanted.__name__}(...), not {given!r}")
        limit = RateLimit() if rate_limit is None else rate_limit
        if not all(hasattr(limit, name) for name in ("take", "acquire", "pause")):
            # By its type alone: it may be a URL of Redis with a password.
            raise InvalidInput(f"rate_limit is a RateLimit(...), not {type(rate_limit).__name__}")
        if on_attempt is not None and not callable(on_attempt):
            raise InvalidInput(f"on_attempt is a function, not {on_attempt!r}")
        self.account = account
        self.max_orders_in_flight = max_orders_in_flight
        user_agent = f"didww-async/{__version__}"
        self.base_url = api_at(environment, base_url)
        self._exchange = Exchange(
            session=session, max_connections=max_connections, trace_configs=trace_configs
        )
        self._credentials = Credentials(
            api_key,
            api=self.base_url,
            token_url=token_url,
            fetch=TokenFetcher(exchange=self._exchange, user_agent=user_agent),
        )
        self._sender = Sender(
            base_url=self.base_url,
            auth=self._credentials.to_speak(version(api_version)),
            exchange=self._exchange,
            rate_limit=limit,
            retry=retry or RetryPolicy(),
            timeouts=timeouts or Timeouts(),
            max_connections=max_connections,
            max_orders_in_flight=max_orders_in_flight,
            user_agent=user_agent,
            on_attempt=on_attempt,
            codec=codec or best_codec(),
        )
        self.catalogue = Catalogue()
        self.state: dict[object, Any] = {}
        self._owned = OwnedWork()
        self._opened: Channel | None = None
        self._speak(api_version)

    def _speak(self, api_version: str) -> None:
        self._version = version(api_version)
        self._sender = self._sender.acting_as(self._credentials.to_speak(self._version))

    def _channel(self) -> "Channel":
        if self._opened is None:
            from didww_async.channel import open_channel  # noqa: PLC0415 - it takes a while to load

            self._opened = open_channel(sender=self._sender, version=self._version)
        elif self._opened.version is not self._version:
            self._opened = self._opened.speaking(sender=self._sender, version=self._version)
        return self._opened

    @classmethod
    def from_env(
        cls,
        *,
        environ: Mapping[str, str] | None = None,
        api_version: str | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        rate_limit: Limiter | None = None,
        session: "aiohttp.ClientSession | None" = None,
        on_attempt: Callable[[AttemptRecord], None] | None = None,
    ) -> Self:
        """Make a client from DIDWW_API_KEY, DIDWW_ENVIRONMENT or DIDWW_BASE_URL, and
        DIDWW_ACCOUNT (the label of the account in journals, "default" without).

        DIDWW_API_VERSION is the version to speak unless `api_version` says it; DIDWW_TOKEN_URL the
        token service that goes with DIDWW_BASE_URL (2026-11-19 only; DIDWW's own are known).
        `environ` replaces os.environ; the rest is as for `Client`. Raises InvalidInput naming the
        variable that is missing or wrong.
        """
        found = os.environ if environ is None else environ
        key = found.get("DIDWW_API_KEY", "")
        if not key:
            raise InvalidInput("DIDWW_API_KEY is not set")
        base_url = found.get("DIDWW_BASE_URL") or None
        environment: Any = found.get("DIDWW_ENVIRONMENT") or None
        if base_url is None and environment is None:
            raise InvalidInput("set DIDWW_ENVIRONMENT to production or sandbox, or DIDWW_BASE_URL")
        try:
            return cls(
                api_key=key,
                environment=environment,
                base_url=base_url,
                # Only with the address it belongs to: the key is not sent to somebody else's.
                token_url=(found.get("DIDWW_TOKEN_URL") or None) if base_url else None,
                account=found.get("DIDWW_ACCOUNT") or "default",
                api_version=api_version or found.get("DIDWW_API_VERSION") or DEFAULT_VERSION,
                timeouts=timeouts,
                retry=retry,
                rate_limit=rate_limit,
                session=session,
                on_attempt=on_attempt,
            )
        except InvalidInput as problem:
            raise InvalidInput(
                f"{problem} (from DIDWW_API_KEY, DIDWW_ENVIRONMENT, DIDWW_BASE_URL, "
                "DIDWW_TOKEN_URL and DIDWW_API_VERSION)"
            ) from None

    def at_version(self, api_version: str) -> Self:
        """A view of this client that speaks another API version over the same connections.

        Closing either closes both. Raises InvalidInput when this client's credentials don't serve
        that version: the key as text serves every one, if the token service is known.
        """
        view = object.__new__(type(self))
        view.__dict__.update(self._without_collections())
        view._speak(api_version)
        return view

    @property
    def api_version(self) -> str:
        """The API version this client speaks."""
        return self._version.date

    @property
    def origin(self) -> str:
        """The API this client talks to, such as "https://api.didww.com/v3"; it holds no secret."""
        return str(self.base_url)

    @property
    def rate_limit(self) -> Limiter:
        """The rate limit, to be given to other clients of the same key."""
        return self._sender.rate_limit

    @property
    def timeouts(self) -> Timeouts:
        """The time limits of one attempt."""
        return self._sender.timeouts

    async def run_to_completion(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in a task the client owns: a cancelled caller detaches, the work goes on.

        `aclose()` awaits it. For what must not be torn apart: an order and its journal entry.
        """
        return await self._owned.run(work)

    async def aclose(self) -> None:
        """Wait for orders that are on their way, then close the connections opened here."""
        await self._owned.aclose()
        await self.catalogue.aclose()
        await self._exchange.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Client({self.origin}, api_version={self.api_version!r}, account={self.account!r})"

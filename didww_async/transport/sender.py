"""The way of a request: retry loop -> connection limit -> rate limit -> one exchange -> outcome."""

import copy
import datetime as dt
import functools
import itertools
import logging
import re
import time
from collections.abc import Callable, Mapping

from yarl import URL

from didww_async.addresses import without_secrets
from didww_async.auth import ApiKey, Auth, NoKey, Renewable
from didww_async.errors import (
    ApiError,
    DidwwError,
    Forbidden,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    TokenRejected,
    Unauthorized,
    UnreadableReply,
)
from didww_async.transport.call import AttemptRecord, Call, Reply, Timeouts
from didww_async.transport.exchange import MAX_BODY, Exchange
from didww_async.transport.headers import RequestHeaders
from didww_async.transport.limiter import Limiter
from didww_async.transport.outcome import Unanswered, error_of_reply, unreadable
from didww_async.transport.places import Places
from didww_async.transport.retry import RetryPolicy, may_repeat, retried
from didww_async.transport.turn import Turn
from didww_async.wire.codec import Codec
from didww_async.wire.document import Document, NotADocument, parse_document
from didww_async.wire.query import Pairs, sendable

__all__ = ["Sender"]

PAUSE_AFTER_429 = 1.0  # seconds, when the server names none: its window

SEPARATES = re.compile(r"[&=+%;#]")

log = logging.getLogger("didww_async")


class Sender:
    """Sends calls. Holds what one client holds: auth, sessions, limits, policy, hooks."""

    def __init__(
        self,
        *,
        base_url: URL,
        auth: Auth,
        exchange: Exchange,
        rate_limit: Limiter,
        retry: RetryPolicy,
        timeouts: Timeouts,
        max_connections: int,
        max_orders_in_flight: int,
        user_agent: str,
        on_attempt: Callable[[AttemptRecord], None] | None,
        codec: Codec,
    ) -> None:
        self.base_url = base_url
        self.rate_limit = rate_limit
        self.timeouts = timeouts
        self.codec = codec
        self._exchange = exchange
        self._retry = retry
        # Held back here a waiting call costs a future; inside aiohttp's pool it would cost its
        # built request, and its connect time-out would run.
        calls, orders = Places(max_connections), Places(max_orders_in_flight)
        self._calls = calls
        self._to_call, self._to_order = (calls,), (orders, calls)
        self._user_agent = user_agent
        self._use(auth)
        self._on_attempt = on_attempt
        self._shown: str | None = None  # what messages say instead of a call's URL
        self._warned: set[tuple[str, str]] = set()

    def acting_as(self, auth: Auth) -> "Sender":
        """The same sender, sharing limits and connections, that authenticates in another way."""
        other = copy.copy(self)
        other._use(auth)  # noqa: SLF001 - its own copy
        return other

    def _use(self, auth: Auth) -> None:
        self._auth = auth
        # Not those of a subclass: it may have headers() of its own.
        fixed = auth.fixed() if type(auth) is ApiKey or type(auth) is NoKey else None
        self._headers = RequestHeaders(user_agent=self._user_agent, auth=fixed or {})
        self._fixed_headers = None if fixed is None else self._headers

    def at(self, url: URL) -> "Sender":
        """The same sender for a file at some address: the key goes to the API's own host only."""
        ours = url.origin() == self.base_url.origin()
        other = self.acting_as(self._auth if ours else NoKey())
        other.base_url = url.with_user(None) if ours else url
        other._shown = str(without_secrets(url))  # noqa: SLF001 - its own copy
        return other

    def read(self, call: Call, reply: Reply) -> Document:
        """Read a reply's document. Raises UnreadableReply."""
        if len(reply.body) > MAX_BODY:
            why = f"the body is longer than {MAX_BODY} bytes"
            raise self.unreadable(call, why, reply=reply)
        try:
            document = parse_document(reply.body, codec=self.codec)
        except NotADocument as problem:
            raise self.unreadable(call, str(problem), reply=reply) from None
        asked, served = call.operation.api_version, document.meta.get("api_version")
        if served != asked and asked is not None and isinstance(served, str):
            self._warn_of_version(asked=asked, served=served)
        return document

    def unreadable(self, call: Call, why: str, *, reply: Reply) -> UnreadableReply:
        """The error for a success whose document is not what the API promises."""
        return unreadable(
            reply, method=call.operation.method, url=self._said(self.url(call)), why=why
        )

    async def send(self, call: Call) -> Reply:
        """Send a call as often as the retry policy allows. Raises the last failure."""
        url = self.url(call)  # raises what is wrong with it before anything is waited for
        turn = None
        try:  # as _attempt does, but without coroutines of its own
            turn = self._turn_at_once()
            if turn is None:
                turn = await self.turn()
                self._exchange.check_usable()  # still
            timeouts = call.timeouts or self.timeouts
            try:
                came = await self._exchange.send(call, url, turn, timeouts)
            except BaseException as problem:
                self._torn(call, turn, problem)
                raise
            return self._judged(call, turn, came)
        except DidwwError as failure:
            first = failure
        finally:
            if turn is not None:
                turn.end()
        # Outside the except block: what follows must not carry the first failure as its context.
        return await self._after(first, call)

    async def _after(self, failure: DidwwError, call: Call) -> Reply:
        """Go on after a first failure, or raise it."""
        first = failure
        if isinstance(first, TokenRejected) and call.operation.repeat != "never":
            try:
                return await self._attempt(call, 1)
            except DidwwError as second:
                first = second
        if not may_repeat(first, repeat=call.operation.repeat):
            raise first
        failed = time.monotonic()
        return await retried(
            self._retry,
            repeat=call.operation.repeat,
            first=first,
            send=lambda attempt: self._renewing(call, attempt),
            elapsed=lambda: time.monotonic() - failed,
        )

    async def _renewing(self, call: Call, attempt: int) -> Reply:
        try:
            return await self._attempt(call, attempt)
        except TokenRejected:
            pass
        return await self._attempt(call, attempt)  # once, with the next token

    async def _attempt(self, call: Call, attempt: int) -> Reply:
        turn = self._turn_at_once() or await self.turn()
        try:
            return await self.exchange(call, turn, attempt=attempt)
        finally:
            turn.end()

    def _turn_at_once(self) -> Turn | None:
        """A turn that nothing has to be waited for: most often there is one."""
        self._exchange.check_usable()  # before anything is taken that others may want
        headers = self._fixed_headers
        if headers is None or not self._calls.take():
            return None
        grant = None
        try:
            grant = self.rate_limit.take()
        finally:
            if grant is None:
                self._calls.free()
        return None if grant is None else Turn(grant, headers, self._to_call, 0.0)

    async def turn(self, *, ordering: bool = False) -> Turn:
        """Take a place, an order's place if `ordering`, and a rate grant. End it.

        Raises ClientClosed at once, not after having waited; and what the user's Auth raises.
        """
        self._exchange.check_usable()
        started = time.monotonic()
        places = self._to_order if ordering else self._to_call
        taken = 0
        try:
            for place in places:
                await place.wait()
                taken += 1
            # Before the grant: a token that must be fetched may take its time.
            headers = self._headers_for(await self._auth.headers())
            grant = await self.rate_limit.acquire()
        except BaseException:
            for place in places[:taken]:
                place.free()
            raise
        return Turn(grant, headers, places, time.monotonic() - started)

    def _headers_for(self, auth: Mapping[str, str]) -> RequestHeaders:
        if self._headers.auth != auth:
            self._headers = RequestHeaders(user_agent=self._user_agent, auth=auth)
        return self._headers

    async def exchange(self, call: Call, turn: Turn, *, attempt: int = 1) -> Reply:
        """One exchange on a turn already taken: one request on the wire, or none.

        Raises ApiError for an answer that is no success, NotSent or OutcomeUnknown for none.
        """
        self._exchange.check_usable()
        try:
            timeouts = call.timeouts or self.timeouts
            came = await self._exchange.send(call, self.url(call), turn, timeouts)
        except BaseException as problem:
            self._torn(call, turn, problem, attempt=attempt)
            raise
        return self._judged(call, turn, came, attempt=attempt)

    def _torn(self, call: Call, turn: Turn, problem: BaseException, *, attempt: int = 1) -> None:
        """An exchange ended in a cancellation, or an error that is none of the network."""
        if turn.began is not None:
            turn.grant.sent()  # as far as anybody can know
            self._tell(call, problem, turn, attempt=attempt)

    def _judged(
        self, call: Call, turn: Turn, came: Reply | Unanswered, *, attempt: int = 1
    ) -> Reply:
        """Return an answer that is a success. Raises what anything else stands for."""
        if isinstance(came, Reply):
            if 200 <= came.status < 300 and not came.cut_off:
                if self._on_attempt is not None or log.isEnabledFor(logging.DEBUG):
                    self._tell(call, came, turn, attempt=attempt)
                return came
            outcome: DidwwError = self._refusal(call, turn, came)
        else:
            outcome = self._lost(call, turn, came)
        self._tell(call, outcome, turn, attempt=attempt)
        raise outcome

    def url(self, call: Call) -> URL:
        """Where a call goes; it never holds the key. Raises InvalidInput for text that can't be
        written."""
        if not call.path:  # of one file: not worth remembering, and may hold a token
            return self.base_url
        return _address(self.base_url, call.path, call.query)

    def _said(self, url: URL) -> str:
        return str(url) if self._shown is None else self._shown

    def _refusal(self, call: Call, turn: Turn, reply: Reply) -> ApiError:
        refusal = error_of_reply(
            reply,
            method=call.operation.method,
            url=self._said(self.url(call)),
            now=dt.datetime.now(dt.UTC),
        )
        if isinstance(refusal, (Unauthorized, Forbidden)) and isinstance(self._auth, Renewable):
            return self._auth.refused(refusal, turn.headers.auth)
        if isinstance(refusal, RateLimited):
            asked = refusal.retry_after
            self.rate_limit.pause(PAUSE_AFTER_429 if asked is None else asked)
        return refusal

    def _lost(self, call: Call, turn: Turn, came: Unanswered) -> NoAnswer:
        if came.surely_not_sent:
            turn.grant.give_back()
        else:
            turn.grant.sent()  # as far as anybody can know
        verdict = NotSent if came.surely_not_sent else OutcomeUnknown
        url = self._said(self.url(call))
        return verdict(method=call.operation.method, url=url, reason=came.reason)

    def _tell(self, call: Call, result: Reply | BaseException, turn: Turn, *, attempt: int) -> None:
        """Tell the log and the hook of an attempt that ended."""
        error = None
        if isinstance(result, BaseException):
            error = str(result) if isinstance(result, DidwwError) else type(result).__name__
        ended = time.monotonic()
        record = AttemptRecord(
            method=call.operation.method,
            url=self._said(self.url(call)),
            attempt=attempt,
            status=getattr(result, "status", None),
            error=error,
            elapsed=ended - (ended if turn.began is None else turn.began),
            waited=turn.waited,
            request_id=getattr(result, "request_id", None),
        )
        log.debug(
            "%s %s -> %s in %.3f s (waited %.3f s, attempt %d, request %s)",
            record.method,
            record.url,
            record.status or record.error,
            record.elapsed,
            record.waited,
            record.attempt,
            record.request_id,
        )
        if self._on_attempt is not None:
            try:
                self._on_attempt(record)
            except Exception:  # a hook must not cost an order's answer
                log.exception("the on_attempt hook failed")

    def _warn_of_version(self, *, asked: str, served: str) -> None:
        if (asked, served) in self._warned:
            return
        self._warned.add((asked, served))
        # Logged, not warnings.warn(): under -W error that would throw an order's answer away.
        log.warning(
            "asked for API version %s, served %r: the account's default is newer, or the server "
            "does not know the version; names and values may differ",
            asked,
            served,
        )


@functools.lru_cache(maxsize=1024)  # orders are polled, and countries looked up, again and again
def _address(base: URL, path: str, pairs: Pairs) -> URL:
    """The URL of a call. Raises InvalidInput for text that can't be written."""
    url = base / path
    if not pairs:
        return url
    text = sendable("".join(itertools.chain(*pairs)))
    # yarl quotes text quicker than pairs, but takes what separates pairs for just that.
    if SEPARATES.search(text):
        return url.with_query(pairs)
    return url.with_query("&".join(map("=".join, pairs)))

"""One attempt is one HTTP exchange: it returns what came or raises what aiohttp raised."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import aiohttp
from yarl import URL

from didww_async.errors import ClientClosed
from didww_async.transport.call import Reply, Timeouts

__all__ = ["Exchange", "ReplyTooLarge"]

MAX_BODY = 32 * 1024 * 1024
IDLE_FOR_READS = 15.0
# A connection the server closed while it was idle fails a POST with "outcome unknown", needlessly:
# orders travel on connections of their own, which are dropped after this many idle seconds.
IDLE_FOR_ORDERS = 2.0


class ReplyTooLarge(Exception):
    """The body is larger than any reply of the API."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Exchange:
    """Owns the sessions (or borrows the user's) and sends one request at a time per call."""

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None,
        max_connections: int,
        trace_configs: Sequence[aiohttp.TraceConfig],
    ) -> None:
        self._borrowed = session
        self._max_connections = max_connections
        self._trace_configs = list(trace_configs)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def send(
        self,
        *,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        fresh: bool,
        timeouts: Timeouts,
        on_sent: Callable[[], None],
    ) -> Reply:
        """Send one request and read its whole answer.

        `on_sent` is called when the headers leave (with a borrowed session: when the answer
        begins). Raises aiohttp's errors, TimeoutError and ReplyTooLarge as they come.
        """
        session = self._session(fresh=fresh)
        async with session.request(
            method,
            url,
            headers=headers,
            data=body,
            timeout=aiohttp.ClientTimeout(
                total=timeouts.total,
                connect=timeouts.connect,
                sock_connect=timeouts.connect,
                sock_read=timeouts.read,
            ),
            allow_redirects=False,
            raise_for_status=False,
            middlewares=(),
            trace_request_ctx=on_sent,
        ) as response:
            on_sent()
            return Reply(
                status=response.status,
                headers={name.lower(): found for name, found in response.headers.items()},
                body=await _read(response),
            )

    def _session(self, *, fresh: bool) -> aiohttp.ClientSession:
        self._check_usable()
        if self._borrowed is not None:
            return self._borrowed
        if (found := self._sessions.get(fresh)) is None:
            found = self._sessions[fresh] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._max_connections,
                    keepalive_timeout=IDLE_FOR_ORDERS if fresh else IDLE_FOR_READS,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[_tells_when_sent(), *self._trace_configs],
            )
        return found

    def _check_usable(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        if self._closed:
            raise ClientClosed("this client is closed; make a new one")
        if self._loop is not loop:
            raise ClientClosed("this client belongs to another event loop; make one per loop")
        if self._borrowed is not None and self._borrowed.closed:
            raise ClientClosed("the session that was given to this client is closed")

    async def aclose(self) -> None:
        """Close the sessions that were opened here; a borrowed one stays open."""
        self._closed = True
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    if (response.content_length or 0) > MAX_BODY:
        response.close()
        raise ReplyTooLarge(response.status)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            response.close()
            raise ReplyTooLarge(response.status)
    return bytes(body)


def _tells_when_sent() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()

    async def headers_sent(
        _session: aiohttp.ClientSession,
        context: object,
        _params: aiohttp.TraceRequestHeadersSentParams,
    ) -> None:
        on_sent = getattr(context, "trace_request_ctx", None)
        if callable(on_sent):
            on_sent()

    config.on_request_headers_sent.append(headers_sent)
    return config

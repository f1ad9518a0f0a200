"""One attempt is one HTTP exchange: it returns what came, an answer or what went wrong instead."""

import asyncio
import io
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from yarl import URL

from didww_async.errors import ClientClosed, InvalidInput
from didww_async.transport.call import Call, Reply, Timeouts
from didww_async.transport.deadlines import Deadlines
from didww_async.transport.files import Form, Sink
from didww_async.transport.limiter import Granted
from didww_async.transport.outcome import Unanswered, unanswered
from didww_async.transport.turn import Turn

__all__ = ["MAX_BODY", "Exchange"]

MAX_BODY = 32 * 1024 * 1024  # larger than any reply of the API
IDLE_FOR_READS = 15.0
# A connection the server closed while it was idle fails a write with "outcome unknown", needlessly:
# writes travel on connections of their own, which are dropped after this many idle seconds.
IDLE_FOR_WRITES = 2.0


# What is to be told when the current task's request leaves; None when it has left.
LEAVES: ContextVar[Granted | None] = ContextVar("LEAVES", default=None)


class ConnectionDropped(aiohttp.ClientConnectionError):
    """The connection ended before an answer began."""


class _OneEach(aiohttp.TCPConnector):
    """Gives one connection to each exchange, and tells when it does: the request leaves at once.

    aiohttp asks for a second one to send GET, PUT and DELETE again when a connection drops. That
    would be a request beside the rate limit, and a DELETE that worked would read as NotFound.
    """

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        grant = LEAVES.get()
        if grant is None:
            raise ConnectionDropped("the connection ended before an answer began")
        connection = await super().connect(req, traces, timeout)
        LEAVES.set(None)
        grant.sent()
        return connection


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
        self._alike: Mapping[str, Any] = OUR_WAY if session is None else THEIR_WAY
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._timeouts: Timeouts | None = None
        self._limits = aiohttp.ClientTimeout()
        self._deadlines = Deadlines()

    async def send(
        self, call: Call, url: URL, turn: Turn, timeouts: Timeouts
    ) -> Reply | Unanswered:
        """Send one request and read its answer, of a body over MAX_BODY the beginning.

        To be called once `check_usable` let it pass. The turn's grant is told when the request
        leaves (with a borrowed session: when the answer begins) and when the answer begins. What
        fails after that leaves a reply whose body is cut off. Raises InvalidInput for a file that
        can't be read, and what a cancellation or a fault of somebody else's raises.
        """
        operation, sent, sink = call.operation, call.body, call.sink
        session = self._borrowed
        if session is None:
            session = self._sessions.get(operation.fresh) or self._session(fresh=operation.fresh)
        data = _opened(sent) if isinstance(sent, Form) else sent
        grant, headers = turn.grant, turn.headers
        turn.began = time.monotonic()
        response: aiohttp.ClientResponse | None = None
        pieces: list[bytes] = []
        cut_off = ""
        deadline = self._deadlines.begin(timeouts.total)
        LEAVES.set(grant)
        try:
            response = await session.request(
                operation.method,
                url,
                headers=headers.of(operation),
                data=data,
                # Nearly all calls have those of their client.
                timeout=self._limits if timeouts is self._timeouts else self._limited(timeouts),
                **self._alike,
            )
            if self._borrowed is not None:
                grant.sent()
            grant.answered(operation.kind)
            if sink is not None and response.status == 200:
                await _pour(response, sink)
            elif response.content.is_eof():  # as most replies are: all is here
                pieces.append(response.content.read_nowait())
            else:
                await _read(response, pieces)
        except asyncio.CancelledError:
            if not deadline.end():
                raise
            if response is None:
                late = TimeoutError(f"no answer within {timeouts.total:g} s")
                return unanswered(late, headers.secrets)
            cut_off = "the body broke off (TimeoutError)"
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            if response is None:
                return unanswered(problem, headers.secrets)
            cut_off = f"the body broke off ({type(problem).__name__})"
        finally:
            deadline.end()
            # A body that was read to its end has given the connection back, unless an upload
            # still runs: what `async with` would do is needed for the others only.
            if response is not None and (data is not sent or not response.closed):
                response.release()
                await response.wait_for_close()
        body = b"".join(pieces)
        return Reply(response.status, response.headers, body, cut_off, headers.secrets)

    def _limited(self, timeouts: Timeouts) -> aiohttp.ClientTimeout:
        self._timeouts = timeouts
        self._limits = aiohttp.ClientTimeout(
            total=None,  # see deadlines.py
            connect=timeouts.connect,
            sock_connect=timeouts.connect,
            sock_read=timeouts.read,
        )
        return self._limits

    def _session(self, *, fresh: bool) -> aiohttp.ClientSession:
        made = self._sessions[fresh] = aiohttp.ClientSession(
            connector=_OneEach(
                limit=self._max_connections,
                keepalive_timeout=IDLE_FOR_WRITES if fresh else IDLE_FOR_READS,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=self._trace_configs,
        )
        return made

    def check_usable(self) -> None:
        """Raises ClientClosed when nothing can be sent: closed, or used in another event loop."""
        loop = asyncio.get_running_loop()
        if self._closed:
            raise ClientClosed("this client is closed; make a new one")
        if self._loop is not loop:
            if self._loop is not None:
                raise ClientClosed("this client belongs to another event loop; make one per loop")
            self._loop = loop
        if self._borrowed is not None and self._borrowed.closed:
            raise ClientClosed("the session that was given to this client is closed")

    async def aclose(self) -> None:
        """Close the sessions that were opened here; a borrowed one stays open."""
        self._closed = True
        self._deadlines.close()
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating: it sends GET, PUT and DELETE again when a connection drops.

    For borrowed sessions, whose connector is not ours. See `_OneEach`.
    """
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as problem:
        raise ConnectionDropped(str(problem)) from None


OUR_WAY: Mapping[str, Any] = {"allow_redirects": False}
# A user's session may have been told otherwise, and its middlewares might repeat a request as well.
THEIR_WAY: Mapping[str, Any] = {
    "allow_redirects": False,
    "raise_for_status": False,
    "middlewares": (_once,),
}


def _opened(form: Form) -> aiohttp.FormData:
    """The form as aiohttp sends it, which closes the file when it is done."""
    data = aiohttp.FormData()
    for name, text in form.fields:
        data.add_field(name, text)
    if isinstance(form.file, bytes):
        file: io.IOBase = io.BytesIO(form.file)
    else:
        try:
            file = form.file.open("rb")
        except OSError as problem:
            raise InvalidInput(f"{form.file} can't be read: {problem.strerror}") from None
    data.add_field(
        form.file_field, file, filename=form.file_name, content_type="application/octet-stream"
    )
    return data


async def _pour(response: aiohttp.ClientResponse, sink: Sink) -> None:
    """Give the body to the sink as it comes."""
    # What is unpacked on the way is longer than its Content-Length.
    packed = "Content-Encoding" in response.headers
    await sink.begin(None if packed else response.content_length)
    async for chunk in response.content.iter_any():
        await sink.write(chunk)


async def _read(response: aiohttp.ClientResponse, pieces: list[bytes]) -> None:
    """Add the body to `pieces` as it comes, until it is longer than any reply of the API."""
    content = response.content
    size = 0
    while size <= MAX_BODY:
        pieces.append(await content.readany())
        if content.at_eof():
            return
        size += len(pieces[-1])
    response.close()

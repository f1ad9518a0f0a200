"""Servers for the client's tests: real sockets on loopback that answer, or fail, as told."""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest

from didww_async import Client, RateLimit, RetryPolicy

KEY = "tops3cret-key-0123456789abcdef"
MEDIA_TYPE = "application/vnd.api+json"
Then = Literal["keep", "close", "reset", "hang"]


@attrs.frozen(kw_only=True)
class Seen:
    """A request as the server read it; `query` is decoded, header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    connection: int
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.frozen
class Say:
    """Bytes to answer with after `wait` seconds, and what to do with the connection then."""

    data: bytes = b""
    then: Then = "keep"
    wait: float = 0.0


Answers = Say | Sequence[Say] | Callable[[Seen], Say]


def reply(
    body: Any = None,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    then: Then = "keep",
    wait: float = 0.0,
) -> Say:
    """A well-formed HTTP response; a body that is no str or bytes is written as JSON."""
    if isinstance(body, str):
        data = body.encode()
    elif isinstance(body, bytes):
        data = body
    else:
        data = b"" if body is None else json.dumps(body).encode()
    lines = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {found}\r\n" for name, found in lines.items())
    return Say(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + data, then, wait)


def refusal(status: int, *, headers: dict[str, str] | None = None, **members: Any) -> Say:
    """A JSON:API error document with one error."""
    return reply({"errors": [members]}, status=status, headers=headers)


def document(data: Any, *, included: Any = None, **meta: Any) -> dict[str, Any]:
    """A JSON:API success document."""
    found: dict[str, Any] = {"data": data, "meta": {"api_version": "2026-04-16", **meta}}
    return found if included is None else {**found, "included": included}


def thing(type: str, id: Any, **attributes: Any) -> dict[str, Any]:
    """A JSON:API resource object."""
    return {"type": type, "id": id, "attributes": attributes}


ORDER = document(thing("orders", "order-1", status="pending", amount="8.0"))
COUNTRIES = document([thing("countries", "us", name="United States", iso="US", prefix="1")])


class Server:
    """Listens on loopback while it is entered; `requests` are those read in full, in order."""

    def __init__(self, answers: Answers = Say()) -> None:
        self.answers = answers
        self.requests: list[Seen] = []
        self.connections = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def last(self) -> Seen:
        return self.requests[-1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v3"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                while True:
                    say = self._answer(await _read(reader, connection))
                    if say.wait:
                        await asyncio.sleep(say.wait)
                    writer.write(say.data)
                    await writer.drain()
                    if say.then == "hang":
                        await asyncio.sleep(3600)
                    if say.then == "reset":
                        linger = struct.pack("ii", 1, 0)
                        writer.get_extra_info("socket").setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, linger
                        )
                        writer.transport.abort()
                    if say.then != "keep":
                        return
            finally:
                writer.close()
                await writer.wait_closed()  # no socket outlives the test's event loop

    def _answer(self, seen: Seen) -> Say:
        self.requests.append(seen)
        if isinstance(self.answers, Say):
            return self.answers
        if callable(self.answers):
            return self.answers(seen)
        return self.answers[min(len(self.requests), len(self.answers)) - 1]


async def _read(reader: asyncio.StreamReader, connection: int) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.split("\r\n")
    method, target, _ = start.split(" ")
    headers = {}
    for line in filter(None, lines):
        name, _, found = line.partition(":")
        headers[name.lower()] = found.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    url = urlsplit(target)
    return Seen(
        method=method,
        path=url.path,
        query=tuple(parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query))),
        headers=headers,
        body=body,
        connection=connection,
        at=time.monotonic(),
    )


@contextlib.asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A server that speaks no HTTP at all; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            try:
                await serve(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(served(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@contextlib.contextmanager
def in_thread(server: Server) -> Iterator[Server]:
    """Run a server in an event loop of its own, for tests that bring their own loops."""
    loop = asyncio.new_event_loop()
    up, stop = threading.Event(), asyncio.Event()

    async def main() -> None:
        async with server:
            up.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    up.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def client_of(server: Server | str, **options: Any) -> Client:
    """A client that talks to a test server, by default without retries and rate limit."""
    url = server if isinstance(server, str) else server.url
    defaults: dict[str, Any] = {
        "api_key": KEY,
        "base_url": url,
        "retry": RetryPolicy.none(),
        "rate_limit": RateLimit(1_000_000),
    }
    return Client(**(defaults | options))


@contextlib.asynccontextmanager
async def talking(answers: Answers, **options: Any) -> AsyncIterator[tuple[Client, Server]]:
    """A client and the server it talks to."""
    async with Server(answers) as server, client_of(server, **options) as client:
        yield client, server


async def failure_of(work: Awaitable[object]) -> BaseException:
    """What `work` raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - that is the question
        await work
    return caught.value


def chain(failure: BaseException) -> list[BaseException]:
    """An exception with everything that hangs on its __cause__ and __context__."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [failure]
    while waiting:
        error = waiting.pop()
        if error is not None and error not in found:
            found.append(error)
            waiting += [error.__cause__, error.__context__]
    return found

"""What the tests of callbacks share: receivers on real ports, and orders that call them back."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import uvicorn
from aiohttp import web
from simulator.kit import SKU_LONDON, Api, running
from yarl import URL

from didww_async.callbacks import Callback, CallbackReceiver, sign
from didww_async.callbacks.aiohttp_web import aiohttp_handler
from didww_async.simulator import SentCallback

SECRET = "simulator-secret"
ORDER = {"id": "1dd7a68b-e235-402b-8912-fe73ee14243a", "status": "completed", "type": "orders"}
URL_OF_TESTS = "https://example.com/didww"


class Handler:
    """A handler that remembers its callbacks, and fails or waits as told."""

    def __init__(self, *, failures: int = 0, wait: Callable[[], Awaitable[object]] | None = None):
        self.seen: list[Callback] = []
        self.calls = 0
        self._failures = failures
        self._wait = wait

    async def __call__(self, callback: Callback) -> None:
        self.calls += 1
        if self._wait is not None:
            await self._wait()
        if self.calls <= self._failures:
            raise RuntimeError("the database is away")
        self.seen.append(callback)


async def received(
    receiver: CallbackReceiver,
    payload: dict[str, str] = ORDER,
    *,
    method: str = "POST",
    url: str = URL_OF_TESTS,
    key: str = SECRET,
    **changed: Any,
) -> int:
    """Give a well signed request, or one with something changed, to a receiver."""
    if method == "GET":
        url += ("&" if "?" in url else "?") + urlencode(payload)
    request: dict[str, Any] = {
        "method": method,
        "url": url,
        "headers": {"X-DIDWW-Signature": sign(key, url, payload)},
        "body": b"" if method == "GET" else urlencode(payload).encode(),
    }
    return (await receiver.receive(**request | changed)).status


# Servers


@contextlib.asynccontextmanager
async def listening(handler: Callable[..., Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """An aiohttp.web server with one handler for everything."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def under_aiohttp(receiver: CallbackReceiver) -> AsyncIterator[str]:
    async with listening(aiohttp_handler(receiver)) as url:
        yield url


@contextlib.asynccontextmanager
async def under_uvicorn(app: Any, **options: Any) -> AsyncIterator[str]:
    """An ASGI application under uvicorn."""
    config = uvicorn.Config(app, log_level="warning", ws="none", **options)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(5):
                while not server.started:
                    await asyncio.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@contextlib.asynccontextmanager
async def behind_a_proxy(backend: str, *, takes_away: str = "") -> AsyncIterator[str]:
    """A reverse proxy: another host and port, and maybe a path prefix that the backend lacks."""

    async def forward(request: web.Request) -> web.Response:
        target = request.raw_path.removeprefix(takes_away)
        headers = {
            name: text
            for name, text in request.headers.items()
            if name.lower() not in {"host", "connection", "content-length"}
        }
        async with session.request(
            request.method,
            URL(backend + target, encoded=True),
            headers=headers,
            data=await request.read() or None,
        ) as response:
            return web.Response(status=response.status)

    async with aiohttp.ClientSession() as session, listening(forward) as url:
        yield url


# Callbacks from the simulator


@contextlib.asynccontextmanager
async def callers(**options: Any) -> AsyncIterator[Api]:
    """A simulator that tries again at once."""
    async with running(**{"completes_after": 0, "callback_retries": (0.02,) * 9} | options) as api:
        yield api


async def order(api: Api, url: str, method: str = "post") -> str:
    """Place an order that calls back; its id."""
    item = {"sku_id": SKU_LONDON, "qty": 1}
    placed = await api.order(item, callback_url=url, callback_method=method)
    return str(placed.json["data"]["id"])


async def attempts(api: Api, count: int = 1) -> list[SentCallback]:
    """The first attempts to call back, as soon as there are so many."""
    async with asyncio.timeout(5):
        while len(api.sim.callbacks) < count:
            await asyncio.sleep(0.005)
    return api.sim.callbacks


async def statuses(api: Api, count: int = 1) -> list[int | None]:
    return [attempt.status for attempt in await attempts(api, count)]

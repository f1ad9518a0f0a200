"""Callbacks over real HTTP: the simulator calls receivers under aiohttp.web and under uvicorn."""

import asyncio
import contextlib
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from callbacks.kit import (
    ORDER,
    SECRET,
    Handler,
    attempts,
    behind_a_proxy,
    callers,
    order,
    received,
    statuses,
    under_aiohttp,
    under_uvicorn,
)
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from yarl import URL

from didww_async.callbacks import CallbackReceiver, sign
from didww_async.callbacks.aiohttp_web import aiohttp_handler
from didww_async.callbacks.asgi import asgi_app
from didww_async.simulator import CallbackTwice


def under_fastapi(receiver):
    return under_uvicorn(FastAPI(routes=[Route("/{path:path}", asgi_app(receiver))]))


def under_starlette_mount(receiver):
    return under_uvicorn(Starlette(routes=[Mount("/", asgi_app(receiver))]))


def under_plain_asgi(receiver):
    return under_uvicorn(asgi_app(receiver))


SERVERS = [under_aiohttp, under_fastapi, under_plain_asgi]
EACH_SERVER = pytest.mark.parametrize("served", SERVERS)


def made(handler=None, **options):
    handler = handler or Handler()
    return CallbackReceiver(**{"secret": SECRET, "handle": handler} | options), handler


async def posted(url: str, payload=ORDER, *, key=SECRET, **options) -> int:
    """The status of a signed POST; `options` replace parts of it."""
    form = isinstance(payload, dict)
    request = {
        "method": "POST",
        "data": (urlencode(payload) if form else json.dumps(payload)).encode(),
        "headers": {
            "X-DIDWW-Signature": sign(key, url, payload),
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        },
    } | options
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            request.pop("method"), URL(url, encoded=True), allow_redirects=False, **request
        ) as response,
    ):
        assert b"" == await response.read()
        return response.status


@pytest.mark.parametrize("served", [*SERVERS, under_starlette_mount])
async def test_orders_call_back(served):
    receiver, handler = made()
    paths = ["", "/", "/cb", "/c%2Fb/%20?opaque=%41+b&id=mine"]
    async with served(receiver) as url, callers() as api:
        calls = [(path, method) for path in paths for method in ("get", "post")]
        placed = [await order(api, url + path, method) for path, method in calls]
        assert [204] * 8 == await statuses(api, 8)
        assert set(placed) == {callback.id for callback in handler.seen}
        assert {"completed"} == {callback.status for callback in handler.seen}
        assert handler.calls == 8


@EACH_SERVER
async def test_a_canceled_order_calls_back(served):
    receiver, handler = made()
    async with served(receiver) as url, callers(completes_after=None) as api:
        order_id = await order(api, url + "/cb")
        await api.call("DELETE", f"/orders/{order_id}")
        assert [204] == await statuses(api)
        assert "canceled" == handler.seen[0].status
        api.sim.cancel(await order(api, url + "/cb"))
        assert [204, 204] == await statuses(api, 2)
        assert handler.calls == 2


@EACH_SERVER
async def test_a_handler_that_fails_first_hears_again(served, caplog):
    receiver, handler = made(Handler(failures=2))
    async with served(receiver) as url, callers() as api:
        await order(api, url + "/cb")
        assert [500, 500, 204] == await statuses(api, 3)
        assert (3, 1) == (handler.calls, len(handler.seen))
    assert "DIDWW will try again" in caplog.text


@EACH_SERVER
@pytest.mark.parametrize("fault", [CallbackTwice(), CallbackTwice(apart=0.05)])
async def test_repeats_reach_the_handler_once(served, fault):
    receiver, handler = made(Handler(wait=lambda: asyncio.sleep(0.02)))
    async with served(receiver) as url, callers() as api:
        api.sim.inject_callback(fault)
        await order(api, url + "/cb", "get")
        assert [204, 204] == await statuses(api, 2)
        assert [1, 1] == [sent.attempt for sent in api.sim.callbacks]
        assert handler.calls == 1


@EACH_SERVER
async def test_many_at_once(served):
    everybody = asyncio.Barrier(20)
    receiver, handler = made(Handler(wait=everybody.wait))
    async with served(receiver) as url, callers(balance=100_000, completes_after=None) as api:
        placed = [await order(api, url + "/cb", way) for way in ["get", "post"] * 10]
        for order_id in placed:
            api.sim.complete(order_id)
        assert [204] * 20 == await statuses(api, 20)
        assert set(placed) == {callback.id for callback in handler.seen}


@EACH_SERVER
async def test_what_is_answered(served):
    receiver, handler = made(max_body=1000)
    events = [{"id": "1", "type": "voice_out_trunks", "status": "blocked"}]
    async with served(receiver) as url:
        cb = url + "/cb"
        assert 204 == await posted(cb)
        assert 204 == await posted(cb, events)
        assert 400 == await posted(cb, {"id": "1"})
        assert 400 == await posted(cb, data=b"\xff")
        assert 403 == await posted(cb, data=b"")
        assert 403 == await posted(cb, key="another")
        assert 403 == await posted(cb, headers={})
        assert 403 == await posted(cb + "/", headers={"X-DIDWW-Signature": sign(SECRET, cb, ORDER)})
        assert 405 == await posted(cb, method="PUT")
        assert 405 == await posted(cb, method="HEAD", data=None)
        assert 413 == await posted(cb, data=b"x" * 1001)
        assert handler.calls == 2
        await receiver.aclose()
        assert 503 == await posted(cb)


class Later:
    """Stands for a receiver that is made only when its public URL is known."""

    receiver: CallbackReceiver

    def __getattr__(self, name):
        return getattr(self.receiver, name)


@EACH_SERVER
@pytest.mark.parametrize(("prefix", "takes_away"), [("", ""), ("/a%20b", "/a%20b"), ("/a", "")])
async def test_behind_a_proxy(served, prefix, takes_away):
    later = Later()
    later.receiver, handler = made()
    async with (
        served(later) as backend,
        behind_a_proxy(backend, takes_away=takes_away) as public,
        callers(callback_retries=[]) as api,
    ):
        await order(api, f"{public}{prefix}/cb?a=b")
        assert [403] == await statuses(api)
        later.receiver, _ = made(handler, public_url=public + prefix)
        await order(api, f"{public}{prefix}/cb?a=b", "post")
        await order(api, f"{public}{prefix}/cb?a=b", "get")
        assert [403, 204, 204] == await statuses(api, 3)
        assert handler.calls == 2


async def test_a_fragment_in_the_callback_url():
    receiver, handler = made()
    async with under_aiohttp(receiver) as url, callers() as api:
        aware, _ = made(handler, public_url=url + "#part")
        async with under_aiohttp(aware) as other:
            assert url != other
            await order(api, url + "/cb#part")
            assert 403 == (await attempts(api))[0].status
            signed = {"X-DIDWW-Signature": sign(SECRET, url + "/cb#part", ORDER)}
            assert 204 == await posted(other + "/cb", headers=signed)


async def test_mounted_below_a_path():
    receiver, handler = made()
    app = FastAPI()
    app.mount("/didww", asgi_app(receiver))
    async with under_uvicorn(app) as url, callers() as api:
        await order(api, url + "/didww/", "get")
        assert [204] == await statuses(api)
        await order(api, url + "/didww/cb", "post")
        assert [204, 204] == await statuses(api, 2)
        assert handler.calls == 2


async def test_the_root_path_of_the_server():
    receiver, _handler = made(public_url="https://example.com/api")
    async with under_uvicorn(asgi_app(receiver), root_path="/api") as url:
        signed = {"X-DIDWW-Signature": sign(SECRET, "https://example.com/api/cb", ORDER)}
        assert 204 == await posted(url + "/cb", headers=signed)


@pytest.mark.parametrize("served", [under_aiohttp, under_plain_asgi])
async def test_a_large_body_takes_little_memory(served):
    receiver, _ = made()
    sent = 0

    async def large() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(320):
            sent += 65536
            yield b"x" * 65536

    async with served(receiver) as url:
        tracemalloc.start()
        try:
            with contextlib.suppress(aiohttp.ClientOSError):
                assert 413 == await posted(url + "/cb", data=large())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("served", [under_aiohttp, under_plain_asgi])
async def test_a_caller_that_hangs_up_in_the_body(served):
    receiver, handler = made()
    async with served(receiver) as url:
        signature = sign(SECRET, url + "/cb", ORDER)
        host, port = urlsplit(url).hostname, urlsplit(url).port
        for head in ("Content-Length: 1000", "Transfer-Encoding: chunked"):
            _, writer = await asyncio.open_connection(host, port)
            lines = [
                "POST /cb HTTP/1.1",
                f"Host: {host}:{port}",
                f"X-DIDWW-Signature: {signature}",
                head,
            ]
            writer.write("\r\n".join([*lines, "", "5\r\nid=1"]).encode())
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.close()
        await asyncio.sleep(0.05)
        assert 204 == await posted(url + "/cb")
        assert handler.calls == 1


TARGETS = [
    ("/cb", "here", b"204"),
    ("http://here/cb", "here", b"204"),
    ("http://here/cb", "elsewhere", b"204"),
    ("http://elsewhere/cb", "here", b"403"),
    ("http://", "here", b"400"),
    ("*", "here", b"400"),
    ("cb", "here", b"400"),
    ("/cb", "elsewhere", b"403"),
    ("/cb", "", b"403"),
    ("/b", "here/c", b"403"),
    ("//cb", "here", b"403"),
    ("/cb?a", "here", b"403"),
]


@pytest.mark.parametrize("served", [under_aiohttp, under_plain_asgi])
async def test_targets_and_hosts(served):
    receiver, _ = made()
    async with served(receiver) as url:
        here = urlsplit(url).netloc
        body = urlencode(ORDER)
        for target, host, status in TARGETS:
            lines = [
                f"POST {target.replace('here', here)} HTTP/1.1",
                f"Host: {host.replace('here', here)}",
                f"X-DIDWW-Signature: {sign(SECRET, url + '/cb', ORDER)}",
                f"Content-Length: {len(body)}",
                "Connection: close",
            ]
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            writer.write("\r\n".join([*lines, "", body]).encode())
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            assert (target, host, status) == (target, host, answer.split(maxsplit=2)[1])


async def test_a_compressed_body():
    receiver, handler = made()
    async with under_aiohttp(receiver) as url:
        headers = {
            "X-DIDWW-Signature": sign(SECRET, url + "/cb", ORDER),
            "Content-Encoding": "gzip",
        }
        body = gzip.compress(urlencode(ORDER).encode())
        assert 204 == await posted(url + "/cb", data=body, headers=headers)
        bomb = gzip.compress(b"x" * 50_000_000)
        assert 413 == await posted(url + "/cb", data=bomb, headers=headers)
        assert await posted(url + "/cb", data=b"no gzip", headers=headers) == 400
        assert handler.calls == 1


async def test_the_application_on_its_own_closes_the_receiver():
    free = asyncio.Event()
    receiver, handler = made(Handler(wait=free.wait))
    async with under_plain_asgi(receiver) as url:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(posted(url + "/cb"), 0.1)
        asyncio.get_running_loop().call_later(0.2, free.set)
    assert len(handler.seen) == 1


async def test_lifespan_waits_for_handlers():
    free = asyncio.Event()
    receiver, handler = made(Handler(wait=free.wait))
    caller = asyncio.create_task(received(receiver))
    await asyncio.sleep(0)
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message["type"])

    life = asyncio.create_task(asgi_app(receiver)({"type": "lifespan"}, receive, send))
    await asyncio.sleep(0.02)
    assert ["lifespan.startup.complete"] == sent
    free.set()
    await life
    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == sent
    assert (204, 1) == (await caller, len(handler.seen))


async def test_half_a_body_is_not_handled():
    receiver, handler = made()
    sent = []
    body = {"type": "http.request", "body": urlencode(ORDER).encode(), "more_body": True}
    messages = [body, {"type": "http.disconnect"}]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)
        raise OSError("hung up")

    signature = sign(SECRET, "http://here/cb", ORDER).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/cb",
        "headers": [(b"host", b"here"), (b"x-didww-signature", signature)],
    }
    await asgi_app(receiver)(scope, receive, send)
    assert [400] == [message["status"] for message in sent]
    assert handler.calls == 0


async def test_other_scopes():
    app = asgi_app(made()[0])
    sent = []

    async def send(message):
        sent.append(message)

    await app({"type": "websocket"}, None, send)
    assert [{"type": "websocket.close"}] == sent
    with pytest.raises(NotImplementedError):
        await app({"type": "carrier pigeon"}, None, send)


async def test_a_server_that_tells_little():
    receiver, _ = made()
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": urlencode(ORDER).encode()}

    signature = sign(SECRET, "http://127.0.0.1:80/a%20b:c", ORDER).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/a b:c",
        "headers": [(b"x-didww-signature", signature)],
        "server": ("127.0.0.1", 80),
    }
    await asgi_app(receiver)(scope, receive, send)
    assert 204 == sent[0]["status"]
    del scope["server"]
    await asgi_app(receiver)(scope, receive, send)
    assert 403 == sent[2]["status"]


async def test_aiohttp_with_routes_of_its_own():
    receiver, handler = made()
    app = web.Application()
    outer = web.Application()
    app.router.add_post("/cb", aiohttp_handler(receiver))
    app.on_shutdown.append(lambda _app: receiver.aclose())
    outer.add_subapp("/hooks", app)
    runner = web.AppRunner(outer, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/cb"
    assert 204 == await posted(url)
    await runner.cleanup()
    assert handler.calls == 1

"""Callbacks in any ASGI server, with no dependency: FastAPI, Starlette, Quart, or on its own.

    app = FastAPI(routes=[Route("/didww", asgi_app(receiver))])

Starlette's `Route` keeps the path as it is; `mount("/didww", ...)` answers "/didww" with a redirect
to "/didww/", which DIDWW need not follow, so write the slash into the callback URL then.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import quote

from didww_async.callbacks.parsing import UnreadableCallback
from didww_async.callbacks.receiver import CallbackReceiver, CallbackReply
from didww_async.callbacks.serving import called_url

__all__ = ["asgi_app"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def asgi_app(receiver: CallbackReceiver) -> Application:
    """Make an ASGI 3 application that answers every path; route only the callbacks to it.

    Behind a proxy, give the receiver its `public_url`. On its own, or wherever lifespan events are
    passed on, it awaits `receiver.aclose()` at shutdown; elsewhere await that yourself.
    """
    return _AsgiApp(receiver)


class _AsgiApp:
    """A class, because Starlette's Route takes a function for one of its own endpoints."""

    def __init__(self, receiver: CallbackReceiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._answer(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case "websocket":
                await send({"type": "websocket.close"})
            case unknown:
                raise NotImplementedError(f"no ASGI scope for callbacks: {unknown}")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        reply = await self._receiver.receive(
            method=scope["method"],
            url=called_url(scope.get("scheme", "http"), _host(scope, headers), _target(scope)),
            headers=headers,
            body=_chunks(receive),
        )
        await _send(reply, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._receiver.aclose()
        await send({"type": "lifespan.shutdown.complete"})


async def _send(reply: CallbackReply, send: Send) -> None:
    headers = [(name.lower().encode(), text.encode()) for name, text in reply.headers.items()]
    if reply.status != 204:
        headers.append((b"content-length", b"0"))
    try:
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        pass  # the caller hung up; what was handled is handled


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise UnreadableCallback("the body did not arrive")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _headers(scope: Scope) -> dict[str, str]:
    # The first of equal headers counts.
    headers: dict[str, str] = {}
    for name, text in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), text.decode("latin-1"))
    return headers


def _host(scope: Scope, headers: dict[str, str]) -> str:
    if "host" in headers:
        return headers["host"]
    server = scope.get("server")
    if not server:
        return ""
    host, port = server
    return f"{host}:{port}" if port else str(host)


def _target(scope: Scope) -> str:
    """The request target as received, where the server tells it."""
    raw = scope.get("raw_path")
    path = raw.partition(b"?")[0].decode("utf-8", "surrogateescape") if raw else ""
    path = path or quote(scope["path"], safe="/:@!$&'()*+,;=~")
    query = scope.get("query_string", b"").decode("utf-8", "surrogateescape")
    return f"{path}?{query}" if query else path

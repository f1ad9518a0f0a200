"""Bringing a reply to the client, or failing to on purpose."""

import asyncio
import socket
import struct
import uuid
from collections.abc import Callable
from http import HTTPStatus

import attrs
from aiohttp import web

from didww_async.simulator.application import MEDIA_TYPE, Reply
from didww_async.simulator.errors import too_many_requests
from didww_async.simulator.faults import (
    AnswerLate,
    Delay,
    DropAfter,
    DropBefore,
    Fault,
    Garbage,
    GarbageBody,
    HalfBody,
    ListLate,
    Redirect,
    Reset,
    ServerFault,
    StaleClose,
    TooMany,
)
from didww_async.simulator.render import as_json

_NO_LINGER = struct.pack("ii", 1, 0)


@attrs.frozen(kw_only=True)
class Delivered:
    """What became of a request: the status the client was sent, and that of what was done."""

    response: web.StreamResponse
    status: int | None = None
    acted: int | None = None


async def deliver(  # noqa: PLR0911  # one way out per fault reads best
    request: web.BaseRequest, fault: Fault | None, act: Callable[[], Reply]
) -> Delivered:
    """Carry out a request and answer it, as far as the fault allows."""
    match fault:
        case DropBefore():
            return _lost(request, reset=False)
        case Reset(acted=False):
            return _lost(request, reset=True)
        case TooMany() | Redirect() | ServerFault(acted=False):
            return _answered(_instead(request, fault))
        case Delay(seconds):
            await asyncio.sleep(seconds)
    reply = act()
    match fault:
        case DropAfter():
            return _lost(request, reset=False, acted=reply.status)
        case Reset():
            return _lost(request, reset=True, acted=reply.status)
        case HalfBody():
            return _lost(request, reset=False, acted=reply.status, last_words=_half_of(reply))
        case Garbage(data):
            return _lost(request, reset=False, acted=reply.status, last_words=data)
        case GarbageBody(body, content_type):
            headers = {**reply.headers, "Content-Type": content_type}
            return _answered(attrs.evolve(reply, body=body, headers=headers), acted=reply.status)
        case ServerFault():
            return _answered(_instead(request, fault), acted=reply.status)
        case AnswerLate(seconds):
            await asyncio.sleep(seconds)
        case StaleClose(after):
            response = await _sent_and_closed(request, reply, after=after)
            return Delivered(response=response, status=reply.status, acted=reply.status)
    return _answered(reply, acted=reply.status)


def listed_late(fault: Fault | None) -> float | None:
    """How many seconds a new order is kept out of lists."""
    return fault.seconds if isinstance(fault, ListLate) else None


def _version_of(request: web.BaseRequest) -> str:
    return request.headers.get("X-DIDWW-API-Version", "")


def _instead(request: web.BaseRequest, fault: TooMany | Redirect | ServerFault) -> Reply:
    """The reply that a fault gives in the place of the API's."""
    headers = {"X-Request-Id": str(uuid.uuid4())}
    if isinstance(fault, Redirect):
        headers["Location"] = fault.location or str(request.url)
        return Reply(status=fault.status, headers=headers)
    if isinstance(fault, ServerFault):
        headers["Content-Type"] = "text/html"
        return Reply(status=fault.status, headers=headers, body=fault.body)
    headers["Content-Type"] = MEDIA_TYPE
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    return Reply(
        status=429,
        headers=headers,
        body=as_json(too_many_requests(_version_of(request)).document()).encode(),
    )


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


def _answered(reply: Reply, *, acted: int | None = None) -> Delivered:
    return Delivered(response=_response(reply), status=reply.status, acted=acted)


def _lost(
    request: web.BaseRequest, *, reset: bool, acted: int | None = None, last_words: bytes = b""
) -> Delivered:
    """Close or reset the connection; the response that a handler must return is never sent."""
    transport = request.transport
    if transport is not None and reset:
        # Without lingering, closing a connection sends RST.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    elif transport is not None:
        transport.write(last_words)
        transport.close()
    return Delivered(response=web.Response(status=500), acted=acted)


def _half_of(reply: Reply) -> bytes:
    """The reply as HTTP/1.1, with all its headers and half its body."""
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {text}" for name, text in reply.headers.items()]
    lines += [f"Content-Length: {len(reply.body)}", "", ""]
    return "\r\n".join(lines).encode() + reply.body[: len(reply.body) // 2]


async def _sent_and_closed(
    request: web.BaseRequest, reply: Reply, *, after: float
) -> web.StreamResponse:
    """Answer as if the connection stayed open, then close it."""
    response = _response(reply)
    await response.prepare(request)
    await response.write_eof()
    if request.transport is not None:
        asyncio.get_running_loop().call_later(after, request.transport.close)
    return response

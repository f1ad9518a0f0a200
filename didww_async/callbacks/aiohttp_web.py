"""Callbacks in an aiohttp.web application.

    app.router.add_route("*", "/didww", aiohttp_handler(receiver))

The only module outside the transport that imports aiohttp.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import ClientError, web

from didww_async.callbacks.parsing import UnreadableCallback
from didww_async.callbacks.receiver import CallbackReceiver
from didww_async.callbacks.serving import called_url

__all__ = ["aiohttp_handler"]


def aiohttp_handler(
    receiver: CallbackReceiver,
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make a route handler for GET and POST; it answers other methods with 405.

    Behind a proxy, give the receiver its `public_url`. To let handlers finish at shutdown, await
    `receiver.aclose()` in `app.on_shutdown`.
    """

    async def handle(request: web.Request) -> web.Response:
        reply = await receiver.receive(
            method=request.method,
            # raw_path is the target as it was sent; request.url would be normalised.
            url=called_url(request.scheme, request.host, request.raw_path),
            headers=request.headers,
            body=_chunks(request),
        )
        return web.Response(status=reply.status, headers=reply.headers)

    return handle


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.content.iter_any():
            yield chunk
    except (OSError, ClientError, web.RequestPayloadError) as error:
        raise UnreadableCallback("the body did not arrive") from error

"""CallbackReceiver: from an HTTP request of DIDWW to one call of the user's function.

It knows no web framework; `aiohttp_web` and `asgi` connect it to one.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TypeAlias

import attrs

from didww_async.callbacks.parsing import (
    Callback,
    UnreadableCallback,
    gathered,
    parse_payloads,
    read_body,
    read_query,
)
from didww_async.callbacks.signature import SIGNATURE_HEADER, Payload, is_valid, split_url
from didww_async.errors import InvalidInput

__all__ = ["CallbackReceiver", "CallbackReply"]

Handle: TypeAlias = Callable[[Callback], Awaitable[object]]

_log = logging.getLogger("didww_async.callbacks")

_METHODS = ("GET", "POST")
_SIGNATURE_LENGTH = 40
_SHOWN = 200  # characters of a stranger's URL in the log


@attrs.frozen
class CallbackReply:
    """What to answer: a status, no body, and few headers."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)


_DONE = CallbackReply(204)
_UNREADABLE = CallbackReply(400)
_NOT_SIGNED = CallbackReply(403)
_NOT_ALLOWED = CallbackReply(405, {"Allow": ", ".join(_METHODS)})
_TOO_LARGE = CallbackReply(413)
_HANDLER_FAILED = CallbackReply(500)
_CLOSED = CallbackReply(503)


class _RefusedError(Exception):
    def __init__(self, reply: CallbackReply) -> None:
        self.reply = reply


class CallbackReceiver:
    """Verifies DIDWW's callbacks and gives each to `handle`, once.

        async def handle(callback: Callback) -> None: ...

        receiver = CallbackReceiver(secret=..., handle=handle)

    `secret`: the account's callback secret (older accounts: the API key); several while it is
    being changed. `handle` is awaited before DIDWW is answered: 204 when it returns, 500 when it
    raises, and then DIDWW tries again, ten times within four days. DIDWW waits 60 seconds for an
    answer; a handler that needs longer still runs to its end, but better puts the work in a queue.

    `public_url`: what DIDWW's URL has before the part this server sees, for a server behind a
    proxy: scheme, host, port if it was written, and the path prefix that the proxy takes away
    ("https://example.com/hooks"). The signature covers the URL that was given to DIDWW, so it
    can't be verified without. User and password, or a fragment, belong here as well. A proxy that
    rewrites paths in other ways needs `receive(url=...)` with the public URL.

    What was handled is remembered by (type, id, status), the latest `remember` of them, in this
    process: repeats are answered 204 without calling `handle`, and repeats that arrive meanwhile
    wait for its outcome. Events of trunks (`TrunkEvent`) have nothing that tells a repeat from
    news: they are handled each time they come. So `handle` must bear being called twice.

    A receiver belongs to one event loop. `aclose()` waits for handlers in progress. Raises
    InvalidInput for a secret or public_url that can't work.
    """

    def __init__(
        self,
        *,
        secret: str | Sequence[str],
        handle: Handle,
        public_url: str | None = None,
        max_body: int = 256 * 1024,
        remember: int = 4096,
    ) -> None:
        self._keys = (secret,) if isinstance(secret, str) else tuple(secret)
        if not self._keys or not all(isinstance(key, str) and key for key in self._keys):
            raise InvalidInput(
                "secret is one text or several, none empty: anybody could sign with an empty one"
            )
        self._handle = handle
        self._public = None if public_url is None else _PublicUrl.of(public_url)
        self._max_body = max_body
        self._remember = remember
        self._handled: OrderedDict[_Key, None] = OrderedDict()
        self._at_work: dict[_Key, asyncio.Task[bool]] = {}
        self._tasks: set[asyncio.Task[bool]] = set()
        self._closed = False

    def __repr__(self) -> str:
        # Neither the secrets nor the public URL, which may hold a password.
        return f"CallbackReceiver({len(self._keys)} keys, {len(self._handled)} handled)"

    async def receive(
        self,
        *,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes] = b"",
    ) -> CallbackReply:
        """Take one request and say what to answer; a request, however hostile, never raises.

        `url` is the URL as it was called, with the query byte for byte; with `public_url` its
        path and query are enough. `body` may be a stream: it is read up to `max_body`, for POST
        only, and not at all without a signature; a stream that breaks off says so by raising
        UnreadableCallback.

        204: handled, now or before. 400: not readable. 403: not signed by DIDWW. 405: neither GET
        nor POST. 413: larger than `max_body`. 500: `handle` raised. 503: closed.
        """
        try:
            callbacks = await self._verified(method, url, headers, body)
        except _RefusedError as refusal:
            return refusal.reply
        except UnreadableCallback as error:
            _log.info("Refused a callback: %s", error)
            return _UNREADABLE
        if self._closed:
            return _CLOSED
        for callback in callbacks:
            if not await self._handled_once(callback):
                return _HANDLER_FAILED
        return _DONE

    async def aclose(self) -> None:
        """Answer 503 from now on, and wait until the handlers in progress are done."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    # Verifying

    async def _verified(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes],
    ) -> tuple[Callback, ...]:
        if method not in _METHODS:
            raise _RefusedError(_NOT_ALLOWED)
        signature = _header(headers, SIGNATURE_HEADER)
        if len(signature) != _SIGNATURE_LENGTH:
            raise _RefusedError(_NOT_SIGNED)
        content = b"" if method == "GET" else await self._read(body)
        payload = self._signed_payload(method, url, content, signature)
        if payload is None:
            _log.info(
                "Refused a callback to %s: wrong signature. If DIDWW sent it, check `secret` and"
                " `public_url`.",
                _shown(url),
            )
            raise _RefusedError(_NOT_SIGNED)
        return parse_payloads(payload)

    async def _read(self, body: bytes | AsyncIterable[bytes]) -> bytes:
        content = bytearray()
        async for chunk in _one(body) if isinstance(body, bytes) else body:
            content += chunk
            if len(content) > self._max_body:
                raise _RefusedError(_TOO_LARGE)
        return bytes(content)

    def _signed_payload(
        self, method: str, url: str, content: bytes, signature: str
    ) -> Payload | None:
        """The payload that the signature proves, None if it proves none."""
        try:
            target = url if url.startswith("/") else split_url(url)[2]
        except ValueError as error:
            raise UnreadableCallback(str(error)) from None
        if method == "GET":
            payloads = list(_query_payloads(target))
        else:
            payloads = list(_spellings(read_body(content)))
        for called in self._called_urls(url, target):
            for payload, read in payloads:
                if any(is_valid(key, called, payload, signature) for key in self._keys):
                    return read
        return None

    def _called_urls(self, url: str, target: str) -> Iterator[str]:
        """The URLs that a caller can have meant, most likely first."""
        # "https://example.com" is called as "/", but signed as it was written.
        targets = [target]
        if target.startswith("/") and target[1:2] in {"", "?"}:
            targets.append(target[1:])
        if self._public is None:
            if url != target:
                before = url[: len(url) - len(target)]
                yield from (before + path for path in targets)
            return
        # The proxy, or the server's own root path, may leave the prefix where it is.
        for before in dict.fromkeys((self._public.with_prefix, self._public.origin)):
            yield from (before + path + self._public.fragment for path in targets)

    # Handling

    async def _handled_once(self, callback: Callback) -> bool:
        """Whether the callback has been handled, by this request or another."""
        key = None if callback.repeats_itself else _key(callback)
        if key is None:
            task = self._start(callback)
        elif key in self._handled:
            self._handled.move_to_end(key)
            return True
        else:
            task = self._at_work.get(key) or self._start(callback, key)
        # A task of its own: a caller that hangs up must not stop the handler half-way.
        await asyncio.wait({task})
        return not task.cancelled() and task.result()

    def _start(self, callback: Callback, key: "_Key | None" = None) -> asyncio.Task[bool]:
        task = asyncio.get_running_loop().create_task(self._run(callback, key))
        self._tasks.add(task)
        if key is not None:
            self._at_work[key] = task

        def forget(done: asyncio.Task[bool]) -> None:
            self._tasks.discard(done)
            if key is not None:
                del self._at_work[key]

        task.add_done_callback(forget)
        return task

    async def _run(self, callback: Callback, key: "_Key | None") -> bool:
        try:
            await self._handle(callback)
        except asyncio.CancelledError:
            _log.warning("The handler was cancelled, DIDWW will try again: %r", callback)
            raise
        except Exception:  # noqa: BLE001  # whatever it is, DIDWW must hear that it failed
            _log.exception("The handler failed, DIDWW will try again: %r", callback)
            return False
        if key is not None:
            self._handled[key] = None
            while len(self._handled) > self._remember:
                self._handled.popitem(last=False)
        return True


_Key: TypeAlias = tuple[str, str, str]


def _key(callback: Callback) -> _Key:
    return callback.type.casefold(), callback.id, str(callback.status).casefold()


def _header(headers: Mapping[str, str], name: str) -> str:
    for found, value in headers.items():
        if found.casefold() == name.casefold():
            return value
    return ""


async def _one(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


def _shown(url: str) -> str:
    """A URL for the log: no password, no query, which may hold a secret of the customer's."""
    before, separator, rest = url.partition("?")[0].rpartition("@")
    scheme = before.partition("://")[0] + "://" if separator else ""
    return repr((scheme + rest)[:_SHOWN])


def _query_payloads(target: str) -> Iterator[tuple[Payload, Payload]]:
    """What a GET callback may have signed after its URL, and what to read in that case.

    DIDWW adds its parameters after those that the customer's URL had, and nothing marks where they
    begin. Whether words that are in the URL are signed a second time is not documented either. All
    of it is the same proof: the whole URL is signed in each case.
    """
    pairs = read_query(target.partition("?")[2].partition("#")[0])
    for start in range(len(pairs)):
        yield from _spellings(gathered(pairs[start:]))
    yield {}, gathered(pairs)


def _spellings(payload: Payload) -> Iterator[tuple[Payload, Payload]]:
    """A payload, and how a form's lists (`name[]`) may have been called when they were signed."""
    yield payload, payload
    if isinstance(payload, Mapping) and any(name.endswith("[]") for name in payload):
        yield {name.removesuffix("[]"): value for name, value in payload.items()}, payload


@attrs.frozen(kw_only=True, repr=False)
class _PublicUrl:
    with_prefix: str
    origin: str
    fragment: str

    @classmethod
    def of(cls, url: str) -> "_PublicUrl":
        try:
            scheme, authority, rest = split_url(url)
        except ValueError as error:
            raise InvalidInput(f"public_url: {error}") from None
        prefix, mark, fragment = rest.partition("#")
        if scheme not in {"http", "https"}:
            raise InvalidInput("public_url begins with http:// or https://")
        if "?" in prefix:
            raise InvalidInput("public_url has no query: that comes with each callback")
        origin = f"{scheme}://{authority}"
        return cls(origin=origin, with_prefix=origin + prefix.rstrip("/"), fragment=mark + fragment)

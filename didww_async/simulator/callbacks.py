"""Sending signed callbacks, as DIDWW does when an order, a verification or an export is settled.

Only this machine is ever called: any other callback URL gets a record, no request.
"""

import asyncio
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Protocol
from urllib.parse import urlencode

import aiohttp
import attrs
from yarl import URL

from didww_async.simulator.settings import Settings

REAL_RETRIES = (60.0, 600.0, 1800.0, 3600.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0)
"""The seconds DIDWW waits between its ten attempts, for `Settings.callback_retries`."""

_PORTS = {"http": 80, "https": 443}


@attrs.frozen
class CallbackLost:
    """The callback is never sent."""


@attrs.frozen
class CallbackTwice:
    """Each attempt is sent twice, the second `apart` seconds later: 0 sends both at once."""

    apart: float = 0


@attrs.frozen
class CallbackLate:
    """The first attempt is sent only after some seconds."""

    seconds: float


@attrs.frozen
class CallbackForged:
    """The callback is signed with another key, in all attempts."""

    key: str = "not the callback secret"


CallbackFault = CallbackLost | CallbackTwice | CallbackLate | CallbackForged


@attrs.frozen(kw_only=True)
class SentCallback:
    """One attempt to deliver a callback.

    `url` is what was called and signed, for GET with the payload; `attempt` counts from 1.
    `status` is what the receiver answered. If nothing was, `error` says why; what was not sent at
    all begins with "not sent".
    """

    resource_id: str
    method: str
    url: str
    payload: Mapping[str, str] = attrs.field(hash=False)
    signature: str
    attempt: int
    time: datetime
    status: int | None = None
    error: str | None = None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Settled(Protocol):
    """What callbacks are about: an order, a verification or an export."""

    type: ClassVar[str]

    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def callback_url(self) -> str | None: ...
    @property
    def callback_method(self) -> str | None: ...
    def callback_details(self) -> Mapping[str, str]:
        """The members of the payload besides id, status and type."""
        ...


@attrs.define(eq=False)
class _Planned:
    fault: CallbackFault
    left: int | None


class CallbackSender:
    """Sends callbacks, each in a task of its own, between `open` and `close`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log: list[SentCallback] = []
        self._planned: list[_Planned] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._is_open = False

    @property
    def sent(self) -> list[SentCallback]:
        return list(self._log)

    def plan(self, fault: CallbackFault, *, times: int | None) -> None:
        self._planned.append(_Planned(fault, times))

    def open(self) -> None:
        self._is_open = True

    def reset(self) -> None:
        """Forget everything; what is being sent is broken off."""
        for task in self._tasks:
            task.cancel()
        # A task that is still ending writes to the old log.
        self._log = []
        self._planned.clear()

    async def close(self) -> None:
        """Break off what is being sent."""
        self._is_open = False
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def tell(self, settled: Settled) -> None:
        """Send the callback of what reached its last status, if it asked for one."""
        if not settled.callback_url or not settled.callback_method:
            return
        fault = self._next_fault()
        payload = {"id": settled.id, "status": settled.status, "type": settled.type}
        payload |= settled.callback_details()
        method, url = settled.callback_method.upper(), settled.callback_url
        if method == "GET":
            url = _with_query(url, payload)
        key = fault.key if isinstance(fault, CallbackForged) else self._settings.callback_secret
        first = SentCallback(
            resource_id=settled.id,
            method=method,
            url=url,
            payload=payload,
            signature=signature(key, url, payload),
            attempt=1,
            time=self._settings.clock(),
        )
        reason = self._reason_not_to_send(url, fault)
        if reason is not None:
            self._log.append(attrs.evolve(first, error=f"not sent: {reason}"))
            return
        task = asyncio.get_running_loop().create_task(self._deliver(first, fault, self._log))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next_fault(self) -> CallbackFault | None:
        for planned in self._planned:
            if planned.left is None:
                return planned.fault
            if planned.left > 0:
                planned.left -= 1
                return planned.fault
        return None

    def _reason_not_to_send(self, url: str, fault: CallbackFault | None) -> str | None:
        if not _is_this_machine(url):
            return "not this machine"
        if isinstance(fault, CallbackLost):
            return "lost"
        return None if self._is_open else "the simulator is not running"

    async def _deliver(
        self, first: SentCallback, fault: CallbackFault | None, log: list[SentCallback]
    ) -> None:
        if isinstance(fault, CallbackLate):
            await asyncio.sleep(fault.seconds)
        copies = (0.0, fault.apart) if isinstance(fault, CallbackTwice) else (0.0,)
        for attempt, wait in enumerate((0.0, *self._settings.callback_retries), start=1):
            await asyncio.sleep(wait)
            async with asyncio.TaskGroup() as group:
                tries = [
                    group.create_task(
                        self._send(attrs.evolve(first, attempt=attempt), log, after=after)
                    )
                    for after in copies
                ]
            if any(done.result() for done in tries):
                return

    async def _send(self, callback: SentCallback, log: list[SentCallback], *, after: float) -> bool:
        await asyncio.sleep(after)
        callback = attrs.evolve(callback, time=self._settings.clock())
        try:
            callback = attrs.evolve(callback, status=await self._exchange(callback))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            what = f"{type(error).__name__}: {error}".removesuffix(": ")
            callback = attrs.evolve(callback, error=what)
        log.append(callback)
        return callback.delivered

    async def _exchange(self, callback: SentCallback) -> int:
        form = urlencode(callback.payload).encode() if callback.method == "POST" else None
        headers = {"X-DIDWW-Signature": callback.signature}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self._session is None:
            # Connections are not kept: a receiver that stops has none left to wait for.
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(connector=connector)
        async with self._session.request(
            callback.method,
            URL(callback.url, encoded=True),  # byte for byte, as it was signed
            data=form,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=self._settings.callback_timeout),
        ) as response:
            return response.status


def signature(key: str, url: str, payload: Mapping[str, str]) -> str:
    """Sign a callback; on its own, so that receivers are tested against a second hand."""
    scheme, _, rest = url.partition("://")
    end = next((at for at, letter in enumerate(rest) if letter in "/?#"), len(rest))
    authority, path = rest[:end].removesuffix(":"), rest[end:]
    has_port = authority.rpartition("@")[2].rpartition(":")[2].isdigit()
    words = [scheme, "://", authority, "" if has_port else f":{_PORTS[scheme]}", path]
    for name, value in sorted(payload.items()):
        words += [name, value]
    message = "".join(words).encode(errors="surrogatepass")  # an order may ask for any text
    return hmac.new(key.encode(), message, hashlib.sha1).hexdigest()


def _with_query(url: str, payload: Mapping[str, str]) -> str:
    url, mark, fragment = url.partition("#")
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode(payload)}{mark}{fragment}"


def _is_this_machine(url: str) -> bool:
    try:
        host = URL(url, encoded=True).host or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

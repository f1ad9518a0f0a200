"""A server that is never what limits: replies recorded once, in a process and on a core of its own.

The replies are the simulator's, byte for byte; what serves them does not even parse the query.

They are those of a purchase in one city. In TYPICAL the page of DID groups has one group with two
SKUs, as in the documentation's own example; 7,578 of the 8,558 cities of the coverage have one
group. In WIDEST it has ten groups with 21 SKUs, more than in any other city.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection

import aiohttp
import attrs

from didww_async.simulator import Simulator

__all__ = ["TYPICAL", "WIDEST", "Served", "canned_server"]

TYPICAL = "San Francisco"
WIDEST = "New York"
JSON_API = "application/vnd.api+json"
Replies = dict[tuple[bytes, bytes], bytes]  # (method, path) -> the whole HTTP response


@attrs.frozen(kw_only=True)
class Served:
    """Where the server listens, and the name of the city that its replies are about."""

    base_url: str
    city: str


@contextlib.contextmanager
def canned_server(*, city: str = TYPICAL, latency: float = 0.0) -> Iterator[Served]:
    """Serve from another process until the block ends; answers wait `latency` seconds.

    Where the machine has two cores, the server takes the last one and this process the first.
    """
    cores = sorted(os.sched_getaffinity(0))
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, city, latency, cores[-1]), daemon=True
    )
    process.start()
    os.sched_setaffinity(0, {cores[0]})
    try:
        yield here.recv()
    finally:
        os.sched_setaffinity(0, cores)
        here.send("stop")
        process.join(10)


class _Canned(asyncio.Protocol):
    """HTTP/1.1 with keep-alive for requests that arrive whole or in pieces."""

    def __init__(self, replies: Replies, latency: float) -> None:
        self._replies = replies
        self._latency = latency
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            whole = end + 4 + _content_length(head)
            if len(self._unread) < whole:
                return
            self._unread = self._unread[whole:]
            method, target, _ = head.split(b" ", 2)
            reply = self._replies[method, target.partition(b"?")[0]]
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._transport.write, reply)
            else:
                self._transport.write(reply)


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def _serve(pipe: Connection, city: str, latency: float, core: int) -> None:
    os.sched_setaffinity(0, {core})

    async def main() -> None:
        replies = await _record(city)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Canned(replies, latency), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if latency:
            _stay_awake(loop)
        pipe.send(Served(base_url=f"http://127.0.0.1:{port}/v3", city=city))
        await asyncio.to_thread(pipe.recv)

    asyncio.run(main())


def _stay_awake(loop: asyncio.AbstractEventLoop) -> None:
    """Keep the loop from sleeping: it wakes up to a millisecond late, 2 % of the latency."""
    loop.call_soon(_stay_awake, loop)


async def _record(city_name: str) -> Replies:
    """Buy one number at the simulator and keep what it said."""
    replies: Replies = {}
    async with Simulator(rate_limit=None, completes_after=0) as simulator:
        headers = {
            "Api-Key": simulator.api_key,
            "Accept": JSON_API,
            "Content-Type": JSON_API,
            "X-DIDWW-API-Version": "2026-04-16",
        }
        async with aiohttp.ClientSession(headers=headers) as session:

            async def keep(method: str, path: str, data: str | None = None, **query: str) -> dict:  # type: ignore[type-arg]
                url = f"{simulator.base_url}/{path}"
                async with session.request(method, url, params=query, data=data) as response:
                    body = await response.read()
                    head = f"HTTP/1.1 {response.status} {response.reason}\r\n"
                    for name, found in response.headers.items():
                        head += f"{name}: {found}\r\n"
                replies[method.encode(), f"/v3/{path}".encode()] = f"{head}\r\n".encode() + body
                return json.loads(body)  # type: ignore[no-any-return]

            country = (await keep("GET", "countries", **{"filter[iso]": "US"}))["data"][0]["id"]
            where = {"filter[country.id]": country, "filter[name]": city_name}
            city = (await keep("GET", "cities", **where))["data"][0]["id"]
            where = {"include": "stock_keeping_units", "filter[city.id]": city}
            groups = await keep("GET", "did_groups", **where)
            skus = groups["data"][0]["relationships"]["stock_keeping_units"]["data"]
            item = {"type": "did_order_items", "attributes": {"sku_id": skus[0]["id"], "qty": 1}}
            attributes = {"allow_back_ordering": False, "items": [item]}
            new = json.dumps({"data": {"type": "orders", "attributes": attributes}})
            order = (await keep("POST", "orders", new))["data"]["id"]
            await keep("GET", f"orders/{order}")
            await keep("GET", "dids", **{"filter[order.id]": order})
    return replies

"""How much of what a slow server allows 64 flows get, and which part of a core it takes them.

    python -m benchmarks.latency [--repetitions 5] [--seconds 3] [--loop uvloop]

Every answer of the server (`canned.py`) waits 50 ms, so that 64 flows can get 1,280 requests per
second, if nothing else took any time. "the bytes alone" are flows that write prepared bytes to a
socket and read none of the answer: what the machine and the server leave of it. All variants take
turns within one process; the table shows medians.
"""

import argparse
import asyncio
import gc
import statistics
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast
from urllib.parse import urlsplit

from benchmarks.canned import Served, canned_server
from benchmarks.request_cost import Variant, variants

__all__ = ["rows"]

LATENCY = 0.05  # seconds
FLOWS = 64
REQUESTS = 6  # of a purchase


class BytesAlone:
    """No HTTP client at all: one socket per flow, one answer per prepared request."""

    def __init__(self, served: Served) -> None:
        self._address = urlsplit(served.base_url)
        self._sockets: dict[asyncio.Task[Any], _Socket] = {}

    async def read(self) -> int:
        raise NotImplementedError

    async def purchase(self) -> int:
        task = asyncio.current_task()
        assert task is not None
        if (socket := self._sockets.get(task)) is None:
            _, socket = await asyncio.get_running_loop().create_connection(
                _Socket, self._address.hostname, self._address.port
            )
            self._sockets[task] = socket
        for _ in range(REQUESTS):
            await socket.ask(b"GET /v3/countries HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return REQUESTS

    async def aclose(self) -> None:
        for socket in self._sockets.values():
            socket.transport.close()


class _Socket(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, _: bytes) -> None:
        if not self._answered.done():
            self._answered.set_result(None)

    def ask(self, request: bytes) -> "asyncio.Future[None]":
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answered


async def measure(served: Served, *, repetitions: int, seconds: float) -> list[dict[str, Any]]:
    kinds: dict[str, Variant] = {"the bytes alone": BytesAlone(served)}
    kinds |= variants(served, connections=FLOWS)
    taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    gc.freeze()
    for repetition in range(-1, repetitions):  # the first warms up
        for kind, variant in kinds.items():
            one = await turn(variant, seconds=seconds if repetition >= 0 else 0.5)
            if repetition >= 0:
                taken[kind].append(one)
    gc.unfreeze()
    for variant in kinds.values():
        await variant.aclose()
    return [row(kind, found) for kind, found in taken.items()]


async def turn(variant: Variant, *, seconds: float) -> tuple[float, float]:
    """Requests per second, and CPU seconds of this process per request."""
    gc.collect()
    cpu = time.process_time()
    flows = await asyncio.gather(*(_busy(variant, seconds=seconds) for _ in range(FLOWS)))
    cpu = time.process_time() - cpu
    # Each by its own time: the last purchases end one after the other, in half-empty seconds.
    rate = sum(sent / took for sent, took in flows)
    # The first purchases are not in `sent`, but took CPU as well.
    return rate, cpu / (sum(sent for sent, _ in flows) + FLOWS * REQUESTS)


async def _busy(variant: Variant, *, seconds: float) -> tuple[int, float]:
    """One flow that goes on for so long: how many requests it sent, in which time.

    Its first purchase does not count: all flows begin at once then, on connections that were idle.
    """
    await variant.purchase()
    sent, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        sent += await variant.purchase()
    return sent, took


def row(kind: str, found: Sequence[tuple[float, float]]) -> dict[str, Any]:
    rate = statistics.median(rate for rate, _ in found)
    return {
        "variant": kind,
        "in_flight": FLOWS,
        "requests_per_second": rate,
        "of_possible": rate * LATENCY / FLOWS,
        "cpu_us": statistics.median(cpu for _, cpu in found) * 1e6,
        "of_a_core": statistics.median(rate * cpu for rate, cpu in found),
    }


def rows(
    *, repetitions: int = 5, seconds: float = 3.0, loop: str = "asyncio"
) -> list[dict[str, Any]]:
    """Measure everything; one row per variant. `loop`: the module whose event loop runs it."""
    factory = import_module(loop).new_event_loop
    with canned_server(latency=LATENCY) as served, asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(measure(served, repetitions=repetitions, seconds=seconds))


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'':24}{'requests/s':>12}{'of 1,280':>10}{'CPU/request':>13}{'of a core':>11}")
    for one in found:
        print(
            f"{one['variant']:24}{one['requests_per_second']:12.0f}{one['of_possible']:10.1%}"
            f"{one['cpu_us']:11.0f}µs{one['of_a_core']:11.0%}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    given = parser.parse_args()
    print_table(rows(repetitions=given.repetitions, seconds=given.seconds, loop=given.loop))


if __name__ == "__main__":
    main()

"""What the client costs on top of raw aiohttp: the same requests, the same server, alternating.

    python benchmarks/purchase_sequence.py [--repetitions 9] [--json FILE]

The server is the simulator, in a process of its own and without its rate limit, so that the CPU
time of this process is that of the client alone. Both variants send the same requests one after
the other on one connection; `many` keeps 24 of them on the wire.
"""

import argparse
import asyncio
import json
import multiprocessing
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from didww_async import Client, RateLimit
from didww_async.resources import DidOrderItem, OrderCreate
from didww_async.simulator import Simulator

HEADERS = {"Accept": "application/vnd.api+json", "X-DIDWW-API-Version": "2026-04-16"}
CONNECTIONS = 24


@attrs.frozen(kw_only=True)
class Sample:
    """One run of one variant: seconds per request, on the clock and of this process's CPU."""

    wall: float
    cpu: float


class WithClient:
    """The requests through `didww_async.Client`, with all it does by default."""

    def __init__(self, base_url: str, key: str) -> None:
        self._client = Client(
            api_key=key,
            base_url=base_url,
            rate_limit=RateLimit(100_000),
            max_connections=CONNECTIONS,
        )

    async def purchase(self) -> int:
        client = self._client
        (country,) = await client.countries.list(filter={"iso": "US"})
        (city, *_) = await client.cities.list(filter={"country.id": country.id, "name": "New York"})
        groups = await client.did_groups.list(
            filter={"city.id": city.id}, include="stock_keeping_units"
        )
        sku = groups[0].stock_keeping_units[0]
        order = await client.orders.create(OrderCreate(items=(DidOrderItem(sku_id=sku.id),)))
        order = await client.orders.get(order.id)
        await client.dids.list(filter={"order.id": order.id})
        return 6

    async def read(self) -> int:
        await self._client.countries.list(filter={"iso": "US"})
        return 1

    async def aclose(self) -> None:
        await self._client.aclose()


class WithRawAiohttp:
    """The same requests as somebody would write them by hand: no types, limits or retries."""

    def __init__(self, base_url: str, key: str) -> None:
        self._url = base_url
        self._session = aiohttp.ClientSession(
            headers={**HEADERS, "Api-Key": key},
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        )

    async def purchase(self) -> int:
        country = (await self._get("countries", {"filter[iso]": "US"}))["data"][0]["id"]
        cities = await self._get(
            "cities", {"filter[country.id]": country, "filter[name]": "New York"}
        )
        city = cities["data"][0]["id"]
        groups = await self._get(
            "did_groups", {"include": "stock_keeping_units", "filter[city.id]": city}
        )
        skus = groups["data"][0]["relationships"]["stock_keeping_units"]["data"]
        item = {"type": "did_order_items", "attributes": {"sku_id": skus[0]["id"], "qty": 1}}
        attributes = {"allow_back_ordering": False, "items": [item]}
        body = json.dumps({"data": {"type": "orders", "attributes": attributes}})
        async with self._session.post(
            f"{self._url}/orders", data=body, headers={"Content-Type": HEADERS["Accept"]}
        ) as response:
            order = json.loads(await response.read())["data"]["id"]
        await self._get(f"orders/{order}", {})
        await self._get("dids", {"filter[order.id]": order})
        return 6

    async def read(self) -> int:
        await self._get("countries", {"filter[iso]": "US"})
        return 1

    async def _get(self, path: str, query: dict[str, str]) -> Any:
        async with self._session.get(f"{self._url}/{path}", params=query) as response:
            response.raise_for_status()
            return json.loads(await response.read())

    async def aclose(self) -> None:
        await self._session.close()


Variant = WithClient | WithRawAiohttp
Scenario = Callable[[Variant, int], Awaitable[int]]


async def purchases(variant: Variant, times: int) -> int:
    return sum([await variant.purchase() for _ in range(times)])


async def reads(variant: Variant, times: int) -> int:
    return sum([await variant.read() for _ in range(times)])


async def many(variant: Variant, times: int) -> int:
    async def some() -> int:
        return await reads(variant, times // CONNECTIONS)

    return sum(await asyncio.gather(*(some() for _ in range(CONNECTIONS))))


SCENARIOS: dict[str, tuple[Scenario, int]] = {
    "purchase (6 requests)": (purchases, 25),
    "small GET": (reads, 150),
    "small GET, 24 at once": (many, 480),
}


async def sample(scenario: Scenario, variant: Variant, times: int) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    requests = await scenario(variant, times)
    return Sample(
        wall=(time.perf_counter() - wall) / requests, cpu=(time.process_time() - cpu) / requests
    )


async def measure(base_url: str, key: str, *, repetitions: int) -> dict[str, dict[str, Any]]:
    """Medians per scenario and variant, and their ratios."""
    variants: dict[str, Variant] = {
        "raw": WithRawAiohttp(base_url, key),
        "client": WithClient(base_url, key),
    }
    taken: dict[str, dict[str, list[Sample]]] = {
        name: {"raw": [], "client": []} for name in SCENARIOS
    }
    try:
        for repetition in range(-1, repetitions):  # the first warms up and is not counted
            for name, (scenario, times) in SCENARIOS.items():
                order = ["raw", "client"] if repetition % 2 else ["client", "raw"]
                for which in order:
                    found = await sample(scenario, variants[which], times)
                    if repetition >= 0:
                        taken[name][which].append(found)
    finally:
        for variant in variants.values():
            await variant.aclose()
    return {name: _summary(samples) for name, samples in taken.items()}


def _summary(samples: dict[str, list[Sample]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for which, found in samples.items():
        result[f"{which}_wall_us"] = statistics.median(one.wall for one in found) * 1e6
        result[f"{which}_cpu_us"] = statistics.median(one.cpu for one in found) * 1e6
    result["wall_ratio"] = result["client_wall_us"] / result["raw_wall_us"]
    result["cpu_ratio"] = result["client_cpu_us"] / result["raw_cpu_us"]
    return result


def serve(pipe: Connection) -> None:
    """The server's process: a simulator until the pipe closes."""

    async def main() -> None:
        options = {"rate_limit": None, "balance": 10_000_000, "completes_after": 0}
        async with Simulator(**options) as simulator:
            pipe.send((simulator.base_url, simulator.api_key))
            await asyncio.to_thread(pipe.poll, None)

    asyncio.run(main())


def print_table(results: dict[str, dict[str, Any]]) -> None:
    print(f"{'per request, medians':32} {'raw':>9} {'client':>9} {'ratio':>7}")
    for name, found in results.items():
        for kind in ("wall", "cpu"):
            raw, client = found[f"raw_{kind}_us"], found[f"client_{kind}_us"]
            label = f"{name}, {kind}"
            print(f"{label:32} {raw:8.0f}µ {client:8.0f}µ {found[f'{kind}_ratio']:6.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()

    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        base_url, key = here.recv()
        results = asyncio.run(measure(base_url, key, repetitions=arguments.repetitions))
    finally:
        here.send("stop")
        server.join(10)
    print_table(results)
    if arguments.json:
        about = {"python": platform.python_version(), "aiohttp": aiohttp.__version__}
        arguments.json.write_text(json.dumps({"about": about, "results": results}, indent=2))


if __name__ == "__main__":
    main()

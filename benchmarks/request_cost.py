"""What a typed, retried, limited request costs beside the same request on raw aiohttp.

    python -m benchmarks.request_cost [--repetitions 60] [--in-flight 16 64] [--json FILE]

All variants send the same requests to the same server (`canned.py`: another process, another
core) in turns within one process; CPU is that of this process alone. A repetition gives each
variant one turn, ratios are taken within a repetition, and the table shows medians. Turns are
short (some tens of milliseconds) and many: what else the machine does then hits all variants alike.
"""

import argparse
import asyncio
import gc
import importlib.util
import json
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import attrs

from benchmarks.canned import JSON_API, TYPICAL, WIDEST, Served, canned_server
from didww_async import Client, RateLimit
from didww_async.resources import DidOrderItem, OrderCreate
from didww_async.wire.codec import STANDARD, Codec

__all__ = ["rows"]

KEY = "benchmark-key-0123456789"
IN_FLIGHT = (1, 16, 64)
WARMING_UP = 5  # repetitions that are not counted
TURN = 200  # requests, at least


class Variant(Protocol):
    """One way of talking to the API; both methods return how many requests they sent.

    A purchase saves what the next step needs of each answer, its id, and lets go of the rest.
    """

    async def purchase(self) -> int: ...
    async def read(self) -> int: ...
    async def aclose(self) -> None: ...


class WithClient:
    """`didww_async.Client`, with all it does by default; its rate limit is never reached."""

    def __init__(self, served: Served, *, connections: int, codec: Codec | None = None) -> None:
        self._city = served.city
        self._client = Client(
            api_key=KEY,
            base_url=served.base_url,
            rate_limit=RateLimit(1_000_000),
            max_connections=connections,
            codec=codec,
        )

    async def purchase(self) -> int:
        client = self._client
        country = (await client.countries.list(filter={"iso": "US"}))[0].id
        where = {"country.id": country, "name": self._city}
        city = (await client.cities.list(filter=where))[0].id
        groups = await client.did_groups.list(
            filter={"city.id": city}, include="stock_keeping_units"
        )
        skus = groups[0].stock_keeping_units
        new = OrderCreate(items=(DidOrderItem(sku_id=skus[0].id),))
        order = (await client.orders.create(new)).id
        await client.orders.get(order)
        await client.dids.list(filter={"order.id": order})
        return 6

    async def read(self) -> int:
        await self._client.countries.list(filter={"iso": "US"})
        return 1

    async def aclose(self) -> None:
        await self._client.aclose()


class WithRawAiohttp:
    """The same requests as a careful programmer writes them: no types, limits or retries."""

    def __init__(
        self,
        served: Served,
        *,
        connections: int,
        loads: Callable[[bytes], Any],
        dumps: Callable[[Any], str | bytes],
    ) -> None:
        self._url = served.base_url
        self._city = served.city
        self._loads = loads
        self._dumps = dumps
        self._session = aiohttp.ClientSession(
            headers={"Accept": JSON_API, "X-DIDWW-API-Version": "2026-04-16", "Api-Key": KEY},
            connector=aiohttp.TCPConnector(limit=connections),
        )
        self._content_type = {"Content-Type": JSON_API}

    async def purchase(self) -> int:
        country = (await self._get("countries", {"filter[iso]": "US"}))["data"][0]["id"]
        where = {"filter[country.id]": country, "filter[name]": self._city}
        city = (await self._get("cities", where))["data"][0]["id"]
        where = {"include": "stock_keeping_units", "filter[city.id]": city}
        groups = await self._get("did_groups", where)
        skus = groups["data"][0]["relationships"]["stock_keeping_units"]["data"]
        item = {"type": "did_order_items", "attributes": {"sku_id": skus[0]["id"], "qty": 1}}
        attributes = {"allow_back_ordering": False, "items": [item]}
        body = self._dumps({"data": {"type": "orders", "attributes": attributes}})
        async with self._session.post(
            f"{self._url}/orders", data=body, headers=self._content_type
        ) as response:
            order = self._loads(await response.read())["data"]["id"]
        await self._get(f"orders/{order}")
        await self._get("dids", {"filter[order.id]": order})
        return 6

    async def read(self) -> int:
        await self._get("countries", {"filter[iso]": "US"})
        return 1

    async def _get(self, path: str, query: dict[str, str] | None = None) -> Any:
        async with self._session.get(f"{self._url}/{path}", params=query) as response:
            return self._loads(await response.read())

    async def aclose(self) -> None:
        await self._session.close()


def variants(served: Served, *, connections: int) -> dict[str, Variant]:
    """All that can be had here; the first is what the others are compared with."""
    found: dict[str, Variant] = {}
    if importlib.util.find_spec("orjson"):
        import orjson

        found["raw aiohttp + orjson"] = WithRawAiohttp(
            served, connections=connections, loads=orjson.loads, dumps=orjson.dumps
        )
    found["raw aiohttp + json"] = WithRawAiohttp(
        served, connections=connections, loads=json.loads, dumps=json.dumps
    )
    found["didww_async"] = WithClient(served, connections=connections)
    found["didww_async, json"] = WithClient(served, connections=connections, codec=STANDARD)
    return found


@attrs.frozen(kw_only=True)
class Sample:
    """One turn of one variant, per request: seconds on the clock and of this process's CPU."""

    wall: float
    cpu: float


Scenario = Callable[[Variant], Awaitable[int]]
Scenarios = Mapping[str, Scenario]
SCENARIOS: Scenarios = {
    "small GET": lambda variant: variant.read(),
    "purchase (6 requests)": lambda variant: variant.purchase(),
}
IN_WIDEST: Scenarios = {"purchase, 10 DID groups": lambda variant: variant.purchase()}


async def sample(scenario: Scenario, variant: Variant, *, requests: int, in_flight: int) -> Sample:
    """Keep `in_flight` callers busy until so many requests were made."""
    done = 0

    async def caller() -> None:
        nonlocal done
        while done < requests:
            sent = await scenario(variant)
            done += sent  # apart from the await, which would add to what `done` was before it

    gc.collect()  # quick, because what was there before the first turn is frozen
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Sample(wall=wall / done, cpu=cpu / done)


async def measure(
    served: Served, scenarios: Scenarios, *, repetitions: int, in_flights: Sequence[int]
) -> list[dict[str, Any]]:
    """CPU and rate of every variant, scenario and number of callers."""
    found: list[dict[str, Any]] = []
    for in_flight in in_flights:
        kinds = variants(served, connections=in_flight)
        taken: dict[str, dict[str, list[Sample]]] = {
            name: {kind: [] for kind in kinds} for name in scenarios
        }
        gc.freeze()
        for repetition in range(-WARMING_UP, repetitions):
            for name, scenario in scenarios.items():
                order = list(kinds)
                first = repetition % len(order)
                for kind in order[first:] + order[:first]:
                    one = await sample(scenario, kinds[kind], requests=TURN, in_flight=in_flight)
                    if repetition >= 0:
                        taken[name][kind].append(one)
        gc.unfreeze()
        for variant in kinds.values():
            await variant.aclose()
        for name, samples in taken.items():
            found += summary(name, in_flight, samples)
    return found


def summary(
    scenario: str, in_flight: int, samples: dict[str, list[Sample]]
) -> list[dict[str, Any]]:
    base = next(iter(samples.values()))
    return [
        {
            "scenario": scenario,
            "in_flight": in_flight,
            "variant": kind,
            "cpu_us": statistics.median(one.cpu for one in found) * 1e6,
            "requests_per_second": 1 / statistics.median(one.wall for one in found),
            "cpu_ratio": statistics.median(
                ours.cpu / raw.cpu for ours, raw in zip(found, base, strict=True)
            ),
        }
        for kind, found in samples.items()
    ]


def rows(*, repetitions: int = 60, in_flights: Sequence[int] = IN_FLIGHT) -> list[dict[str, Any]]:
    """Measure everything; one row per scenario, number of callers and variant."""
    found = []
    for city, scenarios, turns in (
        (TYPICAL, SCENARIOS, repetitions),
        (WIDEST, IN_WIDEST, repetitions // 2),
    ):
        with canned_server(city=city) as served:
            found += asyncio.run(
                measure(served, scenarios, repetitions=turns, in_flights=in_flights)
            )
    return found


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'':24}{'in flight':>10}  {'':24}{'CPU/request':>12}{'':>8}{'requests/s':>12}")
    for row in found:
        print(
            f"{row['scenario']:24}{row['in_flight']:>10}  {row['variant']:24}"
            f"{row['cpu_us']:10.0f}µs{_ratio(row):>8}{row['requests_per_second']:12.0f}"
        )


def _ratio(row: dict[str, Any]) -> str:
    return f"{row['cpu_ratio']:.2f}x" if "cpu_ratio" in row else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--in-flight", type=int, nargs="+", default=IN_FLIGHT)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    found = rows(repetitions=arguments.repetitions, in_flights=arguments.in_flight)
    print_table(found)
    if arguments.json:
        about = {"python": platform.python_version(), "aiohttp": aiohttp.__version__}
        arguments.json.write_text(json.dumps({"about": about, "rows": found}, indent=2))


if __name__ == "__main__":
    main()

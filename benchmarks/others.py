"""The same purchases with what else there is: DIDWW's own SDK in threads, and httpx.

    python -m benchmarks.others [--repetitions 7]

As in `request_cost`: one canned server, all variants in turns within one process, medians. The SDK
is synchronous, so each caller has a thread and a client of its own, which is how it is used from
asyncio. Variants that are not installed are left out (`pip install didww httpx`).
"""

import argparse
import asyncio
import importlib.util
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.canned import JSON_API, Served, canned_server
from benchmarks.request_cost import (
    KEY,
    SCENARIOS,
    TURN,
    Sample,
    Variant,
    WithClient,
    print_table,
    sample,
    summary,
)

__all__ = ["rows"]

IN_FLIGHT = 16


class WithSdk:
    """The official SDK; its calls block a thread each."""

    def __init__(self, served: Served, *, threads: int) -> None:
        self._base_url = served.base_url
        self._city = served.city
        self._pool = ThreadPoolExecutor(threads)
        self._own = threading.local()
        self._clients: list[Any] = []

    async def purchase(self) -> int:
        return await self._in_thread(self._purchase)

    async def read(self) -> int:
        return await self._in_thread(self._read)

    async def aclose(self) -> None:
        self._pool.shutdown()
        for client in self._clients:
            client._session.close()  # noqa: SLF001 - it has no close() of its own

    async def _in_thread(self, work: Callable[[], int]) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _client(self) -> Any:
        if not hasattr(self._own, "client"):
            from didww.client import DidwwClient

            self._own.client = DidwwClient(KEY, base_url=self._base_url)
            self._clients.append(self._own.client)
        return self._own.client

    def _read(self) -> int:
        from didww.query_params import QueryParams

        _ = self._client().countries().list(QueryParams().filter("iso", "US")).data
        return 1

    def _purchase(self) -> int:
        from didww.query_params import QueryParams
        from didww.resources.order import Order
        from didww.resources.order_item.did_order_item import DidOrderItem

        client = self._client()
        country = client.countries().list(QueryParams().filter("iso", "US")).data[0].id
        where = QueryParams().filter("country.id", country).filter("name", self._city)
        city = client.cities().list(where).data[0].id
        where = QueryParams().filter("city.id", city).include("stock_keeping_units")
        group = client.did_groups().list(where).data[0]
        item = DidOrderItem()
        item.sku_id, item.qty = group.stock_keeping_units[0].id, 1
        order = Order()
        order.items, order.allow_back_ordering = [item], False
        placed = client.orders().create(order).data.id
        _ = client.orders().find(placed).data.status
        _ = [
            did.number for did in client.dids().list(QueryParams().filter("order.id", placed)).data
        ]
        return 6


class WithHttpx:
    """httpx's asyncio client, with json and without types."""

    def __init__(self, served: Served, *, connections: int) -> None:
        import httpx

        self._city = served.city
        self._client = httpx.AsyncClient(
            base_url=served.base_url,
            headers={"Accept": JSON_API, "X-DIDWW-API-Version": "2026-04-16", "Api-Key": KEY},
            limits=httpx.Limits(max_connections=connections),
        )

    async def purchase(self) -> int:
        country = (await self._get("countries", {"filter[iso]": "US"}))["data"][0]["id"]
        where = {"filter[country.id]": country, "filter[name]": self._city}
        city = (await self._get("cities", where))["data"][0]["id"]
        where = {"include": "stock_keeping_units", "filter[city.id]": city}
        groups = await self._get("did_groups", where)
        skus = groups["data"][0]["relationships"]["stock_keeping_units"]["data"]
        item = {"type": "did_order_items", "attributes": {"sku_id": skus[0]["id"], "qty": 1}}
        attributes = {"allow_back_ordering": False, "items": [item]}
        body = {"data": {"type": "orders", "attributes": attributes}}
        reply = await self._client.post("orders", json=body, headers={"Content-Type": JSON_API})
        order = reply.json()["data"]["id"]
        await self._get(f"orders/{order}")
        await self._get("dids", {"filter[order.id]": order})
        return 6

    async def read(self) -> int:
        await self._get("countries", {"filter[iso]": "US"})
        return 1

    async def _get(self, path: str, query: dict[str, str] | None = None) -> Any:
        return (await self._client.get(path, params=query)).json()

    async def aclose(self) -> None:
        await self._client.aclose()


def variants(served: Served) -> dict[str, Variant]:
    """Those that are installed; ours is what the others are compared with."""
    found: dict[str, Variant] = {"didww_async": WithClient(served, connections=IN_FLIGHT)}
    if importlib.util.find_spec("httpx"):
        found["httpx + json"] = WithHttpx(served, connections=IN_FLIGHT)
    if importlib.util.find_spec("didww"):
        found["official SDK, threads"] = WithSdk(served, threads=IN_FLIGHT)
    return found


async def measure(served: Served, *, repetitions: int) -> list[dict[str, Any]]:
    """CPU and rate of every variant, 16 in flight."""
    kinds = variants(served)
    found = []
    for name, scenario in SCENARIOS.items():
        taken: dict[str, list[Sample]] = {kind: [] for kind in kinds}
        for repetition in range(-1, repetitions):
            for kind, variant in kinds.items():
                one = await sample(scenario, variant, requests=TURN // 2, in_flight=IN_FLIGHT)
                if repetition >= 0:
                    taken[kind].append(one)
        found += summary(name, IN_FLIGHT, taken)
    for variant in kinds.values():
        await variant.aclose()
    return found


def rows(*, repetitions: int = 7) -> list[dict[str, Any]]:
    """One row per scenario and variant; `cpu_ratio` is relative to didww_async."""
    with canned_server() as served:
        return asyncio.run(measure(served, repetitions=repetitions))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=7)
    print_table(rows(repetitions=parser.parse_args(arguments).repetitions))


if __name__ == "__main__":
    main()

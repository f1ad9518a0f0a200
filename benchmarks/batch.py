"""1,000 numbers in a batch, beside the naive flow: requests, the planner's bound, wall time.

    python -m benchmarks.batch [--numbers 1000] [--without-naive]

The simulator runs in a process of its own and lets in 20 requests per second. "cities": every line
names its city, 50 of them, each with one DID group. "prefixes": 200 NPA/NXX prefixes of 50 cities.
"both": half of the numbers by each. "naive" is `buy()` line after line, 24 at once, with the
catalogue's cache (look-ups of places are shared); it is run with a tenth of the numbers, because it
takes so long, and its figures are scaled up.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator, Sequence
from subprocess import PIPE
from typing import Any

import attrs

from didww_async import AttemptRecord, Client
from didww_async.simulator.atlas import shipped_atlas
from didww_async.simulator.coverage import GroupRow
from flows import MemoryJournal, PurchaseRequest, buy
from flows.batch import LineState, buy_many, lines_of
from flows.batch.planning import plan_batch

__all__ = ["print_table", "rows"]

PER_SECOND = 20
CITIES, PREFIXES_EACH = 50, 4
NAIVE_PART = 10
SERVER = """
import asyncio
from decimal import Decimal

from didww_async.simulator import serve

asyncio.run(serve(port=0, api_key="benchmark", started=lambda s: print(s.base_url, flush=True),
                  balance=Decimal(100000), rate_limit=20, completes_after=0.2))
"""


def places(*, prefixes: int = 0) -> Iterator[tuple[GroupRow, list[str]]]:
    """DID groups that are the only one of their city and have stock for their part."""
    atlas = shipped_atlas()
    groups = [
        group
        for group in atlas.coverage.groups
        if group.city_id and len(atlas.groups_by_city[group.city_id]) == 1
        if group.region_id or not prefixes
    ]
    random.Random(1).shuffle(groups)
    found = 0
    for group in groups:
        stocked = [prefix for prefix, stock in group.stock.items() if prefix and stock >= 5]
        if len(stocked) >= prefixes if prefixes else sum(group.stock.values()) >= 20:
            yield group, stocked[:prefixes]
            found += 1
        if found == CITIES:
            return


def by_city(numbers: int) -> list[PurchaseRequest]:
    """One request per number, over the cities."""
    atlas = shipped_atlas()
    each = []
    for group, _ in places():
        city = atlas.cities[group.city_id or ""]
        region = atlas.regions.get(city.region_id or "")
        each.append(
            PurchaseRequest(
                country=atlas.countries[city.country_id].iso,
                region=region.name if region else None,
                city=city.name,
                prefer="cheapest",
            )
        )
    return [each[number % len(each)] for number in range(numbers)]


def by_prefix(numbers: int) -> list[PurchaseRequest]:
    """One request per number, over the prefixes."""
    atlas = shipped_atlas()
    prefixes = (atlas.prefixes[one] for _, some in places(prefixes=PREFIXES_EACH) for one in some)
    each = [
        PurchaseRequest(
            country=atlas.countries[prefix.country_id].iso,
            region=atlas.regions[prefix.region_id or ""].name,
            npa=prefix.npa,
            nxx=prefix.nxx,
            prefer="cheapest",
        )
        for prefix in prefixes
    ]
    return [each[number % len(each)] for number in range(numbers)]


@attrs.define
class Counter:
    """Requests of a client, by purpose; `lasted` is until the last order was placed."""

    began: float = attrs.field(factory=time.perf_counter)
    look_ups: int = 0
    orders: int = 0
    read_back: int = 0
    lasted: float = 0.0

    def __call__(self, record: AttemptRecord) -> None:
        if record.method == "POST":
            self.orders += 1
            self.lasted = time.perf_counter() - self.began
        elif "/orders" in record.url or "/dids" in record.url:
            self.read_back += 1
        else:
            self.look_ups += 1


async def batched(url: str, wanted: Sequence[PurchaseRequest], name: str) -> dict[str, Any]:
    """One batch; the bound comes from a plan that was made before, and is not counted."""
    lines = lines_of(wanted, batch=name)
    async with Client(api_key="benchmark", base_url=url) as client:
        plan = await plan_batch(client, lines)
    await asyncio.sleep(1.1)  # the server's second is over
    counter = Counter()
    async with Client(api_key="benchmark", base_url=url, on_attempt=counter) as client:
        counter.began = time.perf_counter()
        results = [
            result async for result in buy_many(client, lines, journal=MemoryJournal(), batch=name)
        ]
        whole = time.perf_counter() - counter.began
    assert all(result.state is LineState.BOUGHT for result in results), results[0]
    return {
        "case": name,
        "numbers": sum(len(result.numbers) for result in results),
        "look_ups": counter.look_ups,
        "orders": counter.orders,
        "read_back": counter.read_back,
        "requests": counter.look_ups + counter.orders,
        "bound": plan.bound.total,
        "seconds_to_last_order": counter.lasted,
        "seconds": whole,
        "bound_seconds": plan.bound.total / PER_SECOND,
    }


async def naive(url: str, wanted: Sequence[PurchaseRequest], name: str) -> dict[str, Any]:
    """buy() for each number, many at once."""
    counter = Counter()
    together = asyncio.Semaphore(24)
    async with Client(api_key="benchmark", base_url=url, on_attempt=counter) as client:

        async def one(request: PurchaseRequest) -> None:
            async with together:
                await buy(client, request)

        counter.began = time.perf_counter()
        await asyncio.gather(*map(one, wanted))
        whole = time.perf_counter() - counter.began
    return {
        "case": name,
        "numbers": len(wanted),
        "look_ups": counter.look_ups,
        "orders": counter.orders,
        "read_back": counter.read_back,
        "requests": counter.look_ups + counter.orders,
        "bound": None,
        "seconds_to_last_order": counter.lasted,
        "seconds": whole,
        "bound_seconds": None,
    }


async def _measured(numbers: int, *, with_naive: bool) -> list[dict[str, Any]]:
    cases = {
        "cities": by_city(numbers),
        "prefixes": by_prefix(numbers),
        "both": by_city(numbers // 2) + by_prefix(numbers - numbers // 2),
    }
    found = []
    for name, wanted in cases.items():
        found.append(await _served(batched, wanted, name))
    if with_naive:
        # One of each place, as in the whole: what is cached helps as much as it can.
        some = by_prefix(max(1, numbers // NAIVE_PART))
        row = await _served(naive, some, f"naive, {len(some)} of them")
        scale = numbers / len(some)
        found.append(row)
        found.append(
            {
                name: round(each * scale, 3) if isinstance(each, int | float) else each
                for name, each in row.items()
            }
            | {"case": "naive, scaled up", "numbers": numbers}
        )
    return found


async def _served(run: Any, wanted: Sequence[PurchaseRequest], name: str) -> dict[str, Any]:
    """Run a case on a fresh simulator."""
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, stdout=PIPE)
    assert server.stdout is not None
    try:
        url = (await server.stdout.readline()).decode().strip()
        result: dict[str, Any] = await run(url, wanted, name)
        return result
    finally:
        server.kill()
        await server.wait()


def rows(*, numbers: int = 1000, with_naive: bool = True) -> list[dict[str, Any]]:
    """One row per case; "requests" and "bound" are without reading back."""
    return asyncio.run(_measured(numbers, with_naive=with_naive))


def print_table(found: Sequence[dict[str, Any]]) -> None:
    print(
        f"{'':22}{'numbers':>8}{'look-ups':>9}{'orders':>7}{'sum':>7}{'bound':>7}{'':7}"
        f"{'read back':>10}{'ordered after':>15}{'all after':>11}"
    )
    for row in found:
        bound = row["bound"]
        ratio = f"{row['requests'] / bound:6.2f}x" if bound else f"{'':7}"
        print(
            f"{row['case']:22}{row['numbers']:8.0f}{row['look_ups']:9.0f}{row['orders']:7.0f}"
            f"{row['requests']:7.0f}{bound or '':>7}{ratio}{row['read_back']:10.0f}"
            f"{row['seconds_to_last_order']:13.1f} s{row['seconds']:9.1f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--numbers", type=int, default=1000)
    parser.add_argument("--without-naive", action="store_true")
    given = parser.parse_args()
    print_table(rows(numbers=given.numbers, with_naive=not given.without_naive))


if __name__ == "__main__":
    main()

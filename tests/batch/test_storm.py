"""Everything at once: two processes on one batch, faults, short stock, cancelled runs.

After all of it no line is in two orders, and when the weather is over every line gets bought.

8 seeds by default; DIDWW_STORM_SEEDS=200 for the long run.
"""

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal

import attrs
import pytest
from batch.kit import FromStock, new_york, run, states, toronto
from purchases import GIVES_UP_SOON, NEW_YORK_GROUP, TORONTO_GROUP

from didww_async import Client, RateLimit, RetryPolicy
from didww_async.simulator import (
    AnswerLate,
    Delay,
    DropAfter,
    DropBefore,
    GarbageBody,
    HalfBody,
    ListLate,
    Reset,
    ServerFault,
    Simulator,
    StaleClose,
    TooMany,
)
from flows import resend
from flows.batch import BatchLine, LineResult, lines_of
from flows.journal import MemoryJournal

SEEDS = int(os.environ.get("DIDWW_STORM_SEEDS", "8"))
LINES = 30
RULES = attrs.evolve(GIVES_UP_SOON, settle_for=0.5)
FAULTS = [
    AnswerLate(0.35),
    Delay(0.3),
    DropAfter(),
    DropBefore(),
    GarbageBody(b"x"),
    HalfBody(),
    ListLate(0.3),
    Reset(acted=True),
    ServerFault(500, acted=True),
    ServerFault(503),
    StaleClose(),
    TooMany("0"),
]


@contextlib.asynccontextmanager
async def client_of(sim: Simulator) -> AsyncIterator[Client]:
    async with Client(
        api_key=sim.api_key,
        base_url=sim.base_url,
        rate_limit=RateLimit(100_000),
        retry=RetryPolicy.without_waiting(),
    ) as client:
        yield client


def lines_in_orders(sim: Simulator, journal: MemoryJournal) -> Counter[str]:
    """How often every line was ordered, whatever the journal thinks of it."""
    packed = {key.reference: order for key, order in journal._packed.items()}
    return Counter(
        line for order in sim.orders for line in packed[str(order.external_reference_id)].lines
    )


def batch_of(chance: random.Random) -> list[BatchLine]:
    requests = [
        chance.choice([new_york, toronto])(quantity=chance.choice([1, 1, 2, 5]))
        for _ in range(LINES)
    ]
    lines = lines_of(requests, batch="b")
    return [attrs.evolve(line, fate=chance.choice([None, "a", "b", "c"])) for line in lines]


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_each_line_is_bought_once_whatever_the_weather(seed: int) -> None:
    chance = random.Random(seed)
    journal = MemoryJournal()
    lines = batch_of(chance)
    wanted = [line.request.quantity for line in lines]
    async with Simulator(
        rate_limit=None, completes_after=0.02, balance=Decimal(100_000), seed=seed
    ) as sim:
        for group in (NEW_YORK_GROUP, TORONTO_GROUP):
            sim.set_stock(group_id=group, count=chance.choice([0, 7, 30, 500]))
        sim.vat_rate = chance.choice([Decimal(0), Decimal("0.21")])
        sim.inject_randomly(FAULTS, rate=chance.choice([0, 0.1, 0.3]), seed=seed)

        async def process() -> list[LineResult]:
            async with client_of(sim) as client:
                resolver = FromStock(client, sim, 1000)
                with contextlib.suppress(TimeoutError, AssertionError):
                    async with asyncio.timeout(chance.choice([0.05, 0.2, 1, 30])):
                        return await run(
                            client,
                            lines,
                            journal=journal,
                            rules=RULES,
                            resolver=resolver,
                            max_items_per_order=chance.choice([1, 2, 50]),
                            max_total=chance.choice([None, Decimal(300)]),
                            stop_after_refusals=chance.choice([None, 2]),
                            timeout=1,
                        )
                return []

        for _ in range(2):
            for results in await asyncio.gather(process(), process()):
                assert len(results) == len({one.line.identity for one in results})
                assert len(results) in {0, LINES}
            assert {1} >= set(lines_in_orders(sim, journal).values())
        # The weather is over.
        sim.clear_faults()
        await asyncio.sleep(0.4)
        for group in (NEW_YORK_GROUP, TORONTO_GROUP):
            sim.set_stock(group_id=group, count=1000)
        async with client_of(sim) as client:
            results = await run(client, lines, journal=journal, rules=RULES)
            unknown = {one.order_reference for one in results if one.state == "unknown"}
            for reference in unknown:
                await resend(client, journal, str(reference), rules=RULES)
            results = await run(client, lines, journal=journal, rules=RULES)
        assert {"bought": LINES} == states(results), results
        assert wanted == [len(one.numbers) for one in results]
        assert dict.fromkeys([line.identity for line in lines], 1) == lines_in_orders(sim, journal)
        assert sum(wanted) == sum(order.qty for order in sim.orders)
        assert sum(wanted) == len({number for one in results for number in one.numbers})

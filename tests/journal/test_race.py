"""Eight processes start with the same hundred references at the same time: a hundred orders."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from purchases import simulator_process

from didww_async import Client, RateLimit
from flows.journal import State

PROCESSES = 8
REFERENCES = [f"race-{n}" for n in range(100)]
KEY = "racing"


async def race(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the buyers; what each of them saw."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "journal.buyer",
            json.dumps(job),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["tests", "."])},
        )
        for _ in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert b"ready\n" == await process.stdout.readline()
        said = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
    return [json.loads(out) for out, _ in said]


@pytest.mark.parametrize(
    ("born_here", "expected_look_ups"),
    [(True, 0), (False, len(REFERENCES))],  # who plans a given reference looks it up, once
    ids=["references made here", "references given"],
)
async def test_each_reference_is_bought_once(
    born_here: bool,
    expected_look_ups: int,
    durable_kind: str,
    another: Callable[[], Any],
    request: pytest.FixtureRequest,
) -> None:
    journal: dict[str, Any] = (
        request.getfixturevalue("postgres_options")
        if durable_kind == "postgres"
        else {"path": str(request.getfixturevalue("tmp_path") / "journal.sqlite")}
    )
    async with simulator_process(rate_limit=None, completes_after=None, api_key=KEY) as url:
        job = {
            "base_url": url,
            "api_key": KEY,
            "journal": journal,
            "references": REFERENCES,
            "born_here": born_here,
        }
        buyers = await race(job)
        async with Client(api_key=KEY, base_url=url, rate_limit=RateLimit(9999)) as client:
            orders = [order async for order in client.orders.iterate()]
    async with another() as kept:
        records = await kept.list()
    at_didww = {order.external_reference_id: order.id for order in orders}
    assert sorted(REFERENCES) == sorted(order.external_reference_id for order in orders)
    assert [at_didww] * PROCESSES == [buyer["orders"] for buyer in buyers]
    assert at_didww == {record.reference: record.order_id for record in records}
    assert {State.ORDERED} == {record.state for record in records}
    assert len(REFERENCES) == sum(buyer["posts"] for buyer in buyers)
    # Losers watch, they do not look up; on a very busy machine a head start may be too short.
    by_losers = sum(buyer["look_ups"] for buyer in buyers) - expected_look_ups
    assert 0 <= by_losers <= len(REFERENCES) // 10
    assert durable_kind == "postgres" or not has_key(Path(journal["path"]))


def has_key(path: Path) -> bool:
    return KEY.encode() in path.read_bytes()

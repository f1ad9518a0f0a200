"""A batch at each API version: lines with and without number types, by city and by prefix."""

import pytest
from batch.kit import TORONTO_PREFIX, new_york, run, states, toronto

from didww_async import Client, RateLimit, RetryPolicy
from didww_async.simulator import Simulator
from flows.journal import MemoryJournal


@pytest.mark.parametrize("version", ["2022-05-10", "2026-04-16", "2026-11-19"])
async def test_a_batch_is_the_same_at_every_version(version: str, sim: Simulator) -> None:
    npa, nxx = TORONTO_PREFIX
    requests = [
        new_york(quantity=2, number_type="Local"),
        toronto(number_type="local"),
        toronto(npa=npa, nxx=nxx),
        toronto(npa=npa, nxx=nxx, number_type="Local"),
        new_york(number_type="toll-free"),
    ]
    async with Client(
        api_key=sim.api_key,
        base_url=sim.base_url,
        token_url=sim.token_url,
        api_version=version,
        rate_limit=RateLimit(100_000),
        retry=RetryPolicy.without_waiting(),
    ) as client:
        await client.balance.get()
        sim.revoke_tokens()
        results = await run(client, requests, journal=MemoryJournal())
    bought, unfit = results[:4], results[4]
    assert {"bought": 4} == states(bought), results
    assert [2, 1, 1, 1] == [len(result.numbers) for result in bought]
    assert "bought" != unfit.state
    assert 5 == len(sim.dids)
    accepted = [r for r in sim.requests if (r.path, r.status) == ("/orders", 201)]
    assert len(sim.orders) == len(accepted)

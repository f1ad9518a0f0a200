"""Whole batches over real HTTP: bought once, refused where they must be, run again for nothing."""

import pytest
from batch.kit import TORONTO_PREFIX, new_york, run, states, toronto
from purchases import NEW_YORK_GROUP, TORONTO_GROUP, posts

from didww_async import Client
from didww_async.simulator import Simulator
from flows.journal import MemoryJournal


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


async def test_lines_are_bought_in_one_order(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    npa, nxx = TORONTO_PREFIX
    requests = [new_york(quantity=2), toronto(), toronto(npa=npa, nxx=nxx), new_york()]
    results = await run(client, requests, journal=journal)
    assert {"bought": 4} == states(results), results
    assert [2, 1, 1, 1] == [len(result.numbers) for result in results]
    assert (1, 3) == (posts(sim), len(sim.orders[0].items))
    assert results[2].numbers[0].startswith(f"1{npa}{nxx}")
    group_of = {did.number: did.group_id for did in sim.dids}
    groups = [{group_of[number] for number in result.numbers} for result in results]
    assert [{NEW_YORK_GROUP}, {TORONTO_GROUP}, {TORONTO_GROUP}, {NEW_YORK_GROUP}] == groups


async def test_running_it_again_costs_nothing(
    client: Client, journal: MemoryJournal, sim: Simulator
) -> None:
    requests = [new_york(quantity=2), toronto(), new_york()]
    first = await run(client, requests, journal=journal)
    asked = len(sim.requests)
    assert first == await run(client, requests, journal=journal)
    assert asked == len(sim.requests)

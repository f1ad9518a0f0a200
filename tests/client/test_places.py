"""Places: never more than there are, first come first served, and none lost, whoever gives up."""

import asyncio
from typing import Any

import pytest
from client.servers import COUNTRIES, Say, Server, failure_of, reply, talking
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until

from didww_async import Client, RateLimit
from didww_async.transport.places import Places

COUNT = 3
STEPS = st.one_of(
    st.sampled_from(["take", "wait", "free", "yield"]).map(lambda step: (step, 0)),
    st.tuples(st.just("cancel"), st.integers(0, 8)),
)


class Callers:
    """Those who want places, and what they got; who waits longest is told first."""

    def __init__(self) -> None:
        self.places = Places(COUNT)
        self.held = 0
        self.most = 0
        self.waiting: list[asyncio.Task[None]] = []
        self.cancelled: list[asyncio.Task[None]] = []
        self.served: list[asyncio.Task[None]] = []

    def has_one(self) -> None:
        self.held += 1
        self.most = max(self.most, self.held)

    async def wait(self) -> None:
        await self.places.wait()
        self.has_one()
        me = asyncio.current_task()
        assert me is not None
        assert me is self.waiting[0]
        self.served.append(self.waiting.pop(0))

    def take(self) -> None:
        if self.places.take():
            self.has_one()

    def free(self) -> None:
        if self.held:
            self.held -= 1
            self.places.free()

    async def cancel(self, number: int) -> None:
        # Only those who got as far as waiting: the others never stood in the queue.
        if self.waiting:
            task = self.waiting.pop(number % len(self.waiting))
            task.cancel()
            self.cancelled.append(task)


@settings(deadline=None, max_examples=300)
@given(st.lists(STEPS, max_size=60))
async def test_no_order_of_steps_loses_a_place_or_a_turn(steps: list[tuple[str, int]]) -> None:
    callers = Callers()
    for step, number in steps:
        match step:
            case "take":
                callers.take()
            case "wait":
                callers.waiting.append(asyncio.create_task(callers.wait()))
            case "free":
                callers.free()
            case "cancel":
                await callers.cancel(number)
            case _:
                await asyncio.sleep(0)
    while callers.waiting:
        callers.free()
        await asyncio.sleep(0)
    ends = await asyncio.gather(*callers.cancelled, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    assert all(task.exception() is None for task in callers.served)
    assert callers.most <= COUNT
    while callers.held:
        callers.free()
    assert [True] * COUNT + [False] == [callers.places.take() for _ in range(COUNT + 1)]


async def test_free_place_is_had_without_waiting() -> None:
    places = Places(1)
    assert places.take()
    assert not places.take()
    places.free()
    waiting = places.wait()
    with pytest.raises(StopIteration):
        waiting.send(None)


async def test_nobody_overtakes_who_waits() -> None:
    places = Places(1)
    assert places.take()
    first, second = (asyncio.create_task(places.wait()) for _ in range(2))
    await asyncio.sleep(0)
    places.free()
    assert not places.take()  # it is the first one's, though that has not run yet
    await first
    assert not second.done()
    places.free()
    await second


async def test_who_gives_up_just_when_it_is_his_turn_hands_it_on() -> None:
    places = Places(1)
    assert places.take()
    first, second = (asyncio.create_task(places.wait()) for _ in range(2))
    await asyncio.sleep(0)
    places.free()
    first.cancel()
    assert isinstance(await failure_of(first), asyncio.CancelledError)
    await asyncio.wait_for(second, 1)


async def test_who_gives_up_just_before_his_turn_is_passed_over() -> None:
    places = Places(1)
    assert places.take()
    first, second = (asyncio.create_task(places.wait()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    places.free()
    assert isinstance(await failure_of(first), asyncio.CancelledError)
    await asyncio.wait_for(second, 1)


async def test_coroutine_that_is_thrown_away_gives_up_its_turn() -> None:
    places = Places(1)
    assert places.take()
    waiting = places.wait()
    waiting.send(None)
    waiting.close()
    places.free()
    assert places.take()


# -- in a client


async def test_calls_cancelled_together_are_all_cancelled() -> None:
    async with talking(Say(then="hang"), max_connections=2) as (client, server):
        tasks = [asyncio.create_task(client.countries.list()) for _ in range(6)]
        await until(lambda: len(server.requests) == 2)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
        server.answers = reply(COUNTRIES)
        found = await asyncio.gather(*(client.countries.list() for _ in range(6)))
    assert 6 == len(found)


async def test_group_of_calls_fails_with_nothing_but_what_failed() -> None:
    async def fail_meanwhile(client: Client, server: Server) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(client.countries.list())
            await until(lambda: len(server.requests) == 2)
            raise LookupError("somebody else's")

    async with talking(Say(then="hang"), max_connections=2) as (client, server):
        failure = await failure_of(fail_meanwhile(client, server))
    assert isinstance(failure, ExceptionGroup)
    assert ["LookupError"] == [type(error).__name__ for error in failure.exceptions]


class Broken(RateLimit):
    """A limiter that fails where none is waited for."""

    failing = True

    def take(self) -> Any:
        if self.failing:
            raise LookupError("no limit")
        return super().take()


async def test_limiter_that_fails_costs_no_place() -> None:
    limit = Broken(1000)
    async with talking(reply(COUNTRIES), rate_limit=limit, max_connections=2) as (client, _):
        for _ in range(3):
            assert isinstance(await failure_of(client.countries.list()), LookupError)
        limit.failing = False
        async with asyncio.timeout(5):
            await asyncio.gather(*(client.countries.list() for _ in range(4)))

"""Reference data: fetched once for all who ask, kept for a while, and nobody harms the others."""

import asyncio
import gc

import pytest
from client.servers import COUNTRIES, Say, failure_of, refusal, reply, talking
from waiting import until

from didww_async import ClientClosed, NotFound
from didww_async.catalogue import Catalogue


class Fetch:
    """A fetch that is counted, and ends when it is told."""

    def __init__(self) -> None:
        self.count = 0
        self.go = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self) -> int:
        self.count += 1
        number = self.count
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        return number


async def test_equal_reads_at_the_same_time_are_one_request() -> None:
    async with talking(reply(COUNTRIES)) as (client, server):
        pages = await asyncio.gather(
            *(client.catalogue.once("countries", client.countries.list) for _ in range(50))
        )
        again = await client.catalogue.once("countries", client.countries.list)
    assert 1 == len(server.requests)
    assert {id(again)} == {id(page) for page in pages}


async def test_different_keys_are_different_requests() -> None:
    catalogue, fetch = Catalogue(), Fetch()
    fetch.go.set()
    assert [1, 2] == [await catalogue.once(key, fetch) for key in ("a", "b")]


async def test_answer_is_kept_for_a_while_only() -> None:
    now = 0.0
    catalogue, fetch = Catalogue(keep_for=10, clock=lambda: now), Fetch()
    fetch.go.set()
    assert 1 == await catalogue.once("k", fetch)
    now = 9.9
    assert 1 == await catalogue.once("k", fetch)
    now = 10.0
    assert 2 == await catalogue.once("k", fetch)


async def test_forget_drops_what_is_kept() -> None:
    catalogue, fetch = Catalogue(), Fetch()
    fetch.go.set()
    await catalogue.once("k", fetch)
    catalogue.forget()
    assert 2 == await catalogue.once("k", fetch)


async def test_oldest_answers_go_when_there_are_too_many() -> None:
    catalogue, fetch = Catalogue(size=2), Fetch()
    fetch.go.set()
    for key in ("a", "b", "c"):
        await catalogue.once(key, fetch)
    assert 3 == await catalogue.once("c", fetch)
    assert 2 == await catalogue.once("b", fetch)
    assert 4 == await catalogue.once("a", fetch)


async def test_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    async with talking([refusal(404), reply(COUNTRIES)]) as (client, server):
        found = await asyncio.gather(
            *(client.catalogue.once("k", client.countries.list) for _ in range(5)),
            return_exceptions=True,
        )
        assert [NotFound] * 5 == [type(failure) for failure in found]
        assert 1 == len(await client.catalogue.once("k", client.countries.list))
    assert 2 == len(server.requests)


async def test_first_caller_that_is_cancelled_does_not_cancel_the_others() -> None:
    catalogue, fetch = Catalogue(), Fetch()
    first, second = (asyncio.create_task(catalogue.once("k", fetch)) for _ in range(2))
    await until(lambda: fetch.count == 1)
    first.cancel()
    assert isinstance(await failure_of(first), asyncio.CancelledError)
    fetch.go.set()
    assert 1 == await second
    assert 1 == await catalogue.once("k", fetch)


async def test_failure_that_nobody_waits_for_any_more_leaves_no_warning() -> None:
    catalogue, fetch = Catalogue(), Fetch()
    fetch.failure = LookupError("late")
    caller = asyncio.create_task(catalogue.once("k", fetch))
    await until(lambda: fetch.count == 1)
    caller.cancel()
    await failure_of(caller)
    fetch.go.set()
    await asyncio.sleep(0.01)
    del caller
    catalogue.forget()
    gc.collect()


async def test_closing_the_client_ends_fetches_and_leaves_no_warning() -> None:
    async with talking(Say(then="hang")) as (client, server):
        waiting = asyncio.create_task(client.catalogue.once("k", client.countries.list))
        left = asyncio.create_task(client.catalogue.once("l", client.regions.list))
        await until(lambda: len(server.requests) == 2)
        left.cancel()
        await client.aclose()
        assert isinstance(await failure_of(waiting), ClientClosed)
        assert isinstance(await failure_of(left), asyncio.CancelledError)
    assert [] == [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    gc.collect()


async def test_caller_cancelled_while_the_client_closes_stays_cancelled() -> None:
    async with talking(Say(then="hang")) as (client, server):
        waiting = asyncio.create_task(client.catalogue.once("k", client.countries.list))
        await until(lambda: len(server.requests) == 1)
        closing = asyncio.create_task(client.aclose())
        await asyncio.sleep(0)
        waiting.cancel()
        await closing
        assert isinstance(await failure_of(waiting), asyncio.CancelledError)


async def test_closed_catalogue_fetches_nothing() -> None:
    catalogue, fetch = Catalogue(), Fetch()
    fetch.go.set()
    await catalogue.once("k", fetch)
    await catalogue.aclose()
    with pytest.raises(ClientClosed):
        await catalogue.once("k", fetch)
    assert 1 == fetch.count

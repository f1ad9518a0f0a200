"""The rate limit: never exceeded, never wasted, shared, fair, and soon over a cancelled waiter."""

import asyncio
import contextlib
import gc
import itertools
import math
import random
import threading
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from client.servers import (
    COUNTRIES,
    Say,
    Seen,
    Server,
    client_of,
    failure_of,
    in_thread,
    refusal,
    reply,
    talking,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until

from didww_async import InvalidInput, NotSent, RateLimit, RateLimited, Timeouts
from didww_async.transport.throttle import CALM, LATEST, MARGIN, Slot, SlotLog


def grants_of(log: SlotLog, delays: list[float], *, from_time: float = 0.0) -> list[float]:
    """When requests leave that are wanted all at once, each `delay` after it was granted."""
    now = from_time
    held: list[tuple[float, Slot]] = []  # when the granted requests will have left
    left: list[float] = []
    for delay in delays:
        while (wait := log.delay(now)) > 0:
            now = min([now + wait, *(moment for moment, _ in held)])
            for moment, slot in [one for one in held if one[0] <= now]:
                held.remove((moment, slot))
                left.append(moment)
                leave(log, slot, moment)
        held.append((now + delay, taken(log, now)))
    return sorted(left + [moment for moment, _ in held])


def taken(log: SlotLog, now: float) -> Slot:
    slot = Slot()
    assert log.take(slot, now)
    return slot


def leave(log: SlotLog, slot: Slot, now: float) -> None:
    """The request leaves, and is answered so soon that it was not late."""
    log.left(slot, now)
    log.answered(slot, late=0.0)


def most_in_a_window(moments: list[float], window: float) -> int:
    inside: deque[float] = deque()
    most = 0
    for moment in moments:
        inside.append(moment)
        while inside[0] <= moment - window:
            inside.popleft()
        most = max(most, len(inside))
    return most


@settings(deadline=None, max_examples=200)
@given(
    per_second=st.floats(min_value=0.2, max_value=50),
    delays=st.lists(st.floats(min_value=0, max_value=5), max_size=120),
)
def test_no_window_ever_has_more_than_the_limit(per_second: float, delays: list[float]) -> None:
    log = SlotLog(per_second=per_second)
    moments = grants_of(log, delays)
    assert len(delays) == len(moments)
    assert most_in_a_window(moments, log.burst / per_second) <= log.burst


@settings(deadline=None, max_examples=100)
@given(count=st.integers(min_value=1, max_value=200), per_second=st.integers(1, 50))
def test_requests_that_leave_at_once_waste_nothing(count: int, per_second: int) -> None:
    moments = grants_of(SlotLog(per_second=per_second), [0.0] * count)
    full_windows = (count - 1) // per_second
    assert moments[-1] == pytest.approx(full_windows * MARGIN)


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=2, max_size=60))
def test_after_a_refusal_grants_are_spaced_evenly(delays: list[float]) -> None:
    log = SlotLog(per_second=10)
    log.refused(2.0, until=3.0)
    granted = grants_of(log, [0.0] * len(delays))
    assert 3.0 == granted[0]
    gaps = [later - earlier for earlier, later in itertools.pairwise(granted)]
    assert min(gaps) >= log.window / log.burst - 1e-9


def test_a_server_that_allows_less_is_found_out_and_seldom_asked_too_much() -> None:
    log = SlotLog(per_second=20)
    now, granted, refused = 0.0, [-math.inf], 0
    while now < 600:
        now += log.delay(now)
        leave(log, taken(log, now), now)
        if now - granted[-1] < 0.099:  # it allows ten per second, evenly spaced
            refused += 1
            log.refused(now, until=now + 1)
        else:
            granted.append(now)
    assert 0.8 * 10 * 600 <= len(granted)
    assert refused <= 0.01 * len(granted)


def test_refusals_of_requests_that_were_on_their_way_slow_down_once() -> None:
    log = SlotLog(per_second=20)
    for at in (1.0, 1.01, 1.02):
        log.refused(at, until=at + 1)
    assert 2.02 - 1.5 == pytest.approx(log.delay(1.5))
    taken(log, 3.0)
    assert log.window / 20 == pytest.approx(log.delay(3.0))


def test_an_outage_that_answers_429_does_not_slow_what_comes_after_it() -> None:
    log = SlotLog(per_second=20)
    now = 0.0
    while now < 3600:
        now += log.delay(now)
        leave(log, taken(log, now), now)
        log.refused(now, until=now + 1)
    moments = grants_of(log, [0.0] * 120, from_time=now)
    assert moments[-1] - moments[0] < 60


def test_after_calm_half_minutes_the_documented_rate_is_back() -> None:
    log = SlotLog(per_second=20)
    log.refused(0.0, until=0.0)
    for _ in range(3):
        log.refused(1.0, until=1.0)
        log.refused(2.0, until=2.0)
    taken(log, 3.0)
    assert log.delay(3.0) > 1.25 * log.window / 20
    now = 3.0
    for _ in range(20):
        now += CALM
        leave(log, taken(log, now), now)
    assert log.window / 20 == pytest.approx(log.delay(now))


@settings(deadline=None, max_examples=200)
@given(
    per_second=st.floats(min_value=1, max_value=50),
    trips=st.lists(
        st.tuples(st.floats(0, LATEST), st.sampled_from([0.0, 0.0, 0.01, 0.1, 3.0])), max_size=150
    ),
)
def test_requests_that_arrive_late_do_not_break_the_limit_at_the_server(
    per_second: float, trips: list[tuple[float, float]]
) -> None:
    """Each request is up to a quarter of a second late, each answer takes its own time besides."""
    log = SlotLog(per_second=per_second)
    now = 0.0
    arrivals: list[float] = []
    answers: list[tuple[float, Slot, float]] = []  # when, which, how late it seems
    for late, slow in trips:
        while (wait := log.delay(now)) > 0:
            now = min([now + wait, *(when for when, _, _ in answers)])
            for answer in [answer for answer in answers if answer[0] <= now]:
                answers.remove(answer)
                log.answered(answer[1], late=answer[2])
        slot = taken(log, now)
        log.left(slot, now)
        arrivals.append(now + late)
        answers.append((now + 0.05 + late + slow, slot, late + slow))
    assert most_in_a_window(sorted(arrivals), log.server_window - 1e-9) <= log.burst


def test_a_slow_answer_holds_its_slot_for_a_quarter_of_a_second_at_most() -> None:
    log = SlotLog(per_second=1)
    log.left(taken(log, 0.0), 0.0)
    assert 1 + LATEST == log.delay(0.0)
    assert 0.0 == log.delay(1 + LATEST)
    taken(log, 1 + LATEST)


def test_slot_that_was_given_back_can_be_taken_at_once() -> None:
    log = SlotLog(per_second=1)
    slot = taken(log, 0.0)
    assert math.inf == log.delay(0.0)
    log.give_back(slot)
    assert 0.0 == log.delay(0.0)


def test_slot_that_is_free_is_found_behind_others_that_are_held() -> None:
    log = SlotLog(per_second=3)
    for request in [taken(log, 0.0) for _ in range(3)][1:]:
        leave(log, request, 0.0)  # the first one still waits for its connection
    assert not log.take(Slot(), 1.0)
    for _ in range(2):
        taken(log, log.window)
    assert not log.take(Slot(), log.window)


def test_huge_rate_stands_for_no_limit_and_costs_no_memory() -> None:
    limit = RateLimit(1e12)
    assert 0.0 == limit._slots.delay(time.monotonic())
    for now in range(1000):  # requests that get no answer
        limit._slots.left(taken(limit._slots, now), now)
    assert 2 >= len(limit._slots._taken)


def test_slot_that_is_held_for_long_does_not_keep_others_from_being_used_again() -> None:
    slots = RateLimit(1e12)._slots
    taken(slots, 0.0)  # its order is being written into a journal, say
    for now in range(1000):
        leave(slots, taken(slots, now), now)
    assert 4 >= len(slots._taken)


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf, "20", None])
def test_rate_that_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match="rate limit"):
        RateLimit(wrong)


# -- waiting


async def test_turns_come_first_come_first_served() -> None:
    limit = RateLimit(50)
    order: list[int] = []

    async def one(number: int) -> None:
        grant = await limit.acquire()
        order.append(number)
        grant.sent()
        grant.answered("GET x")

    for _ in range(50):
        grant = await limit.acquire()
        grant.sent()
        grant.answered("GET x")
    await asyncio.gather(*(one(number) for number in range(20)))
    assert list(range(20)) == order


async def test_cancelled_waiters_waste_nothing_and_let_others_pass() -> None:
    limit = RateLimit(20)
    grants = [await limit.acquire() for _ in range(20)]
    tasks = [asyncio.create_task(limit.acquire()) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[:5] + tasks[7:8]:
        task.cancel()
    for grant in grants[:4]:
        grant.give_back()
    done = await asyncio.wait_for(asyncio.gather(*tasks[5:7], *tasks[8:]), 1)
    assert 4 == len(done)
    for grant in [*done, *grants[4:]]:
        grant.give_back()
    assert 20 == len([await asyncio.wait_for(limit.acquire(), 1) for _ in range(20)])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["wait", "cancel", "use", "return", "yield"]), max_size=60))
async def test_no_slot_is_ever_lost(steps: list[str]) -> None:
    limit = RateLimit(5, clock=lambda: 0.0)  # time stands still: only given back slots return
    waiting: list[asyncio.Task[Any]] = []
    for step in steps:
        match step:
            case "wait":
                waiting.append(asyncio.create_task(limit.acquire()))
            case "cancel" if waiting:
                task = waiting.pop(random.randrange(len(waiting)))
                if not task.cancel():
                    task.result().give_back()
            case "return":
                for task in [task for task in waiting if task.done()]:
                    task.result().give_back()
                    waiting.remove(task)
            case _:
                await asyncio.sleep(0)
    while waiting:
        await asyncio.sleep(0)
        for task in [task for task in waiting if task.done()]:
            task.result().give_back()
            waiting.remove(task)
    await asyncio.sleep(0)
    grants = [await asyncio.wait_for(limit.acquire(), 1) for _ in range(5)]
    assert 5 == len(grants)
    assert math.inf == limit._slots.delay(0.0)


MOMENT = st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.3, 1.0, 31.0])  # 31: a calm half minute


def at_once(limit: RateLimit) -> Any:
    """What `acquire()` gives to a caller who does not wait; None if it would have to."""
    asking = limit.acquire()
    try:
        asking.send(None)
    except StopIteration as got:
        return got.value
    asking.close()
    return None


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from(["turn", "turn", "sent", "answer", "back", "pause"]), MOMENT),
        max_size=60,
    )
)
async def test_turn_that_is_taken_is_the_one_that_would_be_waited_for(
    steps: list[tuple[str, float]],
) -> None:
    now = 0.0
    taken, acquired = (RateLimit(3, clock=lambda: now) for _ in range(2))
    grants: list[tuple[Any, Any]] = []
    for step, passes in steps:
        now += passes
        match step:
            case "turn":
                pair = taken.take(), at_once(acquired)
                assert (pair[0] is None) == (pair[1] is None)
                grants += [pair] if pair[0] else []
            case "sent" if grants:
                for grant in grants[-1]:
                    grant.sent()
            case "answer" if grants:
                for grant in grants.pop(0):
                    grant.sent()
                    grant.answered("GET x")
            case "back" if grants:
                for grant in grants.pop():
                    grant.give_back()
            case "pause":
                for limit in (taken, acquired):
                    limit.pause(passes)
        assert acquired._slots.delay(now) == taken._slots.delay(now)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(["wait", "take", "cancel", "back", "yield"]), max_size=60))
async def test_a_turn_is_never_taken_before_those_who_wait(steps: list[str]) -> None:
    limit = RateLimit(3, clock=lambda: 0.0)  # time stands still: only given back slots return
    queue: list[int] = []
    tasks: list[asyncio.Task[None]] = []
    grants: list[Any] = []

    async def one(number: int) -> None:
        queue.append(number)
        try:
            grants.append(await limit.acquire())
            assert number == queue[0]
        finally:
            queue.remove(number)

    for number, step in enumerate(steps):
        match step:
            case "wait":
                tasks.append(asyncio.create_task(one(number)))
            case "take":
                if grant := limit.take():
                    assert [] == queue
                    grants.append(grant)
            case "cancel" if tasks:
                tasks[len(tasks) // 2].cancel()
            case "back" if grants:
                grants.pop().give_back()
            case _:
                await asyncio.sleep(0)
        assert len(grants) <= 3
    while not all(task.done() for task in tasks):
        if grants:
            grants.pop().give_back()
        await asyncio.sleep(0)
    for task in tasks:
        assert task.cancelled() or task.exception() is None
    for grant in grants:
        grant.give_back()
    await asyncio.sleep(0)
    assert [True, True, True, False] == [limit.take() is not None for _ in range(4)]


async def test_grant_is_used_up_once() -> None:
    limit = RateLimit(1, clock=lambda: 0.0)
    grant = await limit.acquire()
    grant.sent()
    grant.sent()
    grant.give_back()
    assert LATEST + limit._slots.server_window == limit._slots.delay(0.0)
    grant.answered("GET x")
    grant.answered("GET x")
    assert limit._slots.window == limit._slots.delay(0.0)


def test_waiters_of_a_loop_that_died_do_not_block_the_living() -> None:
    limit = RateLimit(1)

    async def take_and_leave_a_waiter() -> Any:
        grant = await limit.acquire()
        asyncio.get_running_loop().stuck = asyncio.ensure_future(limit.acquire())  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        return grant

    loop = asyncio.new_event_loop()
    grant = loop.run_until_complete(take_and_leave_a_waiter())
    waiter = limit._waiting[0]
    loop.close()

    async def living() -> None:
        later = asyncio.create_task(limit.acquire())
        await asyncio.sleep(0)
        grant.give_back()
        await asyncio.wait_for(later, 1)

    asyncio.run(living())
    assert waiter not in limit._waiting
    stuck = loop.stuck  # type: ignore[attr-defined]
    stuck._log_destroy_pending = False
    with contextlib.suppress(RuntimeError):
        stuck.get_coro().close()


# -- in a client


async def test_slots_return_after_success_failure_and_cancellation() -> None:
    answers = [reply(COUNTRIES), refusal(404), Say(then="close"), Say(then="hang")]
    async with talking(answers, rate_limit=RateLimit(4, clock=lambda: 0.0)) as (client, server):
        await client.countries.list()
        await failure_of(client.countries.list())
        await failure_of(client.countries.list())
        task = asyncio.create_task(client.countries.list())
        await until(lambda: len(server.requests) == 4)
        task.cancel()
        await failure_of(task)
        slots = client.rate_limit._slots
        assert (0, 4) == (slots._never_used, len(slots._taken))
        assert slots.window == slots.delay(0.0)  # all of them left, and return in a window


async def test_request_that_was_not_sent_costs_nothing() -> None:
    limit = RateLimit(1, clock=lambda: 0.0)
    async with client_of("http://127.0.0.1:1/v3", rate_limit=limit) as client:
        for _ in range(3):
            assert isinstance(await failure_of(client.countries.list()), NotSent)
    assert 0.0 == limit._slots.delay(0.0)


async def test_auth_that_fails_costs_nothing() -> None:
    class Broken:
        async def headers(self) -> dict[str, str]:
            raise LookupError("no token")

    limit = RateLimit(1, clock=lambda: 0.0)
    options = {"api_key": Broken(), "rate_limit": limit, "max_connections": 1}
    async with talking(reply(COUNTRIES), **options) as (client, server):
        for _ in range(3):
            assert isinstance(await failure_of(client.countries.list()), LookupError)
    assert 0.0 == limit._slots.delay(0.0)
    assert [] == server.requests


async def test_every_cancellation_leaves_all_slots_free() -> None:
    timeouts = Timeouts(connect=1, read=1, total=2)
    options = {"rate_limit": RateLimit(3000), "max_connections": 3, "timeouts": timeouts}
    async with talking(reply(COUNTRIES, wait=0.002), **options) as (client, _):
        for _ in range(150):
            task = asyncio.create_task(client.countries.list())
            for _ in range(random.randrange(30)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.sleep(0.05)
        sender = client.countries._channel.sender
        orders, calls = sender._to_order
        assert (3, 8) == (calls._free, orders._free)
        slots = client.rate_limit._slots
        assert slots.burst == slots._never_used + len(slots._taken)
        assert all(math.isfinite(slot.free_at) for slot in slots._taken)
        assert 0 == len(client.rate_limit._waiting)
        await client.countries.list()


async def test_429_pauses_every_client_that_shares_the_limit() -> None:
    limit = RateLimit(1000)
    busy = refusal(429, headers={"Retry-After": "0.3"})
    async with (
        Server([busy, reply(COUNTRIES)]) as server,
        client_of(server, rate_limit=limit) as first,
        client_of(server, rate_limit=limit) as second,
    ):
        assert isinstance(await failure_of(first.countries.list()), RateLimited)
        await asyncio.gather(second.countries.list(), first.countries.list())
    times = [seen.at for seen in server.requests]
    assert times[1] - times[0] >= 0.29


async def test_429_without_retry_after_pauses_for_a_second() -> None:
    limit = RateLimit(1000)
    async with talking(refusal(429), rate_limit=limit) as (client, _):
        await failure_of(client.countries.list())
    assert 0.9 < limit._slots.delay(time.monotonic()) <= 1.0


async def test_borrowed_session_is_limited_as_well() -> None:
    async with (
        Server(reply(COUNTRIES)) as server,
        aiohttp.ClientSession() as session,
        client_of(server, session=session, rate_limit=RateLimit(40)) as client,
    ):
        await asyncio.gather(*(client.countries.list() for _ in range(60)))
    times = [seen.at for seen in server.requests]
    assert most_in_a_window(times, 1.0) <= 40


def test_two_loops_in_two_threads_share_one_limit() -> None:
    limit = RateLimit(40)

    async def read_many(url: str) -> None:
        async with client_of(url, rate_limit=limit) as client:
            await asyncio.gather(*(client.countries.list() for _ in range(35)))

    with in_thread(Server(reply(COUNTRIES))) as server:
        threads = [
            threading.Thread(target=lambda: asyncio.run(read_many(server.url))) for _ in range(2)
        ]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - started
    times = sorted(seen.at for seen in server.requests)
    assert 70 == len(times)
    assert most_in_a_window(times, 1.0) <= 40
    assert took < 2 * MARGIN + 1.0  # 40 at once, 30 one window later, on a machine that may be busy


# -- against a strict server, in real time


class StrictServer(Server):
    """Refuses whatever comes too much in any window, as the strictest reading of the limit does."""

    def __init__(self, *, limit: int, window: float) -> None:
        super().__init__(self._judge)
        self._limit, self._window = limit, window
        self._accepted: deque[float] = deque()
        self.refused = 0

    def _judge(self, seen: Seen) -> Say:
        while self._accepted and self._accepted[0] <= seen.at - self._window:
            self._accepted.popleft()
        if len(self._accepted) >= self._limit:
            self.refused += 1
            return refusal(429)
        self._accepted.append(seen.at)
        return reply(COUNTRIES)


async def test_strict_server_never_has_to_refuse_despite_jitter_and_slow_connects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Five times the documented rate, so that three windows are few seconds; the jitter is not
    # scaled, because the margin that has to swallow it is a part of the window.
    limit, window, calls = 100, 1.0, 320
    slow = random.Random(7)
    connect = aiohttp.TCPConnector.connect

    async def slow_connect(self: Any, *args: Any, **more: Any) -> Any:
        if slow.random() < 0.3:
            await asyncio.sleep(slow.uniform(0, 0.2))
        return await connect(self, *args, **more)

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", slow_connect)
    gc.collect()
    async with (
        StrictServer(limit=limit, window=window) as server,
        jittering(server.url, upto=0.02) as url,
        client_of(url, rate_limit=RateLimit(limit), max_connections=60) as client,
    ):
        started = time.monotonic()
        await asyncio.gather(*(client.countries.list() for _ in range(calls)))
        took = time.monotonic() - started
    assert 0 == server.refused
    assert calls == len(server.requests)
    assert took < 3 * MARGIN + 1.5  # and the rate is used: 100 at once, then 100 per window


@contextlib.asynccontextmanager
async def jittering(url: str, *, upto: float) -> AsyncIterator[str]:
    """A relay in front of a server that delays what passes towards it by up to so many seconds."""
    port = int(url.split(":")[2].split("/", maxsplit=1)[0])
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(
                    pump(reader, there_writer, upto=upto), pump(there_reader, writer, upto=0.0)
                )
            finally:
                for one in (writer, there_writer):
                    one.close()
                    await one.wait_closed()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upto: float
    ) -> None:
        while data := await reader.read(65536):
            await asyncio.sleep(random.uniform(0, upto))
            writer.write(data)
            await writer.drain()
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(relay(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v3"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()

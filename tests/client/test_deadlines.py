"""Deadlines: `Timeouts.total` ends a request, and is never taken for somebody else's cancellation.

What a user's own cancellation, asyncio.timeout() and TaskGroup come to is what it comes to under
the time-outs of the standard library: a model test compares the two in a loop without real time.
"""

import asyncio
import contextlib
import gc
import itertools
import os
import time
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
from client.servers import (
    COUNTRIES,
    ORDER,
    Say,
    Server,
    client_of,
    failure_of,
    in_thread,
    listening,
    refusal,
    reply,
    talking,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until

from didww_async import Client, NotFound, OutcomeUnknown, RetryPolicy, Timeouts, UnreadableReply
from didww_async.resources import DidOrderItem, EncryptedFileCreate, Export, OrderCreate
from didww_async.transport.deadlines import Deadlines

NEW = OrderCreate(items=(DidOrderItem(sku_id="s"),))
HANG = Say(then="hang")
HALF = Say(reply(COUNTRIES).data[:-20], then="hang")
BEAT = 0.3  # seconds: what a busy machine needs to connect and send is well within
FINGERPRINT = f"{'a' * 40}:::{'b' * 40}"
CALLS: dict[str, Callable[[Client], Coroutine[Any, Any, object]]] = {
    "a read": lambda client: client.countries.list(),
    "an order": lambda client: client.orders.create(NEW),
}


def total(seconds: float) -> Timeouts:
    return Timeouts(connect=min(seconds * 0.9, 1), total=seconds)


def stall(seconds: float) -> None:
    """Keep the loop from running: what was due meanwhile happens in one turn of it."""
    time.sleep(seconds)


def me() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None
    return task


# -- against the standard library


class WithoutTime(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            self.now += timeout or 0
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now


Work = tuple[Any, ...]
MOMENTS = st.integers(1, 6)
WORKS = st.recursive(
    st.tuples(st.just("sleep"), MOMENTS),
    lambda inner: st.one_of(
        st.tuples(st.just("limit"), MOMENTS, inner),
        st.tuples(st.just("user's limit"), MOMENTS, inner),
        st.tuples(st.just("then"), inner, inner),
        st.tuples(st.just("at last"), inner, inner),
        st.tuples(st.just("swallow"), inner, inner),
        st.tuples(st.just("turn"), inner),
        st.tuples(st.just("group"), inner, inner),
    ),
    max_leaves=6,
)
Limit = Callable[[float, Callable[[], Awaitable[None]]], Awaitable[None]]


async def theirs(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(seconds):
        await work()


def ours() -> Limit:
    deadlines = Deadlines()

    async def limited(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        deadline = deadlines.begin(seconds)  # as Exchange.send does
        try:
            await work()
        except asyncio.CancelledError:
            if not deadline.end():
                raise
            raise TimeoutError from None
        finally:
            deadline.end()

    return limited


async def done(work: Work, limit: Limit, apart: Iterator[float]) -> None:
    def then(work: Work) -> Awaitable[None]:
        return done(work, limit, apart)

    match work:
        case ("sleep", seconds):
            await asyncio.sleep(seconds)
        case ("limit", seconds, inner):
            await limit(seconds, lambda: then(inner))
        case ("user's limit", seconds, inner):
            await theirs(seconds, lambda: then(inner))
        case ("then", first, second):
            try:
                await then(first)
            except TimeoutError:
                await then(second)
        case ("at last", first, second):
            try:
                await then(first)
            finally:
                await then(second)
        case ("swallow", first, second):
            try:
                await then(first)
            except asyncio.CancelledError:
                await then(second)
        case ("turn", inner):
            try:
                await then(inner)
            except asyncio.CancelledError:
                raise OSError("broke off") from None
        case ("group", inner, other):
            async with asyncio.TaskGroup() as group:
                group.create_task(after(next(apart), then, other))
                await then(inner)


async def after(seconds: float, then: Callable[[Work], Awaitable[None]], work: Work) -> None:
    await asyncio.sleep(seconds)
    await then(work)


def told(error: BaseException | None) -> Any:
    if isinstance(error, BaseExceptionGroup):
        return sorted(str(told(one)) for one in error.exceptions)
    return type(error).__name__


def came_to(work: Work, limit: Limit, cancelled_at: list[int]) -> list[Any]:
    """How and when it ended, and the cancellations that are still asked for then."""

    found: list[Any] = []

    async def run() -> None:
        # Of two tasks that are due in one turn either may run first: none ever are.
        apart = (2.0**-number for number in itertools.count(1))
        error: BaseException | None = None
        try:
            await done(work, limit, apart)
        except BaseException as problem:  # noqa: BLE001 - that is the question
            error = problem
        found.extend([told(error), me().cancelling()])

    async def main() -> list[Any]:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(run())
        for moment in cancelled_at:
            loop.call_at(moment, task.cancel)
        await asyncio.wait([task])
        return [*found, task.cancelled(), loop.time()]

    with asyncio.Runner(loop_factory=WithoutTime) as runner:
        return runner.run(main())


@settings(deadline=None, max_examples=300)
@given(WORKS, st.lists(MOMENTS, max_size=2))
def test_deadline_is_to_its_task_what_a_time_out_of_the_standard_library_is(
    work: Work, cancelled_at: list[int]
) -> None:
    # Cancelled before it ran, a task tells nothing: all moments are after 0.
    assert came_to(work, theirs, cancelled_at) == came_to(work, ours(), cancelled_at)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9)), max_size=12))
def test_every_deadline_is_kept_whatever_the_others_do(calls: list[tuple[int, int, int]]) -> None:
    async def one(limit: Limit, begins: int, seconds: int, takes: int) -> float:
        await asyncio.sleep(begins)
        try:
            await limit(seconds, lambda: asyncio.sleep(takes))
        except TimeoutError:
            assert seconds <= takes
        return asyncio.get_running_loop().time()

    async def main() -> list[float]:
        limit = ours()
        return await asyncio.gather(*(one(limit, *call) for call in calls))

    with asyncio.Runner(loop_factory=WithoutTime) as runner:
        ends = runner.run(main())
    assert [begins + min(seconds, takes) for begins, seconds, takes in calls] == ends


# -- what a user notices


@pytest.mark.parametrize("call", CALLS)
async def test_the_message_says_how_long_was_waited_and_that_it_may_have_been_done(
    call: str,
) -> None:
    async with talking(HANG, timeouts=total(0.1)) as (client, _):
        failure = await failure_of(CALLS[call](client))
    assert isinstance(failure, OutcomeUnknown)
    assert "no answer within 0.1 s" in str(failure)
    assert "may have been carried out" in str(failure)
    assert 0 == me().cancelling()


@pytest.mark.parametrize("answer", [HANG, HALF], ids=["no answer", "half an answer"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("cancelled_after", [0.4 * BEAT, 2 * BEAT])
async def test_cancelled_in_the_turn_in_which_the_time_is_up_it_is_cancelled(
    answer: Say, call: str, cancelled_after: float
) -> None:
    async with talking(answer, timeouts=total(BEAT)) as (client, server):
        task = asyncio.create_task(CALLS[call](client))
        await until(lambda: server.requests)
        asyncio.get_running_loop().call_later(cancelled_after, task.cancel)
        stall(2.5 * BEAT)
        assert isinstance(await failure_of(task), asyncio.CancelledError)
    assert (True, 1) == (task.cancelled(), task.cancelling())


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("users", [0.4 * BEAT, 2 * BEAT])
async def test_the_users_time_out_in_the_same_turn_is_the_users(call: str, users: float) -> None:
    async with talking(HANG, timeouts=total(BEAT)) as (client, server):

        async def stalled() -> None:
            await until(lambda: server.requests)
            stall(2.5 * BEAT)

        stalling = asyncio.create_task(stalled())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(users):
                await CALLS[call](client)
        await stalling
        assert 0 == me().cancelling()
        server.answers = reply(COUNTRIES)
        assert await client.countries.list()


async def test_the_users_time_out_that_ends_first_is_a_time_out_of_the_user() -> None:
    async with talking(HANG, timeouts=total(5)) as (client, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.countries.list()
    assert 0 == me().cancelling()


async def test_the_users_time_out_that_ends_later_is_not_touched() -> None:
    async with talking(HANG, timeouts=total(0.05)) as (client, _), asyncio.timeout(30) as users:
        assert isinstance(await failure_of(client.countries.list()), OutcomeUnknown)
        await asyncio.sleep(0)
    assert not users.expired()


async def test_group_that_fails_in_the_same_turn_fails_with_nothing_else() -> None:
    async def fail_meanwhile(client: Client, server: Server) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(client.countries.list())
            await until(lambda: len(server.requests) == 3)
            asyncio.get_running_loop().call_later(0.4 * BEAT, failing.set_result, None)
            await asyncio.sleep(0)
            stall(2.5 * BEAT)
            await failing
            raise LookupError("the user's")

    failing = asyncio.get_running_loop().create_future()
    async with talking(HANG, timeouts=total(BEAT)) as (client, server):
        failure = await failure_of(fail_meanwhile(client, server))
    assert isinstance(failure, ExceptionGroup)
    kinds = {type(error) for error in failure.exceptions}
    assert LookupError in kinds
    assert kinds <= {LookupError, OutcomeUnknown}


async def test_what_is_sent_while_cleaning_up_after_a_cancellation_has_its_time_as_well() -> None:
    found: list[Any] = []

    async def clean_up(client: Client) -> None:
        try:
            await client.countries.list()
        finally:
            found.append(await failure_of(client.orders.delete("x", timeouts=total(0.1))))
            found.append(me().cancelling())

    async with talking(HANG, timeouts=total(5)) as (client, server):
        task = asyncio.create_task(clean_up(client))
        await until(lambda: server.requests)
        task.cancel()
        assert isinstance(await failure_of(task), asyncio.CancelledError)
    assert isinstance(found[0], OutcomeUnknown)
    assert 1 == found[1]


async def test_answer_that_is_there_when_the_loop_runs_again_is_an_answer_or_unknown() -> None:
    with in_thread(Server(reply(ORDER, status=201, wait=0.05))) as server:
        async with client_of(server, timeouts=total(0.2)) as client:
            for stalls in (0.1, 0.3):  # within the total, and beyond it
                seen = len(server.requests)
                task = asyncio.create_task(client.orders.create(NEW))
                await until(lambda seen=seen: len(server.requests) > seen)
                stall(stalls)
                await asyncio.wait([task])
                assert 0 == task.cancelling()
                assert stalls > 0.2 or "order-1" == task.result().id
                assert isinstance(task.exception(), OutcomeUnknown | None)


async def test_short_totals_are_kept_after_long_ones() -> None:
    ended: list[float] = []

    async def one(client: Client, seconds: float) -> None:
        started = time.monotonic()
        failure = await failure_of(client.countries.list(timeouts=total(seconds)))
        ended.append(seconds)
        assert isinstance(failure, OutcomeUnknown)
        assert time.monotonic() - started >= seconds

    async with talking(HANG) as (client, _):
        longest = asyncio.create_task(client.countries.list(timeouts=total(60)))
        await asyncio.gather(*(one(client, seconds) for seconds in (0.5, 0.1, 0.3, 0.2)))
        assert not longest.done()
        longest.cancel()
        assert isinstance(await failure_of(longest), asyncio.CancelledError)
    assert [0.1, 0.2, 0.3, 0.5] == ended


async def test_attempt_after_one_that_took_too_long_has_the_whole_time_again() -> None:
    answers = [HANG, reply(COUNTRIES, wait=1.5 * BEAT)]
    retry = RetryPolicy.without_waiting()
    async with talking(answers, timeouts=total(2 * BEAT), retry=retry) as (client, server):
        assert await client.countries.list()
    assert 2 == len(server.requests)


@pytest.mark.parametrize("goes_on", [True, False])
async def test_hook_that_takes_the_cancellation_for_its_own_leaves_no_trace_of_it(
    goes_on: bool,
) -> None:
    async def wait(*_: Any) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if not goes_on:
                raise aiohttp.ClientOSError("given up") from None

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(wait)
    options: dict[str, Any] = {"timeouts": total(0.05), "trace_configs": [trace]}
    async with talking(reply(COUNTRIES), **options) as (client, _):
        if goes_on:
            assert await client.countries.list()
        else:
            assert isinstance(await failure_of(client.countries.list()), OutcomeUnknown)
    assert 0 == me().cancelling()


# -- the body


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("status", [200, 404, 500])
async def test_what_came_of_a_body_until_then_is_quoted(pieces: int, status: int) -> None:
    head = f"HTTP/1.1 {status} Said\r\nContent-Length: 1000\r\n\r\n".encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        for number in range(pieces):
            writer.write(f"piece {number}, ".encode())
            await asyncio.sleep(0.01)
        await asyncio.sleep(3600)

    url, timeouts = "http://127.0.0.1:{}/v3", total(0.2)
    async with listening(serve) as port, client_of(url.format(port), timeouts=timeouts) as client:
        failure: Any = await failure_of(client.countries.list())
    assert status == failure.status
    assert "".join(f"piece {number}, " for number in range(pieces)) == failure.body
    assert f"piece {pieces - 1}" in str(failure)
    if status == 200:
        assert (UnreadableReply, True) == (type(failure), failure.cut_off)
        assert "the body broke off (TimeoutError)" in str(failure)
    assert 0 == me().cancelling()


# -- files


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file that no buffer of a socket holds."""
    path = tmp_path / "big.enc"
    path.write_bytes(bytes(30_000_000))
    return path


@attrs.define
class NeverReads:
    """A server that says something, perhaps, and never reads more than the head of a request."""

    says: bytes = b""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.says)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(3600)


def open_files() -> set[str]:
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the folder itself
            found.add(os.readlink(f"/proc/self/fd/{number}"))
    return found


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (b"", OutcomeUnknown),
        (refusal(404).data, NotFound),
        (reply("no such page", status=404).data[:-5], NotFound),
    ],
    ids=["no answer", "an early answer", "half of one"],
)
async def test_upload_that_is_not_taken_ends_and_leaves_nothing_behind(
    big: Path, says: bytes, expected: type[Exception]
) -> None:
    given = EncryptedFileCreate(encryption_fingerprint=FINGERPRINT, file=big)
    async with listening(NeverReads(says)) as port:
        url = f"http://127.0.0.1:{port}/v3"
        async with asyncio.timeout(5), client_of(url) as client:
            before = asyncio.all_tasks()
            failure = await failure_of(client.encrypted_files.create(given, timeouts=total(0.3)))
            assert type(failure) is expected
            assert 0 == me().cancelling()
            await until(lambda: len(asyncio.all_tasks()) <= len(before) + 1)  # the server's
            await until(lambda: str(big) not in open_files())


@pytest.mark.parametrize("cancelled", [False, True])
async def test_download_that_takes_longer_leaves_what_was_there_alone(
    tmp_path: Path, cancelled: bool
) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
        while True:
            writer.write(b"a,b\n")
            await asyncio.sleep(0.005)

    stalls = iter([2 * BEAT])

    def on_progress(_: int, __: int | None) -> None:
        if seconds := next(stalls, None):  # the time is up while, or before, a piece is written
            if cancelled:
                asyncio.get_running_loop().call_later(0.01, task.cancel)
            stall(seconds)

    target = tmp_path / "export.csv"
    target.write_text("what was there")
    async with listening(drip) as port, client_of(f"http://127.0.0.1:{port}/v3") as client:
        export = Export(id="e", url=f"http://127.0.0.1:{port}/file", status="completed")
        task = asyncio.create_task(
            client.exports.download(export, target, on_progress=on_progress, timeouts=total(BEAT))
        )
        failure: Any = await failure_of(task)
    if cancelled:
        assert isinstance(failure, asyncio.CancelledError)
    else:
        assert (UnreadableReply, True) == (type(failure), failure.cut_off)
        assert 0 == task.cancelling()
    assert [target.name] == os.listdir(tmp_path)
    assert "what was there" == target.read_text()


# -- closing, and letting go


@pytest.mark.parametrize("answer", [HANG, HALF], ids=["no answer", "half an answer"])
@pytest.mark.parametrize("borrowed", [True, False])
async def test_closing_the_client_makes_nobody_wait_for_ever(answer: Say, borrowed: bool) -> None:
    async with Server(answer) as server, aiohttp.ClientSession() as session:
        options: dict[str, Any] = {"session": session} if borrowed else {}
        client = client_of(server, timeouts=total(0.2), **options)
        tasks = [asyncio.create_task(client.countries.list()) for _ in range(3)]
        await until(lambda: len(server.requests) == 3)
        await client.aclose()
        done, waiting = await asyncio.wait(tasks, timeout=5)
        assert (3, 0) == (len(done), len(waiting))
        for task in done:  # half an answer may not have arrived yet
            assert isinstance(task.exception(), OutcomeUnknown | UnreadableReply)


@pytest.mark.parametrize("how", ["answered", "refused", "cancelled", "out of time"])
async def test_tasks_that_ended_are_let_go_at_once(how: str) -> None:
    async def forgotten(client: Client, server: Server) -> "weakref.ref[asyncio.Task[Any]]":
        seen = len(server.requests)
        task: asyncio.Task[Any] = asyncio.create_task(client.countries.list())
        await until(lambda: len(server.requests) > seen)
        if how == "cancelled":
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        return weakref.ref(task)

    answers = {"answered": reply(COUNTRIES), "refused": refusal(404)}
    seconds = 0.05 if how == "out of time" else 30
    options: dict[str, Any] = {"timeouts": total(seconds)}
    async with talking(answers.get(how, HANG), **options) as (client, server):
        await forgotten(client, server)  # what is made once
        gc.collect()
        gc.disable()
        try:
            task = await forgotten(client, server)
            await asyncio.sleep(0)
            assert task() is None
        finally:
            gc.enable()

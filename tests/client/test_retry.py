"""Which call is sent again, after how long, and when it is enough."""

import asyncio
import datetime as dt
import email.utils
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import tenacity
from client.servers import (
    COUNTRIES,
    ORDER,
    Say,
    Seen,
    Server,
    client_of,
    document,
    failure_of,
    refusal,
    reply,
    talking,
    thing,
)
from hypothesis import given
from hypothesis import strategies as st
from waiting import until

from didww_async import (
    ApiError,
    BadRequest,
    Client,
    Conflict,
    DidwwError,
    Forbidden,
    InsufficientBalance,
    InvalidInput,
    NoAnswer,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimit,
    RateLimited,
    RetryPolicy,
    ServerFailed,
    Timeouts,
    Unauthorized,
    UnreadableReply,
    ValidationFailed,
)
from didww_async.resources import DidOrderItem, DidReservationCreate, OrderCreate, OrderUpdate
from didww_async.transport.call import Repeat
from didww_async.transport.outcome import retry_after
from didww_async.transport.retry import may_repeat, pause_before

WHERE = {"method": "GET", "url": "http://x/v3/countries"}
NOW = dt.datetime(2026, 3, 18, 12, tzinfo=dt.UTC)


def answered(kind: type[ApiError], status: int, **more: Any) -> ApiError:
    return kind(status=status, **WHERE, **more)


FREELY, ON_PROOF, NEVER = "freely", "if not carried out", "never"
DECISIONS: list[tuple[BaseException, tuple[bool, bool, bool]]] = [
    (answered(RateLimited, 429), (True, True, False)),
    (NotSent(reason="refused", **WHERE), (True, True, False)),
    (OutcomeUnknown(reason="closed", **WHERE), (True, False, False)),
    (answered(ServerFailed, 500), (True, False, False)),
    (answered(ServerFailed, 503), (True, False, False)),
    (answered(UnreadableReply, 200, cut_off=True), (True, False, False)),
    (answered(UnreadableReply, 200), (False, False, False)),
    (answered(UnreadableReply, 307), (False, False, False)),
    (answered(BadRequest, 400), (False, False, False)),
    (answered(InsufficientBalance, 400), (False, False, False)),
    (answered(Unauthorized, 401), (False, False, False)),
    (answered(Forbidden, 403), (False, False, False)),
    (answered(NotFound, 404), (False, False, False)),
    (answered(Conflict, 409), (False, False, False)),
    (answered(ValidationFailed, 422), (False, False, False)),
    (answered(ApiError, 408), (False, False, False)),
    (InvalidInput("no"), (False, False, False)),
    (DidwwError("other"), (False, False, False)),
    (asyncio.CancelledError(), (False, False, False)),
    (KeyboardInterrupt(), (False, False, False)),
    (ValueError("a bug"), (False, False, False)),
]


@pytest.mark.parametrize(
    ("failure", "again"), DECISIONS, ids=[f"{type(found).__name__}" for found, _ in DECISIONS]
)
def test_decision_table(failure: BaseException, again: tuple[bool, bool, bool]) -> None:
    kinds: tuple[Repeat, Repeat, Repeat] = (FREELY, ON_PROOF, NEVER)
    assert again == tuple(may_repeat(failure, repeat=repeat) for repeat in kinds)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("0.5", 0.5),
        ("-5", 0.0),
        ("Wed, 18 Mar 2026 12:00:30 GMT", 30.0),
        ("Wed, 18 Mar 2026 11:59:00 GMT", 0.0),
        ("Wed, 18 Mar 2026 14:00:10 +0200", 10.0),
        ("Wed, 18 Mar 2026 12:00:30 -0000", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2020 00:00:00 +99999999999999", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        (None, None),
    ],
)
def test_retry_after_reads_as(header: str | None, seconds: float | None) -> None:
    assert seconds == retry_after(header, now=NOW)


@given(st.text(max_size=40))
def test_retry_after_never_fails(header: str) -> None:
    found = retry_after(header, now=NOW)
    assert found is None or (found >= 0 and math.isfinite(found))


@given(st.floats(min_value=0, max_value=10**8))
def test_retry_after_reads_every_http_date(seconds: float) -> None:
    header = email.utils.format_datetime(NOW + dt.timedelta(seconds=int(seconds)), usegmt=True)
    assert float(int(seconds)) == retry_after(header, now=NOW)


# -- how long


def test_pause_is_drawn_from_zero_to_a_doubling_limit() -> None:
    drawn: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    policy = RetryPolicy(attempts=8, base=0.25, cap=2.0, draw=draw)
    failure = answered(ServerFailed, 500)
    pauses = [pause_before(policy, failure, attempt=n, elapsed=0) for n in range(1, 9)]
    assert [0.25, 0.5, 1.0, 2.0, 2.0, 2.0, 2.0, None] == pauses
    assert [0.0] * 7 == [low for low, _ in drawn]


def test_server_that_names_a_pause_gets_it() -> None:
    failure = answered(ServerFailed, 503, retry_after=7.0)
    assert 7.0 == pause_before(RetryPolicy(), failure, attempt=1, elapsed=0)
    failure = answered(RateLimited, 429, retry_after=0.0)
    assert 0.0 == pause_before(RetryPolicy(), failure, attempt=1, elapsed=0)


def test_pause_that_would_end_after_the_budget_is_not_begun() -> None:
    policy = RetryPolicy(budget=10.0)
    failure = answered(RateLimited, 429, retry_after=4.0)
    assert 4.0 == pause_before(policy, failure, attempt=1, elapsed=6.0)
    assert None is pause_before(policy, failure, attempt=1, elapsed=6.1)


def test_thousandth_attempt_has_a_pause_too() -> None:
    policy = RetryPolicy(attempts=10_000, budget=math.inf, draw=lambda low, high: high)
    failure = answered(ServerFailed, 500)
    assert policy.cap == pause_before(policy, failure, attempt=9_999, elapsed=0)


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"budget": -1}, {"base": -0.1}, {"cap": -1}, {"budget": math.nan}],
)
def test_policy_refuses_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        RetryPolicy(**wrong)


# -- over real HTTP


def failing(times: int, say: Say, then: Any) -> Callable[[Seen], Say]:
    """Answer `say` so many times, and then well."""
    counted = iter(range(times))
    return lambda seen: say if next(counted, None) is not None else reply(then)


RATE_LIMITED = refusal(429, headers={"Retry-After": "0"}, detail="Too Many Requests")
BROKEN = reply("<html>down</html>", status=503)
RESERVED = document(thing("did_reservations", "r"))
CALLS: list[tuple[str, Callable[[Client], Awaitable[Any]], Any, Repeat]] = [
    ("GET", lambda client: client.countries.list(), COUNTRIES, FREELY),
    (
        "POST",
        lambda client: client.did_reservations.create(DidReservationCreate(available_did="a")),
        RESERVED,
        ON_PROOF,
    ),
    (
        "PATCH",
        lambda client: client.orders.update("o", OrderUpdate(external_reference_id="x")),
        ORDER,
        ON_PROOF,
    ),
    ("DELETE", lambda client: client.did_reservations.delete("r"), None, ON_PROOF),
    (
        "POST order",
        lambda client: client.orders.create(OrderCreate(items=(DidOrderItem(sku_id="s"),))),
        ORDER,
        NEVER,
    ),
]


@pytest.mark.parametrize(
    ("say", "kind"),
    [(RATE_LIMITED, RateLimited), (BROKEN, ServerFailed), (Say(then="close"), OutcomeUnknown)],
    ids=["429", "503", "closed"],
)
@pytest.mark.parametrize(
    ("call", "good", "repeat"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS]
)
async def test_each_method_is_repeated_as_the_table_says(
    call: Callable[[Client], Awaitable[Any]],
    good: Any,
    repeat: Repeat,
    say: Say,
    kind: type[DidwwError],
) -> None:
    if kind is OutcomeUnknown:
        example: DidwwError = OutcomeUnknown(reason="", **WHERE)
    else:
        example = answered(kind, 0)  # type: ignore[arg-type]
    again = may_repeat(example, repeat=repeat)
    policy = RetryPolicy.without_waiting()
    async with talking(failing(2, say, good), retry=policy) as (client, server):
        if again:
            await call(client)
        else:
            assert kind is type(await failure_of(call(client)))
    assert (3 if again else 1) == len(server.requests)


async def test_last_failure_is_raised_after_the_last_attempt() -> None:
    answers = [reply(status=500 + number) for number in range(10)]
    policy = RetryPolicy.without_waiting(attempts=3)
    async with talking(answers, retry=policy) as (client, server):
        failure = await failure_of(client.countries.list())
    assert isinstance(failure, ServerFailed)
    assert 502 == failure.status
    assert 3 == len(server.requests)
    assert (None, None) == (failure.__cause__, failure.__context__)


async def test_failure_that_may_not_be_repeated_ends_the_repeating() -> None:
    answers = [reply(status=500), refusal(404)]
    async with talking(answers, retry=RetryPolicy.without_waiting()) as (client, server):
        failure = await failure_of(client.countries.get("x"))
    assert isinstance(failure, NotFound)
    assert 2 == len(server.requests)
    assert (None, None) == (failure.__cause__, failure.__context__)


async def test_policy_none_never_repeats() -> None:
    async with talking(BROKEN, retry=RetryPolicy.none()) as (client, server):
        assert isinstance(await failure_of(client.countries.list()), ServerFailed)
    assert 1 == len(server.requests)


async def test_call_that_succeeds_at_once_never_enters_tenacity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("tenacity was entered")

    monkeypatch.setattr(tenacity, "AsyncRetrying", refuse)
    async with talking([reply(COUNTRIES), refusal(404)]) as (client, server):
        await client.countries.list()
        assert isinstance(await failure_of(client.countries.get("x")), NotFound)
    assert 2 == len(server.requests)


async def test_pauses_are_those_of_the_policy() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    policy = RetryPolicy(sleep=sleep, draw=lambda low, high: high, base=1.0)
    answers = [BROKEN, reply("", status=503, headers={"Retry-After": "9"}), BROKEN]
    async with talking([*answers, reply(COUNTRIES)], retry=policy) as (client, _):
        await client.countries.list()
    assert [1.0, 9.0, 4.0] == slept


async def test_retry_after_beyond_the_budget_fails_at_once_and_says_when() -> None:
    year = refusal(429, headers={"Retry-After": str(365 * 86400)})
    limit = RateLimit(1000)
    async with talking(year, retry=RetryPolicy(), rate_limit=limit) as (client, server):
        started = time.monotonic()
        failure = await failure_of(client.countries.list())
    assert isinstance(failure, RateLimited)
    assert 365 * 86400 == failure.retry_after
    assert 1 == len(server.requests)
    assert time.monotonic() - started < 5
    # Others are held back for a while, but nobody hangs for a year.
    assert limit._slots.delay(time.monotonic()) <= 60


async def test_waiting_for_the_rate_limit_does_not_use_up_the_budget() -> None:
    answers = failing(1, BROKEN, COUNTRIES)
    policy = RetryPolicy(budget=0.15, base=0.01)
    async with talking(answers, retry=policy, rate_limit=RateLimit(1000)) as (client, server):
        client.rate_limit.pause(0.3)
        await client.countries.list()
    assert 2 == len(server.requests)


async def test_call_cancelled_between_attempts_stays_cancelled() -> None:
    asleep = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.sleep(3600)

    async with talking(BROKEN, retry=RetryPolicy(sleep=sleep)) as (client, server):
        task = asyncio.create_task(client.countries.list())
        await asleep.wait()
        task.cancel()
        assert isinstance(await failure_of(task), asyncio.CancelledError)
    assert 1 == len(server.requests)


async def test_call_cancelled_within_a_second_attempt_stays_cancelled() -> None:
    answers = [BROKEN, Say(then="hang")]
    async with talking(answers, retry=RetryPolicy.without_waiting()) as (client, server):
        task = asyncio.create_task(client.countries.list())
        await until(lambda: len(server.requests) == 2)
        task.cancel()
        failure = await failure_of(task)
    assert isinstance(failure, asyncio.CancelledError)
    assert 2 == len(server.requests)


async def test_timeout_of_the_caller_ends_the_repeating() -> None:
    policy = RetryPolicy(attempts=1000, base=0.01, cap=0.01)
    async with talking(BROKEN, retry=policy) as (client, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.countries.list()


async def test_repeated_read_after_a_time_out_gets_the_later_answer() -> None:
    timeouts = Timeouts(connect=0.1, read=0.1, total=0.3)
    answers = [Say(then="hang"), reply(COUNTRIES)]
    policy = RetryPolicy.without_waiting()
    async with talking(answers, retry=policy, timeouts=timeouts) as (client, server):
        assert 1 == len(await client.countries.list())
    assert 2 == len(server.requests)


@pytest.mark.parametrize("end", ["dropped", "refused"])
async def test_failure_that_is_kept_keeps_nothing_of_the_request(end: str) -> None:
    """Batches keep failures by the thousand, and what they lead to holds the key."""
    async with Server(Say(then="close")) as server:
        url = server.url if end == "dropped" else "http://127.0.0.1:1/v3"
        async with client_of(url, retry=RetryPolicy.none()) as client:
            failure = await failure_of(client.countries.list())
    assert isinstance(failure, NoAnswer)
    trace = failure.__traceback__
    found: list[object] = []
    while trace is not None:
        if not trace.tb_frame.f_globals["__name__"].startswith("client."):
            found += trace.tb_frame.f_locals.values()
        trace = trace.tb_next
    assert found
    assert not [one for one in found if type(one).__module__.startswith("aiohttp")]
    for one in found:
        for name in getattr(type(one), "__slots__", ()):
            assert not isinstance(getattr(one, name, None), aiohttp.ClientError)

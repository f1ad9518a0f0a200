"""What somebody who holds a Client notices: making one, sharing it, closing it, its errors."""

import asyncio
import copy
import gc
import logging
import pickle
import time
import traceback
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import attrs
import pytest
from client.servers import (
    COUNTRIES,
    KEY,
    ORDER,
    Say,
    Seen,
    Server,
    chain,
    client_of,
    document,
    failure_of,
    in_thread,
    listening,
    refusal,
    reply,
    talking,
    thing,
)
from waiting import until
from yarl import URL

import didww_async
from didww_async import (
    ApiKey,
    AttemptRecord,
    Client,
    ClientClosed,
    DidwwError,
    ErrorObject,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    NotInThisVersion,
    NotSent,
    OutcomeUnknown,
    Page,
    RateLimit,
    RetryPolicy,
    ServerFailed,
    Timeouts,
    Unauthorized,
    UnreadableReply,
)
from didww_async.resources import (
    AddressUpdate,
    Did,
    DidOrderItem,
    DidUpdate,
    OrderCreate,
    VoiceInTrunkUpdate,
    VoiceOutTrunkUpdate,
)

NEW = OrderCreate(items=(DidOrderItem(sku_id="s"),))

# -- making one


def test_environment_is_never_guessed() -> None:
    with pytest.raises(InvalidInput, match="environment"):
        Client(api_key=KEY)


@pytest.mark.parametrize(
    ("environment", "origin"),
    [
        ("production", "https://api.didww.com/v3"),
        ("sandbox", "https://sandbox-api.didww.com/v3"),
    ],
)
def test_environment_decides_the_origin(environment: Any, origin: str) -> None:
    assert origin == Client(api_key=KEY, environment=environment).origin


def test_base_url_replaces_the_environment() -> None:
    for base_url in (
        "http://localhost:1/v3",
        "http://localhost:1/v3/",
        URL("http://localhost:1/v3"),
    ):
        client = Client(api_key=KEY, environment="production", base_url=base_url)
        assert "http://localhost:1/v3" == client.origin


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"environment": "prod"}, "production or sandbox"),
        ({"environment": "prod", "base_url": "http://localhost/v3"}, "production or sandbox"),
        ({"base_url": "ftp://host/v3"}, "base_url"),
        ({"base_url": "localhost:80/v3"}, "base_url"),
        ({"base_url": ""}, "base_url"),
        ({"base_url": "http://user:hunter22@host/v3"}, "no credentials"),
        ({"base_url": "http://user@host/v3"}, "no credentials"),
        ({"base_url": "http://us:hunter22\u2100@host/v3"}, "no URL"),
        ({"base_url": "http://us:hunter22@host:99999/v3"}, "no URL"),
        ({"base_url": "http://host/v3?x=1"}, "query"),
        ({"base_url": "http://ho st/v3"}, "base_url must be"),
        ({"base_url": "http://host/v3\n"}, "base_url must be"),
        ({"base_url": f"http://{'a' * 64}/v3"}, "no URL"),
        ({"base_url": "http://host/v3#x"}, "fragment"),
        ({"environment": "sandbox", "api_version": "1999-01-01"}, "1999-01-01"),
        ({"environment": "sandbox", "max_connections": 0}, "at least 1"),
        ({"environment": "sandbox", "max_orders_in_flight": 0}, "at least 1"),
        (
            {"environment": "sandbox", "max_orders_in_flight": 1.5},
            "max_orders_in_flight is a whole",
        ),
        ({"environment": "sandbox", "max_connections": "3"}, "max_connections is a whole number"),
        ({"environment": "sandbox", "account": ""}, "account is a label"),
        ({"environment": "sandbox", "timeouts": 30}, r"timeouts is a Timeouts\(...\), not 30"),
        ({"environment": "sandbox", "retry": 3}, "retry is a RetryPolicy"),
        ({"environment": "sandbox", "rate_limit": 20}, "rate_limit is a RateLimit"),
        ({"environment": "sandbox", "rate_limit": 0}, "rate_limit is a RateLimit"),
        ({"environment": "sandbox", "rate_limit": ""}, "not str"),
        ({"environment": "sandbox", "rate_limit": asyncio.Semaphore()}, "not Semaphore"),
        ({"environment": "sandbox", "rate_limit": "redis://:hunter22@host"}, "not str"),
        ({"environment": "sandbox", "on_attempt": 5}, "on_attempt is a function"),
    ],
)
def test_argument_that_can_not_be_right_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        Client(api_key=KEY, **options)
    assert "hunter22" not in "".join(traceback.format_exception(caught.value))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "two words", "tab\tbed", "line\n", "nön-ascii", "\x00"])
def test_key_that_can_not_travel_in_a_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Client(api_key=key, environment="sandbox")
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize("key", [None, b"bytes", 5, object()])
def test_key_that_is_no_text_is_refused(key: Any) -> None:
    with pytest.raises(InvalidInput, match="api_key"):
        Client(api_key=key, environment="sandbox")


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        ({"DIDWW_ENVIRONMENT": "sandbox"}, "https://sandbox-api.didww.com/v3"),
        ({"DIDWW_ENVIRONMENT": "production"}, "https://api.didww.com/v3"),
        ({"DIDWW_BASE_URL": "http://localhost:9/v3"}, "http://localhost:9/v3"),
        (
            {"DIDWW_BASE_URL": "http://localhost:9/v3", "DIDWW_ENVIRONMENT": "sandbox"},
            "http://localhost:9/v3",
        ),
        (
            {"DIDWW_BASE_URL": "", "DIDWW_ENVIRONMENT": "sandbox"},
            "https://sandbox-api.didww.com/v3",
        ),
    ],
)
def test_from_env_reads_the_environment(environ: dict[str, str], origin: str) -> None:
    assert origin == Client.from_env(environ={"DIDWW_API_KEY": KEY, **environ}).origin


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, "DIDWW_API_KEY"),
        ({"DIDWW_API_KEY": ""}, "DIDWW_API_KEY"),
        ({"DIDWW_API_KEY": "line\n", "DIDWW_ENVIRONMENT": "sandbox"}, "DIDWW_API_KEY"),
        ({"DIDWW_API_KEY": KEY}, "DIDWW_ENVIRONMENT"),
        ({"DIDWW_API_KEY": KEY, "DIDWW_ENVIRONMENT": "prod"}, "DIDWW_ENVIRONMENT"),
        ({"DIDWW_API_KEY": KEY, "DIDWW_BASE_URL": "localhost"}, "DIDWW_BASE_URL"),
    ],
)
def test_from_env_names_the_variable(environ: dict[str, str], names: str) -> None:
    with pytest.raises(InvalidInput, match=names) as caught:
        Client.from_env(environ=environ)
    assert KEY not in str(caught.value)


def test_from_env_uses_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIDWW_API_KEY", KEY)
    monkeypatch.setenv("DIDWW_ENVIRONMENT", "sandbox")
    monkeypatch.delenv("DIDWW_BASE_URL", raising=False)
    assert "https://sandbox-api.didww.com/v3" == Client.from_env().origin


@pytest.mark.parametrize(
    "wrong",
    [
        {"connect": 0},
        {"read": -1},
        {"total": float("nan")},
        {"connect": 60.0, "total": 60.0},
        {"connect": 61.0},
    ],
)
def test_time_outs_that_would_blur_not_sent_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        Timeouts(**wrong)


def test_public_names_are_all_there() -> None:
    assert set(didww_async.__all__) <= set(dir(didww_async))
    assert len(set(didww_async.__all__)) == len(didww_async.__all__)


# -- several clients, sessions, loops


async def test_clients_with_different_keys_and_versions_do_not_mix() -> None:
    async with (
        Server(reply(COUNTRIES)) as server,
        client_of(server, api_key="key-number-one", api_version="2022-05-10") as one,
        client_of(server, api_key="key-number-two") as two,
    ):
        await asyncio.gather(*(client.countries.list() for client in (one, two) * 10))
    assert {("key-number-one", "2022-05-10"), ("key-number-two", "2026-04-16")} == {
        (seen.headers["api-key"], seen.headers["x-didww-api-version"]) for seen in server.requests
    }


async def test_borrowed_session_is_used_and_not_closed() -> None:
    async with Server(reply(COUNTRIES)) as server, aiohttp.ClientSession() as session:
        for _ in range(2):
            async with client_of(server, session=session) as client:
                await client.countries.list()
        assert not session.closed
    assert 1 == server.connections


async def test_closed_borrowed_session_is_named() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    async with client_of("http://127.0.0.1:1/v3", session=session) as client:
        with pytest.raises(ClientClosed, match="session"):
            await client.countries.list()


async def test_borrowed_session_brings_its_own_tracing() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(InvalidInput, match="trace_configs"):
            client_of("http://x/v3", session=session, trace_configs=[aiohttp.TraceConfig()])


def test_two_loops_one_after_the_other_each_with_a_client() -> None:
    async def read(url: str) -> str:
        async with client_of(url) as client:
            return (await client.countries.list())[0].id

    with in_thread(Server(reply(COUNTRIES))) as server:
        assert ["us", "us"] == [asyncio.run(read(server.url)) for _ in range(2)]


def test_client_of_a_past_loop_says_so() -> None:
    async def read(client: Client) -> None:
        await client.countries.list()

    async def close(client: Client) -> None:
        await client.aclose()

    with in_thread(Server(reply(COUNTRIES))) as server:
        client = client_of(server)
        with asyncio.Runner() as first, asyncio.Runner() as second:
            first.run(read(client))
            with pytest.raises(ClientClosed, match="another event loop"):
                second.run(read(client))
            first.run(close(client))


async def test_closed_client_refuses_at_once() -> None:
    limit = RateLimit(1)
    async with talking(reply(COUNTRIES), rate_limit=limit) as (client, server):
        grant = await limit.acquire()
        await client.aclose()
        for work in (
            client.countries.list(),
            client.orders.create(NEW),
            client.orders.prepare(NEW).__aenter__(),
            client.run_to_completion(asyncio.sleep(0)),
            client.catalogue.once("x", lambda: asyncio.sleep(0)),
        ):
            async with asyncio.timeout(0.5):
                assert isinstance(await failure_of(work), ClientClosed)
        grant.give_back()
    assert [] == server.requests


async def test_closed_client_takes_no_turn_from_those_who_share_its_limit() -> None:
    limit = RateLimit(1000, clock=lambda: 0.0)
    limit.pause(0)  # from now on turns are spaced: one that is taken makes others wait
    async with talking(reply(COUNTRIES), rate_limit=limit) as (client, _):
        await client.aclose()
        assert isinstance(await failure_of(client.countries.list()), ClientClosed)
    assert limit.take() is not None


async def test_closing_twice_is_harmless() -> None:
    async with talking(reply(COUNTRIES)) as (client, _):
        await client.countries.list()
        await client.aclose()


async def test_calls_that_wait_when_the_client_closes_end_with_client_closed() -> None:
    async with talking(Say(then="hang"), max_connections=1) as (client, server):
        tasks = [asyncio.create_task(client.countries.list()) for _ in range(3)]
        await until(lambda: len(server.requests) == 1)
        await client.aclose()
        failures = await asyncio.gather(*tasks, return_exceptions=True)
    assert [OutcomeUnknown, ClientClosed, ClientClosed] == [type(found) for found in failures]


async def test_view_of_another_version_shares_everything_else() -> None:
    async with talking(reply(COUNTRIES)) as (client, server):
        old = client.at_version("2022-05-10")
        await old.countries.list()
        await client.countries.list()
        assert ["2022-05-10", "2026-04-16"] == [
            seen.headers["x-didww-api-version"] for seen in server.requests
        ]
        assert 1 == server.connections
        assert client.catalogue is old.catalogue
        assert client.state is old.state
        assert client.rate_limit is old.rate_limit
        assert ("2022-05-10", "2026-04-16") == (old.api_version, client.api_version)
        with pytest.raises(NotInThisVersion, match="external_reference_id"):
            await old.orders.list(filter={"external_reference_id": "x"})
        with pytest.raises(InvalidInput, match="2031"):
            client.at_version("2031-01-01")


@pytest.mark.parametrize("closes", ["client", "view"])
async def test_closing_a_view_or_its_client_closes_both(closes: str) -> None:
    async with talking(reply(COUNTRIES)) as (client, _):
        view = client.at_version("2022-05-10")
        await (client if closes == "client" else view).aclose()
        for one in (client, view):
            assert isinstance(await failure_of(one.countries.list()), ClientClosed)
            work = asyncio.sleep(0)
            assert isinstance(await failure_of(one.run_to_completion(work)), ClientClosed)


# -- work that must not be torn apart


async def test_closing_waits_for_owned_work_whose_caller_was_cancelled() -> None:
    done: list[str] = []
    async with talking(reply(ORDER, status=201, wait=0.05)) as (client, server):

        async def place() -> None:
            await client.orders.create(NEW)
            done.append("journalled")

        caller = asyncio.create_task(client.run_to_completion(place()))
        await until(lambda: len(server.requests) == 1)
        caller.cancel()
        assert isinstance(await failure_of(caller), asyncio.CancelledError)
        assert [] == done
    assert ["journalled"] == done


async def test_owned_work_that_fails_after_its_caller_left_leaves_no_warning() -> None:
    async with talking(Say(then="close", wait=0.02)) as (client, server):
        caller = asyncio.create_task(client.run_to_completion(client.countries.list()))
        await until(lambda: len(server.requests) == 1)
        caller.cancel()
        await failure_of(caller)
    gc.collect()


async def test_owned_work_raises_in_its_caller() -> None:
    async with talking(refusal(404)) as (client, _):
        assert isinstance(
            await failure_of(client.run_to_completion(client.countries.get("x"))), NotFound
        )


# -- many tasks


async def test_page_without_meta_and_links_is_pickled_and_copied() -> None:
    body = b'{"data": [{"type": "countries", "id": "1", "attributes": {"iso": "US"}}]}'
    async with talking(reply(body)) as (client, _):
        page = await client.countries.list()
    for same in (pickle.loads(pickle.dumps(page)), copy.deepcopy(page)):  # noqa: S301 - our own
        assert list(page) == list(same)
        assert ({}, {}) == (same.meta, same.links)


async def test_page_that_was_read_is_a_frozen_page_like_one_that_is_made() -> None:
    async with talking(reply(COUNTRIES)) as (client, _):
        page, other = await client.countries.list(), await client.countries.list()
    assert Page is type(page)
    assert list(page) == list(copy.copy(page)) == list(reversed(page)) == [page[-1]]
    assert 2 == len({page, other, page})
    assert page is weakref.ref(page)()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        page.items = ()  # type: ignore[misc]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del page.meta  # type: ignore[misc]


async def test_filter_values_arrive_as_they_were_given() -> None:
    characters = [chr(code) for code in [*range(1, 256), 0x2028, 0x1F4DE]]
    async with talking(reply(COUNTRIES)) as (client, server):
        for value in [*characters, "A&B=C", "100%25", "a;b", "x#y", "+1 (212)", "a=1&sort=name"]:
            await client.countries.list(filter={"name": value, "iso": "US"})
            expected = {"filter[name]": value, "filter[iso]": "US"}
            assert expected == dict(server.requests[-1].query)


async def test_two_thousand_tasks_share_one_client() -> None:
    def answer(seen: Seen) -> Say:
        return reply(document([thing("cities", dict(seen.query)["filter[name]"])]))

    async with talking(answer, max_connections=24) as (client, server):
        found = await asyncio.gather(
            *(client.cities.list(filter={"name": f"n{number}"}) for number in range(2000))
        )
    assert [f"n{number}" for number in range(2000)] == [page[0].id for page in found]
    assert server.connections <= 24


async def test_cancelled_tasks_harm_no_others() -> None:
    def answer(seen: Seen) -> Say:
        name = dict(seen.query)["filter[name]"]
        return reply(document([thing("cities", name)]), wait=0.002)

    async with talking(answer, max_connections=5) as (client, _):
        tasks = [
            asyncio.create_task(client.cities.list(filter={"name": f"n{number}"}))
            for number in range(300)
        ]
        await asyncio.sleep(0.02)
        for task in tasks[::3]:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
    for number, page in enumerate(found):
        if number % 3:
            assert not isinstance(page, BaseException)
            assert f"n{number}" == page[0].id


# -- time-outs


async def timed(work: Awaitable[object]) -> tuple[BaseException, float]:
    started = time.monotonic()
    failure = await failure_of(work)
    return failure, time.monotonic() - started


DRIP = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_read_time_out_reaches_the_wire() -> None:
    timeouts = Timeouts(connect=0.1, read=0.2, total=5)
    async with talking(Say(then="hang"), timeouts=timeouts) as (client, _):
        failure, took = await timed(client.countries.list())
    assert isinstance(failure, OutcomeUnknown)
    assert 0.15 < took < 1.0


async def test_total_time_out_reaches_the_wire() -> None:
    timeouts = Timeouts(connect=0.1, read=5, total=0.2)
    async with talking(Say(then="hang"), timeouts=timeouts) as (client, _):
        failure, took = await timed(client.countries.list())
    assert isinstance(failure, OutcomeUnknown)
    assert 0.15 < took < 1.0


async def test_time_outs_can_be_given_per_call() -> None:
    short = Timeouts(connect=0.1, read=0.2, total=0.3)
    async with talking(Say(then="hang")) as (client, server):
        works: list[Awaitable[object]] = [
            client.countries.list(timeouts=short),
            client.countries.get("x", timeouts=short),
            client.countries.first(timeouts=short),
            anext(client.cities.iterate(timeouts=short)),
            client.balance.get(timeouts=short),
            client.orders.create(NEW, timeouts=short),
            client.orders.delete("x", timeouts=short),
        ]
        found = await asyncio.gather(*(timed(work) for work in works))
    assert 7 == len(server.requests)
    for failure, took in found:
        assert isinstance(failure, OutcomeUnknown)
        assert took < 1.0


async def test_body_without_end_is_ended_by_the_total() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(DRIP)
        while True:
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    timeouts = Timeouts(connect=0.1, read=0.2, total=0.3)
    url = "http://127.0.0.1:{}/v3"
    async with listening(drip) as port, client_of(url.format(port), timeouts=timeouts) as client:
        failure, took = await timed(client.countries.list())
    assert isinstance(failure, UnreadableReply)
    assert (200, True) == (failure.status, failure.cut_off)
    assert took < 1.0


# -- what servers answer


@pytest.mark.parametrize(
    "body",
    [
        "garbage",
        "<html><body>Welcome</body></html>",
        b"\x00" * 1000,
        "{}",
        '{"data": 5}',
        "[]",
        "",
        "x" * 10_000_000,
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_answer_that_is_no_document_is_unreadable_and_short_to_tell(body: Any) -> None:
    async with talking(reply(body, headers={"X-Request-Id": "req-1"})) as (client, server):
        failure = await failure_of(client.countries.list())
    assert isinstance(failure, UnreadableReply)
    assert (200, "req-1", False) == (failure.status, failure.request_id, failure.cut_off)
    assert len(str(failure)) < 1500
    assert f"GET {server.url}/countries -> 200" in str(failure)


async def test_ten_megabytes_of_document_are_read() -> None:
    data = [thing("cities", str(number), name="x" * 1000) for number in range(10_000)]
    async with talking(reply(document(data))) as (client, _):
        assert 10_000 == len(await client.cities.list())


async def test_body_beyond_all_bounds_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("didww_async.transport.exchange.MAX_BODY", 100_000)
    monkeypatch.setattr("didww_async.transport.sender.MAX_BODY", 100_000)
    endless = Say(reply("").data.replace(b"Content-Length: 0", b"Content-Length: 9999999999"))
    flood = Say(endless.data + b"{" * 1_000_000, then="hang")
    error = Say(flood.data.replace(b"200 Said", b"404 Said"), then="hang")
    async with talking([flood, error]) as (client, _):
        failure = await failure_of(client.countries.list())
        refused = await failure_of(client.countries.list())
    assert isinstance(failure, UnreadableReply)
    assert "longer than 100000 bytes" in str(failure)
    assert isinstance(refused, NotFound)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_key_never_travels_along_a_redirect(status: int) -> None:
    async with Server(reply(COUNTRIES)) as elsewhere:
        away = reply(status=status, headers={"Location": f"{elsewhere.url}/countries"})
        async with talking(away) as (client, _):
            failure = await failure_of(client.countries.list())
    assert isinstance(failure, UnreadableReply)
    assert status == failure.status
    assert [] == elsewhere.requests


async def test_served_version_is_compared_and_warned_about_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = reply(document([], api_version="2022-05-10\nx"))
    async with talking(served) as (client, _):
        with caplog.at_level(logging.WARNING, logger="didww_async"):
            for _ in range(5):
                await client.countries.list()
    (record,) = caplog.records
    assert "asked for API version 2026-04-16, served '2022-05-10\\nx'" in record.getMessage()


async def test_server_that_names_no_version_is_not_warned_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with talking(reply({"data": [], "meta": {"api_version": None}})) as (client, _):
        with caplog.at_level(logging.WARNING, logger="didww_async"):
            await client.countries.list()
    assert [] == caplog.records


# -- the key stays where it is


FAULTS: dict[str, Say] = {
    "401": refusal(401, detail="bad key"),
    "echo in JSON": refusal(401, title=f"Key {KEY} is not known", detail=f"no {KEY}", code=KEY),
    "echo in HTML": reply(f"<pre>{'x' * 180}Api-Key: {KEY}</pre>", status=502),
    "echo in garbage": Say(f"{KEY} {KEY}\r\n\r\n".encode(), "close"),
    "echo in a bad status line": Say(f"HTTP/1.1 {KEY}\r\n\r\n".encode(), "close"),
    "echo in no document": reply(f"{'x' * 190}{KEY}"),
    "echo in half a body": Say(reply(f"{KEY}{KEY}").data[:-3], "close"),
    "closed": Say(then="close"),
    "half": Say(reply(COUNTRIES).data[:-9], "close"),
    "hang": Say(then="hang"),
    "garbage": Say(b"\x00\r\n\r\n", "close"),
}


@pytest.mark.parametrize("say", FAULTS.values(), ids=FAULTS)
async def test_key_never_shows_in_an_error_or_a_log(
    say: Say, caplog: pytest.LogCaptureFixture
) -> None:
    records: list[AttemptRecord] = []
    timeouts = Timeouts(connect=0.1, read=0.15, total=0.3)
    options = {"timeouts": timeouts, "on_attempt": records.append}
    policy = RetryPolicy.without_waiting(attempts=2)
    with caplog.at_level(logging.DEBUG):
        async with talking(say, retry=policy, **options) as (client, _):
            for work in (client.countries.list(), client.orders.create(NEW)):
                failure = await failure_of(work)
                assert isinstance(failure, DidwwError)
                _check_hidden(failure)
    assert records
    assert KEY not in repr(records)
    assert KEY not in caplog.text
    assert KEY not in repr(client)
    assert KEY not in repr(vars(client))


async def test_the_key_does_not_show_where_a_refusal_writes_it_with_escapes() -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    body = f'{{"errors": [{{"detail": "no {escaped}", "meta": {{"{escaped}": ["{escaped}"]}}}}]}}'
    async with talking(reply(body, status=422)) as (client, _):
        failure: Any = await failure_of(client.countries.list())
    assert "(hidden)" in str(failure)
    assert KEY not in str(failure) + repr(failure.errors)


@pytest.mark.parametrize(
    "body",
    [
        '{"data": {"id": "1", "attributes": {"username": "tr1nk", "password": "tr1nk\\"tr1nk',
        '{"data": {"type": "other", "id": "1", "attributes": {"incoming_auth_password": "tr1nk"}}}',
    ],
)
async def test_passwords_of_trunks_do_not_show_where_a_body_is_quoted(body: str) -> None:
    no_chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body.encode() + b"\r\n"
    for say in (reply(body), reply(body, status=502), Say(no_chunks, "close")):
        async with talking(say) as (client, _):
            failure = await failure_of(client.voice_out_trunks.get("1"))
        assert "(hidden)" in str(failure) or isinstance(failure, OutcomeUnknown)
        assert "tr1nk" not in "".join(str(found) + repr(vars(found)) for found in chain(failure))


def _check_hidden(failure: BaseException) -> None:
    for link in chain(failure):
        for shown in (str(link), repr(link), repr(vars(link)), repr(link.args)):
            assert KEY not in shown
            assert KEY[:16] not in shown
    assert KEY not in "".join(traceback.format_exception(failure))


async def test_key_does_not_show_in_what_a_cancelled_call_raises() -> None:
    async with talking(Say(then="hang")) as (client, server):
        task = asyncio.create_task(client.orders.create(NEW))
        await until(lambda: len(server.requests) == 1)
        task.cancel()
        _check_hidden(await failure_of(task))


def test_key_object_neither_shows_nor_pickles() -> None:
    key = ApiKey(KEY)
    assert "ApiKey(hidden)" == repr(key) == str(key)
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(key)
    assert KEY not in str(caught.value)
    with pytest.raises(TypeError):
        copy.copy(key)
    # What inspectors of objects show without being asked for more.
    assert KEY not in repr([getattr(key, name) for name in dir(key) if name[0] != "_"])


async def test_headers_of_a_key_can_be_added_to_without_changing_what_others_send() -> None:
    key = ApiKey(KEY)
    async with talking(reply(COUNTRIES), api_key=key) as (client, server):
        mine: Any = await key.headers()
        mine["X-Mine"] = "1"
        await client.at_version("2022-05-10").countries.list()
    assert {"Api-Key": KEY} == await key.headers()
    assert "x-mine" not in server.last.headers


async def test_users_own_auth_gives_the_headers_and_its_errors_pass() -> None:
    class Bearer:
        calls = 0

        async def headers(self) -> dict[str, str]:
            self.calls += 1
            if self.calls == 2:
                raise LookupError("no token")
            return {"Authorization": "Bearer t0ken-t0ken"}

    echo = reply("<b>t0ken-t0ken</b>", status=500)
    async with talking([reply(COUNTRIES), echo], api_key=Bearer()) as (client, server):
        await client.countries.list()
        assert isinstance(await failure_of(client.countries.list()), LookupError)
        failure = await failure_of(client.countries.list())
    assert "Bearer t0ken-t0ken" == server.last.headers["authorization"]
    assert "api-key" not in server.last.headers
    assert "t0ken" not in str(failure)
    assert 2 == len(server.requests)


async def test_users_own_auth_has_the_last_word_on_headers() -> None:
    class Proxied:
        async def headers(self) -> dict[str, str]:
            return {"User-Agent": "proxy", "X-DIDWW-API-Version": "2030-01-01"}

    async with talking(reply(COUNTRIES), api_key=Proxied()) as (client, server):
        await client.countries.list()
    assert "proxy" == server.last.headers["user-agent"]
    assert "2030-01-01" == server.last.headers["x-didww-api-version"]


async def test_key_that_is_changed_by_a_class_of_the_users_own_is_sent_as_it_is_by_then() -> None:
    class Rotated(ApiKey):
        turns = 0

        async def headers(self) -> dict[str, str]:
            self.turns += 1
            return {"Api-Key": f"{KEY}-{self.turns}"}

    async with talking(reply(COUNTRIES), api_key=Rotated(KEY)) as (client, server):
        for _ in range(2):
            await client.countries.list()
    assert [f"{KEY}-1", f"{KEY}-2"] == [seen.headers["api-key"] for seen in server.requests]


async def test_auth_that_fails_before_an_order_leaves_it_unbegun() -> None:
    class Broken:
        async def headers(self) -> dict[str, str]:
            raise LookupError("no token")

    async with talking(reply(ORDER, status=201), api_key=Broken()) as (client, server):
        prepared = client.orders.prepare(NEW)
        with pytest.raises(LookupError, match="no token"):
            await prepared.__aenter__()  # before any claim: its own turn is what it waits for
        assert not prepared.began
    assert [] == server.requests


# -- errors as values

WHERE = {"method": "POST", "url": "http://x/v3/orders"}
MEMBERS = ErrorObject(status="422", code="100", title="T", detail="D", pointer="/p", meta={"a": 1})


def _sample(kind: type[DidwwError]) -> DidwwError:
    if issubclass(kind, didww_async.ApiError):
        more = {"cut_off": True} if kind is UnreadableReply else {}
        return kind(
            status=422,
            errors=(MEMBERS,),
            request_id="req-1",
            retry_after=1.5,
            body="text",
            **WHERE,
            **more,
        )
    if issubclass(kind, didww_async.NoAnswer):
        return kind(reason="ServerDisconnectedError", **WHERE)
    return kind("words")


ERRORS = [
    found
    for found in vars(didww_async.errors).values()
    if isinstance(found, type) and issubclass(found, DidwwError)
]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_error_survives_pickling_and_copying_with_all_it_knows(kind: type[DidwwError]) -> None:
    error = _sample(kind)
    error.add_note("a note")
    for again in (
        *(pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)),  # noqa: S301
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert kind is type(again)
        assert vars(error) == vars(again)
        assert (str(error), error.args) == (str(again), again.args)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_is_public(kind: type[DidwwError]) -> None:
    assert kind is getattr(didww_async, kind.__name__)
    assert kind.__name__ in didww_async.__all__


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_message_says_what_was_asked_and_what_to_do(kind: type[DidwwError]) -> None:
    error = _sample(kind)
    if isinstance(error, didww_async.ApiError):
        assert "POST http://x/v3/orders -> 422 [request req-1]: D at /p (code 100)." in str(error)
        assert str(error).endswith(error.advice)
    elif isinstance(error, didww_async.NoAnswer) and kind is not didww_async.NoAnswer:
        assert "POST http://x/v3/orders: ServerDisconnectedError." in str(error)
        assert str(error).endswith(error.advice)
        assert error.advice


def test_invalid_input_is_a_value_error() -> None:
    assert issubclass(InvalidInput, ValueError)


# -- watching


async def test_hook_gets_a_record_of_every_attempt() -> None:
    records: list[AttemptRecord] = []
    answers = [
        reply(status=503, headers={"X-Request-Id": "req-1"}),
        Say(then="close"),
        reply(COUNTRIES, headers={"X-Request-Id": "req-3"}),
    ]
    policy = RetryPolicy.without_waiting()
    async with talking(answers, retry=policy, on_attempt=records.append) as (client, server):
        await client.countries.list(filter={"iso": "US"})
    url = f"{server.url}/countries?filter%5Biso%5D=US"
    assert [
        ("GET", 1, 503, "req-1"),
        ("GET", 2, None, None),
        ("GET", 3, 200, "req-3"),
    ] == [(found.method, found.attempt, found.status, found.request_id) for found in records]
    assert [URL(url)] * 3 == [URL(found.url) for found in records]
    assert "-> 503" in (records[0].error or "")
    assert "may have been carried out" in (records[1].error or "")
    assert None is records[2].error
    assert all(0 <= found.elapsed < 5 and 0 <= found.waited < 5 for found in records)
    with pytest.raises(AttributeError):
        records[0].status = 200  # type: ignore[misc]
    assert records == pickle.loads(pickle.dumps(records))  # noqa: S301


async def test_hook_is_told_of_cancelled_attempts_too() -> None:
    records: list[AttemptRecord] = []
    async with talking(Say(then="hang"), on_attempt=records.append) as (client, server):
        task = asyncio.create_task(client.orders.create(NEW))
        await until(lambda: len(server.requests) == 1)
        task.cancel()
        await failure_of(task)
    assert [("POST", None, "CancelledError")] == [
        (found.method, found.status, found.error) for found in records
    ]


async def test_hook_that_stops_the_program_is_told_once() -> None:
    class Stop(BaseException):
        pass

    records: list[AttemptRecord] = []

    def stop(record: AttemptRecord) -> None:
        records.append(record)
        raise Stop

    async with talking(reply(COUNTRIES), on_attempt=stop) as (client, _):
        with pytest.raises(Stop):
            await client.countries.list()
    assert [200] == [record.status for record in records]


async def test_hook_that_fails_costs_nobody_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    def fail(record: AttemptRecord) -> None:
        raise RuntimeError("hook")

    async with talking(reply(ORDER, status=201), on_attempt=fail) as (client, server):
        assert "order-1" == (await client.orders.create(NEW)).id
    assert 1 == len(server.requests)
    assert "the on_attempt hook failed" in caplog.text


async def test_every_attempt_is_logged_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    answer = reply(COUNTRIES, headers={"X-Request-Id": "req-1"})
    with caplog.at_level(logging.DEBUG, logger="didww_async"):
        async with talking(answer) as (client, server):
            await client.countries.list()
    (record,) = [found for found in caplog.records if found.name == "didww_async"]
    assert f"GET {server.url}/countries -> 200 in" in record.getMessage()
    assert "request req-1" in record.getMessage()


async def test_trace_configs_reach_aiohttp() -> None:
    seen: list[str] = []
    config = aiohttp.TraceConfig()

    async def ended(_: Any, __: Any, params: aiohttp.TraceRequestEndParams) -> None:
        seen.append(f"{params.method} {params.response.status}")

    config.on_request_end.append(ended)
    async with talking(reply(COUNTRIES), trace_configs=[config]) as (client, _):
        await client.countries.list()
    assert ["GET 200"] == seen


# -- connections


async def test_connection_limit_holds() -> None:
    async with talking(reply(COUNTRIES, wait=0.005), max_connections=3) as (client, server):
        await asyncio.gather(*(client.countries.list() for _ in range(30)))
    assert server.connections <= 3


async def test_cookies_of_the_server_are_not_sent_back() -> None:
    async with talking(reply(COUNTRIES, headers={"Set-Cookie": "a=b"})) as (client, server):
        await client.countries.list()
        await client.countries.list()
    assert "cookie" not in server.last.headers


# -- each operation


@pytest.mark.parametrize(
    ("work", "request_line"),
    [
        (lambda client: client.orders.delete("o"), "DELETE /v3/orders/o"),
        (lambda client: client.did_reservations.delete("r"), "DELETE /v3/did_reservations/r"),
    ],
)
async def test_delete_needs_no_document(
    work: Callable[[Client], Awaitable[None]], request_line: str
) -> None:
    answers = [Say(b"HTTP/1.1 204 No Content\r\n\r\n"), reply("", status=200), refusal(404)]
    async with talking(answers) as (client, server):
        await work(client)
        await work(client)
        assert isinstance(await failure_of(work(client)), NotFound)
    assert request_line == f"{server.last.method} {server.last.path}"


async def test_balance_is_read_as_the_singleton_it_is() -> None:
    data = thing("balances", "b", balance="50.00", credit="10.0", total_balance="60.00")
    async with talking(reply(document(data))) as (client, server):
        balance = await client.balance.get()
    assert "/v3/balance" == server.last.path
    assert ("50.00", "60.00") == (str(balance.balance), str(balance.total_balance))


async def test_network_errors_name_the_request_and_the_way_out() -> None:
    async with client_of("http://127.0.0.1:1/v3") as client:
        failure = await failure_of(client.countries.list(filter={"iso": "US"}))
    assert isinstance(failure, NotSent)
    assert "GET http://127.0.0.1:1/v3/countries?filter" in str(failure)
    assert "check the network and base_url" in str(failure)


async def test_wrong_key_is_unauthorized_even_with_an_empty_body() -> None:
    async with talking(reply(status=401)) as (client, _):
        failure = await failure_of(client.balance.get())
    assert isinstance(failure, Unauthorized)
    assert "an empty body" in str(failure)
    assert "belongs to this environment" in str(failure)


def test_error_classes_stand_in_one_tree() -> None:
    assert issubclass(InsufficientBalance, didww_async.BadRequest)
    assert issubclass(ServerFailed, didww_async.ApiError)
    assert not issubclass(NotSent, didww_async.ApiError)


# -- inputs: what can't be meant is refused, nothing is sent


@pytest.mark.parametrize("version", ["2022-05-10", "2026-04-16"])
async def test_a_change_of_nothing_is_refused(version: str) -> None:
    async with talking(reply(document(None)), api_version=version) as (client, server):
        for work in (
            client.dids.update("1", DidUpdate()),
            client.addresses.update("1", AddressUpdate()),
            client.voice_in_trunks.update("1", VoiceInTrunkUpdate()),
            client.voice_out_trunks.update("1", VoiceOutTrunkUpdate()),
        ):
            with pytest.raises(InvalidInput, match="Update changes nothing: set at least one"):
                await work
    assert [] == server.requests


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"description": "x"}, "dict"),
        (None, "NoneType"),
        (DidUpdate, "DidUpdate"),
        (Did(id="1"), "Did"),
        (AddressUpdate(city_name="x"), "AddressUpdate"),
    ],
)
async def test_what_is_no_input_of_the_collection_is_refused(given: Any, said: str) -> None:
    async with talking(reply(document(None))) as (client, server):
        for work in (
            client.dids.update("1", given),
            client.orders.create(given),
            client.encrypted_files.create(given),
        ):
            with pytest.raises(InvalidInput, match=rf"take an input of their own.*{said}$"):
                await work
    assert [] == server.requests


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"page": "5"}, "page is a whole number and starts at 1, not '5'"),
        ({"page": True}, "page is a whole number"),
        ({"page_size": 1.5}, "page_size is a whole number"),
        ({"filter": [("id", "1")]}, "filter is a mapping"),
        ({"sort": 5}, "sort takes a name or several, not 5"),
        ({"include": ["regions", None]}, "include takes a name or several"),
        ({"fields": ["name"]}, "fields is a mapping"),
        ({"fields": {"countries": 5}}, "fields takes a name or several"),
        ({"timeouts": 30}, "timeouts is a Timeouts"),
    ],
)
async def test_a_list_that_can_not_be_meant_is_refused(wrong: Any, says: str) -> None:
    async with talking(reply(COUNTRIES)) as (client, server):
        with pytest.raises(InvalidInput, match=says):
            await client.countries.list(**wrong)
    assert [] == server.requests


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (Timeouts, {"connect": "1"}),
        (Timeouts, {"connect": None}),
        (Timeouts, {"total": None}),
        (RetryPolicy, {"attempts": "3"}),
        (RetryPolicy, {"budget": None}),
    ],
)
def test_a_policy_of_wrong_types_is_refused_by_name(make: Any, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(InvalidInput, match=name):
        make(**wrong)

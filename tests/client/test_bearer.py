"""Bearer tokens: got once for everybody, renewed in time, refused with words that help."""

import asyncio
import contextlib
import copy
import itertools
import logging
import pickle
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from waiting import until

from didww_async import (
    ApiKey,
    BearerToken,
    Client,
    DidwwError,
    Forbidden,
    InvalidInput,
    KeyRefused,
    NotSent,
    RateLimited,
    ReadOnlyToken,
    RetryPolicy,
    TokenNotFetched,
    TokenNotGranted,
    TokenRejected,
    Unauthorized,
)
from didww_async.resources import DidOrderItem, OrderCreate
from tests.client.servers import (
    COUNTRIES,
    KEY,
    ORDER,
    Answers,
    Say,
    Seen,
    Server,
    chain,
    client_of,
    document,
    failure_of,
    in_thread,
    refusal,
    reply,
)

NEW = OrderCreate(items=(DidOrderItem(sku_id="sku", qty=1),))
TOKEN = "t0ken-that-nobody-may-see"
VERSION = "2026-11-19"


def granted(token: str = TOKEN, **members: Any) -> Say:
    """What the token service answers."""
    body = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 900,
        "aud": "api.didww.com",
        "scope": "full",
        "api_version": VERSION,
    } | members
    return reply({name: found for name, found in body.items() if found is not ...})


def numbered(**members: Any) -> Callable[[Seen], Say]:
    """A new token for every request: token-1, token-2, ..."""
    numbers = itertools.count(1)
    return lambda _: granted(f"token-{next(numbers)}", **members)


def refused(status: int, error: str, description: str, **headers: str) -> Say:
    return reply({"error": error, "error_description": description}, status=status, headers=headers)


def slowly(say: Say, seconds: float) -> Say:
    return Say(say.data, say.then, seconds)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def speaking(
    api: Answers, tokens: Answers, **options: Any
) -> AsyncIterator[tuple[Client, Server, Server]]:
    """A client at 2026-11-19, the API it talks to, and its token service."""
    async with Server(api) as server, Server(tokens) as service:
        made = {
            name: options.pop(name) for name in ("clock", "scope", "expires_in") if name in options
        }
        bearer = BearerToken(api_key=KEY, token_url=service.url, **made)
        async with client_of(server, api_key=bearer, api_version=VERSION, **options) as client:
            yield client, server, service


def used(server: Server) -> list[str]:
    """The tokens a server saw, in order."""
    return [seen.headers["authorization"].removeprefix("Bearer ") for seen in server.requests]


# -- getting it


async def test_a_token_is_asked_for_as_documented_and_used_for_all_calls() -> None:
    async with speaking(reply(COUNTRIES), granted()) as (client, server, service):
        assert 1 == len(await client.countries.list())
        await client.countries.list()
    [asked] = service.requests
    assert ("POST", KEY) == (asked.method, asked.headers["api-key"])
    assert "application/json" == asked.headers["content-type"]
    assert {
        "aud": "api.didww.com",
        "scope": "full",
        "api_version": VERSION,
        "expires_in": 900,
    } == asked.json
    assert [TOKEN, TOKEN] == used(server)
    assert all("api-key" not in seen.headers for seen in server.requests)
    assert VERSION == server.last.headers["x-didww-api-version"]


async def test_many_callers_at_once_share_one_request() -> None:
    slow = slowly(granted(), 0.05)
    async with speaking(reply(COUNTRIES), slow) as (client, server, service):
        await asyncio.gather(*(client.countries.list() for _ in range(30)))
    assert 1 == len(service.requests)
    assert 30 == len(server.requests)


async def test_a_cancelled_first_caller_does_not_cancel_the_others() -> None:
    slow = slowly(granted(), 0.1)
    async with speaking(reply(COUNTRIES), slow) as (client, _, service):
        first = asyncio.create_task(client.countries.list())
        await until(lambda: len(service.requests) == 1)
        second = asyncio.create_task(client.countries.list())
        await asyncio.sleep(0.01)
        first.cancel()
        assert 1 == len(await second)
        with pytest.raises(asyncio.CancelledError):
            await first
    assert 1 == len(service.requests)


async def test_clients_and_views_of_one_key_share_a_token() -> None:
    async with speaking(reply(COUNTRIES), numbered()) as (client, server, service):
        bearer = BearerToken(api_key=KEY, token_url=service.url)
        async with (
            client_of(server, api_key=bearer, api_version=VERSION) as one,
            client_of(server, api_key=bearer, api_version=VERSION) as other,
        ):
            await one.countries.list()
            await other.countries.list()
            await one.at_version(VERSION).countries.list()
    assert ["token-1"] * 3 == used(server)
    assert 1 == len(service.requests)
    assert client.api_version == VERSION


async def test_who_waits_on_a_client_that_closes_asks_by_itself() -> None:
    answers = [Say(then="hang"), granted("second")]
    async with Server(reply(COUNTRIES)) as server, Server(answers) as service:
        bearer = BearerToken(api_key=KEY, token_url=service.url)
        closing = client_of(server, api_key=bearer, api_version=VERSION)
        async with client_of(server, api_key=bearer, api_version=VERSION) as staying:
            first = asyncio.create_task(closing.countries.list())
            await until(lambda: len(service.requests) == 1)
            second = asyncio.create_task(staying.countries.list())
            await asyncio.sleep(0.01)
            await closing.aclose()
            assert 1 == len(await second)
            assert isinstance(await failure_of(first), DidwwError)
    assert ["second"] == used(server)


def test_one_token_serves_several_event_loops() -> None:
    with in_thread(Server(numbered())) as service, in_thread(Server(reply(COUNTRIES))) as server:
        bearer = BearerToken(api_key=KEY, token_url=service.url)

        async def once() -> None:
            async with client_of(server, api_key=bearer, api_version=VERSION) as client:
                await client.countries.list()

        asyncio.run(once())
        asyncio.run(once())
        assert ["token-1", "token-1"] == used(server)


# -- keeping it fresh


@pytest.mark.parametrize(
    ("lifetime", "still", "renewed"),
    [(900, 839, 841), (60, 47, 49), (3600, 3539, 3541), ("900", 839, 841), (..., 839, 841)],
)
async def test_it_is_renewed_before_it_expires(lifetime: Any, still: int, renewed: int) -> None:
    clock = Clock()
    tokens = numbered(expires_in=lifetime)
    async with speaking(reply(COUNTRIES), tokens, clock=clock) as (client, server, service):
        for later in (0, still):
            clock.now = 1000.0 + later
            await client.countries.list()
        assert 1 == len(service.requests)
        clock.now = 1000.0 + renewed
        await client.countries.list()  # goes on with the old one
        await until(lambda: len(service.requests) == 2)
        await asyncio.sleep(0.05)
        await client.countries.list()
        assert ["token-1", "token-1", "token-1", "token-2"] == used(server)


async def test_nobody_waits_for_a_slow_renewal() -> None:
    clock = Clock()
    tokens = [granted("one"), slowly(granted("two"), 0.3)]
    async with speaking(reply(COUNTRIES), tokens, clock=clock) as (client, server, service):
        await client.countries.list()
        clock.now += 850
        started = time.monotonic()
        await asyncio.gather(*(client.countries.list() for _ in range(10)))
        assert time.monotonic() - started < 0.25
        assert 2 == len(service.requests)
        assert {"one"} == set(used(server))
        clock.now += 60  # now it is expired: there is nothing to go on with
        await client.countries.list()
        assert "two" == used(server)[-1]
        assert 2 == len(service.requests)


async def test_a_renewal_that_fails_goes_on_with_a_token_that_is_still_good() -> None:
    clock = Clock()
    tokens = [granted("one"), reply("<h1>away</h1>", status=503), granted("two")]
    async with speaking(reply(COUNTRIES), tokens, clock=clock) as (client, server, service):
        for later, requests in ((0, 1), (841, 2), (842, 2), (847, 3), (848, 3)):
            clock.now = 1000.0 + later
            await client.countries.list()
            await until(lambda requests=requests: len(service.requests) == requests)
            await asyncio.sleep(0.05)
        assert ["one", "one", "one", "one", "two"] == used(server)


async def test_an_expired_token_is_not_used_when_its_renewal_fails() -> None:
    clock = Clock()
    tokens = [granted("one"), reply(status=503)]
    async with speaking(reply(COUNTRIES), tokens, clock=clock) as (client, server, _):
        await client.countries.list()
        clock.now += 901
        assert isinstance(await failure_of(client.countries.list()), TokenNotFetched)
        assert ["one"] == used(server)


async def test_a_client_that_closes_while_a_token_is_on_its_way_leaves_nothing_behind() -> None:
    async with speaking(reply(COUNTRIES), Say(then="hang")) as (client, _, service):
        callers = [asyncio.create_task(client.countries.list()) for _ in range(3)]
        await until(lambda: len(service.requests) == 1)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert fetching()
        await client.aclose()
        await until(lambda: not fetching())


def fetching() -> list[Any]:
    return [task for task in asyncio.all_tasks() if "BearerToken" in repr(task.get_coro())]


def unless(good: str, answer: Say) -> Callable[[Seen], Say]:
    """An API that accepts one token only."""

    def answers(seen: Seen) -> Say:
        return answer if seen.headers["authorization"] == f"Bearer {good}" else reply(status=401)

    return answers


async def test_after_a_401_a_new_token_is_got_and_the_call_sent_once_more() -> None:
    api = unless("token-2", reply(COUNTRIES))
    async with speaking(api, numbered()) as (client, server, service):
        assert 1 == len(await client.countries.list())
        await client.countries.list()
    assert ["token-1", "token-2", "token-2"] == used(server)
    assert 2 == len(service.requests)


async def test_a_crowd_with_a_rejected_token_gets_one_new_token() -> None:
    api = unless("token-2", reply(COUNTRIES))
    async with speaking(api, numbered()) as (client, _, service):
        await asyncio.gather(*(client.countries.list() for _ in range(20)))
    assert 2 == len(service.requests)


async def test_two_rejected_tokens_are_enough() -> None:
    async with speaking(reply(status=401), numbered()) as (client, server, _):
        failure = await failure_of(client.countries.list())
    assert isinstance(failure, TokenRejected)
    assert isinstance(failure, Unauthorized)
    assert "401" in str(failure)
    assert "empty body" in str(failure)
    assert "rejected the bearer token" in str(failure)
    assert ["token-1", "token-2"] == used(server)


async def test_an_order_is_not_sent_again_by_itself() -> None:
    api = unless("token-2", reply(ORDER, status=201))
    async with speaking(api, numbered()) as (client, server, _):
        async with client.orders.prepare(NEW) as order:
            assert isinstance(await failure_of(order.send()), TokenRejected)
        assert ["token-1"] == used(server)
        assert "order-1" == (await client.orders.create(NEW)).id  # the next one has the new token
    assert ["token-1", "token-2"] == used(server)


async def test_a_token_is_never_got_between_an_orders_turn_and_its_post() -> None:
    async with speaking(reply(ORDER, status=201), numbered()) as (client, server, service):
        async with client.orders.prepare(NEW) as order:
            assert 1 == len(service.requests)
            assert [] == server.requests
            await order.send()
        assert 1 == len(service.requests)


async def test_the_retry_policy_is_not_needed_for_a_new_token_and_does_not_multiply_it() -> None:
    policy = RetryPolicy.without_waiting()
    async with speaking(reply(status=401), numbered(), retry=policy) as (client, server, _):
        assert isinstance(await failure_of(client.countries.list()), TokenRejected)
        assert 2 == len(server.requests)


# -- when the token service says no


async def test_a_wrong_key() -> None:
    wrong = refused(401, "invalid_client", f"Key {KEY} is unknown.")
    async with speaking(reply(COUNTRIES), wrong) as (client, server, service):
        failure = await failure_of(client.countries.list())
        assert isinstance(failure, KeyRefused)
        assert isinstance(failure, Unauthorized)
        assert "invalid_client" == failure.code
        assert "The token service refused the API key" in str(failure)
        assert f"POST {service.url}" in str(failure)
        assert [] == server.requests
    assert KEY not in str(failure) + repr(failure) + repr(failure.__dict__)


async def test_the_token_services_rate_limit_is_waited_for() -> None:
    limited = refused(429, "rate_limit_exceeded", "Slow down.", **{"Retry-After": "7"})
    async with speaking(reply(COUNTRIES), limited) as (client, server, _):
        failure = await failure_of(client.countries.list())
        assert isinstance(failure, RateLimited)
        assert 7.0 == failure.retry_after
        assert [] == server.requests
    policy = RetryPolicy.without_waiting()
    async with speaking(reply(COUNTRIES), [limited, granted()], retry=policy) as (client, *_):
        assert 1 == len(await client.countries.list())


@pytest.mark.parametrize("error", ["invalid_scope", "invalid_request"])
async def test_a_token_that_is_not_granted(error: str) -> None:
    no = refused(400, error, "Not for this key.")
    async with speaking(reply(COUNTRIES), no) as (client, _, _service):
        failure = await failure_of(client.countries.list())
    assert isinstance(failure, TokenNotGranted)
    assert error == failure.code
    assert "Not for this key." in str(failure)


HOSTILE = {
    "html": reply("<html>proxy</html>"),
    "empty": reply(),
    "null": reply("null"),
    "list": reply([1]),
    "no token": granted(...),  # type: ignore[arg-type]
    "null token": granted(None),  # type: ignore[arg-type]
    "empty token": granted(""),
    "number": granted(42),  # type: ignore[arg-type]
    "header splitting": granted("good\r\nX-Evil: 1"),
    "blanks": granted("two words"),
    "not latin": granted("t\u00f6ken"),
    "endless": granted("x" * 100_000),
    "another kind": granted(token_type="mac"),
    "no lifetime": granted(expires_in=0),
    "negative": granted(expires_in=-5),
    "nonsense": granted(expires_in="soon"),
    "true": granted(expires_in=True),
    "infinite": granted(expires_in=1e999),
    "deep": reply("[" * 100_000),
    "not utf-8": reply(b"\xff\xfe"),
    "half": Say(granted().data[:-30], "close"),
    "redirect": reply(status=307, headers={"Location": "http://127.0.0.1:1/token"}),
    "not found": reply("nope", status=404),
    "broken": reply("<h1>oops</h1>", status=500),
    "no chunks": Say(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + granted().data.partition(b"\r\n\r\n")[2],
        "close",
    ),
    "nothing": Say(then="close"),
    "reset": Say(then="reset"),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_token_service(answer: Say, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with speaking(reply(COUNTRIES), answer) as (client, server, service):
        failure = await failure_of(client.countries.list())
        assert isinstance(failure, TokenNotFetched)
        assert isinstance(failure, NotSent)
        assert f"POST {service.url}: got no bearer token" in str(failure)
        assert [] == server.requests
    shown = "".join(f"{error!r}{error.__dict__}" for error in chain(failure)) + caplog.text
    assert KEY not in shown
    assert TOKEN[:12] not in shown


async def test_a_token_service_that_is_not_there() -> None:
    async with Server(reply(COUNTRIES)) as server:
        bearer = BearerToken(api_key=KEY, token_url="http://127.0.0.1:1/token")
        async with client_of(server, api_key=bearer, api_version=VERSION) as client:
            failure = await failure_of(client.countries.list())
    assert isinstance(failure, TokenNotFetched)
    assert "The call itself was not sent" in str(failure)
    assert [] == server.requests


async def test_a_write_is_repeated_after_a_token_that_could_not_be_got() -> None:
    tokens = [reply("<h1>away</h1>", status=502), granted()]
    policy = RetryPolicy.without_waiting()
    gone = reply(status=204)
    async with speaking(gone, tokens, retry=policy) as (client, server, _):
        await client.did_reservations.delete("one")
        assert 1 == len(server.requests)


# -- read-only tokens


@pytest.mark.parametrize("said", ["read", ...])
async def test_a_read_only_token_reads_and_says_so_when_it_can_not_write(said: Any) -> None:
    def api(seen: Seen) -> Say:
        if seen.method == "GET":
            return reply(COUNTRIES)
        return refusal(403, code="403", title="Forbidden", detail="Forbidden")

    tokens = granted(scope=said)
    async with speaking(api, tokens, scope="read") as (client, _, service):
        assert 1 == len(await client.countries.list())
        failure = await failure_of(client.orders.create(NEW))
        assert "read" == service.last.json["scope"]
    assert isinstance(failure, ReadOnlyToken)
    assert isinstance(failure, Forbidden)
    assert "The bearer token is read-only" in str(failure)


async def test_less_scope_than_asked_for_is_noticed() -> None:
    api = reply(status=403)
    async with speaking(api, granted(scope="read")) as (client, *_):
        assert isinstance(await failure_of(client.orders.create(NEW)), ReadOnlyToken)


async def test_another_403_stays_what_it_is() -> None:
    async with speaking(refusal(403, detail="No."), granted(), scope="full") as (client, *_):
        assert Forbidden is type(await failure_of(client.orders.create(NEW)))
        assert Forbidden is type(await failure_of(client.countries.list()))


# -- which credentials serve which version


async def test_a_key_as_text_serves_every_version() -> None:
    seen_at: dict[str, Any] = {}
    async with (
        Server(reply(COUNTRIES)) as server,
        Server(granted()) as service,
        client_of(server, token_url=service.url) as client,
    ):
        for date in ("2022-05-10", "2026-04-16", VERSION):
            await client.at_version(date).countries.list()
            seen_at[date] = server.last.headers
    assert KEY == seen_at["2022-05-10"]["api-key"] == seen_at["2026-04-16"]["api-key"]
    assert f"Bearer {TOKEN}" == seen_at[VERSION]["authorization"]
    assert "api-key" not in seen_at[VERSION]
    assert "authorization" not in seen_at["2026-04-16"]


def test_the_environments_token_services_are_known() -> None:
    for environment, url in (
        ("production", "https://auth.didww.com/token"),
        ("sandbox", "https://auth-sandbox.didww.com/token"),
    ):
        assert url == BearerToken(api_key=KEY, environment=environment).token_url  # type: ignore[arg-type]
        client = Client(api_key=KEY, environment=environment, api_version=VERSION)  # type: ignore[arg-type]
        assert VERSION == client.api_version
    Client(api_key=KEY, base_url="https://api.didww.com/v3", api_version=VERSION)


def test_credentials_that_do_not_serve_the_version_are_refused_at_once() -> None:
    here: dict[str, Any] = {"base_url": "http://127.0.0.1:1/v3"}
    bearer = BearerToken(api_key=KEY, token_url="http://127.0.0.1:1/token")
    with pytest.raises(InvalidInput, match="DIDWW_TOKEN_URL"):
        Client(api_key=KEY, api_version=VERSION, **here)
    with pytest.raises(InvalidInput, match="bearer tokens"):
        Client(api_key=ApiKey(KEY), api_version=VERSION, **here)
    with pytest.raises(InvalidInput, match="bearer tokens"):
        Client(api_key=ApiKey(KEY), environment="sandbox").at_version(VERSION)
    with pytest.raises(InvalidInput, match="the API key itself"):
        Client(api_key=bearer, **here)
    with pytest.raises(InvalidInput, match="the API key itself"):
        Client(api_key=bearer, api_version=VERSION, **here).at_version("2026-04-16")
    with pytest.raises(InvalidInput, match="your BearerToken"):
        Client(api_key=bearer, api_version=VERSION, token_url="http://127.0.0.1:1/token", **here)
    sandbox = BearerToken(api_key=KEY, environment="sandbox")
    with pytest.raises(InvalidInput, match="auth-sandbox"):
        Client(api_key=sandbox, environment="production", api_version=VERSION)


def test_from_env() -> None:
    found = {"DIDWW_API_KEY": KEY, "DIDWW_ENVIRONMENT": "sandbox", "DIDWW_API_VERSION": VERSION}
    assert VERSION == Client.from_env(environ=found).api_version
    assert "2022-05-10" == Client.from_env(environ=found, api_version="2022-05-10").api_version
    custom = {"DIDWW_API_KEY": KEY, "DIDWW_BASE_URL": "http://127.0.0.1:1/v3"}
    with pytest.raises(InvalidInput, match="DIDWW_TOKEN_URL"):
        Client.from_env(environ=custom, api_version=VERSION)
    custom["DIDWW_TOKEN_URL"] = "http://127.0.0.1:1/token"
    assert VERSION == Client.from_env(environ=custom, api_version=VERSION).api_version
    with pytest.raises(InvalidInput, match="not spoken"):
        Client.from_env(environ=found | {"DIDWW_API_VERSION": "2030-01-01"})


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"api_key": " "}, "empty"),
        ({"api_key": "two words"}, "blanks"),
        ({"scope": "write"}, "scope"),
        ({"expires_in": 59}, "60 to 3600"),
        ({"expires_in": 3601}, "60 to 3600"),
        ({"expires_in": True}, "60 to 3600"),
        ({"expires_in": "900"}, "60 to 3600"),
        ({"environment": "test"}, "production or sandbox"),
        ({"environment": None}, "token_url"),
        ({"token_url": "ftp://x/token"}, "token_url"),
        ({"token_url": "https://me:secret@x/token"}, "credentials"),
    ],
)
def test_bad_input(wrong: dict[str, Any], why: str) -> None:
    good: dict[str, Any] = {"api_key": KEY, "environment": "sandbox"}
    with pytest.raises(InvalidInput, match=why) as caught:
        BearerToken(**(good | wrong))
    assert "secret" not in str(caught.value)


def test_it_shows_neither_key_nor_token_and_is_not_copied() -> None:
    bearer = BearerToken(api_key=KEY, environment="sandbox", scope="read")
    assert "BearerToken(https://auth-sandbox.didww.com/token, scope='read')" == repr(bearer)
    for copied in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(bearer)


async def test_the_token_does_not_show_where_a_body_is_quoted() -> None:
    echo = reply(f"<pre>Authorization: Bearer {TOKEN}</pre>", status=500)
    async with speaking(echo, granted()) as (client, *_):
        failure = await failure_of(client.countries.list())
    assert TOKEN not in str(failure) + repr(failure.__dict__)


async def test_a_reply_of_another_version_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    body = document([])
    async with speaking(reply(body), granted()) as (client, *_):
        await client.countries.list()
    assert "asked for API version 2026-11-19, served '2026-04-16'" in caplog.text

"""What a failure on the wire means. Every row is made by real sockets; an order is sent once."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import aiohttp
import attrs
import pytest
from client.servers import (
    COUNTRIES,
    ORDER,
    Say,
    Seen,
    Server,
    client_of,
    document,
    failure_of,
    listening,
    refusal,
    reply,
    talking,
)
from waiting import until

from didww_async import (
    ApiError,
    BadRequest,
    Client,
    Conflict,
    Forbidden,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RetryPolicy,
    ServerFailed,
    Timeouts,
    Unauthorized,
    UnreadableReply,
    ValidationFailed,
)
from didww_async.resources import DidOrderItem, OrderCreate
from didww_async.transport import exchange

NEW = OrderCreate(items=(DidOrderItem(sku_id="s"),), external_reference_id="ref-1")
SHORT = Timeouts(connect=0.15, read=0.3, total=0.6)


async def order(client: Client) -> object:
    return await client.orders.create(NEW)


# -- never connected: not sent


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port whose server accepts nobody, and whose queue of those who wait is full."""
    with contextlib.ExitStack() as open_sockets:
        server = open_sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(server.getsockname())
        yield server.getsockname()[1]


async def test_closed_port_means_not_sent(closed_port: int) -> None:
    async with client_of(f"http://127.0.0.1:{closed_port}/v3") as client:
        failure = await failure_of(order(client))
    assert isinstance(failure, NotSent)
    assert "Nothing was carried out" in str(failure)


async def test_unknown_host_name_means_not_sent() -> None:
    async with client_of("http://didww-does-not-exist.invalid/v3") as client:
        assert isinstance(await failure_of(order(client)), NotSent)


async def test_connecting_that_hangs_means_not_sent(full_backlog: int) -> None:
    url = f"http://127.0.0.1:{full_backlog}/v3"
    async with client_of(url, timeouts=SHORT) as client:
        failure = await failure_of(order(client))
    assert isinstance(failure, NotSent)
    assert "ConnectionTimeoutError" in failure.reason


async def test_tls_that_fails_means_not_sent() -> None:
    async def speak_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(speak_no_tls) as port, client_of(f"https://127.0.0.1:{port}/v3") as client:
        assert isinstance(await failure_of(order(client)), NotSent)


async def test_tls_that_hangs_means_not_sent() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    url = "https://127.0.0.1:{}/v3"
    async with (
        listening(say_nothing) as port,
        client_of(url.format(port), timeouts=SHORT) as client,
    ):
        assert isinstance(await failure_of(order(client)), NotSent)


async def test_full_pool_of_a_borrowed_session_means_not_sent() -> None:
    async with (
        Server(lambda seen: Say(then="hang")) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
    ):
        busy = asyncio.create_task(session.get(server.url))
        await until(lambda: len(server.requests) == 1)
        async with client_of(server, session=session, timeouts=SHORT) as client:
            assert isinstance(await failure_of(order(client)), NotSent)
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)
    assert 1 == len(server.requests)


# -- connected: what the server did decides


def cut(say: Say, *, keep: int, then: Any = "close") -> Say:
    """An answer of which the last bytes never come."""
    return Say(say.data[:keep], then)


CREATED = reply(ORDER, status=201)
BODY_AT = CREATED.data.index(b"\r\n\r\n") + 4


@attrs.frozen
class Row:
    """What a server does after it read POST /orders, and what that must be taken for."""

    name: str
    say: Say
    error: type[Exception]
    status: int | None = None
    cut_off: bool = False


ROWS = [
    Row("never answers", Say(then="hang"), OutcomeUnknown),
    Row("closes", Say(then="close"), OutcomeUnknown),
    Row("resets", Say(then="reset"), OutcomeUnknown),
    Row("closes within the headers", cut(CREATED, keep=20), OutcomeUnknown),
    Row("resets within the headers", cut(CREATED, keep=20, then="reset"), OutcomeUnknown),
    Row("hangs within the headers", cut(CREATED, keep=20, then="hang"), OutcomeUnknown),
    Row("speaks garbage", Say(b"\x00\x01garbage\r\n\r\n", "close"), OutcomeUnknown),
    Row("speaks another protocol", Say(b"220 smtp ready\r\n\r\n", "close"), OutcomeUnknown),
    Row("closes after 201", cut(CREATED, keep=BODY_AT), UnreadableReply, 201, cut_off=True),
    Row(
        "closes within a 201's body",
        cut(CREATED, keep=BODY_AT + 9),
        UnreadableReply,
        201,
        cut_off=True,
    ),
    Row(
        "resets within a 201's body",
        cut(CREATED, keep=BODY_AT + 9, then="reset"),
        UnreadableReply,
        201,
        cut_off=True,
    ),
    Row(
        "hangs within a 201's body",
        cut(CREATED, keep=BODY_AT + 9, then="hang"),
        UnreadableReply,
        201,
        cut_off=True,
    ),
    Row("201 with HTML", reply("<html>ok</html>", status=201), UnreadableReply, 201),
    Row("201 with nothing", reply(status=201), UnreadableReply, 201),
    Row("202 with null", reply(document(None), status=202), UnreadableReply, 202),
    Row("204", Say(b"HTTP/1.1 204 No Content\r\n\r\n"), UnreadableReply, 204),
    *(
        Row(
            f"{status} redirect",
            reply(status=status, headers={"Location": "/v3/elsewhere"}),
            UnreadableReply,
            status,
        )
        for status in (301, 302, 303, 307, 308)
    ),
    Row("422", refusal(422, detail="no"), ValidationFailed, 422),
    Row("half a 422", cut(refusal(422, detail="no"), keep=-5), ValidationFailed, 422),
    Row("half a 503", cut(reply("<html>", status=503), keep=-2), ServerFailed, 503),
    Row("429", refusal(429, detail="Too Many Requests"), RateLimited, 429),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_order_is_sent_once_and_the_outcome_is_named(row: Row) -> None:
    retry = RetryPolicy.without_waiting()  # which an order must never use
    async with talking(row.say, retry=retry, timeouts=SHORT) as (client, server):
        failure = await failure_of(order(client))
        await asyncio.sleep(0)
    assert row.error is type(failure)
    assert row.status == getattr(failure, "status", None)
    assert row.cut_off == getattr(failure, "cut_off", False)
    assert ["POST"] == [seen.method for seen in server.requests]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_prepared_order_is_sent_once_too(row: Row) -> None:
    retry = RetryPolicy.without_waiting()
    async with talking(row.say, retry=retry, timeouts=SHORT) as (client, server):
        prepared = client.orders.prepare(NEW)
        async with prepared:
            assert not prepared.began
            assert row.error is type(await failure_of(prepared.send()))
            assert prepared.began
            assert isinstance(await failure_of(prepared.send()), InvalidInput)
    assert 1 == len(server.requests)


READ_AGAIN = [row for row in ROWS if row.error is OutcomeUnknown or row.cut_off]


@pytest.mark.parametrize("row", READ_AGAIN, ids=lambda row: row.name)
async def test_read_without_a_whole_answer_is_repeated(row: Row) -> None:
    answers = [row.say, row.say, reply(COUNTRIES)]
    retry = RetryPolicy.without_waiting()
    async with talking(answers, retry=retry, timeouts=SHORT) as (client, server):
        assert "us" == (await client.countries.list())[0].id
    assert 3 == len(server.requests)


async def test_half_an_answer_of_a_refusal_has_no_errors_to_be_sure_of() -> None:
    async with talking(cut(refusal(422, detail="no"), keep=-5)) as (client, _):
        failure = await failure_of(order(client))
    assert isinstance(failure, ValidationFailed)
    assert () == failure.errors


# -- connections


async def test_stale_connection_never_doubles_an_order() -> None:
    answers = reply(ORDER, status=201, then="close")
    async with talking(answers, retry=RetryPolicy.without_waiting()) as (client, server):
        outcomes = []
        for _ in range(20):
            try:
                outcomes.append(type(await client.orders.create(NEW)).__name__)
            except OutcomeUnknown as failure:
                outcomes.append(type(failure).__name__)
    assert 20 == len(outcomes)
    assert len(server.requests) <= 20


async def test_orders_do_not_travel_on_connections_of_reads() -> None:
    def answer(seen: Seen) -> Say:
        return reply(COUNTRIES) if seen.method == "GET" else reply(ORDER, status=201)

    async with talking(answer) as (client, server):
        for _ in range(2):
            await client.countries.list()
            await client.orders.create(NEW)
    used: dict[str, set[int]] = {"GET": set(), "POST": set()}
    for seen in server.requests:
        used[seen.method].add(seen.connection)
    assert set() == used["GET"] & used["POST"]


async def test_order_does_not_use_a_connection_that_was_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange, "IDLE_FOR_WRITES", 0.02)
    async with talking(reply(ORDER, status=201)) as (client, server):
        await client.orders.create(NEW)
        await asyncio.sleep(0.05)
        await client.orders.create(NEW)
    assert 2 == server.connections


async def test_borrowed_session_can_not_resend_behind_our_back() -> None:
    async def twice(request: aiohttp.ClientRequest, handler: Any) -> aiohttp.ClientResponse:
        (await handler(request)).release()
        found: aiohttp.ClientResponse = await handler(request)
        return found

    async with (
        Server(reply(status=307, headers={"Location": "/v3/orders"})) as server,
        aiohttp.ClientSession(middlewares=(twice,), raise_for_status=True) as session,
        client_of(server, session=session) as client,
    ):
        failure = await failure_of(order(client))
    assert isinstance(failure, UnreadableReply)
    assert 1 == len(server.requests)


# -- cancellation


async def test_cancelled_order_says_whether_it_began() -> None:
    async with talking(Say(then="hang")) as (client, server):
        prepared = client.orders.prepare(NEW)

        async def place() -> None:
            async with prepared:
                await prepared.send()

        task = asyncio.create_task(place())
        await until(lambda: len(server.requests) == 1)
        task.cancel()
        assert isinstance(await failure_of(task), asyncio.CancelledError)
        assert prepared.began
        assert [] == [
            link
            for link in (task, prepared)
            if "tops3cret" in repr(link)  # nor does the key show
        ]


async def test_order_cancelled_while_it_waits_for_its_turn_did_not_begin() -> None:
    async with talking(Say(then="hang"), max_orders_in_flight=1) as (client, server):
        async with client.orders.prepare(NEW):
            second = client.orders.prepare(NEW)
            task = asyncio.create_task(second.__aenter__())
            await asyncio.sleep(0)
            task.cancel()
            assert isinstance(await failure_of(task), asyncio.CancelledError)
            assert not second.began
        async with client.orders.prepare(NEW):
            pass
    assert [] == server.requests


async def test_prepared_order_works_inside_its_block_only() -> None:
    async with talking(reply(ORDER, status=201)) as (client, server):
        prepared = client.orders.prepare(NEW)
        assert isinstance(await failure_of(prepared.send()), InvalidInput)
        async with prepared:
            pass
        assert isinstance(await failure_of(prepared.send()), InvalidInput)
        assert isinstance(await failure_of(prepared.__aenter__()), InvalidInput)
        assert not prepared.began
    assert [] == server.requests


async def test_orders_in_flight_are_limited() -> None:
    async with talking(reply(ORDER, status=201, wait=0.02), max_orders_in_flight=2) as (client, _):
        inside = most = 0

        async def place() -> None:
            nonlocal inside, most
            async with client.orders.prepare(NEW) as prepared:
                inside += 1
                most = max(most, inside)
                await prepared.send()
                inside -= 1

        await asyncio.gather(*(place() for _ in range(6)))
    assert 2 == most


# -- answers that are refusals


BODIES = {
    "JSON:API": '{"errors": [{"title": "T", "detail": "D", "code": "7", "status": "x"}]}',
    "null members": '{"errors": [{"title": null, "detail": null, "code": null, "source": null}]}',
    "no members": '{"errors": [{}]}',
    "no errors": '{"errors": []}',
    "null errors": '{"errors": null}',
    "HTML": "<html><body>Bad gateway</body></html>",
    "nothing": "",
    "half": '{"errors": [{"title": "T", "det',
    "not UTF-8": b"\xff\xfe\x00",
    "JSON text": '"oops"',
}
CLASSES = {
    400: BadRequest,
    401: Unauthorized,
    402: ApiError,
    403: Forbidden,
    404: NotFound,
    406: ApiError,
    408: ApiError,
    409: Conflict,
    415: ApiError,
    418: ApiError,
    422: ValidationFailed,
    500: ServerFailed,
    502: ServerFailed,
    503: ServerFailed,
    504: ServerFailed,
    599: ServerFailed,
    429: RateLimited,  # the last, because it makes the client pause
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_status_decides_the_class_whatever_the_body(body: str | bytes) -> None:
    statuses = iter(CLASSES)
    async with talking(lambda seen: reply(body, status=next(statuses))) as (client, _):
        failures = [await failure_of(order(client)) for _ in CLASSES]
    assert list(CLASSES.values()) == [type(failure) for failure in failures]
    assert list(CLASSES) == [getattr(failure, "status", None) for failure in failures]


async def test_error_tells_all_that_the_server_said() -> None:
    answer = refusal(
        422,
        headers={"X-Request-Id": "req-9", "Retry-After": "3"},
        title="Invalid",
        detail="qty is more than available.",
        code="100",
        source={"pointer": "/data/attributes/items/0/qty"},
        meta={"available": 2},
    )
    async with talking(answer) as (client, server):
        failure = await failure_of(order(client))
    assert isinstance(failure, ValidationFailed)
    assert ("100", "Invalid", "/data/attributes/items/0/qty", {"available": 2}) == (
        failure.code,
        failure.title,
        failure.pointer,
        failure.meta,
    )
    assert ("req-9", 3.0) == (failure.request_id, failure.retry_after)
    assert (
        f"POST {server.url}/orders -> 422 [request req-9]: qty is more than available. at "
        "/data/attributes/items/0/qty (code 100). Correct the field that `pointer` names."
    ) == str(failure)


@pytest.mark.parametrize("detail", ["Insufficient balance", "Insufficient funds"])
async def test_too_little_balance_is_its_own_error(detail: str) -> None:
    meta = {"available_balance": "1.0", "total_cost": "8.0"}
    async with talking(refusal(400, detail=detail, meta=meta)) as (client, _):
        failure = await failure_of(order(client))
    assert isinstance(failure, InsufficientBalance)
    assert isinstance(failure, BadRequest)
    assert meta == failure.meta
    assert "Nothing was bought" in str(failure)


async def test_endless_error_text_does_not_flood_the_message() -> None:
    async with talking(refusal(422, detail="x" * 100_000)) as (client, _):
        failure = await failure_of(order(client))
    assert isinstance(failure, ValidationFailed)
    assert len(str(failure)) < 2000
    assert 100_000 == len(failure.detail or "")

"""Each fault as an aiohttp client sees it, and whether the order behind it was placed."""

import asyncio
import time

import aiohttp
import pytest
from simulator.kit import MEDIA_TYPE, SKU_LONDON, order_body, running

from didww_async.simulator import (
    AnswerLate,
    Delay,
    DropAfter,
    DropBefore,
    Garbage,
    GarbageBody,
    HalfBody,
    ListLate,
    Redirect,
    Reset,
    ServerFault,
    StaleClose,
    TooMany,
)

ORDER = order_body({"sku_id": SKU_LONDON, "qty": 1})


@pytest.mark.parametrize(
    ("fault", "expected", "placed"),
    [
        (DropBefore(), aiohttp.ServerDisconnectedError, False),
        (Reset(), aiohttp.ClientOSError, False),
        (DropAfter(), aiohttp.ServerDisconnectedError, True),
        (Reset(acted=True), aiohttp.ClientOSError, True),
        (HalfBody(), aiohttp.ClientPayloadError, True),
        (Garbage(), aiohttp.ClientResponseError, True),
    ],
)
async def test_no_answer(fault, expected, placed):
    async with running() as api:
        api.sim.inject(fault, method="POST", path="/orders")
        with pytest.raises(expected):
            await api.call("POST", "/orders", json=ORDER)
        assert bool(api.sim.orders) is placed
        [request] = api.sim.requests
        assert (request.status, request.acted) == (None, 201 if placed else None)
        assert bool(request.body) is not isinstance(fault, DropBefore)
        # Only one request meets the fault.
        assert (await api.call("POST", "/orders", json=ORDER)).status == 201


async def test_half_a_body_comes_with_status_and_headers():
    async with running() as api:
        api.sim.inject(HalfBody())
        headers = {"Api-Key": "simulator", "Accept": MEDIA_TYPE}
        async with api.session.get(f"{api.sim.base_url}/countries", headers=headers) as response:
            assert response.status == 200
            assert response.content_type == MEDIA_TYPE
            assert response.headers["X-Request-Id"]
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()


@pytest.mark.parametrize(
    ("fault", "status", "body", "headers", "placed"),
    [
        (GarbageBody(), 201, b"", {"Content-Type": MEDIA_TYPE}, True),
        (GarbageBody(b"<p>", "text/html"), 201, b"<p>", {"Content-Type": "text/html"}, True),
        (GarbageBody(b"x" * 10_000_000), 201, b"x" * 10_000_000, {}, True),
        (TooMany(), 429, None, {"Retry-After": None}, False),
        (TooMany("7"), 429, None, {"Retry-After": "7"}, False),
        (ServerFault(), 503, None, {"Content-Type": "text/html"}, False),
        (ServerFault(500, b"", acted=True), 500, b"", {}, True),
        (ServerFault(502, b"{"), 502, b"{", {}, False),
        (
            Redirect(308, "http://127.0.0.1:9/"),
            308,
            b"",
            {"Location": "http://127.0.0.1:9/"},
            False,
        ),
    ],
)
async def test_strange_answers(fault, status, body, headers, placed):
    async with running() as api:
        api.sim.inject(fault, method="POST", path="/v3/orders")
        answer = await api.call("POST", "/orders", json=ORDER)
        assert answer.status == status
        assert body is None or answer.body == body
        for name, text in headers.items():
            assert answer.headers.get(name) == text
        assert answer.headers["X-Request-Id"]
        assert bool(api.sim.orders) is placed
        [request] = api.sim.requests
        assert (request.status, request.acted) == (status, 201 if placed else None)


async def test_a_redirect_to_the_same_url_posts_the_order_at_the_second_try():
    async with running() as api:
        api.sim.inject(Redirect())
        headers = {"Api-Key": "simulator", "Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
        url = f"{api.sim.base_url}/orders"
        async with api.session.post(url, json=ORDER, headers=headers) as response:
            assert response.status == 201
        assert [request.status for request in api.sim.requests] == [307, 201]
        assert all(request.body for request in api.sim.requests)


async def test_delay_acts_late_and_answer_late_acts_at_once():
    async with running() as api:
        for fault, placed in ((Delay(0.2), False), (AnswerLate(0.2), True)):
            api.sim.reset()
            api.sim.inject(fault)
            start = time.monotonic()
            call = asyncio.create_task(api.call("POST", "/orders", json=ORDER))
            await asyncio.sleep(0.1)
            assert bool(api.sim.orders) is placed
            assert (await call).status == 201
            assert time.monotonic() - start >= 0.2
            assert len(api.sim.orders) == 1


async def test_an_order_is_placed_even_if_the_client_went_away():
    async with running() as api:
        api.sim.inject(Delay(0.05))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await api.call("POST", "/orders", json=ORDER)
        await asyncio.sleep(0.06)
        assert len(api.sim.orders) == 1


async def test_list_late_hides_only_its_own_order():
    async with running() as api:
        api.sim.inject(ListLate(0.25), method="POST")
        late = (await api.call("POST", "/orders", json=ORDER)).json["data"]["id"]
        prompt = (await api.call("POST", "/orders", json=ORDER)).json["data"]["id"]
        assert (await api.get("/orders")).ids == [prompt]
        await asyncio.sleep(0.26)
        assert (await api.get("/orders")).ids == [late, prompt]


async def test_stale_close_answers_and_closes_the_idle_connection():
    async with running() as api:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port_of(api.sim)))
        request = (
            "GET /v3/balance HTTP/1.1\r\nHost: x\r\nApi-Key: simulator\r\n"
            f"Accept: {MEDIA_TYPE}\r\n\r\n"
        ).encode()
        api.sim.inject(StaleClose(), after=1)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split()[0]))
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" not in answer.lower()
        writer.close()
        await writer.wait_closed()


def port_of(sim):
    return sim.base_url.split(":")[2].split("/")[0]


async def test_which_requests_meet_a_fault():
    async with running() as api:

        async def statuses(*calls):
            return [(await api.call(method, path)).status for method, path in calls]

        get_all, get_one = ("GET", "/orders"), ("GET", "/orders/1")
        injection = api.sim.inject(ServerFault(500), method="get", path="/orders", times=2, after=1)
        assert await statuses(get_all, get_one, get_all, get_all, get_all) == [
            200,
            404,
            500,
            500,
            200,
        ]
        assert injection.hits == 2
        api.sim.inject(ServerFault(500), path="/orders/*")
        assert await statuses(get_all, get_one, get_one) == [200, 500, 404]
        api.sim.inject(ServerFault(500), times=None)
        assert await statuses(get_all, get_one) == [500, 500]
        api.sim.clear_faults()
        assert await statuses(get_all) == [200]


async def test_faults_come_one_after_the_other():
    async with running() as api:
        api.sim.inject(ServerFault(500))
        api.sim.inject(ServerFault(502))
        statuses = [(await api.call("GET", "/balance")).status for _ in range(3)]
        assert statuses == [500, 502, 200]


@pytest.mark.parametrize("faults", [[ServerFault(500), TooMany()], {TooMany(): 1.0, Delay(0): 0}])
async def test_random_faults_repeat_with_the_seed(faults):
    async with running() as api:

        async def statuses(seed):
            api.sim.reset()
            api.sim.inject_randomly(faults, rate=0.3, seed=seed, method="GET")
            return [(await api.call("GET", "/balance")).status for _ in range(40)]

        first = await statuses(1)
        assert first == await statuses(1)
        assert first != await statuses(2)
        assert 0 < sum(status != 200 for status in first) < 25
        assert (await api.call("POST", "/orders", json=ORDER)).status == 201


async def test_a_reset_forgets_everything():
    async with running(completes_after=0.01, rate_limit=3, balance=50) as api:
        api.sim.inject(ServerFault(), times=None, path="/countries")
        await api.call("POST", "/orders", json=ORDER)
        api.sim.balance = 1
        api.sim.set_price(SKU_LONDON, setup_price="9")
        await api.get("/balance")
        api.sim.reset()
        await asyncio.sleep(0.03)
        assert (api.sim.orders, api.sim.dids, api.sim.requests) == ([], [], [])
        assert (await api.get("/countries")).ids
        account = (await api.get("/balance")).json["data"]["attributes"]
        assert account["balance"] == "50.00"
        answer = await api.call("POST", "/orders", json=ORDER)
        assert answer.json["data"]["attributes"]["amount"] == "0.3"


async def test_the_server_stops_at_once_though_a_request_is_waiting():
    async with running() as api:
        api.sim.inject(AnswerLate(30))
        call = asyncio.create_task(api.call("POST", "/orders", json=ORDER))
        async with asyncio.timeout(5):
            while not api.sim.orders:
                await asyncio.sleep(0.001)
            await api.sim.stop()
            with pytest.raises(aiohttp.ClientError):
                await call

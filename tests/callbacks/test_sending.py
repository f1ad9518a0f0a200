"""The simulator as the one who calls back: what it sends, and what it must never do."""

import asyncio

import pytest
from aiohttp import web
from callbacks.kit import Handler, attempts, callers, listening, order, statuses, under_aiohttp
from didww.callback.request_validator import RequestValidator
from simulator.kit import OLD, SKU_LONDON

from didww_async.callbacks import CallbackReceiver
from didww_async.simulator import (
    REAL_RETRIES,
    CallbackForged,
    CallbackLate,
    CallbackLost,
    SentCallback,
    Simulator,
)

SECRET = "simulator-secret"


class Recorder:
    """A web server that notes requests and answers what it is told."""

    def __init__(self, *answers: int):
        self.answers = list(answers)
        self.requests = []

    async def __call__(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path, dict(await request.post())))
        self.headers = request.headers
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"})


async def test_post():
    recorder = Recorder()
    async with listening(recorder) as url, callers(callback_secret="mine") as api:
        order_id = await order(api, url + "/cb?a=%41#b", "post")
        [sent] = await attempts(api)
        payload = {"id": order_id, "status": "completed", "type": "orders"}
        assert [("POST", "/cb?a=%41", payload)] == recorder.requests
        assert "application/x-www-form-urlencoded" == recorder.headers["Content-Type"]
        assert sent == SentCallback(
            resource_id=order_id,
            method="POST",
            url=url + "/cb?a=%41#b",
            payload=payload,
            signature=recorder.headers["X-DIDWW-Signature"],
            attempt=1,
            time=sent.time,
            status=204,
        )
        assert RequestValidator("mine").validate(sent.url, payload, sent.signature)


@pytest.mark.parametrize(("own", "joint"), [("", "?"), ("?a=%41", "&")])
async def test_get(own, joint):
    recorder = Recorder()
    async with listening(recorder) as url, callers() as api:
        order_id = await order(api, f"{url}/cb{own}", "get")
        [sent] = await attempts(api)
        target = f"/cb{own}{joint}id={order_id}&status=completed&type=orders"
        assert [("GET", target, {})] == recorder.requests
        assert (url + target, 204) == (sent.url, sent.status)
        signature = recorder.headers["X-DIDWW-Signature"]
        assert RequestValidator(SECRET).validate(sent.url, dict(sent.payload), signature)


async def test_the_old_version_is_called_back_as_well():
    recorder = Recorder()
    async with listening(recorder) as url, callers() as api:
        item = {"sku_id": SKU_LONDON, "qty": 1}
        await api.speaking(OLD).order(item, callback_url=url, callback_method="GET")
        assert [204] == await statuses(api)
        assert recorder.requests[0][1].startswith("/?id=")


async def test_without_a_callback_url_nobody_is_called():
    async with callers(completes_after=None) as api:
        placed = await api.order({"sku_id": SKU_LONDON, "qty": 1})
        api.sim.complete(placed.json["data"]["id"])
        assert [] == api.sim.callbacks


async def test_it_tries_ten_times():
    recorder = Recorder(*[500, 404, 302, 199 + 101, 400, 403, 503, 500, 500, 500])
    async with listening(recorder) as url, callers(callback_retries=[0.001] * 9) as api:
        await order(api, url)
        assert [500, 404, 302, 300, 400, 403, 503, 500, 500, 500] == await statuses(api, 10)
        await asyncio.sleep(0.05)
        assert list(range(1, 11)) == [sent.attempt for sent in api.sim.callbacks]
        assert 1 == len({sent.signature for sent in api.sim.callbacks})
    assert (9, 10) == (len(REAL_RETRIES), len(recorder.requests))
    assert 9 == len(Simulator().callback_retries)


async def test_nobody_answers():
    async with listening(Recorder()) as gone:
        pass
    async with callers(callback_retries=[0.001]) as api:
        await order(api, gone)
        sent = await attempts(api, 2)
        assert [None, None] == [attempt.status for attempt in sent]
        assert "ClientConnectorError" in sent[0].error


async def test_an_answer_that_takes_too_long():
    handler = Handler(wait=lambda: asyncio.sleep(0.2))
    receiver = CallbackReceiver(secret=SECRET, handle=handler)
    options = {"callback_timeout": 0.05, "callback_retries": [0.3]}
    async with under_aiohttp(receiver) as url, callers(**options) as api:
        await order(api, url)
        assert [None, 204] == await statuses(api, 2)
        assert "TimeoutError" in api.sim.callbacks[0].error
        # The handler was not broken off, and the repeat was not needed.
        assert handler.calls == len(handler.seen) == 1


NOT_THIS_MACHINE = [
    "https://example.com/callback",
    "http://127.0.0.1@example.com/",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "http://2130706433/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://[::]/",
    "http://[::1",
    "http://",
    "http:///",
    "http://ex ample/",
    "http://\u2139/",
    "http://:80:80/",
]


async def test_only_this_machine_is_called():
    async with callers() as api:
        for url in NOT_THIS_MACHINE:
            await order(api, url, "get")
            await order(api, url, "post")
        sent = await attempts(api, 2 * len(NOT_THIS_MACHINE))
        assert {(None, "not sent: not this machine")} == {(one.status, one.error) for one in sent}
        assert {"completed"} == {placed.status for placed in api.sim.orders}


async def test_this_machine_by_name():
    async with listening(Recorder()) as url, callers() as api:
        await order(api, url.replace("127.0.0.1", "localhost"))
        assert [204] == await statuses(api)


async def test_a_lost_callback():
    recorder = Recorder()
    async with listening(recorder) as url, callers() as api:
        api.sim.inject_callback(CallbackLost())
        await order(api, url)
        [sent] = await attempts(api)
        assert (None, "not sent: lost", False) == (sent.status, sent.error, sent.delivered)
        await order(api, url)
        assert [None, 204] == await statuses(api, 2)
        assert 1 == len(recorder.requests)


async def test_a_late_callback():
    async with listening(Recorder()) as url, callers() as api:
        api.sim.inject_callback(CallbackLate(0.1))
        late = await order(api, url)
        in_time = await order(api, url)
        assert [in_time, late] == [sent.resource_id for sent in await attempts(api, 2)]


async def test_a_forged_callback():
    handler = Handler()
    receiver = CallbackReceiver(secret=SECRET, handle=handler)
    async with under_aiohttp(receiver) as url, callers(callback_retries=[0.001]) as api:
        api.sim.inject_callback(CallbackForged(), times=None)
        await order(api, url)
        assert [403, 403] == await statuses(api, 2)
        api.sim.reset()
        await order(api, url)
        assert [204] == await statuses(api)
        assert handler.calls == 1


def sending() -> list[str]:
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    return [name for name in names if "CallbackSender" in name]


async def test_nothing_is_left_when_it_stops():
    async with listening(Recorder(500)) as url:
        async with callers(callback_retries=[60.0]) as api:
            await order(api, url)
            assert [500] == await statuses(api)
            api.sim.inject_callback(CallbackLate(60))
            await order(api, url)
            await asyncio.sleep(0.01)
            assert 2 == len(sending())
        assert [] == sending()
        assert [500] == [sent.status for sent in api.sim.callbacks]


async def test_after_the_stop_nothing_is_sent():
    recorder = Recorder()
    async with listening(recorder) as url, callers(completes_after=None) as api:
        order_id = await order(api, url)
        await api.sim.stop()
        api.sim.complete(order_id)
        [sent] = api.sim.callbacks
        assert "not sent: the simulator is not running" == sent.error
        await api.sim.start()
        assert [] == recorder.requests


async def test_a_reset_breaks_off_what_is_being_sent():
    recorder = Recorder(*[500] * 100)
    async with listening(recorder) as url, callers() as api:
        await order(api, url)
        await attempts(api)
        api.sim.reset()
        count = len(recorder.requests)
        await asyncio.sleep(0.1)
        assert [] == api.sim.callbacks
        assert len(recorder.requests) <= count + 1

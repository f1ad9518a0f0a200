"""Keys, media types, versions, the rate limit, unknown operations, and the record of requests."""

import asyncio
import time

import pytest
from simulator.kit import MEDIA_TYPE, NEW, OLD, US, running

from didww_async.simulator import Simulator, serve


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/countries", {"Api-Key": None}, 401),
        ("GET", "/countries", {"Api-Key": "wrong"}, 401),
        ("GET", "/countries", {"Api-Key": "schlüssel"}, 401),
        ("GET", "/nothing", {"Api-Key": None}, 401),
        ("GET", "/countries", {"Accept": None}, 406),
        ("GET", "/countries", {"Accept": "*/*"}, 406),
        ("GET", "/countries", {"Accept": f"{MEDIA_TYPE}; charset=utf-8"}, 406),
        ("GET", "/countries", {"Accept": f"text/html, {MEDIA_TYPE}"}, 200),
        ("GET", "/countries", {"Content-Type": None}, 200),
        ("POST", "/orders", {"Content-Type": None}, 415),
        ("POST", "/orders", {"Content-Type": "application/json"}, 415),
        ("POST", "/orders", {"Content-Type": f"{MEDIA_TYPE}; charset=utf-8"}, 415),
        ("PATCH", "/orders/1", {"Content-Type": "application/json"}, 415),
        ("GET", "/nothing", {}, 404),
        ("GET", "/countries/1/regions", {}, 404),
        ("GET", f"/countries/{US}", {}, 200),
        ("GET", "/countries/1", {}, 404),
        ("GET", "/stock_keeping_units", {}, 404),
        ("GET", "/balance/1", {}, 404),
        ("POST", "/countries", {}, 404),
        ("PATCH", "/orders", {}, 404),
        ("DELETE", "/orders", {}, 404),
        ("DELETE", "/dids/1", {}, 404),
        ("PUT", "/orders/1", {}, 404),
    ],
)
async def test_admission(method, path, headers, status):
    async with running() as api:
        answer = await api.call(method, path, headers=headers)
        assert answer.status == status
        assert answer.headers["X-Request-Id"]
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        if status >= 400:
            assert answer.error["status"] == str(status)


async def test_outside_of_the_api_is_nothing():
    async with running() as api:
        url = api.sim.base_url.removesuffix("/v3")
        headers = {"Api-Key": "simulator", "Accept": MEDIA_TYPE}
        async with api.session.get(f"{url}/countries", headers=headers) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("default", "asked", "served"),
    [
        (OLD, None, OLD),
        (OLD, OLD, OLD),
        (OLD, NEW, NEW),
        (OLD, "2021-04-19", OLD),
        (OLD, "tomorrow", OLD),
        (NEW, None, NEW),
        (NEW, OLD, NEW),
    ],
)
async def test_versions(default, asked, served):
    async with running(default_version=default) as api:
        answer = await api.call("GET", "/countries", headers={"X-DIDWW-API-Version": asked})
        assert answer.json["meta"]["api_version"] == served


async def test_the_bearer_version_answers_401_without_a_body():
    async with running() as api:
        answer = await api.speaking("2026-11-19").call("GET", "/countries")
        assert (answer.status, answer.body) == (401, b"")


def test_a_version_that_is_not_spoken():
    with pytest.raises(ValueError, match="2022-05-10"):
        Simulator(default_version="2021-04-19")


async def test_the_rate_limit_is_exact():
    async with running(rate_limit=5) as api:
        statuses = [(await api.call("GET", "/balance")).status for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        answer = await api.call("GET", "/balance")
        assert answer.json == {"errors": [{"detail": "Too Many Requests", "status": "429"}]}
        assert "Retry-After" not in answer.headers
        # Somebody else's wrong key does not use up the limit, and is not limited.
        wrong = await api.call("GET", "/balance", headers={"Api-Key": "wrong"})
        assert wrong.status == 401
        first = api.sim.requests[0].time
        await asyncio.sleep(first + 1.0 - time.monotonic() + 0.05)
        assert (await api.call("GET", "/balance")).status == 200


async def test_every_request_is_remembered():
    async with running() as api:
        await api.get("/cities?filter[name]=New York&page[size]=2")
        await api.call("GET", "/countries", headers={"Api-Key": "wrong"})
        await api.call("POST", "/orders", json={"data": 1})
        listed, refused, posted = api.sim.requests
        assert (listed.method, listed.path, listed.status) == ("GET", "/cities", 200)
        assert listed.raw_path == "/v3/cities?filter%5Bname%5D=New+York&page%5Bsize%5D=2"
        assert listed.query == (("filter[name]", "New York"), ("page[size]", "2"))
        assert listed.headers["api-key"] == "simulator"
        assert listed.json is None
        assert refused.status == refused.acted == 401
        assert posted.json == {"data": 1}
        assert listed.time < refused.time < posted.time


async def test_latency():
    async with running(latency=0.05) as api:
        start = time.monotonic()
        await api.get("/balance")
        assert time.monotonic() - start >= 0.05


async def test_serving_until_cancelled():
    started = asyncio.Event()
    served = []

    def on_start(simulator):
        served.append(simulator.base_url)
        started.set()

    task = asyncio.create_task(serve(api_key="k", started=on_start))
    await asyncio.wait_for(started.wait(), 5)
    assert served[0].startswith("http://127.0.0.1:")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_two_simulators_do_not_share_anything():
    async with running(api_key="a") as one, running(api_key="b", balance=5) as other:
        assert one.sim.base_url != other.sim.base_url
        assert (await one.call("GET", "/balance", headers={"Api-Key": "b"})).status == 401
        assert (await other.get("/balance")).json["data"]["attributes"]["balance"] == "5.00"


async def test_stopping_and_starting_again():
    async with running() as api:
        sim = api.sim
        with pytest.raises(RuntimeError, match="running already"):
            await sim.start()
        await sim.stop()
        await sim.start()
        await api.get("/balance")


def test_no_url_before_the_start():
    with pytest.raises(RuntimeError, match="before it was started"):
        _ = Simulator().base_url

"""What the sender relies on in its connections: one each, never silently a second one."""

import asyncio
import math
from typing import Any

import aiohttp
import pytest
from client.servers import (
    COUNTRIES,
    Say,
    Server,
    client_of,
    failure_of,
    listening,
    refusal,
    reply,
    talking,
)
from waiting import until

from didww_async import InvalidInput, OutcomeUnknown, RateLimit, Timeouts


@pytest.mark.parametrize("borrowed", [False, True])
async def test_dropped_connection_is_never_replaced_behind_our_back(borrowed: bool) -> None:
    answers = [reply(COUNTRIES), Say(then="close"), reply(COUNTRIES)]
    async with Server(answers) as server, aiohttp.ClientSession() as session:
        options: dict[str, Any] = {"session": session} if borrowed else {}
        async with client_of(server, **options) as client:
            await client.countries.list()
            failure = await failure_of(client.countries.list())
    assert isinstance(failure, OutcomeUnknown)
    assert 2 == len(server.requests)


async def test_slot_is_held_from_when_the_request_left_not_from_when_it_was_granted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connecting = asyncio.Event()
    connect = aiohttp.TCPConnector.connect

    async def slow_connect(self: Any, *args: Any, **more: Any) -> Any:
        await connecting.wait()
        return await connect(self, *args, **more)

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", slow_connect)
    now = 0.0
    limit = RateLimit(1, clock=lambda: now)
    async with talking(Say(then="hang"), rate_limit=limit) as (client, server):
        task = asyncio.create_task(client.countries.list())
        await asyncio.sleep(0.02)
        now = 100.0
        assert math.inf == limit._slots.delay(now)  # connecting: it may leave any time
        connecting.set()
        await until(lambda: len(server.requests) == 1)
        assert 0 < limit._slots.delay(now) < math.inf  # left, though there is no answer yet
        task.cancel()
        await failure_of(task)


async def test_without_a_limit_for_silence_the_total_counts() -> None:
    async with talking(Say(then="hang"), timeouts=Timeouts(connect=0.1, total=0.2)) as (client, _):
        assert isinstance(await failure_of(client.countries.list()), OutcomeUnknown)
    with pytest.raises(InvalidInput, match="read"):
        Timeouts(read=0)


async def test_reply_in_many_pieces_is_read_whole() -> None:
    whole = reply(COUNTRIES).data

    async def in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for at in range(0, len(whole), 40):
            writer.write(whole[at : at + 40])
            await asyncio.sleep(0.001)

    async with listening(in_pieces) as port, client_of(f"http://127.0.0.1:{port}/v3") as client:
        assert ["us"] == [country.id for country in await client.countries.list()]


async def test_auth_that_fails_over_a_refusal_does_not_make_the_outcome_unknown() -> None:
    class Broken:
        async def headers(self) -> dict[str, str]:
            return {"Authorization": "Bearer something"}

        def refused(self, refusal: Any, headers: Any) -> Any:
            raise TimeoutError("the user's own")

    async with talking(refusal(401), api_key=Broken()) as (client, server):
        failure = await failure_of(client.countries.list())
    assert TimeoutError is type(failure)
    assert 1 == len(server.requests)

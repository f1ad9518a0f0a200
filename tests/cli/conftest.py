"""A simulator, with a key that must not show up anywhere, and a home without a journal."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cli.commands import KEY, pointed_at
from cli.purchases_here import Here
from stores import POSTGRES, connected

from didww_async.simulator import Simulator


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state directory: one of the test's own."""
    for name in [name for name in os.environ if name.startswith("DIDWW_")]:
        if name not in {"DIDWW_TEST_POSTGRES", "DIDWW_REQUIRE_POSTGRES"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(api_key=KEY, rate_limit=None, completes_after=0.05) as running:
        yield running


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator in a thread, for commands run in this process; the environment leads to it."""
    started: Future[Simulator] = Future()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with Simulator(api_key=KEY, rate_limit=None, completes_after=0.0) as running:
            started.set_result(running)
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    simulator = started.result(10)
    for name, text in pointed_at(simulator).items():
        monkeypatch.setenv(name, text)
    yield simulator
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


@pytest.fixture
def here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs commands in this process on a journal of the test's own."""
    return Here(tmp_path / "mine.db", capsys)


@pytest.fixture
def postgres() -> Iterator[str]:
    """The address of an empty database, with a password in it that must not show up."""
    server = connected()
    from psycopg.conninfo import conninfo_to_dict

    name = f"didww_test_cli_{os.getpid()}"
    parts = {"password": KEY, **conninfo_to_dict(POSTGRES), "dbname": name}
    with server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgresql:///?{urlencode(parts)}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")

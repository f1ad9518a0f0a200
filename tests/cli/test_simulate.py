"""`didww-async simulate`: a server until it is stopped."""

import signal
import socket
import sys

import pytest
from cli.commands import ended, run, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_says_where_it_is_and_serves(number: int) -> None:
    async with started("simulate", "--api-key", "mine") as server:
        assert server.stdout is not None
        url = (await server.stdout.readline()).decode().strip()
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/v3")
        said = await run("balance", env={"DIDWW_BASE_URL": url, "DIDWW_API_KEY": "mine"})
        assert said.code == 0
        server.send_signal(number)
        over = await ended(server)
    assert (over.code, over.out) == (0, "")
    assert f"export DIDWW_BASE_URL={url}" in over.err
    assert "export DIDWW_API_KEY=mine" in over.err


async def test_the_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = await run("simulate", "--port", port)
    assert said.code == 1
    assert port in said.err

"""The guided purchase at a terminal: a pseudo-terminal, the real command, real keys."""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import AsyncIterator

import pytest
from cli.commands import COMMAND, KEY, environment, pointed_at

from didww_async.simulator import Simulator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])|\r")
DOWN, ENTER, ESCAPE, CTRL_C = "\x1b[B", "\r", "\x1b", "\x03"


class Terminal:
    """A person at a terminal: waits for words, then types."""

    def __init__(self, number: int, process: asyncio.subprocess.Process) -> None:
        self._number = number
        self.process = process
        self.shown = ""
        self._unread = 0

    async def sees(self, words: str) -> None:
        """Wait until the words show up after those seen before."""
        deadline = time.monotonic() + 15
        while (place := self.shown.find(words, self._unread)) < 0:
            assert time.monotonic() < deadline, f"no {words!r} in {self.shown[self._unread :]!r}"
            await asyncio.sleep(0.02)
        self._unread = place + len(words)

    def types(self, keys: str) -> None:
        os.write(self._number, keys.encode())

    async def leaves(self) -> int:
        """Wait for the end and return the exit code."""
        code = await asyncio.wait_for(self.process.wait(), 15)
        await asyncio.sleep(0.05)
        assert KEY not in self.shown
        return code

    def reads(self) -> None:
        with contextlib.suppress(OSError):
            self.shown += ESCAPES.sub("", os.read(self._number, 65536).decode(errors="replace"))


@contextlib.asynccontextmanager
async def at_terminal(*arguments: str, simulator: Simulator) -> AsyncIterator[Terminal]:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1", **pointed_at(simulator)),
        start_new_session=True,
    )
    os.close(theirs)
    terminal = Terminal(ours, process)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, terminal.reads)
    try:
        yield terminal
    finally:
        loop.remove_reader(ours)
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)


async def test_from_the_country_to_the_number(simulator: Simulator) -> None:
    async with at_terminal("buy", simulator=simulator) as terminal:
        await terminal.sees("? Country")
        terminal.types("united stat")
        await terminal.sees("1 of")
        terminal.types(ENTER)
        await terminal.sees("? Number type")
        await terminal.sees("Toll-free")
        terminal.types(DOWN + ENTER)
        await terminal.sees("? Region")
        terminal.types("new y" + ENTER)
        await terminal.sees("? Narrow it down")
        terminal.types("npa" + ENTER)
        await terminal.sees("? Area code (NPA)")
        terminal.types("212" + ENTER)
        await terminal.sees("? Prefix (NPA-NXX)")
        terminal.types(ENTER)
        await terminal.sees("? Offer")
        terminal.types("2 ch" + ENTER)
        await terminal.sees("How many")
        terminal.types("3" + ENTER)
        await terminal.sees("Due now")
        await terminal.sees("24.00")
        await terminal.sees("(y/N)")
        terminal.types("y")
        await terminal.sees("is completed")
        assert await terminal.leaves() == 0
    (order,) = simulator.orders
    assert order.qty == 3
    assert order.items[0].prefix_id is not None
    assert all(did.number in terminal.shown for did in simulator.dids)


async def test_asks_only_for_what_is_missing(simulator: Simulator) -> None:
    options = ("--country", "DE", "--city", "Berlin", "--channels", "2", "--quantity", "2")
    async with at_terminal("buy", *options, simulator=simulator) as terminal:
        await terminal.sees("(y/N)")
        assert "type to search" not in terminal.shown
        terminal.types(ENTER)
        assert await terminal.leaves() == 130
    assert "Nothing was bought." in terminal.shown
    assert simulator.orders == []


@pytest.mark.parametrize("key", [ESCAPE, CTRL_C])
async def test_leaving_a_question(simulator: Simulator, key: str) -> None:
    async with at_terminal("buy", simulator=simulator) as terminal:
        await terminal.sees("? Country")
        terminal.types("xyzzy" + ENTER)  # nothing is called that, so nothing is taken
        await terminal.sees("nothing is called that")
        terminal.types(key)
        assert await terminal.leaves() == 130
    assert "Nothing was bought." in terminal.shown
    assert "Traceback" not in terminal.shown
    assert all(request.method == "GET" for request in simulator.requests)


async def test_nothing_on_offer_there_asks_again(simulator: Simulator) -> None:
    options = ("--country", "BS", "--feature", "a2p", "--feature", "t38", "--feature", "cnam_out")
    async with at_terminal("buy", *options, simulator=simulator) as terminal:
        for _ in range(2):
            await terminal.sees("? Narrow it down  (type")
            terminal.types("show all" + ENTER)
            await terminal.sees("choose again")
        await terminal.sees("? Narrow it down  (type")
        terminal.types(ESCAPE)
        assert await terminal.leaves() == 130


async def test_a_table_at_a_terminal(simulator: Simulator) -> None:
    async with at_terminal("countries", simulator=simulator) as terminal:
        await terminal.sees("ISO  NAME")
        await terminal.sees("Vietnam")
        assert await terminal.leaves() == 0

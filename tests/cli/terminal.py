"""A person at a terminal: a pseudo-terminal, the real command, real keys."""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import AsyncIterator

from cli.commands import COMMAND, KEY, environment, pointed_at

from didww_async.simulator import Simulator

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
        try:
            code = await asyncio.wait_for(self.process.wait(), 15)
        except TimeoutError:
            raise AssertionError(f"it did not end: {self.shown!r}") from None
        await asyncio.sleep(0.05)
        assert KEY not in self.shown
        return code

    def closes(self) -> None:
        """Close the window."""
        asyncio.get_running_loop().remove_reader(self._number)
        os.close(self._number)

    def reads(self) -> None:
        with contextlib.suppress(OSError):
            self.shown += ESCAPES.sub("", os.read(self._number, 65536).decode(errors="replace"))


@contextlib.asynccontextmanager
async def at_terminal(*arguments: str, simulator: Simulator) -> AsyncIterator[Terminal]:
    """The command at a terminal of its own: Ctrl-C interrupts it, and so does closing it."""
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
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    terminal = Terminal(ours, process)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, terminal.reads)
    try:
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        with contextlib.suppress(OSError):
            terminal.closes()

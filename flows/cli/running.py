"""Running a command's coroutine: one interrupt stops it with care, a second one at once."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any

from flows.cli.exits import Exit
from flows.cli.screen import Screen
from flows.cli.warned import warnings_on

__all__ = ["run"]

SILENCE = 1.0  # seconds in which an interrupted command may end before it says why it has not


def run(
    work: Coroutine[Any, Any, int], *, screen: Screen, at_once: Callable[[], None] | None = None
) -> int:
    """Run `work` and return its exit code; what the library warns of is said on the screen.

    A run that would end well, but whose result could not be written, has failed.

    Ctrl-C, SIGTERM and SIGHUP cancel it. Work that handles the cancellation may take its time and
    return a code of its own; another interrupt then calls `at_once` and ends the process.
    """
    with warnings_on(screen), asyncio.Runner() as runner:
        interrupts = _Interrupts(runner.get_loop(), screen, at_once)
        try:
            with interrupts.caught():
                code = runner.run(interrupts.watched(work))
            return code or (Exit.FAILED if screen.lost_results else Exit.OK)
        except asyncio.CancelledError:
            return Exit.INTERRUPTED


class _Interrupts:
    """Counts interrupts. None of them becomes a KeyboardInterrupt: raised in the middle of a
    coroutine, it would wait for the cleaning up that a second one is meant to skip."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        screen: Screen,
        at_once: Callable[[], None] | None,
    ) -> None:
        self._loop = loop
        self._screen = screen
        self._at_once = at_once
        self._task: asyncio.Task[Any] | None = None
        self._count = 0

    async def watched(self, work: Coroutine[Any, Any, int]) -> int:
        self._task = asyncio.current_task()
        return await work

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        before: dict[int, Any] = {}
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What nohup or a shell told us to ignore stays ignored.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        self._count += 1
        match self._count:
            case 1:
                self._loop.call_soon_threadsafe(self._cancel)
            case 2:
                # Not here: it writes, and may have interrupted a write.
                self._loop.call_soon_threadsafe(self._leave)
            case _:
                os._exit(Exit.INTERRUPTED)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._at_once is None:  # the others say what they wait for
            self._loop.call_later(SILENCE, self._say_waiting)

    def _say_waiting(self) -> None:
        self._screen.say(
            "Interrupted: waiting for what can't be broken off. Ctrl-C again leaves at once.",
            "warning",
        )

    def _leave(self) -> None:
        if self._at_once is not None:
            self._at_once()
        sys.stdout.flush()
        os._exit(Exit.INTERRUPTED)

"""Worker: runs blocking transactions in threads of its own, each of them whole.

Both durable journals talk to their store in blocking calls, because a transaction then is one
function: no cancellation can fall between its statements, and no event loop owns anything.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from flows.journal.errors import JournalUnusable

__all__ = ["Worker"]

T = TypeVar("T")


class Worker:
    """Threads that end with `aclose()` (or, when that is forgotten, with the program).

    Usable from several event loops at once. Not usable after a fork: the threads stay behind.
    """

    def __init__(self, name: str, *, threads: int) -> None:
        self._name = name
        self._pid = os.getpid()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="didww-journal")
        self._closing: Future[None] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread and return what it returns.

        A caller that is cancelled gets its CancelledError when it is certain what happened: at
        once if the work had not begun (then it never does), otherwise when it has ended.
        """
        if os.getpid() != self._pid:
            raise JournalUnusable(
                f"{self._name} was made before this process was forked; "
                "make a journal in every process"
            )
        if self._closing is not None:
            raise JournalUnusable(f"{self._name} is closed")
        try:
            job = self._threads.submit(work)
        except RuntimeError as error:  # the program ends
            raise JournalUnusable(f"{self._name} can't be used any more: {error}") from error
        return await _result(job)

    async def aclose(self, last: Callable[[], None]) -> None:
        """Wait for what was asked for, run `last`, and end the threads. Twice is once."""
        if os.getpid() != self._pid:
            return
        if self._closing is not None:
            await _end(asyncio.wrap_future(self._closing))
            return
        closer = ThreadPoolExecutor(1, thread_name_prefix="didww-journal-close")
        self._closing = closer.submit(self._close, last)
        try:
            await _end(asyncio.wrap_future(self._closing))
        finally:
            closer.shutdown()  # its only work is done: this does not block

    def _close(self, last: Callable[[], None]) -> None:
        self._threads.shutdown()
        last()


async def _result(job: "Future[T]") -> T:
    """What the job returns; a job that has not begun when the caller is cancelled is dropped."""
    ended = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(ended)
    except asyncio.CancelledError as cancelled:
        if job.cancel():
            raise
        return await _end(ended, cancelled)


async def _end(ended: "asyncio.Future[T]", cancelled: asyncio.CancelledError | None = None) -> T:
    """Wait for the job however often the caller is cancelled, and tell about both after that."""
    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from ended.exception()
    return ended.result()

"""Ends what takes too long, with one timer for all requests: a timer for each is dear.

aiohttp's own total time-out sets up and takes down a timer, and enters a scope, for every request:
about a tenth of what a small one costs.
"""

import asyncio
import math
from operator import attrgetter

__all__ = ["Deadline", "Deadlines"]


class Deadline:
    """The end of one task's patience. Whatever happens, `end()` it before anything else is awaited:
    a task that counts one cancellation too many misleads all who look at `Task.cancelling()`."""

    __slots__ = ("_all", "_cancelling", "_ours", "_task", "due")

    def __init__(self, all_: "Deadlines", task: "asyncio.Task[object]", due: float) -> None:
        self.due = due
        self._all = all_
        self._task: asyncio.Task[object] | None = task
        self._cancelling = task.cancelling()
        self._ours = False  # whether a cancellation came from here

    def end(self) -> bool:
        """Nothing is waited for any more.

        Returns whether a CancelledError that was caught came from here, and from nobody else. The
        time-outs of the standard library tell the two apart in the same way.
        """
        # The task is let go of: the traceback that a cancelled one keeps leads here.
        task, self._task = self._task, None
        if task is not None:
            self._all.running.discard(self)
            if self._ours:
                self._ours = task.uncancel() <= self._cancelling
        return self._ours

    def expire(self) -> None:
        if self._task is not None:
            self._ours = True
            self._task.cancel()


class Deadlines:
    """All deadlines of one event loop's requests: few, because connections are limited."""

    def __init__(self) -> None:
        self.running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = math.inf

    def begin(self, seconds: float) -> Deadline:
        """Cancel the current task so many seconds from now, unless it ends the deadline before."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a request is sent from a task")
        deadline = Deadline(self, task, loop.time() + seconds)
        self.running.add(deadline)
        if deadline.due < self._looks_at:
            self._look_at(deadline.due, loop)
        return deadline

    def close(self) -> None:
        """Let go of the timer, unless something still runs: it is ended when its time comes."""
        if self._timer is not None and not self.running:
            self._timer.cancel()
            self._timer, self._looks_at = None, math.inf

    def _look_at(self, moment: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._looks_at = loop.call_at(moment, self._look, loop), moment

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._looks_at = None, math.inf
        now = loop.time()
        late = [deadline for deadline in self.running if deadline.due <= now]
        self.running.difference_update(late)
        for deadline in sorted(late, key=attrgetter("due")):
            deadline.expire()
        if self.running:
            self._look_at(min(deadline.due for deadline in self.running), loop)

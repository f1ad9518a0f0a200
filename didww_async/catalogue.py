"""Catalogue: equal reads at the same time are one request, and reference data is kept for a while.

For countries, regions, cities, prefixes and number types. Never for stock, prices or balance.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

from didww_async.errors import ClientClosed

__all__ = ["Catalogue"]

T = TypeVar("T")


class Catalogue:
    """A small cache with single flight, for one client.

    `keep_for`: seconds an answer is kept; `size`: answers kept at most, the oldest go first.
    """

    def __init__(
        self,
        *,
        keep_for: float = 300.0,
        size: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep_for = keep_for
        self._size = size
        self._clock = clock
        self._answers: OrderedDict[Hashable, tuple[float, asyncio.Task[Any]]] = OrderedDict()
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def once(self, key: Hashable, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the answer for `key`, fetching it only if nobody has or is about to.

        A failed fetch raises in every caller that waited for it and is not kept. A cancelled
        caller does not cancel the fetch for the others. Raises ClientClosed when the client is
        closed, also while it waits.
        """
        now = self._clock()
        found = self._answers.get(key)
        if found is None or found[0] <= now or _failed(found[1]):
            found = (now + self._keep_for, self._started(fetch))
            self._answers[key] = found
            self._answers.move_to_end(key)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        try:
            answer: T = await asyncio.shield(found[1])
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if not (self._closed and found[1].cancelled()) or (caller and caller.cancelling()):
                raise
        else:
            return answer
        raise ClientClosed("the client was closed while this was being fetched")

    def forget(self) -> None:
        """Drop everything that is kept."""
        self._answers.clear()

    async def aclose(self) -> None:
        """Cancel what is still being fetched; whoever waits for it gets ClientClosed."""
        self._closed = True
        self._answers.clear()
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _started(self, fetch: Callable[[], Coroutine[Any, Any, T]]) -> "asyncio.Task[T]":
        if self._closed:
            raise ClientClosed("this client is closed; make a new one")
        task = asyncio.create_task(fetch())
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        _failed(task)  # looked at, also when every caller has gone


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)

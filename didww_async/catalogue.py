"""Catalogue: equal reads at the same time are one request, and reference data is kept for a while.

For countries, regions, cities, prefixes and number types. Never for stock, prices or balance.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

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

    async def once(self, key: Hashable, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the answer for `key`, fetching it only if nobody has or is about to.

        A failed fetch raises in every caller that waited for it and is not kept. A cancelled
        caller does not cancel the fetch for the others.
        """
        now = self._clock()
        found = self._answers.get(key)
        if found is None or found[0] <= now or _failed(found[1]):
            found = (now + self._keep_for, asyncio.create_task(fetch()))
            self._answers[key] = found
            self._answers.move_to_end(key)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        answer: T = await asyncio.shield(found[1])
        return answer

    def forget(self) -> None:
        """Drop everything that is kept."""
        self._answers.clear()


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)

"""OwnedWork: tasks that belong to a client rather than to whoever started them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from didww_async.errors import ClientClosed

__all__ = ["OwnedWork"]

T = TypeVar("T")


class OwnedWork:
    """Work that must not be torn apart, and that closing waits for."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in a task of its own: a cancelled caller detaches, the work goes on."""
        if self._closing:
            work.close()
            raise ClientClosed("this client is closing; nothing new is started")
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Start nothing new and wait for what runs."""
        self._closing = True
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at: the caller may be gone, the journal has the outcome

"""Blocking work in a thread, which nobody leaves before it has ended."""

import asyncio
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["in_thread"]

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work in a thread; a cancelled caller goes on only when the work has ended.

    `asyncio.to_thread` lets a cancelled caller go at once, while the thread still writes the files
    that the caller is about to remove.
    """
    # A future, not a task: what cancels all tasks of a loop can't cancel it.
    running = asyncio.get_running_loop().run_in_executor(
        None, functools.partial(work, *args, **kwargs)
    )
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as request:
            cancelled = request
    if cancelled is not None:
        running.exception()  # looked at: its caller is gone
        raise cancelled
    return running.result()

"""Waiting for what happens elsewhere: in another task, a process, a database."""

import asyncio
from collections.abc import Callable

__all__ = ["until"]


async def until(true: Callable[[], object], *, within: float = 15.0) -> None:
    """Wait until it is; fails after `within` seconds."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.001)

"""Places: a bounded number of them, given first come first served.

asyncio.Semaphore, but a free place is taken without a coroutine: most calls find one.
"""

import asyncio
import contextlib
from collections import deque

__all__ = ["Places"]


class Places:
    """How many calls may be past one point at once. `take()` or `await wait()`, then `free()`."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a place, if there is one: then nobody waits."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Take a place as soon as it is this caller's turn."""
        if self.take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.free()  # it had been given a place meanwhile
            else:
                with contextlib.suppress(ValueError):  # passed over already, by free()
                    self._waiting.remove(turn)
            raise

    def free(self) -> None:
        """Give a place back: whoever waits longest gets it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

"""What happens by itself after some seconds, unless it is done before."""

import asyncio
from collections.abc import Callable

import attrs


@attrs.define(eq=False)
class Timers:
    """One timer per id."""

    _handles: dict[str, asyncio.TimerHandle] = attrs.field(init=False, factory=dict)

    def start(self, id: str, seconds: float | None, act: Callable[[], object]) -> None:
        """Act after some seconds; None means never."""
        if seconds is None:
            return

        def due() -> None:
            self._handles.pop(id, None)
            act()

        self._handles[id] = asyncio.get_running_loop().call_later(seconds, due)

    def forget(self, id: str) -> None:
        handle = self._handles.pop(id, None)
        if handle is not None:
            handle.cancel()

    def forget_all(self) -> None:
        for started in list(self._handles):
            self.forget(started)

"""How far a batch is: bars at a terminal, a line now and then otherwise."""

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from didww_async import AttemptRecord
from flows.cli.screen import Screen
from flows.cli.show import money

if TYPE_CHECKING:
    from flows.cli.batch_bars import Bars

__all__ = ["Progress"]

EVERY = 10.0  # seconds between lines where there is no terminal
LOOK_UPS, ORDERS, LINES = "looking up", "ordering", "completing"
WINDOW = 5.0  # seconds over which requests per second are averaged


class Progress:
    """Counts what happens, and shows it. `attempt` is meant to be the client's `on_attempt`."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._sent: deque[float] = deque()
        self._bars: Bars | None = None
        self._said_at = time.monotonic()
        self.requests = 0
        self.orders = 0

    def attempt(self, record: AttemptRecord) -> None:
        """A request was sent."""
        now = time.monotonic()
        self.requests += 1
        self._sent.append(now)
        while self._sent[0] < now - WINDOW:
            self._sent.popleft()
        if record.method == "POST" and record.url.endswith("/orders"):
            self.orders += record.status == 201
        if self._bars is not None:
            note = f"{self.per_second():.1f} requests/s"
            self._bars.tell(LOOK_UPS, note=f"{self.requests} requests, {note}")
            self._bars.tell(ORDERS, done=self.orders, note=note)

    def per_second(self) -> float:
        """Requests per second, just now."""
        if not self._sent:
            return 0.0
        return len(self._sent) / max(1.0, time.monotonic() - self._sent[0])

    def looking_up(self) -> contextlib.AbstractContextManager[None]:
        """Show how the look-ups get on while the block runs."""
        return self._shown({LOOK_UPS: None})

    def ordering(self, *, lines: int, orders: int) -> contextlib.AbstractContextManager[None]:
        """Show how the orders get on while the block runs."""
        self.orders = 0
        return self._shown({ORDERS: orders, LINES: lines})

    def looked_up(self, done: int, of: int) -> None:
        """So many different requests are looked up."""
        if self._bars is not None:
            self._bars.tell(LOOK_UPS, done=done, of=of)
        else:
            self._line(f"looked up {done} of {of} different requests")

    def lines(self, done: int, of: int, *, spent: Decimal) -> None:
        """So many lines have come to their end."""
        if self._bars is not None:
            self._bars.tell(LINES, done=done, note=f"{money(spent)} USD")
        else:
            self._line(
                f"{done} of {of} lines done, orders placed: {self.orders}, {money(spent)} USD, "
                f"{self.per_second():.1f} requests/s",
                last=done == of,
            )

    @contextlib.contextmanager
    def _shown(self, totals: Mapping[str, int | None]) -> Iterator[None]:
        if not self._screen.has_terminal:
            yield
            return
        # Only now: rich takes a while to load.
        from flows.cli.batch_bars import Bars  # noqa: PLC0415

        with Bars(totals) as bars, self._screen.above(bars.write_above):
            self._bars = bars
            try:
                yield
            finally:
                self._bars = None

    def _line(self, text: str, *, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._said_at >= EVERY:
            self._said_at = now
            self._screen.say(text)

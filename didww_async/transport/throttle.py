"""RateLimit: pacing per API key, shared by being given to several clients.

It is a sliding log. Of `burst` slots one is taken per request and comes back one window after the
request arrived at the server, as far as that can be told from here: not before it *left* (a slow
connect would otherwise bunch requests together), and later when its answer took longer than the
quickest of its kind, because then the request itself may have been late. After a first 429 grants
are also spaced evenly, because that server allows less of a burst than the documented rate; further
ones widen the spacing, up to a limit, and half minutes without any narrow it again.
"""

import asyncio
import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from didww_async.errors import InvalidInput

# ruff: noqa: SLF001 - a grant and its limit are one thing in two classes

__all__ = ["Grant", "Quickest", "RateLimit", "Slot", "SlotLog"]

LATEST = 0.25  # seconds: a request that is on its way for longer is rare; an answer is not
MARGIN = 1.04  # the window is 4 % longer than the server's: jitter on the way must not break it
WIDER = 1.25  # factor of the spacing when even spaced requests are refused
WIDEST = 8  # times even spacing: an outage that answers 429 must not slow what comes after it
NARROWER = 0.9  # factor after each CALM without a refusal, down to the documented rate
CALM = 30.0  # seconds
ENOUGH = 20  # answers of a kind, until the quickest of them is believed to be quick
LONGEST_PAUSE = 60.0  # seconds; who is told to wait longer should hear it, not hang


class Slot:
    """A request's share of the limit. `free_at`: from when on another request may have it."""

    __slots__ = ("free_at", "left_at")

    def __init__(self) -> None:
        self.left_at: float | None = None  # not yet
        self.free_at = math.inf


class SlotLog:
    """The pure part: which slots are free when. Times are seconds on any one clock."""

    def __init__(self, *, per_second: float) -> None:
        self.burst = max(1, math.floor(per_second))
        self.server_window = self.burst / per_second
        self.window = self.server_window * MARGIN
        self._margin = self.window - self.server_window
        self._longest = max(self.window, self.server_window + LATEST)
        self._never_used = self.burst  # counted, because "no limit" is spelled as a huge rate
        self._taken: deque[Slot] = deque()  # those taken first are free first, as a rule
        self._not_before = -math.inf
        self._even = self.window / self.burst
        self._spacing = 0.0
        self._spaced_at = 0.0

    def delay(self, now: float) -> float:
        """Seconds until a slot can be taken; infinite while no taken one has left."""
        pause = max(0.0, self._not_before - now)
        if self._never_used:
            return pause
        return max(pause, min(slot.free_at for slot in self._taken) - now)

    def take(self, slot: Slot, now: float) -> bool:
        """Take a slot, if there is one: if `delay(now)` is 0. `slot` stands for it from now on."""
        if self._not_before > now:
            return False
        taken = self._taken
        if taken and taken[0].left_at is None:
            taken.rotate(-1)  # it may be held for long, and those behind it are free before
        if taken and taken[0].free_at <= now:
            taken.popleft()
        elif self._never_used:
            self._never_used -= 1
        elif (free := next((one for one in taken if one.free_at <= now), None)) is not None:
            taken.remove(free)
        else:
            return False
        taken.append(slot)
        if self._spacing:
            self._space(now)
        return True

    def _space(self, now: float) -> None:
        if self._spacing > self._even and now - self._spaced_at >= CALM:
            self._spacing = max(self._even, self._spacing * NARROWER)
            self._spaced_at = now
        self._not_before = now + self._spacing

    def left(self, slot: Slot, now: float) -> None:
        """The request left. Its slot is free one window later, or a bit more: it may be late."""
        slot.left_at = now
        slot.free_at = now + self._longest

    def answered(self, slot: Slot, *, late: float) -> None:
        """Its answer came, `late` seconds after the quickest there could be."""
        if slot.left_at is not None:
            held = self.window
            if late > self._margin:
                held = max(held, min(late, LATEST) + self.server_window)
            slot.free_at = slot.left_at + held

    def give_back(self, slot: Slot) -> None:
        """Nothing was sent: it is as if the slot had not been taken."""
        self._taken.remove(slot)
        self._never_used += 1

    def refused(self, now: float, *, until: float) -> None:
        """The server said 429: nothing before `until`, and evenly spaced from then on."""
        if not self._spacing:
            self._spacing, self._spaced_at = self._even, until
        elif now >= self._spaced_at:  # not of those that left before the last pause
            self._spacing = min(self._spacing * WIDER, self._even * WIDEST)
            self._spaced_at = until
        self._not_before = max(self._not_before, until)


class Quickest:
    """How much longer an answer took than the quickest of its kind: how late its request may be."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[float, int]] = {}  # the quickest, and how many were seen

    def late(self, kind: str, took: float) -> float:
        """Seconds beyond the quickest so far; all of them while too few answers were seen."""
        known = self._kinds.get(kind)
        if known is None:
            self._kinds[kind] = took, 1
            return took
        quickest, seen = known
        if took < quickest:
            quickest = took
            self._kinds[kind] = quickest, seen + 1
        elif seen < ENOUGH:
            self._kinds[kind] = quickest, seen + 1
        return took - quickest if seen >= ENOUGH else took


class RateLimit:
    """At most `per_second` requests in any second, first come first served.

    Give one object to all clients that share an API key; it works across event loops and threads
    of one process. The documented limit is 20 per second and key.
    """

    def __init__(
        self, per_second: float = 20, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises InvalidInput when `per_second` is not a positive number."""
        if not isinstance(per_second, (int, float)) or not 0 < per_second < math.inf:
            raise InvalidInput(
                f"a rate limit is more than 0 requests per second, not {per_second!r}"
            )
        self.per_second = per_second
        self._clock = clock
        self._slots = SlotLog(per_second=per_second)
        self._quickest = Quickest()
        self._waiting: deque[_Waiter] = deque()
        self._lock = threading.Lock()

    def take(self) -> "Grant | None":
        """A turn, if there is one at once that nobody waits for. It ends like that of `acquire`."""
        grant = Grant(self)
        with self._lock:
            if not self._waiting and self._slots.take(grant, self._clock()):
                return grant
        return None

    async def acquire(self) -> "Grant":
        """Wait for a turn. The grant must end in `sent()`, then `answered()` if there is one, or in
        `give_back()`."""
        if (grant := self.take()) is not None:
            return grant
        grant, waiter = Grant(self), _Waiter(asyncio.get_running_loop())
        with self._lock:
            self._waiting.append(waiter)
        try:
            while True:
                with self._lock:
                    mine = self._waiting[0] is waiter
                    if mine and self._slots.take(grant, self._clock()):
                        return grant
                    delay = self._slots.delay(self._clock()) if mine else math.inf
                await waiter.nudged(delay)
        finally:
            with self._lock:
                with contextlib.suppress(ValueError):  # dropped with its closed loop
                    self._waiting.remove(waiter)
                self._nudge()

    def pause(self, seconds: float) -> None:
        """Hold everybody back after a 429, for a minute at most."""
        with self._lock:
            now = self._clock()
            self._slots.refused(now, until=now + min(max(0.0, seconds), LONGEST_PAUSE))

    def _wake(self) -> None:
        """It is known now when a slot is free: whoever waits for one should look again."""
        with self._lock:
            self._nudge()

    def _nudge(self) -> None:
        # A loop that was closed without cancelling its tasks leaves waiters that never wake.
        while self._waiting and not self._waiting[0].nudge():
            self._waiting.popleft()

    def __repr__(self) -> str:
        return f"RateLimit({self.per_second:g})"


class Grant(Slot):
    """The right to send one request."""

    __slots__ = ("_limit", "_over")

    def __init__(self, limit: RateLimit) -> None:
        self.left_at = None
        self.free_at = math.inf
        self._limit = limit
        self._over = False

    def sent(self) -> None:
        """The request left, or may have: its slot returns one window from now, or later."""
        if self.left_at is None and not self._over:
            limit = self._limit
            limit._slots.left(self, limit._clock())
            # Asked without the lock, because who waits has joined them before it looks at slots.
            if limit._waiting:
                limit._wake()

    def answered(self, kind: str) -> None:
        """Its answer begins. `kind` names requests that take alike, such as "GET cities"."""
        if self.left_at is not None and not self._over:
            self._over = True
            limit = self._limit
            late = limit._quickest.late(kind, limit._clock() - self.left_at)
            limit._slots.answered(self, late=late)
            if limit._waiting:
                limit._wake()

    def give_back(self) -> None:
        """Nothing was sent: the slot is free at once."""
        if self.left_at is None and not self._over:
            self._over = True
            limit = self._limit
            with limit._lock:
                limit._slots.give_back(self)
                limit._nudge()


class _Waiter:
    """One task in the queue; only the head of the queue watches the clock."""

    __slots__ = ("_event", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def nudge(self) -> bool:
        """Make the task look again; False when its loop is closed."""
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            return False
        return True

    async def nudged(self, delay: float) -> None:
        self._event.clear()
        try:
            async with asyncio.timeout(None if delay == math.inf else delay):
                await self._event.wait()
        except TimeoutError:
            pass

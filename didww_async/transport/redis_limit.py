"""RedisRateLimit: one rate limit for all processes that share an API key, kept in Redis.

Redis holds a sorted set of the slots in use, each with the time it is free again, by Redis' own
clock. One script takes a slot and tells how long to wait for it: one round trip per grant, and a
second one after a wait of more than a quarter of a second. A slot is taken for as long as a request
may need to arrive; how long it really took is told with the next grant, so that a stalled process
can't bunch its requests with those of others.

Each process asks for one slot at a time and waits for it, so that turns go round between processes
however many tasks wait in each. Extra `redis`; Redis 5 or later, or a server that speaks like it.
"""

import asyncio
import contextlib
import logging
import math
import time
import uuid
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from didww_async.errors import ClientClosed, InvalidInput
from didww_async.transport.limiter import Granted
from didww_async.transport.throttle import (
    CALM,
    LATEST,
    LONGEST_PAUSE,
    MARGIN,
    WIDEST,
    Quickest,
    RateLimit,
)

__all__ = ["RedisRateLimit"]

log = logging.getLogger("didww_async")

PATIENCE = 0.5  # seconds for one round trip, connecting included
AHEAD = LATEST  # seconds: a slot that is free later is asked for again, it may be free sooner
MICRO = 1_000_000
MOST_SAID = 200  # characters of what went wrong

T = TypeVar("T")

# Times are microseconds. KEYS: slots, state. ARGV: burst, how long a slot is held at most, even
# spacing, how far ahead a slot is taken, a calm time, the new slot's id, a pause before; then pairs
# (slot, when it is free) of requests that were answered since. Returns: the wait, Redis' time, and
# whether the slot was taken (1) or is to be asked for again (0).
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local burst, held, even = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 8, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[i + 1], ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 120000000, '+inf')  -- the clock was set back
local state = redis.call('HMGET', KEYS[2], 'not_before', 'spacing', 'spaced_at', 'last')
local not_before, spacing = tonumber(state[1] or 0), tonumber(state[2] or 0)
local spaced_at, last = tonumber(state[3] or 0), tonumber(state[4] or 0)
if spaced_at > now + 120000000 then
  spaced_at = 0
end
if tonumber(ARGV[7]) > 0 then
  not_before = math.max(not_before, now + ARGV[7])
  redis.call('HSET', KEYS[2], 'not_before', string.format('%.0f', not_before))
end
local at = now
local used = redis.call('ZCARD', KEYS[1])
if used >= burst then
  local free = redis.call('ZRANGE', KEYS[1], used - burst, used - burst, 'WITHSCORES')
  at = math.max(at, tonumber(free[2]))
end
if not_before < now + 120000000 then
  at = math.max(at, not_before)
end
if spacing > even and now - spaced_at > tonumber(ARGV[5]) then
  spacing = math.max(even, spacing * 0.9)
  redis.call('HSET', KEYS[2], 'spacing', spacing, 'spaced_at', string.format('%.0f', now))
end
if last < now + 120000000 then
  at = math.max(at, last + spacing)
end
redis.call('PEXPIRE', KEYS[2], 3600000)
local wait = string.format('%.0f', at - now)
local clock = string.format('%.0f', now)
if at - now > tonumber(ARGV[4]) then
  return {wait, clock, 0}
end
redis.call('ZADD', KEYS[1], string.format('%.0f', at + held), ARGV[6])
redis.call('HSET', KEYS[2], 'last', string.format('%.0f', at))
redis.call('PEXPIRE', KEYS[1], 300000)
return {wait, clock, 1}
"""

# KEYS: slots, state. ARGV: how long to pause, even spacing, the widest spacing.
PAUSE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local state = redis.call('HMGET', KEYS[2], 'not_before', 'spacing', 'spaced_at')
local spacing, spaced_at = tonumber(state[2] or 0), tonumber(state[3] or 0)
local until_ = now + ARGV[1]
if spacing == 0 then
  spacing, spaced_at = tonumber(ARGV[2]), until_
elseif now >= spaced_at then  -- not of those that left before the last pause
  spacing, spaced_at = math.min(spacing * 1.25, tonumber(ARGV[3])), until_
end
redis.call('HSET', KEYS[2], 'spacing', spacing, 'spaced_at', string.format('%.0f', spaced_at),
  'not_before', string.format('%.0f', math.max(tonumber(state[1] or 0), until_)))
redis.call('PEXPIRE', KEYS[2], 3600000)
"""


class _Slot:
    """A slot taken in Redis. `starts`: when it may be used, on this process' clock."""

    __slots__ = ("ahead", "id", "starts")

    def __init__(self, id: str, *, starts: float, ahead: float) -> None:
        self.id = id
        self.starts = starts
        self.ahead = ahead  # Redis' clock minus ours, at most


class RedisRateLimit:
    """At most `per_second` requests in any second over all processes that use the same `name`.

    Use it as `async with`, or call `aclose()`; it belongs to one event loop. When Redis does not
    answer, a warning is logged and this process goes on with its share, `per_second / processes`,
    until Redis is back. A 429 slows all processes down, as it does with `RateLimit`.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        processes: int,
        per_second: float = 20,
        away: float = 5.0,
    ) -> None:
        """Nothing is connected before the first grant.

        `url`: "redis://host:port/db" (rediss:// for TLS). `name`: what the processes share, one per
        API key, such as "didww-production"; never the key itself. `processes`: how many there are
        at most, for the share without Redis. `away`: seconds until a Redis that did not answer is
        asked again. Raises InvalidInput for what can't be right, ImportError without the extra.
        """
        try:
            from redis.asyncio import Redis  # noqa: PLC0415 - an extra
            from redis.asyncio.retry import Retry  # noqa: PLC0415
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.exceptions import RedisError  # noqa: PLC0415
        except ImportError:
            raise ImportError("RedisRateLimit needs pip install 'didww-async[redis]'") from None
        if not isinstance(name, str) or not name:
            raise InvalidInput("name is empty: say what the processes share, such as 'production'")
        if not isinstance(processes, int) or processes < 1:
            raise InvalidInput(f"processes is 1 or more, not {processes!r}")
        self._share = RateLimit(RateLimit(per_second).per_second / processes)
        self.per_second = per_second
        self._burst = max(1, math.floor(per_second))
        self._server_window = self._burst / per_second
        self._window = self._server_window * MARGIN
        self._even = round(self._window / self._burst * MICRO)
        # By so much a slot is free before Redis says so, once its request was answered in time.
        self._sooner = max(0.0, LATEST + self._server_window - self._window)
        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                retry=Retry(NoBackoff(), 0),  # by itself it would try for many times PATIENCE
            )
        except (ValueError, AttributeError):
            # Without redis' words: they may quote the URL, and with it a password.
            raise InvalidInput(
                "url is no Redis URL: redis://[user:password@]host:port/db"
            ) from None
        self._no_answer = (RedisError, OSError, TimeoutError)
        self._take = self._redis.register_script(TAKE)
        self._pause = self._redis.register_script(PAUSE)
        self._keys = [f"didww:{{{name}}}:slots", f"didww:{{{name}}}:state"]
        self._turns = asyncio.Lock()
        self._quickest = Quickest()
        self._spare: list[_Slot] = []
        self._answered: dict[str, float] = {}  # slot -> when it is free, by Redis' clock
        self._away = away
        self._away_until: float | None = None
        self._not_before = -math.inf
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def take(self) -> None:
        """None: Redis must be asked."""

    async def acquire(self) -> Granted:
        """Wait for a turn. Without Redis it comes from this process' share.

        Raises ClientClosed after `aclose()`, and in another event loop than before.
        """
        self._check_usable()
        async with self._turns:
            self._check_usable()
            if self._away_until is not None and time.monotonic() < self._away_until:
                return await self._share.acquire()
            slot = self._spare_slot()
            if slot is None:
                try:
                    slot = await self._taken()
                except self._no_answer as problem:
                    self._lost(problem)
                    return await self._share.acquire()
            try:
                await self._until(slot.starts)
            except asyncio.CancelledError:
                self._spare.append(slot)
                raise
            return Grant(self, slot)

    def pause(self, seconds: float) -> None:
        """Hold everybody back after a 429, for a minute at most."""
        seconds = min(max(0.0, seconds), LONGEST_PAUSE)
        self._not_before = max(self._not_before, time.monotonic() + seconds)
        self._share.pause(seconds)
        if not self._closed:
            self._started(self._tell_pause(seconds))

    async def aclose(self) -> None:
        """Let go of the connection. Who still waits for a turn gets ClientClosed."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self._redis.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"RedisRateLimit({self.per_second:g})"

    def _check_usable(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise ClientClosed("this RedisRateLimit is closed; make a new one")
        if self._loop is not loop:
            if self._loop is not None:
                raise ClientClosed(
                    "this RedisRateLimit belongs to another event loop; make one per loop, of the "
                    "same name"
                )
            self._loop = loop

    def _started(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _taken(self) -> _Slot:
        """Take a slot, asking until there is one."""
        while True:
            asking = self._started(self._asked())
            try:
                slot, starts = await asyncio.shield(asking)
            except asyncio.CancelledError:
                asking.add_done_callback(self._kept)
                raise
            if slot is not None:
                return slot
            await self._until(starts - self._sooner)
            self._check_usable()

    def _kept(self, asking: "asyncio.Task[tuple[_Slot | None, float]]") -> None:
        """Who asked has gone: the next one uses the slot."""
        if not asking.cancelled() and asking.exception() is None:
            slot, _ = asking.result()
            if slot is not None:
                self._spare.append(slot)

    async def _asked(self) -> "tuple[_Slot | None, float]":
        """Ask for a slot: the one round trip. Without one, when to ask again."""
        told = dict(self._answered)
        rejoins = self._away_until is not None
        id_ = uuid.uuid4().hex
        asked_at = time.monotonic()
        wait, now, is_taken = await self._take(
            keys=self._keys,
            args=[
                self._burst,
                round((LATEST + self._server_window) * MICRO),
                self._even,
                round(AHEAD * MICRO),
                round(CALM * MICRO),
                id_,
                # What this and other processes sent without Redis still counts at the server.
                round(self._window * MICRO) if rejoins else 0,
                *(part for slot, free_at in told.items() for part in (slot, round(free_at))),
            ],
        )
        if rejoins:
            self._away_until = None
            log.warning("the rate limit is shared over Redis again")
        for slot in told:
            self._answered.pop(slot, None)
        starts = time.monotonic() + int(wait) / MICRO
        taken = _Slot(id_, starts=starts, ahead=int(now) - asked_at * MICRO) if is_taken else None
        return taken, starts

    async def _until(self, moment: float) -> None:
        # Again and again, because a 429 may have put it off meanwhile.
        while (wait := max(moment, self._not_before) - time.monotonic()) > 0:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(wait)

    def _spare_slot(self) -> _Slot | None:
        """A slot whose request was not sent, as long as Redis holds it for a request."""
        now = time.monotonic()
        while self._spare:
            slot = self._spare.pop()
            if now < slot.starts + LATEST / 2:
                return slot
        return None

    def _lost(self, problem: Exception) -> None:
        if self._away_until is None:
            log.warning(
                "Redis does not answer (%s): this process keeps to its share of the rate limit, "
                "%g requests per second, until it does",
                f"{type(problem).__name__}: {problem}"[:MOST_SAID],
                self._share.per_second,
            )
            # What all processes sent by Redis' leave in the last second still counts.
            self._share.pause(self._window)
        self._away_until = time.monotonic() + self._away

    async def _tell_pause(self, seconds: float) -> None:
        with contextlib.suppress(*self._no_answer):
            await self._pause(
                keys=self._keys, args=[round(seconds * MICRO), self._even, self._even * WIDEST]
            )

    def _free(self, slot: _Slot, *, left_at: float, kind: str) -> None:
        late = self._quickest.late(kind, time.monotonic() - left_at)
        free_at = max(left_at + self._window, left_at + min(late, LATEST) + self._server_window)
        self._answered[slot.id] = free_at * MICRO + slot.ahead

    def _unused(self, slot: _Slot) -> None:
        self._spare.append(slot)


class Grant:
    """The right to send one request, on a slot in Redis."""

    __slots__ = ("_left_at", "_limit", "_over", "_slot")

    def __init__(self, limit: RedisRateLimit, slot: _Slot) -> None:
        self._limit = limit
        self._slot = slot
        self._left_at: float | None = None
        self._over = False

    def sent(self) -> None:
        """The request left, or may have."""
        if not self._over and self._left_at is None:
            self._left_at = time.monotonic()

    def answered(self, kind: str) -> None:
        """Its answer begins; `kind` names requests that take alike."""
        if not self._over and self._left_at is not None:
            self._over = True
            self._limit._free(self._slot, left_at=self._left_at, kind=kind)  # noqa: SLF001 - one room, two classes

    def give_back(self) -> None:
        """Nothing was sent."""
        if not self._over and self._left_at is None:
            self._over = True
            self._limit._unused(self._slot)  # noqa: SLF001 - one room, two classes

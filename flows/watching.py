"""OrderWatcher: polls pending orders for everybody who waits on one client, 100 per request.

Young orders are looked at often, old ones ever more seldom: after a tenth of their age, at most
every five minutes. Whoever is told more (a callback) hints, and the order is looked at at once.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from didww_async import (
    Client,
    NoAnswer,
    NotFound,
    RateLimited,
    ServerFailed,
    UnreadableReply,
)
from didww_async.resources import Order, OrderStatus
from flows.rules import OrderRules

__all__ = ["OrderWatcher", "Watched", "pause_for"]

BATCH = 100
SELDOM = 300.0
TOGETHER = 0.25  # what is due within this part of a pause is looked at together


def is_final(order: Order) -> bool:
    """Whether an order's status can't change any more."""
    return order.status in {OrderStatus.COMPLETED, OrderStatus.CANCELED}


def pause_for(age: float, *, first: float) -> float:
    """Seconds until an order that was placed `age` seconds ago is looked at again."""
    return min(SELDOM, max(first, age / 10))


@attrs.define(eq=False)
class Watched:
    """One order that somebody waits for. `seen`: the order as it was last read."""

    placed_at: float
    due_at: float
    seen: Order | None = None
    failure: Exception | None = None
    waiters: int = 0
    told: list[asyncio.Event] = attrs.field(factory=list)
    _news: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        """Whether the order is final, or can't be looked at."""
        return self._news.is_set()

    def over(self) -> None:
        self._news.set()
        for event in self.told:
            event.set()

    async def final(self, *, within: float) -> Order | None:
        """The final order, None if it is not final within so many seconds.

        Raises the client's errors that looking again won't mend.
        """
        try:
            async with asyncio.timeout(within):
                await self._news.wait()
        except TimeoutError:
            return None
        if self.failure is not None:
            raise self.failure
        return self.seen


class OrderWatcher:
    """One per client. All its waiters share the requests."""

    def __init__(
        self, client: Client, *, rules: OrderRules, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._first = rules.look_every[0]
        self._clock = clock
        self._watched: dict[str, Watched] = {}
        self._task: asyncio.Task[None] | None = None
        self._hinted = asyncio.Event()

    @contextmanager
    def watching(
        self, order_id: str, *, age: float, news: asyncio.Event | None = None
    ) -> Iterator[Watched]:
        """Have the order polled while the block runs; `age`: seconds since it was placed.

        `news`: set when it is over, for who waits for many at once.
        """
        watched = self._watched.get(order_id)
        if watched is None:
            now = self._clock()
            watched = self._watched[order_id] = Watched(placed_at=now - age, due_at=now)
        watched.waiters += 1
        if news is not None:
            watched.told.append(news)
            if watched.is_over:
                news.set()
        self._hinted.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            yield watched
        finally:
            watched.waiters -= 1
            if news is not None:
                watched.told.remove(news)
            if not watched.waiters:
                self._watched.pop(order_id, None)
                self._hinted.set()

    def hint(self, order_id: str) -> None:
        """Something is said to have happened to the order: look at it now."""
        if (watched := self._watched.get(order_id)) is not None:
            watched.due_at = self._clock()
            self._hinted.set()

    async def _poll(self) -> None:
        while self._watched:
            self._hinted.clear()
            now = self._clock()
            open_ = {key: found for key, found in self._watched.items() if not found.is_over}
            due = self._due(open_, now)
            if due:
                await self._look(due)
                continue
            next_at = min((found.due_at for found in open_.values()), default=now + SELDOM)
            try:
                async with asyncio.timeout(max(0.0, next_at - now)):
                    await self._hinted.wait()
            except TimeoutError:
                pass

    def _due(self, watched: dict[str, Watched], now: float) -> dict[str, Watched]:
        if all(found.due_at > now for found in watched.values()):
            return {}
        soon = sorted(watched.items(), key=lambda item: item[1].due_at)
        return {
            key: found
            for key, found in soon[:BATCH]
            if found.due_at <= now + TOGETHER * self._pause(found, now)
        }

    def _pause(self, watched: Watched, now: float) -> float:
        return pause_for(now - watched.placed_at, first=self._first)

    async def _look(self, due: dict[str, Watched]) -> None:
        try:
            orders = await self._read(list(due))
        except (NoAnswer, RateLimited, ServerFailed, UnreadableReply):
            orders = {}
        except Exception as failure:  # noqa: BLE001 - it is raised in the waiters
            if len(due) > 1:  # whose fault it is shows one by one
                for order_id, watched in due.items():
                    await self._look({order_id: watched})
                return
            for watched in due.values():
                watched.failure = failure
                watched.over()
            return
        now = self._clock()
        for order_id, watched in due.items():
            watched.due_at = now + self._pause(watched, now)
            if (order := orders.get(order_id)) is not None:
                watched.seen = order
                if is_final(order):
                    watched.over()

    async def _read(self, ids: list[str]) -> dict[str, Order]:
        """One order is read by its id, which finds it before lists do; several as one list."""
        if len(ids) > 1:
            page = await self._client.orders.list(filter={"id": ids}, page_size=BATCH)
            found = {order.id: order for order in page}
            ids = [key for key in ids if key not in found][:1]  # a new one may not be listed yet
        else:
            found = {}
        for key in ids:
            try:
                found[key] = await self._client.orders.get(key)
            except NotFound:
                continue
        return found

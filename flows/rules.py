"""OrderRules: the times of the order protocol, and the growing pauses made from them."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import attrs

from didww_async import Timeouts

__all__ = ["OrderRules", "Pauses"]


@attrs.frozen(kw_only=True)
class OrderRules:
    """Times of the order protocol, in seconds unless they say otherwise.

    `timeouts`: of the POST. `margin`: added to its total before anybody else looks the order up.
    `settle_for`: how long an order without an answer is looked for before it is unknown.
    `claim_age`: an older claim is made anew, because the process was paused. `head_start`: how long
    the maker of a plan is left alone with it before others take it up. `order_within`: how
    long a plan may wait to be ordered. `attempts`: claims per call when DIDWW says 429 or can't
    be reached. `quote_age`: an older quote is read again before ordering. `look_every`: first and
    longest pause between look-ups, journal watches and polls. `callback_url`: where DIDWW is to
    call (POST) when an order completes or is canceled. `sleep` is there for tests.
    """

    timeouts: Timeouts = attrs.field(factory=lambda: Timeouts(connect=10, read=60, total=90))
    margin: float = 5.0
    settle_for: float = 60.0
    claim_age: float = 2.0
    head_start: float = 3.0
    order_within: float = 15 * 60.0
    attempts: int = 4
    quote_age: float = 5 * 60.0
    look_every: tuple[float, float] = (0.5, 10.0)
    callback_url: str | None = None
    sleep: Callable[[float], Awaitable[None]] = attrs.field(default=asyncio.sleep, repr=False)

    def pauses(self) -> "Pauses":
        """A fresh series of growing pauses."""
        return Pauses(self)


class Pauses:
    """Pauses that double up to a cap, a little random so that waiters do not march in step."""

    def __init__(self, rules: OrderRules) -> None:
        self._next, self._longest = rules.look_every
        self._sleep = rules.sleep

    async def wait(self) -> None:
        pause, self._next = self._next, min(self._longest, self._next * 2)
        await self._sleep(pause * random.uniform(0.75, 1.0))  # noqa: S311 - not for secrets

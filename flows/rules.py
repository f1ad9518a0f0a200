"""OrderRules: the times of the order protocol, and the growing pauses made from them."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from didww_async import InvalidInput, Timeouts

__all__ = ["OrderRules", "Pauses", "check_timeout"]


WEB = ("https://", "http://")


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and not math.isnan(found)


def check_timeout(timeout: float) -> None:
    """Raise InvalidInput unless it is seconds, 0 or more; math.inf waits without an end."""
    if not _is_number(timeout) or timeout < 0:
        raise InvalidInput(
            f"timeout is seconds, 0 or more (math.inf waits for ever), not {timeout!r}"
        )


def _from_zero(_: object, attribute: "attrs.Attribute[Any]", found: Any) -> None:
    if not _is_number(found) or not 0 <= found < math.inf:
        raise InvalidInput(f"{attribute.name} is seconds, 0 or more, not {found!r}")


def _above_zero(_: object, attribute: "attrs.Attribute[Any]", found: Any) -> None:
    if not _is_number(found) or not 0 < found < math.inf:
        raise InvalidInput(f"{attribute.name} is seconds, more than 0, not {found!r}")


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

    Raises InvalidInput for what can't be right: before an order is on its way.
    """

    timeouts: Timeouts = attrs.field(factory=lambda: Timeouts(connect=10, read=60, total=90))
    margin: float = attrs.field(default=5.0, validator=_from_zero)
    settle_for: float = attrs.field(default=60.0, validator=_from_zero)
    claim_age: float = attrs.field(default=2.0, validator=_above_zero)
    head_start: float = attrs.field(default=3.0, validator=_from_zero)
    order_within: float = attrs.field(default=15 * 60.0, validator=_above_zero)
    attempts: int = 4
    quote_age: float = attrs.field(default=5 * 60.0, validator=_from_zero)
    look_every: tuple[float, float] = (0.5, 10.0)
    callback_url: str | None = None
    sleep: Callable[[float], Awaitable[None]] = attrs.field(default=asyncio.sleep, repr=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.timeouts, Timeouts):
            raise InvalidInput(f"timeouts are Timeouts(...), not {self.timeouts!r}")
        if type(self.attempts) is not int or self.attempts < 1:
            raise InvalidInput(f"attempts is a whole number, 1 or more, not {self.attempts!r}")
        match self.look_every:
            case (first, longest) if _is_number(first) and _is_number(longest):
                usable = 0 <= first <= longest < math.inf
            case _:
                usable = False
        if not usable:
            raise InvalidInput(
                "look_every is the first and the longest pause in seconds, such as (0.5, 10.0), "
                f"not {self.look_every!r}"
            )
        url: object = self.callback_url
        if url is not None and not (isinstance(url, str) and url.startswith(WEB)):
            raise InvalidInput(f"callback_url begins with https:// or http://: {url!r}")

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

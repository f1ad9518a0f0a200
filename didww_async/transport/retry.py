"""RetryPolicy: which call may be sent again, and after how long."""

import asyncio
import itertools
import math
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.errors import (
    DidwwError,
    InvalidInput,
    NoAnswer,
    NotSent,
    RateLimited,
    ServerFailed,
    UnreadableReply,
)
from didww_async.transport.call import Repeat, Reply

if TYPE_CHECKING:
    import tenacity

__all__ = ["RetryPolicy", "may_repeat", "pause_before", "retried"]


def _at_least(least: float) -> Callable[[object, "attrs.Attribute[Any]", Any], None]:
    def check(_: object, attribute: "attrs.Attribute[Any]", found: Any) -> None:
        if not isinstance(found, (int, float)) or not found >= least:
            raise InvalidInput(f"RetryPolicy.{attribute.name} is at least {least:g}, not {found!r}")

    return check


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """When a failed attempt is followed by another.

    | failure                       | GET   | other writes | POST /orders |
    |-------------------------------|-------|--------------|--------------|
    | 429, provably not sent        | again | again        | never        |
    | no answer, half of one, 5xx   | again | never        | never        |
    | any other answer              | never | never        | never        |

    At most `attempts` in all, and no pause that would end later than `budget` seconds after the
    first attempt failed (what calls wait for the rate limit before that does not count). The pause
    is drawn from 0 to `base * 2 ** (attempt - 1)`, at most `cap` seconds (full jitter), or is the
    server's Retry-After when it gave one.
    `sleep` and `draw` (low, high -> seconds) are there for tests: `RetryPolicy.without_waiting()`.
    """

    attempts: int = attrs.field(default=4, validator=_at_least(1))
    budget: float = attrs.field(default=60.0, validator=_at_least(0))
    base: float = attrs.field(default=0.25, validator=_at_least(0))
    cap: float = attrs.field(default=8.0, validator=_at_least(0))
    sleep: Callable[[float], Awaitable[None]] = attrs.field(default=asyncio.sleep, repr=False)
    draw: Callable[[float, float], float] = attrs.field(default=random.uniform, repr=False)

    @classmethod
    def none(cls) -> "RetryPolicy":
        """No second attempt, ever."""
        return cls(attempts=1)

    @classmethod
    def without_waiting(cls, *, attempts: int = 4) -> "RetryPolicy":
        """For tests: repeat as usual, but at once."""
        return cls(attempts=attempts, sleep=_no_sleep)


async def _no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def may_repeat(failure: BaseException, *, repeat: Repeat) -> bool:
    """Whether a call with this `repeat` may be sent again after this failure (pure)."""
    match failure:
        case RateLimited() | NotSent():
            return repeat != "never"
        case NoAnswer() | ServerFailed() | UnreadableReply(cut_off=True):
            return repeat == "freely"
        case _:
            return False


def pause_before(
    policy: RetryPolicy, failure: BaseException, *, attempt: int, elapsed: float
) -> float | None:
    """Seconds to wait before the next attempt, None to give up (pure but for `policy.draw`).

    `attempt` is the number of the attempt that failed, from 1; `elapsed` the seconds since the
    first one failed.
    """
    if attempt >= policy.attempts:
        return None
    asked = getattr(failure, "retry_after", None)
    high = min(policy.cap, policy.base * 2 ** min(attempt - 1, 64))  # 2 ** 1024 is no float
    pause: float = asked if asked is not None else policy.draw(0, high)
    return pause if elapsed + pause <= policy.budget else None


async def retried(
    policy: RetryPolicy,
    *,
    repeat: Repeat,
    first: DidwwError,
    send: Callable[[int], Awaitable[Reply]],
    elapsed: Callable[[], float],
) -> Reply:
    """Go on after a first failure that may be repeated; `send(attempt)` makes one attempt.

    tenacity drives the loop, and only from here on: a call that succeeds at once never pays for
    it, not even for loading it. Its first turn replays `first`.
    """
    import tenacity  # noqa: PLC0415

    numbers = itertools.count(1)

    async def turn() -> Reply:
        if (number := next(numbers)) == 1:
            raise first
        return await send(number)

    def wait(state: "tenacity.RetryCallState") -> float:
        failure = state.outcome.exception() if state.outcome else None
        if failure is None:
            return 0.0
        pause = pause_before(policy, failure, attempt=state.attempt_number, elapsed=elapsed())
        return math.inf if pause is None else pause

    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(lambda failure: may_repeat(failure, repeat=repeat)),
        wait=wait,
        stop=lambda state: state.upcoming_sleep == math.inf,
        sleep=policy.sleep,
        reraise=True,
    )
    return await retrying(turn)

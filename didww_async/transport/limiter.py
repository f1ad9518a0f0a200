"""What the sender asks of a rate limit: a process' own (throttle.py), or one shared over Redis.

A grant is the right to send one request. Whoever takes one tells what became of it, because a slot
comes back one window after its request *left*, not after it was granted.
"""

from typing import Protocol

__all__ = ["Granted", "Limiter", "Unlimited"]


class Granted(Protocol):
    """The right to send one request; ends in `sent()` and `answered()`, or in `give_back()`."""

    def sent(self) -> None:
        """The request left, or may have."""
        ...

    def answered(self, kind: str) -> None:
        """Its answer begins. `kind` names requests that take alike, such as "GET cities"."""
        ...

    def give_back(self) -> None:
        """Nothing was sent; without effect after `sent()`."""
        ...


class Limiter(Protocol):
    """Grants turns, first come first served. Share one object between clients of one API key."""

    def take(self) -> Granted | None:
        """A turn that can be had at once; None where it must be waited, or asked, for."""
        ...

    async def acquire(self) -> Granted:
        """Wait for a turn."""
        ...

    def pause(self, seconds: float) -> None:
        """Hold everybody back: the server said 429 and to come again in `seconds`."""
        ...


class Unlimited:
    """The grant of a request that no limit counts."""

    def sent(self) -> None: ...
    def answered(self, kind: str) -> None: ...
    def give_back(self) -> None: ...

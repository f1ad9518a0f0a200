"""What can go wrong between a client and the API, on demand or at random.

"Acts" means that the request is carried out: an order is placed and paid, whatever the client
then sees.
"""

import random
from collections.abc import Mapping, Sequence

import attrs


@attrs.frozen
class Delay:
    """Waits before the request is handled."""

    seconds: float


@attrs.frozen
class DropBefore:
    """Closes the connection without reading the body, acting or answering."""


@attrs.frozen
class DropAfter:
    """Acts, then closes the connection without an answer."""


@attrs.frozen
class Reset:
    """Resets the connection (TCP RST), before acting or after."""

    acted: bool = False


@attrs.frozen
class HalfBody:
    """Acts, sends the headers of the whole answer and half its body, then closes."""


@attrs.frozen
class Garbage:
    """Acts, then answers with bytes that are not HTTP."""

    data: bytes = b"\x15\x03\x01\x00\x02\x02\x16 this is not HTTP\r\n\r\n"


@attrs.frozen
class GarbageBody:
    """Acts, then answers with the right status and a body that cannot be read."""

    body: bytes = b""
    content_type: str = "application/vnd.api+json"


@attrs.frozen
class TooMany:
    """Answers 429 without acting, as if the rate limit were exceeded."""

    retry_after: str | None = None


@attrs.frozen
class ServerFault:
    """Answers with a 5xx and a page of HTML, before acting or after."""

    status: int = 503
    body: bytes = b"<html><body><h1>Service Unavailable</h1></body></html>"
    acted: bool = False


@attrs.frozen
class AnswerLate:
    """Acts at once, answers later."""

    seconds: float


@attrs.frozen
class ListLate:
    """Acts and answers, but the new order shows up in GET /orders only after some seconds."""

    seconds: float


@attrs.frozen
class Redirect:
    """Answers with a redirect without acting; without a location it points at the same URL."""

    status: int = 307
    location: str | None = None


@attrs.frozen
class StaleClose:
    """Acts and answers, keep-alive, but closes the idle connection soon after."""

    after: float = 0


Fault = (
    Delay
    | DropBefore
    | DropAfter
    | Reset
    | HalfBody
    | Garbage
    | GarbageBody
    | TooMany
    | ServerFault
    | AnswerLate
    | ListLate
    | Redirect
    | StaleClose
)


@attrs.define(eq=False, kw_only=True)
class Injection:
    """A fault that waits for the requests it is meant for. `hits` counts the requests it met."""

    fault: Fault
    method: str | None
    path: str | None
    times: int | None
    after: int
    hits: int = 0

    def is_for(self, method: str, path: str) -> bool:
        if self.method is not None and self.method != method:
            return False
        if self.path is None:
            return True
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path


@attrs.define(eq=False, kw_only=True)
class _Weather:
    faults: Sequence[Fault]
    weights: Sequence[float]
    rate: float
    method: str | None
    chance: random.Random


class FaultBoard:
    """Decides which fault, if any, a request meets."""

    def __init__(self) -> None:
        self._injections: list[Injection] = []
        self._weather: list[_Weather] = []

    def inject(
        self,
        fault: Fault,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = 1,
        after: int = 0,
    ) -> Injection:
        injection = Injection(
            fault=fault,
            method=method.upper() if method else None,
            path=path.removeprefix("/v3") if path else None,
            times=times,
            after=after,
        )
        self._injections.append(injection)
        return injection

    def inject_randomly(
        self,
        faults: Sequence[Fault] | Mapping[Fault, float],
        *,
        rate: float,
        seed: int,
        method: str | None = None,
    ) -> None:
        weights = list(faults.values()) if isinstance(faults, Mapping) else [1.0] * len(faults)
        chance = random.Random(seed)  # noqa: S311  # repeatable on purpose
        self._weather.append(
            _Weather(
                faults=list(faults),
                weights=weights,
                rate=rate,
                method=method.upper() if method else None,
                chance=chance,
            )
        )

    def clear(self) -> None:
        self._injections.clear()
        self._weather.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The first injected fault that is for the request, else maybe a random one."""
        for injection in self._injections:
            if not injection.is_for(method, path):
                continue
            if injection.after > 0:
                injection.after -= 1
            elif injection.times is None or injection.hits < injection.times:
                injection.hits += 1
                return injection.fault
        for weather in self._weather:
            if weather.method in {None, method} and weather.chance.random() < weather.rate:
                return weather.chance.choices(weather.faults, weights=weather.weights)[0]
        return None

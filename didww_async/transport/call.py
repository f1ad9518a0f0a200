"""The values that travel: a call on its way down, a reply on its way back, and its time limits."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from didww_async.errors import InvalidInput
from didww_async.transport.files import Form, Sink
from didww_async.wire.passed import passed

__all__ = ["MEDIA_TYPE", "AttemptRecord", "Call", "Operation", "Repeat", "Reply", "Timeouts"]

MEDIA_TYPE = "application/vnd.api+json"

Repeat = Literal["freely", "if not carried out", "never"]


def _seconds(_: object, attribute: "attrs.Attribute[Any]", seconds: float | None) -> None:
    if seconds is None and attribute.default is None:
        return
    if not isinstance(seconds, (int, float)) or not seconds > 0:
        raise InvalidInput(f"timeout {attribute.name!r} is more than 0 seconds, not {seconds!r}")


@attrs.frozen(kw_only=True, cache_hash=True)
class Timeouts:
    """Time limits of one attempt, in seconds.

    `connect`: until a connection is there, name look-up and TLS included; `total`: the whole
    attempt; `read`: the longest silence while an answer is awaited, for large files (None: only
    `total` counts). `connect` must be below `total`, because only then "could not connect" is
    provably "nothing was sent".
    """

    connect: float = attrs.field(default=10.0, validator=_seconds)
    read: float | None = attrs.field(default=None, validator=_seconds)
    total: float = attrs.field(default=40.0, validator=_seconds)

    def __attrs_post_init__(self) -> None:
        if self.connect >= self.total:
            raise InvalidInput(
                f"connect ({self.connect} s) must be below total ({self.total} s): else a request "
                "that was never sent can't be told from one without an answer"
            )


@attrs.frozen(kw_only=True, cache_hash=True)
class Operation:
    """What all calls of one operation of the API say alike.

    `kind` names what takes alike, such as "GET cities". `api_version`: None where there are no
    versions. `accepts` and `sends` are media types; `sends` is None where there is no body, or one
    that says its own. `repeat` says when a call may be sent again: a GET "freely", a write "if not
    carried out" (429, or provably not sent), an order "never". `fresh` asks for a connection that
    was not idle.
    """

    method: str
    kind: str
    api_version: str | None
    accepts: str = MEDIA_TYPE
    sends: str | None = None
    repeat: Repeat = "freely"
    fresh: bool = False


@passed
class Call:
    """One request as the API will see it.

    With a `sink` the body of a success goes there, and the reply's is empty.
    """

    operation: Operation
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | Form | None = None
    timeouts: Timeouts | None = None
    sink: Sink | None = None


@passed
class Reply:
    """What the server answered, as it came. `headers` are found by names in any case.

    `cut_off` says why the body ends early ("" when it is whole): the status is the server's word
    nevertheless. `secrets` are what must not show where the body is quoted.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut_off: str = ""
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id")


@attrs.frozen(kw_only=True)
class AttemptRecord:
    """One attempt, told to the `on_attempt` hook and the log after it ended.

    `status` is None when no answer came (`error` says why, "CancelledError" for a cancelled
    task); `attempt` counts from 1; `elapsed` is the exchange, `waited` what the rate limit and the
    connection limit held it back, in seconds.
    """

    method: str
    url: str
    attempt: int
    status: int | None
    error: str | None
    elapsed: float
    waited: float
    request_id: str | None

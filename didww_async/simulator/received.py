"""What the simulator remembers of every request."""

import json
from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class ReceivedRequest:
    """A request as it came in. `path` is the part below /v3.

    `status` is what was answered, None if nothing was. `acted` is what carrying the request out
    came to, even if a fault kept the client from seeing it; None if it was not carried out.
    """

    time: float
    method: str
    path: str
    raw_path: str
    query_string: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None
    acted: int | None = None

    @property
    def json(self) -> Any:
        """The decoded body; None if there is none."""
        return json.loads(self.body) if self.body else None

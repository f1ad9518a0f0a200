"""A strict rate limit: exact, without burst allowance or averaging."""

from collections import deque

import attrs


@attrs.define
class SlidingWindow:
    """Grants at most `limit` requests in any second. Refused requests do not count."""

    _granted: deque[float] = attrs.field(factory=deque)

    def grant(self, now: float, *, limit: int) -> bool:
        while self._granted and now - self._granted[0] >= 1.0:
            self._granted.popleft()
        if len(self._granted) >= limit:
            return False
        self._granted.append(now)
        return True

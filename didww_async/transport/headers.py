"""The headers of requests, put together once and not per request."""

from collections.abc import Mapping

from multidict import CIMultiDict, istr

from didww_async.transport.call import Operation

__all__ = ["RequestHeaders"]

SHORTEST_SECRET = 6  # characters: shorter words of a header are no secrets


class RequestHeaders:
    """What the calls of each operation say alike, while the authentication stays the same.

    `auth` are the headers that authenticate, `secrets` the words of them that must not show.
    """

    def __init__(self, *, user_agent: str, auth: Mapping[str, str]) -> None:
        self._user_agent = user_agent
        self.auth = dict(auth)
        self._made: dict[Operation, Mapping[str, str]] = {}
        words = (word for found in auth.values() for word in found.split())
        self.secrets = tuple(word for word in words if len(word) >= SHORTEST_SECRET)

    def of(self, operation: Operation) -> Mapping[str, str]:
        """The headers of an operation's calls."""
        return self._made.get(operation) or self._make(operation)

    def _make(self, operation: Operation) -> Mapping[str, str]:
        found = {
            "Accept": operation.accepts,
            "User-Agent": self._user_agent,
        }
        if operation.api_version is not None:
            found["X-DIDWW-API-Version"] = operation.api_version
        found |= self.auth
        if operation.sends is not None:
            found["Content-Type"] = operation.sends
        made = CIMultiDict((istr(name), text) for name, text in found.items())
        self._made[operation] = made  # in aiohttp's own form, which it need not translate
        return made

    def __repr__(self) -> str:
        return "RequestHeaders(hidden)"

"""The headers of requests, put together once and not per request."""

from collections.abc import Mapping

from multidict import CIMultiDict, istr

from didww_async.transport.call import Call

__all__ = ["MEDIA_TYPE", "RequestHeaders"]

MEDIA_TYPE = "application/vnd.api+json"
SHORTEST_SECRET = 6  # characters: shorter words of a header are no secrets


class RequestHeaders:
    """What calls of one kind say alike, for as long as the authentication stays the same.

    `auth` are the headers that authenticate, `secrets` the words of them that must not show.
    """

    def __init__(self, *, user_agent: str, auth: Mapping[str, str]) -> None:
        self._user_agent = user_agent
        self.auth = dict(auth)
        self._made: dict[tuple[str, bool, bool], Mapping[str, str]] = {}
        words = (word for found in auth.values() for word in found.split())
        self.secrets = tuple(word for word in words if len(word) >= SHORTEST_SECRET)

    def of(self, call: Call) -> Mapping[str, str]:
        """The headers of a call."""
        kind = (call.api_version, call.sink is None, isinstance(call.body, bytes))
        return self._made.get(kind) or self._make(kind)

    def _make(self, kind: tuple[str, bool, bool]) -> Mapping[str, str]:
        api_version, reads_document, writes_document = kind
        found = {
            "Accept": MEDIA_TYPE if reads_document else "*/*",
            "User-Agent": self._user_agent,
            "X-DIDWW-API-Version": api_version,
            **self.auth,
        }
        if writes_document:
            found["Content-Type"] = MEDIA_TYPE
        made = CIMultiDict((istr(name), text) for name, text in found.items())
        self._made[kind] = made  # in aiohttp's own form, which it need not translate
        return made

    def __repr__(self) -> str:
        return "RequestHeaders(hidden)"

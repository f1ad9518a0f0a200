"""Who is asking: the API key, which never shows in a repr, a log or an exception."""

from collections.abc import Mapping
from typing import Protocol

from didww_async.errors import InvalidInput

__all__ = ["ApiKey", "Auth"]


class Auth(Protocol):
    """Gives the headers that authenticate one request."""

    async def headers(self) -> Mapping[str, str]:
        """The headers to add to a request that is about to be sent."""
        ...


class ApiKey:
    """Authenticates with the `Api-Key` header (API versions up to 2026-04-16)."""

    __slots__ = ("__key",)

    def __init__(self, key: str) -> None:
        """Raises InvalidInput for a key that can't travel in a header, without showing it."""
        if not isinstance(key, str) or not key.strip():
            raise InvalidInput("the API key is empty; set api_key=... or DIDWW_API_KEY")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise InvalidInput("the API key holds blanks, control or non-ASCII characters")
        self.__key = key

    async def headers(self) -> Mapping[str, str]:
        return {"Api-Key": self.__key}

    def __repr__(self) -> str:
        return "ApiKey(hidden)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("an API key is not pickled: give each process its own")

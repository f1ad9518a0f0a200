"""Where DIDWW is: the addresses of its environments, and checking those that a user gives."""

import re
from collections.abc import Mapping
from typing import Literal

from yarl import URL

from didww_async.errors import InvalidInput

__all__ = [
    "BASE_URLS",
    "TOKEN_URLS",
    "Environment",
    "api_at",
    "token_service_at",
    "token_service_of",
    "without_secrets",
]

BLANK = re.compile(r"[\s\x00-\x1f]")  # in a host it would only be noticed when a call fails
Environment = Literal["production", "sandbox"]
BASE_URLS: Mapping[str, str] = {
    "production": "https://api.didww.com/v3",
    "sandbox": "https://sandbox-api.didww.com/v3",
}
TOKEN_URLS: Mapping[str, str] = {
    "production": "https://auth.didww.com/token",
    "sandbox": "https://auth-sandbox.didww.com/token",
}


def api_at(environment: str | None, base_url: str | URL | None) -> URL:
    """The API of an environment, or at an address of the user's. Raises InvalidInput."""
    return _address(environment, base_url, known=BASE_URLS, name="base_url", path="/v3")


def token_service_at(environment: str | None, token_url: str | URL | None) -> URL:
    """The token service of an environment, or at an address of the user's. Raises InvalidInput."""
    return _address(environment, token_url, known=TOKEN_URLS, name="token_url", path="/token")


def token_service_of(api: URL) -> str | None:
    """The address of the token service that belongs to DIDWW's own API; None for another host."""
    for environment, base_url in BASE_URLS.items():
        if api.origin() == URL(base_url).origin():
            return TOKEN_URLS[environment]
    return None


def without_secrets(url: URL) -> URL:
    """What may be shown of the address of a file: others can fetch it who see a signature."""
    return url.with_user(None).with_query(None).with_fragment(None)


def _address(
    environment: str | None,
    given: str | URL | None,
    *,
    known: Mapping[str, str],
    name: str,
    path: str,
) -> URL:
    if environment is not None and environment not in known:
        raise InvalidInput(f"environment is {' or '.join(known)}, not {environment!r}")
    if given is not None:
        return _http_url(given, name=name, example=f"http(s)://host[:port]{path}")
    if environment is None:
        raise InvalidInput(f'say environment="production" or "sandbox", or give a {name}')
    return URL(known[environment])


def _http_url(given: str | URL, *, name: str, example: str) -> URL:
    """Check an address. Raises InvalidInput, without showing a password that may be in it."""
    try:
        url = URL(given)
        (url.raw_host or "").encode("idna")
    except (ValueError, TypeError):
        # Without yarl's words: they may quote the URL, and with it a password.
        raise InvalidInput(f"{name} is no URL; it must be {example}") from None
    if url.scheme not in {"http", "https"} or not url.host or BLANK.search(str(given)):
        raise InvalidInput(f"{name} must be {example}")
    if url.user is not None or url.password is not None or url.query_string or url.fragment:
        raise InvalidInput(f"{name} takes no credentials, query or fragment")
    return URL(str(url).rstrip("/"))

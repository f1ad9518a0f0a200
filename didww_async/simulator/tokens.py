"""The token service: short-lived bearer tokens for the API key (version 2026-11-19)."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.limit import SlidingWindow
from didww_async.simulator.versions import BEARER

if TYPE_CHECKING:
    from didww_async.simulator.settings import Settings

AUDIENCE = "api.didww.com"
"""Of every token, also of the sandbox's."""
SCOPES = ("full", "read")
USUAL, SHORTEST, LONGEST = 900, 60, 3600
"""How long a token lives, in seconds: when nothing is asked for, at least, and at most."""


@attrs.frozen
class Token:
    scope: str
    version: str
    expires_at: datetime


class TokenRefusedError(Exception):
    """An OAuth-style refusal."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, error, description)
        self.status = status
        self.document = {"error": error, "error_description": description}


class TokenService:
    """Gives tokens for the account's key, and knows those that are good."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._good: dict[str, Token] = {}
        self._secret = secrets.token_bytes(32)
        self._window = SlidingWindow()

    def answer(
        self, *, method: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, Any]]:
        """Answer a request to the token service: a status and a JSON document."""
        try:
            return 200, self._grant(method, headers, body)
        except TokenRefusedError as refusal:
            return refusal.status, refusal.document

    def find(self, authorization: str) -> Token | None:
        """The token of an Authorization header, if it is good still."""
        kind, _, text = authorization.partition(" ")
        found = self._good.get(text.strip()) if kind.casefold() == "bearer" else None
        return found if found and self._settings.clock() < found.expires_at else None

    def revoke(self) -> None:
        """Make every token that was given so far worthless."""
        self._good.clear()

    def _grant(self, method: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        if method != "POST":
            raise TokenRefusedError(405, "invalid_request", "Tokens are asked for by POST.")
        key = headers.get("Api-Key", "")
        if not hmac.compare_digest(key.encode(errors="replace"), self._settings.api_key.encode()):
            raise TokenRefusedError(401, "invalid_client", "The API key is not valid.")
        limit = self._settings.token_rate_limit
        if limit is not None and not self._window.grant(time.monotonic(), limit=limit):
            raise TokenRefusedError(429, "rate_limit_exceeded", "Too many requests for tokens.")
        asked = _asked(headers, body)
        seconds = self._settings.token_seconds
        if seconds is None:
            seconds = min(max(asked["expires_in"], SHORTEST), LONGEST)
        now = self._settings.clock()
        token = Token(asked["scope"], BEARER, now + timedelta(seconds=seconds))
        text = self._signed(token, issued_at=now)
        self._good[text] = token
        return {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": seconds,
            "aud": AUDIENCE,
            "scope": token.scope,
            "api_version": token.version,
        }

    def _signed(self, token: Token, *, issued_at: datetime) -> str:
        """Write a JSON Web Token."""
        claims = {
            "aud": AUDIENCE,
            "scope": token.scope,
            "api_version": token.version,
            "iat": int(issued_at.timestamp()),
            "exp": int(token.expires_at.timestamp()),
            "jti": secrets.token_hex(8),
        }
        parts = [_base64(json.dumps(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        message = ".".join(parts)
        signature = hmac.digest(self._secret, message.encode(), hashlib.sha256)
        return f"{message}.{_base64(signature)}"


def _asked(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        raise _invalid("The request must be application/json.")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise _invalid("The request body is not JSON.") from error
    if not isinstance(found, dict):
        raise _invalid("The request body is no object.")
    if found.get("aud") != AUDIENCE:
        raise _invalid(f"aud must be {AUDIENCE}.")
    if found.get("api_version") != BEARER:
        raise _invalid(f"api_version must be {BEARER}.")
    seconds = found.get("expires_in", USUAL)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise _invalid("expires_in must be a number of seconds.")
    if found.get("scope") not in SCOPES:
        raise TokenRefusedError(400, "invalid_scope", "scope must be full or read.")
    return {"scope": found["scope"], "expires_in": seconds}


def _invalid(description: str) -> TokenRefusedError:
    return TokenRefusedError(400, "invalid_request", description)


def _base64(data: str | bytes) -> str:
    data = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""What a client was given to authenticate with, and what each API version wants of it."""

from yarl import URL

from didww_async.addresses import TOKEN_URLS, token_service_of
from didww_async.auth import TOKEN_VERSION, ApiKey, Auth, BearerToken, FetchToken
from didww_async.errors import InvalidInput
from didww_async.versions import ApiVersion

__all__ = ["Credentials"]


class Credentials:
    """The key as text serves every version; an object serves those that authenticate its way."""

    def __init__(
        self,
        given: str | Auth | BearerToken,
        *,
        api: URL,
        token_url: str | URL | None,
        fetch: FetchToken,
    ) -> None:
        """`api`: the base URL; `token_url`: None for the one that belongs to it, if it has one.

        Raises InvalidInput when these don't go together.
        """
        self._key: ApiKey | None = None
        self._token: BearerToken | None = None
        self._own: Auth | None = None
        self._api = api
        self._fetch = fetch
        known = token_service_of(api)
        if isinstance(given, str):
            self._key = ApiKey(given)
            if url := token_url or known:
                self._token = BearerToken(api_key=given, token_url=str(url))
            return
        if token_url is not None:
            raise InvalidInput("token_url goes with the key as text; give it to your BearerToken")
        if isinstance(given, BearerToken):
            if known and given.token_url in TOKEN_URLS.values() and given.token_url != known:
                raise InvalidInput(f"tokens of {given.token_url} are not for {api}, but {known}'s")
            self._token = given
        elif isinstance(given, ApiKey):
            self._key = given
        elif callable(getattr(given, "headers", None)):
            self._own = given
        else:
            raise InvalidInput(
                "api_key is the key as text, a BearerToken, or an Auth with headers(), "
                f"not {type(given).__name__}"
            )

    def to_speak(self, version: ApiVersion) -> Auth:
        """What authenticates at a version. Raises InvalidInput when there is no such thing."""
        if self._own is not None:
            return self._own
        if version.credentials == "key":
            if self._key is None:
                raise InvalidInput(
                    f"API version {version.date} authenticates with the API key itself, not with "
                    f"a BearerToken: say api_version={TOKEN_VERSION!r}, or give the key as text, "
                    "which serves every version"
                )
            return self._key
        if self._token is None:
            raise InvalidInput(
                f"API version {version.date} authenticates with bearer tokens: give "
                "api_key=BearerToken(...), or the key as text"
                f" and, for {self._api}, the token_url (DIDWW_TOKEN_URL) of its token service"
            )
        return self._token.through(self._fetch)

"""The API versions spoken, and what each spells differently, as data.

The names and values of this library are those of 2026-04-16. Replies are read by one superset of
all spellings (the server may serve another version than asked for); requests are written in the
spelling of the version asked for. Source: facts file, section 9.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from didww_async.errors import InvalidInput, NotInThisVersion
from didww_async.wire.query import Query

__all__ = ["DEFAULT_VERSION", "VERSIONS", "ApiVersion", "aliases", "version"]

DEFAULT_VERSION = "2026-04-16"


@attrs.frozen(kw_only=True)
class ApiVersion:
    """One version's spelling; every key is (resource type, our name).

    `credentials`: what a request authenticates with, the API key or a bearer token.
    `names`: our name -> its name. `values`: our value -> its value. `lacks`: what it does not have.
    """

    date: str
    credentials: Literal["key", "token"] = "key"
    names: Mapping[tuple[str, str], str] = attrs.field(factory=dict)
    values: Mapping[tuple[str, str], Mapping[str, str]] = attrs.field(factory=dict)
    lacks: frozenset[tuple[str, str]] = frozenset()

    def name(self, type_: str, ours: str) -> str:
        """How this version spells a name. Raises NotInThisVersion when it has no such thing."""
        if (type_, ours) in self.lacks:
            raise NotInThisVersion(
                f"{type_} has no {ours!r} in API version {self.date}; "
                f"use a client with api_version={DEFAULT_VERSION!r} or later"
            )
        return self.names.get((type_, ours), ours)

    def value(self, type_: str, ours: str, found: Any) -> Any:
        """How this version spells a value of an enumeration."""
        spelled = self.values.get((type_, ours))
        if spelled is None:
            return found
        if isinstance(found, (list, tuple, set, frozenset)):
            return [self.value(type_, ours, member) for member in found]
        text = getattr(found, "value", found)
        return spelled.get(text, found) if isinstance(text, str) else found

    def query(self, type_: str, query: Query) -> Query:
        """Spell a whole query."""
        if not self.names and not self.lacks and not self.values:
            return query
        return attrs.evolve(
            query,
            filter={
                self.name(type_, key): self.value(type_, key, found)
                for key, found in query.filter.items()
            },
            sort=tuple(self._sort(type_, key) for key in query.sort),
            include=tuple(self._path(type_, path) for path in query.include),
            fields={of: self._all(of, names) for of, names in query.fields.items()},
        )

    def _sort(self, type_: str, key: str) -> str:
        bare = key.removeprefix("-")
        return key[: len(key) - len(bare)] + self.name(type_, bare)

    def _path(self, type_: str, path: str) -> str:
        first, dot, rest = path.partition(".")
        return self.name(type_, first) + dot + rest

    def _all(self, type_: str, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.name(type_, name) for name in names)


VERSIONS: Mapping[str, ApiVersion] = {
    "2022-05-10": ApiVersion(
        date="2022-05-10",
        names={
            ("did_reservations", "expires_at"): "expire_at",
            ("did_groups", "address_requirement"): "requirement",
        },
        values={
            ("orders", "status"): {
                "pending": "Pending",
                "completed": "Completed",
                "canceled": "Canceled",
            },
            ("orders", "callback_method"): {"get": "GET", "post": "POST"},
        },
        lacks=frozenset(
            {
                ("orders", "external_reference_id"),
                ("did_groups", "meta.total_count_gteq"),
                ("dids", "emergency_enabled"),
                ("dids", "emergency_calling_service"),
                ("dids", "emergency_calling_service.id"),
                ("dids", "emergency_verification"),
                ("dids", "identity"),
            }
        ),
    ),
    "2026-04-16": ApiVersion(date="2026-04-16"),
    "2026-11-19": ApiVersion(date="2026-11-19", credentials="token"),
}


def version(date: str) -> ApiVersion:
    """Look a version up. Raises InvalidInput for one this library does not speak."""
    found = VERSIONS.get(date)
    if found is None:
        raise InvalidInput(
            f"API version {date!r} is not spoken here; choose of {', '.join(VERSIONS)}"
        )
    return found


def aliases() -> dict[str, dict[str, str]]:
    """Per resource type, every other version's name -> ours: the superset replies are read by."""
    found: dict[str, dict[str, str]] = {}
    for spelling in VERSIONS.values():
        for (type_, ours), theirs in spelling.names.items():
            found.setdefault(type_, {})[theirs] = ours
    return found

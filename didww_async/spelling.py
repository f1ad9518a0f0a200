"""ApiVersion: how one version of the API spells what this library calls by one name (pure)."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from didww_async.errors import NotInThisVersion
from didww_async.wire.query import Query

__all__ = ["ApiVersion", "Key"]

Key = tuple[str, str]
"""A resource type, and a name of it: an attribute, relationship, filter or sort."""


@attrs.frozen(kw_only=True)
class ApiVersion:
    """One version's spelling. Keys and types are ours; what is not in a table is spelled alike.

    `credentials`: what a request authenticates with, the API key or a bearer token. `types`: our
    resource type -> its type, which is its path as well. `names`: our name -> its name. `values`:
    our value -> its value. `lacks`, `lacks_types`, `lacks_values`: what it does not have, and what
    to do instead. `related`: the type a relationship leads to, for nested includes. `unfolds`:
    attributes that are nested objects here, whose parts it has among the resource's own.
    """

    date: str
    credentials: Literal["key", "token"] = "key"
    types: Mapping[str, str] = attrs.field(factory=dict)
    names: Mapping[Key, str] = attrs.field(factory=dict)
    values: Mapping[Key, Mapping[str, str]] = attrs.field(factory=dict)
    lacks: Mapping[Key, str] = attrs.field(factory=dict)
    lacks_types: Mapping[str, str] = attrs.field(factory=dict)
    lacks_values: Mapping[Key, Mapping[str, str]] = attrs.field(factory=dict)
    related: Mapping[Key, str] = attrs.field(factory=dict)
    unfolds: frozenset[Key] = frozenset()
    _told: Mapping[str, frozenset[str]] = attrs.field(init=False, repr=False, eq=False)

    @_told.default
    def _by_type(self) -> Mapping[str, frozenset[str]]:
        """Of each type the names that any of the tables tells something of."""
        tables = (self.names, self.values, self.lacks, self.lacks_values)
        keys = {*itertools.chain(*tables), *self.unfolds}
        types = {type_ for type_, _ in keys}
        return {type_: frozenset(name for of, name in keys if of == type_) for type_ in types}

    def type_name(self, ours: str) -> str:
        """How this version spells a resource type. Raises NotInThisVersion if it has none."""
        if ours in self.lacks_types:
            raise self._lacking(ours, self.lacks_types[ours])
        return self.types.get(ours, ours)

    def told(self, type_: str) -> frozenset[str]:
        """The names of a type that this version tells anything of: all others are spelled alike."""
        return self._told.get(type_, frozenset())

    def path(self, ours: str) -> str:
        """How this version spells the path of a collection, or of something in it."""
        if not self.types and not self.lacks_types:
            return ours
        collection, slash, rest = ours.partition("/")
        return self.type_name(collection) + slash + rest

    def name(self, type_: str, ours: str) -> str:
        """How this version spells a name. Raises NotInThisVersion when it has no such thing."""
        key = (type_, ours)
        if key in self.lacks:
            raise self._lacking(f"{ours!r} of {type_}", self.lacks[key])
        return self.names.get(key, ours)

    def value(self, type_: str, ours: str, found: Any) -> Any:
        """How this version spells a value of an enumeration; a comma separates several."""
        key = (type_, ours)
        spelled, lacking = self.values.get(key, {}), self.lacks_values.get(key, {})
        if not spelled and not lacking:
            return found
        if isinstance(found, (list, tuple, set, frozenset)):
            return [self.value(type_, ours, member) for member in found]
        text = getattr(found, "value", found)
        if not isinstance(text, str):
            return found
        if "," in text:
            return ",".join(self.value(type_, ours, part.strip()) for part in text.split(","))
        if text in lacking:
            raise self._lacking(f"{ours} {text!r} of {type_}", lacking[text])
        return spelled.get(text, found)

    def query(self, type_: str, query: Query) -> Query:
        """Spell a whole query."""
        if self._spells_alike(type_, query):
            return query
        return Query(
            filter={
                self.name(type_, key): self.value(type_, key, found)
                for key, found in query.filter.items()
            },
            sort=tuple(self._sort(type_, key) for key in query.sort),
            include=tuple(self._include(type_, path) for path in query.include),
            fields={self.type_name(of): self._all(of, names) for of, names in query.fields.items()},
            page_number=query.page_number,
            page_size=query.page_size,
        )

    def _spells_alike(self, type_: str, query: Query) -> bool:
        """Whether it is seen at a glance that this version spells the query as we do."""
        if query.sort or query.fields or "." in "".join(query.include):
            return False
        told = self._told.get(type_)
        return told is None or (told.isdisjoint(query.filter) and told.isdisjoint(query.include))

    def _sort(self, type_: str, key: str) -> str:
        bare = key.removeprefix("-")
        return key[: len(key) - len(bare)] + self.name(type_, bare)

    def _include(self, type_: str, path: str) -> str:
        """Each part of a path is a name of the type that the part before it leads to."""
        spelled = []
        of: str | None = type_
        for part in path.split("."):
            spelled.append(part if of is None else self.name(of, part))
            of = self.related.get((of, part)) if of else None
        return ".".join(spelled)

    def _all(self, type_: str, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.name(type_, name) for name in names)

    def _lacking(self, what: str, instead: str) -> NotInThisVersion:
        return NotInThisVersion(f"{what} is not in API version {self.date}; {instead}")

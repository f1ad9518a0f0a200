"""ApiVersion: how one version of the API spells what this library calls by one name (pure)."""

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import attrs

from didww_async.errors import NotInThisVersion
from didww_async.wire.query import Pairs, filter_text, number_text

__all__ = ["ApiVersion", "Key"]

Key = tuple[str, str]
"""A resource type, and a name of it: an attribute, relationship, filter or sort."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class ApiVersion:
    """One version's spelling. Keys and types are ours; what is not in a table is spelled alike.

    `credentials`: what a request authenticates with, the API key or a bearer token. `types`: our
    resource type -> its type, which is its path as well. `names`: our name -> its name. `values`:
    our value -> its value. `lacks`, `lacks_types`, `lacks_values`: what it does not have, and what
    to do instead. `related`: the type a relationship leads to, for nested includes. `unfolds`:
    attributes that are nested objects here, whose parts it has among the resource's own.
    `other_paths`: whether `path` has anything to say.
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
    other_paths: bool = attrs.field(init=False, repr=False, eq=False)
    _told: Mapping[str, frozenset[str]] = attrs.field(init=False, repr=False, eq=False)

    @other_paths.default
    def _has_other_paths(self) -> bool:
        return bool(self.types or self.lacks_types)

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
        if not self.other_paths:
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

    def query(
        self,
        type_: str,
        *,
        filter: Mapping[str, Any] = NOTHING,
        sort: Sequence[str] = (),
        include: Sequence[str] = (),
        fields: Mapping[str, Sequence[str]] = NOTHING,
        page: int | None = None,
        page_size: int | None = None,
    ) -> Pairs:
        """What a read of a type asks for, in the names of this library, as it is sent.

        Returns names and values in a stable order: include, filters, fields, sort, page. Raises
        NotInThisVersion, and InvalidInput for a value that can't be written, naming its key.
        """
        told = self.told(type_)
        pairs: list[tuple[str, str]] = []
        if include:
            paths = ",".join(include)
            if "." in paths or not told.isdisjoint(include):
                paths = ",".join([self._include(type_, path) for path in include])
            pairs.append(("include", paths))
        for key, found in filter.items():
            name, given = key, found
            if key in told:
                name, given = self.name(type_, key), self.value(type_, key, found)
            text = given if type(given) is str else filter_text(name, given)
            pairs.append((f"filter[{name}]", text))
        for of, names in fields.items():
            spelled = [self.name(of, name) for name in names]
            pairs.append((f"fields[{self.type_name(of)}]", ",".join(spelled)))
        if sort:
            pairs.append(("sort", ",".join([self._sort(type_, key) for key in sort])))
        if page is not None:
            pairs.append(("page[number]", number_text("page", page)))
        if page_size is not None:
            pairs.append(("page[size]", number_text("page_size", page_size)))
        return tuple(pairs)

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

    def _lacking(self, what: str, instead: str) -> NotInThisVersion:
        return NotInThisVersion(f"{what} is not in API version {self.date}; {instead}")

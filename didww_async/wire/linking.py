"""A document -> typed resources, with the included ones linked to each other."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from cattrs import Converter

from didww_async.resources.base import Meta, Resource, UnknownResource
from didww_async.wire.document import Document
from didww_async.wire.reading import MakeResource, Pending, resource_maker
from didww_async.wire.unset import UNSET, Unset

__all__ = ["Linker", "ResourceClasses", "is_identifier"]

Known: TypeAlias = dict[tuple[Any, Any], Resource]
_ID = operator.attrgetter("id")
_IDENTITY = operator.itemgetter("type", "id")


class ResourceClasses(Protocol):
    """Where the resource classes are looked up: a dict, or something that imports on first use."""

    def get(self, type_: str, /) -> type[Resource] | None:
        """The class of what the API calls `type_`; None for an unknown one."""
        ...


class Linker:
    """Builds resources from documents. Knows the resource classes; holds nothing of a document.

    `aliases` maps, per type, other API versions' names to ours, so that a reply is understood
    whichever version the server chose to serve.
    """

    def __init__(
        self,
        *,
        converter: Converter,
        classes: ResourceClasses,
        aliases: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._converter = converter
        self._classes = classes
        self._aliases = aliases
        self._makers: dict[str, MakeResource] = {}

    def many(self, document: Document) -> list[Resource]:
        """The primary resources of a list document, in the server's order."""
        data = document.data if isinstance(document.data, list) else [document.data]
        raws = [raw for raw in data if raw is not None] if None in data else data
        pending: list[Pending] = []
        result = self._built(raws, pending)
        included = self._built(document.included, pending) if document.included else []
        if pending:
            self._link(pending, _by_key([*raws, *document.included], result + included))
        return result

    def one(self, document: Document) -> Resource | None:
        """The primary resource of a single document; None for null."""
        found = self.many(document)
        return found[0] if found else None

    def reread(self, raw: Mapping[str, Any]) -> Resource:
        """What a resource object alone reads as, with nothing linked."""
        return self._maker(str(raw.get("type")))(raw, [])

    def aliases_of(self, type_: str) -> Mapping[str, str]:
        """Other API versions' names of a type's attributes and relationships -> ours."""
        return self._aliases.get(type_, {})

    def _built(self, raws: Iterable[Mapping[str, Any]], pending: list[Pending]) -> list[Resource]:
        makers = self._makers
        built = []
        for raw in raws:
            try:
                make = makers[raw["type"]]
            except (KeyError, TypeError):
                make = self._maker(str(raw.get("type")))
            built.append(make(raw, pending))
        return built

    def _maker(self, type_: str) -> MakeResource:
        make = self._makers.get(type_)
        if make is None:
            cls = self._classes.get(type_)
            if cls is None:
                return _unknown  # not kept: a server may make up any number of types
            aliases = self.aliases_of(type_)
            make = self._makers[type_] = resource_maker(cls, self._converter, aliases=aliases)
        return make

    def _link(self, pending: list[Pending], known: Known) -> None:
        # Resources may point at each other in a circle, which frozen objects can't express while
        # they are being made; this is the one place that completes them.
        for resource, (put, many), linkage in pending:
            try:
                if not many:
                    put(resource, known[_IDENTITY(linkage)])
                elif type(linkage) is list:
                    put(resource, tuple(map(known.__getitem__, map(_IDENTITY, linkage))))
                else:
                    put(resource, self._linked(linkage, known, many=many))
            except (KeyError, TypeError):  # no object, nothing to link to, or garbage
                put(resource, self._linked(linkage, known, many=many))

    def _linked(
        self, linkage: Any, known: Known, *, many: bool
    ) -> Resource | tuple[Resource, ...] | Unset | None:
        if linkage is None:
            return () if many else None
        if many and isinstance(linkage, list):
            return tuple(self._target(item, known) for item in linkage if is_identifier(item))
        if not is_identifier(linkage):
            return UNSET  # garbage says nothing, not even that there is none
        target = self._target(linkage, known)
        return (target,) if many else target

    def _target(self, identifier: Mapping[str, Any], known: Known) -> Resource:
        key = identifier["type"], str(identifier["id"])
        if (found := known.get(key)) is None:
            stub = {"type": identifier["type"], "id": identifier["id"]}
            found = known[key] = self._maker(identifier["type"])(stub, [])
        return found


def _by_key(raws: Sequence[Mapping[str, Any]], resources: Sequence[Resource]) -> Known:
    try:
        types = [raw["type"] for raw in raws]
        return _first_of_each(types, resources)
    except (KeyError, TypeError):  # an object without a type, or one that is no text
        return _first_of_each([str(raw.get("type")) for raw in raws], resources)


def _first_of_each(types: list[Any], resources: Sequence[Resource]) -> Known:
    keys = zip(types, map(_ID, resources), strict=True)
    known = dict(zip(keys, resources, strict=True))
    if len(known) == len(resources):
        return known
    # Primary data stand before what is included: links lead to the objects that are returned.
    keys = zip(reversed(types), map(_ID, reversed(resources)), strict=True)
    return dict(zip(keys, reversed(resources), strict=True))


def _unknown(raw: Mapping[str, Any], _: list[Pending]) -> UnknownResource:
    meta = raw.get("meta")
    return UnknownResource(
        id=str(raw["id"]), raw=raw, meta=Meta(raw=meta if isinstance(meta, dict) else {})
    )


def is_identifier(found: Any) -> bool:
    """Whether a member of a linkage names a resource."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("type"), str)
        and isinstance(found.get("id"), (str, int))
    )

"""A document -> typed resources, with the included ones linked to each other."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol, TypeAlias

from cattrs import Converter

from didww_async.resources.base import Meta, Resource, UnknownResource
from didww_async.wire.document import Document
from didww_async.wire.reading import MakeResources, Pending, resources_maker
from didww_async.wire.unset import UNSET, Unset

__all__ = ["Linker", "ResourceClasses", "is_identifier"]

Raw: TypeAlias = Mapping[str, Any]
Known: TypeAlias = dict[str, dict[Any, Resource]]  # type -> id -> resource
Run: TypeAlias = tuple[str, list[Resource]]  # a type, and resources of it that stood together
_TYPE = operator.itemgetter("type")


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
        self._makers: dict[str, MakeResources] = {}

    def many(self, document: Document) -> list[Resource]:
        """The primary resources of a list document, in the server's order."""
        data = document.data
        if data is None:
            return []
        raws = data if type(data) is list else [data]
        pending: list[Pending] = []
        try:
            runs = self._runs(raws, pending, _TYPE)
            others = self._runs(document.included, pending, _TYPE) if document.included else []
        except (KeyError, TypeError):  # an object without a type, or one that is no text
            pending = []
            runs = self._runs(raws, pending, _some_type)
            others = self._runs(document.included, pending, _some_type)
        if pending:
            self._link(pending, _known([*runs, *others]))
        return runs[0][1] if len(runs) == 1 else [it for _, alike in runs for it in alike]

    def one(self, document: Document) -> Resource | None:
        """The primary resource of a single document; None for null."""
        found = self.many(document)
        return found[0] if found else None

    def reread(self, raw: Raw) -> Resource:
        """What a resource object alone reads as, with nothing linked."""
        built: list[Resource] = []
        self._maker(_some_type(raw))([raw], built, [])
        return built[0]

    def aliases_of(self, type_: str) -> Mapping[str, str]:
        """Other API versions' names of a type's attributes and relationships -> ours."""
        return self._aliases.get(type_, {})

    def _runs(
        self, raws: Sequence[Raw], pending: list[Pending], type_of: Callable[[Raw], Any]
    ) -> list[Run]:
        """Build resources, one run of objects of the same type after the other."""
        runs: list[Run] = []
        makers = self._makers
        one = len(raws) == 1
        for type_, alike in ((type_of(raws[0]), raws),) if one else groupby(raws, type_of):
            make = makers[type_] if type_ in makers else self._maker(type_)
            built: list[Resource] = []
            make(alike, built, pending)
            runs.append((type_, built))
        return runs

    def _maker(self, type_: str) -> MakeResources:
        make = self._makers.get(type_)
        if make is None:
            cls = self._classes.get(type_)
            if cls is None:
                return _unknown  # not kept: a server may make up any number of types
            aliases = self.aliases_of(type_)
            make = self._makers[type_] = resources_maker(cls, self._converter, aliases=aliases)
        return make

    def _link(self, pending: list[Pending], known: Known) -> None:
        # Resources may point at each other in a circle, which frozen objects can't express while
        # they are being made; this is the one place that completes them.
        for resource, (put, many), linkage in pending:
            try:
                if not many:
                    put(resource, known[linkage["type"]][linkage["id"]])
                elif type(linkage) is list:
                    put(resource, tuple([known[one["type"]][one["id"]] for one in linkage]))
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

    def _target(self, identifier: Raw, known: Known) -> Resource:
        type_, id_ = identifier["type"], str(identifier["id"])
        alike = known.setdefault(type_, {})
        if id_ not in alike:
            stub: list[Resource] = []
            self._maker(type_)([{"type": type_, "id": identifier["id"]}], stub, [])
            alike[id_] = stub[0]
        return alike[id_]


def _known(runs: Sequence[Run]) -> Known:
    known: Known = {}
    # From the end, so that the first of each id stays: links lead to the objects that are returned,
    # and primary data stand before what is included.
    for type_, alike in reversed(runs):
        by_id = {it.id: it for it in reversed(alike)}
        if type_ in known:
            known[type_].update(by_id)
        else:
            known[type_] = by_id
    return known


def _some_type(raw: Raw) -> str:
    return str(raw.get("type"))


def _unknown(raws: Iterable[Raw], built: list[Resource], _: list[Pending]) -> None:
    for raw in raws:
        meta = raw.get("meta")
        found = Meta(raw=meta if isinstance(meta, dict) else {})
        built.append(UnknownResource(id=str(raw["id"]), raw=raw, meta=found))


def is_identifier(found: Any) -> bool:
    """Whether a member of a linkage names a resource."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("type"), str)
        and isinstance(found.get("id"), (str, int))
    )

"""A document -> typed resources, with the included ones linked to each other."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cattrs import Converter

from didww_async.resources.base import (
    Meta,
    Resource,
    UnknownResource,
    fields_of,
    is_relationship,
    is_to_many,
)
from didww_async.wire.converter import AttributeReader, attribute_reader
from didww_async.wire.document import Document
from didww_async.wire.unset import UNSET, Unset

__all__ = ["Linker"]

Key = tuple[str, str]


class _Blueprint:
    """How to build one resource class: read per class once, used for every object."""

    __slots__ = ("cls", "read", "read_meta", "relationships")

    def __init__(
        self, cls: type[Resource], converter: Converter, aliases: Mapping[str, str]
    ) -> None:
        self.cls = cls
        self.read: AttributeReader = attribute_reader(cls, converter, aliases=aliases)
        fields = {field.name: field for field in fields_of(cls)}
        meta: Any = fields["meta"].type
        self.read_meta: Callable[[Any, Any], Meta] = converter.get_structure_hook(meta)
        ours = {
            name: (name, is_to_many(field))
            for name, field in fields.items()
            if is_relationship(field)
        }
        theirs = {alias: ours[name] for alias, name in aliases.items() if name in ours}
        self.relationships: Mapping[str, tuple[str, bool]] = ours | theirs


class Linker:
    """Builds resources from documents. Knows the resource classes; holds nothing of a document.

    `aliases` maps, per type, other API versions' names to ours, so that a reply is understood
    whichever version the server chose to serve.
    """

    def __init__(
        self,
        *,
        converter: Converter,
        classes: Mapping[str, type[Resource]],
        aliases: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._converter = converter
        self._classes = classes
        self._aliases = aliases
        self._blueprints: dict[str, _Blueprint] = {}

    def many(self, document: Document) -> list[Resource]:
        """The primary resources of a list document, in the server's order."""
        data = document.data if isinstance(document.data, list) else [document.data]
        return self._link([item for item in data if item is not None], document.included)

    def one(self, document: Document) -> Resource | None:
        """The primary resource of a single document; None for null."""
        found = self.many(document)
        return found[0] if found else None

    def _link(
        self, primary: list[Mapping[str, Any]], included: Iterable[Mapping[str, Any]]
    ) -> list[Resource]:
        known: dict[Key, Resource] = {}
        unlinked: list[Resource] = []

        def built(raw: Mapping[str, Any]) -> Resource:
            resource = self._build(raw)
            known.setdefault(_key(raw), resource)
            if _mapping(raw.get("relationships")):
                unlinked.append(resource)
            return resource

        # Primary data first: where it is included once more, links lead to the object returned.
        result = [built(raw) for raw in primary]
        for raw in included:
            built(raw)
        for resource in unlinked:
            self._set_relationships(resource, known)
        return result

    def _blueprint(self, type_: str) -> _Blueprint | None:
        found = self._blueprints.get(type_)
        if found is None and (cls := self._classes.get(type_)) is not None:
            found = _Blueprint(cls, self._converter, self._aliases.get(type_, {}))
            self._blueprints[type_] = found
        return found

    def _build(self, raw: Mapping[str, Any]) -> Resource:
        blueprint = self._blueprint(str(raw.get("type")))
        meta = _mapping(raw.get("meta"))
        if blueprint is None:
            return UnknownResource(id=str(raw["id"]), raw=raw, meta=Meta(raw=meta))
        values = blueprint.read(_mapping(raw.get("attributes")))
        if meta:
            values["meta"] = blueprint.read_meta(meta, None)
        return blueprint.cls(id=str(raw["id"]), raw=raw, **values)

    def _set_relationships(self, resource: Resource, known: dict[Key, Resource]) -> None:
        blueprint = self._blueprint(str(resource.raw.get("type")))
        if blueprint is None:
            return
        for wire_name, member in _mapping(resource.raw.get("relationships")).items():
            found = blueprint.relationships.get(wire_name)
            if found is None or not isinstance(member, dict) or "data" not in member:
                continue
            name, many = found
            # Resources may point at each other in a circle, which frozen objects can't express
            # while they are being made; this is the one place that completes them.
            object.__setattr__(resource, name, self._linked(member["data"], known, many=many))

    def _linked(
        self, linkage: Any, known: dict[Key, Resource], *, many: bool
    ) -> Resource | tuple[Resource, ...] | Unset | None:
        if linkage is None:
            return () if many else None
        if many and isinstance(linkage, list):
            return tuple(self._target(item, known) for item in linkage if _is_identifier(item))
        if not _is_identifier(linkage):
            return UNSET  # garbage says nothing, not even that there is none
        target = self._target(linkage, known)
        return (target,) if many else target

    def _target(self, identifier: Mapping[str, Any], known: dict[Key, Resource]) -> Resource:
        key = _key(identifier)
        if (found := known.get(key)) is None:
            found = self._build({"type": identifier["type"], "id": identifier["id"]})
            known[key] = found
        return found


def _key(raw: Mapping[str, Any]) -> Key:
    return str(raw.get("type")), str(raw.get("id"))


def _is_identifier(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("type"), str)
        and isinstance(found.get("id"), (str, int))
    )


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}

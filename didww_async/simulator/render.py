"""Writing JSON:API documents."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import attrs

from didww_async.simulator.query import IncludeTree, Query
from didww_async.simulator.schema import MISSING, Catalogue, Relationship, Resource

if TYPE_CHECKING:
    from didww_async.simulator.world import World


Written = dict[tuple[str, str], str]
"""Resource objects of one version as JSON, by type and id: those that never change."""


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def document(data: str, *, included: Sequence[str] | None, members: Mapping[str, Any]) -> bytes:
    """Put a document together from objects that are written already, and its other members."""
    parts = [f'"data":{data}']
    if included is not None:
        parts.append(f'"included":{listed(included)}')
    parts += [f"{as_json(name)}:{as_json(value)}" for name, value in members.items()]
    return f"{{{','.join(parts)}}}".encode()


def listed(objects: Sequence[str]) -> str:
    return f"[{','.join(objects)}]"


@attrs.frozen(kw_only=True)
class Renderer:
    """Writes resource objects for one reply."""

    world: "World"
    catalogue: Catalogue
    base_url: str
    written: Written
    fields: Mapping[str, frozenset[str]]

    def objects(
        self, resource: Resource, records: Sequence[Any], include: IncludeTree
    ) -> tuple[list[str], list[str]]:
        """Write the primary data and what is included, each object once with all its linkage."""
        loaded: dict[tuple[str, str], tuple[Any, set[str]]] = {}
        self._collect(resource, records, include, loaded)
        data = []
        for record in records:
            # A primary resource that is also reached by an include stays primary data only.
            _, names = loaded.pop((resource.type, record.id), (record, set()))
            data.append(self._text(resource, record, names | set(include)))
        included = [
            self._text(self.catalogue[kind], record, names)
            for (kind, _id), (record, names) in loaded.items()
        ]
        return data, included

    def _collect(
        self,
        resource: Resource,
        records: Iterable[Any],
        include: IncludeTree,
        loaded: dict[tuple[str, str], tuple[Any, set[str]]],
    ) -> None:
        for name, branch in include.items():
            # Of the types that a relationship leads to, not all may have the next one of a path.
            relationship = resource.relationship_named.get(name)
            if relationship is None:
                continue
            related: dict[str, dict[str, Any]] = {}
            for record in records:
                for linked in self._linked(relationship, record):
                    related.setdefault(relationship.type_name(linked), {})[linked.id] = linked
            for kind, found in related.items():
                target = self.catalogue.get(kind)
                if target is None:
                    continue
                for linked_id, linked in found.items():
                    loaded.setdefault((kind, linked_id), (linked, set()))[1].update(branch)
                self._collect(target, found.values(), branch, loaded)

    def _linked(self, relationship: Relationship, record: Any) -> Sequence[Any]:
        found = relationship.read(self.world, record)
        if relationship.many:
            return found or ()
        return () if found is None else (found,)

    def _text(self, resource: Resource, record: Any, linked: set[str]) -> str:
        changes = not resource.of_coverage or resource.meta is not None
        if changes or linked or resource.type in self.fields:
            return as_json(self._object(resource, record, linked))
        key = (resource.type, record.id)
        if key not in self.written:
            self.written[key] = as_json(self._object(resource, record, linked))
        return self.written[key]

    def _object(self, resource: Resource, record: Any, linked: set[str]) -> dict[str, Any]:
        wanted = self.fields.get(resource.type)
        written: dict[str, Any] = {"id": record.id, "type": resource.type}
        attributes = {}
        for attribute in resource.attributes:
            if wanted is None or attribute.name in wanted:
                value = attribute.read(self.world, record)
                if value is not MISSING:
                    attributes[attribute.name] = value
        if resource.attributes:
            written["attributes"] = attributes
        relationships = {
            relationship.name: self._relationship(
                resource, record, relationship, linked=relationship.name in linked
            )
            for relationship in resource.relationships
            if (wanted is None or relationship.name in wanted)
            and (not resource.quiet or relationship.name in linked)
        }
        if relationships:
            written["relationships"] = relationships
        meta = resource.meta(self.world, record) if resource.meta is not None else None
        if meta:
            written["meta"] = meta
        return written

    def _relationship(
        self, resource: Resource, record: Any, relationship: Relationship, *, linked: bool
    ) -> dict[str, Any]:
        here = f"{self.base_url}/{resource.path or resource.type}/{record.id}"
        written: dict[str, Any] = {
            "links": {
                "self": f"{here}/relationships/{relationship.name}",
                "related": f"{here}/{relationship.name}",
            }
        }
        if linked:
            linkage = [
                {"type": relationship.type_name(other), "id": other.id}
                for other in self._linked(relationship, record)
            ]
            written["data"] = linkage if relationship.many else (linkage[0] if linkage else None)
        return written


def page_links(
    url: str, query: Query, include: str | None, *, last: int, with_next: bool
) -> dict[str, str]:
    """The links of a paged list: first and last always, next and prev only when asked for."""
    pairs = [(f"filter[{name}]", text) for name, text in query.filter_texts]
    if include:
        pairs.append(("include", include))
    if query.sort:
        pairs.append(("sort", ",".join("-" * down + name for name, down in query.sort)))

    def page(number: int) -> str:
        parts = [*pairs, ("page[number]", str(number)), ("page[size]", str(query.page_size))]
        return f"{url}?{urlencode(sorted(parts))}"

    links = {"first": page(1), "last": page(last)}
    if with_next and query.page_number < last:
        links["next"] = page(query.page_number + 1)
    if with_next and query.page_number > 1:
        links["prev"] = page(query.page_number - 1)
    return links

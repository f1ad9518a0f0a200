"""A resource -> its resource object again, spelled as it was received."""

from collections.abc import Iterator, Mapping
from typing import Any

from cattrs import Converter

from didww_async.resources.base import (
    Resource,
    attributes_of,
    fields_of,
    is_relationship,
    wire_name,
)
from didww_async.versions import ApiVersion
from didww_async.wire.linking import Linker, is_identifier
from didww_async.wire.unset import UNSET

__all__ = ["to_wire"]


def to_wire(
    resource: Resource, *, linker: Linker, converter: Converter, version: ApiVersion
) -> dict[str, Any]:
    """Write a resource as the resource object it came from: the same names, values and spellings.

    What is still as it was read is written as it was received ("Completed", "4.00", keys this
    library does not know). What differs since (`attrs.evolve`), or never came from the server, is
    written from the typed value, as `version` spells it; what is UNSET now is left out. Unchanged
    parts are shared with `resource.raw`.

    Raises NotInThisVersion for what `version` lacks and was not received like that.
    """
    raw = resource.raw
    before = linker.reread(raw) if "id" in raw else None
    if type(before) is not type(resource):
        before = None
    found = dict(raw) if raw else {"type": version.type_name(resource.type)}
    if before is None or before.id != resource.id:
        found["id"] = resource.id
    spell = _Speller(resource, linker, version)
    _put(
        found,
        "attributes",
        _changed(before, resource, _mapping(raw.get("attributes")), spell, converter),
    )
    if before is None or before.meta != resource.meta:
        old = None if before is None else before.meta
        _put(
            found,
            "meta",
            _changed(old, resource.meta, _mapping(raw.get("meta")), None, converter),
        )
    _put(
        found,
        "relationships",
        dict(_changed_links(resource, _mapping(raw.get("relationships")), spell)),
    )
    return found


class _Speller:
    """How the attributes and relationships of one resource are spelled."""

    def __init__(self, resource: Resource, linker: Linker, version: ApiVersion) -> None:
        self._type = resource.type
        self._version = version
        self._aliases = linker.aliases_of(str(resource.raw.get("type", resource.type)))

    def key(self, name: str, received: Mapping[str, Any]) -> str:
        """The spelling that was received; else the version's."""
        for theirs in (name, *(key for key, ours in self._aliases.items() if ours == name)):
            if theirs in received:
                return theirs
        return self._version.name(self._type, name)

    def value(self, name: str, found: Any) -> Any:
        return self._version.value(self._type, name, found)

    def linkage(self, target: Any) -> Any:
        if isinstance(target, tuple):
            return [self.linkage(one) for one in target]
        if target is None:
            return None
        type_ = target.raw.get("type") or self._version.type_name(target.type)
        return {"type": type_, "id": target.raw.get("id", target.id)}


def _changed(
    before: Any,
    now: Any,
    received: Mapping[str, Any],
    spell: _Speller | None,
    converter: Converter,
) -> dict[str, Any]:
    """What of the attributes is to be written in place of what was received; UNSET for removed."""
    changed: dict[str, Any] = {}
    for field in attributes_of(type(now)):
        new = getattr(now, field.name)
        if _same(UNSET if before is None else getattr(before, field.name), new):
            continue
        name = wire_name(field)
        key = spell.key(name, received) if spell else name
        value = spell.value(name, new) if spell else new
        changed[key] = value if value is UNSET else converter.unstructure(value)
    return changed


def _changed_links(
    resource: Resource, received: Mapping[str, Any], spell: _Speller
) -> Iterator[tuple[str, Any]]:
    for field in fields_of(type(resource)):
        target = getattr(resource, field.name)
        if not is_relationship(field) or target is UNSET:
            continue
        key = spell.key(wire_name(field), received)
        member = _mapping(received.get(key))
        linkage = spell.linkage(target)
        if "data" not in member or _identities(member["data"]) != _identities(linkage):
            yield key, {**member, "data": linkage}


def _identities(linkage: Any) -> list[tuple[Any, str]]:
    items = linkage if isinstance(linkage, list) else [linkage]
    return [(item["type"], str(item["id"])) for item in items if is_identifier(item)]


def _same(before: Any, now: Any) -> bool:
    return before is now or (type(before) is type(now) and before == now)


def _put(found: dict[str, Any], name: str, changed: Mapping[str, Any]) -> None:
    """Change a member of the resource object; one that has no changes stays as it was."""
    if changed:
        merged = {**_mapping(found.get(name)), **changed}
        found[name] = {key: value for key, value in merged.items() if value is not UNSET}


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}

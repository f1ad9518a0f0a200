"""A resource -> its resource object again, spelled as it was received.

The client sends nothing like it: requests are written from inputs (`body`), and what was received
is in `resource.raw`. It is the counterpart of reading, by which reading is shown to lose nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from cattrs import Converter

from didww_async.resources.base import (
    Resource,
    attributes_of,
    fields_of,
    is_relationship,
    wire_name,
)
from didww_async.versions import ApiVersion
from didww_async.wire.body import written_attribute
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
    writer = _Writer(
        type=resource.type,
        aliases=linker.aliases_of(str(raw.get("type", resource.type))),
        converter=converter,
        version=version,
    )
    found = dict(raw) if raw else {"type": version.type_name(resource.type)}
    if before is None or before.id != resource.id:
        found["id"] = resource.id
    _put(found, "attributes", writer.attributes(before, resource))
    _put(found, "meta", writer.meta(before, resource))
    _put(found, "relationships", dict(writer.links(resource)))
    return found


@attrs.frozen(kw_only=True)
class _Writer:
    """What of one resource is to be written in place of what was received; UNSET is to go."""

    type: str
    aliases: Mapping[str, str]
    converter: Converter
    version: ApiVersion

    def attributes(self, before: Resource | None, now: Resource) -> dict[str, Any]:
        received = _mapping(now.raw.get("attributes"))
        changed: dict[str, Any] = {}
        for name, new in _differing(before, now):
            changed |= self._attribute(name, new, self._received(name, received))
        return changed

    def meta(self, before: Resource | None, now: Resource) -> dict[str, Any]:
        differing = _differing(before and before.meta, now.meta)
        return {
            name: new if new is UNSET else self.converter.unstructure(new)
            for name, new in differing
        }

    def links(self, now: Resource) -> Iterator[tuple[str, Any]]:
        received = _mapping(now.raw.get("relationships"))
        for field in fields_of(type(now)):
            target = getattr(now, field.name)
            if not is_relationship(field) or target is UNSET:
                continue
            name = wire_name(field)
            key = self._received(name, received) or self.version.name(self.type, name)
            member = _mapping(received.get(key))
            linkage = self._linkage(target)
            if "data" not in member or _identities(member["data"]) != _identities(linkage):
                yield key, {**member, "data": linkage}

    def _received(self, name: str, received: Mapping[str, Any]) -> str | None:
        """The spelling that was received, if any: the one that was read."""
        spellings = (name, *(theirs for theirs, ours in self.aliases.items() if ours == name))
        return next((theirs for theirs in spellings if theirs in received), None)

    def _attribute(self, name: str, new: Any, received: str | None) -> dict[str, Any]:
        if new is UNSET:
            return {received or name: UNSET}
        written = written_attribute(
            self.type, name, new, converter=self.converter, version=self.version
        )
        if received is None or len(written) != 1:
            return written
        return {received: next(iter(written.values()))}

    def _linkage(self, target: Any) -> Any:
        if isinstance(target, tuple):
            return [self._linkage(one) for one in target]
        if target is None:
            return None
        type_ = target.raw.get("type") or self.version.type_name(target.type)
        return {"type": type_, "id": target.raw.get("id", target.id)}


def _differing(before: Any, now: Any) -> Iterator[tuple[str, Any]]:
    """The attributes that are not as they were read, by their names on the wire."""
    for field in attributes_of(type(now)):
        old = UNSET if before is None else getattr(before, field.name)
        new = getattr(now, field.name)
        if not (old is new or (type(old) is type(new) and old == new)):
            yield wire_name(field), new


def _identities(linkage: Any) -> list[tuple[Any, str]]:
    items = linkage if isinstance(linkage, list) else [linkage]
    return [(item["type"], str(item["id"])) for item in items if is_identifier(item)]


def _put(found: dict[str, Any], name: str, changed: Mapping[str, Any]) -> None:
    """Change a member of the resource object; one that has no changes stays as it was."""
    if changed:
        merged = {**_mapping(found.get(name)), **changed}
        found[name] = {key: value for key, value in merged.items() if value is not UNSET}


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}

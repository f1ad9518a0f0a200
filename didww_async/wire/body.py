"""Typed input -> the JSON:API body of a POST or PATCH."""

import functools
from typing import Any

from cattrs import Converter

from didww_async.errors import InvalidInput
from didww_async.resources.base import (
    Nested,
    Resource,
    UnknownNested,
    fields_of,
    is_relationship,
    related_type,
)
from didww_async.versions import ApiVersion
from didww_async.wire.codec import STANDARD, Codec
from didww_async.wire.converter import PLAIN
from didww_async.wire.unset import UNSET

__all__ = ["request_body", "written_attribute"]


def request_body(
    given: Any,
    *,
    converter: Converter,
    version: ApiVersion,
    id: str | None = None,
    codec: Codec = STANDARD,
) -> bytes:
    """Write an input object; what is UNSET is not sent, None is sent as null.

    Raises NotInThisVersion for a field this API version lacks, InvalidInput for a change (with
    `id`) of nothing, and for text that can't be written as UTF-8.
    """
    type_ = given.type
    told = version.told(type_)
    attributes: dict[str, Any] = {}
    relationships: dict[str, Any] = {}
    cls: Any = type(given)
    for name, linked, related in _members(cls):
        found = getattr(given, name)
        if found is UNSET:
            continue
        if linked:
            key = version.name(type_, name)
            relationships[key] = {"data": _linkage(version, related, found)}
        elif type(found) in PLAIN and name not in told:
            attributes[name] = found
        elif isinstance(found, Nested) or name in told:
            attributes |= written_attribute(
                type_, name, found, converter=converter, version=version
            )
        else:
            attributes[name] = converter.unstructure(found)
    data: dict[str, Any] = {"type": version.type_name(type_)}
    if id is not None:
        data["id"] = id
        if not attributes and not relationships:
            raise InvalidInput(f"{type(given).__name__} changes nothing: set at least one field")
    if attributes:
        data["attributes"] = attributes
    if relationships:
        data["relationships"] = relationships
    try:
        return codec.dumps({"data": data})
    except UnicodeEncodeError:
        raise InvalidInput(f"the {type_} input holds text that is not valid Unicode") from None
    except (ValueError, TypeError) as problem:
        raise InvalidInput(f"the {type_} input holds what JSON can't: {problem}") from None


@functools.cache
def _members(cls: Any) -> tuple[tuple[str, bool, str | None], ...]:
    """Of each field its name, whether it is a relationship, and to which type it leads."""
    return tuple(
        (field.name, is_relationship(field), related_type(field)) for field in fields_of(cls)
    )


def written_attribute(
    type_: str, name: str, found: Any, *, converter: Converter, version: ApiVersion
) -> dict[str, Any]:
    """An attribute as a version spells it: one member of `attributes`, or several where the
    version has the parts of a nested object among them. Raises NotInThisVersion.
    """
    key = version.name(type_, name)
    if not isinstance(found, Nested) or isinstance(found, UnknownNested):
        return {key: converter.unstructure(version.value(type_, name, found))}
    part = _part(version, found, converter)
    unfolded: dict[str, Any] = part["attributes"]
    return unfolded if (type_, name) in version.unfolds else {key: part}


def _part(version: ApiVersion, found: Nested, converter: Converter) -> dict[str, Any]:
    attributes = converter.unstructure(found)["attributes"]
    if version.told(found.type):
        attributes = {
            version.name(found.type, name): version.value(found.type, name, value)
            for name, value in attributes.items()
        }
    return {"type": version.type_name(found.type), "attributes": attributes}


def _linkage(version: ApiVersion, type_: str | None, found: Any) -> Any:
    if found is None:
        return None
    if isinstance(found, (list, tuple)):
        return [_linkage(version, type_, member) for member in found]
    if isinstance(found, Resource):  # where the type is the caller's choice, so is the object
        return {"type": version.type_name(found.type), "id": found.id}
    return {"type": type_ and version.type_name(type_), "id": found}

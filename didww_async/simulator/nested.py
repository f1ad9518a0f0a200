"""Polymorphic parts of attributes, `{type, attributes}`: declaring, reading and writing them."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from didww_async.simulator.errors import (
    Problem,
    RefusedError,
    invalid,
    malformed,
    parameter_not_allowed,
)
from didww_async.simulator.inputs import read_value
from didww_async.simulator.schema import Reads
from didww_async.simulator.versions import V2022


@attrs.frozen
class Setting:
    """An attribute of a part: how it is read and what it is when it is not sent.

    One without `reads` is written by the server alone: sending it is refused.
    """

    reads: Reads | None
    default: Any = None
    nullable: bool = True
    is_new: bool = False
    """2022-05-10 does not have it."""


Shapes = Mapping[str, Mapping[str, Setting]]
"""The settings of each type of a part."""


@attrs.frozen
class Part:
    """A part as it is kept: every setting of its type has a value."""

    type: str
    attributes: Mapping[str, Any] = attrs.field(hash=False)

    def with_attributes(self, **changes: Any) -> "Part":
        return Part(self.type, {**self.attributes, **changes})


def part(name: str, shapes: Shapes) -> Callable[[Any], Part]:
    """Read the part called `name`; what is not sent has its default."""

    def read(value: Any) -> Part:
        if not isinstance(value, dict) or not isinstance(value.get("attributes"), dict):
            raise malformed(f"{name} needs type and attributes.")
        settings = shapes.get(value["type"]) if isinstance(value.get("type"), str) else None
        if settings is None:
            raise malformed(f"{value.get('type')} is not a type of {name}.")
        return Part(value["type"], _values(name, settings, value["attributes"]))

    return read


def older(shapes: Shapes) -> Shapes:
    """The shapes as 2022-05-10 knows them."""
    return {
        kind: {name: setting for name, setting in settings.items() if not setting.is_new}
        for kind, settings in shapes.items()
    }


def write(found: Part, shapes: Shapes, version: str) -> Mapping[str, Any]:
    """Write a part for a reply."""
    settings = (older(shapes) if version <= V2022 else shapes)[found.type]
    return {
        "type": found.type,
        "attributes": {name: found.attributes.get(name) for name in settings},
    }


def _values(
    name: str, settings: Mapping[str, Setting], sent: Mapping[str, Any]
) -> Mapping[str, Any]:
    values = {key: setting.default for key, setting in settings.items()}
    problems: list[Problem] = []
    for key, value in sent.items():
        setting = settings.get(key)
        if setting is None or setting.reads is None:
            raise parameter_not_allowed(key)
        try:
            values[key] = read_value(value, setting.reads, nullable=setting.nullable)
        except ValueError as error:
            problems.append(invalid(f"/data/attributes/{name}/{key}", str(error)))
    if problems:
        raise RefusedError(422, *problems)
    return values

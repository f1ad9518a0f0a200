"""Wire objects -> values of one class, by code written for that class when it is first needed.

A page holds hundreds of objects and thousands of attributes. What is looked up once per class
(fields, types, spellings) is looked up before; what is left per attribute is one straight line: get
it, see that it has the documented type, put it in its slot. All else goes to the converter's hook.

Decoding never raises: what can't be read as documented stays `UNSET` (and in `raw`). A class's own
checks (`__attrs_post_init__`) are for what users write; they don't run here.
"""

import datetime as dt
import functools
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError

from didww_async.resources.base import (
    FlatNested,
    Nested,
    Resource,
    attributes_of,
    fields_of,
    is_relationship,
    is_to_many,
    unfolded_class,
    wire_name,
)
from didww_async.wire.drafts import draft_of
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import UNSET

__all__ = ["MakeResources", "MakeValue", "Pending", "resources_maker", "value_maker"]

Slot: TypeAlias = tuple[Callable[[Any, Any], None], bool]
"""Where a relationship goes: what sets it on a resource, and whether it is to-many."""

Pending: TypeAlias = tuple[Resource, Slot, Any]
"""A relationship to be linked: the resource, the place, the linkage."""

MakeResources: TypeAlias = Callable[
    [Iterable[Mapping[str, Any]], list[Resource], list[Pending]], None
]
"""Builds resources of one class: (their resource objects, where to append the resources, where to
note relationships that have data)."""

MakeValue: TypeAlias = Callable[[Any, Any], Any]
"""Builds a value from its wire attributes and what is to be kept as `raw`."""

_REMEMBERED = 512
_EXACT: Mapping[Any, str] = {
    str: "type(v) is str",
    bool: "v is True or v is False",
    int: f"type(v) is int and {-(2**63)} <= v < {2**63}",
}

_VALUE = """\
def make(attributes, raw):
    it = Draft()
    it.raw = raw
{attributes}
    it.__class__ = cls
    return it
"""

_RESOURCES = """\
def make(raws, built, pending):
    for raw in raws:
        it = Draft()
        v = raw["id"]
        it.id = v if type(v) is str else str(v)
        it.raw = raw
        if "meta" in raw and type(v := raw["meta"]) is dict and v:
            it.meta = make_meta(v, v)
        else:
            it.meta = no_meta
        attributes = raw["attributes"] if "attributes" in raw else nothing
        if type(attributes) is not dict:
            attributes = nothing
{attributes}
{relationships}
        it.__class__ = cls
        built.append(it)
        if "relationships" in raw:
            found = raw["relationships"]
            try:
                for name, member in found.items():
                    if "data" in member:
                        pending.append((it, slots[name], member["data"]))
            except (AttributeError, TypeError, KeyError):
                note(it, found, pending)
"""


def value_maker(cls: type, converter: Converter) -> MakeValue:
    """Make the builder of a nested value or a `meta` object."""
    names = _names_of(cls)
    lines = _attribute_lines(cls, converter, {}, names)
    if issubclass(cls, FlatNested):
        names["others"] = _others(cls)
        lines += "\n    it.others = others(attributes)"
    source = _VALUE.format(attributes=lines)
    return typing.cast("MakeValue", _compiled(source, names))


def resources_maker(
    cls: type[Resource], converter: Converter, *, aliases: Mapping[str, str]
) -> MakeResources:
    """Make the builder of a class's resources. `aliases`: other versions' spellings -> ours."""
    names = _names_of(cls)
    (meta,) = (field for field in fields_of(cls) if field.name == "meta")
    names["make_meta"] = value_maker(typing.cast("type", meta.type), converter)
    names["no_meta"] = meta.default
    names["nothing"] = {}
    names["slots"] = slots = _slots(cls, aliases)
    names["note"] = _noting(slots)
    unset = [f"    it.{field.name} = absent" for field in fields_of(cls) if is_relationship(field)]
    source = _RESOURCES.format(
        relationships=_in_loop("\n".join(unset)),
        attributes=_in_loop(_attribute_lines(cls, converter, aliases, names)),
    )
    return typing.cast("MakeResources", _compiled(source, names))


def _in_loop(lines: str) -> str:
    return textwrap.indent(lines, "    ")


def _names_of(cls: type) -> dict[str, Any]:
    return {
        "Draft": draft_of(cls),
        "cls": cls,
        "absent": UNSET,
        "moment": dt.datetime.fromisoformat,
    }


def _compiled(source: str, names: dict[str, Any]) -> Callable[..., Any]:
    code = compile(source, f"<reader of {names['cls'].__name__}>", "exec")
    exec(code, names)  # noqa: S102 - of the field names of our own classes
    return typing.cast("Callable[..., Any]", names["make"])


def _others(cls: type[FlatNested]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    named = {wire_name(field) for field in attributes_of(cls)}

    def others(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        return {key: found for key, found in attributes.items() if key not in named}

    return others


def _slots(cls: type, aliases: Mapping[str, str]) -> dict[str, Slot]:
    """The relationships by their names on the wire."""
    ours = {
        wire_name(field): (getattr(cls, field.name).__set__, is_to_many(field))
        for field in fields_of(cls)
        if is_relationship(field)
    }
    return ours | {theirs: ours[name] for theirs, name in aliases.items() if name in ours}


def _noting(
    slots: Mapping[str, Slot],
) -> Callable[[Resource, Any, list[Pending]], None]:
    def note(it: Resource, relationships: Any, pending: list[Pending]) -> None:
        """Note what can be; linking once more what was noted already does no harm."""
        if type(relationships) is not dict:
            return
        for name, member in relationships.items():
            if type(member) is dict and "data" in member and name in slots:
                pending.append((it, slots[name], member["data"]))

    return note


def _attribute_lines(
    cls: type, converter: Converter, aliases: Mapping[str, str], names: dict[str, Any]
) -> str:
    lines: list[str] = []
    for number, field in enumerate(attributes_of(cls)):
        names[f"read{number}"] = _tolerant(field, converter)
        ours = wire_name(field)
        spellings = [ours, *(theirs for theirs, name in aliases.items() if name == ours)]
        word = "if"
        for spelling in spellings:
            lines.append(f"    {word} {spelling!r} in attributes:")
            lines.append(f"        v = attributes[{spelling!r}]")
            lines += _assignment(field, names, number=number)
            word = "elif"
        absent = "absent"
        if (part := unfolded_class(field)) is not None:
            names[f"fold{number}"] = _fold(part, names[f"read{number}"])
            absent = f"fold{number}(attributes)"
        lines += ["    else:", f"        it.{field.name} = {absent}"]
    return "\n".join(lines)


def _assignment(field: "attrs.Attribute[Any]", names: dict[str, Any], *, number: int) -> list[str]:
    """The lines that put `v` in its slot; common cases first, the converter's hook last."""
    kind = _without_none(field.type)
    to, read = f"it.{field.name} =", f"v if v is None else read{number}(v)"
    if (check := _EXACT.get(kind)) is not None:
        return [f"        {to} v if {check} else {read}"]
    if _is_short_text(kind):
        # Prices, dates and states are few and come again and again.
        recall = functools.lru_cache(_REMEMBERED)(names[f"read{number}"])
        names[f"recall{number}"] = recall
        return [f"        {to} recall{number}(v) if type(v) is str else {read}"]
    if kind is dt.datetime:
        # As the API writes times; what lacks a zone, or is written in another way, is the hook's.
        return [
            "        try:",
            "            when = v if v is None else moment(v)",
            f"            {to} when if v is None or when.tzinfo else read{number}(v)",
            "        except (ValueError, TypeError):",
            f"            {to} read{number}(v)",
        ]
    if (member := _open_enum_of(kind)) is not None:
        # The class itself: it takes text alone, so that True can't be answered with what 1 gave.
        names[f"recall{number}"] = functools.lru_cache(_REMEMBERED)(_all_of(member))
        return [
            "        try:",
            f"            {to} recall{number}(tuple(v)) if type(v) is list else {read}",
            "        except (ValueError, TypeError):",
            f"            {to} read{number}(v)",
        ]
    return [f"        {to} {read}"]


def _tolerant(field: "attrs.Attribute[Any]", converter: Converter) -> Callable[[Any], Any]:
    kind = _without_none(field.type)
    hook = converter.get_structure_hook(kind)

    def read(found: Any) -> Any:
        try:
            return hook(found, kind)
        except (ValueError, TypeError, ArithmeticError, LookupError, BaseValidationError):
            return UNSET

    return read


def _fold(part: type[Nested], read: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """Make a nested object of what another version has among the resource's own attributes."""
    parts = [wire_name(field) for field in attributes_of(part)]

    def fold(attributes: Mapping[str, Any]) -> Any:
        found = {name: attributes[name] for name in parts if name in attributes}
        return read({"type": part.type, "attributes": found}) if found else UNSET

    return fold


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) not in {typing.Union, types.UnionType}:
        return kind
    members = tuple(member for member in typing.get_args(kind) if member is not types.NoneType)
    return typing.Union[members]  # noqa: UP007 - made when the program runs


def _is_short_text(kind: Any) -> bool:
    return kind in {Decimal, dt.date} or (isinstance(kind, type) and issubclass(kind, OpenEnum))


def _all_of(member: type[OpenEnum]) -> Callable[[tuple[str, ...]], tuple[OpenEnum, ...]]:
    return lambda texts: tuple(map(member, texts))


def _open_enum_of(kind: Any) -> type[OpenEnum] | None:
    member = typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else None
    return member if isinstance(member, type) and issubclass(member, OpenEnum) else None

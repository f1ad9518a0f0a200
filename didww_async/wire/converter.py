"""JSON values <-> Python values: Decimal, aware datetimes, open enums, nested typed objects.

Decoding never raises: what can't be read as documented stays `UNSET` (and in `raw`). A price that
is not a number must not pass for one.
"""

import datetime as dt
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from cattrs import Converter

from didww_async.resources.base import (
    FlatNested,
    Meta,
    Nested,
    UnknownNested,
    fields_of,
    is_read_only,
    is_relationship,
    wire_name,
)
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import Unset

__all__ = ["attribute_reader", "make_converter"]

T = TypeVar("T")
AttributeReader = Callable[[Mapping[str, Any]], dict[str, Any]]

_NO_ATTRIBUTES = {"id", "meta", "raw", "others"}


def make_converter() -> Converter:
    """Build the converter: one place knows how each documented type is written on the wire."""
    converter = Converter(omit_if_default=False)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(dt.datetime, _datetime)
    converter.register_structure_hook(dt.date, _date)
    # By class, not by predicate: cattrs asks predicates last, and an OpenEnum is a str as well.
    converter.register_structure_hook(OpenEnum, _open_enum)
    converter.register_structure_hook_factory(_is_tuple, lambda kind: _tuple_hook(kind, converter))
    converter.register_structure_hook_factory(
        _is_nested, lambda kind: _nested_hook(kind, converter)
    )
    converter.register_structure_hook_factory(_is_meta, lambda kind: _meta_hook(kind, converter))
    converter.register_structure_hook_factory(_is_flat, lambda kind: _flat_hook(kind, converter))
    converter.register_unstructure_hook(Decimal, "{:f}".format)
    converter.register_unstructure_hook(dt.datetime, _write_datetime)
    converter.register_unstructure_hook(dt.date, dt.date.isoformat)
    converter.register_unstructure_hook(OpenEnum, lambda found: found.value)
    converter.register_unstructure_hook_func(
        _is_nested, lambda item: _write_nested(item, converter)
    )
    converter.register_unstructure_hook_func(_is_flat, lambda item: _write_flat(item, converter))
    return converter


def attribute_reader(
    cls: type, converter: Converter, *, aliases: Mapping[str, str] | None = None
) -> AttributeReader:
    """Make the function that turns wire attributes into constructor arguments of `cls`.

    `aliases` maps other versions' spellings to ours. Attributes that are missing or can't be read
    as documented are left out, so that they become `UNSET`; null stays None.
    """
    hooks: dict[str, tuple[str, Callable[[Any, Any], Any], Any]] = {}
    for field in fields_of(cls):
        if field.name not in _NO_ATTRIBUTES and not is_relationship(field):
            hook = converter.get_structure_hook(field.type)
            hooks[wire_name(field)] = (field.name, hook, field.type)
    for theirs, ours in (aliases or {}).items():
        if ours in hooks:
            hooks[theirs] = hooks[ours]

    def read(wire: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, found in wire.items():
            if (hook := hooks.get(key)) is None:
                continue
            name, convert, kind = hook
            if name != key and name in wire:
                continue  # the other version's spelling of what is there in ours
            if found is None:
                values[name] = None
                continue
            try:
                values[name] = convert(found, kind)
            except (ValueError, TypeError, ArithmeticError):
                continue
        return values

    return read


def _text(found: Any, _: Any) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, (int, float, Decimal)) and not isinstance(found, bool):
        return str(found)
    raise ValueError(f"not text: {found!r}")


def _open_enum(found: Any, kind: type[OpenEnum]) -> OpenEnum:
    return kind(_text(found, None))


def _boolean(found: Any, _: Any) -> bool:
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and found.casefold() in {"true", "false"}:
        return found.casefold() == "true"
    raise ValueError(f"not a boolean: {found!r}")


def _integer(found: Any, _: Any) -> int:
    if isinstance(found, bool):
        raise ValueError("a boolean is not a number")
    number = _decimal(found, None)
    if number != number.to_integral_value():
        raise ValueError(f"not a whole number: {found!r}")
    return int(number)


def _decimal(found: Any, _: Any) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        raise ValueError(f"not a number: {found!r}")
    try:
        number = Decimal(str(found))
    except InvalidOperation:
        raise ValueError(f"not a number: {found!r}") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ValueError(f"not a usable number: {found!r}")
    return number


def _datetime(found: Any, _: Any) -> dt.datetime:
    if not isinstance(found, str):
        raise ValueError(f"not a time: {found!r}")
    text = found.strip().removesuffix(" UTC").replace(" +", "+").replace(" -", "-")
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _date(found: Any, _: Any) -> dt.date:
    return _datetime(found, None).date()


def _write_datetime(moment: dt.datetime) -> str:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_tuple(kind: Any) -> bool:
    return typing.get_origin(kind) is tuple


def _is_meta(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Meta)


def _is_flat(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, FlatNested)


def _is_nested(kind: Any) -> bool:
    members = typing.get_args(kind) if _is_union(kind) else (kind,)
    return all(isinstance(member, type) and issubclass(member, Nested) for member in members)


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in {typing.Union, types.UnionType}


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    member = typing.get_args(kind)[0]
    hook = converter.get_structure_hook(member)

    def read(found: Any, _: Any) -> tuple[Any, ...]:
        # One value stands for a list of one: reject_reasons comes both ways.
        items = found if isinstance(found, list) else [found]
        return tuple(hook(item, member) for item in items if item is not None)

    return read


def _nested_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Nested]:
    members = typing.get_args(kind) if _is_union(kind) else (kind,)
    readers = {
        member.type: (member, attribute_reader(member, converter))
        for member in members
        if member is not UnknownNested
    }

    def read(found: Any, _: Any) -> Nested:
        if not isinstance(found, dict):
            raise ValueError(f"not an object: {found!r}")
        attributes = found.get("attributes")
        known = readers.get(found.get("type"))
        if known is None or not isinstance(attributes, dict):
            return UnknownNested(raw=found)
        member, reader = known
        return typing.cast("Nested", member(**reader(attributes), raw=found))

    return read


def _meta_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Meta]:
    reader = attribute_reader(kind, converter)

    def read(found: Any, _: Any) -> Meta:
        return typing.cast("Meta", kind(**reader(found), raw=found))

    return read


def _flat_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], FlatNested]:
    reader = attribute_reader(kind, converter)
    named = {wire_name(field) for field in fields_of(kind)}

    def read(found: Any, _: Any) -> FlatNested:
        if not isinstance(found, dict):
            raise ValueError("not an object")
        others = {key: member for key, member in found.items() if key not in named}
        return typing.cast("FlatNested", kind(**reader(found), others=others, raw=found))

    return read


def _write_nested(item: Nested, converter: Converter) -> Mapping[str, Any]:
    if isinstance(item, UnknownNested):
        return dict(item.raw)
    return {"type": item.type, "attributes": _write_attributes(item, converter)}


def _write_flat(item: FlatNested, converter: Converter) -> dict[str, Any]:
    return {**item.others, **_write_attributes(item, converter)}


def _write_attributes(item: Nested | FlatNested, converter: Converter) -> dict[str, Any]:
    return {
        wire_name(field): converter.unstructure(found)
        for field in fields_of(type(item))
        if field.name not in _NO_ATTRIBUTES and not is_read_only(field)
        if not isinstance(found := getattr(item, field.name), Unset)
    }

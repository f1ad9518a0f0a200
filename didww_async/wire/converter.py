"""JSON values <-> Python values: Decimal, aware datetimes, open enums, nested typed objects.

A hook raises ValueError or TypeError for what can't be read as documented; `wire.reading` turns
that into `UNSET`. A price that is not a number must not pass for one.
"""

import datetime as dt
import functools
import types
import typing
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from cattrs import Converter

from didww_async.resources.base import (
    NOTHING_RAW,
    FlatNested,
    Nested,
    UnknownNested,
    attributes_of,
    is_read_only,
    wire_name,
)
from didww_async.wire.enums import OpenEnum
from didww_async.wire.reading import value_maker
from didww_async.wire.unset import UNSET, Unset

__all__ = ["PLAIN", "make_converter"]

PLAIN = frozenset({str, int, bool, float, types.NoneType})
"""The types whose values JSON takes as they are: a converter need not be asked about them."""

_WriterOf = Callable[[type], Callable[[Any], Any]]


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
    converter.register_structure_hook_factory(_is_flat, lambda kind: _flat_hook(kind, converter))
    # cattrs knows what writes a class, but takes its time to tell.
    writer_of: _WriterOf = functools.cache(converter.get_unstructure_hook)
    converter.register_unstructure_hook(Decimal, "{:f}".format)
    converter.register_unstructure_hook(dt.datetime, _write_datetime)
    converter.register_unstructure_hook(dt.date, dt.date.isoformat)
    converter.register_unstructure_hook(OpenEnum, lambda found: found.value)
    converter.register_unstructure_hook_func(
        lambda kind: kind is tuple or kind is list, _list_writer(writer_of)
    )
    converter.register_unstructure_hook_factory(
        _is_nested, lambda kind: _nested_writer(kind, converter, writer_of)
    )
    converter.register_unstructure_hook_factory(
        _is_flat, lambda kind: _flat_writer(kind, writer_of)
    )
    return converter


def _text(found: Any, _: Any) -> str:
    if isinstance(found, str):
        return found
    if _is_exact(found):
        return str(found)
    raise ValueError(f"not text: {found!r}")


def _is_exact(found: Any) -> bool:
    """Whether a JSON number is what the server wrote, whichever library has read it.

    Beyond 64 bits, or 15 digits with a point, it may have been rounded on the way.
    """
    if isinstance(found, int) and not isinstance(found, bool):
        return -(2**63) <= found < 2**63
    if isinstance(found, float) and abs(found) < 2**63:
        return len(Decimal(repr(found)).as_tuple().digits) <= 15
    return False


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
    if not isinstance(found, str) and not _is_exact(found):
        raise ValueError(f"not a usable number: {found!r}")
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
    try:
        moment = dt.datetime.fromisoformat(found)
    except ValueError:
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
        return tuple([hook(item, member) for item in items if item is not None])

    return read


def _nested_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Nested]:
    members = typing.get_args(kind) if _is_union(kind) else (kind,)
    makers = {
        member.type: value_maker(member, converter)
        for member in members
        if member is not UnknownNested
    }

    def read(found: Any, _: Any) -> Nested:
        if not isinstance(found, dict):
            raise ValueError(f"not an object: {found!r}")
        attributes = found.get("attributes")
        make = makers.get(found.get("type"))
        if make is None or not isinstance(attributes, dict):
            return UnknownNested(raw=found)
        made: Nested = make(attributes, found)
        return made

    return read


def _flat_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], FlatNested]:
    make = value_maker(kind, converter)

    def read(found: Any, _: Any) -> FlatNested:
        if not isinstance(found, dict):
            raise ValueError("not an object")
        made: FlatNested = make(found, found)
        return made

    return read


def _list_writer(writer_of: _WriterOf) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda items: [
        item if type(item) in PLAIN else writer_of(type(item))(item) for item in items
    ]


def _nested_writer(
    kind: Any, converter: Converter, writer_of: _WriterOf
) -> Callable[[Any], dict[str, Any]]:
    if _is_union(kind):
        return converter.unstructure  # which of them it is, each item says
    if issubclass(kind, UnknownNested):
        return lambda item: dict(item.raw)
    attributes_of_it = _attributes_writer(kind, writer_of)

    def write(item: Nested) -> dict[str, Any]:
        if item.raw is NOTHING_RAW or not item.raw:
            return {"type": item.type, "attributes": attributes_of_it(item)}
        kept = _unreadable(item, converter)
        return {"type": item.type, "attributes": kept | attributes_of_it(item)}

    return write


def _unreadable(item: Nested, converter: Converter) -> dict[str, Any]:
    """What the server sent and we can't name: it replaces the whole object, so it must go back."""
    read = converter.structure(item.raw, type(item))
    if isinstance(read, UnknownNested):
        return {}
    named = {
        wire_name(field)
        for field in attributes_of(type(item))
        if is_read_only(field) or not isinstance(getattr(read, field.name), Unset)
    }
    return {key: found for key, found in item.raw["attributes"].items() if key not in named}


def _flat_writer(kind: Any, writer_of: _WriterOf) -> Callable[[Any], dict[str, Any]]:
    attributes_of_it = _attributes_writer(kind, writer_of)
    return lambda item: {**item.others, **attributes_of_it(item)}


def _attributes_writer(kind: Any, writer_of: _WriterOf) -> Callable[[Any], dict[str, Any]]:
    sent = [(one.name, wire_name(one)) for one in attributes_of(kind) if not is_read_only(one)]

    def write(item: Any) -> dict[str, Any]:
        written = {}
        for name, key in sent:
            found = getattr(item, name)
            if found is not UNSET:
                written[key] = found if type(found) in PLAIN else writer_of(type(found))(found)
        return written

    return write

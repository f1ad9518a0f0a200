"""A field's annotation says what the API takes; here it becomes the check of what is given."""

import datetime as dt
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from didww_async.errors import InvalidInput
from didww_async.resources.base import (
    FlatNested,
    Nested,
    Resource,
    fields_of,
    is_relationship,
    is_secret,
    redacted,
)
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import UNSET, Unset

__all__ = ["checks_of"]

_LISTS = {tuple, Sequence}
_SPOKEN: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    bool: "True or False",
    Decimal: "a finite Decimal",
    dt.date: "a date",
    dt.datetime: "a datetime",
    types.NoneType: "None",
}


Check = Callable[[str, object], None]


@functools.cache
def checks_of(cls: Any) -> tuple[tuple[str, Check], ...]:
    """One check per field, read off its annotation, which says what the API takes."""
    return tuple((field.name, _check_of(field)) for field in fields_of(cls))


def _check_of(field: "attrs.Attribute[Any]") -> Check:
    kinds = _members(field.type)
    ids = is_relationship(field)
    optional = Unset in kinds
    spoken = " or ".join(filter(None, (_say(kind, ids=ids) for kind in _telling(kinds))))

    def check(name: str, found: object) -> None:
        if optional and found is UNSET:
            return
        if not any(_accepts(kind, found) for kind in kinds) or (ids and _blank(found)):
            shown = type(found).__name__ if is_secret(field) else _brief(found)
            hint = f": give its id, {found.id!r}" if isinstance(found, Resource) else ""
            raise InvalidInput(f"{name} is {spoken}, not {shown}{hint}")
        if isinstance(found, str) and not _is_unicode(found):
            raise InvalidInput(f"{name} is not valid Unicode text")
        if ids and not optional and isinstance(found, (list, tuple)) and not found:
            raise InvalidInput(f"{name} needs at least one id")
        if isinstance(found, (Nested, FlatNested)):
            _check_inside(name, found)

    return check


def _check_inside(name: str, part: Nested | FlatNested) -> None:
    cls: Any = type(part)
    for inner, check in checks_of(cls):
        if (found := getattr(part, inner)) is not UNSET:
            check(f"{name}.{inner}", found)


def _members(kind: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(kind) in {typing.Union, types.UnionType}
    return typing.get_args(kind) if is_union else (kind,)


def _accepts(kind: Any, found: object) -> bool:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return found in typing.get_args(kind)
    if origin in _LISTS:
        inner = _members(typing.get_args(kind)[0])
        return isinstance(found, (list, tuple)) and all(
            any(_accepts(member, item) for member in inner) for item in found
        )
    if _is_open(kind) and isinstance(found, str):
        return isinstance(found, kind) or any(found == member for member in kind)
    if isinstance(found, bool) or (kind is dt.date and isinstance(found, dt.datetime)):
        return type(found) is kind
    if isinstance(found, Decimal):
        return kind is Decimal and found.is_finite()
    return isinstance(found, origin or kind)


def _is_unicode(found: str) -> bool:
    try:
        found.encode()
    except UnicodeEncodeError:
        return False
    return True


def _blank(found: object) -> bool:
    return found == "" or (isinstance(found, (list, tuple)) and "" in found)


def _telling(kinds: tuple[Any, ...]) -> list[Any]:
    """Without the enumeration, where literals beside it say which of its values may be sent."""
    literals = any(typing.get_origin(kind) is Literal for kind in kinds)
    return [kind for kind in kinds if not (literals and _is_open(kind))]


def _is_open(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, OpenEnum)


def _say(kind: Any, *, ids: bool) -> str | None:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return " or ".join(map(repr, typing.get_args(kind)))
    if origin in _LISTS:
        inner = (_say(member, ids=ids) for member in _members(typing.get_args(kind)[0]))
        return f"a list, each {' or '.join(filter(None, inner))}"
    if kind is Unset:
        return None
    if origin is Mapping:
        return "a mapping"
    if _is_open(kind):
        return " or ".join(repr(member.value) for member in kind)
    return "an id" if ids and kind is str else _SPOKEN.get(kind, kind.__name__)


def _brief(found: object) -> str:
    if isinstance(found, (str, int, float, Decimal, list, tuple, Unset, types.NoneType)):
        text = repr(redacted(found))
        return text if len(text) <= 60 else f"{text[:57]}..."
    return type(found).__name__

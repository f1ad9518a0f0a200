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

__all__ = ["Checks", "checks_of"]

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
Test = Callable[[object], bool]
Checks = tuple[tuple[str, frozenset[type], Check], ...]
"""Of each field its name, the types that are right whatever the value, and the check of others."""


@functools.cache
def checks_of(cls: Any) -> Checks:
    """Read off a class's annotations what the API takes: once, when it is first used."""
    return tuple(
        (field.name, _right_types(_members(field.type)), _check_of(field))
        for field in fields_of(cls)
    )


def _check_of(field: "attrs.Attribute[Any]") -> Check:
    kinds = _members(field.type)
    ids = is_relationship(field)
    some = ids and Unset not in kinds
    tests = tuple(map(_test_of, kinds))
    seems_right = _glance_of(kinds, ids=ids)
    spoken = " or ".join(filter(None, (_say(kind, ids=ids) for kind in _telling(kinds))))

    def check(name: str, found: object) -> None:
        if seems_right(found):
            return
        if not any(test(found) for test in tests) or (ids and _blank(found)):
            shown = type(found).__name__ if is_secret(field) else _brief(found)
            hint = f": give its id, {found.id!r}" if isinstance(found, Resource) else ""
            raise InvalidInput(f"{name} is {spoken}, not {shown}{hint}")
        if isinstance(found, str) and not _is_unicode(found):
            raise InvalidInput(f"{name} is not valid Unicode text")
        if some and isinstance(found, (list, tuple)) and not found:
            raise InvalidInput(f"{name} needs at least one id")
        if isinstance(found, (Nested, FlatNested)):
            _check_inside(name, found)

    return check


def _check_inside(name: str, part: Nested | FlatNested) -> None:
    cls: Any = type(part)
    for inner, right, check in checks_of(cls):
        found = getattr(part, inner)
        if found is not UNSET and type(found) not in right:
            check(f"{name}.{inner}", found)


def _members(kind: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(kind) in {typing.Union, types.UnionType}
    return typing.get_args(kind) if is_union else (kind,)


def _right_types(kinds: tuple[Any, ...]) -> frozenset[type]:
    """Text may be no Unicode, and a part has fields of its own: these are looked at."""
    looked_at = (str, Decimal, Nested, FlatNested)
    return frozenset(kind for kind in _sure(kinds) if not issubclass(kind, looked_at))


def _sure(kinds: tuple[Any, ...]) -> frozenset[type]:
    """The types whose own instances are all of a kind that is asked for."""
    return frozenset(kind for kind in kinds if isinstance(kind, type) and kind is not Decimal)


def _glance_of(kinds: tuple[Any, ...], *, ids: bool) -> Test:
    """A test that most right values pass, and no wrong one."""
    text = str in kinds
    lists = [kind for kind in kinds if typing.get_origin(kind) in _LISTS]
    items = _sure(_members(typing.get_args(lists[0])[0])) if lists else frozenset()

    def seems_right(found: object) -> bool:
        if type(found) is str:
            return text and found.isascii() and (not ids or found != "")
        if type(found) is tuple or type(found) is list:
            right = bool(found) and items.issuperset(map(type, found))
            return right and not (ids and "" in found)
        return False

    return seems_right


def _test_of(kind: Any) -> Test:
    origin = typing.get_origin(kind)
    if origin is Literal:
        words = typing.get_args(kind)
        return lambda found: found in words
    if origin in _LISTS:
        tests = tuple(map(_test_of, _members(typing.get_args(kind)[0])))
        return lambda found: (
            isinstance(found, (list, tuple))
            and all(any(test(item) for test in tests) for item in found)
        )
    if _is_open(kind):
        known = tuple(kind)
        return lambda found: isinstance(found, str) and (isinstance(found, kind) or found in known)
    return lambda found: _is_a(origin or kind, found)


def _is_a(kind: type, found: object) -> bool:
    if isinstance(found, bool) or (kind is dt.date and isinstance(found, dt.datetime)):
        return type(found) is kind
    if isinstance(found, Decimal):
        return kind is Decimal and found.is_finite()
    return isinstance(found, kind)


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

"""What POST and PATCH take, and the rules that hold for every input.

What can't be right is refused with InvalidInput when the input is made, naming the field, so that
nothing is sent. Only what the API documents is a rule here; the server may refuse more.
Source: doc.didww.com/api3, the request of each resource; facts file, section 4.
"""

import datetime as dt
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Literal

import attrs

from didww_async.errors import InvalidInput
from didww_async.resources.base import (
    FlatNested,
    Nested,
    Resource,
    Shown,
    fields_of,
    is_relationship,
    is_secret,
    value,
)
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import UNSET, Unset

__all__ = ["CallbackMethod", "Input", "check_digits", "check_range"]

MAX_REFERENCE = 100

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


class CallbackMethod(OpenEnum):
    """How DIDWW calls back."""

    GET = "get"
    POST = "post"


@value
class Input(Shown):
    """What a POST or PATCH takes. A relationship is given as the id of the resource, or as ids.

    What is left out (`UNSET`) is not sent; None sends null, where the API takes it. A list of ids
    replaces the whole set the resource had.
    """

    type: ClassVar[str] = ""

    def __attrs_post_init__(self) -> None:
        cls: Any = type(self)
        for name, check in _checks(cls):
            check(name, getattr(self, name))
        _check_reference(getattr(self, "external_reference_id", UNSET))
        if hasattr(self, "callback_method"):
            _check_callback(getattr(self, "callback_url", UNSET), self.callback_method)
        self._check()

    def _check(self) -> None:
        """What the fields must fulfil together; each input adds its own."""

    def _set_fields(self) -> dict[str, Any]:
        # Relationships are ids here, and make no circles.
        return {
            field.name: found
            for field in fields_of(type(self))
            if (found := getattr(self, field.name)) is not UNSET
        }


def check_range(name: str, found: object, least: int, most: int) -> None:
    """Refuse a number outside of what the API documents; None and UNSET pass."""
    if isinstance(found, int) and not least <= found <= most:
        raise InvalidInput(f"{name} is {least} to {most}, not {found}")


def check_digits(name: str, found: object) -> None:
    """Refuse a telephone number with anything but digits; None and UNSET pass."""
    if isinstance(found, str) and not (found.isascii() and found.isdecimal()):
        raise InvalidInput(f'{name} is digits only, without "+" or spaces: {found!r}')


def _check_reference(reference: object) -> None:
    if isinstance(reference, str) and len(reference) > MAX_REFERENCE:
        raise InvalidInput(
            f"external_reference_id has {len(reference)} characters, at most {MAX_REFERENCE} fit"
        )


def _check_callback(url: object, method: object) -> None:
    if (url in {UNSET, None}) != (method in {UNSET, None}):
        raise InvalidInput("callback_url and callback_method go together: give both or neither")


Check = Callable[[str, object], None]


@functools.cache
def _checks(cls: Any) -> tuple[tuple[str, Check], ...]:
    """One check per field, read off its annotation, which says what the API takes."""
    return tuple((field.name, _check_of(field)) for field in fields_of(cls))


def _check_of(field: "attrs.Attribute[Any]") -> Check:
    kinds = _members(field.type)
    ids = is_relationship(field)
    spoken = " or ".join(filter(None, (_say(kind, ids=ids) for kind in _telling(kinds))))

    def check(name: str, found: object) -> None:
        if not any(_accepts(kind, found) for kind in kinds) or (ids and _blank(found)):
            shown = type(found).__name__ if is_secret(field) else _brief(found)
            hint = f": give its id, {found.id!r}" if isinstance(found, Resource) else ""
            raise InvalidInput(f"{name} is {spoken}, not {shown}{hint}")
        if isinstance(found, str) and not _is_unicode(found):
            raise InvalidInput(f"{name} is not valid Unicode text")
        if ids and Unset not in kinds and isinstance(found, (list, tuple)) and not found:
            raise InvalidInput(f"{name} needs at least one id")
        if isinstance(found, (Nested, FlatNested)):
            _check_inside(name, found)

    return check


def _check_inside(name: str, part: Nested | FlatNested) -> None:
    cls: Any = type(part)
    for inner, check in _checks(cls):
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
    if origin is Mapping:
        return isinstance(found, Mapping)
    if isinstance(found, bool) or (kind is dt.date and isinstance(found, dt.datetime)):
        return type(found) is kind
    if isinstance(found, Decimal) and not found.is_finite():
        return False
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
        text = repr(found)
        return text if len(text) <= 60 else f"{text[:57]}..."
    return type(found).__name__

"""What POST and PATCH take, and the rules that hold for every input.

What can't be right is refused with InvalidInput when the input is made, naming the field, so that
nothing is sent. Only what the API documents is a rule here; the server may refuse more.
Source: doc.didww.com/api3, the request of each resource; facts file, section 4.
"""

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from didww_async.errors import InvalidInput
from didww_async.resources.annotations import Checks, checks_of
from didww_async.resources.base import Shown, fields_of, value
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import UNSET

__all__ = ["CallbackMethod", "Input", "check_digits", "check_input", "check_range"]

MAX_REFERENCE = 100


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
        checks, rules = _checks_of(cls)
        for name, right, check in checks:
            found = getattr(self, name)
            if type(found) not in right:
                check(name, found)
        for rule in rules:
            rule(self)

    def _check(self) -> None:
        """What the fields must fulfil together; each input adds its own."""

    def _set_fields(self) -> dict[str, Any]:
        # Relationships are ids here, and make no circles.
        return {
            field.name: found
            for field in fields_of(type(self))
            if (found := getattr(self, field.name)) is not UNSET
        }


def check_input(given: object, type_: str) -> None:
    """Refuse what is no input, or one of another type: a resource, a dict, a class."""
    if not isinstance(given, Input) or given.type != type_:
        got = given.__name__ if isinstance(given, type) else type(given).__name__
        raise InvalidInput(f"{type_} take an input of their own, made by keyword, not {got}")


def check_range(name: str, found: object, least: int, most: int) -> None:
    """Refuse a number outside of what the API documents; None and UNSET pass."""
    if isinstance(found, int) and not least <= found <= most:
        raise InvalidInput(f"{name} is {least} to {most}, not {found}")


def check_digits(name: str, found: object) -> None:
    """Refuse a telephone number with anything but digits; None and UNSET pass."""
    if isinstance(found, str) and not (found.isascii() and found.isdecimal()):
        raise InvalidInput(f'{name} is digits only, without "+" or spaces: {found!r}')


@functools.cache
def _checks_of(cls: Any) -> tuple[Checks, tuple[Callable[[Any], None], ...]]:
    """What an input of this class must fulfil: each field by itself, then the fields together."""
    rules: list[Callable[[Any], None]] = []
    if hasattr(cls, "external_reference_id"):
        rules.append(_check_reference)
    if hasattr(cls, "callback_method"):
        rules.append(_check_callback)
    if cls._check is not Input._check:  # noqa: SLF001 - its own class
        rules.append(cls._check)
    return checks_of(cls), tuple(rules)


def _check_reference(given: Any) -> None:
    reference = given.external_reference_id
    if isinstance(reference, str) and len(reference) > MAX_REFERENCE:
        raise InvalidInput(
            f"external_reference_id has {len(reference)} characters, at most {MAX_REFERENCE} fit"
        )


def _check_callback(given: Any) -> None:
    url, method = getattr(given, "callback_url", UNSET), given.callback_method
    if (url is UNSET or url is None) != (method is UNSET or method is None):
        raise InvalidInput("callback_url and callback_method go together: give both or neither")

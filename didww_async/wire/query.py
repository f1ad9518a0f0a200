"""The values of a query as text; which of them a query has, and their names: spelling.py."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from didww_async.errors import InvalidInput
from didww_async.wire.unset import Unset

__all__ = ["FilterValue", "Pairs", "Scalar", "filter_text", "number_text", "sendable"]

Scalar: TypeAlias = str | int | Decimal | bool | dt.datetime | dt.date | enum.Enum
FilterValue: TypeAlias = Scalar | Sequence[Scalar] | None
"""One value; several, meaning "any of" (for features "all of"); or None for "is blank"."""

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""A query's names and values, not yet quoted."""


def sendable(text: str) -> str:
    """The text itself. Raises InvalidInput when it can't be written as UTF-8.

    A URL would drop what can't be written, and a filter without its value means "is blank".
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        at = next(place for place, char in enumerate(text) if "\ud800" <= char <= "\udfff")
        raise InvalidInput(f"not valid Unicode text: {text[max(0, at - 20) : at + 20]!r}") from None
    return text


def number_text(name: str, number: int) -> str:
    """A page's number or size. Raises InvalidInput for what is none."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidInput(f"{name} is a whole number and starts at 1, not {number!r}")
    return str(number)


def filter_text(key: str, found: Any) -> str:
    """A filter's value. Raises InvalidInput for one that can't be written, naming its key."""
    if isinstance(found, Iterable) and not isinstance(found, (str, bytes, Mapping)):
        members = [_written(key, member) for member in found]
        if not members:
            raise InvalidInput(
                f"filter {key!r} got an empty list: the API would read it as blank. "
                "Leave the filter out, or pass None to ask for blank values"
            )
        return ",".join(members)
    return "" if found is None else _written(key, found)


def _written(key: str, found: Any) -> str:
    match found:
        case bool():
            return "true" if found else "false"
        case Unset():
            raise InvalidInput(f"filter {key!r} got UNSET: what it was taken from was not loaded")
        case enum.Enum():
            return str(found.value)
        case str() | int():
            return str(found)
        case Decimal() if found.is_finite():
            return f"{found:f}"
        case dt.datetime():
            if found.tzinfo is None:
                raise InvalidInput(
                    f"filter {key!r} needs a time with its zone, such as datetime.now(UTC), not "
                    f"{found!r}"
                )
            return found.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case dt.date():
            return found.isoformat()
        case _:
            raise InvalidInput(f"filter {key!r} can't be {type(found).__name__}: {found!r}")

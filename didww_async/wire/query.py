"""filter, sort, include, fields and page -> the query string's pairs."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import attrs

from didww_async.errors import InvalidInput
from didww_async.wire.passed import passed

__all__ = ["FilterValue", "Query", "Scalar", "sendable"]

Scalar: TypeAlias = str | int | Decimal | bool | dt.datetime | dt.date | enum.Enum
FilterValue: TypeAlias = Scalar | Sequence[Scalar] | None
"""One value; several, meaning "any of" (for features "all of"); or None for "is blank"."""


@passed(kw_only=True)
class Query:
    """What a read asks for, in this library's own spelling."""

    filter: Mapping[str, Any] = attrs.field(factory=dict)
    sort: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fields: Mapping[str, Sequence[str]] = attrs.field(factory=dict)
    page_number: int | None = None
    page_size: int | None = None

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The query's name-value pairs, in a stable order: include, filters, fields, sort, page.

        Raises InvalidInput for a value that can't be written, naming its key.
        """
        pairs: list[tuple[str, str]] = []
        if self.include:
            pairs.append(("include", ",".join(self.include)))
        for key, given in self.filter.items():
            pairs.append((f"filter[{key}]", given if type(given) is str else _joined(key, given)))
        for type_, names in self.fields.items():
            pairs.append((f"fields[{type_}]", ",".join(names)))
        if self.sort:
            pairs.append(("sort", ",".join(self.sort)))
        if self.page_number is not None:
            pairs.append(("page[number]", str(_positive("page", self.page_number))))
        if self.page_size is not None:
            pairs.append(("page[size]", str(_positive("page_size", self.page_size))))
        for name, found in pairs:
            if not (name.isascii() and found.isascii()):
                sendable(name + found)
        return tuple(pairs)


def sendable(text: str) -> str:
    """The text itself. Raises InvalidInput when it can't be written as UTF-8.

    A URL would drop what can't be written, and a filter without its value means "is blank".
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"not valid Unicode text: {text!r}") from None
    return text


def _positive(name: str, number: int) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidInput(f"{name} is a whole number and starts at 1, not {number!r}")
    return number


def _joined(key: str, found: Any) -> str:
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
        case enum.Enum():
            return str(found.value)
        case str() | int():
            return str(found)
        case Decimal() if found.is_finite():
            return f"{found:f}"
        case dt.datetime():
            moment = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
            return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case dt.date():
            return found.isoformat()
        case _:
            raise InvalidInput(f"filter {key!r} can't be {type(found).__name__}: {found!r}")

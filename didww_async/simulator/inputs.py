"""Reading what a request body contains: attributes as values, linkage as the ids it names.

A table lists `Input`s; `creating` and `updating` make the operations of a `Resource` from them and
a function that gets the values. All validation problems of a body are told at once.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from didww_async.simulator.errors import Problem, RefusedError, invalid, malformed
from didww_async.simulator.schema import Input, Reads, Target, entries_of

if TYPE_CHECKING:
    from didww_async.simulator.world import World

Values = dict[str, Any]
"""Read values by field: attributes by their name, linkage as `name_id` or `name_ids`."""

_MOST = 2**31 - 1


# Kinds of attributes: each returns the value, or raises ValueError with the API's message


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is invalid")
    if not value.strip():
        raise ValueError("can't be blank")
    return value


def any_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is invalid")
    return value


def reference(value: Any) -> str:
    """An external reference: at most 100 characters."""
    if len(any_text(value)) > 100:
        raise ValueError("is too long (maximum is 100 characters)")
    return str(value)


def digits(value: Any) -> str:
    if not re.fullmatch(r"\d+", text(value), re.ASCII):
        raise ValueError("is invalid")
    return str(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is invalid")
    return value


def day(value: Any) -> date:
    try:
        return date.fromisoformat(text(value))
    except ValueError as error:
        raise ValueError("is invalid") from error


def url(value: Any) -> str:
    if not re.fullmatch(r"https?://\S+", any_text(value)):
        raise ValueError("is invalid")
    return str(value)


def amount(value: Any) -> Decimal:
    """Money: a decimal string, not negative."""
    try:
        found = Decimal(text(value))
    except InvalidOperation as error:
        raise ValueError("is not a number") from error
    if not found.is_finite() or found < 0 or found > _MOST:
        raise ValueError("must be greater than or equal to 0")
    return found


def whole(least: int = 0, most: int = _MOST) -> Reads:
    """A whole number within limits."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("is not a number")
        if value < least:
            raise ValueError(f"must be greater than or equal to {least}")
        if value > most:
            raise ValueError(f"must be less than or equal to {most}")
        return value

    return read


def one_of(*allowed: str) -> Reads:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError("is not included in the list")
        return value

    return read


def list_of(kind: Reads) -> Reads:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("is invalid")
        return tuple(kind(part) for part in value)

    return read


# Declaring inputs


def field(
    name: str,
    reads: Reads,
    *,
    required: bool = False,
    nullable: bool = False,
    since: str | None = None,
    until: str | None = None,
) -> Input:
    """An attribute that is read with a kind."""
    return Input(name, reads=reads, required=required, nullable=nullable, since=since, until=until)


def link(
    name: str,
    *targets: Target,
    required: bool = False,
    nullable: bool = False,
    since: str | None = None,
    until: str | None = None,
) -> Input:
    """A relationship to one existing record of the targets."""
    return Input(
        name,
        relationship=True,
        targets=targets,
        required=required,
        nullable=nullable,
        since=since,
        until=until,
    )


def links(name: str, target: Target, *, required: bool = False, since: str | None = None) -> Input:
    """A relationship to any number of existing records."""
    return Input(
        name, relationship=True, targets=(target,), many=True, required=required, since=since
    )


# Making operations


def creating(
    inputs: Sequence[Input], make: Callable[["World", Values], Any]
) -> Callable[["World", Mapping[str, Any], str], Any]:
    """A `Resource.create` that makes a record from checked values."""

    def create(world: "World", data: Mapping[str, Any], version: str) -> Any:
        return make(world, read_inputs(world, entries_of(version, inputs), data, creating=True))

    return create


def updating(
    inputs: Sequence[Input], change: Callable[["World", Any, Values], Any]
) -> Callable[["World", Any, Mapping[str, Any], str], Any]:
    """A `Resource.update` that changes a record by the checked values of what was sent."""

    def update(world: "World", record: Any, data: Mapping[str, Any], version: str) -> Any:
        found = read_inputs(world, entries_of(version, inputs), data, creating=False)
        return change(world, record, found)

    return update


def read_inputs(
    world: "World", inputs: Sequence[Input], data: Mapping[str, Any], *, creating: bool
) -> Values:
    """Read all inputs, or refuse with every problem there is."""
    values: Values = {}
    problems: list[Problem] = []
    for entry in inputs:
        part = "relationships" if entry.relationship else "attributes"
        pointer = f"/data/{part}/{entry.name}"
        members = data.get(part, {})
        if entry.name not in members:
            if creating and entry.required:
                problems.append(invalid(pointer, "can't be blank"))
            continue
        try:
            if entry.relationship:
                name, value = _linked(world, entry, members[entry.name])
            else:
                name = entry.name
                value = read_value(members[name], entry.reads, nullable=entry.nullable)
            values[name] = value
        except ValueError as error:
            problems.append(invalid(pointer, str(error)))
        except RefusedError as refusal:
            if refusal.status != 422:
                raise
            problems += refusal.problems
    if problems:
        raise RefusedError(422, *problems)
    return values


def read_value(value: Any, reads: Reads | None, *, nullable: bool) -> Any:
    """Read one attribute, or raise ValueError."""
    if value is None and not nullable:
        raise ValueError("can't be blank")
    return value if value is None or reads is None else reads(value)


def _linked(world: "World", entry: Input, found: Any) -> tuple[str, Any]:
    if not isinstance(found, dict) or "data" not in found:
        raise malformed(f"The relationship {entry.name} needs data.")
    linkage = found["data"]
    if entry.many:
        if not isinstance(linkage, list):
            raise malformed(f"The data of {entry.name} must be a list.")
        if entry.required and not linkage:
            raise ValueError("can't be blank")
        ids = [_existing(world, entry, identifier) for identifier in linkage]
        return f"{entry.name}_ids", tuple(dict.fromkeys(ids))
    if linkage is None:
        if not entry.nullable:
            raise ValueError("must exist")
        return f"{entry.name}_id", None
    return f"{entry.name}_id", _existing(world, entry, linkage)


def _existing(world: "World", entry: Input, identifier: Any) -> str:
    if not isinstance(identifier, dict) or not {"type", "id"} <= identifier.keys():
        raise malformed(f"{entry.name} needs type and id.")
    for target in entry.targets:
        if identifier["type"] == target.type:
            if str(identifier["id"]) not in target.table(world):
                raise ValueError("must exist")
            return str(identifier["id"])
    raise malformed(f"{identifier['type']} is not a valid type of {entry.name}.")

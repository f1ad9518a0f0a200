"""Attributes, filters and sorts that many resources share."""

from collections.abc import Callable
from typing import Any

from didww_async.simulator.filters import contains, texts
from didww_async.simulator.schema import Attribute, Filter, Relationship, Sort, column
from didww_async.simulator.text import time_text
from didww_async.simulator.versions import V2026


def columns(*names: str, since: str | None = None) -> tuple[Attribute, ...]:
    """Attributes that are fields of the record as they are."""
    return tuple(Attribute(name, read=column(name), since=since) for name in names)


def written(name: str, write: Callable[[Any], object], *, since: str | None = None) -> Attribute:
    """An attribute that is a field of the record, written in some way; None stays null."""
    read = column(name)

    def read_written(world: Any, record: Any) -> object:
        value = read(world, record)
        return None if value is None else write(value)

    return Attribute(name, read=read_written, since=since)


def exact(*names: str, since: str | None = None, until: str | None = None) -> tuple[Filter, ...]:
    """Filters by fields of the record; `country.id` is the field `country_id`."""
    return tuple(
        texts(name, column(name.replace(".", "_")), since=since, until=until) for name in names
    )


def searched(*names: str) -> tuple[Filter, ...]:
    """Filters by fields of the record: exactly, and by a part of the text."""
    return tuple(
        entry
        for name in names
        for entry in (texts(name, column(name)), contains(f"{name}_contains", column(name)))
    )


def sorts(*names: str, since: str | None = None) -> tuple[Sort, ...]:
    return tuple(Sort(name, read=column(name), since=since) for name in names)


def to_one(
    name: str,
    type: str,
    table: Callable[[Any], Any],
    *,
    since: str | None = None,
    until: str | None = None,
) -> Relationship:
    """A relationship to the record whose id is in the field `name_id`."""
    read = column(f"{name}_id")
    return Relationship(
        name,
        type=type,
        read=lambda world, record: table(world).get(read(world, record) or ""),
        since=since,
        until=until,
    )


CREATED_AT = written("created_at", time_text)
OWN_REFERENCE = Attribute(
    "external_reference_id", read=column("external_reference_id"), since=V2026
)
OWN_REFERENCE_FILTER = texts("external_reference_id", column("external_reference_id"), since=V2026)
OWN_REFERENCE_SORT = Sort(
    "external_reference_id", read=column("external_reference_id"), since=V2026
)
# 2026-11-19 has no did_group_types any more, so nothing can lead to them.
NUMBER_TYPE = to_one(
    "did_group_type", "did_group_types", lambda world: world.atlas.number_types, until=V2026
)
NUMBER_TYPE_FILTER = exact("did_group_type.id", until=V2026)

"""Finding and ordering the records of a list."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from didww_async.simulator.errors import bad_filter_value
from didww_async.simulator.schema import Filter, Resource

if TYPE_CHECKING:
    from didww_async.simulator.world import World


def matching(world: "World", resource: Resource, filters: Mapping[str, Any]) -> Sequence[Any]:
    """Find the records that pass all filters, looking at as few as the indexes allow."""
    if resource.all is None:
        raise TypeError(f"{resource.type} cannot be listed")
    chosen = [(resource.filter_named[name], value) for name, value in filters.items()]
    for entry, value in chosen:
        if entry.allows is not None and not entry.allows(world, value):
            raise bad_filter_value(entry.name, str(value))
    indexed = [
        (_candidates(world, resource, entry, value), entry)
        for entry, value in chosen
        if entry.index
    ]
    if indexed:
        candidates, used = min(indexed, key=lambda pair: len(pair[0]))
        chosen = [pair for pair in chosen if pair[0] is not used]
    else:
        candidates = resource.all(world)
    for entry, value in chosen:
        candidates = [record for record in candidates if entry.matches(world, record, value)]
    return candidates


def ordered(
    world: "World",
    resource: Resource,
    records: Sequence[Any],
    sort: Sequence[tuple[str, bool]],
) -> Sequence[Any]:
    """Sort by several fields, the first one first; records without a value come first."""
    if tuple(sort) == tuple((name, False) for name in resource.kept_in_order_of[: len(sort)]):
        return records
    for name, descending in reversed(sort):
        read = resource.sort_named[name].read

        def key(record: Any, read: Any = read) -> tuple[bool, Any]:
            value = read(world, record)
            return (value is not None, value if value is not None else 0)

        records = sorted(records, key=key, reverse=descending)
    return records


def _candidates(
    world: "World", resource: Resource, entry: Filter, wanted: Sequence[str]
) -> Sequence[Any]:
    assert entry.index is not None  # noqa: S101  # the caller has looked
    index = entry.index(world)
    if len(wanted) == 1:
        return index.get(wanted[0], ())
    found = {record.id: record for text in wanted for record in index.get(text, ())}
    if resource.kept_in_order_of:
        return sorted(found.values(), key=attrgetter(*resource.kept_in_order_of))
    return list(found.values())

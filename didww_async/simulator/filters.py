"""The kinds of filters: lists of texts, parts of texts, flags, limits."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from didww_async.simulator.schema import Filter, Index, Read

if TYPE_CHECKING:
    from didww_async.simulator.world import World


def texts(
    name: str,
    read: Read,
    *,
    index: Index | None = None,
    blank: bool = False,
    ignore_case: bool = False,
    every: bool = False,
    allowed: Collection[str] | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filter:
    """A filter that takes a list of texts: the record must have any of them, or `every` one.

    `read` gives a text, a collection, or None, which a `blank` filter finds.
    """

    def parse(text: str) -> tuple[str, ...]:
        if not text and not blank:
            raise ValueError
        wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
        if not blank and not all(wanted):
            raise ValueError
        if allowed is not None and not set(wanted) <= set(allowed):
            raise ValueError
        return tuple(part.casefold() for part in wanted) if ignore_case else wanted

    def matches(world: "World", record: Any, wanted: tuple[str, ...]) -> bool:
        found = read(world, record)
        if found is None or isinstance(found, str):
            text = found or ""
            return (text.casefold() if ignore_case else text) in wanted
        if every:
            return all(text in found for text in wanted)
        return any(text in found if text else not found for text in wanted)

    return Filter(name, parse=parse, matches=matches, index=index, since=since, until=until)


def flag(name: str, read: Read, *, since: str | None = None, until: str | None = None) -> Filter:
    """A filter that takes true or false."""

    def parse(text: str) -> bool:
        if text not in {"true", "false"}:
            raise ValueError(text)
        return text == "true"

    def matches(world: "World", record: Any, wanted: object) -> bool:
        return bool(read(world, record)) is wanted

    return Filter(name, parse=parse, matches=matches, since=since, until=until)


def contains(
    name: str, read: Read, *, since: str | None = None, until: str | None = None
) -> Filter:
    """A filter for records whose text contains this, whatever the case."""

    def parse(text: str) -> str:
        if not text:
            raise ValueError
        return text.casefold()

    def matches(world: "World", record: Any, wanted: str) -> bool:
        return wanted in (read(world, record) or "").casefold()

    return Filter(name, parse=parse, matches=matches, since=since, until=until)


def at_least(
    name: str, read: Read, *, parse: Callable[[str], Any] = int, since: str | None = None
) -> Filter:
    """A filter for records that have this or more."""

    def matches(world: "World", record: Any, wanted: Any) -> bool:
        return bool(read(world, record) >= wanted)

    return Filter(name, parse=parse, matches=matches, since=since)


def at_most(name: str, read: Read, *, parse: Callable[[str], Any] = int) -> Filter:
    """A filter for records that have this or less."""

    def matches(world: "World", record: Any, wanted: Any) -> bool:
        return bool(read(world, record) <= wanted)

    return Filter(name, parse=parse, matches=matches)


def moment(text: str) -> datetime:
    """Read a date or a time; without a zone it is UTC."""
    parsed = datetime.fromisoformat(text.strip())
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)

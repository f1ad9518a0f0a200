"""CDR exports: asked for, made later, then fetched as a compressed CSV file."""

import csv
import gzip
import io
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from didww_async.simulator.errors import (
    Problem,
    RefusedError,
    invalid,
    malformed,
    record_not_found,
)
from didww_async.simulator.filters import moment
from didww_async.simulator.inputs import Values
from didww_async.simulator.verifying import check_callback

if TYPE_CHECKING:
    from didww_async.simulator.records import Did
    from didww_async.simulator.world import World

_FILTERS = "/data/attributes/filters"
_CALLS_A_DAY = 3
HEADERS = {
    "cdr_in": (
        "Date/Time Start (UTC)",
        "Date/Time Connect (UTC)",
        "Date/Time End (UTC)",
        "Source",
        "DID",
        "Destination",
        "Duration",
        "Billing Duration",
        "Disconnect Code",
        "Disconnect Reason",
        "Success",
        "Rate (per min)",
        "Charged Amount",
    ),
    "cdr_out": (
        "Date/Time Start (UTC)",
        "Date/Time Connect (UTC)",
        "Date/Time End (UTC)",
        "CLI",
        "Destination",
        "Trunk",
        "Duration",
        "Billing Duration",
        "Disconnect Code",
        "Disconnect Reason",
        "Success",
        "Rate (per min)",
        "Charged Amount",
    ),
}


@attrs.frozen(kw_only=True)
class Export:
    """An export. `since` and `until` are its filters from and to."""

    id: str
    created_at: datetime
    export_type: str
    filters: Mapping[str, Any] = attrs.field(hash=False)
    since: datetime
    until: datetime
    callback_url: str | None = None
    callback_method: str | None = None
    external_reference_id: str | None = None
    status: str = "pending"
    url: str | None = None
    content: bytes | None = attrs.field(default=None, repr=False)

    type: ClassVar[str] = "exports"

    def callback_details(self) -> dict[str, str]:
        return {"url": self.url or ""}


def request(world: "World", values: Values) -> Export:
    """Carry out POST /exports."""
    check_callback(values)
    since, until = _period(world, values["filters"])
    export = Export(id=world.new_id(), created_at=world.now(), since=since, until=until, **values)
    world.owned.exports[export.id] = export
    world.submitted(export)
    return export


def complete(world: "World", export: Export) -> Export:
    """Make the file."""
    if export.status == "completed":
        raise ValueError(f"export {export.id} is completed")
    completed = attrs.evolve(
        export,
        status="completed",
        url=f"{world.base_url}/exports/{export.id}.csv.gz",
        content=_file(world, export),
    )
    world.owned.exports[export.id] = completed
    world.settled(completed)
    return completed


def change_reference(world: "World", export: Export, values: Values) -> Export:
    changed = attrs.evolve(export, **values)
    world.owned.exports[changed.id] = changed
    return changed


def download(world: "World", export_id: str) -> bytes:
    """The file of a completed export."""
    export = world.owned.exports.get(export_id)
    if export is None or export.content is None:
        raise record_not_found(export_id)
    return export.content


def filters(value: Any) -> Mapping[str, Any]:
    """Read the attribute `filters`: names with texts, numbers or nothing."""
    if not isinstance(value, dict):
        raise ValueError("is invalid")
    for name, wanted in value.items():
        if isinstance(wanted, (dict, list)):
            raise malformed(f"The filter {name} must be a text.")
    return value


def _period(world: "World", sent: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """The time asked for: in this month or the two before, and not in the future."""
    problems: list[Problem] = []
    found = {}
    for name in ("from", "to"):
        try:
            found[name] = moment(str(sent[name])).astimezone(UTC)
        except KeyError:
            problems.append(invalid(f"{_FILTERS}/{name}", "can't be blank"))
        except (ValueError, OverflowError):
            problems.append(invalid(f"{_FILTERS}/{name}", "is invalid"))
    if problems:
        raise RefusedError(422, *problems)
    now = world.now()
    oldest = _first_of_month(_first_of_month(_first_of_month(now) - timedelta(1)) - timedelta(1))
    for name, wanted in found.items():
        if wanted > now:
            problems.append(invalid(f"{_FILTERS}/{name}", "must not be in the future"))
        elif wanted < oldest:
            problems.append(invalid(f"{_FILTERS}/{name}", "must be within the last three months"))
    if found["from"] >= found["to"]:
        problems.append(invalid(f"{_FILTERS}/from", "must be before to"))
    if problems:
        raise RefusedError(422, *problems)
    return found["from"], found["to"]


def _first_of_month(day: datetime) -> datetime:
    return day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _file(world: "World", export: Export) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADERS[export.export_type])
    number = export.filters.get("did_number")
    for did in world.dids.values():
        if number in {None, "", did.number}:
            writer.writerows(_calls(world, export, did))
    return gzip.compress(text.getvalue().encode(), mtime=0)


def _calls(world: "World", export: Export, did: "Did") -> Iterator[tuple[object, ...]]:
    """The invented calls of a number: the same in every export that asks for their time.

    There are calls of before the number was bought too, or new accounts would have none to export.
    """
    chance = random.Random()  # noqa: S311  # repeatable on purpose
    first, last = export.since.date(), export.until.date()
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        # The calls of a day are known by its date, so that exports agree on them.
        chance.seed(f"{world.settings.seed}/{export.export_type}/{did.number}/{day}")
        for _call in range(chance.randrange(_CALLS_A_DAY + 1)):
            start = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
            start += timedelta(seconds=chance.randrange(86_400))
            call = _call_row(export, did, start, chance)
            if export.since <= start < export.until:
                yield call


def _call_row(
    export: Export, did: "Did", start: datetime, chance: random.Random
) -> tuple[object, ...]:
    seconds, answered = chance.randrange(1, 600), chance.random() < 0.8
    other = f"1{chance.randrange(2_000_000_000, 9_999_999_999)}"
    connect = start + timedelta(seconds=5)
    end = connect + timedelta(seconds=seconds if answered else 0)
    parties = (
        (other, did.number, "sip:incoming@example.com")
        if export.export_type == "cdr_in"
        else (did.number, other, "outbound")
    )
    return (
        _time(start),
        _time(connect) if answered else "",
        _time(end),
        *parties,
        seconds if answered else 0,
        seconds if answered else 0,
        200 if answered else 486,
        "OK" if answered else "Busy Here",
        "true" if answered else "false",
        "0.0",
        "0.0",
    )


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"

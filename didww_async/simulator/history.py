"""What happened to numbers: kept for 90 days."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from didww_async.simulator.records import Did
    from didww_async.simulator.world import World

KEPT_FOR = timedelta(days=90)
ACTIONS = (
    "assigned",
    "renewed",
    "canceled",
    "removed",
    "billing_cycles_count_changed",
    "restored",
)
METHODS = ("system", "api2", "api3", "staff", "user_panel", "mcp")


@attrs.frozen(kw_only=True)
class HistoryEntry:
    """A change of a number; `before` and `after` are told where a count of cycles changed."""

    id: str
    did_number: str
    action: str
    method: str
    created_at: datetime
    before: int | None = None
    after: int | None = None


def remember(
    world: "World",
    did: "Did",
    action: str,
    *,
    method: str = "api3",
    before: int | None = None,
    after: int | None = None,
) -> None:
    """Add an entry. What the platform does by itself has the method "system"."""
    entry = HistoryEntry(
        id=world.new_id(),
        did_number=did.number,
        action=action,
        method=method,
        created_at=world.now(),
        before=before,
        after=after,
    )
    world.owned.history[entry.id] = entry


def kept(world: "World") -> Mapping[str, HistoryEntry]:
    """The entries of the last 90 days, by id; the others are thrown away."""
    oldest = world.now() - KEPT_FOR
    for entry in list(world.owned.history.values()):
        if entry.created_at < oldest:
            del world.owned.history[entry.id]
    return world.owned.history


def is_kept(world: "World", moment: datetime) -> bool:
    """Whether history reaches back to a moment."""
    return moment >= world.now() - KEPT_FOR

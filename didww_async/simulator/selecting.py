"""Selecting single numbers: showing what is available, and reserving."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator.coverage import GroupRow
from didww_async.simulator.errors import parameter_missing, unprocessable
from didww_async.simulator.records import AvailableDid, Reservation

if TYPE_CHECKING:
    from didww_async.simulator.world import World

_AVAILABLE_DID = "/data/relationships/available_did"
_MOST_EXAMINED = 1000


def find_available(world: "World", did_id: str) -> AvailableDid | None:
    world.live_reservations()
    return world.stock.shown(did_id)


def select_available(
    world: "World",
    groups: Sequence[GroupRow],
    *,
    ids: Collection[str] | None,
    digits: str,
    prefix_ids: Collection[str] | None,
) -> tuple[Sequence[AvailableDid], int]:
    """Choose numbers of the groups at random, up to the cap; count all that could be chosen."""
    world.live_reservations()
    groups = [group for group in groups if group.available_dids_enabled]
    if ids is not None:
        return _by_ids(world, groups, ids=ids, digits=digits, prefix_ids=prefix_ids)
    shelves = _Shelves(world, prefix_ids)
    if digits:
        return _containing(shelves, groups, digits=digits)
    totals = [shelves.count(group) for group in groups]
    total = sum(totals)
    cap = world.settings.available_dids_cap
    if total > 4 * cap:
        return _draw(shelves, groups, totals), total
    everything = [did for group in groups for did in shelves.show_all(group)]
    return world.chance.sample(everything, k=min(cap, total)), total


def reserve(world: "World", data: Mapping[str, Any], _version: str) -> Reservation:
    """Carry out POST /did_reservations."""
    linkage = data.get("relationships", {}).get("available_did")
    linked = linkage.get("data") if isinstance(linkage, dict) else None
    if not isinstance(linked, dict) or linked.get("type") != "available_dids":
        raise parameter_missing("available_did")
    description = data.get("attributes", {}).get("description")
    if description is not None and not isinstance(description, str):
        raise unprocessable("/data/attributes/description", "is invalid")
    held = world.live_reservations()
    if len(held) >= world.settings.max_reservations:
        raise unprocessable("/data/attributes/base", "Reservation limit reached")
    did = world.stock.shown(str(linked.get("id")))
    if did is None:
        raise unprocessable(_AVAILABLE_DID, "is not available")
    now = world.now()
    reservation = Reservation(
        id=world.new_id(),
        available_did=did,
        description=description,
        created_at=now,
        expires_at=now + timedelta(seconds=world.settings.reservation_seconds),
    )
    world.stock.take_shown(did)
    world.reservations[reservation.id] = reservation
    return reservation


def _by_ids(
    world: "World",
    groups: Sequence[GroupRow],
    *,
    ids: Collection[str],
    digits: str,
    prefix_ids: Collection[str] | None,
) -> tuple[Sequence[AvailableDid], int]:
    group_ids = {group.id for group in groups}
    found = [did for did_id in ids if (did := world.stock.shown(did_id)) is not None]
    chosen = [
        did
        for did in found
        if did.group_id in group_ids
        and digits in did.number
        and (prefix_ids is None or (did.prefix_id or "") in prefix_ids)
    ]
    return chosen, len(chosen)


@attrs.frozen
class _Shelves:
    """The stock of groups, or of some NANPA prefixes of them only."""

    world: "World"
    prefix_ids: Collection[str] | None

    def keys(self, group: GroupRow) -> list[str]:
        counts = self.world.stock.counts(group.id)
        wanted = self.prefix_ids
        return [key for key, count in counts.items() if count and (not wanted or key in wanted)]

    def count(self, group: GroupRow) -> int:
        if not self.prefix_ids:
            return self.world.stock.total(group.id)
        return sum(self.world.stock.counts(group.id)[key] for key in self.keys(group))

    def show_all(self, group: GroupRow) -> list[AvailableDid]:
        shown = (self.world.stock.show_all(group.id, key) for key in self.keys(group))
        return [did for dids in shown for did in dids]

    def show_any(self, group: GroupRow) -> AvailableDid:
        keys, counts = self.keys(group), self.world.stock.counts(group.id)
        [key] = self.world.chance.choices(keys, weights=[counts[key] for key in keys])
        return self.world.stock.show_any(group.id, key)


def _draw(
    shelves: _Shelves, groups: Sequence[GroupRow], totals: Sequence[int]
) -> list[AvailableDid]:
    """Draw different numbers up to the cap, each with the same chance."""
    world = shelves.world
    weights = list(accumulate(totals))
    chosen: dict[str, AvailableDid] = {}
    cap = world.settings.available_dids_cap
    for _ in range(8):
        for group in world.chance.choices(groups, cum_weights=weights, k=cap - len(chosen)):
            did = shelves.show_any(group)
            chosen[did.id] = did
    return list(chosen.values())


def _containing(
    shelves: _Shelves, groups: Sequence[GroupRow], *, digits: str
) -> tuple[Sequence[AvailableDid], int]:
    """Find numbers with these digits in a bounded part of the stock: no search may take long."""
    world = shelves.world
    likely = [group for group in groups if digits in _start(world, group)]
    some = world.chance.sample(groups, k=min(len(groups), _MOST_EXAMINED))
    found: dict[str, AvailableDid] = {}
    examined = 0
    for group in (*likely, *some):
        examined += shelves.count(group)
        if examined > _MOST_EXAMINED and found:
            break
        found |= {did.id: did for did in shelves.show_all(group) if digits in did.number}
        if examined > _MOST_EXAMINED:
            break
    chosen = list(found.values())
    world.chance.shuffle(chosen)
    return chosen[: world.settings.available_dids_cap], len(chosen)


def _start(world: "World", group: GroupRow) -> str:
    return f"{world.atlas.countries[group.country_id].prefix or ''}{group.prefix}"

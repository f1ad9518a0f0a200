"""Changing a number: its routing, its channels, its registration, and whether it is renewed."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from didww_async.simulator import capacity, emergency, verifying
from didww_async.simulator.errors import unprocessable
from didww_async.simulator.history import remember
from didww_async.simulator.inputs import Values
from didww_async.simulator.records import Did

if TYPE_CHECKING:
    from didww_async.simulator.world import World

BILLING_PERIOD = timedelta(days=30)
_PLAIN = ("description", "capacity_limit", "terminated", "billing_cycles_count")


def change(world: "World", did: Did, values: Values) -> Did:
    """Carry out PATCH /dids/{id}."""
    if did.blocked:
        raise unprocessable("/data/attributes/base", "DID is blocked")
    changed = _routed(did, values)
    changed = capacity.link_did(world, changed, values)
    if "emergency_calling_service_id" in values:
        changed = emergency.link_did(world, changed, values["emergency_calling_service_id"])
    if "address_verification_id" in values:
        changed = verifying.link_did(world, changed, values["address_verification_id"])
    changed = attrs.evolve(changed, **{name: values[name] for name in _PLAIN if name in values})
    world.keep_did(changed)
    _remember_change(world, did, changed)
    return changed


def renew(world: "World", did: Did) -> Did:
    """Begin the next billing period, as the platform does: it costs one of the cycles left."""
    cycles = did.billing_cycles_count
    if did.terminated or cycles == 0:
        raise ValueError(f"{did.number} is not renewed any more")
    renewed = attrs.evolve(
        did,
        expires_at=did.expires_at + BILLING_PERIOD,
        billing_cycles_count=None if cycles is None else cycles - 1,
    )
    world.keep_did(renewed)
    remember(world, renewed, "renewed", method="system")
    return renewed


def remove(world: "World", did: Did) -> None:
    """Take a number away, as the platform does when its last billing period is over."""
    world.drop_did(did)
    remember(world, did, "removed", method="system")


def _routed(did: Did, values: Values) -> Did:
    """Route a number to a trunk or to a trunk group: choosing one ends the other."""
    trunk_id, group_id = values.get("voice_in_trunk_id"), values.get("voice_in_trunk_group_id")
    if trunk_id is not None and group_id is not None:
        raise unprocessable(
            "/data/relationships/voice_in_trunk", "can't be set together with voice_in_trunk_group"
        )
    if trunk_id is not None:
        return attrs.evolve(did, voice_in_trunk_id=trunk_id, voice_in_trunk_group_id=None)
    if group_id is not None:
        return attrs.evolve(did, voice_in_trunk_id=None, voice_in_trunk_group_id=group_id)
    cleared: dict[str, Any] = {
        name: None for name in ("voice_in_trunk_id", "voice_in_trunk_group_id") if name in values
    }
    return attrs.evolve(did, **cleared)


def _remember_change(world: "World", before: Did, after: Did) -> None:
    if before.terminated != after.terminated:
        remember(world, after, "canceled" if after.terminated else "restored")
    if before.billing_cycles_count != after.billing_cycles_count:
        remember(
            world,
            after,
            "billing_cycles_count_changed",
            before=before.billing_cycles_count,
            after=after.billing_cycles_count,
        )

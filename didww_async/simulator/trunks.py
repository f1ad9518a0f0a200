"""Voice IN trunks and their groups: where calls to numbers go."""

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from didww_async.simulator.errors import Problem, RefusedError, invalid, unprocessable
from didww_async.simulator.inputs import (
    Values,
    any_text,
    digits,
    flag,
    list_of,
    one_of,
    whole,
)
from didww_async.simulator.nested import Part, Setting, Shapes

if TYPE_CHECKING:
    from didww_async.simulator.world import World

_CONFIGURATION = "/data/attributes/configuration"
_SIP = "sip_configurations"
_CREDENTIALS = ("incoming_auth_username", "incoming_auth_password")

CONFIGURATIONS: Shapes = {
    "sip_configurations": {
        "host": Setting(any_text),
        "port": Setting(whole(1, 65535)),
        "username": Setting(any_text),
        "transport_protocol_id": Setting(whole(1, 3), 1, nullable=False),
        "network_protocol_priority": Setting(
            one_of("force_ipv4", "force_ipv6", "any", "prefer_ipv4", "prefer_ipv6"),
            "force_ipv4",
            nullable=False,
            is_new=True,
        ),
        "resolve_ruri": Setting(flag, default=True, nullable=False),
        "use_did_in_ruri": Setting(flag, default=False, nullable=False, is_new=True),
        "codec_ids": Setting(list_of(whole(1)), (9, 10, 8, 7, 6), nullable=False),
        "rx_dtmf_format_id": Setting(whole(1, 3), 1),
        "tx_dtmf_format_id": Setting(whole(1, 3), 1),
        "auth_enabled": Setting(flag, default=False, nullable=False),
        "auth_user": Setting(any_text),
        "auth_password": Setting(any_text),
        "auth_from_user": Setting(any_text),
        "auth_from_domain": Setting(any_text),
        "enabled_sip_registration": Setting(flag, default=False, nullable=False, is_new=True),
        "incoming_auth_username": Setting(None, is_new=True),
        "incoming_auth_password": Setting(None, is_new=True),
        "sst_enabled": Setting(flag, default=False, nullable=False),
        "sst_min_timer": Setting(whole(), 600),
        "sst_max_timer": Setting(whole(), 900),
        "sst_session_expires": Setting(whole()),
        "sst_refresh_method_id": Setting(whole(1, 3), 1, nullable=False),
        "sst_accept_501": Setting(flag, default=True, nullable=False),
        "sip_timer_b": Setting(whole(), 8000),
        "dns_srv_failover_timer": Setting(whole(), 2000),
        "rtp_ping": Setting(flag, default=False),
        "rtp_timeout": Setting(whole(), 30),
        "force_symmetric_rtp": Setting(flag, default=False),
        "symmetric_rtp_ignore_rtcp": Setting(flag, default=False),
        "allowed_rtp_ips": Setting(list_of(any_text)),
        "media_encryption_mode": Setting(
            one_of("disabled", "srtp_sdes", "srtp_dtls", "zrtp"), "disabled", nullable=False
        ),
        "stir_shaken_mode": Setting(
            one_of("disabled", "original", "pai", "original_pai", "verstat"),
            "disabled",
            nullable=False,
        ),
        "diversion_relay_policy": Setting(
            one_of("none", "as_is", "sip", "tel"), "none", nullable=False
        ),
        "diversion_inject_mode": Setting(
            one_of("none", "did_number"), "none", nullable=False, is_new=True
        ),
        "cnam_lookup": Setting(flag, default=False, nullable=False, is_new=True),
        "max_transfers": Setting(whole(), 2, nullable=False),
        "max_30x_redirects": Setting(whole(), 5, nullable=False),
        "rerouting_disconnect_code_ids": Setting(list_of(whole(1))),
    },
    "pstn_configurations": {"dst": Setting(digits)},
}


@attrs.frozen(kw_only=True)
class InTrunk:
    id: str
    created_at: datetime
    name: str
    configuration: Part = attrs.field(repr=False)
    description: str | None = None
    external_reference_id: str | None = None
    priority: int = 1
    weight: int = 65535
    capacity_limit: int | None = None
    cli_format: str | None = "raw"
    cli_prefix: str | None = None
    ringing_timeout: int | None = None
    voice_in_trunk_group_id: str | None = None
    pop_id: str | None = None


@attrs.frozen(kw_only=True)
class InTrunkGroup:
    """A group. Each `InTrunk` says which group it is in."""

    id: str
    created_at: datetime
    name: str
    capacity_limit: int | None = None
    external_reference_id: str | None = None


def make_trunk(world: "World", values: Values) -> InTrunk:
    trunk = InTrunk(id=world.new_id(), created_at=world.now(), **values)
    _check_configuration(trunk.configuration)
    trunk = _with_credentials(world, trunk, before=None)
    world.owned.in_trunks[trunk.id] = trunk
    return trunk


def change_trunk(world: "World", trunk: InTrunk, values: Values) -> InTrunk:
    """Change a trunk; a configuration is replaced whole by one of the same type."""
    changed = attrs.evolve(trunk, **values)
    if "configuration" in values:
        if changed.configuration.type != trunk.configuration.type:
            raise unprocessable(f"{_CONFIGURATION}/type", "can't be changed")
        _check_configuration(changed.configuration)
        changed = _with_credentials(world, changed, before=trunk.configuration)
    world.owned.in_trunks[changed.id] = changed
    return changed


def delete_trunk(world: "World", trunk: InTrunk) -> None:
    """Delete a trunk: numbers that were routed to it are routed nowhere."""
    for did in list(world.dids.values()):
        if did.voice_in_trunk_id == trunk.id:
            world.keep_did(attrs.evolve(did, voice_in_trunk_id=None))
    del world.owned.in_trunks[trunk.id]


def make_group(world: "World", values: Values) -> InTrunkGroup:
    trunk_ids = values.pop("voice_in_trunks_ids", ())
    group = InTrunkGroup(id=world.new_id(), created_at=world.now(), **values)
    world.owned.in_trunk_groups[group.id] = group
    _move(world, group, trunk_ids)
    return group


def change_group(world: "World", group: InTrunkGroup, values: Values) -> InTrunkGroup:
    trunk_ids = values.pop("voice_in_trunks_ids", None)
    changed = attrs.evolve(group, **values)
    world.owned.in_trunk_groups[changed.id] = changed
    if trunk_ids is not None:
        _move(world, changed, trunk_ids)
    return changed


def delete_group(world: "World", group: InTrunkGroup) -> None:
    """Delete a group: its trunks stay, numbers that were routed to it are routed nowhere."""
    _move(world, group, ())
    for did in list(world.dids.values()):
        if did.voice_in_trunk_group_id == group.id:
            world.keep_did(attrs.evolve(did, voice_in_trunk_group_id=None))
    del world.owned.in_trunk_groups[group.id]


def trunks_of(world: "World", group: InTrunkGroup) -> list[InTrunk]:
    return [
        trunk
        for trunk in world.owned.in_trunks.values()
        if trunk.voice_in_trunk_group_id == group.id
    ]


def _move(world: "World", group: InTrunkGroup, trunk_ids: tuple[str, ...]) -> None:
    """Make these trunks, and no others, the members of a group."""
    for trunk in list(world.owned.in_trunks.values()):
        if trunk.id in trunk_ids:
            group_id: str | None = group.id
        elif trunk.voice_in_trunk_group_id == group.id:
            group_id = None
        else:
            continue
        moved = attrs.evolve(trunk, voice_in_trunk_group_id=group_id)
        world.owned.in_trunks[trunk.id] = moved


def _check_configuration(configuration: Part) -> None:
    found = configuration.attributes
    problems: list[Problem] = []
    if configuration.type != _SIP:
        needed = ["dst"]
    elif found.get("enabled_sip_registration"):
        needed = []
        problems += [
            invalid(f"{_CONFIGURATION}/{name}", "must be blank")
            for name in ("host", "port")
            if found[name] is not None
        ]
    else:
        needed = ["host"]
        if found.get("use_did_in_ruri"):
            problems.append(
                invalid(f"{_CONFIGURATION}/use_did_in_ruri", "requires SIP registration")
            )
    if found.get("auth_enabled"):
        needed += ["auth_user", "auth_password"]
    problems += [
        invalid(f"{_CONFIGURATION}/{name}", "can't be blank") for name in needed if not found[name]
    ]
    if problems:
        raise RefusedError(422, *problems)


def _with_credentials(world: "World", trunk: InTrunk, *, before: Part | None) -> InTrunk:
    """Where SIP registration is on, a trunk has credentials that the server made."""
    if not trunk.configuration.attributes.get("enabled_sip_registration"):
        return trunk
    kept = before.attributes if before else {}
    credentials = {name: kept.get(name) or world.new_secret() for name in _CREDENTIALS}
    configuration = trunk.configuration.with_attributes(**credentials)
    return attrs.evolve(trunk, configuration=configuration)

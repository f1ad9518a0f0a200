"""Voice IN and OUT trunks, and the points of presence they may be at."""

from typing import TYPE_CHECKING, Any

from didww_async.simulator import outgoing, trunks
from didww_async.simulator.filters import contains, flag, texts
from didww_async.simulator.inputs import (
    amount,
    any_text,
    creating,
    field,
    link,
    links,
    list_of,
    reference,
    text,
    updating,
    url,
    whole,
)
from didww_async.simulator.inputs import flag as is_true
from didww_async.simulator.nested import Shapes, older, part, write
from didww_async.simulator.outgoing import AUTHENTICATION_METHODS
from didww_async.simulator.resources import links as to
from didww_async.simulator.resources.columns import (
    CREATED_AT,
    OWN_REFERENCE,
    OWN_REFERENCE_FILTER,
    OWN_REFERENCE_SORT,
    columns,
    exact,
    sorts,
    to_one,
    written,
)
from didww_async.simulator.schema import Attribute, Input, Relationship, Resource, column
from didww_async.simulator.spelling import (
    CLI_MISMATCH_ACTIONS,
    DESTINATION_ACTIONS,
    MEDIA_ENCRYPTION_MODES,
    OUT_TRUNK_STATUSES,
)
from didww_async.simulator.text import decimal_text
from didww_async.simulator.trunks import CONFIGURATIONS
from didww_async.simulator.versions import V2022, V2026

if TYPE_CHECKING:
    from didww_async.simulator.settings import Settings
    from didww_async.simulator.world import World

POPS = Resource(
    type="pops",
    path="pops",
    all=lambda world: list(world.regulation.pops.values()),
    paging=None,
    attributes=columns("name"),
    filters=exact("id"),
)


def _part_attribute(name: str, shapes: Shapes, version: str, **since_until: str) -> Attribute:
    read = column(name)
    return Attribute(
        name, read=lambda world, row: write(read(world, row), shapes, version), **since_until
    )


_OWN_REFERENCE = field("external_reference_id", reference, nullable=True, since=V2026)

# Voice IN


def _in_trunk_inputs(*, required: bool) -> tuple[Input, ...]:
    return (
        field("name", text, required=required),
        field("description", any_text, nullable=True),
        _OWN_REFERENCE,
        field("priority", whole()),
        field("weight", whole()),
        field("capacity_limit", whole(), nullable=True),
        field("cli_format", any_text, nullable=True),
        field("cli_prefix", any_text, nullable=True),
        field("ringing_timeout", whole(), nullable=True),
        field(
            "configuration",
            part("configuration", older(CONFIGURATIONS)),
            required=required,
            until=V2022,
        ),
        field(
            "configuration",
            part("configuration", CONFIGURATIONS),
            required=required,
            since=V2026,
        ),
        link("voice_in_trunk_group", to.VOICE_IN_TRUNK_GROUPS, nullable=True),
        link("pop", to.POPS, nullable=True),
    )


_TRUNK_SORTS = (
    "capacity_limit",
    "cli_format",
    "cli_prefix",
    "created_at",
    "description",
    "name",
    "priority",
    "ringing_timeout",
    "weight",
)

VOICE_IN_TRUNKS = Resource(
    type="voice_in_trunks",
    path="voice_in_trunks",
    table=lambda world: world.owned.in_trunks,
    create=creating(_in_trunk_inputs(required=True), trunks.make_trunk),
    update=updating(_in_trunk_inputs(required=False), trunks.change_trunk),
    delete=trunks.delete_trunk,
    creates=_in_trunk_inputs(required=True),
    updates=_in_trunk_inputs(required=False),
    attributes=(
        *columns("name", "description", "priority", "weight", "capacity_limit"),
        *columns("cli_format", "cli_prefix", "ringing_timeout"),
        OWN_REFERENCE,
        CREATED_AT,
        _part_attribute("configuration", CONFIGURATIONS, V2022, until=V2022),
        _part_attribute("configuration", CONFIGURATIONS, V2026, since=V2026),
    ),
    relationships=(
        to_one(
            "voice_in_trunk_group",
            "voice_in_trunk_groups",
            lambda world: world.owned.in_trunk_groups,
        ),
        to_one("pop", "pops", lambda world: world.regulation.pops),
    ),
    filters=(
        *exact("id", "name"),
        texts("configuration.type", column("configuration.type")),
        OWN_REFERENCE_FILTER,
    ),
    sorts=(*sorts(*_TRUNK_SORTS), OWN_REFERENCE_SORT),
)


def _group_inputs(*, required: bool) -> tuple[Input, ...]:
    return (
        field("name", text, required=required),
        field("capacity_limit", whole(), nullable=True),
        _OWN_REFERENCE,
        links("voice_in_trunks", to.VOICE_IN_TRUNKS),
    )


VOICE_IN_TRUNK_GROUPS = Resource(
    type="voice_in_trunk_groups",
    path="voice_in_trunk_groups",
    table=lambda world: world.owned.in_trunk_groups,
    create=creating(_group_inputs(required=True), trunks.make_group),
    update=updating(_group_inputs(required=False), trunks.change_group),
    delete=trunks.delete_group,
    creates=_group_inputs(required=True),
    updates=_group_inputs(required=False),
    attributes=(*columns("name", "capacity_limit"), OWN_REFERENCE, CREATED_AT),
    relationships=(
        Relationship("voice_in_trunks", type="voice_in_trunks", many=True, read=trunks.trunks_of),
    ),
    meta=lambda world, row: {"trunks_count": len(trunks.trunks_of(world, row))},
    filters=(*exact("id"), OWN_REFERENCE_FILTER),
    sorts=(*sorts("capacity_limit", "created_at", "name"), OWN_REFERENCE_SORT),
)

# Voice OUT


def _out_trunk_inputs(*, required: bool) -> tuple[Input, ...]:
    return (
        field("name", text, required=required),
        *OUT_TRUNK_STATUSES.inputs("status"),
        _OWN_REFERENCE,
        field("capacity_limit", whole(), nullable=True),
        field("allow_any_did_as_cli", is_true),
        *CLI_MISMATCH_ACTIONS.inputs("on_cli_mismatch_action"),
        *DESTINATION_ACTIONS.inputs("default_dst_action"),
        field("dst_prefixes", list_of(text)),
        *MEDIA_ENCRYPTION_MODES.inputs("media_encryption_mode"),
        field("allowed_rtp_ips", list_of(text), nullable=True),
        field("force_symmetric_rtp", is_true),
        field("rtp_ping", is_true),
        field("rtp_timeout", whole(), since=V2026),
        field("threshold_amount", amount),
        field("callback_url", url, nullable=True),
        field("emergency_enable_all", is_true, since=V2026),
        field(
            "authentication_method",
            part("authentication_method", AUTHENTICATION_METHODS),
            required=required,
            since=V2026,
        ),
        field("allowed_sip_ips", list_of(text), required=required, until=V2022),
        link("default_did", to.DIDS, nullable=True),
        links("dids", to.DIDS),
        links("emergency_dids", to.DIDS, since=V2026),
    )


def _credential(name: str) -> Attribute:
    """2022-05-10 has what belongs to the authentication method among the trunk's attributes."""
    return Attribute(
        name,
        read=lambda _world, row: row.authentication_method.attributes.get(name),
        until=V2022,
    )


def _no_voice_out(settings: "Settings") -> str | None:
    return None if settings.voice_out else "The plan has no voice OUT."


VOICE_OUT_TRUNKS = Resource(
    type="voice_out_trunks",
    path="voice_out_trunks",
    table=lambda world: world.owned.out_trunks,
    create=creating(_out_trunk_inputs(required=True), outgoing.make_trunk),
    update=updating(_out_trunk_inputs(required=False), outgoing.change_trunk),
    delete=lambda world, trunk: world.owned.out_trunks.__delitem__(trunk.id),
    creates=_out_trunk_inputs(required=True),
    updates=_out_trunk_inputs(required=False),
    forbidden=_no_voice_out,
    attributes=(
        *columns("name"),
        *OUT_TRUNK_STATUSES.attribute("status"),
        OWN_REFERENCE,
        *columns("capacity_limit", "allow_any_did_as_cli"),
        *CLI_MISMATCH_ACTIONS.attribute("on_cli_mismatch_action"),
        *DESTINATION_ACTIONS.attribute("default_dst_action"),
        *columns("dst_prefixes"),
        *MEDIA_ENCRYPTION_MODES.attribute("media_encryption_mode"),
        *columns("allowed_rtp_ips", "force_symmetric_rtp", "rtp_ping"),
        *columns("rtp_timeout", since=V2026),
        written("threshold_amount", decimal_text),
        *columns("callback_url"),
        *columns("emergency_enable_all", since=V2026),
        CREATED_AT,
        *columns("threshold_reached"),
        _part_attribute("authentication_method", AUTHENTICATION_METHODS, V2026, since=V2026),
        *(_credential(name) for name in ("allowed_sip_ips", "username", "password")),
    ),
    relationships=(
        Relationship("dids", type="dids", many=True, read=outgoing.dids_of),
        Relationship(
            "emergency_dids",
            type="dids",
            many=True,
            read=outgoing.emergency_dids_of,
            since=V2026,
        ),
        Relationship(
            "default_did",
            type="dids",
            read=lambda world, row: world.dids.get(row.default_did_id or ""),
            until=V2022,
        ),
    ),
    meta=lambda _world, row: {"spent_amount": decimal_text(row.spent_amount)},
    filters=(
        *exact("id", "name", "default_did.id"),
        contains("name_contains", column("name")),
        flag("allow_any_did_as_cli", column("allow_any_did_as_cli")),
        flag("threshold_reached", column("threshold_reached")),
        texts(
            "authentication_method.type",
            column("authentication_method.type"),
            allowed=tuple(AUTHENTICATION_METHODS),
            since=V2026,
        ),
        *OUT_TRUNK_STATUSES.filter("status"),
        *CLI_MISMATCH_ACTIONS.filter("on_cli_mismatch_action"),
        *DESTINATION_ACTIONS.filter("default_dst_action"),
        *MEDIA_ENCRYPTION_MODES.filter("media_encryption_mode"),
        OWN_REFERENCE_FILTER,
    ),
    sorts=(
        *sorts("allow_any_did_as_cli", "created_at", "name", "threshold_reached"),
        OWN_REFERENCE_SORT,
    ),
)

_REGENERATED = (link("voice_out_trunk", to.VOICE_OUT_TRUNKS, required=True),)


def _regenerate(world: "World", values: dict[str, Any]) -> Any:
    return outgoing.regenerate(world, values)


VOICE_OUT_TRUNK_REGENERATE_CREDENTIALS = Resource(
    type="voice_out_trunk_regenerate_credentials",
    path="voice_out_trunk_regenerate_credentials",
    create=creating(_REGENERATED, _regenerate),
    creates=_REGENERATED,
    forbidden=_no_voice_out,
)

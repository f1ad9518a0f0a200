"""Voice OUT trunks: who may call out, as which number, and with which credentials."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from didww_async.simulator.errors import unprocessable
from didww_async.simulator.inputs import Values, any_text, list_of, text
from didww_async.simulator.nested import Part, Setting, Shapes

if TYPE_CHECKING:
    from didww_async.simulator.records import Did
    from didww_async.simulator.world import World

_METHOD = "/data/attributes/authentication_method"
_CREDENTIALS = "credentials_and_ip"

AUTHENTICATION_METHODS: Shapes = {
    "credentials_and_ip": {
        "allowed_sip_ips": Setting(list_of(text)),
        "tech_prefix": Setting(any_text),
        "username": Setting(None),
        "password": Setting(None),
    },
    "ip_only": {"allowed_sip_ips": Setting(list_of(text)), "tech_prefix": Setting(any_text)},
    "twilio": {"twilio_account_sid": Setting(text, nullable=False)},
}


@attrs.frozen(kw_only=True)
class OutTrunk:
    id: str
    created_at: datetime
    name: str
    authentication_method: Part = attrs.field(repr=False)
    status: str = "active"
    external_reference_id: str | None = None
    capacity_limit: int | None = None
    allow_any_did_as_cli: bool = False
    on_cli_mismatch_action: str = "reject_call"
    default_dst_action: str = "allow_all"
    dst_prefixes: tuple[str, ...] = ()
    media_encryption_mode: str = "disabled"
    allowed_rtp_ips: tuple[str, ...] | None = None
    force_symmetric_rtp: bool = False
    rtp_ping: bool = False
    rtp_timeout: int = 30
    threshold_amount: Decimal = Decimal("200.0")
    callback_url: str | None = None
    emergency_enable_all: bool = False
    default_did_id: str | None = None
    dids_ids: tuple[str, ...] = ()
    emergency_dids_ids: tuple[str, ...] = ()
    spent_amount: Decimal = Decimal("0.0")

    @property
    def threshold_reached(self) -> bool:
        return self.spent_amount >= self.threshold_amount


def make_trunk(world: "World", values: Values) -> OutTrunk:
    if "allowed_sip_ips" in values:
        values["authentication_method"] = _old_method(values.pop("allowed_sip_ips"))
    trunk = OutTrunk(id=world.new_id(), created_at=world.now(), **values)
    _check(world, trunk, values)
    return _kept(world, _with_credentials(world, trunk, before=None))


def change_trunk(world: "World", trunk: OutTrunk, values: Values) -> OutTrunk:
    """Change a trunk; an authentication method is replaced whole."""
    if "allowed_sip_ips" in values:
        values["authentication_method"] = _old_method(values.pop("allowed_sip_ips"))
    before = trunk.authentication_method
    changed = attrs.evolve(trunk, **values)
    _check(world, changed, values)
    after = changed.authentication_method
    if before.type == after.type == "ip_only" and (
        before.attributes["allowed_sip_ips"] != after.attributes["allowed_sip_ips"]
    ):
        raise unprocessable(f"{_METHOD}/allowed_sip_ips", "can't be changed")
    return _kept(world, _with_credentials(world, changed, before=before))


def regenerate(world: "World", values: Values) -> OutTrunk:
    """Carry out POST /voice_out_trunk_regenerate_credentials."""
    trunk = world.owned.out_trunks[values["voice_out_trunk_id"]]
    if trunk.authentication_method.type != _CREDENTIALS:
        raise unprocessable("/data/relationships/voice_out_trunk", "has no credentials")
    return _kept(world, _with_credentials(world, trunk, before=None))


def dids_of(world: "World", trunk: OutTrunk) -> "list[Did]":
    """The numbers a trunk may call as: all that can, or those it was given."""
    if trunk.allow_any_did_as_cli:
        return [did for did in world.dids.values() if _can_call(world, did)]
    return [world.dids[key] for key in trunk.dids_ids if key in world.dids]


def emergency_dids_of(world: "World", trunk: OutTrunk) -> "list[Did]":
    if trunk.emergency_enable_all:
        return [did for did in world.dids.values() if did.emergency_enabled]
    return [world.dids[key] for key in trunk.emergency_dids_ids if key in world.dids]


def _old_method(allowed_sip_ips: tuple[str, ...] | None) -> Part:
    """2022-05-10 knows one method, whose settings are attributes of the trunk."""
    return Part(_CREDENTIALS, {"allowed_sip_ips": allowed_sip_ips, "tech_prefix": None})


def _check(world: "World", trunk: OutTrunk, values: Values) -> None:
    if trunk.allow_any_did_as_cli and values.get("dids_ids"):
        raise unprocessable(
            "/data/relationships/dids", "can't be set while allow_any_did_as_cli is true"
        )
    if trunk.emergency_enable_all and values.get("emergency_dids_ids"):
        raise unprocessable(
            "/data/relationships/emergency_dids", "can't be set while emergency_enable_all is true"
        )
    for key in values.get("dids_ids", ()):
        if not _can_call(world, world.dids[key]):
            raise unprocessable("/data/relationships/dids", "can't be used for outbound calls")
    for key in values.get("emergency_dids_ids", ()):
        if not world.dids[key].emergency_enabled:
            raise unprocessable("/data/relationships/emergency_dids", "has no emergency calling")
    method = trunk.authentication_method
    needed = {"ip_only": "allowed_sip_ips", "twilio": "twilio_account_sid"}.get(method.type)
    if needed is not None and not method.attributes[needed]:
        raise unprocessable(f"{_METHOD}/{needed}", "can't be blank")


def _can_call(world: "World", did: "Did") -> bool:
    return "voice_out" in world.atlas.groups[did.group_id].features


def _with_credentials(world: "World", trunk: OutTrunk, *, before: Part | None) -> OutTrunk:
    """Keep the credentials of the method before, or make new ones, where the method has any."""
    method = trunk.authentication_method
    if method.type != _CREDENTIALS:
        return trunk
    kept = before.attributes if before else {}
    credentials = {name: kept.get(name) or world.new_secret() for name in ("username", "password")}
    return attrs.evolve(trunk, authentication_method=method.with_attributes(**credentials))


def _kept(world: "World", trunk: OutTrunk) -> OutTrunk:
    world.owned.out_trunks[trunk.id] = trunk
    return trunk

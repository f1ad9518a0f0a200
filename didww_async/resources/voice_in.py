"""Inbound voice: trunks that take the calls of DIDs, and groups of trunks.

Source: doc.didww.com/api3, voice_in_trunks, voice_in_trunk_groups.
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypedDict

from didww_async.resources.base import Meta, Resource, attribute, relationship, value
from didww_async.resources.inputs import Input
from didww_async.resources.sip import TrunkConfiguration, check_configuration
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:
    from didww_async.resources.coverage import Pop

__all__ = [
    "CliFormat",
    "VoiceInTrunk",
    "VoiceInTrunkCreate",
    "VoiceInTrunkFilter",
    "VoiceInTrunkGroup",
    "VoiceInTrunkGroupCreate",
    "VoiceInTrunkGroupFilter",
    "VoiceInTrunkGroupInclude",
    "VoiceInTrunkGroupMeta",
    "VoiceInTrunkGroupSort",
    "VoiceInTrunkGroupUpdate",
    "VoiceInTrunkInclude",
    "VoiceInTrunkSort",
    "VoiceInTrunkUpdate",
]


class CliFormat(OpenEnum):
    """How the caller's number is written."""

    RAW = "raw"
    E164 = "e164"
    LOCAL = "local"


@value
class VoiceInTrunk(Resource):
    """Where the calls of DIDs go.

    In a group the lowest `priority` is tried first; trunks of one priority share the calls by
    `weight`. `capacity_limit`: simultaneous calls, None for no limit. `ringing_timeout`: seconds,
    None for DIDWW's own. `cli_prefix` is put before the caller's number. `pop`: None for the one
    nearest to the call.
    """

    type: ClassVar[str] = "voice_in_trunks"
    walk_by: ClassVar[str | None] = "created_at,name"

    name: str = attribute()
    description: str | None = attribute()
    external_reference_id: str | None = attribute()
    priority: int = attribute()
    weight: int = attribute()
    capacity_limit: int | None = attribute()
    cli_format: CliFormat | None = attribute()
    cli_prefix: str | None = attribute()
    ringing_timeout: int | None = attribute()
    created_at: dt.datetime = attribute()
    configuration: TrunkConfiguration = attribute()
    voice_in_trunk_group: "VoiceInTrunkGroup | None" = relationship()
    pop: "Pop | None" = relationship()


@value
class VoiceInTrunkCreate(Input):
    """What POST /voice_in_trunks takes; fields as in `VoiceInTrunk`."""

    type: ClassVar[str] = "voice_in_trunks"

    name: str
    configuration: TrunkConfiguration
    description: str | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    priority: int | Unset = UNSET
    weight: int | Unset = UNSET
    capacity_limit: int | None | Unset = UNSET
    cli_format: CliFormat | str | None | Unset = UNSET
    cli_prefix: str | None | Unset = UNSET
    ringing_timeout: int | None | Unset = UNSET
    voice_in_trunk_group: str | None | Unset = relationship("voice_in_trunk_groups")
    pop: str | None | Unset = relationship("pops")

    def _check(self) -> None:
        check_configuration(self.configuration)


@value
class VoiceInTrunkUpdate(Input):
    """What PATCH /voice_in_trunks/{id} takes; fields as in `VoiceInTrunk`.

    `configuration` replaces the whole configuration: what it leaves out is lost. Change the one
    that was read, `trunk.configuration.replace(port=5061)`. Its type can't change.
    """

    type: ClassVar[str] = "voice_in_trunks"

    name: str | Unset = UNSET
    configuration: TrunkConfiguration | Unset = UNSET
    description: str | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    priority: int | Unset = UNSET
    weight: int | Unset = UNSET
    capacity_limit: int | None | Unset = UNSET
    cli_format: CliFormat | str | None | Unset = UNSET
    cli_prefix: str | None | Unset = UNSET
    ringing_timeout: int | None | Unset = UNSET
    voice_in_trunk_group: str | None | Unset = relationship("voice_in_trunk_groups")
    pop: str | None | Unset = relationship("pops")

    def _check(self) -> None:
        check_configuration(self.configuration)


VoiceInTrunkFilter = TypedDict(
    "VoiceInTrunkFilter",
    {
        "id": FilterValue,
        "configuration.type": FilterValue,
        "external_reference_id": FilterValue,
        "name": FilterValue,
    },
    total=False,
)
VoiceInTrunkSort = Literal[
    "capacity_limit",
    "-capacity_limit",
    "cli_format",
    "-cli_format",
    "cli_prefix",
    "-cli_prefix",
    "created_at",
    "-created_at",
    "description",
    "-description",
    "external_reference_id",
    "-external_reference_id",
    "name",
    "-name",
    "priority",
    "-priority",
    "ringing_timeout",
    "-ringing_timeout",
    "weight",
    "-weight",
]
VoiceInTrunkInclude = Literal["voice_in_trunk_group", "pop"]


@value
class VoiceInTrunkGroupMeta(Meta):
    """How many trunks a group has."""

    only_raw: ClassVar[bool] = False

    trunks_count: int = attribute()


@value
class VoiceInTrunkGroup(Resource):
    """Trunks that calls are spread over. `capacity_limit`: simultaneous calls, None for no limit.

    Deleting it leaves its trunks, without a group.
    """

    type: ClassVar[str] = "voice_in_trunk_groups"
    walk_by: ClassVar[str | None] = "created_at,name"

    name: str = attribute()
    capacity_limit: int | None = attribute()
    external_reference_id: str | None = attribute()
    created_at: dt.datetime = attribute()
    voice_in_trunks: tuple[VoiceInTrunk, ...] = relationship()
    meta: VoiceInTrunkGroupMeta = VoiceInTrunkGroupMeta()


@value
class VoiceInTrunkGroupCreate(Input):
    """What POST /voice_in_trunk_groups takes; the trunks are moved here from other groups."""

    type: ClassVar[str] = "voice_in_trunk_groups"

    name: str
    capacity_limit: int | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    voice_in_trunks: Sequence[str] | Unset = relationship("voice_in_trunks")


@value
class VoiceInTrunkGroupUpdate(Input):
    """What PATCH /voice_in_trunk_groups/{id} takes; `voice_in_trunks` replaces the whole set."""

    type: ClassVar[str] = "voice_in_trunk_groups"

    name: str | Unset = UNSET
    capacity_limit: int | None | Unset = UNSET
    external_reference_id: str | None | Unset = UNSET
    voice_in_trunks: Sequence[str] | Unset = relationship("voice_in_trunks")


class VoiceInTrunkGroupFilter(TypedDict, total=False):
    """Filters of GET /voice_in_trunk_groups."""

    id: FilterValue
    external_reference_id: FilterValue


VoiceInTrunkGroupSort = Literal[
    "capacity_limit",
    "-capacity_limit",
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "name",
    "-name",
]
VoiceInTrunkGroupInclude = Literal[
    "voice_in_trunks",
    "voice_in_trunks.pop",
]

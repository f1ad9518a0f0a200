"""Exports: call detail records, written to a file in the background.

Source: doc.didww.com/api3, exports.
"""

import datetime as dt
from typing import ClassVar, Literal, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import FlatNested, Resource, attribute, value
from didww_async.resources.inputs import CallbackMethod, Input
from didww_async.wire.enums import OpenEnum
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

__all__ = [
    "Export",
    "ExportCreate",
    "ExportFilter",
    "ExportFilters",
    "ExportSort",
    "ExportStatus",
    "ExportType",
    "ExportUpdate",
]


class ExportType(OpenEnum):
    """Which calls: inbound (`CDR_IN`) or outbound (`CDR_OUT`)."""

    CDR_IN = "cdr_in"
    CDR_OUT = "cdr_out"


class ExportStatus(OpenEnum):
    """How far an export is; its file is there once it is completed."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"


@value
class ExportFilters(FlatNested):
    """Which calls an export holds: those from `from_` until `to`: times with their zone.

    Both must lie in this month or the two before it, not in the future. `others`: further filters
    as the API spells them, which differ by export type and API version, such as `did_number`.
    """

    from_: dt.datetime = attribute()
    to: dt.datetime = attribute()


@value
class Export(Resource):
    """Call records as a file that DIDWW prepares: `url`, None until `status` is completed."""

    type: ClassVar[str] = "exports"
    walk_by: ClassVar[str | None] = "created_at"

    export_type: ExportType = attribute()
    status: ExportStatus = attribute()
    url: str | None = attribute()
    filters: ExportFilters = attribute()
    callback_url: str | None = attribute()
    callback_method: CallbackMethod | None = attribute()
    external_reference_id: str | None = attribute()
    created_at: dt.datetime | None = attribute()


@value
class ExportCreate(Input):
    """What POST /exports takes. The export is made in the background: read it until completed."""

    type: ClassVar[str] = "exports"

    export_type: ExportType | Literal["cdr_in", "cdr_out"]
    filters: ExportFilters
    callback_url: str | None | Unset = UNSET
    callback_method: CallbackMethod | Literal["get", "post"] | None | Unset = UNSET
    external_reference_id: str | Unset = UNSET

    def _check(self) -> None:
        given = (self.filters.from_, self.filters.to)
        span = [moment for moment in given if isinstance(moment, dt.datetime)]
        if len(span) == 1:
            raise InvalidInput("filters.from_ and filters.to go together: give both")
        if not span and not self.filters.others:
            raise InvalidInput("filters needs from_ and to: the time span to export")
        if any(moment.tzinfo is None for moment in span):
            raise InvalidInput(
                "filters.from_ and filters.to need their zone, such as datetime.now(UTC)"
            )
        if span and span[0] >= span[1]:
            raise InvalidInput("filters.from_ must be before filters.to")


@value
class ExportUpdate(Input):
    """What PATCH /exports/{id} takes: the external reference only."""

    type: ClassVar[str] = "exports"

    external_reference_id: str


class ExportFilter(TypedDict, total=False):
    """Filters of GET /exports."""

    id: FilterValue
    external_reference_id: FilterValue


ExportSort = Literal[
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "status",
    "-status",
]

"""CDR exports."""

from didww_async.simulator import exporting
from didww_async.simulator.inputs import creating, field, one_of, reference, updating
from didww_async.simulator.resources.columns import (
    CREATED_AT,
    OWN_REFERENCE,
    OWN_REFERENCE_FILTER,
    OWN_REFERENCE_SORT,
    columns,
    exact,
    sorts,
)
from didww_async.simulator.resources.regulation import CALLBACK_INPUTS, CHANGED_REFERENCE
from didww_async.simulator.schema import Resource
from didww_async.simulator.spelling import CALLBACK_METHODS, EXPORT_STATUSES
from didww_async.simulator.versions import V2026

_NEW_EXPORT = (
    field("export_type", one_of(*exporting.HEADERS), required=True),
    field("filters", exporting.filters, required=True),
    *CALLBACK_INPUTS,
    field("external_reference_id", reference, nullable=True, since=V2026),
)

EXPORTS = Resource(
    type="exports",
    path="exports",
    table=lambda world: world.owned.exports,
    create=creating(_NEW_EXPORT, exporting.request),
    update=updating(CHANGED_REFERENCE, exporting.change_reference),
    download=exporting.download,
    creates=_NEW_EXPORT,
    updates=CHANGED_REFERENCE,
    attributes=(
        *columns("export_type"),
        *EXPORT_STATUSES.attribute("status"),
        *columns("url", "filters", "callback_url"),
        *CALLBACK_METHODS.attribute("callback_method"),
        OWN_REFERENCE,
        CREATED_AT,
    ),
    filters=(*exact("id"), OWN_REFERENCE_FILTER),
    sorts=(*sorts("created_at", "status"), OWN_REFERENCE_SORT),
)

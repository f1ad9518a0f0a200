"""What became of a line (pure)."""

import enum
from decimal import Decimal

import attrs

from didww_async import DidwwError
from flows.batch.lines import BatchLine

__all__ = ["LineResult", "LineState"]


class LineState(enum.StrEnum):
    """Where a line stands when the run is done with it."""

    BOUGHT = "bought"
    PENDING = "pending"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class LineResult:
    """What became of one line.

    `state`: "bought" (`numbers` are there; `shortfall` counts those that did not show up),
    "pending" (ordered, not completed in time; run the batch again later), "refused" (by DIDWW, or
    canceled), "unknown" (it may be bought; it is never ordered again by itself), "skipped" (a stop
    rule came first), "failed" (it could not be ordered; `error` says why). Nothing was bought for
    what is refused, skipped or failed, unless `error` says otherwise: the next run tries it again.

    `price`: what the line's numbers cost at once, USD without VAT. `order_reference`: of the order
    that holds the line; other lines may be in it, too.
    """

    line: BatchLine
    state: LineState
    numbers: tuple[str, ...] = ()
    shortfall: int = 0
    order_id: str | None = None
    order_reference: str | None = None
    price: Decimal | None = None
    error: DidwwError | None = None

"""A purchase as a row: columns for what is asked for, JSON for the rest (pure).

Reading is strict: a row with a state or a field that this version does not know was written by
a newer one, and is refused instead of being understood half.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
from cattrs.gen import make_dict_unstructure_fn
from cattrs.preconf.json import make_converter

from didww_async import InvalidInput
from flows.journal.errors import JournalUnusable
from flows.journal.record import Limits, OrderRequest, Purchase, PurchaseKey, State

__all__ = ["COLUMNS", "TIMES", "check_replacement", "from_row", "to_row"]

TIMES = ("order_by", "planned_at", "claimed_at")
COLUMNS = (
    "origin",
    "account",
    "reference",
    "state",
    "order_id",
    "revision",
    "attempt",
    "owner",
    *TIMES,
    "fingerprint",
    "details",
)


@attrs.frozen(kw_only=True)
class Details:
    """What nobody searches for, kept together as one JSON document.

    What has its default is left out, so that an older version can read the records that don't use
    what it does not know. The defaults therefore never change.
    """

    request: OrderRequest
    limits: Limits
    amount: Decimal | None = None
    numbers: tuple[str, ...] = ()
    number_groups: tuple[str, ...] = ()
    error: str | None = None
    surely_bought: bool = False
    doubtful: bool = False
    asked: str | None = None


def _decimal(text: Any, _: type) -> Decimal:
    if not isinstance(text, str):
        raise TypeError("a decimal is kept as text")
    return Decimal(text)


CONVERTER = make_converter(forbid_extra_keys=True, detailed_validation=False)
CONVERTER.register_unstructure_hook(Decimal, str)
CONVERTER.register_structure_hook(Decimal, _decimal)
CONVERTER.register_unstructure_hook(
    Details, make_dict_unstructure_fn(Details, CONVERTER, _cattrs_omit_if_default=True)
)


def to_row(purchase: Purchase) -> dict[str, Any]:
    """The values of COLUMNS by name; times as aware datetimes in UTC.

    Raises InvalidInput for a time without a time zone and for text that is not Unicode.
    """
    details = Details(
        request=purchase.request,
        limits=purchase.limits,
        amount=purchase.amount,
        numbers=purchase.numbers,
        number_groups=purchase.number_groups,
        error=purchase.error,
        surely_bought=purchase.surely_bought,
        doubtful=purchase.doubtful,
        asked=purchase.asked,
    )
    row = {
        "origin": purchase.key.origin,
        "account": purchase.key.account,
        "reference": purchase.key.reference,
        "state": purchase.state.value,
        "order_id": purchase.order_id,
        "revision": purchase.revision,
        "attempt": purchase.attempt,
        "owner": purchase.owner,
        "order_by": _utc(purchase.order_by),
        "planned_at": _utc(purchase.planned_at),
        "claimed_at": None if purchase.claimed_at is None else _utc(purchase.claimed_at),
        "fingerprint": purchase.fingerprint,
        "details": CONVERTER.dumps(details),
    }
    for name, value in row.items():
        _check_text(name, value)
    return row


def from_row(row: Mapping[str, Any]) -> Purchase:
    """The purchase of a row that has COLUMNS and `updated_at`, times as aware datetimes.

    Raises JournalUnusable when this version can't read it.
    """
    try:
        details = CONVERTER.loads(row["details"], Details)
        return Purchase(
            key=PurchaseKey(
                origin=row["origin"], account=row["account"], reference=row["reference"]
            ),
            **attrs.asdict(details, recurse=False),
            state=State(row["state"]),
            order_id=row["order_id"],
            revision=row["revision"],
            attempt=row["attempt"],
            owner=row["owner"],
            order_by=row["order_by"],
            planned_at=row["planned_at"],
            claimed_at=row["claimed_at"],
            updated_at=row["updated_at"],
        )
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is not readable
        why = f"{type(error).__name__}: {error}"
    raise JournalUnusable(
        f"the record of {row['reference']} can't be read ({why}): it is damaged, or a newer "
        "version of this library wrote it. Upgrade before you go on"
    )


def check_replacement(old: Purchase, new: Purchase) -> None:
    """Raise InvalidInput unless `new` is the version of the same purchase right after `old`."""
    if old.key != new.key or new.revision != old.revision + 1:
        raise InvalidInput(
            f"a record is replaced by its next version: revision {old.revision} of "
            f"{old.reference} by {old.revision + 1}, not by {new.revision} of {new.reference}"
        )


def _utc(time: dt.datetime) -> dt.datetime:
    if time.utcoffset() is None:
        raise InvalidInput(f"a time in the journal needs a time zone: {time}")
    return time.astimezone(dt.UTC)


def _check_text(name: str, value: object) -> None:
    if isinstance(value, str) and ("\0" in value or not _encodes(value)):
        raise InvalidInput(f"{name} can't be kept, it has characters that are no text: {value!r}")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

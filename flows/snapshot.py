"""A flow as plain JSON, and back: strict, because what comes back was in somebody's session."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs
import cattrs
import cattrs.v
from cattrs.preconf.json import make_converter

from didww_async import InvalidInput
from flows.choices import (
    CityChoice,
    CountryChoice,
    NanpaPrefixChoice,
    NumberTypeChoice,
    RegionChoice,
)
from flows.errors import InvalidFlowData
from flows.journal.record import REFERENCE, check_back_ordering
from flows.offers import MAX_QUANTITY, Offer, Quote

__all__ = ["Criteria", "Snapshot", "dump", "load"]

FORMAT: Final = 1
FUTURE = dt.timedelta(minutes=5)


@attrs.frozen(kw_only=True)
class Criteria:
    """What offers must fit, beside the place and number type."""

    quantity: int = 1
    features: tuple[str, ...] = ()
    needs_registration: bool | None = None
    allow_back_ordering: bool = False

    def __attrs_post_init__(self) -> None:
        if self.needs_registration is not None and type(self.needs_registration) is not bool:
            raise InvalidInput(f"needs_registration is a bool, not {self.needs_registration!r}")
        check_back_ordering(self.allow_back_ordering)


@attrs.frozen(kw_only=True)
class Snapshot:
    """Everything a flow is, except its client and journal. It holds no key."""

    reference: str
    origin: str
    account: str
    ordering: bool = False
    criteria: Criteria = Criteria()
    country: CountryChoice | None = None
    number_type: NumberTypeChoice | None = None
    region: RegionChoice | None = None
    city: CityChoice | None = None
    nanpa_prefix: NanpaPrefixChoice | None = None
    offer: Offer | None = None
    quote: Quote | None = None
    order_id: str | None = None


def dump(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as JSON objects, texts, numbers and booleans only."""
    found: dict[str, Any] = {"format": FORMAT, **_converter().unstructure(snapshot)}
    return found


def load(data: Mapping[str, Any], *, now: dt.datetime) -> Snapshot:
    """Read a snapshot. Raises InvalidFlowData naming what is wrong."""
    if not isinstance(data, Mapping):
        raise InvalidFlowData(f"saved flow data is a JSON object, not {type(data).__name__}")
    if data.get("format") != FORMAT:
        raise InvalidFlowData(f"saved flow data has format {data.get('format')!r}, not {FORMAT}")
    content = {key: found for key, found in data.items() if key != "format"}
    try:
        snapshot = _converter().structure(content, Snapshot)
    except cattrs.BaseValidationError as problem:
        said = "; ".join(cattrs.transform_error(problem, path="flow", format_exception=_said))
        raise InvalidFlowData(f"saved flow data can't be read: {said}") from None
    if (wrong := _contradiction(snapshot, now=now)) is not None:
        raise InvalidFlowData(f"saved flow data contradicts itself: {wrong}")
    return snapshot


def _said(problem: BaseException, kind: type | None) -> str:
    if type(problem) is ValueError:
        return str(problem)
    return cattrs.v.format_exception(problem, kind)


def _contradiction(found: Snapshot, *, now: dt.datetime) -> str | None:
    chosen = (found.number_type, found.region, found.city, found.nanpa_prefix, found.offer)
    offer, quote = found.offer, found.quote
    checks: dict[str, bool] = {
        "the reference is not usable": not REFERENCE.fullmatch(found.reference),
        "choices without a country": found.country is None
        and any(choice is not None for choice in chosen),
        "a city and a NANPA prefix": found.city is not None and found.nanpa_prefix is not None,
        "a quote without an offer": quote is not None and offer is None,
        "an order without a quote": found.order_id is not None and quote is None,
        "an order that was not given": found.order_id is not None and not found.ordering,
        "the quantity": not 1 <= found.criteria.quantity <= MAX_QUANTITY,
    }
    if quote is not None and offer is not None:
        checks |= {
            "the quote is for another SKU": quote.sku_id != offer.sku_id,
            "the quote's prices are not the offer's": (quote.setup_price, quote.monthly_price)
            != (offer.setup_price, offer.monthly_price),
            "the quote's total": quote.total
            != (quote.setup_price + quote.monthly_price) * quote.quantity,
            "a negative price": min(quote.setup_price, quote.monthly_price) < 0,
            "the quote's quantity": not 1 <= quote.quantity <= MAX_QUANTITY,
            "the quote is from the future": quote.made_at > now + FUTURE,
        }
    return next((said for said, wrong in checks.items() if wrong), None)


def _converter() -> cattrs.Converter:
    converter = make_converter(forbid_extra_keys=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(dt.datetime, _moment)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_unstructure_hook(dt.datetime, dt.datetime.isoformat)
    return converter


def _exactly(found: Any, kind: type) -> Any:
    if type(found) is not kind:
        raise ValueError(f"{found!r} is no {kind.__name__}")
    return found


def _decimal(found: Any, _: type) -> Decimal:
    try:
        number = Decimal(_exactly(found, str))
    except InvalidOperation:
        raise ValueError(f"{found!r} is no decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{found!r} is no price")
    return number


def _moment(found: Any, _: type) -> dt.datetime:
    moment = dt.datetime.fromisoformat(_exactly(found, str))
    if moment.tzinfo is None:
        raise ValueError(f"{found!r} has no time zone")
    return moment

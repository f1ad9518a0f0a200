"""The options that commands share."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Group, Parameter

from flows import PurchaseRequest
from flows.offers import SEPARATORS

__all__ = [
    "ANYTHING",
    "CONNECTION",
    "JOURNALED",
    "TERMS",
    "Connection",
    "Journaled",
    "Terms",
    "Timeout",
    "Wanted",
    "Yes",
]

PLACE = Group("What to look for", sort_key=1)
OFFER = Group("Offer and price", sort_key=2)
ORDER = Group("Order", sort_key=3)
ACCESS = Group("Access and output", sort_key=9)


WHOLE = re.compile(r"[+-]?[0-9]+")


def whole(_: Any, tokens: Sequence[Any]) -> int:
    """A whole number: what is none must not be rounded to one."""
    if not WHOLE.fullmatch(tokens[0].value):
        raise ValueError(f"{tokens[0].value!r} is no whole number")
    return int(tokens[0].value)


def price(_: Any, tokens: Sequence[Any]) -> Decimal:
    try:
        price = Decimal(tokens[0].value if tokens[0].value.isascii() else "")
    except InvalidOperation:
        raise ValueError(f"{tokens[0].value!r} is no price such as 4.50") from None
    if not price.is_finite() or price < 0:
        raise ValueError(f"a price limit is 0 or more, not {price}")
    return price


def _seconds(_: Any, tokens: Sequence[Any]) -> float:
    try:
        seconds = float(tokens[0].value)
    except ValueError:
        raise ValueError(f"{tokens[0].value!r} is no number of seconds") from None
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"a time is 0 seconds or more, not {seconds:g}")
    return seconds


def option(help: str, group: Group, **more: Any) -> Parameter:
    more = {"negative": (), "show_default": False, **more}
    return Parameter(help=help, group=group, **more)


Timeout = Annotated[
    float, option("Seconds to wait for the numbers. [default: 60]", ORDER, converter=_seconds)
]
Yes = Annotated[bool, option("Order without asking.", ORDER, name=("--yes", "-y"))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Connection:
    """Which API, with which key, and how to answer."""

    api_key: Annotated[
        str | None,
        option(
            "API key; better DIDWW_API_KEY: an option is visible in the list of processes.", ACCESS
        ),
    ] = attrs.field(default=None, repr=False)
    environment: Annotated[
        Literal["production", "sandbox"] | None,
        option("Instead of DIDWW_ENVIRONMENT.", ACCESS),
    ] = None
    base_url: Annotated[
        str | None,
        option("Instead of DIDWW_BASE_URL: another address of the API.", ACCESS),
    ] = None
    api_version: Annotated[
        Literal["2022-05-10", "2026-04-16", "2026-11-19"] | None,
        option("Instead of DIDWW_API_VERSION. [default: 2026-04-16]", ACCESS),
    ] = None
    simulate: Annotated[
        bool,
        option("Run on a simulator of its own: no key, no account, nothing is bought.", ACCESS),
    ] = False
    json: Annotated[
        bool,
        option(
            "One JSON object on standard output (batch: one per event), all else on standard "
            "error.",
            ACCESS,
        ),
    ] = False
    debug: Annotated[bool, option("Show the traceback of an error.", ACCESS)] = False


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Journaled(Connection):
    """The same, and the journal that remembers what was bought."""

    journal: Annotated[
        str | None,
        option(
            "Instead of DIDWW_JOURNAL: a file, or postgresql://user@host/database for several "
            "machines. [default: purchases.db in your state directory]",
            ACCESS,
        ),
    ] = attrs.field(default=None, repr=False)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Wanted:
    """Which numbers are wanted: everything that narrows the offers."""

    country: Annotated[str | None, option("ISO code, name or id.", PLACE)] = None
    region: Annotated[str | None, option("Name, ISO code or id.", PLACE)] = None
    city: Annotated[str | None, option("Name or id.", PLACE)] = None
    npa: Annotated[
        str | None, option("North American area code, such as 212; needs --region.", PLACE)
    ] = None
    nxx: Annotated[str | None, option("Central office code after --npa, such as 555.", PLACE)] = (
        None
    )
    number_type: Annotated[str | None, option("Local, National, Mobile, Toll-free, ...", PLACE)] = (
        None
    )
    feature: Annotated[
        tuple[str, ...],
        option("voice_in, sms_in, t38, ...; all of those named are wanted.", PLACE),
    ] = ()
    needs_registration: Annotated[
        bool | None,
        option(
            "Only numbers that (do not) need a registration.",
            PLACE,
            negative="--no-registration",
            name="--needs-registration",
        ),
    ] = None
    back_order: Annotated[
        bool, option("Also order what is not in stock; it may take days.", PLACE)
    ] = False
    quantity: Annotated[
        int | None, option("How many, 1 to 1000. [default: 1]", PLACE, converter=whole)
    ] = None

    def request(self, **more: Any) -> PurchaseRequest:
        """The same for the flow. Raises InvalidInput for what can't be right."""
        return PurchaseRequest(
            country=self.country or "",
            region=self.region,
            city=self.city,
            npa=self.npa,
            nxx=self.nxx,
            number_type=self.number_type,
            features=[name for text in self.feature for name in SEPARATORS.split(text) if name],
            needs_registration=self.needs_registration,
            quantity=1 if self.quantity is None else self.quantity,
            allow_back_ordering=self.back_order,
            **more,
        )


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Terms:
    """Which offer, at which price, and how to order it."""

    sku: Annotated[str | None, option("The offer's SKU id.", OFFER)] = None
    channels: Annotated[
        int | None, option("Included channels of the offer.", OFFER, converter=whole)
    ] = None
    prefer: Annotated[
        Literal["cheapest"] | None,
        option("When several offers fit: the cheapest month, then setup.", OFFER),
    ] = None
    max_setup: Annotated[
        Decimal | None,
        option("Most for the setup of one number, USD without VAT.", OFFER, converter=price),
    ] = None
    max_monthly: Annotated[
        Decimal | None,
        option("Most for a month of one number, USD without VAT.", OFFER, converter=price),
    ] = None
    max_total: Annotated[
        Decimal | None,
        option("Most for the whole order, USD without VAT.", OFFER, converter=price),
    ] = None
    reference: Annotated[
        str | None,
        option("Your name for this purchase: at most one order is made under it.", ORDER),
    ] = None
    timeout: Timeout = 60.0
    yes: Yes = False

    @property
    def names_an_offer(self) -> bool:
        """Whether the offer can be chosen without asking."""
        return any(found is not None for found in (self.sku, self.channels, self.prefer))


ANYTHING = Wanted()
CONNECTION = Connection()
JOURNALED = Journaled()
TERMS = Terms()

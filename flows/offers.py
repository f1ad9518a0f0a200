"""DID groups with their SKUs -> offers; choosing one, quoting it, checking limits (pure)."""

import datetime as dt
import html.parser
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Literal

import attrs

from didww_async import InvalidInput
from didww_async.resources import DidGroup, StockKeepingUnit
from flows.errors import Ambiguous, NoMatch, OutOfStock, PriceOverLimit
from flows.journal.record import Limits
from flows.number_types import number_type_of

__all__ = [
    "Offer",
    "Offers",
    "Quote",
    "check_features",
    "check_limits",
    "check_quantity",
    "choose",
    "has_stock",
    "offers_from",
    "plain_text",
    "quote",
]

MAX_QUANTITY = 1000
SEPARATORS = re.compile(r"[\s,;|]+")  # between the names of features in one text


@attrs.frozen(kw_only=True)
class Offer:
    """One SKU of one DID group. Prices are per number, USD without VAT.

    `in_stock` is the group's stock, None where the API does not say; with an NPA/NXX prefix fewer
    may fit. `service_restrictions` is plain text.
    """

    sku_id: str
    did_group_id: str
    prefix: str
    area_name: str
    number_type: str | None
    features: tuple[str, ...]
    channels: int
    setup_price: Decimal
    monthly_price: Decimal
    needs_registration: bool
    available_dids_enabled: bool
    is_metered: bool
    in_stock: int | None
    service_restrictions: str | None

    def __str__(self) -> str:
        return (
            f"{self.sku_id}: {self.area_name} {self.prefix} {self.number_type or ''} "
            f"({', '.join(self.features)}), {self.channels} channels, "
            f"{self.setup_price} setup, {self.monthly_price} monthly"
        )


@attrs.frozen(kw_only=True)
class Offers:
    """The offers of a step, cheapest month first. `groups_total` counts the DID groups that fit;
    when more fit than were read (`is_complete` is False), narrow the choice or raise the limit.
    `short` are those that fit, but have fewer numbers in stock than asked for."""

    offers: tuple[Offer, ...]
    short: tuple[Offer, ...] = ()
    groups_read: int
    groups_total: int

    @property
    def is_complete(self) -> bool:
        """Whether every DID group that fits was read."""
        return self.groups_read >= self.groups_total

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.offers)

    def __len__(self) -> int:
        return len(self.offers)

    def __getitem__(self, index: int) -> Offer:
        return self.offers[index]


@attrs.frozen(kw_only=True)
class Quote:
    """What an order will cost: USD without VAT; the charged amount includes VAT.

    `total` is what is due at once: setup and first month of all numbers. `balance` is the
    account's total balance when the quote was made.
    """

    sku_id: str
    quantity: int
    allow_back_ordering: bool
    setup_price: Decimal
    monthly_price: Decimal
    total: Decimal
    balance: Decimal
    needs_registration: bool
    service_restrictions: str | None
    made_at: dt.datetime
    note: str = "USD without VAT; DIDWW adds VAT where it applies"

    def check(self, limits: Limits) -> None:
        """Raise PriceOverLimit when a price is over its limit."""
        check_limits([(self.setup_price, self.monthly_price, self.quantity)], limits=limits)

    @property
    def monthly_total(self) -> Decimal:
        """The monthly price of all numbers."""
        return self.monthly_price * self.quantity

    @property
    def balance_is_enough(self) -> bool:
        """Whether the balance covers `total` (VAT may still come on top)."""
        return self.balance >= self.total


def offers_from(
    groups: Iterable[DidGroup],
    *,
    features: Sequence[str] = (),
    needs_registration: bool | None = None,
) -> tuple[Offer, ...]:
    """The offers of the groups that fit, cheapest month first, then setup, then SKU id.

    A SKU whose price can't be read is no offer.
    """
    found = [
        offer
        for group in groups
        for sku in group.stock_keeping_units or ()
        if (offer := _offer(group, sku)) is not None
        if set(features) <= set(offer.features)
        if needs_registration is None or offer.needs_registration is needs_registration
    ]
    return tuple(
        sorted(found, key=lambda offer: (offer.monthly_price, offer.setup_price, offer.sku_id))
    )


def has_stock(offer: Offer, quantity: int) -> bool:
    """Whether the offer may have so many numbers in stock; yes where the API does not say."""
    return offer.in_stock is None or offer.in_stock >= quantity


def _offer(group: DidGroup, sku: StockKeepingUnit) -> Offer | None:
    if not isinstance(sku.setup_price, Decimal) or not isinstance(sku.monthly_price, Decimal):
        return None
    if sku.setup_price < 0 or sku.monthly_price < 0:
        return None
    meta = group.meta
    count = meta.total_count
    return Offer(
        sku_id=sku.id,
        did_group_id=group.id,
        prefix=group.prefix or "",
        area_name=group.area_name or "",
        number_type=(kind.name or None) if (kind := number_type_of(group)) else None,
        features=tuple(str(feature) for feature in group.features or ()),
        channels=sku.channels_included_count or 0,
        setup_price=sku.setup_price,
        monthly_price=sku.monthly_price,
        needs_registration=bool(meta.needs_registration),
        available_dids_enabled=bool(meta.available_dids_enabled),
        is_metered=bool(group.is_metered),
        in_stock=count if isinstance(count, int) else None,
        service_restrictions=plain_text(group.service_restrictions or "") or None,
    )


def choose(
    offers: Offers,
    *,
    sku_id: str | None,
    channels: int | None,
    prefer: Literal["cheapest"] | None,
) -> Offer:
    """Pick the one offer that fits.

    Raises NoMatch with all offers, Ambiguous with those that fit unless `prefer` decides,
    OutOfStock when only offers with too few in stock fit.
    """

    if prefer not in {None, "cheapest"}:
        raise InvalidInput(f"prefer is 'cheapest' or None, not {prefer!r}")

    def fits(offer: Offer) -> bool:
        return sku_id in {None, offer.sku_id} and channels in {None, offer.channels}

    fitting = [offer for offer in offers.offers if fits(offer)]
    asked = ", ".join(
        f"{name} {found}"
        for name, found in (("SKU", sku_id), ("channels", channels))
        if found is not None
    )
    if not fitting and (short := [offer.in_stock or 0 for offer in offers.short if fits(offer)]):
        raise OutOfStock(f"only {max(short)} numbers are in stock", available=max(short))
    if not fitting:
        listed = [str(offer) for offer in offers.offers]
        raise NoMatch(f"no offer fits {asked or 'this choice'}", candidates=listed)
    if len(fitting) > 1 and prefer is None:
        what = f"{len(fitting)} offers fit {asked}".rstrip()
        raise Ambiguous(what, candidates=[*map(str, fitting)])
    return fitting[0]


def quote(
    offer: Offer,
    *,
    quantity: int,
    allow_back_ordering: bool,
    balance: Decimal,
    made_at: dt.datetime,
) -> Quote:
    """Add up what `quantity` numbers of an offer cost."""
    return Quote(
        sku_id=offer.sku_id,
        quantity=quantity,
        allow_back_ordering=allow_back_ordering,
        setup_price=offer.setup_price,
        monthly_price=offer.monthly_price,
        total=(offer.setup_price + offer.monthly_price) * quantity,
        balance=balance,
        needs_registration=offer.needs_registration,
        service_restrictions=offer.service_restrictions,
        made_at=made_at,
    )


def check_limits(items: Sequence[tuple[Decimal, Decimal, int]], *, limits: Limits) -> None:
    """Raise PriceOverLimit when a price is over its limit.

    `items`: of each its setup and monthly price per number, and its quantity.
    """
    for name, allowed, price in (
        ("max_setup", limits.max_setup, max(setup for setup, _, _ in items)),
        ("max_monthly", limits.max_monthly, max(monthly for _, monthly, _ in items)),
        (
            "max_total",
            limits.max_total,
            sum(((setup + monthly) * count for setup, monthly, count in items), start=Decimal(0)),
        ),
    ):
        if allowed is not None and price > allowed:
            raise PriceOverLimit(name, allowed=allowed, price=price)


def check_features(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of features. Raises InvalidInput unless they are a list or tuple of texts: a
    generator would be empty the second time, a set has another order in every process."""
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"features is a list or tuple of names, not {names!r}")
    return tuple(str(name) for name in names)


def check_quantity(quantity: int) -> int:
    """Return the quantity. Raises InvalidInput unless it is a whole number from 1 to 1000."""
    if isinstance(quantity, bool) or not isinstance(quantity, int):
        raise InvalidInput(f"quantity is a whole number, not {quantity!r}")
    if not 1 <= quantity <= MAX_QUANTITY:
        raise InvalidInput(
            f"quantity is 1 to {MAX_QUANTITY}, not {quantity}; place several orders for more"
        )
    return quantity


def plain_text(markup: str) -> str:
    """HTML -> the text a terminal can show; links keep their address in parentheses."""
    reader = _Text()
    reader.feed(markup)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line)


class _Text(html.parser.HTMLParser):
    BREAKS = frozenset({"br", "p", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4"})
    HIDDEN = frozenset({"script", "style"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.HIDDEN:
            self._hidden += 1
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        elif tag in self.BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._links:
            if address := self._links.pop():
                self.parts.append(f" ({_harmless(address)})")
        elif tag in self.BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(_harmless(data))


def _harmless(text: str) -> str:
    """A terminal must not obey what a web page says."""
    return "".join(c if c.isprintable() or c.isspace() else " " for c in text)

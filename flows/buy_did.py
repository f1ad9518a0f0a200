"""BuyDidFlow: buying numbers step by step, from the country to the numbers.

    flow = BuyDidFlow(client)
    await flow.choose_country("US")
    await flow.choose_region("New York")
    await flow.choose_nanpa_prefix(npa="212")
    await flow.choose_offer(channels=2)
    await flow.quote(quantity=1)
    await flow.order(max_total=Decimal("10"))
    result = await flow.wait(timeout=60)

Source: seed document 000, "Buy Available DID Number(s)".
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, Self

import attrs

from didww_async import Client, InvalidInput
from flows import offers as pricing
from flows import snapshot
from flows.choices import (
    Chosen,
    CityChoice,
    CountryChoice,
    Filters,
    NanpaPrefixChoice,
    NumberTypeChoice,
    RegionChoice,
    check_npa,
    check_nxx,
)
from flows.completion import Canceled, PurchaseResult, cancel_order, wait_for_order
from flows.coverage import Coverage
from flows.errors import (
    InvalidFlowData,
    LineChanged,
    OrderRefused,
    OutOfStock,
    PurchaseExpired,
    StepNotPossible,
)
from flows.journal import MemoryJournal, PurchaseJournal
from flows.journal.record import (
    NOT_BOUGHT,
    Limits,
    OrderRequest,
    Purchase,
    State,
    check_back_ordering,
    check_reference,
)
from flows.offers import Offer, Offers, Quote
from flows.ordering import Ordering
from flows.prices import Prices
from flows.rules import OrderRules, check_timeout
from flows.snapshot import Criteria, Snapshot
from flows.states import SavedIds, check, dropped_by, possible_steps

__all__ = ["BuyDidFlow", "new_reference"]

GROUPS_READ = 100
ALL_GROUPS = 100_000


def new_reference() -> str:
    """A reference nobody else has."""
    return f"buy-{uuid.uuid4()}"


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class BuyDidFlow:
    """One purchase of numbers. Every step is awaited and returns the saved ids for the next one.

    Choosing again at an earlier step drops what hung on it. A step out of order raises
    StepNotPossible, naming the steps that are possible. Costs in requests are stated per step,
    for an empty cache; reference data is cached per client for some minutes.
    """

    def __init__(
        self,
        client: Client,
        *,
        journal: PurchaseJournal | None = None,
        reference: str | None = None,
        rules: OrderRules | None = None,
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> None:
        """Begin a purchase; nothing is sent.

        `journal`: guards against buying twice; by default one in memory per client. `reference`:
        1 to 100 of A-Z a-z 0-9 . _ : - that identifies the purchase for ever; by default a new
        one. `rules`: the times of the order protocol. Raises InvalidInput for a bad reference.
        """
        self._client = client
        self._journal = journal if journal is not None else _journal_of(client)
        self._rules = rules or OrderRules()
        self._clock = clock
        self._coverage = Coverage(client)
        self._prices = Prices(client)
        self._ordering = Ordering(client, self._journal, rules=self._rules)
        self._born_here = reference is None
        self._listed: tuple[Snapshot, Offers] | None = None
        self._now = Snapshot(
            reference=new_reference() if reference is None else check_reference(reference),
            origin=client.origin,
            account=client.account,
        )

    # -- where the flow stands

    @property
    def reference(self) -> str:
        """The purchase reference: at most one order ever exists under it."""
        return self._now.reference

    @property
    def ids(self) -> SavedIds:
        """The ids saved so far."""
        now = self._now
        return SavedIds(
            country_id=now.country.id if now.country else None,
            number_type_id=now.number_type.id if now.number_type else None,
            region_id=now.region.id if now.region else None,
            city_id=now.city.id if now.city else None,
            nanpa_prefix_id=now.nanpa_prefix.id if now.nanpa_prefix else None,
            did_group_id=now.offer.did_group_id if now.offer else None,
            sku_id=now.offer.sku_id if now.offer else None,
            order_id=now.order_id,
        )

    @property
    def chosen(self) -> Snapshot:
        """Everything chosen so far."""
        return self._now

    @property
    def possible(self) -> list[str]:
        """The steps that can be taken now."""
        return possible_steps(self._there(), ordering=self._now.ordering)

    async def purchase(self) -> Purchase | None:
        """What the journal knows of this purchase; None before `order`. Sends nothing."""
        return await self._journal.read(self._ordering.key(self.reference))

    def to_dict(self) -> dict[str, Any]:
        """The flow as plain JSON, for a web session or another process. It holds no key.

        Keep it where its user can't change it (a server-side or signed session): what it says was
        chosen is what will be bought.
        """
        return snapshot.dump(self._now)

    @classmethod
    def from_dict(
        cls,
        client: Client,
        data: Mapping[str, Any],
        *,
        journal: PurchaseJournal | None = None,
        rules: OrderRules | None = None,
        clock: Callable[[], dt.datetime] = _utc_now,
    ) -> Self:
        """Carry on a flow that `to_dict` saved; nothing is sent.

        Raises InvalidFlowData when the data was changed, or belongs to another API or account.
        """
        loaded = snapshot.load(data, now=clock())
        if (loaded.origin, loaded.account) != (client.origin, client.account):
            raise InvalidFlowData(
                f"the flow belongs to {loaded.origin} (account {loaded.account!r}), this client to "
                f"{client.origin} (account {client.account!r})"
            )
        flow = cls(client, journal=journal, reference=loaded.reference, rules=rules, clock=clock)
        flow._now = loaded
        return flow

    def new_purchase(self) -> str:
        """Begin another purchase with the same choices under a new reference, and return it."""
        self._born_here = True
        self._change(reference=new_reference(), ordering=False, order_id=None, quote=None)
        return self.reference

    # -- country

    async def countries(self) -> tuple[CountryChoice, ...]:
        """Countries with numbers on sale, by name: 1 request."""
        return await self._coverage.countries()

    async def choose_country(self, which: str) -> Chosen[CountryChoice]:
        """Choose a country by ISO code, name or id: 1 request. Raises NoMatch."""
        self._check("choose_country")
        then = self._now
        country = await self._coverage.country(which)
        return self._choose("choose_country", "country", country, then=then)

    # -- filters

    async def filters(self) -> Filters:
        """The filters that fit the country: 3 requests, 4 for dialling code 1, and 1 per number
        type when more than 100 DID groups fit."""
        return await self._coverage.filters(self._country("filters"))

    async def number_types(self) -> tuple[NumberTypeChoice, ...]:
        """Number types the country has in stock: 1 request, more as for `filters`."""
        return await self._coverage.number_types(self._country("number_types"))

    async def choose_number_type(self, which: str) -> Chosen[NumberTypeChoice]:
        """Choose a number type by name ("Local", "toll-free") or id: 1 request. Raises NoMatch."""
        self._check("choose_number_type")
        then = self._now
        kind = await self._coverage.number_type(which)
        return self._choose("choose_number_type", "number_type", kind, then=then)

    async def regions(self) -> tuple[RegionChoice, ...]:
        """Regions of the country by name, () where it has none: 1 request."""
        return await self._coverage.regions(self._country("regions"))

    async def choose_region(self, which: str) -> Chosen[RegionChoice]:
        """Choose a region by name, ISO code or id: 1 request. Raises NoMatch, Ambiguous."""
        self._check("choose_region")
        then = self._now
        region = await self._coverage.region(self._country("choose_region"), which)
        return self._choose("choose_region", "region", region, then=then)

    async def cities(self) -> tuple[CityChoice, ...]:
        """Cities of the country, or region, by name: 1 request per 1,000."""
        return await self._coverage.cities(self._country("cities"), self._now.region)

    async def choose_city(self, which: str) -> Chosen[CityChoice]:
        """Choose a city by name or id: 1 request. Raises NoMatch, Ambiguous (choose a region)."""
        self._check("choose_city")
        then = self._now
        country = self._country("choose_city")
        city = await self._coverage.city(country, self._now.region, which)
        return self._choose("choose_city", "city", city, then=then)

    async def nanpa_prefixes(self, *, npa: str | None = None) -> tuple[NanpaPrefixChoice, ...]:
        """NANPA prefixes on sale in the country or region, of one NPA: 1 request per 100."""
        country = await self._prefix_country("nanpa_prefixes")
        npa = None if npa is None else check_npa(npa)
        return await self._coverage.nanpa_prefixes(country, self._now.region, npa=npa)

    async def choose_nanpa_prefix(
        self, *, npa: str | None = None, nxx: str | None = None, id: str | None = None
    ) -> Chosen[NanpaPrefixChoice]:
        """Choose by NPA (its first prefix on sale), NPA and NXX, or id: 1 request.

        Where the country has regions, choose one first. Raises NoMatch, InvalidInput for what is
        no NPA or NXX, StepNotPossible when the region is missing.
        """
        self._check("choose_nanpa_prefix")
        then = self._now
        if (npa is None) == (id is None) or (nxx is not None and npa is None):
            raise InvalidInput("give npa, npa and nxx, or id")
        npa = None if npa is None else check_npa(npa)
        nxx = None if nxx is None else check_nxx(nxx)
        country = await self._prefix_country("choose_nanpa_prefix")
        region = self._now.region
        if npa is not None:
            prefix = await self._coverage.nanpa_prefix(country, region, npa=npa, nxx=nxx)
        else:
            prefix = await self._coverage.nanpa_prefix_by_id(country, region, id or "")
        return self._choose("choose_nanpa_prefix", "nanpa_prefix", prefix, then=then)

    # -- offers

    async def offers(
        self,
        *,
        quantity: int = 1,
        features: Sequence[str] = (),
        needs_registration: bool | None = None,
        allow_back_ordering: bool = False,
        limit: int = GROUPS_READ,
    ) -> Offers:
        """Read the offers under all filters chosen: 1 request per 100 DID groups up to `limit`.

        `quantity`: 1 to 1000, enough in stock unless back-ordering. `features`: all of them.
        """
        self._check("offers")
        criteria = Criteria(
            quantity=pricing.check_quantity(quantity),
            features=pricing.check_features(features),
            needs_registration=needs_registration,
            allow_back_ordering=allow_back_ordering,
        )
        self._change(criteria=criteria)
        return await self._read_offers(limit)

    async def choose_offer(
        self,
        *,
        sku_id: str | None = None,
        channels: int | None = None,
        prefer: Literal["cheapest"] | None = None,
    ) -> Chosen[Offer]:
        """Choose an offer by SKU id or included channels: 0 requests after a complete `offers`,
        else 1 per 100 DID groups.

        When several fit, `prefer="cheapest"` decides (cheapest month, then setup). Raises
        Ambiguous with those that fit, NoMatch with all there are, OutOfStock.
        """
        self._check("choose_offer")
        then = self._now
        offers = self._listed[1] if self._listed and self._listed[0] == self._place() else None
        if offers is None or not offers.is_complete:
            # Whether a choice is the only one, or the cheapest, shows in the whole list only.
            offers = await self._read_offers(ALL_GROUPS)
        offer = pricing.choose(offers, sku_id=sku_id, channels=channels, prefer=prefer)
        return self._choose("choose_offer", "offer", offer, then=then)

    async def quote(
        self, *, quantity: int | None = None, allow_back_ordering: bool | None = None
    ) -> Quote:
        """What the chosen offer costs, and whether the balance covers it: 1 request.

        Both arguments default to what `offers` was asked for. Raises OutOfStock when fewer are in
        stock than `quantity` and it is no back order.
        """
        self._check("quote")
        then = self._now
        criteria = self._now.criteria
        asked = pricing.check_quantity(criteria.quantity if quantity is None else quantity)
        back = criteria.allow_back_ordering
        if allow_back_ordering is not None:
            back = check_back_ordering(allow_back_ordering)
        offer = self._offer()
        if not back and offer.in_stock is not None and offer.in_stock < asked:
            raise OutOfStock(
                f"{offer.in_stock} numbers are in stock, {asked} were asked for",
                available=offer.in_stock,
            )
        quote = pricing.quote(
            offer,
            quantity=asked,
            allow_back_ordering=back,
            balance=await self._prices.balance(),
            made_at=self._clock(),
        )
        self._choose("quote", "quote", quote, then=then)
        return quote

    # -- the order

    async def order(
        self,
        *,
        max_setup: Decimal | None = None,
        max_monthly: Decimal | None = None,
        max_total: Decimal | None = None,
        asked: str | None = None,
    ) -> Purchase:
        """Place the order, or report the one that exists under this reference: 1 request, and 1
        look-up for a flow that was loaded or given its reference.

        Limits are USD without VAT: `max_setup` and `max_monthly` per number, `max_total` for
        all of it. `asked`: `PurchaseRequest.fingerprint`, kept for when the reference is used
        again. Returns the journal's record with its order id and charged amount (with VAT).

        Raises, with nothing sent: PriceOverLimit, OfferChanged, BalanceTooLow, StepNotPossible,
        ReferenceMismatch, LineChanged (it is a batch's line). With nothing bought: OutOfStock,
        OrderRefused, PurchaseExpired, and the client's errors that prove it (calling again is
        safe). OrderOutcomeUnknown: it may be bought; calling again looks for it. OrderNotRecorded:
        it is bought, the journal is away; calling again finds it. JournalError: nothing is proven,
        call again. ReferenceTaken, DuplicateOrders: look at the account.
        """
        self._check("order")
        then = self._now
        quote, offer = self._quote(), self._offer()
        limits = Limits(max_setup=max_setup, max_monthly=max_monthly, max_total=max_total)
        known = await self.purchase()
        if known is None or known.state in NOT_BOUGHT:
            quote.check(limits)
            if self._clock() - quote.made_at > dt.timedelta(seconds=self._rules.quote_age):
                await self._prices.check_unchanged(offer)
            await self._prices.check_balance(quote)
        self._unchanged("order", then)
        self._change(ordering=True)
        try:
            purchase = await self._ordering.place(
                _request_of(then),
                reference=then.reference,
                # The price that was confirmed is the limit of whoever has to resume this.
                limits=Limits(
                    max_setup=quote.setup_price,
                    max_monthly=quote.monthly_price,
                    max_total=quote.total,
                ),
                born_here=self._born_here,
                asked=asked,
            )
        except (LineChanged, OutOfStock, OrderRefused, PurchaseExpired):
            if self.reference == then.reference:
                self._change(ordering=False)  # surely not bought: all choices are open again
            raise
        if self.reference == then.reference:
            self._change(order_id=purchase.order_id)
        return purchase

    async def wait(self, *, timeout: float = 60.0) -> PurchaseResult:
        """Wait up to `timeout` seconds for the order, then read its numbers.

        Returns Completed with the numbers (and a shortfall if some are missing), Canceled, or
        Pending: then wait again later, also after `from_dict`. 1 request per look.
        """
        purchase = await self._placed("wait")
        return await wait_for_order(
            self._client, self._journal, purchase, rules=self._rules, timeout=timeout
        )

    async def carry_on(self, *, timeout: float = 60.0) -> PurchaseResult:
        """Take the purchase that the journal knows by this reference as far as it goes, and wait.

        For a reference ordered before, when the choices are not at hand. Returns as `wait`,
        raises as `order`; StepNotPossible when the journal does not know the reference.
        """
        check_timeout(timeout)
        known = await self.purchase()
        if known is None:
            why = f"the journal has no purchase {self.reference}"
            raise StepNotPossible("carry_on", why=why, possible=self.possible)
        purchase = await self._ordering.carry_on(known)
        return await wait_for_order(
            self._client, self._journal, purchase, rules=self._rules, timeout=timeout
        )

    async def cancel(self) -> Canceled:
        """Cancel the order while it is pending: 2 requests. Raises CancelRefused otherwise."""
        return await cancel_order(self._client, self._journal, await self._placed("cancel"))

    # -- inside

    def _there(self) -> set[str]:
        found = {
            field.name
            for field in attrs.fields(Snapshot)
            if getattr(self._now, field.name) is not None
        }
        return found | {"order"} if self._now.order_id else found

    def _check(self, step: str) -> None:
        check(step, self._there(), ordering=self._now.ordering)

    def _change(self, **changes: Any) -> None:
        self._now = attrs.evolve(self._now, **changes)

    def _choose(self, step: str, name: str, choice: Any, *, then: Snapshot) -> Chosen[Any]:
        self._unchanged(step, then)
        self._check(step)
        self._change(**dict.fromkeys(dropped_by(step)), **{name: choice})
        return Chosen(ids=self.ids, chosen=choice)

    def _unchanged(self, step: str, then: Snapshot) -> None:
        """Raise StepNotPossible if another task changed the flow while this one was waiting."""
        if attrs.evolve(self._now, ordering=then.ordering) != then:
            why = "another task changed the flow meanwhile; look at it and take the step again"
            raise StepNotPossible(step, why=why, possible=self.possible)

    def _place(self) -> Snapshot:
        """What the offers depend on."""
        return attrs.evolve(self._now, offer=None, quote=None)

    def _country(self, step: str) -> CountryChoice:
        if self._now.country is None:
            raise StepNotPossible(step, why="it needs country first", possible=self.possible)
        return self._now.country

    def _offer(self) -> Offer:
        assert self._now.offer is not None  # noqa: S101 - the step's check has seen it
        return self._now.offer

    def _quote(self) -> Quote:
        assert self._now.quote is not None  # noqa: S101 - the step's check has seen it
        return self._now.quote

    async def _prefix_country(self, step: str) -> CountryChoice:
        country = self._country(step)
        if self._now.region is None and await self._coverage.regions(country):
            why = f"{country} has regions: choose one before its NANPA prefixes"
            raise StepNotPossible(step, why=why, possible=["choose_region", "choose_city"])
        return country

    async def _read_offers(self, limit: int) -> Offers:
        place, ids, kind = self._place(), self.ids, self._now.number_type
        if kind is not None:  # maybe chosen by a client of another API version, and kept as JSON
            kind = await self._coverage.number_type_here(kind)
            ids = attrs.evolve(ids, number_type_id=kind.id)
        offers = await self._prices.offers(ids, self._now.criteria, limit=limit)
        self._listed = (place, offers)
        return offers

    async def _placed(self, step: str) -> Purchase:
        self._check(step)
        known = await self.purchase()
        if known is not None and known.order_id is not None:
            return known
        return self._remembered()

    def _remembered(self) -> Purchase:
        """The purchase as the flow's own data tells it: the journal was lost with its process."""
        made_at = self._quote().made_at
        return Purchase(
            key=self._ordering.key(self.reference),
            request=_request_of(self._now),
            limits=Limits(),
            state=State.ORDERED,
            order_by=made_at,
            planned_at=made_at,
            order_id=self._now.order_id,
        )


def _request_of(chosen: Snapshot) -> OrderRequest:
    quote, offer, prefix = chosen.quote, chosen.offer, chosen.nanpa_prefix
    assert quote is not None  # noqa: S101 - the step's check has seen it
    assert offer is not None  # noqa: S101 - as above
    return OrderRequest.of_one(
        sku_id=offer.sku_id,
        did_group_id=offer.did_group_id,
        quantity=quote.quantity,
        nanpa_prefix_id=prefix.id if prefix else None,
        allow_back_ordering=quote.allow_back_ordering,
    )


def _journal_of(client: Client) -> PurchaseJournal:
    journal: PurchaseJournal = client.state.setdefault("flows.journal", MemoryJournal())
    return journal

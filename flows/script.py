"""buy(): the whole purchase in one call, for scripts; the same steps as BuyDidFlow."""

import hashlib
import json
from decimal import Decimal
from typing import Literal

import attrs

from didww_async import Client, InvalidInput
from flows.buy_did import BuyDidFlow
from flows.choices import check_npa, check_nxx
from flows.completion import PurchaseResult
from flows.errors import ReferenceMismatch
from flows.journal import Purchase, PurchaseJournal
from flows.journal.record import NOT_BOUGHT, Limits, check_back_ordering, check_reference
from flows.offers import check_features, check_quantity
from flows.rules import OrderRules, check_timeout

__all__ = ["PurchaseRequest", "buy", "check_same", "choose_all", "choose_place"]


@attrs.frozen(kw_only=True)
class PurchaseRequest:
    """What to buy. Only `country` is needed, and enough to leave one offer.

    `country`, `region`, `city`, `number_type`: names or ids (country also ISO code). `npa` and
    `nxx`: North American prefix. `sku_id`, `channels`: the offer; `prefer="cheapest"` decides
    when several fit. `features`: all of them. `quantity`: 1 to 1000. Limits are USD without VAT.
    `reference`: makes the purchase repeatable without buying twice.

    Raises InvalidInput for what can't be right.
    """

    country: str
    region: str | None = None
    city: str | None = None
    npa: str | None = None
    nxx: str | None = None
    number_type: str | None = None
    features: tuple[str, ...] = attrs.field(default=(), converter=check_features)
    needs_registration: bool | None = None
    sku_id: str | None = None
    channels: int | None = None
    prefer: Literal["cheapest"] | None = None
    quantity: int = 1
    allow_back_ordering: bool = False
    max_setup: Decimal | None = None
    max_monthly: Decimal | None = None
    max_total: Decimal | None = None
    reference: str | None = None

    def __attrs_post_init__(self) -> None:
        self._check_types()
        check_quantity(self.quantity)
        if self.npa is not None:
            check_npa(self.npa)
        if self.nxx is not None:
            check_nxx(self.nxx)
            if self.npa is None:
                raise InvalidInput("nxx needs npa: the same NXX exists under many area codes")
        if self.npa is not None and self.city is not None:
            raise InvalidInput("choose a city or an NPA, not both")
        if self.reference is not None:
            check_reference(self.reference)
        Limits(max_setup=self.max_setup, max_monthly=self.max_monthly, max_total=self.max_total)

    def _check_types(self) -> None:
        # Requests are often made from JSON or CSV, where no type checker has looked.
        for name in ("country", "region", "city", "number_type", "sku_id"):
            found: object = getattr(self, name)
            if not isinstance(found, str) and not (found is None and name != "country"):
                raise InvalidInput(f"{name} is text, not {found!r}")
        if self.prefer not in (None, "cheapest"):
            raise InvalidInput(f"prefer is 'cheapest' or None, not {self.prefer!r}")
        if self.channels is not None and type(self.channels) is not int:
            raise InvalidInput(f"channels is a whole number, not {self.channels!r}")
        check_back_ordering(self.allow_back_ordering)

    @property
    def fingerprint(self) -> str:
        """Equal for requests of the same purchase: place, offer and quantity, not limits."""
        limits_and_name = {"max_setup", "max_monthly", "max_total", "reference"}
        wanted = attrs.asdict(self, filter=lambda field, _: field.name not in limits_and_name)
        text = json.dumps(wanted, sort_keys=True, default=str).casefold()
        return hashlib.sha256(text.encode()).hexdigest()


async def buy(
    client: Client,
    request: PurchaseRequest,
    *,
    journal: PurchaseJournal | None = None,
    rules: OrderRules | None = None,
    timeout: float = 60.0,
) -> PurchaseResult:
    """Buy what is asked for and wait up to `timeout` seconds for the numbers.

    A reference that the journal knows is carried on, whatever the offers, stock and balance are
    by now. Returns Completed, Pending or Canceled; raises what the steps of BuyDidFlow raise.
    """
    check_timeout(timeout)
    flow = BuyDidFlow(client, journal=journal, reference=request.reference, rules=rules)
    known = await flow.purchase()
    if known is not None and known.state not in NOT_BOUGHT:
        check_same(request, known)
        return await flow.carry_on(timeout=timeout)
    await choose_all(flow, request)
    await flow.quote()
    await flow.order(
        max_setup=request.max_setup,
        max_monthly=request.max_monthly,
        max_total=request.max_total,
        asked=request.fingerprint,
    )
    return await flow.wait(timeout=timeout)


async def choose_all(flow: BuyDidFlow, request: PurchaseRequest) -> None:
    """Take every choosing step that the request names, offer included."""
    await choose_place(flow, request)
    await flow.offers(
        quantity=request.quantity,
        features=request.features,
        needs_registration=request.needs_registration,
        allow_back_ordering=request.allow_back_ordering,
    )
    await flow.choose_offer(sku_id=request.sku_id, channels=request.channels, prefer=request.prefer)


async def choose_place(flow: BuyDidFlow, request: PurchaseRequest) -> None:
    """Take the steps from the country to the city or prefix that the request names."""
    await flow.choose_country(request.country)
    if request.number_type is not None:
        await flow.choose_number_type(request.number_type)
    if request.region is not None:
        await flow.choose_region(request.region)
    if request.city is not None:
        await flow.choose_city(request.city)
    if request.npa is not None:
        await flow.choose_nanpa_prefix(npa=request.npa, nxx=request.nxx)


def check_same(request: PurchaseRequest, known: Purchase) -> None:
    """Raise ReferenceMismatch where the request surely is not what the reference stands for."""
    if known.asked not in {None, request.fingerprint}:
        raise ReferenceMismatch(purchase=known)
    asked = (request.quantity, request.allow_back_ordering)
    stands_for = (known.request.quantity, known.request.allow_back_ordering)
    known_skus = {item.sku_id for item in known.request.items}
    if asked != stands_for or not {request.sku_id} <= {None, *known_skus}:
        raise ReferenceMismatch(purchase=known)

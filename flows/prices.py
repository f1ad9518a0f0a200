"""Reading prices, stock and balance for the flow: always from DIDWW, never from a cache.

Source: seed document 000, step 3.
"""

import itertools
import operator
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, cast

from didww_async import Client, NotFound
from didww_async.resources import DidGroup, DidGroupFilter, DidGroupInclude
from flows.errors import BalanceTooLow, OfferChanged
from flows.journal.record import Limits, OrderRequest
from flows.number_types import NumberTypeSpelling, spelled_for
from flows.offers import Offer, Offers, Quote, check_limits, has_stock, offers_from
from flows.snapshot import Criteria
from flows.states import SavedIds

__all__ = ["Prices"]

PAGE = 100
SKUS: Final = "stock_keeping_units"


class Prices:
    """What DIDWW says now."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._spelled = spelled_for(client)
        self._with_prices: tuple[DidGroupInclude, ...] = (SKUS, *self._spelled.include)

    async def offers(self, ids: SavedIds, criteria: Criteria, *, limit: int) -> Offers:
        """The offers at a place: 1 request per 100 DID groups, up to `limit` groups."""
        groups, total = await self._groups(
            wanted_groups(ids, criteria, spelled=self._spelled), limit=limit
        )
        fitting = offers_from(
            groups, features=criteria.features, needs_registration=criteria.needs_registration
        )
        enough = [
            criteria.allow_back_ordering or has_stock(offer, criteria.quantity) for offer in fitting
        ]
        return Offers(
            offers=tuple(itertools.compress(fitting, enough)),
            short=tuple(itertools.compress(fitting, map(operator.not_, enough))),
            groups_read=len(groups),
            groups_total=total,
        )

    async def _groups(
        self, wanted: DidGroupFilter, *, limit: int
    ) -> tuple[Sequence[DidGroup], int]:
        """DID groups that fit, up to `limit`, and how many there are."""
        groups: list[DidGroup] = []
        total = 1
        for page in itertools.count(1):
            found = await self._client.did_groups.list(
                filter=wanted,
                include=self._with_prices,
                sort=("area_name", "prefix"),
                page=page,
                page_size=min(limit, PAGE),
            )
            total = len(found) if found.total_records is None else found.total_records
            groups.extend(found)
            if not found or len(groups) >= min(total, limit):
                break
        return groups, total

    async def balance(self) -> Decimal:
        """What orders are paid from: 1 request."""
        found = await self._client.balance.get()
        return found.total_balance or Decimal(0)

    async def check_balance(self, quote: Quote) -> None:
        """Raise BalanceTooLow if the balance does not cover a quote, now that it is read again.

        Costs nothing when it was enough at the time of the quote.
        """
        if quote.balance_is_enough:
            return
        balance = await self.balance()  # it may have been topped up since
        if balance < quote.total:
            raise BalanceTooLow(available=balance, needed=quote.total)

    async def check_unchanged(self, offer: Offer) -> None:
        """Read an offer again: 1 request. Raises OfferChanged when it is gone or its price is."""
        found = await self._now(did_group_id=offer.did_group_id, sku_id=offer.sku_id)
        prices = (found.setup_price, found.monthly_price)
        if prices != (offer.setup_price, offer.monthly_price):
            raise OfferChanged(
                f"SKU {offer.sku_id} costs {found.setup_price} setup and {found.monthly_price} "
                f"monthly now, it was quoted at {offer.setup_price} and {offer.monthly_price}; "
                "choose and quote again"
            )

    async def check_limits(self, request: OrderRequest, limits: Limits) -> None:
        """Read the prices of what is planned: 1 request per 100 DID groups, none without limits.

        Raises PriceOverLimit, OfferChanged when the offer is gone.
        """
        if limits == Limits():
            return
        now = await self.of_groups(request.by_group)
        for item in request.items:
            if item.sku_id not in now:
                raise OfferChanged(f"SKU {item.sku_id} is gone; choose again")
        offers = ((now[item.sku_id], item.quantity) for item in request.items)
        check_limits(
            [(offer.setup_price, offer.monthly_price, quantity) for offer, quantity in offers],
            limits=limits,
        )

    async def of_groups(self, ids: Iterable[str]) -> dict[str, Offer]:
        """The offers of these DID groups by SKU id: 1 request per 100 groups."""
        found: dict[str, Offer] = {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), PAGE):
            groups = await self._client.did_groups.list(
                filter={"id": wanted[start : start + PAGE]},
                include=self._with_prices,
                sort="prefix",
                page_size=PAGE,
            )
            found |= {offer.sku_id: offer for offer in offers_from(groups)}
        return found

    async def _now(self, *, did_group_id: str, sku_id: str) -> Offer:
        try:
            group = await self._client.did_groups.get(did_group_id, include=self._with_prices)
        except NotFound:
            raise OfferChanged(f"DID group {did_group_id} is gone; choose again") from None
        now = {found.sku_id: found for found in offers_from([group])}
        if (found := now.get(sku_id)) is None:
            raise OfferChanged(f"SKU {sku_id} is gone; choose again")
        return found


def wanted_groups(
    ids: SavedIds, criteria: Criteria, *, spelled: NumberTypeSpelling
) -> DidGroupFilter:
    """The place and criteria as a filter of DID groups (pure)."""
    wanted: dict[str, Any] = {
        "country.id": ids.country_id,
        spelled.filter: ids.number_type_id,
        "region.id": ids.region_id,
        "city.id": ids.city_id,
        "nanpa_prefix.id": ids.nanpa_prefix_id,
        "features": criteria.features or None,
        "needs_registration": criteria.needs_registration,
        "is_available": None if criteria.allow_back_ordering else True,
    }
    return cast(
        "DidGroupFilter", {key: found for key, found in wanted.items() if found is not None}
    )

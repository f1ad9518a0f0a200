"""The guided choice: what no option says is asked, and only what fits the country."""

from typing import Literal

import attrs

from flows import BuyDidFlow, Chosen, Filters, Offer
from flows.choices import NanpaPrefixChoice
from flows.cli.asking import Asking, Row
from flows.cli.choosing import choose_offer, choose_place, read_offers
from flows.cli.options import Terms, Wanted
from flows.cli.screen import Screen
from flows.cli.show import cell, money
from flows.errors import Ambiguous

__all__ = ["Guide"]

Way = Literal["city", "prefix", "anywhere"]
MOST = 1000


@attrs.frozen(kw_only=True)
class Guide:
    """Asks for what is missing and takes the flow's steps."""

    flow: BuyDidFlow
    ask: Asking
    screen: Screen

    async def choose(self, wanted: Wanted, terms: Terms) -> Wanted:
        """Choose up to the offer, and return what is wanted with the quantity."""
        country = wanted.country or await self._country()
        wanted = attrs.evolve(wanted, country=country)
        while True:
            await choose_place(self.flow, wanted)
            asked = await self._narrow(wanted)
            async with self.screen.progress("reading offers"):
                found = await read_offers(self.flow, wanted)
            if found or not asked:
                break
            self.screen.say("Nothing is on offer there; choose again.", "warning")
        if not found.is_complete:
            self.screen.say(
                f"{found.groups_read} of {found.groups_total} DID groups are listed; "
                "narrow the choice to see the others.",
                "warning",
            )
        offer = (await self._offer(found.offers, terms)).chosen
        if wanted.quantity is not None:
            return wanted
        in_stock = offer.in_stock if offer.in_stock is not None else MOST
        most = MOST if wanted.back_order else max(1, min(MOST, in_stock))
        quantity = await self.ask.whole_number("How many", most=most)
        return attrs.evolve(wanted, quantity=quantity)

    async def _country(self) -> str:
        async with self.screen.progress("reading countries"):
            found = await self.flow.countries()
        chosen = await self.ask.pick("Country", [Row(str(item), item) for item in found])
        return chosen.id

    async def _narrow(self, wanted: Wanted) -> bool:
        """Ask for number type and place; False when there was nothing to ask."""
        if wanted.city is not None or wanted.npa is not None:
            return False
        async with self.screen.progress("reading what can be chosen there"):
            filters = await self.flow.filters()
        asked = False
        if wanted.number_type is None and len(filters.number_types) > 1:
            asked = True
            await self._number_type(filters)
        if wanted.region is None and filters.regions:
            asked = True
            await self._region(filters)
        ways = self._ways(filters)
        if len(ways) > 1:
            asked = True
            await self._place(ways)
        return asked

    async def _number_type(self, filters: Filters) -> None:
        rows = [Row("Any type", ""), *(Row(kind.name, kind.id) for kind in filters.number_types)]
        if chosen := await self.ask.pick("Number type", rows):
            await self.flow.choose_number_type(chosen)

    async def _region(self, filters: Filters) -> None:
        rows = [Row("Anywhere", ""), *(Row(item.name, item.id) for item in filters.regions)]
        if chosen := await self.ask.pick("Region", rows):
            await self.flow.choose_region(chosen)

    def _ways(self, filters: Filters) -> list[Row[Way]]:
        ways: list[Row[Way]] = []
        if filters.cities:
            ways.append(Row("By city", "city"))
        # Where there are regions, a prefix is reached through one.
        if filters.nanpa_prefixes and (self.flow.ids.region_id or not filters.regions):
            ways.append(Row("By area code (NPA)", "prefix"))
        ways.append(Row("Not at all: show all offers", "anywhere"))
        return ways

    async def _place(self, ways: list[Row[Way]]) -> None:
        match await self.ask.pick("Narrow it down", ways):
            case "city":
                await self._city()
            case "prefix":
                await self._prefix()

    async def _city(self) -> None:
        async with self.screen.progress("reading cities"):
            found = await self.flow.cities()
        if not found:
            self.screen.say("There is no city with numbers on sale.", "warning")
            return
        chosen = await self.ask.pick("City", [Row(str(item), item) for item in found])
        await self.flow.choose_city(chosen.id)

    async def _prefix(self) -> None:
        async with self.screen.progress("reading prefixes"):
            found = await self.flow.nanpa_prefixes()
        if not found:
            self.screen.say("There is no prefix with numbers on sale.", "warning")
            return
        by_npa: dict[str, list[NanpaPrefixChoice]] = {}
        for prefix in found:
            by_npa.setdefault(prefix.npa, []).append(prefix)
        rows = [Row(f"{npa}  (prefixes: {len(there)})", npa) for npa, there in by_npa.items()]
        there = by_npa[await self.ask.pick("Area code (NPA)", rows)]
        chosen = there[0]
        if len(there) > 1:
            chosen = await self.ask.pick("Prefix (NPA-NXX)", [Row(str(it), it) for it in there])
        await self.flow.choose_nanpa_prefix(id=chosen.id)

    async def _offer(self, offers: tuple[Offer, ...], terms: Terms) -> Chosen[Offer]:
        if terms.names_an_offer or not offers:
            try:
                return await choose_offer(self.flow, terms)
            except Ambiguous:
                offers = tuple(
                    offer
                    for offer in offers
                    if terms.sku in {None, offer.sku_id}
                    if terms.channels in {None, offer.channels}
                )
        rows = [Row(offer_label(offer), offer) for offer in offers]
        chosen = await self.ask.pick("Offer (monthly, setup, channels)", rows)
        return await self.flow.choose_offer(sku_id=chosen.sku_id)


def offer_label(offer: Offer) -> str:
    """An offer in one line; what matters most comes first, because narrow terminals cut it."""
    stock = f"{offer.in_stock} in stock" if offer.in_stock is not None else ""
    registration = "needs registration" if offer.needs_registration else ""
    described = " ".join([offer.area_name, offer.prefix, offer.number_type or ""])
    more = "  ".join(filter(None, [stock, registration, cell(offer.features)]))
    return (
        f"{money(offer.monthly_price):>7} {money(offer.setup_price):>7} "
        f"{offer.channels:>3} ch  {cell(described)}  {more}"
    )

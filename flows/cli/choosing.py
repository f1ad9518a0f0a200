"""Taking the flow's steps as the options say; what is asked for instead is in `guided`."""

from didww_async import InvalidInput
from flows import BuyDidFlow, Chosen, Offer, Offers, script
from flows.cli.options import Terms, Wanted
from flows.errors import OutOfStock

__all__ = ["choose_offer", "choose_place", "read_offers"]

GROUPS_READ = 500  # DID groups: 5 requests at most


async def choose_place(flow: BuyDidFlow, wanted: Wanted) -> None:
    """Take every step up to the offers that an option names."""
    request = wanted.request()  # checks them together before anything is sent
    if not request.country:
        raise InvalidInput("name the country: --country US")
    await script.choose_place(flow, request)


async def read_offers(flow: BuyDidFlow, wanted: Wanted) -> Offers:
    """Read the offers at the place chosen. Raises OutOfStock when only fewer numbers are there."""
    request = wanted.request()
    found = await flow.offers(
        quantity=request.quantity,
        features=request.features,
        needs_registration=request.needs_registration,
        allow_back_ordering=request.allow_back_ordering,
        limit=GROUPS_READ,
    )
    if not found and found.short:
        most = max(offer.in_stock or 0 for offer in found.short)
        raise OutOfStock(
            f"at most {most} numbers are in stock, {request.quantity} were asked for",
            available=most,
        )
    return found


async def choose_offer(flow: BuyDidFlow, terms: Terms) -> Chosen[Offer]:
    """Choose the offer the options name. Raises NoMatch, Ambiguous."""
    return await flow.choose_offer(sku_id=terms.sku, channels=terms.channels, prefer=terms.prefer)

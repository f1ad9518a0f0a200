"""Commands that only look: each reads one listing."""

from collections.abc import Awaitable, Callable

from didww_async import Client, InvalidInput
from flows import BuyDidFlow, Offers
from flows.choices import folded
from flows.cli.choosing import choose_place, read_offers
from flows.cli.exits import NothingFound
from flows.cli.keeping import open_journal
from flows.cli.options import Journaled, Wanted
from flows.cli.show import Column, Listing, Record
from flows.journal import Purchase, PurchaseKey

__all__ = ["Reader", "balance", "cities", "countries", "offers", "order", "prefixes", "regions"]

Reader = Callable[[Client], Awaitable[Listing | Record]]
ID = Column("id", "id", spare=9)


async def countries(client: Client) -> Listing:
    """Countries with numbers on sale."""
    found = await BuyDidFlow(client).countries()
    return Listing(
        name="countries",
        columns=(
            Column("iso", "iso"),
            Column("name", "name", folds=True),
            Column("prefix", "prefix", right=True),
            ID,
        ),
        rows=tuple(
            {"id": item.id, "name": item.name, "iso": item.iso, "prefix": item.prefix}
            for item in found
        ),
    )


def regions(country: str) -> Reader:
    """Regions of a country."""

    async def read(client: Client) -> Listing:
        flow = BuyDidFlow(client)
        await flow.choose_country(country)
        return Listing(
            name="regions",
            columns=(Column("iso", "iso"), Column("name", "name", folds=True), ID),
            rows=tuple(
                {"id": item.id, "name": item.name, "iso": item.iso} for item in await flow.regions()
            ),
        )

    return read


def cities(country: str, region: str | None, name: str | None) -> Reader:
    """Cities with numbers on sale in a country or region, all or those with `name` in the name."""

    async def read(client: Client) -> Listing:
        flow = BuyDidFlow(client)
        await choose_place(flow, Wanted(country=country, region=region))
        asked = folded(name or "")
        return Listing(
            name="cities",
            columns=(
                Column("name", "name", folds=True),
                Column("region", "region", folds=True),
                ID,
            ),
            rows=tuple(
                {"id": item.id, "name": item.name, "region": item.region}
                for item in await flow.cities()
                if asked in folded(item.name)
            ),
        )

    return read


def prefixes(country: str, region: str | None, npa: str | None) -> Reader:
    """NANPA prefixes with numbers on sale."""

    async def read(client: Client) -> Listing:
        flow = BuyDidFlow(client)
        await choose_place(flow, Wanted(country=country, region=region))
        return Listing(
            name="prefixes",
            columns=(Column("npa", "npa"), Column("nxx", "nxx"), ID),
            rows=tuple(
                {"id": item.id, "npa": item.npa, "nxx": item.nxx}
                for item in await flow.nanpa_prefixes(npa=npa)
            ),
        )

    return read


def offers(wanted: Wanted) -> Reader:
    """Offers under all filters: SKUs with their prices."""

    async def read(client: Client) -> Listing:
        flow = BuyDidFlow(client)
        await choose_place(flow, wanted)
        return listing_of(await read_offers(flow, wanted))

    return read


def listing_of(found: Offers) -> Listing:
    """Offers as rows."""
    return Listing(
        name="offers",
        columns=(
            Column("monthly_price", "monthly", right=True),
            Column("setup_price", "setup", right=True),
            Column("channels", "ch", right=True),
            Column("area_name", "area", folds=True),
            Column("prefix", "prefix", spare=2),
            Column("number_type", "type", spare=3),
            Column("in_stock", "stock", right=True, spare=4),
            Column("needs_registration", "reg.", spare=5),
            Column("features", "features", spare=6, folds=True),
            Column("sku_id", "sku", spare=1),
        ),
        rows=tuple(
            {
                "sku_id": offer.sku_id,
                "did_group_id": offer.did_group_id,
                "area_name": offer.area_name,
                "prefix": offer.prefix,
                "number_type": offer.number_type,
                "features": offer.features,
                "channels": offer.channels,
                "setup_price": offer.setup_price,
                "monthly_price": offer.monthly_price,
                "needs_registration": offer.needs_registration,
                "available_dids_enabled": offer.available_dids_enabled,
                "is_metered": offer.is_metered,
                "in_stock": offer.in_stock,
                "service_restrictions": offer.service_restrictions,
            }
            for offer in found
        ),
        facts={"groups_read": found.groups_read, "groups_total": found.groups_total},
        note=None
        if found.is_complete
        else f"{found.groups_read} of {found.groups_total} DID groups are listed; "
        "narrow the choice to see the others.",
    )


def order(order_id: str | None, reference: str | None, connection: Journaled) -> Reader:
    """One order with its numbers, by its id or by the purchase's reference.

    The journal is asked for a reference that DIDWW does not know.
    """
    if (order_id is None) == (reference is None):
        raise InvalidInput("give an order id, or --reference")

    async def read(client: Client) -> Listing | Record:
        if reference is None:
            return await _order(client, order_id or "")
        page = await client.orders.list(filter={"external_reference_id": reference})
        found = [item for item in page if item.external_reference_id == reference]
        if not found:
            purchase = await _in_journal(client, reference, connection)
            if purchase is not None and purchase.order_id is not None:
                return await _order(client, purchase.order_id)
            known = f"; the journal says {purchase.state}" if purchase is not None else ""
            raise NothingFound(f"there is no order with the reference {reference!r} (yet){known}")
        if len(found) == 1:
            return await _order(client, found[0].id)
        return Listing(
            name="orders",
            columns=(
                Column("status", "status"),
                Column("created_at", "created"),
                Column("id", "id"),
            ),
            rows=tuple(
                {"id": item.id, "status": item.status, "created_at": item.created_at}
                for item in found
            ),
        )

    return read


async def _in_journal(client: Client, reference: str, connection: Journaled) -> Purchase | None:
    if connection.simulate:
        return None
    journal = open_journal(connection, create=False)
    try:
        return await journal.read(
            PurchaseKey(origin=client.origin, account=client.account, reference=reference)
        )
    finally:
        await journal.aclose()


async def _order(client: Client, order_id: str) -> Record:
    found = await client.orders.get(order_id)
    dids = [did async for did in client.dids.iterate(filter={"order.id": order_id}, sort="number")]
    return Record(
        name="order",
        fields={
            "id": found.id,
            "status": found.status,
            "numbers": tuple(did.number for did in dids),
            "amount": found.amount,
            "created_at": found.created_at,
            "reference": found.external_reference_id,
            "didww_reference": found.reference,
            "description": found.description,
        },
    )


async def balance(client: Client) -> Record:
    """The account's money."""
    found = await client.balance.get()
    return Record(
        name="balance",
        fields={
            "total_balance": found.total_balance,
            "balance": found.balance,
            "credit": found.credit,
        },
    )

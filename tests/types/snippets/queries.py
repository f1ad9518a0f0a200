"""Filters, sorts and includes are known by name, so that a misspelt one is seen while typing."""

from decimal import Decimal

from didww_async import Client
from didww_async.resources import Feature, OrderStatus


async def what_the_api_knows(client: Client) -> None:
    await client.countries.list(filter={"is_available": True, "iso": "US"}, sort="name")
    await client.countries.list(filter={"iso": ["US", "CA"]}, sort=["-name", "iso"])
    await client.cities.list(filter={"country.id": "x", "name": None}, include=("region", "area"))
    await client.did_groups.list(
        filter={"features": (Feature.VOICE_IN, "sms_in"), "nanpa_prefix.npanxx": ["212555"]},
        include="stock_keeping_units",
        sort=("country.name", "-local_prefix"),
    )
    await client.available_dids.get("id", include="did_group.stock_keeping_units")
    await client.orders.list(filter={"status": OrderStatus.PENDING, "reference": "R"})
    await client.dids.first(filter={"order.id": "x"}, sort="-created_at", include="did_group")
    async for prefix in client.nanpa_prefixes.iterate(filter={"region.id": "x"}):
        prefix.npa.isdigit()


async def what_it_does_not(client: Client) -> None:
    await client.countries.list(filter={"isoo": "US"})  # E: expected "CountryFilter
    await client.countries.list(filter={"is_available": "yes"})  # E: expected "CountryFilter
    await client.countries.list(filter={"name": 1.5})  # E: incompatible type
    await client.did_groups.list(filter={"city_id": "x"})  # E: expected "DidGroupFilter
    await client.orders.list(filter={"amount": Decimal(1)})  # E: expected "OrderFilter
    await client.countries.list(sort="names")  # E: incompatible type
    await client.cities.list(sort="-prefix")  # E: incompatible type
    await client.countries.list(include="cities")  # E: incompatible type
    await client.available_dids.get("id", include="skus")  # E: incompatible type
    await client.orders.list(include="dids")  # E: incompatible type
    await client.countries.first(filter={"isoo": "US"})  # E: expected "CountryFilter
    client.cities.iterate(sort="naem")  # E: incompatible type
    await client.countries.list({"iso": "US"})  # E: Too many positional arguments

"""Attributes have the types that are documented."""

from datetime import datetime
from decimal import Decimal
from typing import assert_type

from didww_async import ApiError, Client, Page, RateLimit, RetryPolicy, Timeouts
from didww_async.resources import (
    AvailableDid,
    City,
    Country,
    DidGroup,
    DidGroupType,
    Feature,
    NanpaPrefix,
    Order,
    OrderStatus,
    Region,
    StockKeepingUnit,
)


async def reading(client: Client) -> None:
    page = await client.countries.list()
    assert_type(page, Page[Country])
    assert_type(page[0], Country)
    assert_type(page[:2], tuple[Country, ...])
    assert_type(page.total_records, int | None)
    assert_type(await client.cities.first(), City | None)
    assert_type(await client.available_dids.get("id"), AvailableDid)
    assert_type([group async for group in client.did_groups.iterate()], list[DidGroup])
    assert_type((await client.balance.get()).total_balance, Decimal)


def resources(country: Country, city: City, group: DidGroup, order: Order) -> None:
    assert_type(country.name, str)
    assert_type(country.prefix, str | None)
    assert_type(country.regions, tuple[Region, ...])
    assert_type(city.region, Region | None)
    assert_type(group.features, tuple[Feature, ...])
    assert_type(group.stock_keeping_units, tuple[StockKeepingUnit, ...])
    assert_type(group.stock_keeping_units[0].setup_price, Decimal)
    assert_type(group.meta.total_count, int)
    assert_type(group.did_group_type, DidGroupType | None)
    assert_type(order.amount, Decimal)
    assert_type(order.status, OrderStatus)
    assert_type(order.created_at, datetime)
    assert_type(order.external_reference_id, str | None)


def wrong(country: Country, prefix: NanpaPrefix, order: Order) -> None:
    country.population  # E: has no attribute "population"  # noqa: B018
    country.name = "Elsewhere"  # E: is read-only
    prefix.nxx + 1  # E: Unsupported operand types
    order.amount + 1.5  # E: Unsupported operand types
    order.numbers  # E: has no attribute "numbers"  # noqa: B018


def making(error: ApiError) -> None:
    Client(api_key="k", environment="sandbox", rate_limit=RateLimit(10))
    Client(api_key="k", environment="staging")  # E: incompatible type
    Client("k")  # E: Too many positional arguments
    Client(environment="sandbox")  # E: Missing named argument "api_key"
    Client(api_key="k", environment="sandbox", timeout=5)  # E: Unexpected keyword argument
    Client(api_key="k", environment="sandbox", timeouts=Timeouts(read=5), retry=RetryPolicy.none())
    assert_type(error.status, int)
    assert_type(error.code, str | None)
    assert_type(error.retry_after, float | None)

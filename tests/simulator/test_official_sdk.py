"""DIDWW's own Python SDK buys from the simulator: what it can read is what the real API sends."""

import asyncio
import time

import pytest
import requests
from didww.client import DidwwClient
from didww.enums import OrderStatus
from didww.exceptions import DidwwApiError
from didww.query_params import QueryParams
from didww.resources.did_reservation import DidReservation
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem

from didww_async.simulator import Simulator

SELECT_GROUP_ID = "916c8f4d-2108-4d79-853b-7c545ee83f8c"


def bought(client, item, reference):
    """Place an order and wait until it is completed."""
    order = Order()
    order.items = [item]
    order.allow_back_ordering = False
    order.external_reference_id = reference
    placed = client.orders().create(order).data
    assert placed.status == OrderStatus.PENDING
    for _ in range(100):
        found = client.orders().find(placed.id).data
        if found.is_completed:
            return found
        time.sleep(0.02)
    raise AssertionError("the order did not complete")


def buy_in_new_york(client):
    """Go the documented way: country, city, DID groups with SKUs, order, numbers."""
    [country] = client.countries().list(QueryParams().filter("iso", "US")).data
    cities = QueryParams().filter("country.id", country.id).filter("name", "New York")
    [city] = client.cities().list(cities).data
    query = QueryParams().filter("city.id", city.id).include("stock_keeping_units", "country")
    groups = client.did_groups().list(query).data
    group = next(group for group in groups if group.id == SELECT_GROUP_ID)
    assert group.country.iso == "US"
    cheapest = min(group.stock_keeping_units, key=lambda sku: float(sku.monthly_price))
    item = DidOrderItem()
    item.sku_id, item.qty = cheapest.id, 2
    order = bought(client, item, "sdk-1")
    assert order.items[0].mrc == "0.09"
    numbers = client.dids().list(QueryParams().filter("order.id", order.id).include("order")).data
    assert {number.order.reference for number in numbers} == {order.reference}
    return [number.number for number in numbers]


def buy_a_reserved_number(client):
    query = QueryParams().filter("did_group.id", SELECT_GROUP_ID)
    available = client.available_dids().list(query.include("did_group.stock_keeping_units")).data[0]
    reservation = DidReservation()
    reservation.description = "held"
    reservation.available_did = available
    held = client.did_reservations().create(reservation).data
    item = ReservationDidOrderItem()
    item.sku_id = available.did_group.stock_keeping_units[0].id
    item.did_reservation_id = held.id
    order = bought(client, item, "sdk-2")
    [did] = client.dids().list(QueryParams().filter("order.id", order.id)).data
    return available.number, did.number


def with_client(sim, work):
    with requests.Session() as session:
        client = DidwwClient(sim.api_key, base_url=sim.base_url, session=session)
        try:
            return work(client)
        finally:
            client._session.close()


async def test_a_purchase():
    async with Simulator(rate_limit=None, completes_after=0.05) as sim:
        numbers = await asyncio.to_thread(with_client, sim, buy_in_new_york)
        assert len(set(numbers)) == 2
        assert all(number.startswith("1212") for number in numbers)
        assert sim.orders[0].external_reference_id == "sdk-1"


async def test_a_purchase_of_a_reserved_number():
    async with Simulator(rate_limit=None, completes_after=0.05) as sim:
        reserved, delivered = await asyncio.to_thread(with_client, sim, buy_a_reserved_number)
        assert reserved == delivered


async def test_errors_are_read():
    def order_too_much(client):
        item = DidOrderItem()
        item.sku_id, item.qty = "af589936-3e8d-498c-b127-8054ef026dfa", 500
        return bought(client, item, "sdk-3")

    async with Simulator(rate_limit=None) as sim:
        with pytest.raises(DidwwApiError) as caught:
            await asyncio.to_thread(with_client, sim, order_too_much)
        assert caught.value.status_code == 422


async def test_the_balance_and_the_types():
    def look(client):
        return client.balance().find().data, client.did_group_types().list().data

    async with Simulator(rate_limit=None) as sim:
        balance, types = await asyncio.to_thread(with_client, sim, look)
        assert balance.total_balance == "1000.00"
        assert "Local" in {type_.name for type_ in types}

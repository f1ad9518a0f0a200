"""A collection has the operations that the API has, and no others."""

from didww_async import Client
from didww_async.resources import (
    DidOrderItem,
    DidReservationCreate,
    DidUpdate,
    OrderCreate,
    OrderUpdate,
)

ITEM = DidOrderItem(sku_id="s")


async def what_the_api_has(client: Client) -> None:
    await client.countries.list()
    await client.countries.get("id")
    await client.orders.create(OrderCreate(items=(ITEM,)))
    await client.orders.update("id", OrderUpdate(external_reference_id="x"))
    await client.orders.delete("id")
    await client.did_reservations.create(DidReservationCreate(available_did="id"))
    await client.did_reservations.delete("id")
    await client.dids.update("id", DidUpdate(terminated=True))
    await client.balance.get()


async def what_it_has_not(client: Client) -> None:
    await client.countries.create(None)  # E: has no attribute "create"
    await client.cities.delete("id")  # E: has no attribute "delete"
    await client.did_groups.update("id", None)  # E: has no attribute "update"
    await client.available_dids.create(None)  # E: has no attribute "create"
    await client.did_reservations.update("id", None)  # E: has no attribute "update"
    await client.dids.create(None)  # E: has no attribute "create"
    await client.dids.delete("id")  # E: has no attribute "delete"
    await client.balance.list()  # E: has no attribute "list"
    await client.stock_keeping_units.list()  # E: has no attribute "stock_keeping_units"
    await client.countries.prepare(None)  # E: has no attribute "prepare"


async def what_does_not_fit(client: Client) -> None:
    await client.orders.create(DidUpdate())  # E: incompatible type "DidUpdate"
    await client.orders.update("id", DidUpdate())  # E: incompatible type "DidUpdate"
    await client.countries.get(5)  # E: incompatible type "int"
    OrderCreate(items=())
    OrderCreate()  # E: Missing named argument "items"
    OrderCreate(items=(ITEM,), qty=1)  # E: Unexpected keyword argument "qty"
    OrderCreate(items=(ITEM,), callback_method="put")  # E: incompatible type
    DidOrderItem("s")  # E: Too many positional arguments
    DidOrderItem(sku_id="s", qty="1")  # E: incompatible type "str"
    DidOrderItem(sku_id="s", available_did_id="a")  # E: Unexpected keyword argument
    DidUpdate(description=None, capacity_limit=5)
    DidUpdate(number="1")  # E: Unexpected keyword argument "number"


async def an_order_in_two_steps(client: Client) -> str:
    async with client.orders.prepare(OrderCreate(items=(ITEM,))) as prepared:
        placed = await prepared.send()
    return placed.id

"""Channels: bought for a pool, shared by the numbers of a group."""

import asyncio

from didww_async import Client
from didww_async.resources import (
    CapacityOrderItem,
    DidUpdate,
    OrderCreate,
    SharedCapacityGroupCreate,
)
from flows import Completed, PurchaseRequest, buy


async def main() -> None:
    async with Client.from_env() as client:
        bought = await buy(client, PurchaseRequest(country="GB", city="London", channels=0))
        assert isinstance(bought, Completed)

        # A pool serves the numbers of its countries.
        country = await client.countries.first(filter={"iso": "GB"})
        pools = client.capacity_pools.iterate(include=["countries"])
        pool = await anext(
            pool
            async for pool in pools
            if country is not None and country.id in {it.id for it in pool.countries}
        )
        order = await client.orders.create(
            OrderCreate(
                items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=5)],
                allow_back_ordering=False,
            )
        )
        while order.status == "pending":
            await asyncio.sleep(1)
            order = await client.orders.get(order.id)
        group = await client.shared_capacity_groups.create(
            SharedCapacityGroupCreate(name="office", capacity_pool=pool.id, shared_channels_count=5)
        )
        did = await client.dids.update(
            bought.dids[0].id,
            DidUpdate(capacity_pool=pool.id, shared_capacity_group=group.id, capacity_limit=3),
        )
        print(did.number, "takes", did.capacity_limit, "calls at once, from", group.name)


asyncio.run(main())

"""From an order of channels to numbers that share them."""

from decimal import Decimal

import pytest
from simulator.kit import BRITAIN, SKU_0, SKU_LONDON, SKU_MOBILE, US, running
from simulator.papers import bought, create, delete, read, to, update

COUNT = "/data/attributes/total_channels_count"
SHARED = "/data/attributes/shared_channels_count"
DEDICATED = "/data/attributes/dedicated_channels_count"


async def pool_of(api, country_id):
    [pool] = (await api.get(f"/capacity_pools?filter[country.id]={country_id}")).json["data"]
    return pool


async def order(api, pool, qty, status=201):
    attributes = {"capacity_pool_id": pool["id"], "qty": qty}
    items = [{"type": "capacity_order_items", "attributes": attributes}]
    data = {"type": "orders", "attributes": {"items": items}}
    answer = await api.call("POST", "/orders", json={"data": data})
    assert status == answer.status, answer.body
    return answer


async def filled_pool(api, country_id, qty):
    pool = await pool_of(api, country_id)
    placed = (await order(api, pool, qty)).json["data"]
    api.sim.complete(placed["id"])
    return await read(api, pool)


async def assigned(api, pool):
    return (await read(api, pool))["attributes"]["assigned_channels_count"]


async def test_an_order_adds_channels():
    async with running(completes_after=None) as api:
        pool = await pool_of(api, BRITAIN)
        assert 0 == pool["attributes"]["total_channels_count"]
        placed = (await order(api, pool, 10)).json["data"]
        [item] = placed["attributes"]["items"]
        assert "capacity_order_items" == item["type"]
        assert pool["id"] == item["attributes"]["capacity_pool_id"]
        # From ten channels on, a channel costs less.
        price = Decimal(pool["attributes"]["monthly_price"])
        assert price * 9 / 10 == Decimal(item["attributes"]["mrc"])
        assert 1000 - price * 9 == api.sim.balance
        assert 0 == (await read(api, pool))["attributes"]["total_channels_count"]
        assert 422 == (await api.call("DELETE", f"/orders/{placed['id']}")).status
        api.sim.complete(placed["id"])
        assert 10 == (await read(api, pool))["attributes"]["total_channels_count"]
        assert [pool["id"]] == (
            await api.get("/capacity_pools?filter[has_unassigned_channels]=true")
        ).ids
        answer = await order(api, {"id": "x"}, 1, status=422)
        assert ["/data/attributes/items/0/capacity_pool_id"] == answer.pointers
        answer = await order(api, pool, 0, status=422)
        assert ["/data/attributes/items/0/qty"] == answer.pointers
        await order(api, pool, None, status=400)
        await order(api, pool, 100, status=400)  # not enough money


async def test_channels_are_shared_and_dedicated():
    async with running(completes_after=None, balance=10_000) as api:
        dids = await bought(api, sku_id=SKU_LONDON, qty=2)
        pool = await filled_pool(api, BRITAIN, 10)
        links = {"capacity_pool": to(pool), "dids": [to(dids[0])]}
        group = await create(
            api, "shared_capacity_groups", links, name="a", shared_channels_count=6
        )
        assert 6 == await assigned(api, pool)
        did = await read(api, dids[0], "shared_capacity_group,capacity_pool")
        assert to(group) == did["relationships"]["shared_capacity_group"]["data"]
        assert to(pool) == did["relationships"]["capacity_pool"]["data"]
        links = {"capacity_pool": to(pool)}
        assert [SHARED] == await create(
            api, "shared_capacity_groups", links, status=422, name="b", shared_channels_count=5
        )
        assert [SHARED] == await update(api, group, status=422, shared_channels_count=11)
        await update(api, group, shared_channels_count=7)
        assert [DEDICATED] == await update(
            api, dids[1], links, status=422, dedicated_channels_count=4
        )
        await update(api, dids[1], links, dedicated_channels_count=3)
        assert 10 == await assigned(api, pool)
        await update(api, dids[1], description="keeps its channels")
        assert [DEDICATED] == await update(api, dids[1], status=422, dedicated_channels_count=4)
        assert [COUNT] == await update(api, pool, status=422, total_channels_count=9)
        await update(api, dids[1], {"capacity_pool": None})
        assert 7 == await assigned(api, pool)
        assert [COUNT] == await update(api, pool, status=422, total_channels_count=10)
        await update(api, pool, total_channels_count=7)
        await delete(api, group)
        assert 0 == await assigned(api, pool)
        did = await read(api, dids[0], "shared_capacity_group")
        assert did["relationships"]["shared_capacity_group"]["data"] is None


@pytest.mark.parametrize(
    ("sku", "links", "attributes", "pointer"),
    [
        (SKU_0, {"capacity_pool": "pool"}, {}, "/data/relationships/capacity_pool"),
        (
            SKU_0,
            {"shared_capacity_group": "group"},
            {},
            "/data/relationships/shared_capacity_group",
        ),
        (SKU_MOBILE, {"capacity_pool": "pool"}, {"dedicated_channels_count": 1}, DEDICATED),
        (
            SKU_LONDON,
            {},
            {"dedicated_channels_count": 1},
            "/data/relationships/capacity_pool",
        ),
    ],
)
async def test_what_does_not_fit_a_number(sku, links, attributes, pointer):
    async with running(completes_after=None, balance=10_000) as api:
        [did] = await bought(api, sku_id=sku, qty=1)
        pool = await filled_pool(api, BRITAIN, 5)
        group = await create(api, "shared_capacity_groups", {"capacity_pool": to(pool)}, name="a")
        named = {"pool": to(pool), "group": to(group)}
        links = {name: named[what] for name, what in links.items()}
        assert [pointer] == await update(api, did, links, status=422, **attributes)


async def test_groups_take_only_numbers_of_their_countries():
    async with running(completes_after=None) as api:
        [did] = await bought(api, sku_id=SKU_LONDON, qty=1)
        links = {"capacity_pool": to(await pool_of(api, US)), "dids": [to(did)]}
        pointer = "/data/relationships/dids"
        assert [pointer] == await create(api, "shared_capacity_groups", links, status=422, name="a")

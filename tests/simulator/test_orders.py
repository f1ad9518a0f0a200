"""Placing, finding, changing, completing and canceling orders."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from simulator.kit import (
    EXAMPLE_DID,
    G_LONDON,
    G_NEW_YORK,
    G_TORONTO,
    NEW,
    NOBODY,
    OLD,
    P212_111,
    P212_472,
    P416_203,
    SKU_0,
    SKU_2,
    SKU_LONDON,
    SKU_MOBILE,
    SKU_TORONTO,
    order_body,
    running,
)

ITEM = {"sku_id": SKU_LONDON, "qty": 1}
CALLBACK = "https://example.com/callback"


async def eventually(sim, order_id, status):
    async with asyncio.timeout(5):
        while sim.order(order_id).status != status:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("items", "attributes", "status", "pointer"),
    [
        ([], {}, 400, None),
        ([{}], {}, 400, None),
        ([{"qty": 1}], {}, 400, None),
        ([{"sku_id": SKU_LONDON}], {}, 400, None),
        ([{"sku_id": SKU_LONDON, "qty": None}], {}, 400, None),
        ([{**ITEM, "available_did_id": EXAMPLE_DID}], {}, 400, None),
        ([{**ITEM, "did_reservation_id": NOBODY}], {}, 400, None),
        ([{**ITEM, "colour": "red"}], {}, 400, None),
        ([ITEM], {"colour": "red"}, 400, None),
        ([{"sku_id": NOBODY, "qty": 1}], {}, 422, "items/0/sku_id"),
        ([ITEM, {"sku_id": NOBODY, "qty": 1}], {}, 422, "items/1/sku_id"),
        ([{"sku_id": SKU_LONDON, "qty": 0}], {}, 422, "items/0/qty"),
        ([{"sku_id": SKU_LONDON, "qty": 1001}], {}, 422, "items/0/qty"),
        ([{"sku_id": SKU_LONDON, "qty": "1"}], {}, 422, "items/0/qty"),
        ([{"sku_id": SKU_LONDON, "qty": True}], {}, 422, "items/0/qty"),
        ([{"sku_id": SKU_LONDON, "qty": 933}], {"allow_back_ordering": False}, 422, "items/0/qty"),
        (
            [{"sku_id": SKU_0, "qty": 600}, {"sku_id": SKU_2, "qty": 21}],
            {"allow_back_ordering": False},
            422,
            "items/1/qty",
        ),
        (
            [{"sku_id": SKU_0, "qty": 121, "nanpa_prefix_id": P212_111}],
            {"allow_back_ordering": False},
            422,
            "items/0/qty",
        ),
        (
            [{"sku_id": SKU_TORONTO, "nanpa_prefix_id": P416_203}],
            {"allow_back_ordering": False},
            422,
            "items/0/qty",
        ),
        (
            [{"sku_id": SKU_0, "nanpa_prefix_id": P416_203}],
            {},
            422,
            "items/0/nanpa_prefix_id",
        ),
        ([{**ITEM, "nanpa_prefix_id": NOBODY}], {}, 422, "items/0/nanpa_prefix_id"),
        ([{**ITEM, "nanpa_prefix_id": ""}], {}, 422, "items/0/nanpa_prefix_id"),
        ([{**ITEM, "billing_cycles_count": 1000}], {}, 422, "items/0/billing_cycles_count"),
        ([{**ITEM, "billing_cycles_count": -1}], {}, 422, "items/0/billing_cycles_count"),
        (
            [{"sku_id": SKU_LONDON, "available_did_id": NOBODY}],
            {},
            422,
            "items/0/available_did_id",
        ),
        ([{"sku_id": SKU_0, "available_did_id": EXAMPLE_DID}], {}, 422, "items/0/sku_id"),
        (
            [{"sku_id": SKU_LONDON, "did_reservation_id": NOBODY}],
            {},
            422,
            "items/0/did_reservation_id",
        ),
        ([ITEM], {"external_reference_id": "x" * 101}, 422, "external_reference_id"),
        ([ITEM], {"external_reference_id": 7}, 422, "external_reference_id"),
        ([ITEM], {"allow_back_ordering": "yes"}, 422, "allow_back_ordering"),
        ([ITEM], {"callback_url": CALLBACK}, 422, "callback_method"),
        ([ITEM], {"callback_method": "post"}, 422, "callback_url"),
        ([ITEM], {"callback_url": CALLBACK, "callback_method": "POST"}, 422, "callback_method"),
        ([ITEM], {"callback_url": "example.com", "callback_method": "post"}, 422, "callback_url"),
    ],
)
async def test_refused_orders(items, attributes, status, pointer):
    async with running() as api:
        answer = await api.order(*items, **attributes, status=status)
        if pointer:
            assert answer.pointers == [f"/data/attributes/{pointer}"]
            assert answer.error["code"] == "100"
        assert api.sim.orders == []
        assert api.sim.balance == Decimal(1000)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "400"),
        ([], "106"),
        ({}, "106"),
        ({"data": []}, "106"),
        ({"data": {"attributes": {"items": []}}}, "106"),
        ({"data": {"type": "dids", "attributes": {}}}, "400"),
        ({"data": {"type": "orders"}}, "106"),
        ({"data": {"type": "orders", "attributes": []}}, "400"),
        ({"data": {"type": "orders", "attributes": {"items": "one"}}}, "400"),
        ({"data": {"type": "orders", "attributes": {"items": ["one"]}}}, "400"),
        (
            {"data": {"type": "orders", "attributes": {"items": [{"type": "did_order_items"}]}}},
            "400",
        ),
        ({**order_body(ITEM), "data": {**order_body(ITEM)["data"], "id": NOBODY}}, "105"),
    ],
)
async def test_bodies_that_are_no_order(body, code):
    async with running() as api:
        answer = await api.call("POST", "/orders", json=body)
        assert (answer.status, answer.error["code"]) == (400, code)


async def test_items_of_other_types():
    async with running() as api:
        capacity = {
            "type": "capacity_order_items",
            "attributes": {"capacity_pool_id": "x", "qty": 1},
        }
        emergency = {"type": "emergency_order_items", "attributes": {"qty": 1}}
        body = order_body(ITEM)
        for items, status in (
            ([capacity], 422),
            ([emergency], 400),
            ([*body["data"]["attributes"]["items"], capacity], 400),
        ):
            body["data"]["attributes"]["items"] = items
            assert (await api.call("POST", "/orders", json=body)).status == status


async def test_several_problems_are_told_at_once():
    async with running() as api:
        answer = await api.order(
            {"sku_id": NOBODY, "qty": 1},
            {"sku_id": SKU_LONDON, "qty": 0},
            external_reference_id="x" * 101,
            status=422,
        )
        assert len(answer.pointers) == 3


async def test_an_order_from_beginning_to_end():
    async with running(completes_after=0.2) as api:
        answer = await api.order(
            {"sku_id": SKU_2, "qty": 2, "billing_cycles_count": 3},
            allow_back_ordering=False,
            external_reference_id="my-1",
            callback_url=CALLBACK,
            callback_method="post",
        )
        data = answer.json["data"]
        assert answer.json["meta"] == {"api_version": NEW}
        attributes = data["attributes"]
        assert attributes.pop("created_at").endswith("Z")
        letters, _, digits = attributes.pop("reference").partition("-")
        assert letters.isupper()
        assert len(digits) == 6
        item = {
            "type": "did_order_items",
            "attributes": {
                "qty": 2,
                "nrc": "4.0",
                "mrc": "4.0",
                "prorated_mrc": False,
                "billed_from": None,
                "billed_to": None,
                "setup_price": "4.0",
                "monthly_price": "4.0",
                "did_group_id": G_NEW_YORK,
            },
        }
        assert attributes == {
            "amount": "16.0",
            "status": "pending",
            "description": "DID",
            "items": [item],
            "callback_method": "post",
            "callback_url": CALLBACK,
            "external_reference_id": "my-1",
        }
        assert "relationships" not in data
        assert (await api.get(f"/dids?filter[order.id]={data['id']}")).ids == []
        await eventually(api.sim, data["id"], "completed")
        completed = (await api.get(f"/orders/{data['id']}")).json["data"]["attributes"]
        assert completed["status"] == "completed"
        assert completed["items"][0]["attributes"]["billed_from"]
        assert len((await api.get(f"/dids?filter[order.id]={data['id']}")).ids) == 2
        [order] = api.sim.orders
        assert (order.external_reference_id, order.qty, order.version) == ("my-1", 2, NEW)
        assert api.sim.balance == Decimal(984)
        assert api.sim.stock(G_NEW_YORK) == 618


async def test_the_old_version_spells_differently():
    async with running(completes_after=None) as api:
        old = api.speaking(OLD)
        await old.order(ITEM, external_reference_id="x", status=400)
        await old.order(ITEM, callback_url=CALLBACK, callback_method="post", status=422)
        answer = await old.order(ITEM, callback_url=CALLBACK, callback_method="POST")
        attributes = answer.json["data"]["attributes"]
        assert "external_reference_id" not in attributes
        assert (attributes["status"], attributes["callback_method"]) == ("Pending", "POST")
        order_id = answer.json["data"]["id"]
        api.sim.complete(order_id)
        assert (await old.get("/orders?filter[status]=Completed")).ids == [order_id]
        assert (await api.get("/orders?filter[status]=completed")).ids == [order_id]
        body = {"data": {"type": "orders", "id": order_id, "attributes": {}}}
        body["data"]["attributes"]["external_reference_id"] = "later"
        assert (await old.call("PATCH", f"/orders/{order_id}", json=body)).status == 400
        assert (await api.call("PATCH", f"/orders/{order_id}", json=body)).status == 200


async def test_a_prefix_without_qty_means_one():
    async with running() as api:
        answer = await api.order({"sku_id": SKU_0, "nanpa_prefix_id": P212_111})
        [item] = answer.json["data"]["attributes"]["items"]
        assert item["attributes"]["qty"] == 1
        assert api.sim.stock(G_NEW_YORK, P212_111) == 119


async def test_items_may_come_back_in_another_order():
    async with running() as api:
        groups = []
        for _ in range(10):
            answer = await api.order({"sku_id": SKU_LONDON, "qty": 1}, {"sku_id": SKU_0, "qty": 1})
            items = answer.json["data"]["attributes"]["items"]
            groups.append(tuple(item["attributes"]["did_group_id"] for item in items))
        assert set(groups) == {(G_LONDON, G_NEW_YORK), (G_NEW_YORK, G_LONDON)}
        assert {order.items[0].group_id for order in api.sim.orders} == {G_LONDON}


async def test_back_ordering_is_allowed_when_left_out_and_stays_pending():
    async with running(completes_after=0) as api:
        answer = await api.order({"sku_id": SKU_TORONTO, "qty": 2})
        order_id = answer.json["data"]["id"]
        await asyncio.sleep(0.02)
        [order] = api.sim.orders
        assert (order.status, order.back_ordered) == ("pending", True)
        assert api.sim.complete(order_id).status == "completed"
        assert {did.prefix_id for did in api.sim.dids} == {P416_203}
        with pytest.raises(ValueError, match="is completed"):
            api.sim.complete(order_id)


async def test_before_2026_back_ordering_had_to_be_asked_for():
    async with running() as api:
        old = api.speaking(OLD)
        await old.order({"sku_id": SKU_TORONTO, "qty": 2}, status=422)
        await old.order({"sku_id": SKU_TORONTO, "qty": 2}, allow_back_ordering=True)


async def test_setting_the_stock():
    async with running() as api:
        api.sim.set_stock(group_id=G_NEW_YORK, count=3)
        assert [api.sim.stock(G_NEW_YORK, prefix) for prefix in (P212_111, P212_472)] == [2, 1]
        api.sim.set_stock(group_id=G_NEW_YORK, prefix_id=P212_111, count=0)
        assert api.sim.stock(G_NEW_YORK) == 1
        with pytest.raises(ValueError, match="has no prefix"):
            api.sim.set_stock(group_id=G_NEW_YORK, prefix_id=P416_203, count=1)
        with pytest.raises(ValueError, match="per prefix"):
            api.sim.set_stock(group_id=G_NEW_YORK, prefix_id=P212_111, count=10_001)


async def test_a_prefix_that_ran_out_is_back_ordered():
    async with running(completes_after=None) as api:
        answer = await api.order({"sku_id": SKU_0, "qty": 121, "nanpa_prefix_id": P212_111})
        assert api.sim.stock(G_NEW_YORK, P212_111) == 0
        api.sim.complete(answer.json["data"]["id"])
        assert {did.number[:7] for did in api.sim.dids} == {"1212111"}
        assert len({did.number for did in api.sim.dids}) == 121


async def test_an_item_without_prefix_leaves_the_prefix_to_the_item_that_names_it():
    async with running(balance=10_000) as api:
        await api.order(
            {"sku_id": SKU_0, "qty": 500},
            {"sku_id": SKU_0, "qty": 120, "nanpa_prefix_id": P212_111},
            allow_back_ordering=False,
        )
        assert not api.sim.orders[0].back_ordered
        assert api.sim.stock(G_NEW_YORK) == 0


async def test_vat():
    async with running(vat_rate=Decimal("0.21")) as api:
        answer = await api.order({"sku_id": SKU_MOBILE, "qty": 3})
        attributes = answer.json["data"]["attributes"]
        # 1.00 and 2.50 with 21 % are 1.21 and 3.025, in cents 3.03; three times both is 12.72.
        item = attributes["items"][0]["attributes"]
        assert (item["nrc"], item["mrc"], attributes["amount"]) == ("1.21", "3.03", "12.72")


@pytest.mark.parametrize(
    ("version", "error"),
    [
        (
            NEW,
            {
                "title": "Insufficient balance",
                "detail": "Insufficient balance",
                "code": "400",
                "status": "400",
                "meta": {"available_balance": "10.0", "total_cost": "16.0"},
            },
        ),
        (
            OLD,
            {
                "title": "Insufficient funds",
                "detail": "Insufficient funds",
                "code": "400",
                "status": "400",
            },
        ),
    ],
)
async def test_insufficient_balance(version, error):
    async with running(balance=Decimal(8), credit=Decimal(2)) as api:
        answer = await api.speaking(version).order({"sku_id": SKU_2, "qty": 2}, status=400)
        assert answer.error == error
        assert api.sim.orders == []


async def test_the_balance_check_does_not_see_other_pending_orders():
    async with running(balance=Decimal(10), completes_after=None) as api:
        first = await api.order({"sku_id": SKU_2, "qty": 1})
        await api.order({"sku_id": SKU_2, "qty": 1})
        assert api.sim.balance == Decimal(-6)
        account = (await api.get("/balance")).json["data"]
        assert account["attributes"] == {
            "balance": "-6.00",
            "credit": "0.00",
            "total_balance": "-6.00",
        }
        api.sim.complete(first.json["data"]["id"])
        await api.order({"sku_id": SKU_2, "qty": 1}, status=400)


async def test_without_money_not_even_a_free_number():
    async with running(balance=Decimal(0)) as api:
        api.sim.set_price(SKU_LONDON, setup_price="0", monthly_price="0")
        await api.order(ITEM, status=400)


async def test_a_read_only_account():
    async with running(read_only=True) as api:
        assert (await api.order(ITEM, status=403)).error["code"] == "403"
        api.sim.read_only = False
        await api.order(ITEM)


async def test_canceling():
    async with running(completes_after=None) as api:
        answer = await api.order({"sku_id": SKU_0, "qty": 2, "nanpa_prefix_id": P212_472})
        path = f"/orders/{answer.json['data']['id']}"
        answer = await api.call("DELETE", path)
        assert (answer.status, answer.body) == (204, b"")
        assert (await api.get(path)).json["data"]["attributes"]["status"] == "canceled"
        assert api.sim.balance == Decimal(1000)
        assert api.sim.stock(G_NEW_YORK, P212_472) == 500
        again = await api.call("DELETE", path)
        assert again.status == 422
        assert again.pointers == ["/data/attributes/base"]
        assert again.error["title"] == "Order not pending"
        assert (await api.call("DELETE", "/orders/nothing")).status == 404


async def test_a_completed_order_is_not_canceled():
    async with running(completes_after=None) as api:
        order_id = (await api.order(ITEM)).json["data"]["id"]
        api.sim.complete(order_id)
        assert (await api.call("DELETE", f"/orders/{order_id}")).status == 422
        with pytest.raises(ValueError, match="is completed"):
            api.sim.cancel(order_id)


async def test_an_order_canceled_in_time_never_completes():
    async with running(completes_after=0.15) as api:
        over_http = (await api.order(ITEM)).json["data"]["id"]
        await api.call("DELETE", f"/orders/{over_http}")
        by_hand = (await api.order(ITEM)).json["data"]["id"]
        assert api.sim.cancel(by_hand).status == "canceled"
        await asyncio.sleep(0.2)
        assert [order.status for order in api.sim.orders] == ["canceled", "canceled"]
        assert api.sim.dids == []


async def test_changing_the_external_reference():
    async with running() as api:
        order_id = (await api.order(ITEM, external_reference_id="a")).json["data"]["id"]

        async def patch(expected, data=None, **attributes):
            sent = {
                "data": {"type": "orders", "id": order_id, "attributes": attributes, **(data or {})}
            }
            answer = await api.call("PATCH", f"/orders/{order_id}", json=sent)
            assert answer.status == expected, answer.body
            return answer

        changed = await patch(200, external_reference_id="b")
        assert changed.json["data"]["attributes"]["external_reference_id"] == "b"
        assert (await api.get("/orders?filter[external_reference_id]=a")).ids == []
        assert (await api.get("/orders?filter[external_reference_id]=b")).ids == [order_id]
        await patch(422, external_reference_id="x" * 101)
        await patch(400, status="canceled")
        await patch(400, data={"id": NOBODY}, external_reference_id="c")
        await patch(200, external_reference_id=None)
        assert api.sim.orders[0].external_reference_id is None
        answer = await api.call("PATCH", f"/orders/{NOBODY}", json={"data": {}})
        assert answer.status == 404


async def test_finding_orders():
    noon = datetime(2026, 3, 18, 12, 0, 0, 500_000, tzinfo=UTC)
    now = noon
    async with running(clock=lambda: now, completes_after=None) as api:
        ids = []
        for minutes, reference in ((0, "one"), (10, "two"), (20, None)):
            now = noon + timedelta(minutes=minutes)
            answer = await api.order(ITEM, external_reference_id=reference)
            ids.append(answer.json["data"]["id"])
        one, two, three = ids
        api.sim.complete(two)
        cases = {
            "filter[external_reference_id]=one": [one],
            "filter[external_reference_id]=ONE": [],
            "filter[external_reference_id]=on": [],
            "filter[status]=pending": [one, three],
            "filter[status]=pending,completed&sort=-created_at": [three, two, one],
            f"filter[id]={one},{three}": [one, three],
            f"filter[reference]={api.sim.orders[1].reference}": [two],
            "filter[created_at_gteq]=2026-03-18T12:05:00Z": [two, three],
            "filter[created_at_gteq]=2026-03-18 12:05:00&sort=-created_at": [three, two],
            "filter[created_at_lteq]=2026-03-18T12:10:00.500Z": [one, two],
            "filter[created_at_lteq]=2026-03-18": [],
            "sort=external_reference_id": [three, one, two],
            "sort=status,-created_at": [two, three, one],
        }
        for query, expected in cases.items():
            assert (await api.get(f"/orders?{query}")).ids == expected, query
        first = (await api.get(f"/orders/{one}")).json["data"]["attributes"]
        assert first["created_at"] == "2026-03-18T12:00:00.500Z"


async def test_new_orders_may_be_listed_late():
    async with running(orders_visible_after=0.25) as api:
        order_id = (await api.order(ITEM, external_reference_id="late")).json["data"]["id"]
        path = "/orders?filter[external_reference_id]=late"
        assert (await api.get(path)).ids == []
        assert (await api.get(f"/orders?filter[id]={order_id}")).ids == []
        await api.get(f"/orders/{order_id}")
        await asyncio.sleep(0.26)
        assert (await api.get(path)).ids == [order_id]


async def test_two_orders_with_one_reference_are_two_orders():
    async with running() as api:
        for _ in range(2):
            await api.order(ITEM, external_reference_id="same")
        assert len((await api.get("/orders?filter[external_reference_id]=same")).ids) == 2
        assert api.sim.stock(G_LONDON) == 930
        assert api.sim.stock(G_TORONTO) == 0

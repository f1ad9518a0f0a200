"""The numbers of completed orders."""

import re

import pytest
from simulator.kit import (
    BRITAIN,
    EXAMPLE_DID,
    G_LONDON,
    G_MOBILE,
    LONDON,
    NEW_YORK_STATE,
    OLD,
    P212_111,
    SKU_0,
    SKU_2,
    SKU_LONDON,
    SKU_MOBILE,
    SKU_SELECT,
    US,
    running,
)


async def ordered(api, *items):
    answer = await api.order(*items)
    return api.sim.complete(answer.json["data"]["id"])


@pytest.mark.parametrize(
    ("item", "pattern"),
    [
        ({"sku_id": SKU_LONDON, "qty": 50}, r"4420\d{7}"),
        ({"sku_id": SKU_MOBILE, "qty": 10}, r"447400\d{5}"),
        ({"sku_id": SKU_0, "qty": 120, "nanpa_prefix_id": P212_111}, r"1212111\d{4}"),
        ({"sku_id": SKU_0, "qty": 620}, r"1212(111|472)\d{4}"),
        ({"sku_id": SKU_SELECT, "available_did_id": EXAMPLE_DID}, "12124727604"),
    ],
)
async def test_numbers_fit_the_group(item, pattern):
    async with running(balance=100_000, completes_after=None) as api:
        await ordered(api, item)
        numbers = [did.number for did in api.sim.dids]
        assert len(set(numbers)) == len(numbers) == item.get("qty", 1)
        for number in numbers:
            assert re.fullmatch(pattern, number), number


async def test_no_number_comes_twice():
    async with running(balance=10**6, completes_after=None) as api:
        for _ in range(10):
            api.sim.set_stock(group_id=G_LONDON, count=1000)
            await ordered(api, {"sku_id": SKU_0, "qty": 60}, {"sku_id": SKU_LONDON, "qty": 1000})
        assert len({did.number for did in api.sim.dids}) == len(api.sim.dids) == 10_600


async def test_what_a_number_says():
    async with running(completes_after=None) as api:
        order = await ordered(api, {"sku_id": SKU_2, "qty": 1, "billing_cycles_count": 2})
        document = (
            await api.get(f"/dids?filter[order.id]={order.id}&include=order,did_group")
        ).json
        [did] = document["data"]
        attributes = did["attributes"]
        assert attributes.pop("created_at") < attributes.pop("expires_at")
        assert attributes == {
            "number": api.sim.dids[0].number,
            "description": None,
            "blocked": False,
            "awaiting_registration": False,
            "terminated": False,
            "emergency_enabled": False,
            "capacity_limit": None,
            "channels_included_count": 2,
            "dedicated_channels_count": 0,
            "billing_cycles_count": 2,
        }
        assert did["relationships"]["order"]["data"] == {"type": "orders", "id": order.id}
        assert {item["type"] for item in document["included"]} == {"orders", "did_groups"}
        included = (await api.get(f"/dids/{did['id']}?include=voice_in_trunk")).json
        assert included["data"]["relationships"]["voice_in_trunk"]["data"] is None
        old = (await api.speaking(OLD).get(f"/dids/{did['id']}")).json["data"]
        assert "emergency_enabled" not in old["attributes"]
        assert "emergency_verification" not in old["relationships"]


async def test_finding_numbers():
    async with running(completes_after=None) as api:
        order = await ordered(
            api,
            {"sku_id": SKU_2, "qty": 1},
            {"sku_id": SKU_MOBILE, "qty": 1},
            {"sku_id": SKU_LONDON, "qty": 1, "billing_cycles_count": 0},
        )
        us, mobile, london = api.sim.dids
        cases = {
            f"filter[order.id]={order.id}&sort=number": [us, london, mobile],
            "filter[order.id]=nothing": [],
            f"filter[order.reference]={order.reference}&sort=-number": [mobile, london, us],
            f"filter[number]={us.number},{mobile.number}": [us, mobile],
            f"filter[country.id]={BRITAIN}": [mobile, london],
            f"filter[region.id]={NEW_YORK_STATE}": [us],
            f"filter[city.id]={LONDON}": [london],
            f"filter[did_group.id]={G_MOBILE}": [mobile],
            "filter[did_group.features]=voice_in,sms_in": [mobile],
            "filter[awaiting_registration]=true": [mobile],
            "filter[blocked]=true": [],
            "filter[terminated]=false&filter[country.id]=" + US: [us],
            "filter[pending_removal]=true": [london],
            "filter[billing_cycles_count]=0": [london],
            "filter[voice_in_trunk.id]=x": [],
            "sort=-channels_included_count,-number": [us, mobile, london],
        }
        for query, dids in cases.items():
            assert (await api.get(f"/dids?{query}")).ids == [did.id for did in dids], query


async def test_changing_a_number():
    async with running(completes_after=None) as api:
        await ordered(api, {"sku_id": SKU_LONDON, "qty": 2})
        did = api.sim.dids[0]

        async def patch(status, relationships=None, **attributes):
            data = {"type": "dids", "id": did.id, "attributes": attributes}
            if relationships:
                data["relationships"] = relationships
            answer = await api.call("PATCH", f"/dids/{did.id}", json={"data": data})
            assert answer.status == status, answer.body
            return answer

        answer = await patch(200, description="desk", terminated=True, capacity_limit=5)
        assert answer.json["data"]["attributes"]["description"] == "desk"
        assert (await api.get("/dids?filter[terminated]=true")).ids == [did.id]
        assert (await api.get(f"/dids?filter[order.id]={did.order_id}&filter[terminated]=true")).ids
        await patch(200, relationships={"voice_in_trunk": {"data": None}})
        trunk = {"data": {"type": "voice_in_trunks", "id": "x"}}
        assert (await patch(422, relationships={"voice_in_trunk": trunk})).pointers
        await patch(422, terminated="yes")
        await patch(422, capacity_limit=-1)
        await patch(400, number="1")
        assert (await api.call("PATCH", "/dids/nothing", json={"data": {}})).status == 404

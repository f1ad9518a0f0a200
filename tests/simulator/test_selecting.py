"""Single numbers: listing, reserving and ordering them."""

from datetime import UTC, datetime, timedelta

import pytest
from simulator.kit import (
    BRITAIN,
    CANADA,
    EXAMPLE_DID,
    G_LONDON,
    G_MOBILE,
    G_NEW_YORK,
    G_SELECT,
    MOBILE,
    NEW_YORK,
    NOBODY,
    OLD,
    P212_111,
    P212_472,
    SKU_SELECT,
    running,
)

SELECTED = f"/available_dids?filter[did_group.id]={G_SELECT}"


def reservation_of(did_id, **attributes):
    linkage = {"data": {"type": "available_dids", "id": did_id}}
    data = {"type": "did_reservations", "relationships": {"available_did": linkage}}
    return {"data": {**data, "attributes": attributes}}


async def reserve(api, did_id=EXAMPLE_DID, status=201, **attributes):
    answer = await api.call("POST", "/did_reservations", json=reservation_of(did_id, **attributes))
    assert answer.status == status, answer.body
    return answer


async def test_the_list_is_random_and_capped():
    async with running() as api:
        first = (await api.get("/available_dids")).json
        second = (await api.get("/available_dids")).json
        assert len(first["data"]) == 50
        assert first["meta"]["total_count"] == 120 + 500 + 8 + 932
        assert "total_records" not in first["meta"]
        assert "links" not in first
        assert [did["id"] for did in first["data"]] != [did["id"] for did in second["data"]]


@pytest.mark.parametrize(
    ("query", "total", "start"),
    [
        (f"filter[did_group.id]={G_SELECT}", 8, "1212472"),
        (f"filter[did_group.id]={G_SELECT},{G_LONDON}", 940, ""),
        (f"filter[nanpa_prefix.id]={P212_111}", 120, "1212111"),
        (f"filter[nanpa_prefix.id]={P212_472}", 508, "1212472"),
        (f"filter[city.id]={NEW_YORK}", 628, "1212"),
        (f"filter[country.id]={BRITAIN}", 932, "4420"),
        (f"filter[country.id]={CANADA}", 0, ""),
        (f"filter[did_group_type.id]={MOBILE}", 0, ""),
        (f"filter[did_group.id]={G_MOBILE}", 0, ""),
        ("filter[did_group.features]=voice_in,t38", 940, ""),
        ("filter[did_group.needs_registration]=true", 0, ""),
        (f"filter[id]={EXAMPLE_DID},{NOBODY}", 1, "12124727604"),
        (f"filter[id]={EXAMPLE_DID}&filter[country.id]={BRITAIN}", 0, ""),
    ],
)
async def test_filters(query, total, start):
    async with running() as api:
        document = (await api.get(f"/available_dids?{query}")).json
        assert document["meta"]["total_count"] == total
        numbers = [did["attributes"]["number"] for did in document["data"]]
        assert len(set(numbers)) == min(total, 50)
        assert all(number.startswith(start) for number in numbers)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filter[number_contains]=472", 200),
        ("filter[number_contains]=47", 400),
        (f"filter[number_contains]=47&filter[did_group.id]={G_SELECT}", 200),
        ("filter[number_contains]=", 400),
        ("filter[number_contains]=four", 400),
    ],
)
async def test_number_contains(query, status):
    async with running() as api:
        answer = await api.get(f"/available_dids?{query}", status=status)
        if status == 200:
            numbers = [did["attributes"]["number"] for did in answer.json["data"]]
            assert numbers
            assert all("47" in number for number in numbers)


async def test_one_number_with_its_group_and_skus():
    async with running() as api:
        path = f"/available_dids/{EXAMPLE_DID}?include=did_group.stock_keeping_units,nanpa_prefix"
        document = (await api.get(path)).json
        assert document["data"]["attributes"] == {"number": "12124727604"}
        assert document["data"]["relationships"]["nanpa_prefix"]["data"]["id"] == P212_472
        types = [item["type"] for item in document["included"]]
        assert types == ["did_groups", *["stock_keeping_units"] * 3, "nanpa_prefixes"]
        await api.get(f"/available_dids/{NOBODY}", status=404)


async def test_ordering_a_number():
    async with running(completes_after=None) as api:
        item = {"sku_id": SKU_SELECT, "available_did_id": EXAMPLE_DID}
        await api.order(item, item, status=422)
        answer = await api.order(item)
        assert answer.json["data"]["attributes"]["items"][0]["attributes"]["qty"] == 1
        await api.get(f"/available_dids/{EXAMPLE_DID}", status=404)
        assert (await api.get(SELECTED)).json["meta"]["total_count"] == 7
        taken = await api.order(item, status=422)
        assert taken.pointers == ["/data/attributes/items/0/available_did_id"]
        api.sim.cancel(answer.json["data"]["id"])
        await api.get(f"/available_dids/{EXAMPLE_DID}")
        assert api.sim.stock(G_SELECT) == 8


async def test_reserving_and_ordering():
    now = datetime(2026, 3, 18, 12, tzinfo=UTC)
    async with running(clock=lambda: now, completes_after=None) as api:
        answer = await reserve(api, description="for Ann")
        assert "available_count" not in answer.json["meta"]
        attributes = answer.json["data"]["attributes"]
        assert attributes == {
            "description": "for Ann",
            "created_at": "2026-03-18T12:00:00.000Z",
            "expires_at": "2026-03-18T12:10:00.000Z",
        }
        path = f"/did_reservations/{answer.json['data']['id']}"
        old = (await api.speaking(OLD).get(path)).json
        assert old["data"]["attributes"]["expire_at"] == "2026-03-18 12:10:00"
        assert old["meta"] == {"available_count": 9, "api_version": OLD}
        assert (await api.get(SELECTED)).json["meta"]["total_count"] == 7
        taken = await reserve(api, status=422)
        assert taken.pointers == ["/data/relationships/available_did"]
        included = (await api.get(f"{path}?include=available_did")).json["included"]
        assert included[0]["attributes"]["number"] == "12124727604"
        await api.order({"sku_id": SKU_SELECT, "available_did_id": EXAMPLE_DID}, status=422)
        reservation = {"sku_id": SKU_SELECT, "did_reservation_id": answer.json["data"]["id"]}
        order = await api.order(reservation)
        await api.order(reservation, status=422)
        await api.get(path, status=404)
        api.sim.complete(order.json["data"]["id"])
        assert [did.number for did in api.sim.dids] == ["12124727604"]
        assert api.sim.stock(G_SELECT) == 7


async def test_releasing():
    async with running() as api:
        path = f"/did_reservations/{(await reserve(api)).json['data']['id']}"
        assert (await api.call("DELETE", path)).status == 204
        assert (await api.call("DELETE", path)).status == 404
        await api.get(f"/available_dids/{EXAMPLE_DID}")


async def test_reservations_lapse():
    now = datetime(2026, 3, 18, 12, tzinfo=UTC)
    async with running(clock=lambda: now, reservation_seconds=60) as api:
        answer = await reserve(api)
        now += timedelta(seconds=59)
        assert len((await api.get("/did_reservations")).ids) == 1
        now += timedelta(seconds=1)
        assert (await api.get("/did_reservations")).ids == []
        reservation = {"sku_id": SKU_SELECT, "did_reservation_id": answer.json["data"]["id"]}
        await api.order(reservation, status=422)
        await reserve(api)


async def test_only_so_many_reservations():
    async with running(max_reservations=2) as api:
        for did_id in (await api.get(SELECTED)).ids[:2]:
            await reserve(api, did_id, description=did_id)
        meta = (await api.get("/did_reservations?sort=-description")).json["meta"]
        assert meta["available_count"] == 0
        assert meta["total_records"] == 2
        left = (await api.get(SELECTED)).ids[0]
        assert (await reserve(api, left, status=422)).error["code"] == "100"
        described = (await api.get("/did_reservations")).json["data"][0]["attributes"][
            "description"
        ]
        assert len((await api.get(f"/did_reservations?filter[description]={described}")).ids) == 1


async def test_reservations_that_make_no_sense():
    async with running() as api:
        await reserve(api, NOBODY, status=422)
        await reserve(api, description=5, status=422)
        await reserve(api, colour="red", status=400)
        missing = {"data": {"type": "did_reservations"}}
        assert (await api.call("POST", "/did_reservations", json=missing)).status == 400


async def test_an_account_without_the_feature():
    async with running(available_dids=False) as api:
        await api.get("/available_dids", status=403)
        await api.get(f"/available_dids/{EXAMPLE_DID}", status=403)
        await reserve(api, status=403)
        await api.order({"sku_id": SKU_SELECT, "available_did_id": EXAMPLE_DID}, status=422)


async def test_orders_by_quantity_take_from_what_is_shown():
    async with running(completes_after=None) as api:
        await api.get(SELECTED)
        await api.order({"sku_id": SKU_SELECT, "qty": 7})
        assert len((await api.get(SELECTED)).ids) == 1
        assert api.sim.stock(G_NEW_YORK) == 620

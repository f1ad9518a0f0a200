"""Emergency calling: submitted for numbers, active when it is approved, canceled by DELETE."""

from decimal import Decimal

import attrs
import pytest
from simulator.kit import BRITAIN, G_NEW_YORK, SKU_0, SKU_LONDON, US, running, small_world
from simulator.papers import bought, create, delete, person, place, read, to, update

DIDS = "/data/relationships/dids"


def world():
    """The small world, whose New York numbers have emergency calling."""
    small = small_world()
    groups = [
        attrs.evolve(group, features=("voice_in", "emergency")) if group.id == G_NEW_YORK else group
        for group in small.groups
    ]
    return attrs.evolve(small, groups=tuple(groups))


def starting():
    return running(completes_after=None, verified_after=None, coverage=world())


async def here(api):
    return await place(api, await person(api, US), US, "New York")


async def submitted(api, address, dids, status=201):
    links = {"address": to(address), "dids": [to(did) for did in dids]}
    return await create(api, "emergency_verifications", links, status)


async def service_of(api):
    [service] = (await api.get("/emergency_calling_services?include=order,dids")).json["data"]
    return service


async def test_a_service_is_made_paid_and_approved():
    async with starting() as api:
        dids = await bought(api, sku_id=SKU_0, qty=2)
        [requirement] = (await api.get("/emergency_requirements")).json["data"]
        price = Decimal(requirement["meta"]["monthly_price"])
        address = await here(api)
        links = {"emergency_requirement": to(requirement), "address": to(address)}
        await create(api, "emergency_requirement_validations", links)
        before = api.sim.balance
        verification = await submitted(api, address, dids[:1])
        assert before - price == api.sim.balance
        service = await service_of(api)
        assert "in_process" == service["attributes"]["status"]
        assert [to(dids[0])] == service["relationships"]["dids"]["data"]
        [item] = (await read(api, service["relationships"]["order"]["data"]))["attributes"]["items"]
        assert service["id"] == item["attributes"]["emergency_calling_service_id"]
        with pytest.raises(ValueError, match="verification"):
            api.sim.complete(service["relationships"]["order"]["data"]["id"])
        assert not (await read(api, dids[0]))["attributes"]["emergency_enabled"]

        api.sim.verifications.approve(verification["id"])
        service = await service_of(api)
        assert "active" == service["attributes"]["status"]
        assert service["attributes"]["renew_date"]
        order = await read(api, service["relationships"]["order"]["data"])
        assert "completed" == order["attributes"]["status"]
        did = await read(api, dids[0], "emergency_verification,emergency_calling_service")
        assert did["attributes"]["emergency_enabled"]
        assert to(verification) == did["relationships"]["emergency_verification"]["data"]
        found = f"/dids?filter[emergency_calling_service.id]={service['id']}"
        assert [dids[0]["id"]] == (await api.get(found)).ids
        for query in (f"[address.id]={address['id']}", "[status]=active", f"[country.id]={US}"):
            path = f"/emergency_calling_services?filter{query}"
            assert [service["id"]] == (await api.get(path)).ids
        await delete(api, address, 409)

        await update(api, dids[1], {"emergency_calling_service": to(service)})
        assert (await read(api, dids[1]))["attributes"]["emergency_enabled"]
        await delete(api, service)
        service = await service_of(api)
        assert ("canceled", None) == (
            service["attributes"]["status"],
            service["attributes"]["renew_date"],
        )
        assert [] == service["relationships"]["dids"]["data"]
        assert [] == (await api.get("/dids?filter[emergency_enabled]=true")).ids
        await delete(api, service, 422)
        await delete(api, address)
        assert [] == (await api.get(f"/emergency_calling_services?filter[identity.id]={US}")).ids


async def test_rejected_and_submitted_again():
    async with starting() as api:
        dids = await bought(api, sku_id=SKU_0, qty=1)
        address = await here(api)
        verification = await submitted(api, address, dids)
        api.sim.verifications.reject(verification["id"], reasons=["Unknown address"])
        service = await service_of(api)
        assert "changes_required" == service["attributes"]["status"]
        links = {"address": to(address), "emergency_calling_service": to(service)}
        both = {**links, "dids": [to(dids[0])]}
        assert [DIDS] == await create(api, "emergency_verifications", both, 422)
        again = await create(api, "emergency_verifications", links)
        pointer = "/data/relationships/emergency_calling_service"
        assert [pointer] == await create(api, "emergency_verifications", links, 422)
        api.sim.verifications.approve(again["id"])
        assert "active" == (await service_of(api))["attributes"]["status"]
        found = f"/emergency_verifications?filter[emergency_calling_service.id]={service['id']}"
        assert 2 == len((await api.get(found)).ids)
        assert 1 == len([order for order in api.sim.orders if order.description == "Emergency"])


async def test_a_service_that_never_was_gives_its_money_back():
    async with starting() as api:
        dids = await bought(api, sku_id=SKU_0, qty=1)
        before = api.sim.balance
        await submitted(api, await here(api), dids)
        assert before > api.sim.balance
        await delete(api, await service_of(api))
        assert before == api.sim.balance


async def test_what_is_refused():
    async with starting() as api:
        [did] = await bought(api, sku_id=SKU_0, qty=1)
        [london] = await bought(api, sku_id=SKU_LONDON, qty=1)
        address = await here(api)
        assert [DIDS] == await submitted(api, address, [], 422)
        assert [DIDS] == await submitted(api, address, [london], 422)
        elsewhere = await place(api, await person(api, BRITAIN), BRITAIN)
        assert ["/data/relationships/address"] == await submitted(api, elsewhere, [did], 422)
        await submitted(api, address, [did])
        assert [DIDS] == await submitted(api, address, [did], 422)
        service = to(await service_of(api))
        pointer = "/data/relationships/emergency_calling_service"
        links = {"emergency_calling_service": service}
        assert [pointer] == await update(api, london, links, status=422)

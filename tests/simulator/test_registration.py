"""From an order of numbers that need registration to numbers that are registered."""

import asyncio

from simulator.kit import BRITAIN, LONDON, OLD, SKU_MOBILE, US, running
from simulator.papers import bought, create, delete, person, place, prove, read, to, update, upload

IDENTITY, ADDRESS = "/data/relationships/identity", "/data/relationships/address"


async def submitted(api, address, dids, **more):
    links = {"address": to(address), "dids": [to(did) for did in dids]}
    return await create(api, "address_verifications", links, **more)


async def papers(api):
    """An identity and an address that fit British mobile numbers."""
    identity = await person(api, BRITAIN)
    await prove(api, identity, "Passport")
    return identity, await place(api, identity, BRITAIN)


async def awaiting(api):
    return (await api.get("/dids?filter[awaiting_registration]=true&sort=number")).ids


async def test_a_number_is_registered_when_its_address_is_approved():
    async with running(completes_after=None, verified_after=None) as api:
        dids = await bought(api, sku_id=SKU_MOBILE, qty=2)
        assert [did["id"] for did in dids] == await awaiting(api)
        identity, address = await papers(api)
        verification = await submitted(api, address, dids[:1])
        assert "pending" == verification["attributes"]["status"]
        assert 2 == len(await awaiting(api))
        api.sim.verifications.approve(verification["id"])
        assert [dids[1]["id"]] == await awaiting(api)
        did = await read(api, dids[0], "address_verification,identity")
        assert to(verification) == did["relationships"]["address_verification"]["data"]
        assert to(identity) == did["relationships"]["identity"]["data"]
        for item in (identity, address):
            assert (await read(api, item))["attributes"]["verified"]
        found = f"/dids?filter[address_verification.id]={verification['id']}"
        assert [dids[0]["id"]] == (await api.get(found)).ids
        # A number that came later is registered by the same address.
        await update(api, dids[1], {"address_verification": to(verification)})
        assert [] == await awaiting(api)
        await update(api, dids[1], {"address_verification": None})
        assert [dids[1]["id"]] == await awaiting(api)


async def test_it_is_approved_after_a_while_by_itself():
    async with running(completes_after=None, verified_after=0.01) as api:
        dids = await bought(api, sku_id=SKU_MOBILE, qty=1)
        _, address = await papers(api)
        await submitted(api, address, dids)
        async with asyncio.timeout(5):
            while await awaiting(api):
                await asyncio.sleep(0.01)


async def test_a_rejected_address_may_be_submitted_again():
    async with running(completes_after=None, verified_after=None) as api:
        dids = await bought(api, sku_id=SKU_MOBILE, qty=1)
        _, address = await papers(api)
        verification = await submitted(api, address, dids)
        links = {"address": to(address), "dids": [to(did) for did in dids]}
        assert ["/data/relationships/dids"] == await create(
            api, "address_verifications", links, status=422
        )
        api.sim.verifications.reject(
            verification["id"], reasons=["Blurred", "Too old"], comment="a scan, please"
        )
        attributes = (await read(api, verification))["attributes"]
        assert "rejected" == attributes["status"]
        assert ["Blurred", "Too old"] == attributes["reject_reasons"]
        assert "a scan, please" == attributes["reject_comment"]
        assert [dids[0]["id"]] == await awaiting(api)
        again = await submitted(api, address, dids)
        assert {verification["id"], again["id"]} == {row.id for row in api.sim.verifications.all}
        api.sim.verifications.approve(again["id"])
        assert [] == await awaiting(api)


async def test_what_is_missing_is_named():
    async with running(completes_after=None, verified_after=None) as api:
        dids = await bought(api, sku_id=SKU_MOBILE, qty=1)
        group = await api.get("/did_groups?filter[needs_registration]=true")
        path = f"/did_groups/{group.ids[0]}?include=address_requirement.address_proof_types"
        requirement = (await api.get(path)).json["included"][0]
        assert "address_requirements" == requirement["type"]
        identity = await create(
            api,
            "identities",
            identity_type="personal",
            first_name="Ann",
            last_name="Smith",
            phone_number="1",
        )
        address = await place(api, identity, US, "New York")

        async def missing(**links):
            links = {"address_requirement": requirement, **links}
            links = {name: to(item) for name, item in links.items()}
            return await create(api, "address_requirement_validations", links, status=422)

        assert [IDENTITY, ADDRESS] == await missing()
        # birth_date, id_number and a proof; and the address is in another country.
        assert [IDENTITY] * 3 == await missing(identity=identity)
        assert [ADDRESS] == await missing(address=address)
        links = {"address": to(address), "dids": [to(dids[0])]}
        assert [IDENTITY] * 3 + [ADDRESS] == await create(
            api, "address_verifications", links, status=422
        )
        other = await person(api, BRITAIN)
        assert [ADDRESS] == await missing(identity=other, address=address)
        await prove(api, other, "Passport")
        fit = {"address_requirement": to(requirement), "identity": to(other)}
        found = await create(api, "address_requirement_validations", fit)
        assert {"id", "type"} == found.keys()


async def test_what_a_verification_needs_cannot_be_deleted():
    async with running(completes_after=None, verified_after=None) as api:
        dids = await bought(api, sku_id=SKU_MOBILE, qty=1)
        identity, address = await papers(api)
        verification = await submitted(api, address, dids)
        for item in (identity, address):
            assert "409" == (await delete(api, item, 409)).error["status"]
        api.sim.verifications.reject(verification["id"])
        await delete(api, identity)
        for path in ("/identities", "/addresses", "/proofs"):
            assert [] == (await api.get(path)).ids
        listed = f"/address_verifications?include=address&filter[address.identity.id]={BRITAIN}"
        assert [] == (await api.get(listed)).ids
        assert [verification["id"]] == (await api.get("/address_verifications")).ids


async def test_an_address_knows_its_city():
    async with running() as api:
        identity = await person(api, BRITAIN)
        address = await place(api, identity, BRITAIN, "LONDON")
        found = await read(api, address, "city,area,identity.country")
        assert {"type": "cities", "id": LONDON} == found["relationships"]["city"]["data"]
        assert found["relationships"]["area"]["data"]
        for query in (f"[city.id]={LONDON}", "[city_name_contains]=lon", "[postal_code]=N1"):
            assert [address["id"]] == (await api.get(f"/addresses?filter{query}")).ids
        assert ["/data/attributes/company_name"] == await create(
            api,
            "identities",
            status=422,
            identity_type="business",
            first_name="A",
            last_name="B",
            phone_number="1",
        )
        assert ["/data/relationships/identity"] == await create(
            api,
            "addresses",
            {
                "identity": {"type": "identities", "id": "x"},
                "country": {"type": "countries", "id": BRITAIN},
            },
            status=422,
            address="a",
            city_name="b",
            postal_code="c",
        )


async def test_documents_prove_what_they_are_for():
    async with running() as api:
        identity = await person(api, BRITAIN)
        address = await place(api, identity, BRITAIN)
        proof = await prove(api, address, "Utility Bill")
        found = await read(api, proof, "entity.country,proof_type")
        assert to(address) == found["relationships"]["entity"]["data"]
        types = (await api.get("/proof_types?filter[entity_type]=Personal")).json["data"]
        file = to((await upload(api)).json["data"])
        links = {"proof_type": to(types[0]), "entity": to(address), "files": [file]}
        assert ["/data/relationships/proof_type"] == await create(api, "proofs", links, status=422)
        templates = (await api.get("/supporting_document_templates?sort=permanent")).json["data"]
        links = {"template": to(templates[0]), "identity": to(identity), "files": [file]}
        assert ["/data/relationships/template"] == await create(
            api, "permanent_supporting_documents", links, status=422
        )
        links["template"] = to(templates[-1])
        document = await create(api, "permanent_supporting_documents", links)
        held = await read(api, identity, "permanent_documents,addresses,proofs")
        assert [to(document)] == held["relationships"]["permanent_documents"]["data"]
        await delete(api, proof)
        await delete(api, document)


async def test_the_old_version_spells_it_differently():
    async with running(completes_after=None, verified_after=None) as api:
        old = api.speaking(OLD)
        dids = await bought(api, sku_id=SKU_MOBILE, qty=1)
        _, address = await papers(api)
        identity = (await old.get("/identities")).json["data"][0]
        assert "Personal" == identity["attributes"]["identity_type"]
        requirement = (await old.get("/requirements")).json["data"][0]
        assert "requirements" == requirement["type"]
        assert "WorldWide" == requirement["attributes"]["personal_area_level"]
        links = {"requirement": to(requirement), "identity": to(identity)}
        await create(old, "requirement_validations", links)
        await api.get("/requirements", 404)
        await old.get("/address_requirements", 404)
        groups = await old.get("/did_groups?filter[needs_registration]=true&include=requirement")
        assert to(requirement) == to(groups.json["included"][0])
        links = {"address": to(address), "dids": [to(dids[0])]}
        verification = await create(
            old,
            "address_verifications",
            links,
            callback_url="http://127.0.0.1:1/",
            callback_method="POST",
        )
        assert "Pending" == verification["attributes"]["status"]
        api.sim.verifications.reject(verification["id"], reasons=["Blurred", "Too old"])
        attributes = (await read(old, verification))["attributes"]
        assert "Rejected" == attributes["status"]
        assert "Blurred, Too old" == attributes["reject_reasons"]
        assert [] == (await old.get("/address_verifications?filter[status]=Pending")).ids
        await old.get("/address_verifications?filter[status]=pending", 400)
        assert (await old.get(f"/dids?filter[country.id]={BRITAIN}&include=did_group")).ids
        await old.get("/did_history", 404)

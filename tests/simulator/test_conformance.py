"""Every reply of a run over all operations is what the contract says."""

from typing import Any

import aiohttp
import pytest
from contract import CONTRACT
from simulator.kit import NEW, NOBODY, Api
from simulator.schemas import operations, type_of
from simulator.tour import Tour, everything, read_everything, recently, to

from didww_async.simulator import Simulator
from didww_async.simulator.resources import edition

EMERGENCY_GROUP = "8d5bd7ff-10e6-46d9-a0b4-3a883e781f61"
REGISTERED_GROUP = "63a74def-1eec-43e3-a190-30dfab6493ee"
BEYOND_THE_CONTRACT = {("/did_groups", "local_prefix"), ("/orders", "description")}
"""Sorts that other documents have."""
SIP = {"type": "sip_configurations", "attributes": {"host": "sip.example.com"}}
CREDENTIALS = {"type": "credentials_and_ip", "attributes": {"allowed_sip_ips": ["203.0.113.7"]}}


@pytest.fixture
async def tour():
    """Of the world that ships with the package; nothing happens by itself."""
    options: dict[str, Any] = {"completes_after": None, "verified_after": None}
    async with (
        Simulator(rate_limit=None, exported_after=None, **options) as sim,
        aiohttp.ClientSession() as session,
    ):
        yield Tour(Api(sim, session))


async def test_every_reply_is_what_the_contract_says(tour, capsys):
    identity, address = await identities(tour)
    await documents(tour, identity, address)
    dids = await registration(tour, address)
    await voice(tour, dids)
    await capacity(tour)
    await emergency(tour, identity, address)
    await exports(tour)
    await buying(tour)
    await read_everything(tour)
    await deleting(tour)

    done = {operation for operation, statuses in tour.seen.items() if min(statuses) < 300}
    assert set() == everything() - done
    for method, path, endpoint in operations():
        refused = {400, 403, 404, 422} & {int(code) for code in endpoint["responses"]}
        assert set() == refused - tour.seen[method, path], f"{method} {path}"
    with capsys.disabled():
        print(f"\n{len(done)} of {len(everything())} operations")


async def identities(tour):
    [country] = await tour.get("/countries?filter[iso]=DE")
    person = {"first_name": "Ann", "last_name": "Smith", "phone_number": "4930123456"}
    links = {"country": to(country), "birth_country": to(country)}
    identity = await tour.create(
        "identities",
        identity_type="personal",
        birth_date="1990-01-31",
        id_number="X1",
        relationships=links,
        **person,
    )
    await tour.create("identities", status=422, identity_type="business", **person)
    await tour.update(identity, description="the first", contact_email="ann@example.com")
    await tour.call("PATCH", f"/identities/{NOBODY}", status=404, json={})
    links = {"identity": to(identity), "country": to(country)}
    place = {"address": "Domplatz 1", "city_name": "Aachen", "postal_code": "52062"}
    address = await tour.create("addresses", relationships=links, **place)
    await tour.create("addresses", status=422, relationships=links, address="nowhere")
    await tour.update(address, description="home")
    await tour.call("PATCH", f"/addresses/{NOBODY}", status=404, json={})
    return identity, address


async def documents(tour, identity, address):
    await tour.get("/public_keys")
    fingerprint = tour.api.sim.files.fingerprint
    file = await tour.upload(fingerprint=fingerprint, content=bytes(1040))
    await tour.upload(fingerprint="old:::older", content=bytes(1040), status=422)
    types = {row["attributes"]["name"]: row for row in await tour.get("/proof_types")}
    for name, entity in (("Passport", identity), ("Utility Bill", address)):
        links = {"proof_type": to(types[name]), "entity": to(entity), "files": [to(file)]}
        proof = await tour.create("proofs", relationships=links, external_reference_id=name)
        await tour.create("proofs", status=422, relationships=links | {"files": []})
    await tour.update(proof, external_reference_id="proof-1")
    await tour.call("PATCH", f"/proofs/{NOBODY}", status=404, json={})
    templates = await tour.get("/supporting_document_templates?filter[permanent]=true")
    links = {"template": to(templates[0]), "identity": to(identity), "files": [to(file)]}
    document = await tour.create("permanent_supporting_documents", relationships=links)
    await tour.update(document, relationships={"template": to(templates[1])})
    await tour.call("PATCH", f"/permanent_supporting_documents/{NOBODY}", status=404, json={})


async def registration(tour, address):
    sku = await sku_of(tour, REGISTERED_GROUP)
    dids = await tour.order(sku_id=sku, qty=3)
    group = await tour.get(f"/did_groups/{REGISTERED_GROUP}?include=address_requirement")
    requirement = group["relationships"]["address_requirement"]["data"]
    links = {"address_requirement": requirement, "address": to(address)}
    await tour.create("address_requirement_validations", relationships=links)
    links = {"address_requirement": requirement}
    await tour.create("address_requirement_validations", status=422, relationships=links)
    await tour.create("address_verifications", status=422, relationships={"address": to(address)})
    for decide, did in zip(("approve", "reject", None), dids, strict=True):
        verification = await tour.create(
            "address_verifications",
            callback_url="http://127.0.0.1:1/",
            callback_method="post",
            relationships={"address": to(address), "dids": [to(did)]},
        )
        if decide:
            getattr(tour.api.sim.verifications, decide)(verification["id"])
        await tour.get(f"/address_verifications/{verification['id']}?include=address,dids")
    await tour.update(verification, external_reference_id="verification-1")
    await tour.call("PATCH", f"/address_verifications/{NOBODY}", status=404, json={})
    return dids


async def voice(tour, dids):
    pop = (await tour.get("/pops"))[0]
    trunk = await tour.create(
        "voice_in_trunks", name="sip", configuration=SIP, relationships={"pop": to(pop)}
    )
    empty = {"type": "sip_configurations", "attributes": {}}
    await tour.create("voice_in_trunks", status=422, name="sip", configuration=empty)
    sent = {"type": "sip_configurations", "attributes": {"incoming_auth_username": "me"}}
    await tour.create("voice_in_trunks", status=400, name="sip", configuration=sent)
    registered = {"type": "sip_configurations", "attributes": {"enabled_sip_registration": True}}
    await tour.update(trunk, configuration=registered)
    pstn = {"type": "pstn_configurations", "attributes": {"dst": "4930123456"}}
    await tour.create("voice_in_trunks", name="pstn", configuration=pstn)
    await tour.call("PATCH", f"/voice_in_trunks/{NOBODY}", status=404, json={})
    group = await tour.create(
        "voice_in_trunk_groups", name="all", relationships={"voice_in_trunks": [to(trunk)]}
    )
    await tour.update(group, capacity_limit=5)
    await tour.call("PATCH", f"/voice_in_trunk_groups/{NOBODY}", status=404, json={})
    await tour.update(dids[0], relationships={"voice_in_trunk": to(trunk)})
    both = {"voice_in_trunk": to(trunk), "voice_in_trunk_group": to(group)}
    await tour.update(dids[0], status=422, relationships=both)
    await tour.call("PATCH", f"/dids/{NOBODY}", status=404, json={})

    out = await tour.create("voice_out_trunks", name="out", authentication_method=CREDENTIALS)
    for kind, attributes in (
        ("ip_only", {"allowed_sip_ips": ["203.0.113.7"]}),
        ("twilio", {"twilio_account_sid": "AC1"}),
    ):
        method = {"type": kind, "attributes": attributes}
        other = await tour.create("voice_out_trunks", name=kind, authentication_method=method)
    await tour.create("voice_out_trunks", status=422, name="out")
    await tour.update(out, allow_any_did_as_cli=True, threshold_amount="12.5")
    await tour.call("PATCH", f"/voice_out_trunks/{NOBODY}", status=404, json={})
    for trunk, status in ((out, 201), (other, 422)):
        await tour.create(
            "voice_out_trunk_regenerate_credentials",
            status=status,
            relationships={"voice_out_trunk": to(trunk)},
        )
    tour.api.sim.voice_out = False
    await tour.call("GET", "/voice_out_trunks", status=403)
    tour.api.sim.voice_out = True


async def capacity(tour):
    pools = await tour.get("/capacity_pools?include=countries,qty_based_pricings")
    item = {"capacity_pool_id": pools[0]["id"], "qty": 12}
    items = [{"type": "capacity_order_items", "attributes": item}]
    order = await tour.create("orders", items=items)
    tour.api.sim.complete(order["id"])
    await tour.get(f"/orders/{order['id']}")
    await tour.update(pools[0], total_channels_count=10)
    await tour.update(pools[0], status=422, total_channels_count=11)
    await tour.call("PATCH", f"/capacity_pools/{NOBODY}", status=404, json={})
    links = {"capacity_pool": to(pools[0])}
    group = await tour.create(
        "shared_capacity_groups", name="shared", shared_channels_count=4, relationships=links
    )
    await tour.create(
        "shared_capacity_groups",
        status=422,
        name="shared",
        shared_channels_count=7,
        relationships=links,
    )
    await tour.update(group, metered_channels_count=2)
    await tour.call("PATCH", f"/shared_capacity_groups/{NOBODY}", status=404, json={})


async def emergency(tour, identity, address):
    sku = await sku_of(tour, EMERGENCY_GROUP)
    dids = await tour.order(sku_id=sku, qty=1)
    [country] = await tour.get("/countries?filter[iso]=US")
    place = {"address": "Broadway 1", "city_name": "New York", "postal_code": "10004"}
    links = {"identity": to(identity), "country": to(country)}
    here = await tour.create("addresses", relationships=links, **place)
    [requirement] = await tour.get(f"/emergency_requirements?filter[country.id]={country['id']}")
    links = {"emergency_requirement": to(requirement), "address": to(here)}
    await tour.create("emergency_requirement_validations", relationships=links)
    links["address"] = to(address)
    await tour.create("emergency_requirement_validations", status=422, relationships=links)
    links = {"address": to(here), "dids": [to(dids[0])]}
    verification = await tour.create("emergency_verifications", relationships=links)
    await tour.create("emergency_verifications", status=422, relationships=links)
    tour.api.sim.verifications.approve(verification["id"])
    await tour.update(verification, external_reference_id="emergency-1")
    await tour.call("PATCH", f"/emergency_verifications/{NOBODY}", status=404, json={})


async def exports(tour):
    filters = {"from": recently(days=2), "to": recently(days=1)}
    for type_ in ("cdr_in", "cdr_out"):
        export = await tour.create("exports", export_type=type_, filters=filters)
    tour.api.sim.exports.complete(export["id"])
    await tour.get(f"/exports/{export['id']}")
    await tour.create("exports", status=422, export_type="cdr_in", filters={})
    await tour.update(export, external_reference_id="export-1")
    await tour.call("PATCH", f"/exports/{NOBODY}", status=404, json={})


async def buying(tour):
    did = (await tour.get("/available_dids?include=did_group,nanpa_prefix"))[0]
    links = {"available_did": to(did)}
    reservation = await tour.create("did_reservations", relationships=links)
    await tour.create("did_reservations", status=422, relationships=links)
    await tour.get(f"/did_reservations/{reservation['id']}?include=available_did")
    sku = await sku_of(tour, EMERGENCY_GROUP)
    items = [{"type": "did_order_items", "attributes": {"sku_id": sku, "qty": 1}}]
    order = await tour.create("orders", items=items, callback_url=None)
    await tour.update(order, external_reference_id="order-1")
    await tour.call("PATCH", f"/orders/{NOBODY}", status=404, json={})
    await tour.create("orders", status=400, items=[])
    tour.api.sim.read_only = True
    await tour.create("orders", status=403, items=items)
    tour.api.sim.read_only = False


async def deleting(tour):
    """Delete one of everything; what is in use stays."""
    for method, path, _endpoint in operations():
        if method != "DELETE":
            continue
        collection = path.removesuffix("/{id}")
        await tour.call("DELETE", f"{collection}/{NOBODY}", status=404)
        if collection not in {"/identities", "/addresses", "/orders"}:
            await tour.delete((await tour.get(collection))[0])
    await tour.delete((await tour.get("/orders?filter[status]=pending"))[0])
    for collection in ("/addresses", "/identities"):
        item = (await tour.get(f"{collection}?sort=created_at"))[0]
        await tour.delete(item, status=409)
    for verification in tour.api.sim.verifications.all:
        if verification.status == "pending":
            tour.api.sim.verifications.reject(verification.id)
    address = (await tour.get("/addresses?sort=-created_at"))[0]
    await tour.delete(address)
    spare = await tour.create(
        "identities",
        identity_type="personal",
        first_name="A",
        last_name="B",
        phone_number="1",
    )
    await tour.delete(spare)


async def sku_of(tour, group_id):
    group = await tour.get(f"/did_groups/{group_id}?include=stock_keeping_units")
    return group["relationships"]["stock_keeping_units"]["data"][0]["id"]


# The tables


@pytest.mark.parametrize(("method", "path", "endpoint"), list(operations()))
def test_the_tables_are_the_contract_s(method, path, endpoint):
    """Filters, sorts, includes and inputs: all of the contract's, and no others."""
    resource = edition(NEW).by_path[path.split("/")[1]]
    assert type_of(endpoint) == resource.type
    if method == "GET":
        assert set(endpoint["query"]["include"]) == set(resource.relationship_named)
    if method == "GET" and "{id}" not in path:
        assert set(endpoint["query"]["filter"]) == set(resource.filter_named)
        sorts = {name for name in resource.sort_named if (path, name) not in BEYOND_THE_CONTRACT}
        assert set(endpoint["query"]["sort"]) == sorts
        assert bool(endpoint["query"]["page"]) == (
            resource.paging is not None and path != "/balance"
        )
    if method in {"POST", "PATCH"} and path != "/encrypted_files":
        inputs = resource.creates if method == "POST" else resource.updates
        request = endpoint["request"]
        names = {entry.name for entry in inputs if not entry.relationship}
        assert set(request["attributes"]) == names
        links = {entry.name for entry in inputs if entry.relationship}
        assert set(request["relationships"]) == links


@pytest.mark.parametrize("type_", CONTRACT["resources"])
def test_the_attributes_are_the_contract_s(type_):
    resource, rules = edition(NEW).by_type[type_], CONTRACT["resources"][type_]
    assert set(rules.get("attributes") or ()) == {entry.name for entry in resource.attributes}
    assert set(rules.get("relationships") or ()) == set(resource.relationship_named)

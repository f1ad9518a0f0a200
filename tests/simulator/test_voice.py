"""Trunks: routing of numbers, configurations that are replaced whole, and generated secrets."""

import pytest
from simulator.kit import OLD, SKU_0, SKU_LONDON, running
from simulator.papers import bought, create, delete, read, to, update

HOST = {"host": "sip.example.com"}
IPS = {"allowed_sip_ips": ["203.0.113.7"]}


def sip(**attributes):
    return {"type": "sip_configurations", "attributes": attributes}


def method(type_, **attributes):
    return {"type": type_, "attributes": attributes}


async def trunk(api, name="office", **more):
    return await create(api, "voice_in_trunks", name=name, configuration=sip(**HOST), **more)


async def route(api, did):
    did = await read(api, did, "voice_in_trunk,voice_in_trunk_group")
    links = did["relationships"]
    return links["voice_in_trunk"]["data"], links["voice_in_trunk_group"]["data"]


async def test_numbers_follow_their_trunks():
    async with running(completes_after=None) as api:
        [did] = await bought(api, sku_id=SKU_LONDON, qty=1)
        first, second = await trunk(api), await trunk(api, "home")
        links = {"voice_in_trunks": [to(first), to(second)]}
        group = await create(api, "voice_in_trunk_groups", links, name="both")
        assert {"trunks_count": 2} == group["meta"]
        await update(api, did, {"voice_in_trunk": to(first)})
        assert (to(first), None) == await route(api, did)
        await update(api, did, {"voice_in_trunk_group": to(group)})
        assert (None, to(group)) == await route(api, did)
        found = f"/dids?filter[trunk_group.id]={group['id']}&include=voice_in_trunk_group"
        assert [did["id"]] == (await api.get(found)).ids
        both = {"voice_in_trunk": to(first), "voice_in_trunk_group": to(group)}
        assert ["/data/relationships/voice_in_trunk"] == await update(api, did, both, status=422)
        other = await create(
            api, "voice_in_trunk_groups", {"voice_in_trunks": [to(second)]}, name="one"
        )
        assert {"trunks_count": 1} == (await read(api, group))["meta"]
        await update(api, other, {"voice_in_trunks": []})
        assert {"trunks_count": 0} == (await read(api, other))["meta"]
        await delete(api, group)
        assert (None, None) == await route(api, did)
        group_of = (await read(api, first, "voice_in_trunk_group"))["relationships"]
        assert group_of["voice_in_trunk_group"]["data"] is None
        await update(api, did, {"voice_in_trunk": to(first)})
        await delete(api, first)
        assert (None, None) == await route(api, did)


async def test_a_configuration_is_replaced_whole():
    async with running() as api:
        item = await create(
            api, "voice_in_trunks", name="a", configuration=sip(**HOST, codec_ids=[8], port=5061)
        )
        attributes = item["attributes"]["configuration"]["attributes"]
        assert ([8], 5061) == (attributes["codec_ids"], attributes["port"])
        item = await update(api, item, configuration=sip(**HOST))
        attributes = item["attributes"]["configuration"]["attributes"]
        assert ([9, 10, 8, 7, 6], None) == (attributes["codec_ids"], attributes["port"])
        pstn = {"type": "pstn_configurations", "attributes": {"dst": "4420"}}
        pointer = "/data/attributes/configuration/type"
        assert [pointer] == await update(api, item, status=422, configuration=pstn)


@pytest.mark.parametrize(
    ("configuration", "status", "names"),
    [
        (sip(), 422, ["host"]),
        (sip(**HOST, incoming_auth_username="me"), 400, []),
        (sip(**HOST, colour="red"), 400, []),
        ({"type": "iax_configurations", "attributes": {}}, 400, []),
        (sip(**HOST, port=0, transport_protocol_id=9), 422, ["port", "transport_protocol_id"]),
        (sip(**HOST, use_did_in_ruri=True), 422, ["use_did_in_ruri"]),
        (sip(**HOST, enabled_sip_registration=True), 422, ["host"]),
        (sip(**HOST, auth_enabled=True), 422, ["auth_user", "auth_password"]),
        ({"type": "pstn_configurations", "attributes": {"dst": "+44"}}, 422, ["dst"]),
        ({"type": "pstn_configurations", "attributes": {}}, 422, ["dst"]),
    ],
)
async def test_bad_configurations(configuration, status, names):
    async with running() as api:
        data = {
            "type": "voice_in_trunks",
            "attributes": {"name": "a", "configuration": configuration},
        }
        answer = await api.call("POST", "/voice_in_trunks", json={"data": data})
        assert status == answer.status, answer.body
        if names:
            start = "/data/attributes/configuration/"
            assert [start + name for name in names] == answer.pointers
        assert [] == (await api.get("/voice_in_trunks")).ids


async def test_registration_generates_credentials():
    async with running() as api:
        item = await trunk(api)
        names = ("incoming_auth_username", "incoming_auth_password")

        async def secrets(**more):
            changed = await update(api, item, configuration=sip(**more))
            return [changed["attributes"]["configuration"]["attributes"][name] for name in names]

        first = await secrets(enabled_sip_registration=True)
        assert all(first)
        assert first == await secrets(enabled_sip_registration=True, use_did_in_ruri=True)
        assert [None, None] == await secrets(**HOST)
        assert first != await secrets(enabled_sip_registration=True)


async def test_outbound_credentials():
    async with running() as api:
        trunks = [
            await create(api, "voice_out_trunks", name=kind, authentication_method=found)
            for kind, found in (
                ("a", method("credentials_and_ip", **IPS)),
                ("b", method("ip_only", **IPS)),
                ("c", method("twilio", twilio_account_sid="AC1")),
            )
        ]

        async def secrets(item):
            item = await read(api, item)
            attributes = item["attributes"]["authentication_method"]["attributes"]
            return attributes["username"], attributes["password"]

        first = await secrets(trunks[0])
        await update(api, trunks[0], authentication_method=method("credentials_and_ip"))
        assert first == await secrets(trunks[0])
        type_ = "voice_out_trunk_regenerate_credentials"
        reply = await create(api, type_, {"voice_out_trunk": to(trunks[0])})
        assert {"id", "type"} == reply.keys()
        second = await secrets(trunks[0])
        assert first[0] != second[0]
        assert first[1] != second[1]
        for other in trunks[1:]:
            links = {"voice_out_trunk": to(other)}
            assert ["/data/relationships/voice_out_trunk"] == await create(
                api, type_, links, status=422
            )
        await api.get(f"/{type_}", 404)
        changed = method("ip_only", allowed_sip_ips=["198.51.100.1"])
        assert ["/data/attributes/authentication_method/allowed_sip_ips"] == await update(
            api, trunks[1], status=422, authentication_method=changed
        )
        sent = method("credentials_and_ip", username="me")
        data = {
            "type": "voice_out_trunks",
            "attributes": {"name": "d", "authentication_method": sent},
        }
        answer = await api.call("POST", "/voice_out_trunks", json={"data": data})
        assert 400 == answer.status
        text = repr(api.sim._world.owned.out_trunks)
        assert second[1] not in text


async def test_numbers_to_call_as():
    async with running(completes_after=None) as api:
        [london] = await bought(api, sku_id=SKU_LONDON, qty=1)
        [deaf] = await bought(api, sku_id=SKU_0, qty=1)
        item = await create(
            api,
            "voice_out_trunks",
            {"dids": [to(london)]},
            name="a",
            authentication_method=method("ip_only", **IPS),
        )
        pointer = "/data/relationships/dids"
        assert [pointer] == await update(api, item, {"dids": [to(deaf)]}, status=422)
        await update(api, item, {"dids": []}, allow_any_did_as_cli=True)
        assert [pointer] == await update(api, item, {"dids": [to(london)]}, status=422)
        found = await read(api, item, "dids,emergency_dids")
        assert [to(london)] == found["relationships"]["dids"]["data"]
        links = {"emergency_dids": [to(london)]}
        assert ["/data/relationships/emergency_dids"] == await update(api, item, links, status=422)


async def test_outbound_trunks_of_the_old_version():
    async with running() as api:
        old = api.speaking(OLD)
        item = await create(
            old,
            "voice_out_trunks",
            name="a",
            allowed_sip_ips=["203.0.113.7"],
            on_cli_mismatch_action="Reject call",
        )
        attributes = item["attributes"]
        assert ["203.0.113.7"] == attributes["allowed_sip_ips"]
        assert "Reject call" == attributes["on_cli_mismatch_action"]
        assert attributes["username"]
        assert "authentication_method" not in attributes
        assert "default_did" in item["relationships"]
        found = (await read(api, item))["attributes"]
        assert attributes["username"] == found["authentication_method"]["attributes"]["username"]
        inbound = await create(old, "voice_in_trunks", name="b", configuration=sip(**HOST))
        known = inbound["attributes"]["configuration"]["attributes"]
        assert "enabled_sip_registration" not in known
        sent = sip(**HOST, enabled_sip_registration=False)
        data = {"type": "voice_in_trunks", "attributes": {"name": "c", "configuration": sent}}
        answer = await old.call("POST", "/voice_in_trunks", json={"data": data})
        assert 400 == answer.status


async def test_a_plan_without_outbound_calls():
    async with running(voice_out=False) as api:
        await api.get("/voice_out_trunks", 403)

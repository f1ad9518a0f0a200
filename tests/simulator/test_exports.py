"""CDR exports: asked for, completed, fetched; and callbacks of exports and verifications."""

import csv
import gzip
import io
from datetime import UTC, datetime

import pytest
from aiohttp import web
from simulator.kit import BRITAIN, OLD, SKU_LONDON, SKU_MOBILE, running
from simulator.papers import bought, create, person, place, prove, read, to

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PERIOD = {"from": "2026-05-01 00:00:00", "to": "2026-05-11"}


def starting(**options):
    return running(
        completes_after=None,
        exported_after=None,
        verified_after=None,
        clock=lambda: NOW,
        **options,
    )


async def rows(api, export, headers=None):
    path = export["attributes"]["url"].removeprefix(api.sim.base_url)
    answer = await api.call("GET", path, headers={"Accept": None, **(headers or {})})
    assert (200, "application/gzip") == (answer.status, answer.headers["Content-Type"])
    return list(csv.DictReader(io.StringIO(gzip.decompress(answer.body).decode())))


async def test_an_export_is_made_and_fetched():
    async with starting() as api:
        numbers = {
            did["attributes"]["number"] for did in await bought(api, sku_id=SKU_LONDON, qty=3)
        }
        export = await create(api, "exports", export_type="cdr_in", filters=PERIOD)
        assert ("pending", None) == (
            export["attributes"]["status"],
            export["attributes"]["url"],
        )
        await api.get(f"/exports/{export['id']}.csv.gz", 404)
        api.sim.exports.complete(export["id"])
        export = await read(api, export)
        assert "completed" == export["attributes"]["status"]
        assert PERIOD == export["attributes"]["filters"]
        calls = await rows(api, export)
        assert numbers == {call["DID"] for call in calls}
        for call in calls:
            assert "2026-05-01" <= call["Date/Time Start (UTC)"] < "2026-05-11"
        answer = await api.call(
            "GET", f"/exports/{export['id']}.csv.gz", headers={"Api-Key": "wrong"}
        )
        assert 401 == answer.status
        with pytest.raises(ValueError, match="completed"):
            api.sim.exports.complete(export["id"])


async def test_exports_agree_on_the_calls():
    async with starting() as api:
        dids = await bought(api, sku_id=SKU_LONDON, qty=2)
        number = dids[0]["attributes"]["number"]

        async def made(**filters):
            export = await create(
                api, "exports", export_type="cdr_out", filters={**PERIOD, **filters}
            )
            api.sim.exports.complete(export["id"])
            return await rows(api, await read(api, export))

        everything = await made()
        assert [call for call in everything if call["CLI"] == number] == await made(
            did_number=number
        )
        assert [
            call for call in everything if call["Date/Time Start (UTC)"] >= "2026-05-05 06"
        ] == await made(**{"from": "2026-05-05T08:00:00+02:00"})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"from": None, "to": None}, ["from", "to"]),
        ({"from": "2026-02-28"}, ["from"]),
        ({"to": "2026-05-20 12:00:01"}, ["to"]),
        ({"from": "2026-05-11"}, ["from"]),
        ({"from": "yesterday"}, ["from"]),
        ({"from": "0001-01-01T00:00+23:59"}, ["from"]),
    ],
)
async def test_bad_periods(changes, names):
    filters = {name: text for name, text in {**PERIOD, **changes}.items() if text}
    async with starting() as api:
        pointers = [f"/data/attributes/filters/{name}" for name in names]
        assert pointers == await create(
            api, "exports", status=422, export_type="cdr_in", filters=filters
        )


async def test_the_old_version_of_an_export():
    async with starting() as api:
        export = await create(api.speaking(OLD), "exports", export_type="cdr_in", filters=PERIOD)
        assert "Pending" == export["attributes"]["status"]
        assert "external_reference_id" not in export["attributes"]


async def test_callbacks_tell_of_exports_and_verifications():
    told = []

    async def receive(request):
        told.append(dict(request.query) | dict(await request.post()))
        return web.Response()

    runner = web.ServerRunner(web.Server(receive))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with starting() as api:
        callback = {"callback_url": url, "callback_method": "get"}
        export = await create(api, "exports", export_type="cdr_in", filters=PERIOD, **callback)
        api.sim.exports.complete(export["id"])
        dids = await bought(api, sku_id=SKU_MOBILE, qty=1)
        identity = await person(api, BRITAIN)
        await prove(api, identity, "Passport")
        links = {"address": to(await place(api, identity, BRITAIN)), "dids": [to(dids[0])]}
        callback["callback_method"] = "post"
        verification = await create(api, "address_verifications", links, **callback)
        api.sim.verifications.reject(verification["id"], reasons=["Blurred"], comment="again")
        while len(told) < 2:
            await api.get("/balance")
        assert ["/data/attributes/callback_method"] == await create(
            api, "exports", status=422, export_type="cdr_in", filters=PERIOD, callback_url=url
        )
    await runner.cleanup()
    file = f"{api.sim.base_url}/exports/{export['id']}.csv.gz"
    assert sorted(told, key=lambda payload: payload["type"]) == [
        {
            "id": verification["id"],
            "type": "address_verifications",
            "status": "rejected",
            "reject_reasons": "Blurred",
            "reject_comment": "again",
        },
        {"id": export["id"], "type": "exports", "status": "completed", "url": file},
    ]

"""What happened to numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from simulator.kit import SKU_LONDON, running
from simulator.papers import bought, update


async def test_every_change_is_remembered():
    clock = [datetime(2026, 5, 1, tzinfo=UTC)]
    async with running(completes_after=None, clock=lambda: clock[0]) as api:
        [did] = await bought(api, sku_id=SKU_LONDON, qty=1)
        number = did["attributes"]["number"]

        async def actions(query=""):
            clock[0] += timedelta(days=1)
            found = await api.get(f"/did_history?sort=created_at{query}")
            entries = found.json["data"]
            assert {number} >= {entry["attributes"]["did_number"] for entry in entries}
            return [
                (entry["attributes"]["action"], entry["attributes"]["method"], entry.get("meta"))
                for entry in entries
            ]

        assert [("assigned", "api3", None)] == await actions()
        await update(api, did, terminated=True)
        await actions()
        await update(api, did, terminated=False, description="no change of renewal")
        await actions()
        await update(api, did, billing_cycles_count=2)
        await actions()
        renewed = api.sim.numbers.renew(did["id"])
        assert 1 == renewed.billing_cycles_count
        await actions()
        api.sim.numbers.remove(did["id"])
        assert [] == (await api.get("/dids")).ids
        assert [
            ("assigned", "api3", None),
            ("canceled", "api3", None),
            ("restored", "api3", None),
            ("billing_cycles_count_changed", "api3", {"from": None, "to": "2"}),
            ("renewed", "system", None),
            ("removed", "system", None),
        ] == await actions()
        assert 1 == len(await actions("&filter[action]=renewed"))
        assert 2 == len(await actions("&filter[method]=system"))
        assert 2 == len(await actions("&filter[created_at_gteq]=2026-05-05"))
        assert [] == await actions("&filter[did_number]=1")
        clock[0] = datetime(2026, 8, 1, tzinfo=UTC)
        assert 3 == len(await actions())
        answer = await api.get("/did_history?filter[created_at_gteq]=2026-05-01", 400)
        assert "107" == answer.error["code"]


async def test_numbers_that_end():
    async with running(completes_after=None) as api:
        [did] = await bought(api, sku_id=SKU_LONDON, qty=1)
        await update(api, did, billing_cycles_count=0)
        assert [did["id"]] == (await api.get("/dids?filter[pending_removal]=true")).ids
        with pytest.raises(ValueError, match="renewed"):
            api.sim.numbers.renew(did["id"])
        api.sim.numbers.block(did["id"])
        assert ["/data/attributes/base"] == await update(api, did, status=422, description="x")

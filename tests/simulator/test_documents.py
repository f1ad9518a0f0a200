"""Whole documents, compared with the documentation's examples."""

import pytest
from simulator.kit import (
    EXAMPLE_DID,
    G_MOBILE,
    G_NEW_YORK,
    G_SELECT,
    NEW,
    NEW_YORK,
    NEW_YORK_STATE,
    OLD,
    P212_111,
    SKU_0,
    SKU_2,
    SMS_HINT,
    US,
    running,
)


def links(base_url, path, *names):
    return {
        name: {
            "links": {
                "self": f"{base_url}/{path}/relationships/{name}",
                "related": f"{base_url}/{path}/{name}",
            }
        }
        for name in names
    }


async def test_countries_in_the_old_version():
    async with running() as api:
        assert (await api.speaking(OLD).get("/countries?filter[iso]=US")).json == {
            "data": [
                {
                    "id": US,
                    "type": "countries",
                    "attributes": {"name": "United States", "prefix": "1", "iso": "US"},
                }
            ],
            "meta": {"api_version": OLD},
        }


async def test_countries_in_the_new_version():
    async with running() as api:
        assert (await api.get(f"/countries/{US}")).json == {
            "data": {
                "id": US,
                "type": "countries",
                "attributes": {"name": "United States", "prefix": "1", "iso": "US"},
                "relationships": links(api.sim.base_url, f"countries/{US}", "regions"),
            },
            "meta": {"api_version": NEW},
        }


@pytest.mark.parametrize(
    ("path", "attributes"),
    [
        (f"/regions/{NEW_YORK_STATE}", {"name": "New York", "iso": "US-NY"}),
        (f"/cities/{NEW_YORK}", {"name": "New York"}),
        (f"/nanpa_prefixes/{P212_111}", {"npa": "212", "nxx": "111"}),
    ],
)
async def test_small_resources(path, attributes):
    async with running() as api:
        assert (await api.get(path)).json["data"]["attributes"] == attributes


async def test_did_groups_of_a_city_in_the_old_version():
    names = ("country", "city", "did_group_type", "region", "stock_keeping_units", "requirement")
    async with running() as api:
        document = (
            await api.speaking(OLD).get(
                f"/did_groups?include=stock_keeping_units&filter[nanpa_prefix.id]={P212_111}"
            )
        ).json
        base_url = api.sim.base_url
        relationships = links(base_url, f"did_groups/{G_NEW_YORK}", *names)
        relationships["stock_keeping_units"]["data"] = [
            {"type": "stock_keeping_units", "id": SKU_0},
            {"type": "stock_keeping_units", "id": SKU_2},
        ]
        page = (
            f"{base_url}/did_groups?filter%5Bnanpa_prefix.id%5D={P212_111}"
            "&include=stock_keeping_units&page%5Bnumber%5D=1&page%5Bsize%5D=50"
        )
        assert document == {
            "data": [
                {
                    "id": G_NEW_YORK,
                    "type": "did_groups",
                    "attributes": {
                        "prefix": "212",
                        "features": ["voice_in"],
                        "is_metered": False,
                        "area_name": "New York",
                        "allow_additional_channels": True,
                        "service_restrictions": SMS_HINT,
                    },
                    "relationships": relationships,
                    "meta": {
                        "available_dids_enabled": True,
                        "needs_registration": False,
                        "is_available": True,
                        "total_count": 620,
                    },
                }
            ],
            "included": [
                {
                    "id": SKU_0,
                    "type": "stock_keeping_units",
                    "attributes": {
                        "setup_price": "4.0",
                        "monthly_price": "4.00",
                        "channels_included_count": 0,
                    },
                },
                {
                    "id": SKU_2,
                    "type": "stock_keeping_units",
                    "attributes": {
                        "setup_price": "4.0",
                        "monthly_price": "4.0",
                        "channels_included_count": 2,
                    },
                },
            ],
            "meta": {"total_records": 1, "api_version": OLD},
            "links": {"first": page, "last": page},
        }


async def test_included_groups_have_their_meta():
    async with running() as api:
        path = f"/available_dids/{EXAMPLE_DID}?include=did_group"
        [group] = (await api.get(path)).json["included"]
        assert (group["id"], group["meta"]["total_count"]) == (G_SELECT, 8)


async def test_what_the_versions_call_things():
    async with running() as api:
        old = (await api.speaking(OLD).get(f"/did_groups/{G_MOBILE}")).json["data"]
        new = (await api.get(f"/did_groups/{G_MOBILE}")).json["data"]
        assert "requirement" in old["relationships"]
        assert "address_requirement" in new["relationships"]
        assert "service_restrictions" not in old["attributes"]
        assert new["attributes"]["service_restrictions"] is None
        assert "sms_out" in old["attributes"]["features"]
        assert "sms_out" not in new["attributes"]["features"]


async def test_prices_can_be_changed():
    async with running() as api:
        api.sim.set_price(SKU_0, monthly_price="5.5")
        document = (await api.get(f"/did_groups/{G_NEW_YORK}?include=stock_keeping_units")).json
        assert document["included"][0]["attributes"]["monthly_price"] == "5.5"
        assert document["included"][0]["attributes"]["setup_price"] == "4.0"


async def test_the_balance():
    async with running(balance=60, credit=40) as api:
        document = (await api.get("/balance")).json
        assert document["data"]["type"] == "balances"
        assert document["data"]["attributes"] == {
            "balance": "60.00",
            "credit": "40.00",
            "total_balance": "100.00",
        }
        api.sim.balance = 7
        assert (await api.get("/balance")).json["data"]["attributes"]["balance"] == "7.00"
        await api.get("/balance?filter[id]=1", status=400)

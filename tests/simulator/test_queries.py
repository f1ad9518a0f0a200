"""Filters, sorts, pages, includes and sparse fields of every list."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from simulator.kit import (
    BRITAIN,
    CANADA,
    ENGLAND,
    G_LONDON,
    G_MOBILE,
    G_NEW_YORK,
    G_SELECT,
    G_TORONTO,
    GREATER_LONDON,
    LOCAL,
    LONDON,
    LONDON_ONTARIO,
    MOBILE,
    MONACO,
    NEW,
    NEW_YORK,
    NEW_YORK_STATE,
    NOBODY,
    OLD,
    ONTARIO,
    P212_111,
    P212_472,
    P416_203,
    TORONTO,
    US,
    running,
)


async def test_filters_and_sorts():
    cases = {
        "/countries?filter[iso]=US": [US],
        "/countries?filter[iso]=us": [],
        "/countries?filter[iso]=US,GB&sort=iso": [BRITAIN, US],
        "/countries?filter[name]=united states": [US],
        "/countries?filter[prefix]=1&sort=name": [CANADA, US],
        f"/countries?filter[id]={US},{NOBODY}": [US],
        "/countries?filter[is_available]=true&sort=-name": [US, BRITAIN],
        "/countries?filter[is_available]=false&sort=name": [CANADA, MONACO],
        "/countries?sort=prefix,-name": [MONACO, US, CANADA, BRITAIN],
        f"/regions?filter[country.id]={US}&filter[name]=New+York": [NEW_YORK_STATE],
        "/regions?filter[iso]=CA-ON": [ONTARIO],
        "/regions?sort=-name": [ONTARIO, NEW_YORK_STATE, ENGLAND],
        f"/cities?filter[country.id]={US}&filter[name]=new york": [NEW_YORK],
        "/cities?filter[name]=London&filter[is_available]=true": [LONDON],
        f"/cities?filter[region.id]={ONTARIO}&sort=-name": [TORONTO, LONDON_ONTARIO],
        f"/cities?filter[area.id]={GREATER_LONDON}": [LONDON],
        f"/cities?filter[country.id]={US},{BRITAIN}&sort=name": [LONDON, NEW_YORK],
        f"/areas?filter[country.id]={BRITAIN}&filter[name]=GREATER LONDON": [GREATER_LONDON],
        f"/areas?filter[country.id]={US}": [],
        f"/nanpa_prefixes?filter[region.id]={NEW_YORK_STATE}&sort=npa,-nxx": [
            P212_472,
            P212_111,
        ],
        "/nanpa_prefixes?filter[npanxx]=212472,416203&sort=-npa": [P416_203, P212_472],
        "/nanpa_prefixes?filter[npa]=212&filter[nxx]=111": [P212_111],
        "/nanpa_prefixes?filter[did_group.is_available]=true&sort=npa,nxx": [P212_111, P212_472],
        "/nanpa_prefixes?filter[did_group.is_available]=false": [P416_203],
        "/nanpa_prefixes?filter[did_group.features]=t38": [P212_472],
        "/did_group_types?filter[name]=mobile": [MOBILE],
        "/did_group_types?sort=-name": [MOBILE, LOCAL],
        f"/did_groups?filter[city.id]={LONDON}": [G_LONDON],
        f"/did_groups?filter[city.id]={LONDON},{TORONTO}&sort=area_name": [G_LONDON, G_TORONTO],
        f"/did_groups?filter[nanpa_prefix.id]={P212_111}": [G_NEW_YORK],
        f"/did_groups?filter[nanpa_prefix.id]={P212_111},{P212_472}": [G_NEW_YORK, G_SELECT],
        "/did_groups?filter[nanpa_prefix.npanxx]=212111,416203": [G_NEW_YORK, G_TORONTO],
        "/did_groups?filter[nanpa_prefix.id]=": [G_LONDON, G_MOBILE],
        "/did_groups?filter[city.id]=": [G_MOBILE],
        f"/did_groups?filter[city.id]=,{LONDON}": [G_MOBILE, G_LONDON],
        "/did_groups?filter[region.id]=&filter[did_group_type.id]=" + MOBILE: [G_MOBILE],
        "/did_groups?filter[prefix]=": [],
        "/did_groups?filter[prefix]=212,20&sort=-prefix": [G_NEW_YORK, G_SELECT, G_LONDON],
        "/did_groups?filter[area_name]=lonDON": [G_LONDON],
        "/did_groups?filter[features]=voice_in,t38": [G_SELECT, G_LONDON],
        "/did_groups?filter[is_metered]=true": [G_MOBILE],
        "/did_groups?filter[allow_additional_channels]=false": [G_MOBILE],
        "/did_groups?filter[available_dids_enabled]=false": [G_MOBILE],
        "/did_groups?filter[needs_registration]=true": [G_MOBILE],
        "/did_groups?filter[is_available]=false": [G_TORONTO],
        "/did_groups?filter[meta.total_count_gteq]=620": [G_NEW_YORK, G_LONDON],
        f"/did_groups?filter[region.id]={NEW_YORK_STATE}&filter[country.id]={CANADA}": [],
        "/did_groups?sort=country.name,-did_group_type.name,area_name": [
            G_TORONTO,
            G_MOBILE,
            G_LONDON,
            G_NEW_YORK,
            G_SELECT,
        ],
        "/did_groups?filter[country.id]=" + BRITAIN + "&sort=local_prefix": [G_LONDON, G_MOBILE],
    }
    async with running() as api:
        for path, ids in cases.items():
            assert (await api.get(path)).ids == ids, path


@pytest.mark.parametrize(
    "sort", ["is_metered", "allow_additional_channels", "service_restrictions"]
)
async def test_other_sorts_of_did_groups(sort):
    async with running() as api:
        up = (await api.get(f"/did_groups?sort={sort}")).ids
        down = (await api.get(f"/did_groups?sort=-{sort}")).ids
        assert up != down
        assert set(up) == set(down)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/countries?filter[nothing]=1", "102"),
        ("/countries?filter[is_available]=yes", "107"),
        ("/countries?filter[is_available]=true,false", "107"),
        ("/countries?filter[is_available]=", "107"),
        ("/countries?filter[id]=", "107"),
        ("/cities?filter[region.id]=", "107"),
        ("/did_groups?filter[id]=", "107"),
        ("/did_groups?filter[features]=", "107"),
        ("/did_groups?filter[features]=voice_in,telepathy", "107"),
        ("/did_groups?filter[features]=sms_out", "107"),
        ("/did_groups?filter[is_metered]=TRUE", "107"),
        ("/did_groups?filter[meta.total_count_gteq]=many", "107"),
        ("/did_groups?filter[number_type]=local", "102"),
        ("/orders?filter[created_at_gteq]=yesterday", "107"),
        ("/orders?filter[status]=Pending", "107"),
        (f"/countries/{US}?filter[iso]=US", "102"),
        ("/countries?sort=population", "105"),
        ("/countries?sort=name,", "105"),
        ("/available_dids?sort=prefix", "105"),
        (f"/countries/{US}?sort=name", "105"),
        ("/countries?include=cities", "105"),
        ("/did_groups?include=country.cities", "105"),
        ("/did_groups?include=requirement", "105"),
        ("/countries?fields[countries]=population", "105"),
        ("/countries?fields[planets]=name", "105"),
        ("/countries?page[size]=10", "105"),
        ("/regions?page[number]=1", "105"),
        ("/available_dids?page[size]=10", "105"),
        ("/cities?page[offset]=10", "105"),
        ("/cities?page[size]=0", "105"),
        ("/cities?page[number]=-1", "105"),
        ("/cities?page[number]=one", "105"),
        ("/cities?limit=10", "105"),
        ("/cities?filter=name", "105"),
    ],
)
async def test_bad_queries(path, code):
    async with running() as api:
        answer = await api.get(path, status=400)
        assert (answer.error["code"], answer.error["status"]) == (code, "400")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("/did_groups?filter[meta.total_count_gteq]=1", 400, 200),
        ("/did_groups?filter[features]=sms_out", 200, 400),
        ("/did_groups?include=requirement", 200, 400),
        ("/did_groups?include=address_requirement", 400, 200),
        ("/did_groups?sort=service_restrictions", 400, 200),
        ("/orders?filter[external_reference_id]=x", 400, 200),
        ("/orders?sort=external_reference_id", 400, 200),
        ("/orders?filter[status]=Completed", 200, 400),
        ("/orders?filter[status]=completed", 400, 200),
        ("/did_reservations?sort=expire_at", 200, 200),
        ("/did_reservations?sort=expires_at", 400, 200),
        ("/dids?filter[emergency_enabled]=true", 400, 200),
    ],
)
async def test_what_the_versions_allow(path, old, new):
    async with running() as api:
        assert (await api.speaking(OLD).call("GET", path)).status == old
        assert (await api.speaking(NEW).call("GET", path)).status == new


async def test_pages():
    async with running() as api:
        first = await api.get("/did_groups?page[size]=2&sort=-prefix&filter[is_metered]=false")
        second = await api.get(
            "/did_groups?page[size]=2&page[number]=2&sort=-prefix&filter[is_metered]=false"
        )
        beyond = await api.get("/did_groups?page[size]=2&page[number]=9")
        assert first.ids + second.ids == [G_TORONTO, G_NEW_YORK, G_SELECT, G_LONDON]
        assert beyond.ids == []
        assert first.json["meta"] == {"total_records": 4, "api_version": NEW}
        assert set(first.json["links"]) == {"first", "last"}
        last = urlsplit(first.json["links"]["last"])
        assert f"{last.scheme}://{last.netloc}{last.path}" == f"{api.sim.base_url}/did_groups"
        assert parse_qsl(last.query) == [
            ("filter[is_metered]", "false"),
            ("page[number]", "2"),
            ("page[size]", "2"),
            ("sort", "-prefix"),
        ]


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/did_groups", 50),
        ("/did_groups?page[size]=1000", 100),
        ("/nanpa_prefixes?page[size]=101", 100),
        ("/cities", 1000),
        ("/areas?page[size]=5000", 1000),
        ("/cities?page[size]=3", 3),
        ("/orders", 50),
    ],
)
async def test_page_sizes(path, size):
    async with running() as api:
        first = (await api.get(path)).json["links"]["first"]
        assert dict(parse_qsl(urlsplit(first).query))["page[size]"] == str(size)


async def test_links_to_the_next_page_are_sent_only_on_demand():
    async with running(next_links=True) as api:
        links = (await api.get("/cities?page[size]=2")).json["links"]
        assert set(links) == {"first", "last", "next"}
        links = (await api.get("/cities?page[size]=2&page[number]=2")).json["links"]
        assert set(links) == {"first", "last", "prev"}


async def test_lists_without_sort_may_drift():
    async with running(unsorted_drifts=True) as api:
        orders = {tuple((await api.get("/did_groups")).ids) for _ in range(20)}
        assert len(orders) > 1
        sorted_ones = {tuple((await api.get("/cities?sort=name")).ids) for _ in range(5)}
        assert len(sorted_ones) == 1


@pytest.mark.parametrize("path", ["/countries", "/regions"])
async def test_lists_that_are_not_paged(path):
    async with running() as api:
        document = (await api.get(path)).json
        assert document["meta"] == {"api_version": NEW}
        assert "links" not in document


async def test_lists_follow_the_stock():
    async with running() as api:
        path = "/cities?filter[is_available]=true&sort=name"
        assert (await api.get(path)).ids == [LONDON, NEW_YORK]
        api.sim.set_stock(group_id=G_TORONTO, prefix_id=P416_203, count=1)
        api.sim.set_stock(group_id=G_LONDON, count=0)
        assert (await api.get(path)).ids == [NEW_YORK, TORONTO]


async def test_nested_includes():
    async with running() as api:
        document = (
            await api.get(
                f"/did_groups/{G_LONDON}?include=country,region,city.country,stock_keeping_units"
            )
        ).json
        relationships = document["data"]["relationships"]
        assert relationships["country"]["data"] == {"type": "countries", "id": BRITAIN}
        assert relationships["region"]["data"] is None
        assert "data" not in relationships["did_group_type"]
        assert len(relationships["stock_keeping_units"]["data"]) == 2
        included = {(item["type"], item["id"]): item for item in document["included"]}
        assert len(included) == len(document["included"]) == 4
        city = included["cities", LONDON]
        assert city["relationships"]["country"]["data"] == {"type": "countries", "id": BRITAIN}
        assert "data" not in city["relationships"]["area"]
        assert included["countries", BRITAIN]["attributes"]["iso"] == "GB"


async def test_a_primary_resource_is_not_included_again():
    async with running() as api:
        document = (await api.get("/regions?include=country.regions")).json
        assert {item["type"] for item in document["included"]} == {"countries"}
        assert document["included"][0]["relationships"]["regions"]["data"] == [
            {"type": "regions", "id": NEW_YORK_STATE}
        ]


async def test_an_empty_include_is_still_a_list():
    async with running() as api:
        assert (await api.get("/did_groups?filter[id]=x&include=city")).json["included"] == []
        assert "included" not in (await api.get("/did_groups")).json


async def test_sparse_fields():
    async with running() as api:
        document = (
            await api.get(
                f"/did_groups?filter[id]={G_LONDON}&include=city,country"
                "&fields[did_groups]=prefix,city&fields[cities]=&fields[countries]=iso"
            )
        ).json
        [group] = document["data"]
        assert group["attributes"] == {"prefix": "20"}
        assert set(group["relationships"]) == {"city"}
        assert group["meta"]["total_count"] == 932
        city, country = document["included"]
        assert city == {"id": LONDON, "type": "cities", "attributes": {}}
        assert country["attributes"] == {"iso": "GB"}


async def test_the_small_world_is_served():
    async with running() as api:
        assert 5 == len((await api.get("/did_groups")).ids)

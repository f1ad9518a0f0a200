"""The three documents this client exists to implement: their requests and replies, one by one."""

import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
from client.examples import (
    Example,
    examples,
    filter_rules,
    includes,
    last_reply,
    sorts,
)
from client.servers import COUNTRIES, KEY, Server, client_of, document, reply, talking

from didww_async import UNSET, Client
from didww_async.resources import (
    AvailableDid,
    DidGroup,
    DidOrderItem,
    DidOrderLine,
    Feature,
    Order,
    OrderCreate,
    OrderStatus,
)

VERSION = "2022-05-10"
BUY = examples("buy_available_did_numbers.txt")
AVAILABLE = examples("get_available_did.txt")

US = "1f6fc2bd-f081-4202-9b1a-d9cb88d942b9"
CA = "24eb6e85-f628-4765-bbb2-420e48de76f2"
NEW_YORK = "368bf92f-c36e-473f-96fc-d53ed1b4028b"
NEW_YORK_STATE = "ab7e83bc-814b-4cfa-a14c-d2df3de2a545"
PREFIX = "48b91ed5-13db-4920-a4cb-d0260d692053"
GROUP = "ef7c258f-19b9-478b-ab68-d6b30d00c9f9"
SKU = "a7ecfee0-693e-459c-8eff-244121847ac2"
SKU_2_CHANNELS = "e2406add-fd8a-475c-b959-81e9619d7a4b"
AVAILABLE_DID = "75a21935-acfd-4160-8485-9fb7d049f144"
AVAILABLE_GROUP = "916c8f4d-2108-4d79-853b-7c545ee83f8c"


def check_country(found: Any) -> None:
    assert [(US, "United States", "1", "US")] == [
        (country.id, country.name, country.prefix, country.iso) for country in found
    ]
    assert found.total_records is None
    assert VERSION == found.meta["api_version"]
    assert UNSET is found[0].regions


def check_drop_down(found: Any) -> None:
    assert [("Canada", CA), ("United States", US)] == [
        (country.name, country.id) for country in found
    ]


def check_city(found: Any) -> None:
    assert [(NEW_YORK, "New York", UNSET)] == [(city.id, city.name, city.region) for city in found]
    assert {} == found.meta


def check_region(found: Any) -> None:
    assert [(NEW_YORK_STATE, "New York", "US-NY", UNSET)] == [
        (region.id, region.name, region.iso, region.country) for region in found
    ]


def check_prefix(found: Any) -> None:
    assert [(PREFIX, "212", "111", UNSET)] == [
        (prefix.id, prefix.npa, prefix.nxx, prefix.region) for prefix in found
    ]


def check_groups(found: Any) -> None:
    (group,) = found
    assert 1 == found.total_records
    assert found.links["first"] == found.links["last"]
    assert (GROUP, "212", "New York") == (group.id, group.prefix, group.area_name)
    assert (Feature.VOICE_IN,) == group.features
    assert (False, True) == (group.is_metered, group.allow_additional_channels)
    assert group.service_restrictions.startswith("\nTo enable SMS features on US numbers, ")
    assert '<a href="https://my.didww.com/#/sms_campaigns/new' in group.service_restrictions
    assert (True, False, True, 620) == (
        group.meta.available_dids_enabled,
        group.meta.needs_registration,
        group.meta.is_available,
        group.meta.total_count,
    )
    assert [
        (SKU, Decimal("4.0"), Decimal("4.00"), 0),
        (SKU_2_CHANNELS, Decimal("4.0"), Decimal("4.0"), 2),
    ] == [_sku(sku) for sku in group.stock_keeping_units]
    assert [UNSET] * 5 == [
        group.country,
        group.city,
        group.region,
        group.did_group_type,
        group.address_requirement,
    ]


def check_order_by_sku(order: Order) -> None:
    assert ("eb23b1a4-f4fd-4960-9f46-750ec920cde8", "RNQ-961086") == (order.id, order.reference)
    assert Decimal("8.0") == order.amount
    assert OrderStatus.PENDING is order.status
    assert dt.datetime(2026, 3, 18, 11, 41, 20, 443000, tzinfo=dt.UTC) == order.created_at
    assert ("DID", None, None) == (order.description, order.callback_url, order.callback_method)
    assert UNSET is order.external_reference_id
    (line,) = order.items
    assert isinstance(line, DidOrderLine)
    assert (1, Decimal("4.0"), Decimal("4.0"), False, None, None) == (
        line.qty,
        line.nrc,
        line.mrc,
        line.prorated_mrc,
        line.billed_from,
        line.billed_to,
    )
    assert (Decimal("4.0"), Decimal("4.0"), GROUP) == (
        line.setup_price,
        line.monthly_price,
        line.did_group_id,
    )


def check_order_by_prefix(order: Order) -> None:
    assert ("372cc3c7-49a2-41ef-be64-85b7b297e4e3", "PJB-535885") == (order.id, order.reference)
    assert Decimal("0.09") == order.amount
    assert OrderStatus.PENDING is order.status
    (line,) = order.items
    assert isinstance(line, DidOrderLine)
    assert (Decimal("0.0"), Decimal("0.09"), "7f3a4f3f-8aba-4447-9cb5-66a4e8e4f6ff") == (
        line.setup_price,
        line.monthly_price,
        line.did_group_id,
    )


def check_available_did(did: AvailableDid) -> None:
    assert (AVAILABLE_DID, "12124727604") == (did.id, did.number)
    assert (UNSET, UNSET) == (did.did_group, did.nanpa_prefix)


def check_available_did_with_group(did: AvailableDid) -> None:
    group = _group_of(did)
    assert UNSET is group.stock_keeping_units
    assert UNSET is did.nanpa_prefix


def check_available_did_with_skus(did: AvailableDid) -> None:
    group = _group_of(did)
    assert [
        ("af589936-3e8d-498c-b127-8054ef026dfa", Decimal("0.0"), Decimal("0.09"), 0),
        ("5dec9d3e-f25a-4ac3-a9b0-efcdd9ec744b", Decimal("0.0"), Decimal("0.19"), 2),
        ("e48e981f-ab6d-48a6-aaf6-e75539fc1011", Decimal("4.42"), Decimal("4.42"), 5),
    ] == [_sku(sku) for sku in group.stock_keeping_units]


def _group_of(did: AvailableDid) -> DidGroup:
    group = did.did_group
    assert isinstance(group, DidGroup)
    assert (AVAILABLE_GROUP, "New York", 8) == (group.id, group.area_name, group.meta.total_count)
    assert (Feature.VOICE_IN, Feature.T38) == group.features
    assert UNSET is group.service_restrictions
    return group


def _sku(sku: Any) -> tuple[Any, ...]:
    return sku.id, sku.setup_price, sku.monthly_price, sku.channels_included_count


@attrs.frozen
class Row:
    """A request of a document, the call that makes it, and what its reply must parse into."""

    name: str
    example: Example
    call: Callable[[Client], Awaitable[Any]]
    check: Callable[[Any], None]


ROWS = [
    Row(
        "country by ISO",
        BUY[0],
        lambda client: client.countries.list(filter={"iso": "US"}),
        check_country,
    ),
    Row(
        "country drop-down",
        BUY[1],
        lambda client: client.countries.list(filter={"is_available": True}, sort="name"),
        check_drop_down,
    ),
    Row(
        "city by name",
        BUY[2],
        lambda client: client.cities.list(filter={"country.id": US, "name": "New York"}),
        check_city,
    ),
    Row(
        "region by name",
        BUY[3],
        lambda client: client.regions.list(filter={"country.id": US, "name": "New York"}),
        check_region,
    ),
    Row(
        "NANPA prefixes of a region",
        BUY[4],
        lambda client: client.nanpa_prefixes.list(
            filter={"country.id": US, "region.id": NEW_YORK_STATE}
        ),
        check_prefix,
    ),
    Row(
        "DID groups of a city with SKUs",
        BUY[5],
        lambda client: client.did_groups.list(
            include="stock_keeping_units", filter={"city.id": NEW_YORK}
        ),
        check_groups,
    ),
    Row(
        "DID groups of a prefix with SKUs",
        BUY[6],
        lambda client: client.did_groups.list(
            include="stock_keeping_units", filter={"nanpa_prefix.id": PREFIX}
        ),
        check_groups,
    ),
    Row(
        "order by SKU",
        BUY[7],
        lambda client: client.orders.create(
            OrderCreate(
                allow_back_ordering=True, items=(DidOrderItem(sku_id=SKU_2_CHANNELS, qty=1),)
            )
        ),
        check_order_by_sku,
    ),
    Row(
        "order by prefix and SKU",
        BUY[8],
        lambda client: client.orders.create(
            OrderCreate(items=(DidOrderItem(nanpa_prefix_id=PREFIX, sku_id=SKU_2_CHANNELS, qty=1),))
        ),
        check_order_by_prefix,
    ),
    Row(
        "available DID",
        AVAILABLE[0],
        lambda client: client.available_dids.get(AVAILABLE_DID),
        check_available_did,
    ),
    Row(
        "available DID with its group",
        AVAILABLE[1],
        lambda client: client.available_dids.get(AVAILABLE_DID, include="did_group"),
        check_available_did_with_group,
    ),
    Row(
        "available DID with its group's SKUs",
        AVAILABLE[2],
        lambda client: client.available_dids.get(
            AVAILABLE_DID, include="did_group.stock_keeping_units"
        ),
        check_available_did_with_skus,
    ),
]
BY_NAME = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def test_every_example_of_the_documents_has_a_row() -> None:
    assert [*BUY, *AVAILABLE] == [row.example for row in ROWS]


@BY_NAME
async def test_client_sends_exactly_the_documents_request(row: Row) -> None:
    example = row.example
    async with talking(reply(example.reply, status=example.status), api_version=VERSION) as (
        client,
        server,
    ):
        await row.call(client)

    (seen,) = server.requests
    assert (example.method, example.path) == (seen.method, seen.path)
    assert sorted(example.query) == sorted(seen.query)
    assert example.body == (json.loads(seen.body) if seen.body else None)
    assert _documented_headers(example) == {
        name: seen.headers.get(name) for name in _documented_headers(example)
    }


@BY_NAME
async def test_only_our_version_and_user_agent_come_on_top(row: Row) -> None:
    example = row.example
    async with talking(reply(example.reply, status=example.status), api_version=VERSION) as (
        client,
        server,
    ):
        await row.call(client)

    carried = {"host", "accept-encoding", "content-length"}  # HTTP's own
    own = set(server.last.headers) - set(_documented_headers(example)) - carried
    assert {"x-didww-api-version", "user-agent"} == own
    assert VERSION == server.last.headers["x-didww-api-version"]
    assert server.last.headers["user-agent"].startswith("didww-async/")


@BY_NAME
async def test_the_documents_reply_parses_into_the_right_objects(row: Row) -> None:
    answer = reply(row.example.reply, status=row.example.status)
    async with talking(answer, api_version=VERSION) as (client, _):
        row.check(await row.call(client))


@BY_NAME
async def test_the_same_reply_is_understood_by_a_client_of_the_newer_version(row: Row) -> None:
    answer = reply(row.example.reply, status=row.example.status)
    async with talking(answer, api_version="2026-04-16") as (client, _):
        row.check(await row.call(client))


def _documented_headers(example: Example) -> dict[str, str]:
    """What the document sends; a Content-Type on a request without a body says nothing."""
    return {
        name.lower(): KEY if name == "Api-Key" else found
        for name, found in example.headers.items()
        if name != "Host" and (name != "Content-Type" or example.body is not None)
    }


# -- seed 002: every filter, include and sort of GET /did_groups

FILTERS = {rule.name: rule for rule in filter_rules()}
KNOWN_FILTERS = {
    "id",
    "prefix",
    "area_name",
    "is_metered",
    "allow_additional_channels",
    "available_dids_enabled",
    "features",
    "needs_registration",
    "is_available",
    "country.id",
    "region.id",
    "city.id",
    "nanpa_prefix.id",
    "nanpa_prefix.npanxx",
    "did_group_type.id",
}
ONE_OF = {"features": Feature.VOICE_IN, "prefix": "212", "nanpa_prefix.npanxx": "212555"}
TWO_OF = {
    "features": (Feature.VOICE_IN, Feature.SMS_IN),
    "prefix": ["20", "212"],
    "nanpa_prefix.npanxx": ("212555", "646200"),
}


def query_rows() -> list[Any]:
    """(arguments of did_groups.list, the query pairs it must send) for all that seed 002 lists."""
    rows: list[Any] = []

    def row(name: str, arguments: Mapping[str, Any], *pairs: tuple[str, str]) -> None:
        rows.append(pytest.param(arguments, pairs, id=name))

    for rule in FILTERS.values():
        key = f"filter[{rule.name}]"
        if rule.kind == "boolean":
            row(f"{rule.name} true", {"filter": {rule.name: True}}, (key, "true"))
            row(f"{rule.name} false", {"filter": {rule.name: False}}, (key, "false"))
            continue
        one = ONE_OF.get(rule.name, "a-value")
        row(f"{rule.name}", {"filter": {rule.name: one}}, (key, str(one)))
        if rule.array:
            two = TWO_OF.get(rule.name, ["one", "other"])
            row(f"{rule.name} list", {"filter": {rule.name: two}}, (key, ",".join(two)))
        if rule.blank:
            row(f"{rule.name} blank", {"filter": {rule.name: None}}, (key, ""))
    for sort in sorts():
        row(f"sort {sort}", {"sort": sort}, ("sort", sort))
        row(f"sort -{sort}", {"sort": f"-{sort}"}, ("sort", f"-{sort}"))
    row("sort of two", {"sort": ("prefix", "-area_name")}, ("sort", "prefix,-area_name"))
    for include in includes():
        row(f"include {include}", {"include": include}, ("include", include))
    row("include all", {"include": includes()}, ("include", ",".join(includes())))
    return rows


def test_the_table_has_every_filter_sort_and_include_of_the_document() -> None:
    assert set(FILTERS) == KNOWN_FILTERS
    assert ["country", "region", "city", "did_group_type", "stock_keeping_units"] == includes()
    assert [
        "country.name",
        "did_group_type.name",
        "prefix",
        "local_prefix",
        "is_metered",
        "area_name",
        "allow_additional_channels",
    ] == sorts()


@pytest.mark.parametrize(("arguments", "pairs"), query_rows())
async def test_did_groups_query_is_written_as_the_document_says(
    arguments: dict[str, Any], pairs: tuple[tuple[str, str], ...]
) -> None:
    answer = reply(last_reply("get_did_groups.txt"))
    async with talking(answer, api_version=VERSION) as (client, server):
        await client.did_groups.list(**arguments)
    assert ("GET", "/v3/did_groups") == (server.last.method, server.last.path)
    assert pairs == server.last.query


async def test_the_documents_london_group_parses_with_its_skus() -> None:
    answer = reply(last_reply("get_did_groups.txt"))
    async with talking(answer, api_version=VERSION) as (client, server):
        (group,) = await client.did_groups.list(
            include="stock_keeping_units", filter={"nanpa_prefix.id": PREFIX}
        )
    assert (("include", "stock_keeping_units"), ("filter[nanpa_prefix.id]", PREFIX)) == (
        server.last.query
    )
    assert ("London", "20", 932) == (group.area_name, group.prefix, group.meta.total_count)
    assert (Feature.VOICE_IN, Feature.VOICE_OUT, Feature.T38) == group.features
    assert [Decimal("0.3"), Decimal("0.8")] == [
        sku.monthly_price for sku in group.stock_keeping_units
    ]


# -- the spellings of the documents' version


@pytest.mark.parametrize(
    ("ask", "pairs"),
    [
        pytest.param(
            lambda client: client.orders.list(filter={"status": OrderStatus.PENDING}),
            (("filter[status]", "Pending"),),
            id="order status",
        ),
        pytest.param(
            lambda client: client.orders.list(filter={"status": ["pending", "canceled"]}),
            (("filter[status]", "Pending,Canceled"),),
            id="order status list",
        ),
        pytest.param(
            lambda client: client.did_reservations.list(sort="-expires_at"),
            (("sort", "-expire_at"),),
            id="reservation expiry",
        ),
        pytest.param(
            lambda client: client.did_groups.list(include="address_requirement"),
            (("include", "requirement"),),
            id="requirement",
        ),
    ],
)
async def test_names_and_values_are_spelled_as_2022_05_10_does(
    ask: Callable[[Client], Awaitable[Any]], pairs: tuple[tuple[str, str], ...]
) -> None:
    async with talking(reply(document([])), api_version=VERSION) as (client, server):
        await ask(client)
    assert pairs == server.last.query


async def test_one_process_speaks_both_versions_at_once() -> None:
    async with (
        Server(reply(COUNTRIES)) as server,
        client_of(server, api_version=VERSION) as old,
        client_of(server) as new,
    ):
        await old.countries.list()
        await new.countries.list()
    assert [VERSION, "2026-04-16"] == [
        seen.headers["x-didww-api-version"] for seen in server.requests
    ]

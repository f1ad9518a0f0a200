"""Lists of many pages: walked by total_records, each resource once, whatever is left out."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from client.servers import Say, Seen, document, failure_of, refusal, reply, talking, thing

from didww_async import BadRequest, Client

Pages = Callable[[Seen], Say]


def numbers(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    return [
        thing("dids", f"d{number}", number=str(number)) for number in range(start, start + count)
    ]


def paging(
    records: list[dict[str, Any]],
    *,
    at_most: int = 1000,
    total: bool = True,
    next_link: bool = False,
) -> Pages:
    """A server that pages `records` as the API does: usually without `links.next`."""

    def answer(seen: Seen) -> Say:
        query = dict(seen.query)
        size = min(int(query.get("page[size]", 50)), at_most)
        number = int(query.get("page[number]", 1))
        found = document(records[(number - 1) * size : number * size])
        if total:
            found["meta"]["total_records"] = len(records)
        found["links"] = {"first": "x", "last": "y"} | ({"next": "z"} if next_link else {})
        return reply(found)

    return answer


async def walked(client: Client, **options: Any) -> list[str]:
    return [did.id async for did in client.dids.iterate(**options)]


def ids(records: Iterable[dict[str, Any]]) -> list[str]:
    return [record["id"] for record in records]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
async def test_all_pages_are_walked_without_a_next_link(count: int) -> None:
    records = numbers(count)
    async with talking(paging(records)) as (client, server):
        assert ids(records) == await walked(client)
    assert max(1, -(-count // 100)) == len(server.requests)


async def test_page_size_that_the_server_clamps_loses_nothing() -> None:
    records = numbers(130)
    async with talking(paging(records, at_most=50)) as (client, server):
        assert ids(records) == await walked(client, page_size=500)
    assert 3 == len(server.requests)


@pytest.mark.parametrize("count", [0, 30, 50, 130, 150])
async def test_without_a_total_the_walk_ends_when_nothing_more_comes(count: int) -> None:
    records = numbers(count)
    async with talking(paging(records, at_most=50, total=False)) as (client, server):
        assert ids(records) == await walked(client, page_size=500)
    assert len(server.requests) <= count // 50 + 2


async def test_server_that_ignores_the_page_number_is_not_asked_for_ever() -> None:
    same = document(numbers(10))
    async with talking(reply(same)) as (client, server):
        assert ids(numbers(10)) == await walked(client, page_size=10)
    assert 2 == len(server.requests)


async def test_pages_that_drift_give_each_resource_once() -> None:
    first = document(numbers(3), total_records=5)
    second = document(numbers(2, start=2), total_records=5)
    async with talking([reply(first), reply(second)]) as (client, _):
        assert ["d0", "d1", "d2", "d3"] == await walked(client, page_size=3)


async def test_total_that_promises_too_much_ends_with_an_empty_page() -> None:
    pages = [reply(document(numbers(2), total_records=9)), reply(document([], total_records=9))]
    async with talking(pages) as (client, server):
        assert ["d0", "d1"] == await walked(client, page_size=2)
    assert 2 == len(server.requests)


async def test_total_that_shrinks_on_the_way_ends_the_walk() -> None:
    pages = [
        reply(document(numbers(2), total_records=6)),
        reply(document(numbers(1, start=2), total_records=3)),
    ]
    async with talking(pages) as (client, _):
        assert ["d0", "d1", "d2"] == await walked(client, page_size=2)


async def test_total_as_text_counts() -> None:
    pages = [reply(document(numbers(2), total_records="2"))]
    async with talking(pages) as (client, server):
        assert ["d0", "d1"] == await walked(client, page_size=2)
    assert 1 == len(server.requests)


async def test_walk_that_is_left_early_asks_for_no_more_pages() -> None:
    async with talking(paging(numbers(300))) as (client, server):
        async for did in client.dids.iterate():
            if did.id == "d20":
                break
    assert 1 == len(server.requests)


async def test_walk_that_fails_on_a_later_page_raises_there() -> None:
    answers = [reply(document(numbers(2), total_records=4)), refusal(400, code="102")]
    async with talking(answers) as (client, _):
        walk = client.dids.iterate(page_size=2)
        assert ["d0", "d1"] == [(await anext(walk)).id, (await anext(walk)).id]
        assert isinstance(await failure_of(anext(walk)), BadRequest)


SORTED = {
    "areas": "name",
    "cities": "name",
    "nanpa_prefixes": "npa,nxx",
    "did_group_types": "name",
    "did_groups": "area_name,prefix",
    "did_reservations": "created_at",
    "orders": "created_at,reference",
    "voice_in_trunks": "created_at,name",
    "dids": "created_at,number",
}
SIZES = {"areas": 1000, "cities": 1000}


@pytest.mark.parametrize(("collection", "sort"), SORTED.items())
async def test_walk_is_sorted_so_that_pages_do_not_drift(collection: str, sort: str) -> None:
    async with talking(reply(document([], total_records=0))) as (client, server):
        _ = [item async for item in getattr(client, collection).iterate()]
    size = str(SIZES.get(collection, 100))
    assert (("sort", sort), ("page[number]", "1"), ("page[size]", size)) == server.last.query


async def test_sort_of_the_caller_replaces_ours() -> None:
    async with talking(reply(document([], total_records=0))) as (client, server):
        await walked(client, sort="-number", filter={"order.id": "o"}, include="order")
    assert (
        ("include", "order"),
        ("filter[order.id]", "o"),
        ("sort", "-number"),
        ("page[number]", "1"),
        ("page[size]", "100"),
    ) == server.last.query


@pytest.mark.parametrize("collection", ["countries", "regions", "available_dids"])
async def test_unpaged_collections_are_read_in_one_request_without_page(collection: str) -> None:
    data = [thing(collection, str(number)) for number in range(3)]
    async with talking(reply(document(data))) as (client, server):
        found = [item.id async for item in getattr(client, collection).iterate()]
        first = await getattr(client, collection).first()
    assert (["0", "1", "2"], "0") == (found, first.id)
    assert [(), ()] == [seen.query for seen in server.requests]


async def test_first_asks_for_one_and_is_none_when_there_is_none() -> None:
    answers = [reply(document(numbers(1), total_records=7)), reply(document([]))]
    async with talking(answers) as (client, server):
        found = await client.dids.first(filter={"number": "1"}, sort="number")
        assert found is not None
        assert "d0" == found.id
        assert None is await client.dids.first()
    assert (("filter[number]", "1"), ("sort", "number"), ("page[size]", "1")) == (
        server.requests[0].query
    )


async def test_page_is_a_sequence_with_its_meta_and_links() -> None:
    async with talking(paging(numbers(120))) as (client, server):
        page = await client.dids.list(page=2, page_size=50)
    assert (50, 120) == (len(page), page.total_records)
    assert ("d50", "d99", ("d50", "d51")) == (
        page[0].id,
        page[-1].id,
        tuple(did.id for did in page[:2]),
    )
    assert {"first": "x", "last": "y"} == page.links
    assert "2026-04-16" == page.meta["api_version"]
    assert page[3] in page
    assert (("page[number]", "2"), ("page[size]", "50")) == server.last.query
    assert re.match(r"Page\(items=\(Did\(", repr(page))

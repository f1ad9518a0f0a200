"""Every filter, sort and include that is typed is answered, in every version that has it; what a
version lacks is refused before anything is sent."""

import typing
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from api_lines import LINES, arguments, methods

from didww_async import BadRequest, Client, NotInThisVersion, RateLimit
from didww_async.simulator import Simulator
from didww_async.versions import VERSIONS

BAD_VALUE = "107"
# The attributes are older than the sorts, which the documents of 2022-05-10 do not have.
SERVER_REFUSES = {
    ("2022-05-10", "did_groups", "service_restrictions"),
    ("2022-05-10", "available_dids", "number"),
}


@pytest.fixture(params=VERSIONS)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with (
        Simulator(rate_limit=None) as sim,
        Client(
            api_key=sim.api_key,
            base_url=sim.base_url,
            token_url=sim.token_url if request.param == "2026-11-19" else None,
            api_version=request.param,
            rate_limit=RateLimit(10_000),
        ) as client,
    ):
        yield client


def queries(line: Any) -> Iterator[dict[str, Any]]:
    """One thing asked for at a time; the value of a filter fits a number and a text only."""
    typed = arguments(line)
    yield from ({"sort": name} for name in typing.get_args(typed["S"]) if name)
    yield from ({"include": path} for path in typing.get_args(typed["I"]) if path)
    yield from ({"filter": {key: "1"}} for key in typed["F"].__annotations__)


async def test_every_query_is_known_or_refused_before_it_is_sent(client: Client) -> None:
    lists = {name: line for name, line in LINES.items() if "list" in methods(line)}
    answered, refused = set(), set()
    for name, line in lists.items():
        for query in queries(line):
            try:
                await getattr(client, name).list(**query)
                answered.add(name)
            except NotInThisVersion:
                continue
            except BadRequest as refusal:
                if "filter" not in query or refusal.code != BAD_VALUE:
                    (asked,) = query.values()
                    refused.add((client.api_version, name, str(asked).removeprefix("-")))
    assert {found for found in SERVER_REFUSES if found[0] == client.api_version} == refused
    version = VERSIONS[client.api_version]
    assert lists.keys() - version.lacks_types.keys() == answered


async def test_what_is_listed_is_got(client: Client) -> None:
    lacks = VERSIONS[client.api_version].lacks_types
    compared = 0
    for name, line in LINES.items():
        if {"list", "get"} <= methods(line) and name not in lacks:
            collection = getattr(client, name)
            listed = await collection.first()
            if listed is not None:
                assert listed == await collection.get(listed.id)
                compared += 1
    assert compared >= 10

"""The whole API: every operation of the contract is a method of the client and sends what the
contract says, and nothing is beyond it. What the classes hold is in `resources/test_contract.py`.
"""

import datetime as dt
import typing
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from api_lines import LINES, arguments, methods, resource_of
from client.servers import Seen, Server, client_of, document, reply
from contract import CONTRACT, RESOURCES
from resources.samples import BEYOND, input_class, names, resource_class, sample

from didww_async import Client
from didww_async.collection import Page
from didww_async.resources.base import fields_of, is_relationship, is_to_many, wire_name
from didww_async.simulator.resources import TABLE
from didww_async.simulator.schema import entries_of
from didww_async.versions import version

VERSION = CONTRACT["api_version"]
ENDPOINTS: list[Mapping[str, Any]] = CONTRACT["endpoints"]
OPERATIONS = {
    ("GET", False): "list",
    ("GET", True): "get",
    ("POST", False): "create",
    ("PATCH", True): "update",
    ("DELETE", True): "delete",
}
# Methods that stand on an operation above.
MORE = {
    ("", "list"): {"iterate", "first"},
    ("orders", "create"): {"prepare"},
    ("encrypted_files", "create"): {"upload"},
    ("exports", "get"): {"wait", "download", "rows"},
}
SEEDS = Path(__file__).parent / "client" / "seeds"
NOW = dt.datetime.now(dt.UTC)
# One of them is needed, which the contract's `required` can't say.
CHOSEN = {
    "AddressRequirementValidationCreate": {"identity": "identities-1"},
    "EmergencyRequirementValidationCreate": {"identity": "identities-1"},
    "EmergencyVerificationCreate": {"dids": ("dids-1",)},
}


def said(endpoint: Mapping[str, Any]) -> str:
    return f"{endpoint['method']} {endpoint['path']}"


def operation(endpoint: Mapping[str, Any]) -> tuple[str, str]:
    """The collection and the method that stand for an endpoint."""
    name, _, item = endpoint["path"].strip("/").partition("/")
    singleton = endpoint["path"] == "/balance"
    return name, OPERATIONS[endpoint["method"], bool(item) or singleton]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=said)
def test_every_operation_is_a_method(endpoint: Mapping[str, Any]) -> None:
    name, method = operation(endpoint)
    assert method in methods(LINES[name])


@pytest.mark.parametrize("name", LINES)
def test_no_method_is_beyond_the_api(name: str) -> None:
    has = {method for found, method in map(operation, ENDPOINTS) if found == name}
    more = [MORE.get((found, method), set()) for found in ("", name) for method in has]
    assert has.union(*more) == methods(LINES[name])


@pytest.mark.parametrize("name", LINES)
def test_a_line_names_the_types_of_its_resource(name: str) -> None:
    cls = resource_of(name)
    assert cls is resource_class("balances" if name == "balance" else name)
    suffixes = {"F": "Filter", "S": "Sort", "I": "Include", "C": "Create", "U": "Update"}
    nothing = {"S": "NothingToSortBy", "I": "NothingToInclude"}
    for letter, found in arguments(LINES[name]).items():
        expected = names().get(cls.__name__ + suffixes[letter])
        assert (expected or names()[nothing[letter]]) is found, letter


def test_what_is_reached_as_included_only_has_no_collection() -> None:
    alone = {operation(endpoint)[0] for endpoint in ENDPOINTS}
    assert alone == set(LINES)
    assert {"stock_keeping_units", "qty_based_pricings", "balances"} == set(RESOURCES) - alone


def test_what_is_beyond_this_contract_is_in_a_seed_document_or_in_another_version() -> None:
    seeds = "".join(path.read_text() for path in SEEDS.iterdir())
    lacking = version(VERSION).lacks
    for where, found in BEYOND.items():
        type_ = where.split()[0]
        bare = {name.removeprefix("-") for name in found}
        assert [] == [name for name in bare if name not in seeds and (type_, name) not in lacking]


# What is sent


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(answered) as found:
        yield found


def answered(request: Seen) -> Any:
    """The least the API may answer: a type and an id."""
    _, _, name, *item = request.path.split("/")
    if request.method == "DELETE":
        return reply(status=204)
    one = {"type": "balances" if name == "balance" else name, "id": "id-1"}
    is_list = request.method == "GET" and not item and name != "balance"
    return reply(document([one] if is_list else one))


def least_input(cls: type, request: Mapping[str, Any]) -> Any:
    """An input with what it can't be made without; a change needs one field."""
    if request["content_type"] == "multipart/form-data":
        return cls(encryption_fingerprint=f"{'a' * 40}:::{'b' * 40}", file=bytes(1040))
    given: dict[str, Any] = dict(CHOSEN.get(cls.__name__, {}))
    for field in fields_of(cls):
        name = wire_name(field)
        spec = (request["attributes"] | request["relationships"])[name]
        if field.default is not attrs.NOTHING:
            continue
        if not is_relationship(field):
            given[field.name] = LEAST.get(name) or sample(spec, name)
        elif len(spec["types"]) > 1:
            given[field.name] = resource_class(spec["types"][0])(id="id-2")
        else:
            given[field.name] = ("id-2",) if spec["kind"] == "many" else "id-2"
    if not given:
        name, spec = next(iter(request["attributes"].items()))
        given[name] = LEAST.get(name) or sample(spec, name)
    return cls(**given)


LEAST: Mapping[str, Any] = {
    "filters": names()["ExportFilters"](from_=NOW - dt.timedelta(days=1), to=NOW),
    "phone_number": "12125550100",
    "items": (names()["DidOrderItem"](sku_id="sku-1"),),
    "configuration": names()["PstnConfiguration"](dst="12125550100"),
    "authentication_method": names()["Twilio"](twilio_account_sid="AC1"),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=said)
async def test_every_operation_sends_its_request(
    endpoint: Mapping[str, Any], server: Server
) -> None:
    name, method = operation(endpoint)
    async with client_of(server) as client:
        await called(client, name, method, endpoint)
    path = f"/v3{endpoint['path'].replace('{id}', 'id-1')}"
    assert [(endpoint["method"], path)] == [(seen.method, seen.path) for seen in server.requests]
    assert (name != "public_keys") == ("api-key" in server.last.headers)
    if endpoint["request"]:
        sent, _, _ = server.last.headers["content-type"].partition(";")
        assert endpoint["request"]["content_type"] == sent
    if endpoint["request"] and "data_type" in endpoint["request"]:
        data = server.last.json["data"]
        assert endpoint["request"]["data_type"] == data["type"]
        assert set(endpoint["request"]["data_required"]) <= set(data) | {"attributes"}


async def called(client: Client, name: str, method: str, endpoint: Mapping[str, Any]) -> None:
    found = getattr(client, name)
    request = endpoint["request"]
    if method == "list":
        page = await found.list()
        assert isinstance(page, Page)
        assert [resource_of(name)] == [type(one) for one in page]
    elif method == "delete":
        assert await found.delete("id-1") is None
    else:
        given: list[Any] = ["id-1"] if endpoint["path"].endswith("{id}") else []
        if request:
            given.append(least_input(input_class(name, endpoint["method"]), request))
        assert isinstance(await getattr(found, method)(*given), resource_of(name))


# The simulator


def routes() -> Iterator[str]:
    """The operations of the simulator's table, as the contract writes them."""
    for found in entries_of(VERSION, TABLE):
        if found.path is None:
            continue
        path = f"/{found.path}"
        if found.singleton:
            yield f"GET {path}"
            continue
        if found.all or found.search:
            yield f"GET {path}"
        if found.find:
            yield f"GET {path}/{{id}}"
        if found.create or found.upload:
            yield f"POST {path}"
        if found.update:
            yield f"PATCH {path}/{{id}}"
        if found.delete:
            yield f"DELETE {path}/{{id}}"


def test_the_simulator_has_every_route_and_no_other() -> None:
    assert set(map(said, ENDPOINTS)) == set(routes())


# The count


def counted() -> Counter[str]:
    """What of the contract the client has, by kind."""
    found = Counter[str]()
    for endpoint in ENDPOINTS:
        name, method = operation(endpoint)
        line = arguments(LINES[name])
        found["operations"] += method in methods(LINES[name])
        if method == "list":
            query = endpoint["query"]
            found["filters"] += len(set(query["filter"]) & set(line["F"].__annotations__))
            found["sorts"] += len(set(query["sort"]) & set(typing.get_args(line["S"])))
            found["includes"] += len(set(query["include"]) & set(typing.get_args(line["I"])))
        elif endpoint["request"]:
            cls = line["C" if method == "create" else "U"]
            wanted = set(endpoint["request"]["attributes"] | endpoint["request"]["relationships"])
            found["request members"] += len(wanted & set(map(wire_name, fields_of(cls))))
    for type_, spec in RESOURCES.items():
        cls = resource_class(type_)
        fields = {wire_name(field): field for field in fields_of(cls)}
        found["resources"] += 1
        found["attributes"] += len(set(spec["attributes"] or ()) & set(fields))
        found["relationships"] += sum(
            (one["kind"] == "many") == is_to_many(fields[name])
            for name, one in (spec["relationships"] or {}).items()
        )
        meta = set(map(wire_name, fields_of(fields["meta"].type)))
        found["meta keys"] += len(set(spec["meta"] or ()) & meta)
    found["simulator routes"] = len(set(map(said, ENDPOINTS)) & set(routes()))
    return found


def test_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    found = counted()
    told = ", ".join(f"{number} {what}" for what, number in found.items())
    with capsys.disabled():
        print(f"\n[contract {VERSION}: {told}]")
    assert 106 == found["operations"]
    assert 106 == found["simulator routes"]
    assert 196 == found["filters"]
    assert 38 == found["resources"]

"""A walk over all operations of the contract: every reply on the way is checked against it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import attrs
from contract import CONTRACT
from simulator.kit import NOBODY, Answer, Api
from simulator.schemas import (
    ERRORS,
    document_problems,
    operation_of,
    operations,
    problems_with,
    type_of,
)

ALSO_REFUSED_WITH = {400, 409, 422}
"""Refusals that the texts speak of, though some operations do not list them."""
Linkage = Mapping[str, Any]


@attrs.define
class Tour:
    """Speaks to a simulator; notes which operations answered with which status."""

    api: Api
    seen: defaultdict[tuple[str, str], set[int]] = attrs.field(factory=lambda: defaultdict(set))

    async def call(
        self, method: str, path: str, *, status: int | None = None, **sent: Any
    ) -> Answer:
        bare, _, query = path.partition("?")
        endpoint = operation_of(method, bare)
        expected = endpoint["success"] if status is None else status
        answer = await self.api.call(method, path, **sent)
        where = f"{method} {path}: {answer.status} {answer.body[:2000]!r}"
        assert expected == answer.status, where
        documented = {int(code) for code in endpoint["responses"]}
        assert answer.status in documented | ALSO_REFUSED_WITH, where
        if answer.status == 204:
            assert b"" == answer.body
        elif answer.status < 300:
            problems = document_problems(endpoint, answer.json, included="include=" in query)
            assert [] == problems, where
        else:
            assert [] == problems_with(ERRORS, answer.json), where
        self.seen[method, endpoint["path"]].add(answer.status)
        return answer

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path)).json["data"]

    async def create(
        self,
        type_: str,
        *,
        status: int | None = None,
        relationships: Mapping[str, Linkage] | None = None,
        **attributes: Any,
    ) -> Any:
        data: dict[str, Any] = {"type": type_, "attributes": attributes}
        if relationships:
            data["relationships"] = {name: {"data": to} for name, to in relationships.items()}
        answer = await self.call("POST", f"/{type_}", status=status, json={"data": data})
        return answer.json.get("data", answer.json.get("errors"))

    async def update(
        self,
        item: Mapping[str, Any],
        *,
        status: int | None = None,
        relationships: Mapping[str, Linkage | None] | None = None,
        **attributes: Any,
    ) -> Any:
        data = {"type": item["type"], "id": item["id"], "attributes": attributes}
        if relationships:
            data["relationships"] = {name: {"data": to} for name, to in relationships.items()}
        path = f"/{item['type']}/{item['id']}"
        answer = await self.call("PATCH", path, status=status, json={"data": data})
        return answer.json.get("data", answer.json.get("errors"))

    async def delete(self, item: Mapping[str, Any], *, status: int | None = None) -> None:
        await self.call("DELETE", f"/{item['type']}/{item['id']}", status=status)

    async def upload(self, *, fingerprint: str, content: bytes, status: int | None = None) -> Any:
        form = aiohttp.FormData()
        form.add_field("encrypted_files[encryption_fingerprint]", fingerprint)
        form.add_field("encrypted_files[description]", "a passport")
        form.add_field(
            "encrypted_files[file]",
            content,
            filename="file.enc",
            content_type="application/octet-stream",
        )
        body = form()
        answer = await self.call(
            "POST",
            "/encrypted_files",
            status=status,
            data=body,
            headers={"Content-Type": body.headers["Content-Type"]},
        )
        return answer.json.get("data")

    async def order(self, **item: Any) -> list[Any]:
        """Buy numbers, and give them."""
        items = [{"type": "did_order_items", "attributes": item}]
        order = await self.create("orders", items=items)
        self.api.sim.complete(order["id"])
        return list(await self.get(f"/dids?filter[order.id]={order['id']}"))


def to(item: Mapping[str, Any]) -> Linkage:
    return {"type": item["type"], "id": item["id"]}


def recently(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


async def read_everything(tour: Tour) -> None:
    """Every list and record with all it can include, every filter and sort, and the refusals."""
    for method, path, endpoint in operations():
        if method != "GET" or "{id}" in path:
            continue
        query = endpoint["query"]
        size = "page[size]=2&" if query["page"] else ""
        include = f"include={','.join(query['include'])}" if query["include"] else ""
        data = await tour.get(f"{path}?{size}{include}".rstrip("?&"))
        await _pruned(tour, path, endpoint)
        if path == "/balance":
            continue
        await tour.call("GET", f"{path}?filter[nothing]=1", status=400)
        for name in query["sort"]:
            await _sorted(tour, path, name, size)
        for name in query["filter"]:
            await _filtered(tour, path, name, size, data)
        if f"{path}/{{id}}" in (template for _method, template, _endpoint in operations()):
            assert data, f"nothing to read at {path}"
            await tour.get(f"{path}/{data[0]['id']}?{include}".rstrip("?"))
            await tour.call("GET", f"{path}/{NOBODY}", status=404)


async def _pruned(tour: Tour, path: str, endpoint: Mapping[str, Any]) -> None:
    """Fields leave out every other attribute, and the relationships."""
    type_ = type_of(endpoint)
    name = next(iter(CONTRACT["resources"][type_]["attributes"]))
    answer = await tour.api.get(f"{path}?fields[{type_}]={name}")
    data = answer.json["data"]
    for item in data if isinstance(data, list) else [data]:
        assert [name] == list(item["attributes"]), path
        assert "relationships" not in item, path


async def _sorted(tour: Tour, path: str, name: str, size: str) -> None:
    for sign in ("", "-"):
        found = await tour.get(f"{path}?{size}sort={sign}{name}")
        values = [item["attributes"].get(name) for item in found]
        present = [value for value in values if value is not None]
        if all(isinstance(value, str) and value[:1].isdigit() for value in present):
            continue  # amounts are texts that sort as numbers
        assert sorted(present, reverse=bool(sign)) == present, f"{path}?sort={sign}{name}"


async def _filtered(tour: Tour, path: str, name: str, size: str, data: list[Any]) -> None:
    """A filter finds the record whose value it names; without one it is at least known."""
    item = data[0]
    text = _own_value(item, name)
    is_drawn = path == "/available_dids" and name != "id"  # some of many, at random
    if text is None or is_drawn:
        await tour.get(f"{path}?{size}filter[{name}]={_VALUES.get(name, NOBODY)}")
        return
    found = await tour.get(f"{path}?filter[{name}]={quote(text)}")
    assert item["id"] in {other["id"] for other in found}, f"{path}?filter[{name}]={text}"


def _own_value(item: Mapping[str, Any], name: str) -> str | None:
    """What a filter must say to find this record, where the record tells."""
    if name == "id":
        return str(item["id"])
    relation, dot, what = name.rpartition(".")
    if dot and what == "id":
        linkage = item["relationships"].get(relation, {}).get("data")
        return str(linkage["id"]) if isinstance(linkage, dict) else None
    if what == "type" and relation in item["attributes"]:
        return str(item["attributes"][relation]["type"])
    own = {**item.get("attributes", {}), **item.get("meta", {})}
    for ending in ("_contains", "_gteq", "_in"):
        name = name.removesuffix(ending)
    value = own.get(name)
    if isinstance(value, list):
        return str(value[0]) if value else None
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


_VALUES = {
    **dict.fromkeys(("did_group.is_available", "is_available", "pending_removal"), "true"),
    **dict.fromkeys(("did_group.needs_registration", "has_unassigned_channels"), "true"),
    "did_group.features": "voice_in",
    "number_contains": "212",
    "meta.total_count_gteq": "1",
    "created_at_lteq": "2999-01-01",
}
"""What a filter may say where a record does not tell."""


def everything() -> set[tuple[str, str]]:
    return {(endpoint["method"], endpoint["path"]) for endpoint in CONTRACT["endpoints"]}

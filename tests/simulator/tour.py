"""A walk over all operations of the contract: every reply on the way is checked against it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import attrs
from simulator.contract import (
    CONTRACT,
    ERRORS,
    document_problems,
    operation_of,
    operations,
    problems_with,
)
from simulator.test_kit import NOBODY, Answer, Api

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
        if path == "/balance":
            continue
        await tour.call("GET", f"{path}?filter[nothing]=1", status=400)
        for name in query["sort"]:
            await tour.get(f"{path}?{size}sort=-{name}")
        for name in query["filter"]:
            await _filtered(tour, path, name, size)
        if f"{path}/{{id}}" in (template for _method, template, _endpoint in operations()):
            assert data, f"nothing to read at {path}"
            await tour.get(f"{path}/{data[0]['id']}?{include}".rstrip("?"))
            await tour.call("GET", f"{path}/{NOBODY}", status=404)


async def _filtered(tour: Tour, path: str, name: str, size: str) -> None:
    """A filter finds something or nothing; it is never unknown."""
    flags = ("is_", "has_", "needs_", "allow_", "threshold_r", "available_dids", "awaiting")
    flags += ("blocked", "terminated", "pending_removal", "emergency_enabled", "permanent")
    if name.rpartition(".")[2].startswith(flags) or name == "permanent":
        text = "true"
    elif name.endswith(("_gteq", "_lteq")):
        text = "1" if "count" in name else recently(days=1).replace("+", "%2B")
    else:
        text = _VALUES.get((path, name)) or _VALUES.get(name, NOBODY)
    await tour.get(f"{path}?{size}filter[{name}]={text}")


_VALUES: dict[Any, str] = {
    "features": "voice_in",
    "did_group.features": "voice_in",
    "number_contains": "212",
    "status": "pending",
    ("/voice_out_trunks", "status"): "active",
    ("/emergency_calling_services", "status"): "active",
    "identity_type": "personal",
    "action": "assigned",
    "method": "api3",
    "authentication_method.type": "ip_only",
    "default_dst_action": "allow_all",
    "media_encryption_mode": "zrtp",
    "on_cli_mismatch_action": "reject_call",
}


def everything() -> set[tuple[str, str]]:
    return {(endpoint["method"], endpoint["path"]) for endpoint in CONTRACT["endpoints"]}

"""What the tests of the longer stories share: writing requests, and the papers of a person."""

import io
from typing import Any

import aiohttp
from simulator.kit import Answer, Api

SIZE = 1040
"""Of the smallest encrypted file: what two RSA keys made, and a block."""


def to(item: Any) -> dict[str, str]:
    return {"type": item["type"], "id": item["id"]}


def body(type_: str, links: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    relationships = {name: {"data": data} for name, data in (links or {}).items()}
    return {"type": type_, "attributes": attributes, "relationships": relationships}


async def create(
    api: Api, type_: str, links: dict[str, Any] | None = None, status: int = 201, **more: Any
) -> Any:
    """The created object; of a refusal the pointers, and the details for those who look."""
    answer = await api.call("POST", f"/{type_}", json={"data": body(type_, links, **more)})
    return _outcome(answer, status)


async def update(
    api: Api, item: Any, links: dict[str, Any] | None = None, status: int = 200, **more: Any
) -> Any:
    data = {**body(item["type"], links, **more), "id": item["id"]}
    answer = await api.call("PATCH", f"/{item['type']}/{item['id']}", json={"data": data})
    return _outcome(answer, status)


async def delete(api: Api, item: Any, status: int = 204) -> Answer:
    answer = await api.call("DELETE", f"/{item['type']}/{item['id']}")
    assert status == answer.status, answer.body
    return answer


async def read(api: Api, item: Any, include: str = "") -> Any:
    path = f"/{item['type']}/{item['id']}" + (f"?include={include}" if include else "")
    return (await api.get(path)).json["data"]


async def bought(api: Api, **item: Any) -> list[Any]:
    """Buy numbers."""
    order = await api.order(item)
    order_id = order.json["data"]["id"]
    api.sim.complete(order_id)
    return list((await api.get(f"/dids?filter[order.id]={order_id}&sort=number")).json["data"])


async def upload(
    api: Api, content: bytes = bytes(SIZE), *, fingerprint: str | None = None, **more: str
) -> Answer:
    form = aiohttp.FormData()
    form.add_field(
        "encrypted_files[encryption_fingerprint]", fingerprint or api.sim.files.fingerprint
    )
    for name, text in more.items():
        form.add_field(f"encrypted_files[{name}]", text)
    form.add_field("encrypted_files[file]", io.BytesIO(content), filename="f.enc")
    payload = form()
    headers = {"Content-Type": payload.headers["Content-Type"]}
    return await api.call("POST", "/encrypted_files", data=payload, headers=headers)


async def person(api: Api, country_id: str, **more: Any) -> Any:
    """An identity with all that an address requirement may ask of a person."""
    country = {"type": "countries", "id": country_id}
    return await create(
        api,
        "identities",
        {"country": country},
        identity_type="personal",
        first_name="Ann",
        last_name="Smith",
        phone_number="44123456",
        birth_date="1990-01-31",
        id_number="X1",
        **more,
    )


async def place(api: Api, identity: Any, country_id: str, city: str = "London") -> Any:
    links = {"identity": to(identity), "country": {"type": "countries", "id": country_id}}
    return await create(
        api, "addresses", links, address="Main Street 1", city_name=city, postal_code="N1"
    )


async def prove(api: Api, entity: Any, name: str) -> Any:
    types = (await api.get("/proof_types")).json["data"]
    [proof_type] = [row for row in types if row["attributes"]["name"] == name]
    file = (await upload(api)).json["data"]
    links = {"proof_type": to(proof_type), "entity": to(entity), "files": [to(file)]}
    return await create(api, "proofs", links)


def _outcome(answer: Answer, status: int) -> Any:
    assert status == answer.status, answer.body
    return answer.json["data"] if status < 300 else answer.pointers

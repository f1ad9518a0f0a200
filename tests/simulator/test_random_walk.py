"""Whatever is done in whatever order: no failure, no dangling link, no channel given twice."""

import json
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from simulator.kit import BRITAIN, MEDIA_TYPE, NEW, SKU_0, SKU_LONDON, SKU_MOBILE, US
from simulator.test_emergency import world

from didww_async.simulator import capacity, emergency, exporting, numbers, ordering, verifying
from didww_async.simulator.application import Application, Incoming
from didww_async.simulator.atlas import Atlas
from didww_async.simulator.resources import edition
from didww_async.simulator.schema import Input, Resource
from didww_async.simulator.settings import Settings
from didww_async.simulator.world import World

ATLAS = Atlas.of(world())
RESOURCES = [resource for resource in edition(NEW).by_path.values() if resource.path != "balance"]
HEADERS = {
    "Api-Key": "simulator",
    "Accept": MEDIA_TYPE,
    "Content-Type": MEDIA_TYPE,
    "X-DIDWW-API-Version": NEW,
}
CANDIDATES = ["1", "a", 1, 7, True, False, None, ["1"], "active", "allow_all", "http://a/", 0]
UPLOAD = (
    b'--x\r\nContent-Disposition: form-data; name="encrypted_files[encryption_fingerprint]"'
    b"\r\n\r\n%b\r\n--x\r\n"
    b'Content-Disposition: form-data; name="encrypted_files[file]"\r\n\r\n%b\r\n--x--'
)


def span() -> dict[str, str]:
    now = datetime.now(UTC)
    return {"from": str(now - timedelta(days=3)), "to": str(now - timedelta(days=1))}


@attrs.define
class Walk:
    chance: random.Random
    world: World
    api: Application
    created: set[str] = attrs.field(factory=set)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        path, _, query = path.partition("?")
        reply = self.api.respond(
            Incoming(
                method=method,
                path=path,
                query_string=query,
                headers={**HEADERS, **headers},
                body=sent,
            )
        )
        assert reply.status in {200, 201, 204, 400, 404, 409, 422}, (method, path, reply)
        if reply.status == 201:
            self.created.add(path)
        return json.loads(reply.body) if reply.body else None

    def upload(self) -> None:
        fingerprint = ":::".join(key.fingerprint for key in self.world.public_keys)
        body = UPLOAD % (fingerprint.encode(), bytes(1040))
        self.call(
            "POST", "/encrypted_files", body, **{"Content-Type": "multipart/form-data; boundary=x"}
        )

    def buy(self, sku_id: str) -> None:
        items = [{"type": "did_order_items", "attributes": {"sku_id": sku_id, "qty": 4}}]
        data = {"type": "orders", "attributes": {"items": items}}
        order = self.call("POST", "/orders", {"data": data})["data"]
        ordering.complete(self.world, order["id"])

    def body(self, resource: Resource, inputs: tuple[Input, ...], **more: str) -> Any:
        """Something that the resource might accept."""
        data: dict[str, Any] = {"type": resource.type, **more}
        data |= {"attributes": {}, "relationships": {}}
        for entry in inputs:
            if self.chance.random() < (0.6 if more else 0 if entry.required else 0.4):
                continue
            if entry.relationship:
                data["relationships"][entry.name] = {"data": self.linkage(entry)}
            else:
                data["attributes"][entry.name] = self.value(entry)
        return {"data": data}

    def linkage(self, entry: Input) -> Any:
        known = [
            {"type": target.type, "id": record_id}
            for target in entry.targets
            for record_id in self.ids(target.type, target.table(self.world))
        ]
        if entry.many:
            return self.chance.sample(known, min(len(known), self.chance.randrange(1, 3)))
        return self.chance.choice([*known, None] if entry.nullable or not known else known)

    def ids(self, type_: str, table: Any) -> list[str]:
        return [US, BRITAIN] if type_ == "countries" else list(table)

    def value(self, entry: Input) -> Any:
        pools = list(self.world.owned.capacity_pools)
        channels = {"capacity_pool_id": self.chance.choice(pools), "qty": 5}
        special = {
            "items": [{"type": "capacity_order_items", "attributes": channels}],
            "configuration": self.chance.choice(
                [
                    {"type": "sip_configurations", "attributes": {"host": "a"}},
                    {"type": "pstn_configurations", "attributes": {"dst": "1"}},
                ]
            ),
            "authentication_method": self.chance.choice(
                [
                    {"type": "credentials_and_ip", "attributes": {}},
                    {"type": "ip_only", "attributes": {"allowed_sip_ips": ["1"]}},
                ]
            ),
            "filters": span(),
            "export_type": "cdr_in",
            "identity_type": self.chance.choice(["personal", "business"]),
            "birth_date": "1990-01-01",
            "city_name": self.chance.choice(["London", "New York"]),
            "callback_url": None,
            "callback_method": None,
        }
        if entry.name in special or entry.reads is None:
            return special.get(entry.name)
        for candidate in self.chance.sample(CANDIDATES, len(CANDIDATES)):
            with suppress(ValueError):
                if candidate is not None or not entry.nullable:
                    entry.reads(candidate)
                return candidate
        return None

    # Steps

    def create(self) -> None:
        resource = self.chance.choice([entry for entry in RESOURCES if entry.create])
        self.call("POST", f"/{resource.path}", self.body(resource, resource.creates))

    def update(self) -> None:
        resource, record_id = self.record([entry for entry in RESOURCES if entry.update])
        if record_id:
            body = self.body(resource, resource.updates, id=record_id)
            self.call("PATCH", f"/{resource.path}/{record_id}", body)

    def delete(self) -> None:
        resource, record_id = self.record([entry for entry in RESOURCES if entry.delete])
        if record_id and self.chance.random() < 0.3:
            self.call("DELETE", f"/{resource.path}/{record_id}")

    def record(self, resources: list[Resource]) -> tuple[Resource, str | None]:
        # Numbers have the most rules.
        dids = [resource for resource in resources if resource.type == "dids"]
        resource = self.chance.choice([*resources, *dids * 6])
        records = list(resource.all(self.world)) if resource.all else []
        return resource, self.chance.choice(records).id if records else None

    def steer(self) -> None:
        owned = self.world.owned
        for table, act in (
            (self.world.orders, lambda row: ordering.complete(self.world, row.id)),
            (owned.address_verifications, lambda row: self.decide(verifying, row)),
            (owned.emergency_verifications, lambda row: self.decide(emergency, row)),
            (owned.exports, lambda row: exporting.complete(self.world, row)),
            (self.world.dids, self.remove_some),
        ):
            if table:
                with suppress(ValueError):
                    act(self.chance.choice(list(table.values())))

    def decide(self, chapter: Any, row: Any) -> None:
        if self.chance.random() < 0.7:
            chapter.approve(self.world, row)
        else:
            chapter.reject(self.world, row, reasons=["no"], comment=None)

    def remove_some(self, did: Any) -> None:
        if self.chance.random() < 0.05:
            numbers.remove(self.world, did)

    def read(self) -> None:
        resource = self.chance.choice([entry for entry in RESOURCES if entry.all])
        include = list(resource.relationship_named)
        for name, relationship in resource.relationship_named.items():
            target = edition(NEW).by_type[relationship.type]
            include += [f"{name}.{further}" for further in target.relationship_named]
        query = f"?include={','.join(include)}" if include else ""
        assert "data" in self.call("GET", f"/{resource.path}{query}")
        for name in resource.filter_named:
            self.call("GET", f"/{resource.path}?filter[{name}]=true")
        for name in resource.sort_named:
            assert "data" in self.call("GET", f"/{resource.path}?sort={name}")

    def check(self) -> None:
        owned = self.world.owned
        for pool in owned.capacity_pools.values():
            assert 0 <= capacity.assigned(self.world, pool.id) <= pool.total_channels_count
        for did in self.world.dids.values():
            assert did.voice_in_trunk_id is None or did.voice_in_trunk_group_id is None
            for found, table in (
                (did.voice_in_trunk_id, owned.in_trunks),
                (did.voice_in_trunk_group_id, owned.in_trunk_groups),
                (did.shared_capacity_group_id, owned.shared_capacity_groups),
                (did.address_verification_id, owned.address_verifications),
                (did.emergency_calling_service_id, owned.emergency_services),
            ):
                assert found is None or found in table
            group = owned.shared_capacity_groups.get(did.shared_capacity_group_id or "")
            assert group is None or group.capacity_pool_id == did.capacity_pool_id


@pytest.mark.parametrize("seed", range(8))
def test_a_random_walk(seed):
    settings = Settings(balance=10**6, rate_limit=None, default_version=NEW)
    place = World(ATLAS, settings)
    walk = Walk(random.Random(seed), place, Application(place, base_url="http://simulator/v3"))
    for sku_id in (SKU_0, SKU_LONDON, SKU_MOBILE):
        walk.buy(sku_id)
    for pool_id in place.owned.capacity_pools:
        capacity.add_channels(place, pool_id, 20)
    steps = [walk.create] * 5 + [walk.update] * 4 + [walk.delete, walk.steer, walk.upload]
    for _step in range(500):
        walk.chance.choice(steps)()
        walk.check()
    for _step in range(10):
        walk.read()
    assert len(walk.created) > 10

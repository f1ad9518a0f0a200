"""Whatever is sent, the answer is a document and never a failure of the simulator."""

import json
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.kit import (
    EXAMPLE_DID,
    G_LONDON,
    MEDIA_TYPE,
    NEW,
    OLD,
    P212_111,
    SKU_0,
    SKU_LONDON,
    US,
    small_world,
)

from didww_async.simulator.application import Application, Incoming
from didww_async.simulator.atlas import Atlas
from didww_async.simulator.resources import edition
from didww_async.simulator.settings import Settings
from didww_async.simulator.world import World

ATLAS = Atlas.of(small_world())
IDS = [US, SKU_0, SKU_LONDON, P212_111, G_LONDON, EXAMPLE_DID, "", "x"]
PATHS = sorted({*edition(NEW).by_path, *edition(OLD).by_path})
QUERY_KEYS = sorted(
    {
        f"filter[{name}]"
        for version in (NEW, OLD)
        for resource in edition(version).by_path.values()
        for name in resource.filter_named
    }
    | {"sort", "include", "page[size]", "page[number]", "fields[did_groups]", "x", "filter[]"}
)
QUERY_TEXTS = st.one_of(
    st.sampled_from([*IDS, "true", "voice_in", "name", "-prefix", "country,city.region", "212"]),
    st.text(max_size=5),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2000), st.text(max_size=3), st.sampled_from(IDS)
)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2), max_leaves=3)
ITEMS = st.fixed_dictionaries(
    {
        "type": st.one_of(st.just("did_order_items"), ANYTHING),
        "attributes": st.fixed_dictionaries(
            {"sku_id": st.one_of(st.sampled_from([SKU_0, SKU_LONDON]), ANYTHING)},
            optional={
                "qty": st.one_of(st.integers(0, 1001), ANYTHING),
                "nanpa_prefix_id": st.one_of(st.just(P212_111), ANYTHING),
                "available_did_id": ANYTHING,
                "did_reservation_id": ANYTHING,
                "billing_cycles_count": ANYTHING,
            },
        ),
    }
)
ATTRIBUTES = st.fixed_dictionaries(
    {"items": st.one_of(st.lists(ITEMS, max_size=3), ANYTHING)},
    optional={
        "allow_back_ordering": ANYTHING,
        "callback_url": ANYTHING,
        "callback_method": ANYTHING,
        "external_reference_id": ANYTHING,
    },
)


def answer(world, method, path, *, version=NEW, query="", body=b""):
    application = Application(world, base_url="http://simulator/v3")
    headers = {
        "Api-Key": "simulator",
        "Accept": MEDIA_TYPE,
        "Content-Type": MEDIA_TYPE,
        "X-DIDWW-API-Version": version,
    }
    reply = application.respond(
        Incoming(method=method, path=path, query_string=query, headers=headers, body=body)
    )
    assert reply.status in {200, 201, 204, 400, 404, 422}
    if reply.status == 204:
        return None
    return json.loads(reply.body)


@settings(max_examples=300, deadline=None)
@given(
    path=st.sampled_from(PATHS),
    record=st.sampled_from(["", "/", f"/{US}", "/x", "//", "/%00"]),
    pairs=st.lists(st.tuples(st.sampled_from(QUERY_KEYS), QUERY_TEXTS), max_size=3),
    version=st.sampled_from([OLD, NEW]),
)
def test_any_query(path, record, pairs, version):
    world = World(ATLAS, Settings())
    document = answer(world, "GET", f"/{path}{record}", version=version, query=urlencode(pairs))
    assert "data" in document or document["errors"]


@settings(max_examples=300, deadline=None)
@given(attributes=ATTRIBUTES, version=st.sampled_from([OLD, NEW]))
def test_any_order(attributes, version):
    world = World(ATLAS, Settings())
    body = json.dumps({"data": {"type": "orders", "attributes": attributes}}).encode()
    document = answer(world, "POST", "/orders", version=version, body=body)
    if "errors" in document:
        assert not world.orders
        assert world.balance == 1000
    else:
        [order] = world.orders.values()
        assert world.balance == 1000 - order.amount
        assert all(sum(n for _, n in item.taken) + item.missing == item.qty for item in order.items)


@settings(max_examples=200, deadline=None)
@given(
    data=ANYTHING, method=st.sampled_from(["POST", "PATCH", "DELETE"]), body=st.binary(max_size=9)
)
def test_any_body(data, method, body):
    world = World(ATLAS, Settings())
    for path in ("/orders", "/orders/x", "/did_reservations", "/dids/x", "/countries"):
        for sent in (body, json.dumps(data).encode(), json.dumps({"data": data}).encode()):
            assert answer(world, method, path, body=sent)["errors"]


@settings(max_examples=100, deadline=None)
@given(relationships=ANYTHING, linkage=ANYTHING, description=ANYTHING)
def test_any_reservation(relationships, linkage, description):
    world = World(ATLAS, Settings())
    for related in (
        relationships,
        {"available_did": linkage},
        {"available_did": {"data": linkage}},
    ):
        data = {
            "type": "did_reservations",
            "attributes": {"description": description},
            "relationships": related,
        }
        body = json.dumps({"data": data}).encode()
        assert answer(world, "POST", "/did_reservations", body=body)["errors"]


def test_half_a_surrogate_pair_is_refused():
    """JSON can spell it, but no reply could: it must not be kept."""
    world = World(ATLAS, Settings())
    body = rb'{"data":{"type":"orders","attributes":{"external_reference_id":"\ud800","items":[]}}}'
    assert "400" == answer(world, "POST", "/orders", body=body)["errors"][0]["status"]
    assert "404" == answer(world, "GET", "/orders/\udcff")["errors"][0]["status"]
    assert answer(world, "POST", "/orders", body=b"[" * 100_000)["errors"]


def _inputs(resource):
    """Bodies with the names that a resource knows, whatever they mean."""
    everything = [*resource.creates, *resource.updates]
    values = st.one_of(ANYTHING, st.dictionaries(st.text(max_size=3), SCALARS, max_size=2))
    linkage = st.fixed_dictionaries(
        {"type": st.sampled_from([target.type for entry in everything for target in entry.targets])}
        if any(entry.targets for entry in everything)
        else {},
        optional={"id": st.one_of(st.sampled_from(IDS), ANYTHING)},
    )
    related = st.fixed_dictionaries(
        {}, optional={"data": st.one_of(linkage, st.lists(linkage, max_size=2), ANYTHING)}
    )
    parts = {False: values, True: st.one_of(related, ANYTHING)}
    return st.fixed_dictionaries(
        {"type": st.just(resource.type)},
        optional={
            "attributes" if not relationship else "relationships": st.one_of(
                st.fixed_dictionaries(
                    {},
                    optional={
                        entry.name: parts[relationship]
                        for entry in everything
                        if entry.relationship is relationship
                    },
                ),
                ANYTHING,
            )
            for relationship in (False, True)
        },
    )


WRITABLE = [
    (version, resource)
    for version in (OLD, NEW)
    for resource in edition(version).by_path.values()
    if resource.create
]


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_any_input(data):
    world = World(ATLAS, Settings())
    version, resource = data.draw(st.sampled_from(WRITABLE))
    wanted = data.draw(_inputs(resource))
    body = json.dumps({"data": wanted}).encode()
    document = answer(world, "POST", f"/{resource.path}", version=version, body=body)
    if "errors" in document or resource.update is None:
        return
    record_id = document["data"]["id"]
    body = json.dumps({"data": {**data.draw(_inputs(resource)), "id": record_id}}).encode()
    assert answer(world, "PATCH", f"/{resource.path}/{record_id}", version=version, body=body)
    assert answer(world, "GET", f"/{resource.path}", version=version)["data"]


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200), boundary=st.text(max_size=5))
def test_any_form(body, boundary):
    application = Application(World(ATLAS, Settings()), base_url="http://simulator/v3")
    for sent in (body, b"--x" + body + b"\r\n--x--", b"--x\r\n" + body + b"\r\n\r\n\r\n--x--"):
        for name in ("x", boundary):
            headers = {
                "Api-Key": "simulator",
                "Accept": MEDIA_TYPE,
                "Content-Type": f"multipart/form-data; boundary={name}",
            }
            reply = application.respond(
                Incoming(
                    method="POST",
                    path="/encrypted_files",
                    query_string="",
                    headers=headers,
                    body=sent,
                )
            )
            assert 400 == reply.status

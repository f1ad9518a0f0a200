"""Whatever is sent, the answer is a document and never a failure of the simulator."""

import json
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.test_kit import (
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
PATHS = sorted(edition(NEW).by_path)
QUERY_KEYS = sorted(
    {f"filter[{name}]" for path in PATHS for name in edition(NEW).by_path[path].filter_named}
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

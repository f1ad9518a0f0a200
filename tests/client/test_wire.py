"""Documents as they should be, and as they should not: nothing raises, nothing is lost."""

import copy
import datetime as dt
import enum
import json
import pickle
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from client.examples import examples, last_reply
from client.servers import (
    document,
    failure_of,
    refusal,
    reply,
    talking,
    thing,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from didww_async import UNSET, InvalidInput, NotInThisVersion, UnreadableReply
from didww_async.resources import (
    AvailableDid,
    AvailableDidOrderItem,
    Balance,
    CapacityOrderItem,
    City,
    Country,
    Did,
    DidGroup,
    DidGroupMeta,
    DidOrderItem,
    DidOrderLine,
    DidReservation,
    DidReservationCreate,
    DidUpdate,
    Feature,
    Meta,
    Order,
    OrderCreate,
    OrderStatus,
    OrderUpdate,
    Region,
    Resource,
    StockKeepingUnit,
    UnknownNested,
    UnknownResource,
    by_type,
)
from didww_async.resources.base import attribute, fields_of, is_relationship, value
from didww_async.versions import VERSIONS, aliases
from didww_async.wire.body import request_body
from didww_async.wire.converter import make_converter
from didww_async.wire.document import Document, NotADocument, parse_document, parse_errors
from didww_async.wire.linking import Linker

CONVERTER = make_converter()
LINKER = Linker(converter=CONVERTER, classes=by_type(), aliases=aliases())
REPLIES = [
    found.reply
    for name in ("buy_available_did_numbers.txt", "get_available_did.txt")
    for found in examples(name)
] + [last_reply("get_did_groups.txt")]


def parsed(found: Any) -> list[Any]:
    return list(LINKER.many(parse_document(json.dumps(found).encode())))


def one(raw: dict[str, Any], *included: dict[str, Any]) -> Any:
    return parsed(document(raw, included=list(included)))[0]


def reached(roots: Iterable[Resource]) -> list[Resource]:
    """Every resource that can be reached from `roots`, each object once."""
    found: dict[int, Resource] = {}
    waiting = list(roots)
    while waiting:
        resource = waiting.pop()
        if id(resource) in found:
            continue
        found[id(resource)] = resource
        for field in fields_of(type(resource)):
            if is_relationship(field):
                target = getattr(resource, field.name)
                if isinstance(target, tuple):
                    waiting.extend(target)
                elif isinstance(target, Resource):
                    waiting.append(target)
    return list(found.values())


# -- what a real server gets wrong

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**40), max_value=10**40),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=20),
    st.sampled_from(["1e400", "NaN", "4,00", "2024-01-01 10:00:00", "Completed", "WorldWide"]),
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [None, 5, "voice_in", {}]),
)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A document of the seeds with some of its parts dropped, nulled, replaced or repeated."""
    found = copy.deepcopy(draw(st.sampled_from(REPLIES)))
    for _ in range(draw(st.integers(min_value=1, max_value=5))):
        if not (places := list(_places(found))):
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["drop", "null", "junk", "case", "repeat"])):
            case "drop":
                del holder[key]
            case "null":
                holder[key] = None
            case "junk":
                holder[key] = draw(JUNK)
            case "case" if isinstance(holder[key], str):
                holder[key] = holder[key].swapcase()
            case "repeat" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
    return found


def _places(found: Any, *, inside: bool = False) -> Iterable[tuple[Any, Any]]:
    """Everything in a document that may be spoiled: not what makes `data` resource objects."""
    if isinstance(found, dict):
        for key, member in list(found.items()):
            if key not in {"data", "id", "type"} or inside:
                yield found, key
            yield from _places(member, inside=inside or key in {"attributes", "relationships"})
    elif isinstance(found, list):
        for number, member in enumerate(found):
            if inside:
                yield found, number
            yield from _places(member, inside=inside)


@settings(deadline=None, max_examples=300)
@given(spoiled())
def test_spoiled_documents_parse_and_lose_nothing(found: dict[str, Any]) -> None:
    roots = parsed(found)
    data = found["data"] if isinstance(found["data"], list) else [found["data"]]
    as_received = json.loads(json.dumps(data))
    assert repr(as_received) == repr([dict(root.raw) for root in roots])  # NaN is not itself
    for resource in reached(roots):
        assert isinstance(repr(resource), str)
        assert isinstance(hash(resource), int)
        again = pickle.loads(pickle.dumps(resource))  # noqa: S301
        assert repr(resource) == repr(again)
        assert type(resource) is type(again)


MONEY = st.one_of(
    JUNK,
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats(),
    st.integers(),
    st.text(alphabet="0123456789.,-+eE_ $", max_size=12),
)


@settings(deadline=None, max_examples=300)
@given(MONEY)
@example("NaN")
@example("1e400")
@example("-Infinity")
@example("4,00")
@example(True)
@example("")
def test_money_is_the_number_the_server_wrote_or_unset(found: Any) -> None:
    price = one(thing("stock_keeping_units", "1", setup_price=found)).setup_price
    if found is None:
        assert None is price
    elif price is not UNSET:
        assert isinstance(price, Decimal)
        assert price.is_finite()
        assert not isinstance(found, bool)
        assert Decimal(str(found)) == price


@pytest.mark.parametrize(
    ("wire", "price"),
    [
        ("4.0", Decimal("4.0")),
        ("0.09", Decimal("0.09")),
        (0, Decimal(0)),
        (4.1, Decimal("4.1")),
        (" 4.42 ", Decimal("4.42")),
        ("4,42", UNSET),
        ("$4", UNSET),
        ("NaN", UNSET),
        ("sNaN", UNSET),
        ("Infinity", UNSET),
        ("1e400", UNSET),
        ("1e-400", UNSET),
        ("", UNSET),
        (True, UNSET),
        ([], UNSET),
        ({"amount": "4.0"}, UNSET),
        (None, None),
    ],
)
def test_price_reads_as(wire: Any, price: Any) -> None:
    sku = one(thing("stock_keeping_units", "1", monthly_price=wire))
    assert price == sku.monthly_price
    assert (price is UNSET) == (sku.monthly_price is UNSET)
    assert wire == sku.raw["attributes"]["monthly_price"]


@pytest.mark.parametrize(
    ("wire", "moment"),
    [
        ("2026-03-18T11:41:20.443Z", dt.datetime(2026, 3, 18, 11, 41, 20, 443000, tzinfo=dt.UTC)),
        ("2026-03-18 11:41:20", dt.datetime(2026, 3, 18, 11, 41, 20, tzinfo=dt.UTC)),
        ("2026-03-18 11:41:20 UTC", dt.datetime(2026, 3, 18, 11, 41, 20, tzinfo=dt.UTC)),
        ("2026-03-18 11:41:20 +0000", dt.datetime(2026, 3, 18, 11, 41, 20, tzinfo=dt.UTC)),
        ("2026-03-18T13:41:20+02:00", dt.datetime(2026, 3, 18, 11, 41, 20, tzinfo=dt.UTC)),
        ("2026-03-18", dt.datetime(2026, 3, 18, tzinfo=dt.UTC)),
        ("yesterday", UNSET),
        (1773834080, UNSET),
        (None, None),
    ],
)
def test_time_reads_as_an_aware_datetime(wire: Any, moment: Any) -> None:
    found = one(thing("orders", "1", created_at=wire)).created_at
    assert moment == found
    if isinstance(found, dt.datetime):
        assert found.tzinfo is not None


@pytest.mark.parametrize(
    ("wire", "limit"),
    [
        ("100", 100),
        (100, 100),
        (100.0, 100),
        (2**63 - 1, 2**63 - 1),
        (2**63, UNSET),
        ("shared", UNSET),
        (1.5, UNSET),
        (True, UNSET),
        (None, None),
    ],
)
def test_whole_number_reads_from_text_too(wire: Any, limit: Any) -> None:
    assert limit == one(thing("dids", "1", capacity_limit=wire)).capacity_limit


@pytest.mark.parametrize(
    ("wire", "blocked"), [(True, True), ("true", True), ("False", False), (1, UNSET), ("", UNSET)]
)
def test_boolean_is_never_guessed(wire: Any, blocked: Any) -> None:
    assert blocked is one(thing("dids", "1", blocked=wire)).blocked


# -- open enumerations


@pytest.mark.parametrize("wire", ["completed", "Completed", "COMPLETED"])
def test_known_status_is_the_member_whatever_its_case(wire: str) -> None:
    status = one(thing("orders", "1", status=wire)).status
    assert OrderStatus.COMPLETED is status
    assert status.is_known


def test_unknown_status_is_kept_as_text_and_says_so() -> None:
    status = one(thing("orders", "1", status="Partly done")).status
    assert isinstance(status, OrderStatus)
    assert "Partly done" == status
    assert not status.is_known
    assert OrderStatus("Partly done") == status
    assert hash("Partly done") == hash(status)


def test_unknown_features_are_kept_among_known_ones() -> None:
    features = one(thing("did_groups", "1", features=["voice_in", "telepathy", None, 5])).features
    assert (Feature.VOICE_IN, "telepathy", "5") == features
    assert [True, False, False] == [feature.is_known for feature in features]


@pytest.mark.parametrize("text", ["pending", "Canceled", "Partly done", "", "name", "PENDING-2"])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_status_survives_pickling_and_copying(text: str, protocol: int) -> None:
    status = OrderStatus(text)
    again = pickle.loads(pickle.dumps(status, protocol))  # noqa: S301
    for other in (again, copy.copy(status), copy.deepcopy(status)):
        assert status == other
        assert isinstance(other, OrderStatus)
        assert status.is_known == other.is_known


def test_features_are_read_one_by_one_whatever_came_before() -> None:
    for wire, expected in (
        ([1, "1"], ("1", "1")),
        (["1", True], UNSET),
        ([None, "T38"], (Feature.T38,)),
        ("t38", (Feature.T38,)),
        ([[]], UNSET),
    ):
        assert expected == one(thing("did_groups", "1", features=wire)).features


@value
class Strict(Resource):
    type: ClassVar[str] = "stricts"

    name: str = attribute()

    def __attrs_post_init__(self) -> None:
        if len(self.name) > 3:
            raise InvalidInput("name is too long")


def test_what_a_user_must_not_write_is_still_read() -> None:
    linker = Linker(converter=CONVERTER, classes={"stricts": Strict}, aliases={})
    found: Any = linker.one(Document(data=thing("stricts", "1", name="longer")))
    assert "longer" == found.name
    with pytest.raises(InvalidInput, match="too long"):
        Strict(id="1", name="longer")


# -- links between resources


def linked(type: str, id: Any, **relationships: Any) -> dict[str, Any]:
    members = {name: {"data": found} for name, found in relationships.items()}
    return {**thing(type, id), "relationships": members}


def ref(type: Any, id: Any) -> dict[str, Any]:
    return {"type": type, "id": id}


def test_relationship_is_not_loaded_none_or_resources() -> None:
    assert UNSET is one({**thing("cities", "1"), "relationships": {"region": {}}}).region
    assert None is one(linked("cities", "1", region=None)).region
    region = one(
        linked("cities", "1", region=ref("regions", "r")), thing("regions", "r", name="NY")
    )
    assert "NY" == region.region.name


def test_object_that_is_not_included_is_a_stub() -> None:
    region = one(linked("cities", "1", region=ref("regions", "r"))).region
    assert isinstance(region, Region)
    assert ("r", UNSET) == (region.id, region.name)


@pytest.mark.parametrize(
    ("wire", "skus"),
    [
        (None, ()),
        ([], ()),
        ([ref("stock_keeping_units", "s")], ("s",)),
        (ref("stock_keeping_units", "s"), ("s",)),
        ([None, "s", ref("stock_keeping_units", 5)], ("5",)),
    ],
    ids=["null", "empty", "one", "no list", "garbage"],
)
def test_to_many_relationship_can_always_be_walked_when_loaded(wire: Any, skus: Any) -> None:
    group = one(linked("did_groups", "1", stock_keeping_units=wire))
    assert skus == tuple(sku.id for sku in group.stock_keeping_units)


@pytest.mark.parametrize(
    "wire", ["", "r", 5, {}, {"type": "regions"}, {"type": "regions", "id": None}]
)
def test_garbage_linkage_is_not_taken_for_none(wire: Any) -> None:
    assert UNSET is one(linked("cities", "1", region=wire)).region
    assert UNSET is one(linked("did_groups", "1", stock_keeping_units=wire)).stock_keeping_units


@pytest.mark.parametrize("garbage", [None, 5, "data", ["data"], {"region": "data"}, [["data"]]])
def test_garbage_relationships_leave_the_others_linked(garbage: Any) -> None:
    raw = linked("cities", "1", area=ref("areas", "a"))
    assert UNSET is one({**raw, "relationships": garbage}).area
    raw["relationships"] = {"region": garbage, **raw["relationships"], "country": garbage}
    found = one(raw, thing("areas", "a", name="Bronx"))
    assert (UNSET, "Bronx", UNSET) == (found.region, found.area.name, found.country)


def test_included_objects_link_to_each_other_whatever_their_order() -> None:
    city = linked("cities", "c", region=ref("regions", "r"))
    region = linked("regions", "r", country=ref("countries", "us"))
    found = one(
        linked("did_groups", "1", city=ref("cities", "c")),
        thing("countries", "us", name="United States"),
        region,
        city,
        {"id": "of no type"},
        {"type": ["of", "no", "text"], "id": "1"},
    )
    assert "United States" == found.city.region.country.name


def test_cyclic_include_links_back_to_the_very_object() -> None:
    country = thing("countries", "us", name="United States") | {
        "relationships": {"regions": {"data": [ref("regions", "ny")]}}
    }
    region = linked("regions", "ny", country=ref("countries", "us"))
    found = one(country, region, country)
    assert found is found.regions[0].country
    assert "Country(id='us', name='United States')" == repr(found)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again is again.regions[0].country
    assert found == again
    deep = copy.deepcopy(found)
    assert deep is deep.regions[0].country
    assert found.regions is copy.copy(found).regions


def test_duplicate_included_objects_are_one() -> None:
    twice = thing("regions", "r", name="New York")
    first, second = parsed(
        document(
            [
                linked("cities", "1", region=ref("regions", "r")),
                linked("cities", "2", region=ref("regions", "r")),
            ],
            included=[twice, twice],
        )
    )
    assert first.region is second.region


IDENTITIES = st.tuples(
    st.sampled_from(["regions", "countries", "spells", None, 1, ["no", "text"]]),
    st.sampled_from(["1", 1, "2", 2]),
)


@given(st.lists(IDENTITIES, min_size=1), st.lists(IDENTITIES))
@example([("regions", "1")], [("countries", 1), ("regions", 1)])
@example([("spells", 1), ("regions", "1"), ("spells", "1")], [(None, "1")])
def test_links_lead_to_the_first_of_each_identity_in_the_document(
    data: list[tuple[Any, Any]], included: list[tuple[Any, Any]]
) -> None:
    identities = [*data, *included]
    raws = [thing(type_, id_, name=str(n)) for n, (type_, id_) in enumerate(identities)]
    links = {"stock_keeping_units": {"data": [ref(type_, id_) for type_, id_ in identities]}}
    root = thing("did_groups", "0") | {"relationships": links}
    *found, group = parsed(document([*raws[: len(data)], root], included=raws[len(data) :]))
    assert raws[: len(data)] == [it.raw for it in found]
    linked_to = [it for it in group.stock_keeping_units if isinstance(it.raw["type"], str)]
    named = [raw for raw in raws if isinstance(raw["type"], str)]
    firsts = {(raw["type"], str(raw["id"])): raw for raw in reversed(named)}
    assert [firsts[raw["type"], str(raw["id"])] for raw in named] == [it.raw for it in linked_to]
    returned = {it.raw["attributes"]["name"]: it for it in found}
    assert all(it is returned.get(it.raw["attributes"]["name"], it) for it in linked_to)


def test_ids_may_be_numbers() -> None:
    city = one(linked("cities", 7, region=ref("regions", 5)), thing("regions", 5, name="NY"))
    assert ("7", "5", "NY") == (city.id, city.region.id, city.region.name)


def test_unknown_types_are_kept() -> None:
    group = one(
        linked("did_groups", "1", address_requirement=ref("spells", "s")),
        thing("spells", "s", words=["abra"]),
        thing("wands", "w"),
    )
    assert isinstance(group.address_requirement, UnknownResource)
    assert {"words": ["abra"]} == group.address_requirement.attributes
    assert "spells" in repr(group.address_requirement)


def test_unknown_order_items_are_kept() -> None:
    odd = {"type": "spell_items", "attributes": {"qty": 2}}
    order = one(thing("orders", "1", items=[odd, {"type": "did_order_items"}]))
    assert [UnknownNested, UnknownNested] == [type(item) for item in order.items]
    assert odd == order.items[0].raw
    assert "spell_items" in repr(order)


def test_old_spellings_are_read_under_the_new_names() -> None:
    reservation = one(thing("did_reservations", "1", expire_at="2026-03-18 11:41:20"))
    assert dt.datetime(2026, 3, 18, 11, 41, 20, tzinfo=dt.UTC) == reservation.expires_at
    both = one(thing("did_reservations", "1", expires_at="2026-03-18", expire_at=None))
    assert dt.datetime(2026, 3, 18, tzinfo=dt.UTC) == both.expires_at
    group = one(linked("did_groups", "1", requirement=ref("requirements", "q")))
    assert "q" == group.address_requirement.id


def test_resource_without_attributes_or_meta_is_read() -> None:
    group = one({"type": "did_groups", "id": "1"})
    assert (UNSET, UNSET, {}) == (group.prefix, group.meta.total_count, dict(group.meta.raw))


# -- equality, repr, pickling


def test_resources_are_equal_by_what_is_set_not_by_links() -> None:
    first = one(thing("cities", "1", name="New York") | {"links": {"self": "a"}})
    second = one(linked("cities", "1", region=None) | thing("cities", "1", name="New York"))
    assert first == second
    assert hash(first) == hash(second)
    assert first != one(thing("cities", "1", name="Albany"))
    assert first != one(thing("cities", "2", name="New York"))
    assert first != one(thing("areas", "1", name="New York"))
    assert first != "New York"
    assert 1 == len({first, second})


@pytest.mark.parametrize("name", ["auth_password", "credentials", "api_key", "apiKey", "Secret"])
def test_secrets_of_what_is_not_known_are_hidden_by_their_names(name: str) -> None:
    assert "tops3cret" not in repr(UnknownNested(raw={"attributes": [{name: "tops3cret"}]}))


def test_what_has_nothing_but_raw_is_equal_by_raw() -> None:
    assert UnknownNested(raw={"a": 1}) != UnknownNested(raw={"a": 2})
    assert UnknownNested(raw={"a": 1}) == UnknownNested(raw={"a": 1})
    assert Meta(raw={"a": 1}) != Meta(raw={"a": 2})
    assert one(thing("spells", "s", a=1)) != one(thing("spells", "s", a=2))
    assert DidGroupMeta(total_count=5) == DidGroupMeta(total_count=5, raw={"total_count": 5})


@pytest.mark.parametrize(
    "made",
    [
        Country(id="1"),
        Country(id="1", name="United States", prefix=None),
        City(id="1", name="New York", region=Region(id="2")),
        DidGroup(id="1", features=(Feature.T38,), meta=DidGroupMeta(total_count=1)),
        StockKeepingUnit(id="1", setup_price=Decimal("4.00")),
        AvailableDid(id="1", did_group=None),
        DidReservation(id="1"),
        Order(id="1", items=(DidOrderLine(qty=1), UnknownNested(raw={"type": "x"}))),
        Did(id="1", created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        Balance(id="1"),
        UnknownResource(id="1", raw={"type": "x", "id": "1"}),
        DidOrderItem(sku_id="s", qty=2),
        AvailableDidOrderItem(sku_id="s", available_did_id="a"),
        CapacityOrderItem(capacity_pool_id="p", qty=1),
    ],
    ids=lambda made: type(made).__name__,
)
def test_values_survive_pickling_and_copying(made: Any) -> None:
    for again in (
        pickle.loads(pickle.dumps(made)),  # noqa: S301
        copy.copy(made),
        copy.deepcopy(made),
    ):
        assert made == again
        assert repr(made) == repr(again)
        assert type(made) is type(again)


def test_resources_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        Country(id="1").name = "Elsewhere"  # type: ignore[misc]


# -- whole bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"42",
        b"{}",
        b'{"meta": {}}',
        b'{"data": "x"}',
        b'{"data": {"type": "orders"}}',
        b'{"data": [null]}',
        b'{"data": [{"type": "orders", "attributes": {}}]}',
        b"<html>",
        b"\xff\xfe\xfd",
        b'{"data": ' + b"[" * 100_000,
        b'{"data": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_body_that_is_no_document_is_refused_not_misread(body: bytes) -> None:
    with pytest.raises(NotADocument):
        parse_document(body)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_are_refused(body: bytes) -> None:
    try:
        found: Document | None = parse_document(body)
    except NotADocument:
        found = None
    assert found is None or isinstance(found, Document)
    assert isinstance(parse_errors(body), tuple)


@pytest.mark.parametrize(
    ("total", "expected"),
    [(5, 5), ("120", 120), (0, 0), (True, None), (-1, None), ("many", None), (None, None)],
)
def test_total_records_is_a_count_or_none(total: Any, expected: int | None) -> None:
    assert expected == Document(meta={"total_records": total}).total_records


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([thing("order", "1")], "expected 'orders', got 'order'"),
        ([thing("orders", "1"), thing("cities", "2")], "expected 'orders', got 'cities'"),
        ([None], "no resource object"),
    ],
)
async def test_list_of_something_else_does_not_pass_for_an_empty_one(data: Any, why: str) -> None:
    async with talking(reply(document(data))) as (client, _):
        failure = await failure_of(client.orders.list())
    assert isinstance(failure, UnreadableReply)
    assert why in str(failure)


async def test_answer_of_another_type_keeps_its_status_and_request_id() -> None:
    answer = reply(document(thing("cities", "1")), status=201, headers={"X-Request-Id": "req-7"})
    async with talking(answer) as (client, _):
        failure = await failure_of(
            client.orders.create(OrderCreate(items=(DidOrderItem(sku_id="s"),)))
        )
    assert isinstance(failure, UnreadableReply)
    assert (201, "req-7") == (failure.status, failure.request_id)


@pytest.mark.parametrize(
    "errors",
    [
        [{"title": None, "detail": None, "code": None, "status": None, "source": None}],
        [{}],
        [{"source": {"pointer": None}, "meta": None}],
        [{"source": "x", "meta": []}],
        [{"code": 100, "status": 422}],
        [None, "text"],
        None,
        {},
    ],
)
def test_error_members_may_be_missing_or_null(errors: Any) -> None:
    for error in parse_errors(json.dumps({"errors": errors}).encode()):
        assert isinstance(str(error), str)
        assert isinstance(hash(error), int)
        assert {} == error.meta


# -- queries


class Colour(enum.Enum):
    RED = "red"


NOON = dt.datetime(2026, 3, 18, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("found", "written"),
    [
        (True, "true"),
        (False, "false"),
        ("x y&z=[ü]", "x y&z=[ü]"),
        (7, "7"),
        (Decimal("1E+3"), "1000"),
        (Colour.RED, "red"),
        (OrderStatus("Partly done"), "Partly done"),
        (NOON, "2026-03-18T12:00:00.000000Z"),
        (NOON.astimezone(dt.timezone(dt.timedelta(hours=2))), "2026-03-18T12:00:00.000000Z"),
        (NOON.date(), "2026-03-18"),
        (["a", "b"], "a,b"),
        (("a",), "a"),
        ([True, 1], "true,1"),
        (None, ""),
        ("", ""),
    ],
)
def test_filter_value_is_written_as(found: Any, written: str) -> None:
    asked = VERSIONS["2026-04-16"].query("countries", filter={"key": found})
    assert (("filter[key]", written),) == asked


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "empty list"),
        ((), "empty list"),
        ({"a": 1}, "can't be dict"),
        (b"x", "can't be bytes"),
        (1.5, "can't be float"),
        (NOON.replace(tzinfo=None), "needs a time with its zone"),
        (UNSET, "what it was taken from was not loaded"),
        (["a", None], "can't be NoneType"),
        (object(), "can't be object"),
        (Decimal("NaN"), "can't be Decimal"),
        ("\ud800", "not valid Unicode"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
async def test_filter_that_can_not_be_written_is_refused(
    found: Any, says: str, version: str
) -> None:
    options = {"api_version": version, "token_url": "http://127.0.0.1:9/token"}  # never asked
    async with talking(reply(document([])), **options) as (client, server):
        with pytest.raises(InvalidInput, match=says):
            await client.orders.list(filter={"status": found})
        with pytest.raises(InvalidInput, match=says):
            await client.orders.list(filter={"reference": found})
    assert [] == server.requests


def test_query_parts_stand_in_a_stable_order() -> None:
    asked = VERSIONS["2026-04-16"].query(
        "cities",
        filter={"b": 1, "a": 2},
        sort=("name", "-prefix"),
        include=("country", "region"),
        fields={"cities": ("name", "region")},
        page=2,
        page_size=10,
    )
    assert (
        ("include", "country,region"),
        ("filter[b]", "1"),
        ("filter[a]", "2"),
        ("fields[cities]", "name,region"),
        ("sort", "name,-prefix"),
        ("page[number]", "2"),
        ("page[size]", "10"),
    ) == asked


async def test_one_field_may_be_given_as_text() -> None:
    async with talking(reply(document([]))) as (client, server):
        await client.cities.list(fields={"cities": "name"})
    assert (("fields[cities]", "name"),) == server.last.query


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
async def test_any_text_reaches_the_server_as_it_was_given(text: str) -> None:
    async with talking(reply(document([]))) as (client, server):
        await client.cities.list(filter={"name": text})
    assert (("filter[name]", text),) == server.last.query


@pytest.mark.parametrize(("page", "size"), [(0, 10), (-1, 10), (1, 0), (1, -5)])
async def test_pages_start_at_one(page: int, size: int) -> None:
    async with talking(reply(document([]))) as (client, server):
        with pytest.raises(InvalidInput, match="starts at 1"):
            await client.cities.list(page=page, page_size=size)
        if size < 1:
            with pytest.raises(InvalidInput, match="starts at 1"):
                _ = [city async for city in client.cities.iterate(page_size=size)]
    assert [] == server.requests


@pytest.mark.parametrize("id", ["", "a/b", ".", "..", "\ud800", 7, None])
async def test_what_can_not_be_an_id_is_refused(id: Any) -> None:
    async with talking(reply(document(None))) as (client, server):
        for work in (
            client.countries.get(id),
            client.orders.delete(id),
            client.orders.update(id, OrderUpdate(external_reference_id="x")),
        ):
            assert isinstance(await failure_of(work), InvalidInput)
    assert [] == server.requests


@pytest.mark.parametrize(
    ("id", "path"),
    [("a?b#c", "a%3Fb%23c"), ("a%2Fb", "a%252Fb"), ("a b", "a%20b"), ("ü", "%C3%BC")],
)
async def test_odd_ids_stay_one_segment_of_the_path(id: str, path: str) -> None:
    async with talking(refusal(404)) as (client, server):
        await failure_of(client.countries.get(id))
    assert (f"/v3/countries/{path}", ()) == (server.last.path, server.last.query)


# -- bodies


def body(given: Any, *, version: str = "2026-04-16", id: str | None = None) -> Any:
    written = request_body(given, converter=CONVERTER, version=VERSIONS[version], id=id)
    return json.loads(written)["data"]


def test_unset_is_left_out_and_none_is_null() -> None:
    assert {
        "type": "dids",
        "id": "1",
        "attributes": {"description": None, "capacity_limit": 5},
    } == body(DidUpdate(description=None, capacity_limit=5), id="1")


def test_relationships_are_written_as_linkage() -> None:
    assert {
        "type": "did_reservations",
        "attributes": {"description": "hold"},
        "relationships": {"available_did": {"data": ref("available_dids", "a")}},
    } == body(DidReservationCreate(available_did="a", description="hold"))


@pytest.mark.parametrize(("version", "method"), [("2022-05-10", "POST"), ("2026-04-16", "post")])
def test_callback_method_is_spelled_by_version(version: str, method: str) -> None:
    order = OrderCreate(
        items=(DidOrderItem(sku_id="s"),), callback_url="https://me/cb", callback_method="post"
    )
    assert method == body(order, version=version)["attributes"]["callback_method"]


def test_all_kinds_of_items_are_written() -> None:
    items = (
        DidOrderItem(sku_id="s", qty=3, billing_cycles_count=None),
        AvailableDidOrderItem(sku_id="s", available_did_id="a", billing_cycles_count=1),
    )
    assert [
        {
            "type": "did_order_items",
            "attributes": {"sku_id": "s", "qty": 3, "billing_cycles_count": None},
        },
        {
            "type": "did_order_items",
            "attributes": {"sku_id": "s", "available_did_id": "a", "billing_cycles_count": 1},
        },
    ] == body(OrderCreate(items=items))["attributes"]["items"]


def test_old_version_refuses_what_it_lacks() -> None:
    with pytest.raises(NotInThisVersion, match=r"external_reference_id.*2022-05-10"):
        body(OrderUpdate(external_reference_id="x"), version="2022-05-10")


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not valid Unicode"):
        body(DidUpdate(description="\ud800"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: DidOrderItem(sku_id="s", qty=0), "qty is"),
        (lambda: DidOrderItem(sku_id="s", qty=1001), "qty is"),
        (lambda: DidOrderItem(sku_id="s", qty=1.5), "qty is"),  # type: ignore[arg-type]
        (lambda: DidOrderItem(sku_id="s", qty="2"), "qty is"),  # type: ignore[arg-type]
        (lambda: DidOrderItem(sku_id=""), "sku_id is empty"),
        (lambda: DidOrderItem(sku_id="s", billing_cycles_count=1000), "billing_cycles_count"),
        (lambda: CapacityOrderItem(capacity_pool_id="p", qty=0), "qty is"),
        (lambda: OrderCreate(items=()), "at least one item"),
        (
            lambda: OrderCreate(
                items=(DidOrderItem(sku_id="s"), CapacityOrderItem(capacity_pool_id="p", qty=1))
            ),
            "can't mix",
        ),
        (
            lambda: OrderCreate(items=(DidOrderItem(sku_id="s"),), callback_url="https://me"),
            "go together",
        ),
        (
            lambda: OrderCreate(items=(DidOrderItem(sku_id="s"),), external_reference_id="x" * 101),
            "at most 100",
        ),
        (lambda: OrderUpdate(external_reference_id="x" * 101), "at most 100"),
    ],
)
def test_input_that_can_not_be_right_is_refused_at_once(make: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        make()

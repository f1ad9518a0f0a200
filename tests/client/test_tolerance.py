"""Every resource the client knows, as a server may really send it: nothing raises, nothing is lost.

The documents are built from the class declarations, so that a new resource is tested from its first
day; then they are spoiled in the ways that were seen in real replies.
"""

import copy
import datetime as dt
import json
import pickle
import types
import typing
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
from client.servers import thing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from didww_async import UNSET, NotInThisVersion
from didww_async.resources import DidGroup, Feature, Order, Resource, by_type
from didww_async.resources.base import (
    FlatNested,
    Nested,
    UnknownNested,
    UnknownResource,
    attributes_of,
    fields_of,
    is_read_only,
    is_relationship,
    is_to_many,
    wire_name,
)
from didww_async.versions import VERSIONS, aliases, type_aliases
from didww_async.wire.body import written_attribute
from didww_async.wire.codec import STANDARD, Codec, best_codec
from didww_async.wire.converter import make_converter
from didww_async.wire.document import parse_document
from didww_async.wire.enums import OpenEnum
from didww_async.wire.linking import Linker
from didww_async.wire.writing import to_wire

CLASSES: Mapping[str, type[Resource]] = dict(by_type())
CONVERTER = make_converter()
ANY_SPELLING = {**CLASSES, **{theirs: CLASSES[ours] for theirs, ours in type_aliases().items()}}
LINKER = Linker(converter=CONVERTER, classes=ANY_SPELLING, aliases=aliases())

TEXTS = st.sampled_from(["New York", "5eed", "192.0.2.1", "Ünï", "", "12"])
TIMES = st.sampled_from(
    ["2026-03-18T11:41:20.443Z", "2026-03-18 11:41:20 UTC", "2026-03-18T13:41:20+02:00"]
)
IDS = st.sampled_from(["1", "2", "a7ecfee0-693e-459c-8eff-244121847ac2"])


# -- documents as they should be


def members(kind: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(kind) in {typing.Union, types.UnionType}
    return typing.get_args(kind) if is_union else (kind,)


def wire_value(kind: Any) -> st.SearchStrategy[Any]:
    """What the API sends for an attribute declared as `kind`."""
    strategies = [_wire_member(member) for member in members(kind) if member is not UnknownNested]
    return st.one_of(*strategies)


def _wire_member(kind: Any) -> st.SearchStrategy[Any]:
    simple: dict[Any, st.SearchStrategy[Any]] = {
        types.NoneType: st.none(),
        str: TEXTS,
        int: st.integers(0, 1000),
        bool: st.booleans(),
        Decimal: st.sampled_from(["4.0", "4.00", "0.09", "1000.5"]),
        dt.datetime: TIMES,
        dt.date: st.sampled_from(["2026-03-18", "1999-12-31"]),
    }
    if kind in simple:
        return simple[kind]
    if typing.get_origin(kind) is tuple:
        return st.lists(wire_value(typing.get_args(kind)[0]).filter(bool), max_size=3)
    if issubclass(kind, OpenEnum):
        return st.sampled_from([member.value for member in kind])
    if issubclass(kind, FlatNested):
        return wire_attributes(kind)
    assert issubclass(kind, Nested), kind
    return wire_attributes(kind).map(lambda found: {"type": kind.type, "attributes": found})


def wire_attributes(cls: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            wire_name(field): wire_value(field.type)
            for field in attributes_of(cls)
            if not is_read_only(field)
        }
    )


def links(cls: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Relationships: most with links only, some with what they lead to."""
    one = st.fixed_dictionaries({"type": st.sampled_from(list(CLASSES)), "id": IDS})
    return st.fixed_dictionaries(
        {
            wire_name(field): st.fixed_dictionaries(
                {"links": st.just({"self": "https://api/self"})},
                optional={"data": st.lists(one, max_size=2) if is_to_many(field) else one},
            )
            for field in fields_of(cls)
            if is_relationship(field)
        }
    )


def wire_object(cls: Any) -> st.SearchStrategy[dict[str, Any]]:
    meta = next(field.type for field in fields_of(cls) if field.name == "meta")
    return st.fixed_dictionaries(
        {
            "type": st.just(cls.type),
            "id": IDS,
            "attributes": wire_attributes(cls),
            "relationships": links(cls),
            "meta": wire_attributes(meta),
        }
    )


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    classes = st.sampled_from(list(CLASSES.values()))
    data = draw(st.lists(classes.flatmap(wire_object), min_size=1, max_size=2))
    return {"data": data, "included": draw(st.lists(classes.flatmap(wire_object), max_size=2))}


# -- and as they should not

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["2024-01-01 10:00:00", "2024-01-01", "WorldWide", "Reject call", "shared", "1e400", "4,00"]
    ),
    st.sampled_from([[], {}, [None], [[]], [{}, 5, "voice_in"], {"type": [], "attributes": 5}]),
)
KEPT = {"data", "included", "id", "type"}


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    found = copy.deepcopy(draw(documents()))
    for _ in range(draw(st.integers(1, 6))):
        if not (places := list(_places(found, inside=False))):
            break
        holder, key = draw(st.sampled_from(places))
        wire = holder[key]
        match draw(st.sampled_from(["drop", "null", "junk", "case", "retype", "new"])):
            case "drop":
                del holder[key]
            case "null":
                holder[key] = None
            case "case" if isinstance(wire, str):
                holder[key] = wire.swapcase()
            case "retype" if isinstance(wire, str):
                holder[key] = wire.removesuffix("Z") if "T" in wire else len(wire)
            case "retype" if isinstance(wire, (int, float)):
                holder[key] = str(wire)
            case "retype":
                holder[key] = [wire]
            case "new" if isinstance(holder, dict):
                holder["of_tomorrow"] = wire
            case _:
                holder[key] = copy.deepcopy(draw(JUNK))  # it may be spoiled itself
    return found


def _places(found: Any, *, inside: bool) -> Iterable[tuple[Any, Any]]:
    """What may be spoiled: everything but what makes entries of `data` resource objects."""
    pairs = found.items() if isinstance(found, dict) else enumerate(found)
    for key, member in list(pairs):
        if inside or (isinstance(key, str) and key not in KEPT):
            yield found, key
        if isinstance(member, (dict, list)):
            yield from _places(member, inside=inside or (isinstance(key, str) and key not in KEPT))


# -- what must hold


def parsed(body: bytes, codec: Codec = STANDARD) -> list[Resource]:
    return LINKER.many(parse_document(body, codec=codec))


def written(resource: Resource, version: str = "2026-04-16") -> dict[str, Any]:
    return to_wire(resource, linker=LINKER, converter=CONVERTER, version=VERSIONS[version])


def reached(roots: Iterable[Resource]) -> list[Resource]:
    """Every resource that can be reached from `roots`, each object once."""
    found: dict[int, Resource] = {}
    waiting = list(roots)
    while waiting:
        resource = waiting.pop()
        if id(resource) not in found:
            found[id(resource)] = resource
            targets = (
                getattr(resource, field.name)
                for field in fields_of(type(resource))
                if is_relationship(field)
            )
            for target in targets:
                if target is not UNSET and target is not None:
                    waiting.extend(target if isinstance(target, tuple) else [target])
    return list(found.values())


def is_typed(kind: Any, found: Any) -> bool:
    """Whether a value is what its attribute's annotation says."""
    for member in members(kind):
        if typing.get_origin(member) is tuple:
            inner = typing.get_args(member)[0]
            if isinstance(found, tuple) and all(is_typed(inner, item) for item in found):
                return True
        elif type(found) is member or (
            isinstance(found, (OpenEnum, Nested, FlatNested)) and isinstance(found, member)
        ):
            return True
    return isinstance(found, UnknownNested)


def same(first: Any, second: Any) -> bool:
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)  # NaN too


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(spoiled())
def test_spoiled_resources_parse_and_lose_nothing(sent: dict[str, Any]) -> None:
    body = json.dumps(sent).encode()
    roots = parsed(body)
    assert same(sent["data"], [root.raw for root in roots])
    for resource in reached(roots):
        assert same(resource.raw, written(resource))
        attributes = resource.raw.get("attributes")
        for field in attributes_of(type(resource)):
            found = getattr(resource, field.name)
            assert found is UNSET or found is None or is_typed(field.type, found), (field, found)
            if isinstance(attributes, dict) and found is not UNSET:
                spelled = attributes.get(wire_name(field))
                assert (spelled is None) == (found is None) or wire_name(field) not in attributes
        again = pickle.loads(pickle.dumps(resource))  # noqa: S301
        assert repr(resource) == repr(again)


ODD = [
    None, True, False, 0, -1, 1.5, 1e300, 2**63, 10**40, float("nan"), float("-inf"),
    "", "NaN", "1e400", "4,00", " 5 ", "True", "shared", "WorldWide", "2024-01-01", "yesterday",
    [], [None], [True, 1, "1"], [[]], [{}], {}, {"type": "spells"}, {"type": [], "attributes": 5},
]  # fmt: skip


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_whatever_an_attribute_holds_it_is_typed_null_or_unset(cls: type[Resource]) -> None:
    names = [wire_name(field) for field in attributes_of(cls)]
    for odd in ODD:
        raw = {"type": cls.type, "id": "1", "attributes": dict.fromkeys(names, odd)}
        (found,) = parsed(json.dumps({"data": [raw]}).encode())
        assert type(found) is cls
        assert same(raw, written(found))
        for field in attributes_of(cls):
            read = getattr(found, field.name)
            if odd is None:
                assert read is None
            else:
                assert read is UNSET or is_typed(field.type, read), (field.name, odd, read)
                assert not isinstance(read, Decimal) or read.is_finite(), (field.name, odd)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(spoiled())
def test_both_codecs_read_the_same(sent: dict[str, Any]) -> None:
    body = json.dumps(sent).encode()
    fast, standard = parsed(body, best_codec()), parsed(body, STANDARD)
    for first, second in zip(fast, standard, strict=True):
        assert [getattr(first, field.name) for field in attributes_of(type(first))] == [
            getattr(second, field.name) for field in attributes_of(type(second))
        ]


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_api_documents_is_read_whole(cls: type[Resource], data: st.DataObject) -> None:
    raw = data.draw(wire_object(cls))
    (found,) = parsed(json.dumps({"data": [raw]}).encode())
    assert type(found) is cls
    for field in attributes_of(cls):
        if not is_read_only(field):
            read = getattr(found, field.name)
            assert read is not UNSET, field.name
            assert is_typed(field.type, read), (field.name, read)
    assert raw == written(found)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
@settings(deadline=None, max_examples=5, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_typed_values_survive_every_versions_spelling(
    cls: type[Resource], version: str, data: st.DataObject
) -> None:
    raw = data.draw(wire_object(cls))
    (read,) = parsed(json.dumps({"data": [raw]}).encode())
    if cls.type in VERSIONS[version].lacks_types:
        with pytest.raises(NotInThisVersion, match=cls.type):
            written(cls(id="1"), version)
        return
    typed: Any = cls(
        id=read.id,
        meta=read.meta,
        **{
            field.name: getattr(read, field.name)
            for field in attributes_of(cls)
            if _has(version, cls.type, field.name, getattr(read, field.name))
        },
    )
    spelled = written(typed, version)
    (again,) = parsed(json.dumps({"data": [spelled]}).encode())
    assert typed == again
    assert spelled == written(again, version)


def _has(version: str, type_: str, name: str, found: Any) -> bool:
    try:
        written_attribute(type_, name, found, converter=CONVERTER, version=VERSIONS[version])
    except NotInThisVersion:
        return False
    return True


# -- writing back, by hand


def one(raw: dict[str, Any], *included: dict[str, Any]) -> Any:
    return parsed(json.dumps({"data": raw, "included": included}).encode())[0]


def test_only_what_was_changed_is_written_anew() -> None:
    items = [{"type": "spell_items", "attributes": {"qty": 1}}]
    raw = thing("orders", "1", status="Completed", amount="4.00", items=items, colour="red")
    order: Order = attrs.evolve(one(raw), reference="R-1", amount=Decimal("4.0"))
    attributes = written(order)["attributes"]
    assert {**raw["attributes"], "reference": "R-1"} == attributes
    assert "R-1" == written(attrs.evolve(order, amount=Decimal(5)))["attributes"]["reference"]
    assert "5" == written(attrs.evolve(order, amount=Decimal(5)))["attributes"]["amount"]
    assert "amount" not in written(attrs.evolve(order, amount=UNSET))["attributes"]
    assert raw == order.raw


def test_changed_values_are_spelled_by_version_under_the_name_that_was_received() -> None:
    moment = dt.datetime(2026, 3, 18, 12, tzinfo=dt.UTC)
    old = attrs.evolve(one(thing("did_reservations", "1", expire_at=None)), expires_at=moment)
    assert {"expire_at": "2026-03-18T12:00:00.000Z"} == written(old)["attributes"]
    new = attrs.evolve(one(thing("did_reservations", "1")), expires_at=moment)
    assert {"expires_at"} == written(new)["attributes"].keys()
    assert {"expire_at"} == written(new, "2022-05-10")["attributes"].keys()
    order: Any = Order(id="1", status="completed")  # type: ignore[arg-type]
    assert {"status": "Completed"} == written(order, "2022-05-10")["attributes"]
    with pytest.raises(NotInThisVersion, match="external_reference_id"):
        written(attrs.evolve(order, external_reference_id="x"), "2022-05-10")


def test_changed_links_and_meta_are_written() -> None:
    raw = thing("did_groups", "1") | {
        "meta": {"total_count": "5", "colour": "red"},
        "relationships": {
            "region": {"links": {"self": "x"}, "data": {"type": "regions", "id": 5}},
            "stock_keeping_units": {"data": [{"type": "stock_keeping_units", "id": "s"}]},
        },
    }
    group: DidGroup = one(raw)
    assert raw == written(group)
    changed = written(
        attrs.evolve(
            group,
            id="2",
            region=None,
            stock_keeping_units=group.stock_keeping_units * 2,
            country=one(thing("countries", "us")),
            meta=attrs.evolve(group.meta, is_available=True),
            features=(Feature.T38,),
        )
    )
    sku = {"type": "stock_keeping_units", "id": "s"}
    assert {
        "id": "2",
        "type": "did_groups",
        "attributes": {"features": ["t38"]},
        "meta": {"total_count": "5", "colour": "red", "is_available": True},
        "relationships": {
            "region": {"links": {"self": "x"}, "data": None},
            "stock_keeping_units": {"data": [sku, sku]},
            "country": {"data": {"type": "countries", "id": "us"}},
        },
    } == changed


def test_unknown_resources_are_written_as_they_came() -> None:
    raw = {"type": "spells", "id": 5, "attributes": [], "words": {"a": None}}
    found = one(raw)
    assert isinstance(found, UnknownResource)
    assert raw == written(found)

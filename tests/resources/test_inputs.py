"""Inputs refuse what can't be right, naming the field; what is hidden stays hidden."""

import datetime as dt
import enum
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pytest

from didww_async import InvalidInput
from didww_async.resources import DidUpdate
from didww_async.resources.base import (
    FlatNested,
    Nested,
    Resource,
    UnknownNested,
    attribute,
    relationship,
    required_relationship,
    value,
)
from didww_async.resources.inputs import CallbackMethod, Input
from didww_async.versions import version
from didww_async.wire.body import request_body
from didww_async.wire.converter import make_converter
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import UNSET, Unset

CONVERTER = make_converter()


class Level(OpenEnum):
    WORLD_WIDE = "world_wide"
    REJECT_CALL = "reject_call"


class Text(str):
    __slots__ = ()


class Several(list[str]):
    pass


class Price(Decimal):
    pass


class Moment(dt.datetime):
    pass


class Colour(enum.StrEnum):
    RED = "red"


class Number(enum.IntEnum):
    THREE = 3


@value
class Inner(Nested):
    type: ClassVar[str] = "inners"

    name: str | None = attribute()
    password: str | None = attribute(secret=True)
    made_password: str | None = attribute(secret=True, read_only=True)


@value
class Window(FlatNested):
    from_: dt.datetime = attribute()
    to: dt.datetime = attribute()


@value
class Given(Input):
    type: ClassVar[str] = "givens"

    name: str
    owner: str = required_relationship("owners")
    members: Sequence[str] = required_relationship("members")
    things: Sequence[str] | Unset = relationship("things")
    either: Resource | Unset = relationship()
    qty: int | Unset = UNSET
    on: bool | Unset = UNSET
    price: Decimal | Unset = UNSET
    born: dt.date | None | Unset = UNSET
    tags: Sequence[str] | None | Unset = UNSET
    kind: Level | Literal["world_wide", "reject_call"] | Unset = UNSET
    inner: Inner | Unset = UNSET
    window: Window | Unset = UNSET
    callback_url: str | None | Unset = UNSET
    callback_method: CallbackMethod | Literal["get", "post"] | None | Unset = UNSET
    external_reference_id: str | Unset = UNSET


def given(**more: Any) -> Given:
    return Given(**{"name": "n", "owner": "o1", "members": ["m1"]} | more)


def written(new: object) -> Any:
    body = request_body(new, converter=CONVERTER, version=version("2026-04-16"))
    return json.loads(body)["data"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": None}, "name is text, not None"),
        ({"name": 5}, "name is text, not 5"),
        ({"owner": ""}, "owner is an id, not ''"),
        ({"owner": UNSET}, "owner is an id, not UNSET"),
        ({"members": "m1"}, "members is a list, each an id, not 'm1'"),
        ({"members": []}, "members needs at least one id"),
        ({"things": None}, "things is a list, each an id, not None"),
        ({"things": ["t1", ""]}, "things is a list, each an id"),
        ({"things": {"t1"}}, "things is a list, each an id, not set"),
        ({"either": "o1"}, "either is Resource, not 'o1'"),
        ({"qty": True}, "qty is a whole number, not True"),
        ({"qty": "5"}, "qty is a whole number, not '5'"),
        ({"on": 1}, "on is True or False, not 1"),
        ({"price": 0.1}, "price is a finite Decimal, not 0.1"),
        ({"born": dt.datetime(1990, 1, 1, tzinfo=dt.UTC)}, "born is a date or None, not datetime"),
        ({"tags": "one"}, "tags is a list, each text or None, not 'one'"),
        ({"inner": {"name": "x"}}, "inner is Inner, not dict"),
        ({"callback_url": "https://me.example"}, "callback_url and callback_method go together"),
        ({"callback_method": "get"}, "callback_url and callback_method go together"),
        (
            {"callback_url": "https://me.example", "callback_method": None},
            "callback_url and callback_method go together",
        ),
        (
            {"callback_url": "https://me.example", "callback_method": "PUT"},
            "callback_method is 'get' or 'post' or None, not 'PUT'",
        ),
        ({"external_reference_id": "x" * 101}, "external_reference_id has 101 characters"),
    ],
)
def test_what_cannot_be_right_is_refused_naming_the_field(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        given(**wrong)
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "\ud800"}, "name is not valid Unicode text"),
        ({"name": Text("\ud800")}, "name is not valid Unicode text"),
        ({"kind": Level("\ud800")}, "kind is not valid Unicode text"),
        ({"owner": "\ud800"}, "owner is not valid Unicode text"),
        ({"owner": Text()}, "owner is an id, not ''"),
        ({"things": ["t1", 5]}, "things is a list, each an id, not ['t1', 5]"),
        ({"things": Several(["t1", ""])}, "things is a list, each an id, not ['t1', '']"),
        ({"members": Several()}, "members needs at least one id"),
        ({"tags": ["one", None]}, "tags is a list, each text or None, not ['one', None]"),
        ({"kind": "Reject call"}, "kind is 'world_wide' or 'reject_call', not 'Reject call'"),
        ({"kind": CallbackMethod.GET}, "kind is 'world_wide' or 'reject_call'"),
        ({"price": Decimal("NaN")}, "price is a finite Decimal, not Decimal('NaN')"),
        ({"price": 5}, "price is a finite Decimal, not 5"),
        ({"inner": Inner(name=5)}, "inner.name is text or None, not 5"),  # type: ignore[arg-type]
        ({"inner": Inner(name="\ud800")}, "inner.name is not valid Unicode text"),
        (
            {"inner": Inner(password=5)},  # type: ignore[arg-type]
            "inner.password is text or None, not int",
        ),
        ({"inner": Inner(raw=[])}, "inner.raw is a mapping, not []"),  # type: ignore[arg-type]
        (
            {"window": Window(to=dt.date(2026, 4, 1))},  # type: ignore[arg-type]
            "window.to is a datetime, not date",
        ),
        ({"window": Window(others=())}, "window.others is a mapping"),  # type: ignore[arg-type]
    ],
)
def test_what_only_looks_right_is_refused_too(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        given(**wrong)
    assert told in str(refusal.value)


def test_what_is_made_of_a_type_that_is_asked_for_is_taken_and_written_like_it() -> None:
    data = written(
        given(
            name=Text("é"),
            owner=Colour.RED,
            members=Several(["m1", Text("m2")]),
            qty=Number.THREE,
            price=Price("1.50"),
            born=dt.date(1990, 1, 1),
            tags=(Colour.RED, Text("t"), "u"),
            kind=Text("world_wide"),
            inner=Inner(name=Colour.RED),
            window=Window(from_=Moment(2026, 4, 1), to=dt.datetime(2026, 4, 2, tzinfo=dt.UTC)),
        )
    )
    assert {
        "name": "é",
        "qty": 3,
        "price": "1.50",
        "born": "1990-01-01",
        "tags": ["red", "t", "u"],
        "kind": "world_wide",
        "inner": {"type": "inners", "attributes": {"name": "red"}},
        "window": {"from": "2026-04-01T00:00:00.000Z", "to": "2026-04-02T00:00:00.000Z"},
    } == data["attributes"]
    assert {
        "owner": {"data": {"type": "owners", "id": "red"}},
        "members": {"data": [{"type": "members", "id": "m1"}, {"type": "members", "id": "m2"}]},
    } == data["relationships"]


def test_what_the_server_sent_and_we_do_not_name_goes_back_with_a_changed_part() -> None:
    raw = {"type": "inners", "attributes": {"name": "x", "made_password": "p", "new": [1]}}
    part = CONVERTER.structure(raw, Inner).replace(name="y")
    assert {"type": "inners", "attributes": {"new": [1], "name": "y"}} == (
        written(given(inner=part))["attributes"]["inner"]
    )


def test_text_in_a_list_that_is_not_unicode_is_refused_when_it_is_written() -> None:
    with pytest.raises(InvalidInput, match="givens input holds text that is not valid Unicode"):
        written(given(tags=["\ud800"]))


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"things": []},
        {"things": ("t1", "t2")},
        {"tags": None},
        {"born": dt.date(1990, 1, 1)},
        {"callback_url": "https://me.example", "callback_method": "get"},
        {"callback_url": "https://me.example", "callback_method": CallbackMethod.POST},
        {"callback_url": None, "callback_method": None},
        {"external_reference_id": "x" * 100},
    ],
)
def test_what_can_be_right_is_taken(right: dict[str, Any]) -> None:
    made = given(**right)
    assert right == {name: getattr(made, name) for name in right}


def test_an_input_shows_and_compares_all_it_sends_but_no_secret() -> None:
    made = given(inner=Inner(name="x", password="hunter2"))
    assert "owner='o1'" in repr(made)
    assert "password=<hidden>" in repr(made)
    assert "hunter2" not in repr(made)
    assert given(owner="o2") != given(owner="o3")
    assert given() == given()


@pytest.mark.parametrize("wrap", [list, tuple])
def test_secrets_inside_of_what_is_refused_are_not_quoted(wrap: Any) -> None:
    for wrong in ({"password": "hunter2"}, ({"auth_password": "hunter2"},)):
        with pytest.raises(InvalidInput, match="inner is ") as refused:
            given(inner=wrap([wrong]))
        assert "hunter2" not in str(refused.value)


def test_a_refused_secret_is_not_quoted() -> None:
    @value
    class Secretive(Input):
        password: str | Unset = attribute(secret=True)

    with pytest.raises(InvalidInput) as refusal:
        Secretive(password=b"hunter2")  # type: ignore[arg-type]
    assert "password is text, not bytes" == str(refusal.value)


def test_read_only_parts_are_not_sent_back() -> None:
    inner = Inner(name="x", password="mine", made_password="theirs")
    assert {"type": "inners", "attributes": {"name": "x", "password": "mine"}} == (
        CONVERTER.unstructure(inner)
    )
    assert "theirs" not in repr(inner)


def test_an_unknown_part_is_sent_back_as_it_came_and_hides_its_secrets() -> None:
    raw = {"type": "news", "attributes": {"password": "hunter2", "port": 5060}}
    part = CONVERTER.structure(raw, Inner | UnknownNested)  # type: ignore[arg-type]
    assert raw == CONVERTER.unstructure(part)
    assert "hunter2" not in repr(part)
    assert "5060" in repr(part)


def test_a_flat_part_keeps_names_it_does_not_know() -> None:
    wire = {"from": "2026-04-01T00:00:00.000Z", "to": "2026-04-02T00:00:00.000Z", "did_number": "1"}
    window = CONVERTER.structure(wire, Window)
    assert dt.datetime(2026, 4, 1, tzinfo=dt.UTC) == window.from_
    assert {"did_number": "1"} == window.others
    assert wire == CONVERTER.unstructure(window)


def test_a_relationship_of_the_callers_choice_takes_its_type_from_the_object() -> None:
    @value
    class Owner(Resource):
        type: ClassVar[str] = "owners"

    data = written(given(either=Owner(id="o9"), things=["t1"]))
    assert {"data": {"type": "owners", "id": "o9"}} == data["relationships"]["either"]
    assert {"data": [{"type": "things", "id": "t1"}]} == data["relationships"]["things"]


@pytest.mark.parametrize("text", ["WorldWide", "world_wide", "World wide", "WORLD-WIDE"])
def test_word_breaks_and_case_do_not_matter_in_enumerations(text: str) -> None:
    assert Level.WORLD_WIDE is Level(text)
    assert Level.REJECT_CALL is Level("Reject call")


def test_a_did_is_routed_to_a_trunk_or_to_a_trunk_group() -> None:
    with pytest.raises(InvalidInput, match="voice_in_trunk and voice_in_trunk_group"):
        DidUpdate(voice_in_trunk="t1", voice_in_trunk_group="g1")
    for to_trunk in ({"voice_in_trunk_group": None}, {}):
        data = written(DidUpdate(voice_in_trunk="t1", **to_trunk))
        assert {
            "voice_in_trunk": {"data": {"type": "voice_in_trunks", "id": "t1"}},
            "voice_in_trunk_group": {"data": None},
        } == data["relationships"]
    data = written(DidUpdate(voice_in_trunk_group="g1"))
    assert {
        "voice_in_trunk": {"data": None},
        "voice_in_trunk_group": {"data": {"type": "voice_in_trunk_groups", "id": "g1"}},
    } == data["relationships"]
    data = written(DidUpdate(voice_in_trunk=None))
    assert {"voice_in_trunk": {"data": None}} == data["relationships"]
    with pytest.raises(InvalidInput, match="billing_cycles_count"):
        DidUpdate(billing_cycles_count=1000)

"""The classes are the contract's: every attribute, relationship, meta key, filter, sort, include
and request body, with type and nullability."""

import datetime as dt
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
from contract import CONTRACT, NESTED, RESOURCES
from resources.samples import BEYOND, chapters, input_class, lists, names, resource_class, writes

from didww_async.resources.base import (
    FlatNested,
    Nested,
    UnknownNested,
    attributes_of,
    fields_of,
    is_read_only,
    is_relationship,
    is_to_many,
    related_type,
    wire_name,
)
from didww_async.wire.enums import OpenEnum
from didww_async.wire.unset import Unset

# Open in the contract, named here.
NAMED = {"cli_format"}


def named_types() -> dict[str, type[Nested]]:
    return {
        found.type: found
        for found in names().values()
        if isinstance(found, type) and issubclass(found, Nested) and found.type
    }


def kinds_of(annotation: Any) -> tuple[set[Any], bool]:
    """The types an annotation takes, and whether None is one of them."""
    is_union = typing.get_origin(annotation) in {typing.Union, types.UnionType}
    members = set(typing.get_args(annotation) if is_union else (annotation,))
    nullable = types.NoneType in members
    return members - {types.NoneType, Unset}, nullable


def expected_kind(spec: Mapping[str, Any]) -> Any:
    if "enum" in spec:
        return OpenEnum
    if spec.get("decimal"):
        return Decimal
    if spec["type"] == "string":
        return {"date-time": dt.datetime, "date": dt.date}.get(spec.get("format", ""), str)
    return {"integer": int, "boolean": bool, "array": tuple, "object": Nested}[spec["type"]]


def check_attribute(spec: Mapping[str, Any], annotation: Any, *, where: str) -> None:
    found, nullable = kinds_of(annotation)
    assert spec.get("nullable", False) == nullable, where
    expected = expected_kind(spec)
    for kind in found:
        origin = typing.get_origin(kind) or kind
        if origin is typing.Literal:
            assert {one for one in spec["enum"] if one} == set(typing.get_args(kind)), where
        elif expected is tuple:
            assert origin in {tuple, typing.get_origin(typing.Sequence[str])}, where
            items = spec["items"]
            if isinstance(items, dict):
                check_attribute(items, typing.get_args(kind)[0], where=f"{where}[]")
            elif not items.startswith("nested."):
                (inner, *_) = typing.get_args(kind)
                assert {"string": str, "integer": int}[items] is inner, where
        elif expected is Nested:
            assert issubclass(origin, (Nested, FlatNested)), where
        elif expected is str:
            assert origin is str or (issubclass(origin, OpenEnum) and where.split(".")[1] in NAMED)
        elif expected is OpenEnum:
            assert issubclass(origin, OpenEnum), where
            known = {member.value for member in origin}
            assert {one for one in spec["enum"] if one} <= known, where
        else:
            assert expected is origin, where


def annotated(cls: type) -> dict[str, Any]:
    return {wire_name(field): field.type for field in attributes_of(cls)}


def relationships(cls: type) -> "dict[str, attrs.Attribute[Any]]":
    return {wire_name(field): field for field in fields_of(cls) if is_relationship(field)}


@pytest.mark.parametrize("type_", RESOURCES)
def test_a_resource_has_the_attributes_relationships_and_meta_of_the_contract(type_: str) -> None:
    spec, cls = RESOURCES[type_], resource_class(type_)
    found = annotated(cls)
    assert set(spec.get("attributes") or {}) == set(found) - BEYOND.get(type_, set())
    for name, one in (spec.get("attributes") or {}).items():
        check_attribute(one, found[name], where=f"{type_}.{name}")
    linked = relationships(cls)
    assert set(spec.get("relationships") or {}) == set(linked)
    for name, one in (spec.get("relationships") or {}).items():
        assert (one["kind"] == "many") == is_to_many(linked[name]), name
        told = str(linked[name].type)
        for target in one["types"]:
            assert resource_class(target).__name__ in told, f"{type_}.{name}: {told}"
    (meta,) = (field.type for field in fields_of(cls) if field.name == "meta")
    keys = annotated(typing.cast("type", meta))
    assert set(spec.get("meta") or {}) == set(keys)
    for name, one in (spec.get("meta") or {}).items():
        check_attribute(one, keys[name], where=f"{type_}.{name}")


@pytest.mark.parametrize("part", ["order_items", "trunk_configurations", "authentication_methods"])
def test_a_polymorphic_part_has_one_class_per_kind_with_its_attributes(part: str) -> None:
    known = {
        found.type: found
        for found in names().values()
        if isinstance(found, type) and issubclass(found, Nested) and found.__name__[0] != "_"
        if found is not UnknownNested and not found.__name__.endswith("OrderItem")
    }
    for kind, attributes in NESTED[part]["response"].items():
        found = annotated(known[kind])
        assert set(attributes) == set(found), kind
        for name, one in attributes.items():
            check_attribute(one, found[name], where=f"{kind}.{name}")
        read_only = {wire_name(f) for f in attributes_of(known[kind]) if is_read_only(f)}
        assert {name for name, one in attributes.items() if one.get("read_only")} == read_only


@pytest.mark.parametrize(("type_", "query"), list(lists()))
def test_a_list_takes_the_filters_sorts_and_includes_of_the_contract(
    type_: str, query: Mapping[str, Any]
) -> None:
    name, known = resource_class(type_).__name__, names()
    filters = set(typing.get_type_hints(known[f"{name}Filter"]))
    assert set(query["filter"]) == filters - BEYOND.get(f"{type_} filter", set())
    sorts = set(typing.get_args(known.get(f"{name}Sort")))
    wanted = {sign + sort for sort in query["sort"] or [] for sign in ("", "-")}
    assert wanted == sorts - BEYOND.get(f"{type_} sort", set())
    includes = {path for path in typing.get_args(known.get(f"{name}Include")) if "." not in path}
    assert set(query["include"] or []) == includes


@pytest.mark.parametrize(("type_", "query"), list(lists()))
def test_pages_are_asked_for_where_there_are_pages_and_in_an_order_the_list_can_sort_by(
    type_: str, query: Mapping[str, Any]
) -> None:
    cls = resource_class(type_)
    assert bool(query["page"]) == cls.paged
    if cls.walk_by is not None:
        assert set(cls.walk_by.split(",")) <= set(query["sort"])
    else:
        assert not (cls.paged and query["sort"])


@pytest.mark.parametrize(("type_", "method", "request_"), list(writes()))
def test_an_input_takes_what_the_request_takes(
    type_: str, method: str, request_: Mapping[str, Any]
) -> None:
    cls = input_class(type_, method)
    attributes, linked = request_["attributes"], request_["relationships"]
    assert set(attributes) == set(annotated(cls))
    assert set(linked) == set(relationships(cls))
    for field in fields_of(cls):
        name = wire_name(field)
        spec = attributes.get(name) or linked[name]
        required = field.default is attrs.NOTHING
        only_field = len(attributes) + len(linked) == 1
        assert spec.get("required", False) == required or only_field, name
        if name in attributes:
            check_attribute(spec, field.type, where=f"{type_}.{name}")
        else:
            kinds, nullable = kinds_of(field.type)
            assert spec["data_nullable"] == nullable, name
            assert (spec["kind"] == "many") == (str not in kinds and len(spec["types"]) == 1), name
            assert related_type(field) in ({*spec["types"]} if len(spec["types"]) == 1 else {None})


def test_no_resource_or_input_is_beyond_the_contract() -> None:
    known = set(RESOURCES)
    for chapter in chapters():
        for name in getattr(chapter, "__all__", ()):
            type_ = getattr(getattr(chapter, name), "type", "")
            if isinstance(type_, str) and type_ and type_ not in named_types():
                assert type_ in known, name
    assert 38 == len({resource_class(type_) for type_ in CONTRACT["resources"]})

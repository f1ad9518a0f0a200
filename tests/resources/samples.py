"""Documents made from the contract, as the real API sends them, and the classes they are for."""

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from contract import CONTRACT, NESTED, RESOURCES

from didww_async import resources
from didww_async.resources.base import Resource
from didww_async.resources.inputs import Input
from didww_async.versions import aliases, version
from didww_async.wire.body import request_body
from didww_async.wire.converter import make_converter
from didww_async.wire.document import Document
from didww_async.wire.linking import Linker

_TEXTS = {"uuid": "5b1e7c0a-0000-4000-8000-000000000001", "date": "2026-04-16"}


@cache
def chapters() -> tuple[ModuleType, ...]:
    found = pkgutil.iter_modules(resources.__path__)
    return tuple(importlib.import_module(f"{resources.__name__}.{one.name}") for one in found)


# Known from the documentation or the seed documents, though the contract does not list them; number
# types are of API version 2026-11-19.
BEYOND: Mapping[str, set[str]] = {
    "did_groups": {"number_type"},
    "did_groups filter": {"number_type"},
    "did_groups sort": {"local_prefix", "-local_prefix", "number_type", "-number_type"},
    "available_dids filter": {"did_group.number_type"},
}


def names() -> dict[str, Any]:
    """Every name of every chapter."""
    return {name: found for chapter in chapters() for name, found in vars(chapter).items()}


def resource_class(type_: str) -> type[Resource]:
    (found,) = {
        found
        for found in names().values()
        if isinstance(found, type) and issubclass(found, Resource) and found.type == type_
    }
    return found


def input_class(type_: str, method: str) -> type[Input]:
    name = resource_class(type_).__name__ + {"POST": "Create", "PATCH": "Update"}[method]
    found: type[Input] = names()[name]
    assert type_ == found.type
    return found


def writes() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Type, method and request of every JSON body the API takes."""
    for endpoint in CONTRACT["endpoints"]:
        request = endpoint["request"]
        if request and "data_type" in request:
            yield request["data_type"], endpoint["method"], request


def lists() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Type and query of every list."""
    for endpoint in CONTRACT["endpoints"]:
        if endpoint["method"] == "GET" and endpoint["path"].removeprefix("/") in RESOURCES:
            yield endpoint["path"].removeprefix("/"), endpoint["query"]


def sample(spec: Mapping[str, Any], name: str) -> Any:  # noqa: PLR0911 - one line per type
    """A value as the real API would send it, of the type the contract gives."""
    if "enum" in spec:
        return spec["enum"][0]
    if "ref" in spec:
        return part(spec["ref"].split(".")[1])
    if spec.get("decimal"):
        return "12.50"
    match spec["type"]:
        case "integer":
            return 7
        case "boolean":
            return True
        case "array":
            items = spec["items"]
            if items == "nested.order_items.response":
                return [part("order_items", kind) for kind in NESTED["order_items"]["response"]]
            inner = {"type": items} if isinstance(items, str) else items
            return [sample(inner, name)]
        case "object":
            span = {"from": "2026-04-01T00:00:00.000Z", "to": "2026-04-15T23:59:59.000Z"}
            return span | {"did_number": "442071234567"}
    if spec.get("format") == "date-time":
        return "2026-04-16T10:30:00.000Z"
    return _TEXTS.get(spec.get("format", ""), f"{name} of it")


def part(name: str, kind: str | None = None) -> dict[str, Any]:
    """A polymorphic part as a reply holds it; of the first kind unless told."""
    kinds = NESTED[name]["response"]
    kind = kind or next(iter(kinds))
    return {
        "type": kind,
        "attributes": {key: sample(spec, key) for key, spec in kinds[kind].items()},
    }


def resource_object(type_: str, **attributes: Any) -> dict[str, Any]:
    """A whole resource object: every attribute, relationship (one each) and meta key."""
    spec = RESOURCES[type_]
    made: dict[str, Any] = {"id": f"{type_}-1", "type": type_}
    if spec.get("attributes"):
        samples = {name: sample(one, name) for name, one in spec["attributes"].items()}
        made["attributes"] = samples | attributes
    if spec.get("relationships"):
        made["relationships"] = {
            name: {"data": _linkage(one)} for name, one in spec["relationships"].items()
        }
    if spec.get("meta"):
        made["meta"] = {name: sample(one, name) for name, one in spec["meta"].items()}
    return made


def read(data: Any, *included: Any) -> Any:
    """What the library makes of a document."""
    classes = {type_: resource_class(type_) for type_ in RESOURCES}
    linker = Linker(converter=make_converter(), classes=classes, aliases=aliases())
    return linker.one(Document(data=data, included=included))


def written(given: Input, *, id: str | None = None, at: str = CONTRACT["api_version"]) -> Any:
    """The body that is sent for an input, at an API version."""
    spelled = version(at)
    body = request_body(given, converter=make_converter(), version=spelled, id=id)
    return json.loads(body)["data"]


def _linkage(spec: Mapping[str, Any]) -> Any:
    one = {"type": spec["types"][0], "id": f"{spec['types'][0]}-9"}
    return [one] if spec["kind"] == "many" else one

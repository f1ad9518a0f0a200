"""The contract as JSON schemas: what every reply of a server has to look like."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from contract import CONTRACT
from jsonschema import Draft202012Validator, FormatChecker

FORMATS = FormatChecker(formats=())
ERRORS = {
    "type": "object",
    "required": ["errors"],
    "additionalProperties": False,
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["title", "detail", "code", "status"],
                "additionalProperties": False,
                "properties": {
                    "title": {"type": "string"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                    "status": {"type": "string", "pattern": r"^\d{3}$"},
                    "meta": {"type": "object"},
                    "source": {
                        "type": "object",
                        "required": ["pointer"],
                        "properties": {"pointer": {"type": "string", "pattern": "^/data"}},
                    },
                },
            },
        }
    },
}
_DECIMAL = r"^-?\d+(\.\d+)?$"


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(text: object) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


@FORMATS.checks("date", raises=ValueError)
def _is_date(text: object) -> bool:
    return not isinstance(text, str) or bool(date.fromisoformat(text))


@FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(text: object) -> bool:
    return not isinstance(text, str) or bool(UUID(text))


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Method and path of every operation, and what the contract says of it."""
    for endpoint in CONTRACT["endpoints"]:
        yield endpoint["method"], endpoint["path"], endpoint


def operation_of(method: str, path: str) -> Mapping[str, Any]:
    """The operation a request is for."""
    for its_method, template, endpoint in operations():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if its_method == method and re.fullmatch(pattern, path):
            return endpoint
    raise LookupError(f"the contract has no {method} {path}")


def problems_with(schema: Mapping[str, Any], found: object) -> list[str]:
    errors = Draft202012Validator(schema, format_checker=FORMATS).iter_errors(found)
    return [f"{error.json_path}: {error.message}" for error in errors]


def document_problems(endpoint: Mapping[str, Any], document: Any, *, included: bool) -> list[str]:
    """What is wrong with a reply of an operation, down to each resource object."""
    type_ = type_of(endpoint)
    problems = problems_with(_document(endpoint, included=included), document)
    data = document.get("data", [])
    for item in data if isinstance(data, list) else [data]:
        if item.get("type") != type_:
            problems.append(f"{item.get('type')} instead of {type_}")
        problems += object_problems(item)
    for item in document.get("included", ()):
        problems += object_problems(item)
    return problems


def object_problems(item: Mapping[str, Any]) -> list[str]:
    found = problems_with(resource_schema(item["type"]), item)
    return [f"{item['type']} {problem}" for problem in found]


def type_of(endpoint: Mapping[str, Any]) -> str:
    first = endpoint["path"].split("/")[1]
    return "balances" if first == "balance" else first


def _document(endpoint: Mapping[str, Any], *, included: bool) -> dict[str, Any]:
    """The members of a document; each resource object has a schema of its own."""
    resource = CONTRACT["resources"][type_of(endpoint)]
    listing = "{id}" not in endpoint["path"] and endpoint["method"] == "GET"
    listing = listing and endpoint["path"] != "/balance"
    if listing:
        members = resource["collection_document"]
    else:
        created = endpoint["method"] == "POST" and "created_document_meta" in resource
        meta = resource.get("created_document_meta" if created else "single_document_meta")
        members = {"meta": meta and meta.split(" ")[0], "links": None}
    schema: dict[str, Any] = {
        "type": "object",
        "required": ["data"],
        "additionalProperties": False,
        "properties": {"data": {"type": "array" if listing else "object"}},
    }
    if included:
        schema["properties"]["included"] = {"type": "array"}
        schema["required"].append("included")
    if members["meta"]:
        rules = CONTRACT["conventions"]["document_meta"][members["meta"]]
        schema["properties"]["meta"] = {
            "type": "object",
            "required": list(rules),
            "additionalProperties": False,
            "properties": {name: {"type": rule.split(" ")[0]} for name, rule in rules.items()},
        }
        schema["required"].append("meta")
    if members["links"]:
        schema["properties"]["links"] = {
            "type": "object",
            "required": ["first", "last"],
            "properties": {"first": {"type": "string"}, "last": {"type": "string"}},
        }
        schema["required"].append("links")
    return schema


@cache
def resource_schema(type_: str) -> Mapping[str, Any]:
    resource = CONTRACT["resources"][type_]
    schema: dict[str, Any] = {
        "type": "object",
        "required": ["id", "type"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "type": {"const": type_},
        },
    }
    if resource.get("attributes"):
        _add(schema, "attributes", _members(resource["attributes"]))
    if resource.get("relationships"):
        links = {name: _relationship(rule) for name, rule in resource["relationships"].items()}
        _add(schema, "relationships", _closed(links, required=list(links)))
    if resource.get("meta"):
        _add(schema, "meta", _members(resource["meta"]), required=resource["meta_required"])
    return schema


def _add(schema: dict[str, Any], name: str, member: object, *, required: bool = True) -> None:
    schema["properties"][name] = member
    if required:
        schema["required"].append(name)


def _closed(properties: Mapping[str, Any], *, required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _members(rules: Mapping[str, Any]) -> dict[str, Any]:
    required = [name for name, rule in rules.items() if rule.get("required")]
    return _closed({name: _value(rule) for name, rule in rules.items()}, required=required)


def _value(rule: Mapping[str, Any]) -> dict[str, Any]:
    if "ref" in rule:
        return _polymorphic(CONTRACT["nested"][rule["ref"].removeprefix("nested.")]["response"])
    nullable = rule.get("nullable", False)
    schema: dict[str, Any] = {"type": [rule["type"], "null"] if nullable else rule["type"]}
    if "enum" in rule:
        schema["enum"] = rule["enum"]
    if "format" in rule:
        schema["format"] = rule["format"]
    if rule.get("decimal"):
        schema["pattern"] = _DECIMAL
    if "items" in rule:
        schema["items"] = _items(rule["items"])
    return schema


def _items(rule: Any) -> dict[str, Any]:
    if rule == "nested.order_items.response":
        return _polymorphic(CONTRACT["nested"]["order_items"]["response"])
    return {"type": rule} if isinstance(rule, str) else _value(rule)


def _polymorphic(shapes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "oneOf": [
            _closed(
                {"type": {"const": type_}, "attributes": _members(rules)},
                required=["type", "attributes"],
            )
            for type_, rules in shapes.items()
        ]
    }


def _relationship(rule: Mapping[str, Any]) -> dict[str, Any]:
    identifier = _closed(
        {"type": {"enum": rule["types"]}, "id": {"type": "string", "format": "uuid"}},
        required=["type", "id"],
    )
    data = (
        {"type": "array", "items": identifier}
        if rule["kind"] == "many"
        else {"oneOf": [identifier, {"type": "null"}]}
    )
    text = {"type": "string"}
    links = _closed({"self": text, "related": text}, required=["self", "related"])
    return _closed({"links": links, "data": data}, required=["links"])

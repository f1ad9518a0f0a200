"""Reading and checking the query of a request: filter, sort, include, fields and page."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs

from didww_async.simulator.errors import (
    RefusedError,
    filter_not_allowed,
    parameter_not_allowed,
    refuse,
)
from didww_async.simulator.schema import Catalogue, Resource

_KEY = re.compile(r"(?P<family>filter|fields|page)\[(?P<name>[^\[\]]+)\]")

IncludeTree = Mapping[str, "IncludeTree"]
Pairs = tuple[tuple[str, str], ...]


@attrs.frozen(kw_only=True)
class Query:
    """A checked query: `filters` are parsed, `sort` says of each field whether it descends."""

    filters: Mapping[str, Any]
    filter_texts: Pairs
    sort: tuple[tuple[str, bool], ...]
    include: IncludeTree
    fields: Mapping[str, frozenset[str]]
    page_number: int
    page_size: int


def decode_pairs(query_string: str) -> Pairs:
    return tuple(parse_qsl(query_string, keep_blank_values=True))


def read_query(pairs: Pairs, *, resource: Resource, catalogue: Catalogue, listing: bool) -> Query:
    """Check the query of a GET; only lists may be filtered, sorted and paged."""
    filters: dict[str, Any] = {}
    filter_texts: dict[str, str] = {}
    fields: dict[str, frozenset[str]] = {}
    pages: dict[str, int] = {}
    sort: tuple[tuple[str, bool], ...] = ()
    include: IncludeTree = {}
    for key, text in pairs:
        match = _KEY.fullmatch(key)
        if match:
            name = match["name"]
            if match["family"] == "filter":
                filters[name] = _filter_value(name, text, resource=resource, listing=listing)
                filter_texts[name] = text
            elif match["family"] == "fields":
                fields[name] = _fields(name, text, catalogue=catalogue)
            else:
                pages[name] = _page_value(name, text, resource=resource, listing=listing)
        elif key == "sort" and listing:
            sort = _sort(text, resource=resource)
        elif key == "include":
            include = _include(text, resource=resource, catalogue=catalogue)
        else:
            raise parameter_not_allowed(key)
    paging = resource.paging
    return Query(
        filters=filters,
        filter_texts=tuple(sorted(filter_texts.items())),
        sort=sort,
        include=include,
        fields=fields,
        page_number=pages.get("number", 1),
        # Too large a page is cut down to the largest. Not documented: it might be refused.
        page_size=min(pages.get("size", paging.default), paging.most) if paging else 0,
    )


def refuse_query(pairs: Pairs) -> None:
    """POST, PATCH and DELETE take no query parameters."""
    for key, _text in pairs:
        raise parameter_not_allowed(key)


def _filter_value(name: str, text: str, *, resource: Resource, listing: bool) -> Any:
    found = resource.filter_named.get(name)
    if found is None or not listing:
        raise filter_not_allowed(name)
    return found.value(text)


def _fields(type: str, text: str, *, catalogue: Catalogue) -> frozenset[str]:
    resource = catalogue.get(type)
    if resource is None:
        raise parameter_not_allowed(f"fields[{type}]")
    known = {entry.name for entry in resource.attributes} | set(resource.relationship_named)
    wanted = frozenset(part.strip() for part in text.split(",") if part.strip())
    for name in sorted(wanted - known - {"id", "type"}):
        raise parameter_not_allowed(f"{type}.{name}")
    return wanted


def _page_value(name: str, text: str, *, resource: Resource, listing: bool) -> int:
    if not listing or resource.paging is None or name not in {"number", "size"}:
        raise parameter_not_allowed(f"page[{name}]")
    if not text.isascii() or not text.isdigit() or not int(text):
        raise _bad_page_value(name, text)
    return int(text)


def _bad_page_value(name: str, text: str) -> RefusedError:
    detail = f"{text!r} is not a valid value for page[{name}]."
    return refuse(400, "Invalid page value", detail, code="105")


def _sort(text: str, *, resource: Resource) -> tuple[tuple[str, bool], ...]:
    sort = []
    for part in text.split(","):
        name = part.strip().removeprefix("-")
        if name not in resource.sort_named:
            raise parameter_not_allowed(f"sort={part}")
        sort.append((name, part.strip().startswith("-")))
    return tuple(sort)


def _include(text: str, *, resource: Resource, catalogue: Catalogue) -> IncludeTree:
    tree: dict[str, Any] = {}
    for path in text.split(",") if text else ():
        branch: dict[str, Any] = tree
        here = [resource]
        for name in path.strip().split("."):
            found = [one.relationship_named[name] for one in here if name in one.relationship_named]
            if not found:
                raise parameter_not_allowed(f"include={path}")
            branch = branch.setdefault(name, {})
            here = [
                catalogue[kind]
                for relationship in found
                for kind in relationship.types
                if kind in catalogue
            ]
    return tree

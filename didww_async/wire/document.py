"""Bytes -> a JSON:API document: its data, included objects, meta, links and errors."""

from collections.abc import Mapping
from typing import Any

import attrs

from didww_async.errors import ErrorObject
from didww_async.wire.codec import STANDARD, Codec
from didww_async.wire.passed import passed

__all__ = ["Document", "NotADocument", "parse_document", "parse_errors", "parse_ids"]


class NotADocument(ValueError):
    """The bytes are no JSON:API document; the message says why."""


@passed
class Document:
    """A JSON:API document: `data` is one resource object, a list of them, or None."""

    data: Any = None
    included: tuple[Mapping[str, Any], ...] = ()
    meta: Mapping[str, Any] = attrs.field(factory=dict)
    links: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def total_records(self) -> int | None:
        """How many records all pages have together; None where the server does not say."""
        found = self.meta.get("total_records")
        if type(found) is int:
            return found if found >= 0 else None
        return int(found) if isinstance(found, str) and found.isdecimal() else None


def parse_document(body: bytes, *, codec: Codec = STANDARD) -> Document:
    """Read a success document.

    Raises NotADocument when the body is not JSON, not an object, or has no usable `data`: one
    entry that can't be read spoils a list, because a list that silently lacks an order or a number
    would be believed.
    """
    found = _load(body, codec)
    try:
        data = found["data"]
    except KeyError:
        raise NotADocument("the body has no `data`") from None
    if type(data) is list:
        if not _are_objects(data):
            raise NotADocument("an entry of `data` is no resource object")
    elif data is not None and not _is_object(data):
        raise NotADocument("`data` is no resource object")
    included, meta, links = found.get("included"), found.get("meta"), found.get("links")
    return Document(
        data,
        _objects(included) if type(included) is list else (),
        meta if type(meta) is dict else {},
        links if type(links) is dict else {},
    )


def parse_errors(body: bytes | str) -> tuple[ErrorObject, ...]:
    """Read the errors of a refusal; () when the body is no JSON:API error document."""
    try:
        found = _load(body.encode() if isinstance(body, str) else body, STANDARD)
    except NotADocument:
        return ()
    errors = found.get("errors")
    if not isinstance(errors, list):
        return ()
    return tuple(_error(item) for item in errors if isinstance(item, dict))


def parse_ids(body: bytes) -> tuple[str, ...]:
    """Read the answer to an upload in 2022-05-10, the ids and no document; () for another body."""
    try:
        ids = _load(body, STANDARD).get("ids")
    except NotADocument:
        return ()
    return tuple(str(id_) for id_ in ids) if isinstance(ids, list) else ()


def _load(body: bytes, codec: Codec) -> Mapping[str, Any]:
    try:
        found = codec.loads(body)
    except (ValueError, RecursionError):
        found = NotADocument
    if type(found) is dict:
        return found
    # Not raised from the except block: json's error holds the whole body, and would travel along.
    what = "not JSON" if found is NotADocument else "no JSON object"
    raise NotADocument(f"the body is {what}")


def _error(item: Mapping[str, Any]) -> ErrorObject:
    return ErrorObject(
        status=_text(item.get("status")),
        code=_text(item.get("code")),
        title=_text(item.get("title")),
        detail=_text(item.get("detail")),
        pointer=_text(_mapping(item.get("source")).get("pointer")),
        meta=_mapping(item.get("meta")),
    )


def _are_objects(items: list[Any]) -> bool:
    try:
        for item in items:
            if type(item["id"]) is not str and type(item["id"]) is not int:
                return False
    except (KeyError, TypeError):
        return False
    return True


def _objects(items: list[Any]) -> tuple[Mapping[str, Any], ...]:
    if _are_objects(items):
        return tuple(items)
    return tuple(item for item in items if _is_object(item))


def _is_object(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id"), (str, int))


def _mapping(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _text(found: Any) -> str | None:
    return None if found is None else str(found)

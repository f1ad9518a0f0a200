"""What a callback says: bytes in, frozen values out. Pure.

Source: doc.didww.com/api3, callbacks. GET callbacks tell it in the query, POST callbacks in a form;
events of outbound trunks come as a JSON array. What is not known stays reachable in `raw`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Never, TypeAlias
from urllib.parse import unquote_to_bytes

import attrs

from didww_async.callbacks.signature import Payload
from didww_async.errors import DidwwError
from didww_async.resources.orders import OrderStatus
from didww_async.wire.enums import OpenEnum

__all__ = [
    "AddressVerificationCallback",
    "Callback",
    "CallbackStatus",
    "EmergencyVerificationCallback",
    "ExportCallback",
    "OrderCallback",
    "Pairs",
    "TrunkEvent",
    "UnknownCallback",
    "UnreadableCallback",
    "gathered",
    "parse_body",
    "parse_payload",
    "parse_payloads",
    "parse_query",
    "read_body",
    "read_pairs",
    "read_query",
]

Pairs: TypeAlias = Sequence[tuple[str, str]]

_MOST_PAIRS = 64
_LONGEST = 64
"""Characters of an id, type or status.

The signed words have no separators, so a stranger who saw a signed request could move its borders:
payload text into the last value of the query, say. Whatever is built like that is longer than this.
"""


class UnreadableCallback(DidwwError, ValueError):
    """The request is no callback of DIDWW: not decodable, or without id, type and status."""


class CallbackStatus(OpenEnum):
    """The documented statuses of everything that calls back."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELED = "canceled"
    APPROVED = "approved"
    REJECTED = "rejected"


@attrs.frozen(kw_only=True)
class Callback:
    """One thing that happened: the resource `type` with `id` has reached `status`.

    `raw` holds all names and values as received. A callback may come more than once, late or
    never; before acting on one for money, read the resource again.
    """

    id: str
    type: str
    status: OpenEnum
    raw: Mapping[str, Any] = attrs.field(factory=dict, repr=False, hash=False)

    repeats_itself: ClassVar[bool] = False
    """Whether the same id, type and status can rightly come again, as news."""


@attrs.frozen(kw_only=True)
class OrderCallback(Callback):
    """An order was completed or canceled."""

    status: OrderStatus


@attrs.frozen(kw_only=True)
class ExportCallback(Callback):
    """An export is ready; `url` is where, None if the callback does not say."""

    status: CallbackStatus
    url: str | None = None


@attrs.frozen(kw_only=True)
class _VerificationCallback(Callback):
    status: CallbackStatus
    reject_reasons: tuple[str, ...] = ()
    reject_comment: str | None = None


@attrs.frozen(kw_only=True)
class AddressVerificationCallback(_VerificationCallback):
    """An address verification was approved, or rejected for `reject_reasons`."""


@attrs.frozen(kw_only=True)
class EmergencyVerificationCallback(_VerificationCallback):
    """An emergency verification was approved, or rejected for `reject_reasons`."""


@attrs.frozen(kw_only=True)
class TrunkEvent(Callback):
    """An event of an outbound trunk, one entry of a JSON array.

    What such an entry contains is not documented: `id`, `type` and `status` are "" if it lacks
    them, and `raw` has it all.
    """

    status: CallbackStatus

    repeats_itself: ClassVar[bool] = True


@attrs.frozen(kw_only=True)
class UnknownCallback(Callback):
    """A callback of a type this library does not know; everything is in `raw`."""

    status: CallbackStatus


def parse_query(query: str) -> Callback:
    """Read the query of a GET callback; the customer's own parameters stay in `raw`.

    Raises UnreadableCallback if it is none.
    """
    return parse_payload(gathered(read_query(query)))


def parse_body(body: bytes) -> tuple[Callback, ...]:
    """Read the body of a POST callback: a form, a JSON object, or a JSON array of events.

    Raises UnreadableCallback if it is none.
    """
    return parse_payloads(read_body(body))


def parse_payloads(payload: Payload) -> tuple[Callback, ...]:
    """Make typed values of a payload, or of the entries of a JSON array.

    Raises UnreadableCallback as `parse_payload` does.
    """
    if isinstance(payload, Mapping):
        return (parse_payload(payload),)
    return tuple(map(_event, payload))


def parse_payload(payload: Mapping[str, Any]) -> Callback:
    """Make a typed value of a payload.

    Raises UnreadableCallback if `id`, `type` or `status` is missing or longer than 64 characters.
    """
    words = {name: _word(payload, name) for name in ("id", "type", "status")}
    for name, word in words.items():
        if not 0 < len(word) <= _LONGEST:
            raise UnreadableCallback(f"no usable {name} in the callback")
    return _KINDS.get(words["type"].casefold(), _unknown)(words, payload)


# Reading


def read_query(query: str) -> Pairs:
    """Decode a query as a server hands it over: bytes that are not UTF-8 as lone surrogates.

    Raises UnreadableCallback as `read_pairs` does.
    """
    try:
        text = query.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UnreadableCallback("the query is not text") from error
    return read_pairs(text)


def read_pairs(text: bytes) -> Pairs:
    """Decode a query string or a form: names with values, in the order sent.

    Raises UnreadableCallback if it is not UTF-8 or has more than 64 names.
    """
    parts = [part for part in text.split(b"&", _MOST_PAIRS + 1) if part]
    if len(parts) > _MOST_PAIRS:
        raise UnreadableCallback(f"more than {_MOST_PAIRS} names")
    pairs = []
    for part in parts:
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        pairs.append((_decoded(name), _decoded(value)))
    return pairs


def gathered(pairs: Pairs) -> dict[str, Any]:
    """Make a payload of pairs: the last of equal names counts, `name[]` gathers a list."""
    payload: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            payload.setdefault(name, []).append(value)
        else:
            payload[name] = value
    return payload


def read_body(body: bytes) -> dict[str, Any] | list[dict[str, Any]]:
    """Decode a body, a form or JSON by what it looks like: media types can't be relied on.

    Raises UnreadableCallback if it can't be decoded.
    """
    if body.lstrip()[:1] not in {b"{", b"["}:
        return gathered(read_pairs(body))
    try:
        found = json.loads(body.decode(), parse_float=Decimal, parse_constant=_refuse)
        json.dumps(found, default=str, ensure_ascii=False).encode()  # refuses lone surrogates
    except (ValueError, RecursionError) as error:
        raise UnreadableCallback("the body is not JSON") from error
    entries = found if isinstance(found, list) else [found]
    if not all(isinstance(entry, dict) for entry in entries):
        raise UnreadableCallback("the body is no array of JSON objects")
    return found  # type: ignore[no-any-return]  # checked just above


def _decoded(text: bytes) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise UnreadableCallback("not UTF-8") from error


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")


# Kinds

_Words: TypeAlias = Mapping[str, str]


def _order(words: _Words, raw: Mapping[str, Any]) -> Callback:
    return OrderCallback(
        id=words["id"], type=words["type"], status=OrderStatus(words["status"]), raw=raw
    )


def _export(words: _Words, raw: Mapping[str, Any]) -> Callback:
    return ExportCallback(**_common(words, raw), url=_word(raw, "url") or None)


def _address_verification(words: _Words, raw: Mapping[str, Any]) -> Callback:
    return AddressVerificationCallback(**_common(words, raw), **_rejection(raw))


def _emergency_verification(words: _Words, raw: Mapping[str, Any]) -> Callback:
    return EmergencyVerificationCallback(**_common(words, raw), **_rejection(raw))


def _unknown(words: _Words, raw: Mapping[str, Any]) -> Callback:
    return UnknownCallback(**_common(words, raw))


_KINDS: Mapping[str, Callable[[_Words, Mapping[str, Any]], Callback]] = {
    "orders": _order,
    "exports": _export,
    "address_verifications": _address_verification,
    "emergency_verifications": _emergency_verification,
}


def _event(entry: Mapping[str, Any]) -> Callback:
    words = {name: _word(entry, name) for name in ("id", "type", "status")}
    if words["type"].casefold() in _KINDS:
        return parse_payload(entry)
    return TrunkEvent(**_common(words, entry))


def _common(words: _Words, raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": words["id"],
        "type": words["type"],
        "status": CallbackStatus(words["status"]),
        "raw": raw,
    }


def _rejection(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Reasons come as a list, as a form's `reject_reasons[]`, or (older) as one text."""
    found = raw.get("reject_reasons", raw.get("reject_reasons[]"))
    reasons = found if isinstance(found, list) else [found]
    return {
        "reject_reasons": tuple(text for reason in reasons if (text := _plain(reason))),
        "reject_comment": _word(raw, "reject_comment") or None,
    }


def _word(payload: Mapping[str, Any], name: str) -> str:
    return _plain(payload.get(name))


def _plain(value: object) -> str:
    """Text and numbers as text; anything else as nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""

"""DIDWW's signature of a callback: pure, standard library only.

Source: doc.didww.com/api3, callbacks. The scheme is HMAC-SHA1 over the URL and the payload, without
separators and without a time: it proves that DIDWW's server wrote these words, not when. Before
money depends on a callback, read the resource again.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

__all__ = ["SIGNATURE_HEADER", "Payload", "is_valid", "sign", "split_url"]

SIGNATURE_HEADER = "X-DIDWW-Signature"
"""The header that carries the signature."""

Payload: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What a callback tells: names and values, or a JSON array of such entries."""

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def sign(key: str, url: str, payload: Payload) -> str:
    """Compute the signature that DIDWW sends with a callback, in lower-case hexadecimal.

    `key` is the account's callback secret (older accounts: the API key); `url` the public URL that
    was called, with the query exactly as received; None in the payload counts as empty text.

    Raises ValueError if `url` is no absolute URL or something can't be written as UTF-8, and
    TypeError if the payload's names are not text.
    """
    message = _normalised(url) + _flat(payload)
    return hmac.new(key.encode(), _utf8(message), hashlib.sha1).hexdigest()


def is_valid(key: str, url: str, payload: Payload, signature: str) -> bool:
    """Check a signature in constant time.

    Whatever a stranger sends is at worst invalid; nothing that is no signature raises.
    """
    try:
        given = signature.encode("ascii")
        expected = sign(key, url, payload).encode("ascii")
    except (AttributeError, TypeError, ValueError, RecursionError):
        return False
    return hmac.compare_digest(expected, given)


def split_url(url: str) -> tuple[str, str, str]:
    """Cut an absolute URL into scheme, authority and the rest, and change nothing in them.

    The usual URL classes decode, re-encode and add a "/", but the signature covers every byte.
    Raises ValueError if this is no absolute URL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or not scheme.isascii() or not scheme.isalpha():
        raise ValueError("not an absolute URL")
    end = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    if not rest[:end]:
        raise ValueError("the URL names no host")
    return scheme.lower(), rest[:end], rest[end:]


def _normalised(url: str) -> str:
    """The URL with its port written out."""
    scheme, authority, rest = split_url(url)
    userinfo, at, host_and_port = authority.rpartition("@")
    # The colons of an IPv6 address stand inside brackets, before the one of the port.
    end_of_address = host_and_port.find("]") + 1
    colon = host_and_port.find(":", end_of_address)
    host, port = (
        (host_and_port, "") if colon < 0 else (host_and_port[:colon], host_and_port[colon + 1 :])
    )
    return f"{scheme}://{userinfo}{at}{host}:{port or _DEFAULT_PORTS.get(scheme, '80')}{rest}"


def _flat(payload: Payload) -> str:
    if isinstance(payload, Mapping):
        return "".join(name + _text(payload[name]) for name in sorted(payload))
    if isinstance(payload, (str, bytes)):
        raise TypeError("the payload is a mapping or a sequence of mappings, not text")
    return "".join(_flat_entry(entry) for entry in payload)


def _flat_entry(entry: object) -> str:
    if not isinstance(entry, Mapping):
        raise TypeError("an entry of the payload is not a mapping")
    return _flat(entry)


def _text(value: object) -> str:
    """A value as it is signed. Only text and null are documented; the rest is JSON's spelling."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "".join(map(_text, value))
    if isinstance(value, Mapping):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    return str(value)


def _utf8(message: str) -> bytes:
    # Servers hand over bytes of a URL that are not UTF-8 as lone surrogates; this undoes that.
    return message.encode("utf-8", "surrogateescape")

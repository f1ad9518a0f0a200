"""Bytes <-> JSON values: orjson where it is installed (extra `speed`), else the standard library.

Both understand the same documents: what orjson refuses, the standard library decides. One thing
differs, in `raw` only: whole numbers beyond 64 bits, which the API never sends, are rounded by
orjson. Typed attributes treat them alike: as unreadable.
"""

import json
from collections.abc import Callable
from typing import Any

import attrs

__all__ = ["STANDARD", "Codec", "best_codec", "orjson_codec"]


@attrs.frozen(kw_only=True)
class Codec:
    """How JSON is read and written.

    `loads` takes all that `json.loads` takes, NaN and lone surrogates too: an answer that tells of
    a purchase must not be lost for one odd value. It raises ValueError for what is no JSON and
    RecursionError for what is nested too deep. `dumps` writes UTF-8 without blanks. It is strict:
    it raises ValueError for NaN, Infinity and lone surrogates, TypeError for what is no JSON value.
    """

    name: str
    loads: Callable[[bytes], Any] = attrs.field(repr=False)
    dumps: Callable[[object], bytes] = attrs.field(repr=False)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _dumps(found: object) -> bytes:
    return _ENCODER.encode(found).encode()


STANDARD = Codec(name="json", loads=json.loads, dumps=_dumps)
"""The standard library's codec."""


def orjson_codec() -> Codec:
    """The codec that uses orjson. Raises ImportError where it is not installed."""
    import orjson  # noqa: PLC0415 - an extra, imported by those who have it

    read, write = orjson.loads, orjson.dumps
    plain = (
        orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_PASSTHROUGH_DATETIME
        | orjson.OPT_PASSTHROUGH_SUBCLASS
    )

    def loads(body: bytes) -> Any:
        try:
            return read(body)
        except ValueError:
            pass
        # The standard library has the last word, so that a document is not readable on one machine
        # and unreadable on another.
        return json.loads(body)

    def dumps(found: object) -> bytes:
        try:
            written = write(found, option=plain)
        except TypeError:
            return _dumps(found)
        # NaN and Infinity are written as null; where there is a null, they are looked for.
        return written if written.find(b"null") < 0 else _dumps(found)

    return Codec(name="orjson", loads=loads, dumps=dumps)


def best_codec() -> Codec:
    """The quickest codec that is installed."""
    try:
        return orjson_codec()
    except ImportError:
        return STANDARD

"""orjson and the standard library read and write the same JSON; nobody notices which one it is."""

import importlib.machinery
import json
import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from client.servers import document, failure_of, reply, talking, thing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from didww_async import UNSET, InvalidInput, UnreadableReply
from didww_async.resources import OrderUpdate, by_type
from didww_async.versions import aliases
from didww_async.wire.codec import STANDARD, Codec, best_codec, orjson_codec
from didww_async.wire.converter import make_converter
from didww_async.wire.document import NotADocument, parse_document
from didww_async.wire.linking import Linker

FAST = orjson_codec()
CODECS = pytest.mark.parametrize("codec", [FAST, STANDARD], ids=lambda codec: codec.name)
LINKER = Linker(converter=make_converter(), classes=by_type(), aliases=aliases())

REFUSED = "refused"


def loaded(codec: Codec, body: bytes) -> Any:
    try:
        return codec.loads(body)
    except (ValueError, RecursionError):
        return REFUSED


def dumped(codec: Codec, found: object) -> Any:
    try:
        return codec.dumps(found)
    except (ValueError, TypeError, RecursionError) as problem:
        return UnicodeEncodeError if isinstance(problem, UnicodeEncodeError) else REFUSED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"0.1", 0.1),
        (b"4.10", 4.1),
        (b"-0", 0),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1e5", 1e5),
        (b"1e400", math.inf),
        (b'"\\ud800"', "\ud800"),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('"ü"'.encode("utf-16"), "ü"),
        (b"Infinity", math.inf),
        (b"", REFUSED),
        (b" ", REFUSED),
        (b"{", REFUSED),
        (b'{"a": 1} x', REFUSED),
        (b"[1,]", REFUSED),
        (b"01", REFUSED),
        (b'"\x00"', REFUSED),
        (b"\xff\xfe\xfd", REFUSED),
        (b'"\xc3"', REFUSED),
        (b"9" * 5000, REFUSED),
        (b"[" * 100_000, REFUSED),
        (b"<html></html>", REFUSED),
    ],
    ids=lambda found: repr(found)[:30],
)
@CODECS
def test_reads_as(codec: Codec, body: bytes, expected: Any) -> None:
    assert expected == loaded(codec, body)


@CODECS
def test_reads_nan_where_a_server_writes_it(codec: Codec) -> None:
    assert math.isnan(codec.loads(b'{"a": NaN}')["a"])


def test_one_difference_is_known_numbers_beyond_64_bits_in_raw() -> None:
    body = b"123456789012345678901234567890"
    assert 123456789012345678901234567890 == STANDARD.loads(body)
    assert 123456789012345678901234567890.0 == FAST.loads(body)


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("0.1", Decimal("0.1")),
        ("4.10", Decimal("4.1")),
        ("4", Decimal(4)),
        ("1000000", Decimal(1000000)),
        ("1e2", Decimal(100)),
        ("123456789012.345", Decimal("123456789012.345")),
        ("12345678901234567890.12", UNSET),
        ("1234567890.1234567", UNSET),
        ("123456789012345678901234567890", UNSET),
        ("9223372036854775807", Decimal(2**63 - 1)),
        ("1e400", UNSET),
        ("NaN", UNSET),
        ('"12345678901234567890.12"', Decimal("12345678901234567890.12")),
    ],
)
@CODECS
def test_money_written_as_a_number_is_exact_or_unset(
    codec: Codec, written: str, price: Any
) -> None:
    raw = thing("stock_keeping_units", "1")
    body = json.dumps({"data": {**raw, "attributes": {"setup_price": "PRICE"}}})
    body = body.replace('"PRICE"', written)
    found: Any = LINKER.one(parse_document(body.encode(), codec=codec))
    assert repr(price) == repr(found.setup_price) or price == found.setup_price
    assert (price is UNSET) == (found.setup_price is UNSET)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
@example({"a": ["\ud800", 1e300, -0.0]})
def test_both_read_the_same_documents(found: Any) -> None:
    for body in (
        json.dumps(found).encode(),
        json.dumps(found, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"),
    ):
        assert repr(loaded(STANDARD, body)) == repr(loaded(FAST, body))


@settings(deadline=None)
@given(
    st.binary(max_size=40) | st.text(alphabet='{}[]":,0123456789.eE-+ntrufalsNI\\ ').map(str.encode)
)
@example(b"[-0.0,1E+2,0e1]")
@example(b'{"a":[20000000000000000001,-9223372036854775809]}')
def test_both_refuse_the_same_bytes(body: bytes) -> None:
    assert repr(_rounded(loaded(STANDARD, body))) == repr(loaded(FAST, body))


def _rounded(found: Any) -> Any:
    """The one known difference."""
    if isinstance(found, dict):
        return {key: _rounded(member) for key, member in found.items()}
    if isinstance(found, list):
        return [_rounded(member) for member in found]
    beyond = type(found) is int and not -(2**63) <= found < 2**64
    return float(found) if beyond else found


@settings(deadline=None)
@given(JSON)
@example({"a": math.nan})
@example([None, -math.inf])
@example(2**70)
@example({"price": Decimal("4.00")})
@example({1: "a key that is no text"})
@example(b"bytes")
@example("\ud800")
def test_both_write_the_same_bodies(found: Any) -> None:
    first, second = dumped(STANDARD, found), dumped(FAST, found)
    if isinstance(first, bytes) and isinstance(second, bytes):
        assert repr(json.loads(first)) == repr(json.loads(second))
    else:
        assert first == second


@pytest.mark.parametrize("found", [math.nan, math.inf, "\ud800"])
@CODECS
def test_what_json_lacks_is_refused_with_value_error(codec: Codec, found: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        codec.dumps({"a": found, "b": None})


@CODECS
def test_bodies_have_no_blanks_and_are_utf_8(codec: Codec) -> None:
    body = codec.dumps({"a": [1, None, "ü"], "b": True})
    assert '{"a":[1,null,"ü"],"b":true}'.encode() == body


@CODECS
def test_documents_that_are_none_are_refused_alike(codec: Codec) -> None:
    for body, why in ((b"[]", "no JSON object"), (b"", "not JSON"), (b'{"data": [5]}', "entry")):
        with pytest.raises(NotADocument, match=why):
            parse_document(body, codec=codec)


@CODECS
async def test_a_client_speaks_through_the_codec_it_was_given(codec: Codec) -> None:
    used: list[str] = []

    def loads(body: bytes) -> Any:
        used.append("loads")
        return codec.loads(body)

    def dumps(found: object) -> bytes:
        used.append("dumps")
        return codec.dumps(found)

    watched = Codec(name="watched", loads=loads, dumps=dumps)
    async with talking(reply(document(thing("orders", "1"))), codec=watched) as (client, server):
        order = await client.orders.update("1", OrderUpdate(external_reference_id="ü"))
        again = await client.at_version("2026-04-16").orders.get("1")
        assert "external_reference_id" in server.requests[0].body.decode()
    assert "1" == order.id == again.id
    assert ["dumps", "loads", "loads"] == used


@CODECS
async def test_unreadable_replies_and_bad_input_are_told_alike(codec: Codec) -> None:
    async with talking(reply(b"<html>"), codec=codec) as (client, server):
        assert isinstance(await failure_of(client.orders.get("1")), UnreadableReply)
        with pytest.raises(InvalidInput, match="not valid Unicode"):
            await client.orders.update("1", OrderUpdate(external_reference_id="\ud800"))
        assert 1 == len(server.requests)


def test_orjson_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "orjson" == best_codec().name
    assert "orjson" in repr(best_codec())

    class Missing:
        def find_spec(
            self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
        ) -> importlib.machinery.ModuleSpec | None:
            if name == "orjson":
                raise ModuleNotFoundError(name)
            return None

    monkeypatch.delitem(sys.modules, "orjson")
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    assert STANDARD is best_codec()

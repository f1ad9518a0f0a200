"""Whatever an input is given, it is written, or refused with InvalidInput."""

import datetime as dt
import enum
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
from resources.samples import input_class, writes, written
from resources.test_writing import WITHOUT, made

from didww_async import UNSET, InvalidInput
from didww_async.resources.base import NOTHING_RAW, UnknownNested, fields_of
from didww_async.resources.coverage import Country
from didww_async.resources.exports import ExportFilters
from didww_async.resources.sip import PstnConfiguration, SipConfiguration
from didww_async.resources.voice_out import CredentialsAndIp, Twilio


class Colour(enum.Enum):
    RED = "red"


GARBAGE: tuple[Any, ...] = (
    None,
    UNSET,
    "",
    "\ud800",
    "x" * 500,
    b"bytes",
    0,
    -1,
    2**80,
    True,
    1.5,
    float("nan"),
    Decimal("NaN"),
    Decimal("Infinity"),
    Decimal("1e40"),
    [],
    (),
    [None],
    [[]],
    [""],
    ["a", 1],
    {"a"},
    {},
    {"type": "x"},
    object(),
    object,
    Colour.RED,
    dt.datetime(2026, 1, 1),  # noqa: DTZ001
    dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    dt.date(1, 1, 1),
    dt.timedelta(1),
    Country(id="c1"),
    Country(id=""),
    UnknownNested(),
    UnknownNested(raw={"type": "x", "attributes": {"a": object()}}),
    UnknownNested(raw=NOTHING_RAW),
    SipConfiguration(port="5060"),  # type: ignore[arg-type]
    SipConfiguration(codec_ids=[object()]),  # type: ignore[arg-type]
    PstnConfiguration(dst="\ud800"),
    CredentialsAndIp(allowed_sip_ips="203.0.113.5"),  # type: ignore[arg-type]
    Twilio(),
    ExportFilters(others={"a": object()}),
    ExportFilters(others=[]),  # type: ignore[arg-type]
    ExportFilters(from_=dt.date(2026, 1, 1), to=None),  # type: ignore[arg-type]
)


@pytest.mark.parametrize(("type_", "method", "request_"), list(writes()))
def test_garbage_is_written_as_json_or_refused(
    type_: str, method: str, request_: Mapping[str, Any]
) -> None:
    given, _ = made(type_, method, request_, lambda name, _: name != WITHOUT.get((type_, method)))
    for field in fields_of(input_class(type_, method)):
        for garbage in GARBAGE:
            try:
                sent = written(attrs.evolve(given, **{field.name: garbage}))
            except InvalidInput:
                continue
            body = sent.get("attributes", {}) | sent.get("relationships", {})
            assert type_ == sent["type"]
            assert garbage is UNSET or field.name in body
            json.dumps(sent, allow_nan=False)

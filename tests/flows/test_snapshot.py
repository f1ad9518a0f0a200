"""A flow as JSON: it comes back as it was, and what was changed is refused."""

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.choices import CityChoice, CountryChoice, NumberTypeChoice, RegionChoice
from flows.errors import InvalidFlowData
from flows.offers import Offer, Quote
from flows.snapshot import Criteria, Snapshot, dump, load

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
OFFER = Offer(
    sku_id="sku",
    did_group_id="group",
    prefix="212",
    area_name="New York",
    number_type="Local",
    features=("voice_in", "t38"),
    channels=2,
    setup_price=Decimal("4.0"),
    monthly_price=Decimal("4.00"),
    needs_registration=False,
    available_dids_enabled=True,
    is_metered=False,
    in_stock=620,
    service_restrictions=None,
)
QUOTE = Quote(
    sku_id="sku",
    quantity=2,
    allow_back_ordering=False,
    setup_price=Decimal("4.0"),
    monthly_price=Decimal("4.00"),
    total=Decimal("16.00"),
    balance=Decimal(100),
    needs_registration=False,
    service_restrictions=None,
    made_at=NOON,
)
FULL = Snapshot(
    reference="buy-1",
    origin="http://127.0.0.1:1/v3",
    account="default",
    ordering=True,
    criteria=Criteria(quantity=2, features=("voice_in",), needs_registration=False),
    country=CountryChoice(id="c", name="United States", iso="US", prefix="1"),
    number_type=NumberTypeChoice(id="t", name="Local"),
    region=RegionChoice(id="r", name="New York", iso="US-NY"),
    city=CityChoice(id="y", name="New York", region="New York"),
    offer=OFFER,
    quote=QUOTE,
    order_id="o-1",
)


@pytest.mark.parametrize(
    "snapshot",
    [
        FULL,
        Snapshot(reference="buy-1", origin="o", account="a"),
        attrs.evolve(FULL, ordering=False, order_id=None, quote=None),
    ],
)
def test_it_comes_back_as_it_was(snapshot: Snapshot) -> None:
    text = json.dumps(dump(snapshot))
    assert snapshot == load(json.loads(text), now=NOON)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), 2, "format"),
        (("surprise",), 1, "surprise"),
        (("reference",), "a b", "reference"),
        (("reference",), None, "reference"),
        (("country",), None, "without a country"),
        (("country", "id"), 7, "7 is no str"),
        (("city", "color"), "red", "color"),
        (("criteria", "quantity"), 0, "quantity"),
        (("criteria", "quantity"), True, "True is no int"),
        (("offer", "monthly_price"), 4.0, "4.0 is no str"),
        (("offer", "monthly_price"), "NaN", "no price"),
        (("offer", "monthly_price"), "cheap", "no decimal"),
        (("offer", "monthly_price"), "0.01", "prices"),
        (("offer", "sku_id"), "another", "another SKU"),
        (("offer",), None, "quote without an offer"),
        (("quote", "total"), "1", "total"),
        (("quote", "quantity"), 1001, "quote"),
        (("quote", "quantity"), 1, "total"),
        (("quote", "made_at"), "2026-11-21T12:00:00", "time zone"),
        (("quote", "made_at"), "soon", "made_at"),
        (("quote", "made_at"), "2027-01-01T00:00:00+00:00", "future"),
        (("quote",), None, "order without a quote"),
        (("ordering",), False, "not given"),
        (("nanpa_prefix",), {"id": "n", "npa": "212", "nxx": "555"}, "a city and a NANPA prefix"),
    ],
    ids=lambda part: ".".join(part) if isinstance(part, tuple) else None,
)
def test_what_was_changed_is_refused_by_name(path: tuple[str, ...], value: Any, said: str) -> None:
    data = json.loads(json.dumps(dump(FULL)))
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(InvalidFlowData, match=said):
        load(data, now=NOON)


@pytest.mark.parametrize("data", [None, [], "x", {}, {"format": 1}])
def test_what_is_no_flow_is_refused(data: Any) -> None:
    with pytest.raises(InvalidFlowData):
        load(data, now=NOON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def every_path(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict):
        for key, inner in data.items():
            yield (*path, key)
            yield from every_path(inner, (*path, key))


PATHS = list(every_path(dump(FULL)))


@settings(deadline=None)
@given(path=st.sampled_from(PATHS), value=JSON, remove=st.booleans())
def test_no_tampering_gets_past_as_anything_but_a_whole_flow(
    path: tuple[Any, ...], value: Any, remove: bool
) -> None:
    data = json.loads(json.dumps(dump(FULL)))
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if remove:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    try:
        loaded = load(data, now=NOON)
    except InvalidFlowData:
        return
    assert loaded == load(json.loads(json.dumps(dump(loaded))), now=NOON)

"""What the journal tests share: records to write, and a journal of every kind."""

import datetime as dt
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import strategies as st

from flows.journal import Limits, OrderRequest, Purchase, PurchaseKey, RequestItem, State
from flows.journal.packed import PackedItem, PackedOrder, Share

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def purchase(reference: str = "ref-1", state: State = State.PLANNED, **more: Any) -> Purchase:
    record = Purchase(
        key=PurchaseKey(origin="http://x/v3", account="default", reference=reference),
        request=OrderRequest.of_one(sku_id="sku", did_group_id="group", quantity=1),
        limits=Limits(max_monthly=Decimal("4.50")),
        state=state,
        planned_at=NOON,
        order_by=NOON + dt.timedelta(minutes=15),
    )
    return attrs.evolve(record, **more)


def packed(reference: str, *lines: str) -> PackedOrder:
    """An order with one item for all of the lines."""
    item = PackedItem(
        sku_id="sku",
        did_group_id="group",
        setup_price=Decimal("0.50"),
        monthly_price=Decimal(4),
        shares=tuple(Share(identity=line, quantity=1, asked="") for line in lines),
    )
    return PackedOrder(reference=reference, items=(item,))


def successor(record: Purchase, **changes: Any) -> Purchase:
    """The next version, whatever the transition table says."""
    return attrs.evolve(record, revision=record.revision + 1, **changes)


# -- any record there can be

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))
TIMES = st.datetimes(
    min_value=dt.datetime(1000, 1, 2),  # noqa: DTZ001 - the zone comes from `timezones`
    max_value=dt.datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=ZONES,
)
# A server's id can hold any character but those that are no text.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
PRICES = st.decimals(allow_nan=False, allow_infinity=False)
LIMITS = st.decimals(min_value=0, allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 2**62)


def purchases(key: st.SearchStrategy[PurchaseKey]) -> st.SearchStrategy[Purchase]:
    items = st.builds(
        RequestItem,
        sku_id=st.text(),
        did_group_id=st.text(),
        quantity=st.integers(),
        nanpa_prefix_id=st.none() | st.text(),
    )
    requests = st.builds(
        OrderRequest,
        items=st.lists(items, min_size=1, max_size=3).map(tuple),
        allow_back_ordering=st.booleans(),
    )
    limits = st.builds(
        Limits,
        max_setup=st.none() | LIMITS,
        max_monthly=st.none() | LIMITS,
        max_total=st.none() | LIMITS,
    )
    return st.builds(
        Purchase,
        key=key,
        request=requests,
        limits=limits,
        state=st.sampled_from(State),
        order_by=TIMES,
        planned_at=TIMES,
        revision=COUNTS,
        attempt=COUNTS,
        owner=st.none() | NAMES,
        claimed_at=st.none() | TIMES,
        order_id=st.none() | NAMES,
        amount=st.none() | PRICES,
        numbers=st.lists(st.text()).map(tuple),
        number_groups=st.lists(st.text()).map(tuple),
        error=st.none() | st.text(),
        surely_bought=st.booleans(),
        doubtful=st.booleans(),
        asked=st.none() | st.text(),
    )

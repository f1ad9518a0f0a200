"""Packing and packing anew: no line is lost, none is in two orders, nothing is for more numbers."""

import itertools
from collections.abc import Callable, Iterable
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didww_async import InvalidInput
from flows import PurchaseRequest
from flows.batch import BatchLine, PackedItem, PackedOrder, Packing, Share
from flows.batch.packing import (
    References,
    Repacked,
    halved,
    pack,
    references,
    repacked,
    trimmed,
    within,
)
from flows.batch.resolving import ResolvedLine

GROUPS = {"ny": ("sku-1", "sku-2"), "toronto": ("sku-3",), "paris": ("sku-4",)}


def maker() -> References:
    numbers = itertools.count()
    return lambda: f"o-{next(numbers)}"


@st.composite
def resolved_lines(draw: st.DrawFn) -> list[ResolvedLine]:
    lines = []
    for number in range(draw(st.integers(1, 40))):
        group = draw(st.sampled_from(sorted(GROUPS)))
        prefix = draw(st.sampled_from([None, "212555", "212556"]))
        request = PurchaseRequest(
            country="US",
            quantity=draw(st.sampled_from([1, 1, 2, 7, 400, 1000])),
            allow_back_ordering=draw(st.booleans()),
        )
        lines.append(
            ResolvedLine(
                line=BatchLine(
                    number=number + 1,
                    identity=f"b:{number + 1}",
                    request=request,
                    fate=draw(st.sampled_from([None, None, "mine", "yours"])),
                ),
                sku_id=draw(st.sampled_from(GROUPS[group])),
                did_group_id=group,
                nanpa_prefix_id=prefix and f"id-{prefix}",
                npanxx=prefix,
                setup_price=Decimal("0.50"),
                monthly_price=Decimal(draw(st.integers(1, 9))),
            )
        )
    return lines


def quantities(orders: Iterable[PackedOrder]) -> dict[str, int]:
    """What every line is for; a line that is there twice shows."""
    shares = [share for order in orders for item in order.items for share in item.shares]
    assert len(shares) == len({share.identity for share in shares})
    return {share.identity: share.quantity for share in shares}


def conserved(order: PackedOrder, new: Repacked) -> None:
    before, after = quantities([order]), quantities(new.orders)
    assert set(before) == set(after) | set(new.left_out)
    assert not set(after) & set(new.left_out)
    assert after.items() <= before.items()
    assert len(new.orders) == len({one.reference for one in new.orders} - {order.reference})
    kinds = {share.identity: kind(item) for item in order.items for share in item.shares}
    for one in new.orders:
        assert order.allow_back_ordering is one.allow_back_ordering
        for item in one.items:
            assert {kind(item)} == {kinds[share.identity] for share in item.shares}


def kind(item: PackedItem) -> PackedItem:
    return attrs.evolve(item, shares=(Share(identity="x", quantity=1, asked=""),))


@given(lines=resolved_lines(), most=st.integers(1, 5))
@settings(deadline=None)
def test_every_line_is_packed_once_as_it_was_resolved(lines: list[ResolvedLine], most: int) -> None:
    packing = pack(lines, references=maker(), max_items_per_order=most)
    assert {one.line.identity: one.line.request.quantity for one in lines} == quantities(packing)
    assert packing == Packing.from_json(packing.to_json())
    by_name = {one.line.identity: one for one in lines}
    for order in packing:
        assert 1 <= len(order.items) <= most
        inside = [by_name[line] for line in order.lines]
        assert 1 == len({one.line.fate for one in inside})
        assert {order.allow_back_ordering} == {
            one.line.request.allow_back_ordering for one in inside
        }
        for item in order.items:
            assert item.quantity <= 1000
            for share in item.shares:
                found = by_name[share.identity]
                assert (item.sku_id, item.npanxx) == (found.sku_id, found.npanxx)
                assert item.price == found.setup_price + found.monthly_price
                assert share.asked == found.line.request.fingerprint


@given(lines=resolved_lines(), data=st.data())
@settings(deadline=None)
def test_packing_anew_loses_nothing_and_doubles_nothing(
    lines: list[ResolvedLine], data: st.DataObject
) -> None:
    for order in pack(lines, references=references("b"), max_items_per_order=8):
        positions = st.integers(0, len(order.items) - 1)
        named = data.draw(st.sets(positions, min_size=1))
        short = data.draw(st.sets(positions))
        new = repacked(order, named=named, short=short, references=references("b"))
        conserved(order, new)
        untouched = {
            share.identity
            for position, item in enumerate(order.items)
            if position not in named
            for share in item.shares
        }
        # What was not named goes out together, and nothing that was named with it.
        together = [set(one.lines) for one in new.orders]
        assert untouched in [*together, set()]
        conserved(order, halved(order, references=references("b")))
        keep = data.draw(st.sets(st.sampled_from(order.lines)))
        conserved(order, within(order, keep, references=references("b")))


@given(lines=resolved_lines(), allowed=st.integers(0, 20000))
@settings(deadline=None)
def test_what_is_trimmed_costs_no_more_than_allowed(
    lines: list[ResolvedLine], allowed: int
) -> None:
    for order in pack(lines, references=references("b")):
        new = trimmed(order, allowed=Decimal(allowed), references=references("b"))
        conserved(order, new)
        assert sum(one.total for one in new.orders) <= allowed
        kept = [line for one in new.orders for line in one.lines]
        assert list(order.lines[: len(kept)]) == kept  # the first ones, without a gap
        if order.total <= allowed:
            assert () == new.left_out


@given(lines=resolved_lines())
@settings(deadline=None)
def test_packing_anew_comes_to_an_end(lines: list[ResolvedLine]) -> None:
    """Though everything is refused every time."""
    todo = list(pack(lines, references=references("b"), max_items_per_order=4))
    refused = 0
    while todo:
        order = todo.pop()
        refused += 1
        assert refused <= 4 * len(lines)
        everything = range(len(order.items))
        todo += repacked(
            order, named=everything, short=everything, references=references("b")
        ).orders


def order(*items: PackedItem) -> PackedOrder:
    return PackedOrder(reference="o", items=items)


def item(*lines: str, sku: str = "s", group: str = "g") -> PackedItem:
    return PackedItem(
        sku_id=sku,
        did_group_id=group,
        setup_price=Decimal(0),
        monthly_price=Decimal(1),
        shares=tuple(Share(identity=line, quantity=1, asked="") for line in lines),
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (order, "needs items"),
        (lambda: order(item("a"), item("a")), "in one of them only"),
        (lambda: order(item("a"), item("b", sku="t")), "two SKUs of one DID group"),
        (item, "1 to 1000"),
        (lambda: Share(identity="a b", quantity=1, asked=""), "reference"),
        (lambda: Share(identity="a", quantity=0, asked=""), "at least 1"),
        (lambda: Packing(orders=(order(item("a")), order(item("b")))), "order reference 'o'"),
        (lambda: Packing.from_json("{}"), "not a packing"),
        (lambda: Packing.from_json("\xff"), "not a packing"),
    ],
)
def test_what_is_no_packing_is_refused(wrong: Callable[[], object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        wrong()

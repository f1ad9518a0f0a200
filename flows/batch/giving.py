"""Which line gets which numbers of an order: by DID group and by their NPA/NXX digits (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import attrs

from flows.journal import Purchase
from flows.journal.packed import PackedItem, PackedOrder

__all__ = ["Delivered", "delivered", "given"]


@attrs.frozen
class Delivered:
    """A number of an order. `did_group_id` is "" where DIDWW did not tell it."""

    number: str
    did_group_id: str = ""


def delivered(order: PackedOrder, purchase: Purchase) -> tuple[Delivered, ...]:
    """The numbers that the journal has of an order, in the order in which they showed up."""
    groups: Sequence[str] = purchase.number_groups
    if not groups:
        only = {item.did_group_id for item in order.items}
        groups = [only.pop() if len(only) == 1 else ""] * len(purchase.numbers)
    return tuple(map(Delivered, purchase.numbers, groups))


def given(order: PackedOrder, numbers: Iterable[Delivered]) -> Mapping[str, tuple[str, ...]]:
    """The numbers of every line of an order, as many as it ordered or fewer.

    The same order and numbers always give the same. `numbers` in the order of showing up: late
    ones then change nothing for lines that have theirs. Items with a prefix choose first, among
    the numbers with its digits; what fits nobody goes to a line of its group that lacks some.
    """
    left = dict.fromkeys(numbers)
    lines: dict[str, list[str]] = {line: [] for line in order.lines}
    with_prefix = [item for item in order.items if item.npanxx]
    others = [item for item in order.items if not item.npanxx]
    for item in chain(with_prefix, others):
        _serve(lines, left, item, [one for one in left if _fits(one, item)])
    for item in chain(with_prefix, others):
        _serve(lines, left, item, [one for one in left if _may_be_of(one, item)])
    return {line: tuple(found) for line, found in lines.items()}


def _serve(
    lines: Mapping[str, list[str]],
    left: dict[Delivered, None],
    item: PackedItem,
    fitting: Iterable[Delivered],
) -> None:
    source = iter(fitting)
    for share in item.shares:
        found = lines[share.identity]
        while len(found) < share.quantity and (one := next(source, None)) is not None:
            found.append(one.number)
            del left[one]


def _fits(one: Delivered, item: PackedItem) -> bool:
    if not item.npanxx:
        return one.did_group_id == item.did_group_id
    has_digits = one.number.lstrip("+").startswith(f"1{item.npanxx}")
    return has_digits and _may_be_of(one, item)


def _may_be_of(one: Delivered, item: PackedItem) -> bool:
    return one.did_group_id in {item.did_group_id, ""}

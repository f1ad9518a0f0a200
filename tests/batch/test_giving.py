"""Numbers of an order go to its lines: each once, the right kind, the same in every run."""

from decimal import Decimal

import pytest
from hypothesis import given as given_by
from hypothesis import strategies as st

from flows.batch import PackedItem, PackedOrder, Share
from flows.batch.giving import Delivered, given


def item(group: str, *quantities: int, npanxx: str | None = None, name: str = "") -> PackedItem:
    return PackedItem(
        sku_id=f"sku-{group}",
        did_group_id=group,
        nanpa_prefix_id=npanxx,
        npanxx=npanxx,
        setup_price=Decimal(0),
        monthly_price=Decimal(1),
        shares=tuple(
            Share(identity=f"{name or group}:{n}", quantity=quantity, asked="")
            for n, quantity in enumerate(quantities)
        ),
    )


ORDER = PackedOrder(
    reference="o",
    items=(
        item("ny", 1, 2),
        item("ny", 2, npanxx="212555", name="first"),
        item("ny", 1, npanxx="212556", name="second"),
        item("paris", 1, 1),
    ),
)
NUMBERS = [
    Delivered("12125550001", "ny"),
    Delivered("12125550002", "ny"),
    Delivered("12125560003", "ny"),
    Delivered("12129990004", "ny"),
    Delivered("12125550005", "ny"),
    Delivered("12129990006", "ny"),
    Delivered("33100000007", "paris"),
    Delivered("33100000008", "paris"),
]
WHOLE = {
    "ny:0": ("12129990004",),
    "ny:1": ("12125550005", "12129990006"),
    "first:0": ("12125550001", "12125550002"),
    "second:0": ("12125560003",),
    "paris:0": ("33100000007",),
    "paris:1": ("33100000008",),
}


def test_numbers_are_given_by_group_and_digits() -> None:
    assert WHOLE == given(ORDER, NUMBERS)


def test_a_plus_in_front_does_not_matter() -> None:
    shown = [Delivered(f"+{one.number}", one.did_group_id) for one in NUMBERS]
    found = given(ORDER, shown)
    assert WHOLE == {line: tuple(n[1:] for n in numbers) for line, numbers in found.items()}


def test_a_number_of_no_prefix_goes_to_who_lacks_one_of_its_group() -> None:
    odd = [Delivered("12120000000", "ny"), *NUMBERS[1:]]
    found = given(ORDER, odd)
    assert 8 == sum(map(len, found.values()))
    assert ("33100000007",) == found["paris:0"]


def test_numbers_whose_group_was_not_told_go_by_their_digits_first() -> None:
    found = given(ORDER, [Delivered(one.number) for one in NUMBERS])
    assert (WHOLE["first:0"], WHOLE["second:0"]) == (found["first:0"], found["second:0"])
    assert 8 == sum(map(len, found.values()))


@pytest.mark.parametrize("missing", range(8))
def test_what_is_missing_is_missing_for_one_line_only(missing: int) -> None:
    there = NUMBERS[:missing] + NUMBERS[missing + 1 :]
    found = given(ORDER, there)
    short = [line for line, numbers in found.items() if len(numbers) < len(WHOLE[line])]
    assert (1, 7) == (len(short), sum(map(len, found.values())))


@given_by(st.permutations(NUMBERS), st.integers(0, 8))
def test_no_number_twice_none_of_another_group_none_left(
    numbers: list[Delivered], there: int
) -> None:
    found = given(ORDER, numbers[:there])
    got = [number for some in found.values() for number in some]
    assert sorted(got) == sorted(one.number for one in numbers[:there])
    group_of = {one.number: one.did_group_id for one in numbers}
    for line, some in found.items():
        assert len(some) <= len(WHOLE[line])
        wanted = "paris" if line.startswith("paris") else "ny"
        assert {wanted} >= {group_of[number] for number in some}
    assert found == given(ORDER, numbers[:there])


@given_by(st.permutations(NUMBERS[6:] + NUMBERS[3:4]), st.integers(0, 3))
def test_late_numbers_change_nothing_for_who_has_theirs(
    numbers: list[Delivered], there: int
) -> None:
    """Where no prefix decides: what was told in one run stays true in the next."""
    order = PackedOrder(reference="o", items=(item("paris", 1, 1), item("ny", 1)))
    early, late = given(order, numbers[:there]), given(order, numbers)
    for line, some in early.items():
        assert some == late[line][: len(some)]


def test_more_numbers_than_ordered_are_nobodys() -> None:
    more = [*NUMBERS, Delivered("33100000009", "paris"), Delivered("49300000010", "berlin")]
    assert WHOLE == given(ORDER, more)

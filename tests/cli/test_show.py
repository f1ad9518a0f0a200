"""Rendering and searching: pure functions, as tables."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from didww_async import UNSET
from flows.cli.picker import Row, Search
from flows.cli.screen import printable
from flows.cli.show import Column, Listing, Record, aligned, cell, json_text, money, plain

MOMENT = dt.datetime(2026, 4, 16, 9, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("4", "4.00"), ("4.0", "4.00"), ("0.095", "0.095"), ("1E+3", "1000.00"), ("0", "0.00")],
)
def test_money(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("found", "person", "script", "machine"),
    [
        (None, "-", "", "null"),
        (UNSET, "-", "", "null"),
        (True, "yes", "yes", "true"),
        (3, "3", "3", "3"),
        (Decimal("4.0"), "4.00", "4.0", '"4.0"'),
        (Decimal("1E+3"), "1000.00", "1000", '"1000"'),
        (("a", "b"), "a, b", "a,b", '["a", "b"]'),
        ((), "-", "", "[]"),
        (MOMENT, "2026-04-16 09:30 UTC", "2026-04-16T09:30:00+00:00", f'"{MOMENT.isoformat()}"'),
        ("tab\tand\nline", "tab and line", "tab and line", '"tab\\tand\\nline"'),
        ("\x1b[31mred\x07", "[31mred", "[31mred", '"\\u001b[31mred\\u0007"'),
        ("Türkiye", "Türkiye", "Türkiye", '"T\\u00fcrkiye"'),
    ],
)
def test_values(found: Any, person: str, script: str, machine: str) -> None:
    assert cell(found) == person
    assert plain(found) == script
    assert json_text({"it": found}) == f'{{"it": {machine}}}'


LISTING = Listing(
    name="things",
    columns=(
        Column("price", "price", right=True),
        Column("name", "name", folds=True),
        Column("note", "note", spare=2),
        Column("id", "id", spare=1),
    ),
    rows=(
        {"price": Decimal(4), "name": "[bold]Ulm", "note": "x" * 10, "id": "i" * 20, "more": 1},
        {"price": Decimal("12.5"), "name": "Münster", "note": None, "id": "2", "more": 2},
    ),
    facts={"total": 2},
)


@pytest.mark.parametrize(
    ("width", "header"),
    [(80, "PRICE  NAME       NOTE        ID"), (45, "PRICE  NAME       ID"), (20, "PRICE  NAME")],
)
def test_a_narrow_table_has_fewer_columns(width: int, header: str) -> None:
    lines = LISTING.table(width)
    assert lines[0] == header
    assert lines[1].startswith(" 4.00  [bold]Ulm")
    assert lines[2].startswith("12.50  Münster")
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(("width", "left_out"), [(80, []), (45, ["note"]), (20, ["note", "id"])])
def test_columns_that_are_left_out_are_named(width: int, left_out: list[str]) -> None:
    assert left_out == LISTING.hidden(width)


def test_lines_and_json_have_everything() -> None:
    assert LISTING.lines()[1] == "12.5\tMünster\t\t2"
    assert LISTING.document()["things"][0]["more"] == 1
    assert LISTING.document()["total"] == 2


def test_records() -> None:
    record = Record(name="order", fields={"order_id": "1", "numbers": ("12", "34")})
    assert record.lines() == ["order_id\t1", "numbers\t12,34"]
    assert record.table(80) == ["order id  1", "numbers   12, 34"]
    assert record.document() == {"order": {"order_id": "1", "numbers": ["12", "34"]}}


def test_long_texts_are_wrapped_and_addresses_stay_whole() -> None:
    address = "https://example.com/" + "a" * 40
    lines = aligned({"note": f"one two three four five {address} end"}, 30)
    assert lines[0] == "note  one two three four five"
    assert f"      {address}" in lines
    assert aligned({"note": "one\n" + "x " * 50}, None)[0] == "note  one"


def test_a_terminal_does_not_obey_the_server() -> None:
    assert printable("a\x1b]0;title\x07b\nc\u202e") == "a ]0;title b\nc "


NAMES = ("New York (US-NY)", "York, Pennsylvania", "Zürich", "Saint-Étienne")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", NAMES),
        ("york", ("York, Pennsylvania", "New York (US-NY)")),
        ("yo new", ("New York (US-NY)",)),
        ("zurich", ("Zürich",)),
        ("ETIENNE", ("Saint-Étienne",)),
        ("xyz", ()),
    ],
)
def test_search(typed: str, found: tuple[str, ...]) -> None:
    search = Search([Row(name, name) for name in NAMES])
    search.type(typed)
    assert tuple(row.label for row in search.matches) == found
    assert search.taken is (search.matches[0] if found else None)


def test_moving_in_a_long_list() -> None:
    search = Search([Row(str(place), place) for place in range(100)])
    search.move(-1)
    assert (search.pointed, search.window(10)) == (0, range(10))
    search.move(50)
    assert (search.pointed, search.window(10)) == (50, range(45, 55))
    search.move(500)
    assert (search.pointed, search.window(10)) == (99, range(90, 100))
    search.type("99")
    assert (search.pointed, search.window(10)) == (0, range(1))

"""Reading files of purchases: every bad line is told, with its number and column."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww_async import InvalidInput
from flows import PurchaseRequest
from flows.batch.lines import BatchLine
from flows.batch.reading import BadLine, read_lines, template


def read(text: str | bytes, *, batch: str | None = None) -> list[BatchLine | BadLine]:
    raw = text.encode() if isinstance(text, str) else text
    return list(read_lines(io.BytesIO(raw), batch=batch))


def problems(text: str | bytes, *, batch: str | None = "b") -> list[str]:
    return [str(line) for line in read(text, batch=batch) if isinstance(line, BadLine)]


def test_the_template_is_read_back() -> None:
    first, second = read(template())
    assert (
        BatchLine(
            number=2,
            identity="order-1",
            request=PurchaseRequest(
                country="GB",
                city="London",
                number_type="Local",
                features=("voice_in",),
                channels=2,
                quantity=20,
                max_monthly=Decimal("5.00"),
            ),
        )
        == first
    )
    assert isinstance(second, BatchLine)
    assert ("212", "cheapest") == (second.request.npa, second.request.prefer)


def test_columns_come_in_any_order_and_spelling_and_separator() -> None:
    text = "\ufeffNumber Type;MAX-MONTHLY;country;features\nlocal; 1.50 ;GB;voice_in,sms_in\n\n"
    [line] = read(text, batch="b")
    assert isinstance(line, BatchLine)
    assert ("b:2", 2) == (line.identity, line.number)
    assert (
        PurchaseRequest(
            country="GB",
            number_type="local",
            max_monthly=Decimal("1.50"),
            features=("voice_in", "sms_in"),
        )
        == line.request
    )


def test_json_lines_are_read() -> None:
    rows = [
        {
            "country": "US",
            "region": "NY",
            "npa": 212,
            "nxx": "555",
            "quantity": 3,
            "reference": "a",
        },
        {"country": "GB", "features": ["t38"], "max_setup": 0.1, "needs_registration": False},
    ]
    first, second = read("\n".join(map(json.dumps, rows)), batch="b")
    assert isinstance(first, BatchLine)
    assert isinstance(second, BatchLine)
    assert ("a", "b:2") == (first.identity, second.identity)
    assert PurchaseRequest(country="US", region="NY", npa="212", nxx="555", quantity=3) == (
        first.request
    )
    assert (Decimal("0.1"), False, ("t38",)) == (
        second.request.max_setup,
        second.request.needs_registration,
        second.request.features,
    )


def test_a_quoted_cell_may_hold_a_line_break() -> None:
    text = 'country,city\nGB,"New\nTown"\nGB,London\nGB\n'
    first, second, bad = read(text, batch="b")
    assert isinstance(first, BatchLine)
    assert isinstance(second, BatchLine)
    assert ("New\nTown", 2, 4) == (first.request.city, first.number, second.number)
    assert "line 5: it has 1 cells, the header has 2" == str(bad)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        ("country,city\n", "the file has no lines after its header"),
        ("country,citty\nGB,London\n", "unknown column 'citty': did you mean 'city'?"),
        ("city\nLondon\n", "the column 'country' is missing"),
        ("country,city,City\nGB,x,y\n", "the column 'city' is there twice"),
        ("country\nGB\n".encode("utf-16"), "the file is in UTF-16: save it as UTF-8"),
        (b"country,st\xe4dte\nGB,x\n", "the file's header is not UTF-8"),
        ('country,"city\nGB,x\n', "the header can't be read as CSV"),
        ("country,city\rGB,x\rGB,y\r", "the file's rows end with CR alone"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_as_a_whole(text: str | bytes, said: str) -> None:
    [only] = problems(text)
    assert said in only
    assert "line" not in only.split(":")[0] or "after its header" in only


@pytest.mark.parametrize(
    ("cells", "field", "said"),
    [
        ({"quantity": "-1"}, "quantity", "quantity is 1 to 1000, not -1"),
        ({"quantity": "0"}, "quantity", "quantity is 1 to 1000, not 0"),
        ({"quantity": "1001"}, "quantity", "quantity is 1 to 1000, not 1001"),
        ({"quantity": "ten"}, "quantity", "quantity is a whole number, not 'ten'"),
        ({"quantity": "1.5"}, "quantity", "quantity is a whole number, not '1.5'"),
        ({"max_monthly": "4,50"}, "max_monthly", "max_monthly is a price such as 4.50"),
        ({"max_setup": "-1"}, "max_setup", "max_setup is a price of 0 or more"),
        ({"max_setup": "NaN"}, "max_setup", "max_setup is a price such as 4.50"),
        ({"max_setup": "1e3"}, "max_setup", "max_setup is a price such as 4.50, not '1e3'"),
        ({"max_setup": "1_0"}, "max_setup", "max_setup is a price such as 4.50, not '1_0'"),
        ({"max_setup": "٣"}, "max_setup", "max_setup is a price such as 4.50, not '٣'"),
        ({"quantity": "٣"}, "quantity", "quantity is a whole number, not '٣'"),
        ({"quantity": "1e3"}, "quantity", "quantity is a whole number, not '1e3'"),
        ({"npa": "٢١٢"}, "npa", "NPA is an area code"),
        ({"channels": "-2"}, "channels", "channels is 0 or more, not -2"),
        ({"prefer": "best"}, "prefer", "prefer is 'cheapest' or empty, not 'best'"),
        ({"needs_registration": "maybe"}, "needs_registration", "is yes or no"),
        ({"npa": "123"}, "npa", "NPA is an area code"),
        ({"npa": "212", "nxx": "911"}, "nxx", "NXX is a central office code"),
        ({"nxx": "555"}, "nxx", "nxx needs npa"),
        ({"city": "London", "npa": "212"}, "city", "a city, or an NPA and NXX, not both"),
        ({"country": "", "quantity": "1"}, "country", "country is missing"),
        ({"reference": "a b"}, "reference", "a purchase reference is"),
    ],
)
def test_a_bad_cell_is_told_with_its_line_and_column(
    cells: dict[str, str], field: str, said: str
) -> None:
    row = {"country": "GB", **cells}
    header, line = "\t".join(row), "\t".join(row.values())
    found = read(f"{header}\n{line}\n{line}\n", batch="b")
    bad = [one for one in found if isinstance(one, BadLine)]
    assert [(2, field), (3, field)] == [(one.number, one.field) for one in bad]
    assert said in bad[0].why
    jsonl = read(json.dumps(row), batch="b")
    assert [field] == [one.field for one in jsonl if isinstance(one, BadLine)]


def test_everything_wrong_with_a_line_is_told_and_the_rest_is_read() -> None:
    text = "country,quantity,npa,reference\n,ten,1,a b\nGB,1,,ok\n"
    assert [
        ("quantity", 2),
        ("npa", 2),
        ("country", 2),
        ("reference", 2),
        (None, 3),
    ] == [(getattr(line, "field", None), line.number) for line in read(text)]


def test_lines_that_an_open_quote_swallows_are_told_too() -> None:
    text = 'country,city\nGB,"London\nGB,London\nGB,"London"\nGB,London\n'
    found = read(text, batch="b")
    assert [2, 3, 4] == [one.number for one in found if isinstance(one, BadLine)]
    assert ["b:5"] == [one.identity for one in found if isinstance(one, BatchLine)]


def test_a_line_that_is_not_utf_8_is_told_and_the_rest_is_read() -> None:
    found = read(b"country,city\nDE,K\xf6ln\nDE,Berlin\n", batch="b")
    assert "line 2: it is not UTF-8: save the file as UTF-8" == str(found[0])
    assert "b:3" == getattr(found[1], "identity", None)


def test_a_reference_names_one_line() -> None:
    text = "reference,country\na,GB\nb,GB\na,GB\na,US\n"
    assert [
        "line 4: the reference 'a' is that of line 2 already",
        "line 5: the reference 'a' is that of line 2 already",
    ] == problems(text)


def test_a_line_without_reference_needs_the_batch_s_name() -> None:
    text = "reference,country\na,GB\n,GB\n"
    assert ["line 3: it has no reference: add one, or name the batch"] == problems(text, batch=None)
    assert ["a", "b:3"] == [line.identity for line in read(text, batch="b")]
    assert ["the reference 'b:3' is what"] == [
        one[8:35] for one in problems("reference,country\nb:3,GB\n,GB\n")
    ]
    with pytest.raises(InvalidInput, match="letters, digits"):
        read(text, batch="a b")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1]", "it is not a JSON object, but list"),
        ("{", "it can't be read as JSON"),
        ('{"country": "GB", "citty": "x"}', "unknown column 'citty': did you mean 'city'?"),
        ('{"country": "GB", "country": "US"}', "'country' is there twice"),
        ('{"country": 5}', "country is text, not 5"),
        ('{"country": "GB", "quantity": true}', "quantity is a whole number, not True"),
        ('{"country": "GB", "features": [1]}', "features is names such as"),
        ('{"country": "GB", "max_setup": [1]}', "max_setup is a price such as 4.50"),
        ('{"country": "GB", "reference": 7}', "reference is text, not 7"),
        ('{"a":' * 100_000, "it can't be read as JSON"),
    ],
)
def test_bad_json_is_told_line_by_line(line: str, said: str) -> None:
    [only] = problems('{"country": "GB", "quantity": 1}\n' + line)
    assert only.startswith("line 2: ")
    assert said in only


@given(st.binary(max_size=200))
def test_whatever_is_in_a_file_it_is_read_or_told(raw: bytes) -> None:
    for text in (raw, b"country,city\n" + raw, b'{"country":"GB"}\n' + raw):
        assert all(isinstance(line, BatchLine | BadLine) for line in read(text, batch="b"))


def test_a_long_file_is_read_as_a_stream() -> None:
    class Endless(io.RawIOBase):
        """Lines that are made when they are read."""

        def __init__(self) -> None:
            self.rows = 0

        def __iter__(self) -> Iterator[bytes]:
            yield b"country,city,quantity\n"
            while True:
                self.rows += 1
                yield b"GB,London,%d\n" % (self.rows % 9 + 1)

    endless = Endless()
    tracemalloc.start()
    try:
        lines = read_lines(endless, batch="b")  # type: ignore[arg-type]
        for _ in range(30_000):
            assert isinstance(next(lines), BatchLine)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 30_000 == endless.rows
    assert most < 1_000_000

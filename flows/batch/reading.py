"""Files of purchases, CSV or JSON lines -> batch lines, one after the other, with all errors.

A file is read once, as a stream. What is wrong with a line does not end the reading: all bad lines
are told together, each with its number.
"""

import codecs
import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, BinaryIO, Literal, TypeAlias

import attrs

from didww_async import InvalidInput
from flows.batch.cells import COLUMNS, EXAMPLES, Wrong, cell_of, column, request_of
from flows.batch.lines import BatchLine, check_batch
from flows.script import PurchaseRequest

__all__ = ["BadLine", "FileFormat", "read_lines", "template"]

FileFormat: TypeAlias = Literal["csv", "jsonl"]
REMEMBERED = 20_000  # different lines whose reading is kept: most files repeat themselves
FATAL = 0


@attrs.frozen(kw_only=True)
class BadLine:
    """What is wrong with a line. `number` counts the file's lines from 1; 0 is the whole file.

    `field`: the column, None where it is none in particular.
    """

    number: int
    field: str | None
    why: str

    def __str__(self) -> str:
        where = f"line {self.number}: " if self.number else ""
        return f"{where}{self.why}"


def template() -> str:
    """A CSV file with all columns and two example lines."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(EXAMPLES)
    return text.getvalue()


def read_lines(
    stream: BinaryIO, *, batch: str | None = None, format: FileFormat | None = None
) -> Iterator[BatchLine | BadLine]:
    """Read lines as they come; several BadLine may tell of the same line.

    `batch`: names lines without a reference "{batch}:{number}". `format`: "csv" or "jsonl"; None
    looks at the first character. Raises InvalidInput for a bad `batch`.
    """
    if batch is not None:
        check_batch(batch)
    return _Reading(batch).lines(stream, format)


@attrs.frozen
class _Row:
    """The cells of one line; `wrong` when it could not even be taken apart."""

    number: int
    cells: Mapping[str, Any]
    wrong: str | None = None


class _Reading:
    """One pass over a file."""

    def __init__(self, batch: str | None) -> None:
        self._batch = batch
        self._first_line: dict[str, int] = {}
        self._remembered: dict[Any, PurchaseRequest | tuple[Wrong, ...]] = {}

    def lines(self, stream: BinaryIO, format: FileFormat | None) -> Iterator[BatchLine | BadLine]:
        text = _Text(stream)
        begin = text.begin()
        if begin is None:
            yield BadLine(number=FATAL, field=None, why=text.wrong or "the file is empty")
            return
        is_json = format == "jsonl" or (format is None and begin.startswith("{"))
        empty = True
        for row in _json_rows(text) if is_json else _csv_rows(text):
            empty = False
            yield from self._read(row)
            if row.number == FATAL:
                return
        if empty:
            yield BadLine(number=FATAL, field=None, why="the file has no lines after its header")

    def _read(self, row: _Row) -> Iterator[BatchLine | BadLine]:
        if row.wrong is not None:
            yield BadLine(number=row.number, field=None, why=row.wrong)
            return
        reference = row.cells.get("reference")
        read = self._request(row.cells)
        wrong = list(read) if isinstance(read, tuple) else []
        identity = self._identity(row.number, reference, wrong)
        for each in wrong:
            yield BadLine(number=row.number, field=each.field, why=each.why)
        if not wrong and not isinstance(read, tuple):
            yield BatchLine(number=row.number, identity=identity, request=read)

    def _request(self, cells: Mapping[str, Any]) -> PurchaseRequest | tuple[Wrong, ...]:
        """Equal lines give the same object: a million of them need little memory."""
        given = {name: found for name, found in cells.items() if name != "reference"}
        key = repr(given)
        if (known := self._remembered.get(key)) is not None:
            return known
        found = request_of(given)
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = found
        return found

    def _identity(self, number: int, reference: Any, wrong: list[Wrong]) -> str:
        try:
            identity: str | None = cell_of("reference", reference)
        except InvalidInput as problem:
            wrong.append(Wrong("reference", str(problem)))
            return ""
        if identity is None:
            if self._batch is None:
                why = "it has no reference: add one, or name the batch"
                wrong.append(Wrong("reference", why))
            return f"{self._batch}:{number}"
        if self._batch is not None and _is_generated(identity, self._batch):
            why = f"the reference {identity!r} is what a line of this batch without one is called"
            wrong.append(Wrong("reference", why))
        first = self._first_line.setdefault(identity, number)
        if first != number:
            why = f"the reference {identity!r} is that of line {first} already"
            wrong.append(Wrong("reference", why))
        return identity


def _is_generated(identity: str, batch: str) -> bool:
    rest = identity.removeprefix(f"{batch}:")
    return rest != identity and rest.isdigit()


class _Text:
    """Bytes -> lines of text. What is not UTF-8 is replaced, and its line remembered as bad."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream: Iterator[bytes] = iter(stream)
        self.number = 0
        self.undecodable: set[int] = set()
        self.wrong: str | None = None

    def begin(self) -> str | None:
        """The first line that is not blank, which is going to be read again; None without one."""
        for raw in self._stream:
            if not self.number and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                self.wrong = "the file is in UTF-16: save it as UTF-8"
                return None
            if not self.number:
                raw = raw.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901 - the same without its mark
            if raw.strip():
                self._stream = itertools.chain([raw], self._stream)
                return raw.decode(errors="replace").strip()
            self.number += 1
        return None

    def __iter__(self) -> Iterator[str]:
        for raw in self._stream:
            self.number += 1
            try:
                yield raw.decode()
            except UnicodeDecodeError:
                self.undecodable.add(self.number)
                yield raw.decode(errors="replace")


def _csv_rows(text: _Text) -> Iterator[_Row]:
    lines = iter(text)
    header = next(lines)
    names, wrong = _columns(header, delimiter := _delimiter(header))
    if text.undecodable:
        wrong = "the file's header is not UTF-8: save it as UTF-8"
    if wrong:
        yield _Row(FATAL, {}, wrong)
        return
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = text.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as problem:
            yield _Row(number, {}, f"it can't be read as CSV: {problem}")
            for swallowed in range(number + 1, text.number + 1):
                why = f"it was taken for a part of line {number}, where a quote is not closed"
                yield _Row(swallowed, {}, why)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if text.undecodable and not text.undecodable.isdisjoint(range(number, text.number + 1)):
            yield _Row(number, {}, "it is not UTF-8: save the file as UTF-8")
        elif len(cells) != len(names):
            yield _Row(number, {}, f"it has {len(cells)} cells, the header has {len(names)}")
        else:
            yield _Row(number, dict(zip(names, cells, strict=True)))


def _delimiter(header: str) -> str:
    """Spreadsheets write the separator of their country."""
    return max(",;\t", key=header.count)


def _columns(header: str, delimiter: str) -> tuple[list[str], str | None]:
    """The header's columns, and everything that is wrong with it."""
    names: list[str] = []
    wrong: list[str] = []
    if "\r" in header.rstrip("\r\n"):
        return [], "the file's rows end with CR alone: save it with LF or CRLF"
    try:
        given = next(csv.reader([header], delimiter=delimiter, strict=True))
    except csv.Error as problem:
        return [], f"the header can't be read as CSV: {problem}"
    for name in given:
        try:
            found = column(name)
        except InvalidInput as problem:
            wrong.append(str(problem))
            continue
        if found in names:
            wrong.append(f"the column {found!r} is there twice")
        names.append(found)
    if not wrong and "country" not in names:
        wrong.append("the column 'country' is missing")
    return names, "; ".join(wrong) or None


def _json_rows(text: _Text) -> Iterator[_Row]:
    for line in text:
        number = text.number
        if not line.strip():
            continue
        if number in text.undecodable:
            yield _Row(number, {}, "it is not UTF-8: save the file as UTF-8")
            continue
        try:
            found = json.loads(line, parse_float=Decimal, object_pairs_hook=_once)
        except (ValueError, RecursionError) as problem:
            yield _Row(number, {}, f"it can't be read as JSON: {problem}")
            continue
        yield _json_row(number, found)


def _json_row(number: int, found: Any) -> _Row:
    if not isinstance(found, dict):
        return _Row(number, {}, f"it is not a JSON object, but {type(found).__name__}")
    try:
        cells = _once((column(name), cell) for name, cell in found.items())
    except (InvalidInput, ValueError) as problem:
        return _Row(number, {}, str(problem))
    return _Row(number, cells)


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice")
        found[name] = each
    return found

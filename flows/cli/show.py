"""Listings as a table, as plain lines, as JSON (pure)."""

import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any

import attrs
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from didww_async import Unset
from flows.cli.screen import printable

__all__ = ["Column", "Listing", "Record", "aligned", "cell", "json_text", "money", "plain"]

GAP = 2
FOLDED = 16


@attrs.frozen
class Column:
    """A column of a listing. Where the terminal is narrow, the highest `spare` goes first, and a
    `folds` column gets lines of at least FOLDED characters."""

    key: str
    title: str
    right: bool = False
    spare: int = 0
    folds: bool = False


@attrs.frozen(kw_only=True)
class Listing:
    """Many things of one kind. `facts` are what JSON says beside them, `note` what people must
    know."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    note: str | None = None

    def lines(self) -> list[str]:
        """One line per row, all columns, tabs between them."""
        return ["\t".join(plain(row[column.key]) for column in self.columns) for row in self.rows]

    def table(self, width: int) -> list[str]:
        """A table of at most `width` columns, with a header."""
        columns, cells = self.fitting(width)
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="")
        for column in columns:
            table.add_column(
                column.title.upper(),
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=not column.folds,
            )
        for row in cells:
            table.add_row(*(Text(text) for text in row))
        shown = io.StringIO()
        Console(file=shown, width=width, color_system=None, highlight=False).print(table)
        return [line.rstrip() for line in shown.getvalue().splitlines()]

    def hidden(self, width: int) -> list[str]:
        """The titles of columns that `table(width)` leaves out."""
        shown = {column.key for column in self.fitting(width)[0]}
        return [column.title for column in self.columns if column.key not in shown]

    def fitting(self, width: int) -> tuple[list[Column], list[list[str]]]:
        """The columns that fit into `width`, and their cells."""
        columns = list(self.columns)
        while True:
            cells = [[cell(row[column.key]) for column in columns] for row in self.rows]
            widths = [
                min(
                    max([len(column.title), *(cell_len(row[place]) for row in cells)]),
                    FOLDED if column.folds else width,
                )
                for place, column in enumerate(columns)
            ]
            least = max(columns, key=lambda column: column.spare)
            if sum(widths) + GAP * (len(columns) - 1) <= width or least.spare == 0:
                return columns, cells
            columns.remove(least)

    def document(self) -> dict[str, Any]:
        """The listing as JSON values."""
        return {self.name: [_json(row) for row in self.rows], **_json(self.facts)}


@attrs.frozen(kw_only=True)
class Record:
    """One thing: its fields by title."""

    name: str
    fields: Mapping[str, Any]
    note: str | None = None

    def lines(self) -> list[str]:
        """One line per field: name, tab, value."""
        return [f"{name}\t{plain(found)}" for name, found in self.fields.items()]

    def table(self, width: int) -> list[str]:
        """Names and values side by side; long values go on in the next line."""
        texts = {name.replace("_", " "): cell(found) for name, found in self.fields.items()}
        return aligned(texts, width)

    def document(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {self.name: _json(self.fields)}


def money(amount: Decimal) -> str:
    """An amount with two decimals, or more if it has them."""
    return f"{amount:.2f}" if round(amount, 2) == amount else f"{amount.normalize():f}"


def aligned(fields: Mapping[str, str], width: int | None) -> list[str]:
    """Titles and texts side by side; what is longer than `width` goes on in the next line."""
    indent = max(map(len, fields), default=0) + GAP
    lines = []
    for title, text in fields.items():
        parts = text.splitlines() or [""]
        if width is not None:
            room = max(20, width - indent)
            parts = [it for part in parts for it in _wrapped(part, room)]
        first, *others = parts or [""]
        lines.append(f"{title:<{indent}}{first}".rstrip())
        lines += [" " * indent + part for part in others]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    # Addresses and ids stay whole, to be copied.
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)


def cell(found: Any) -> str:
    """A value as a person reads it."""
    match found:
        case None | Unset():
            text = "-"
        case bool():
            text = "yes" if found else "no"
        case Decimal():
            text = money(found)
        case dt.datetime():
            text = f"{found:%Y-%m-%d %H:%M %Z}"
        case str():
            text = " ".join(printable(found).split())
        case Sequence():
            text = ", ".join(map(cell, found)) or "-"
        case _:
            text = str(found)
    return text


def plain(found: Any) -> str:
    """A value as a script reads it: nothing for nothing, no blanks after commas."""
    match found:
        case None | Unset():
            text = ""
        case dt.datetime():
            text = found.isoformat()
        case Decimal():
            text = f"{found:f}"
        case Sequence() if not isinstance(found, str):
            text = ",".join(map(plain, found))
        case _:
            text = cell(found)
    return text


def json_text(document: Mapping[str, Any]) -> str:
    """A document in one line of ASCII, whatever the terminal's encoding."""
    return json.dumps(_json(document))


def _json(found: Any) -> Any:
    value: Any
    match found:
        case None | bool() | int() | float():
            value = found
        case Unset():
            value = None
        case Decimal():
            value = f"{found:f}"
        case dt.datetime():
            value = found.isoformat()
        case Mapping():
            value = {str(key): _json(item) for key, item in found.items()}
        case Sequence() if not isinstance(found, str):
            value = [_json(item) for item in found]
        case _:
            value = str(found)
    return value

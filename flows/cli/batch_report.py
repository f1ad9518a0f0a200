"""The report of a batch: a CSV file with one row per line."""

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from didww_async import InvalidInput
from flows.batch import LineResult
from flows.batch.reading import BadLine
from flows.batch.resolving import UnbuyableLine

__all__ = ["COLUMNS", "Report"]

COLUMNS: Final = (
    "line",
    "reference",
    "state",
    "numbers",
    "shortfall",
    "order_id",
    "order_reference",
    "price",
    "error",
)
HEADER: Final = ",".join(COLUMNS).encode()
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Rows in the order of their lines, written when it is closed: whole, or not at all.

    An earlier report of the same name is replaced, though not by one that tells nothing: of no
    line, and of no order. Another file never is. Errors that a spreadsheet
    would take for a formula begin with an apostrophe; no other cell can be one.

    `message` makes an error's text, without secrets.
    """

    def __init__(self, path: Path, *, message: Callable[[BaseException], str]) -> None:
        """Raises InvalidInput when nothing could be written there, or when what is there is no
        report: before anything is bought."""
        _check_no_other_file(path)
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._message = message
        self._rows: dict[int, tuple[Any, ...]] = {}
        self._tells = False
        try:
            self._part.open("a").close()
        except OSError as problem:
            raise InvalidInput(
                f"the report can't be written to {path}: {problem.strerror}"
            ) from None

    def expect(self, line: int, reference: str) -> None:
        """A line that stands as "open" until something is said of it."""
        self._rows[line] = (line, reference, "open")

    def begin(self) -> None:
        """The lines are planned or ordered: from now on "open" tells something as well."""
        self._tells = True

    def bad(self, line: BadLine) -> None:
        """A line that was left out of the batch."""
        self._tells = True
        before = self._rows.get(line.number, ("",) * len(COLUMNS))[-1]
        why = "; ".join(filter(None, [before, line.why]))
        self._rows[line.number] = (line.number, "", "bad", "", "", "", "", "", why)

    def add(self, found: LineResult | UnbuyableLine) -> None:
        """What became of a line."""
        self._tells = True
        line = found.line
        error = "" if found.error is None else _harmless(self._message(found.error))
        if isinstance(found, UnbuyableLine):
            rest: Iterable[Any] = ("unbuyable", "", "", "", "", "", error)
        else:
            rest = (
                found.state,
                " ".join(found.numbers),
                found.shortfall or "",
                found.order_id or "",
                found.order_reference or "",
                "" if found.price is None else found.price,
                error,
            )
        self._rows[line.number] = (line.number, line.identity, *rest)

    def close(self) -> bool:
        """Write it; whether there was anything to tell. Raises OSError when it can't be written."""
        if not self._tells:
            self._part.unlink()
            return False
        with self._part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(self._rows[number] for number in sorted(self._rows))
        os.replace(self._part, self._path)
        return True


def _check_no_other_file(path: Path) -> None:
    """The file of orders, or the journal, must not be overwritten with the report."""
    if path.exists() and not path.is_file():
        raise InvalidInput(f"the report can't be written to {path}: it is no plain file")
    try:
        with path.open("rb") as file:
            begin = file.read(len(HEADER))
    except FileNotFoundError:
        return
    except OSError as problem:
        raise InvalidInput(f"the report can't be written to {path}: {problem.strerror}") from None
    if begin not in {b"", HEADER}:
        raise InvalidInput(
            f"the report would overwrite {path}, which is no report: give it another name"
        )


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text

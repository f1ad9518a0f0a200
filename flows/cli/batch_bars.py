"""Progress bars of a batch, at a terminal: lookups, orders, completions, speed, spending, ETA."""

import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["Bars"]


class Bars:
    """Bars on standard error, one per title; they go away when they are closed."""

    def __init__(self, totals: Mapping[str, int | None]) -> None:
        """`totals`: title -> how much there is to do, None where that is not known yet."""
        self._progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._bars = {
            title: self._progress.add_task(title, total=total, note="")
            for title, total in totals.items()
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):  # the terminal was closed
            self._progress.stop()

    def write_above(self, text: str) -> None:
        """Write lines that stay above the bars; `text` may be coloured."""
        self._progress.console.print(Text.from_ansi(text), soft_wrap=True)

    def tell(
        self, title: str, *, done: int | None = None, of: int | None = None, note: str | None = None
    ) -> None:
        """Move a bar, where there is one of this title."""
        if (bar := self._bars.get(title)) is None:
            return
        self._progress.update(bar, completed=done, total=of)  # None changes nothing
        if note is not None:
            self._progress.update(bar, note=note)

"""Progress bars of a batch, at a terminal: lookups, orders, completions, speed, spending, ETA."""

from decimal import Decimal
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

from flows.cli.show import money

__all__ = ["Bars"]


class Bars:
    """Three bars on standard error; they go away when they are closed."""

    def __init__(self, *, lines: int, orders: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        add = self._progress.add_task
        self._look_ups = add("looking up", total=None, note="")
        self._orders = add("ordering", total=orders or None, note="")
        self._lines = add("completing", total=lines, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def looked_up(self, done: int, of: int) -> None:
        """So many different requests are looked up."""
        self._progress.update(self._look_ups, completed=done, total=of)

    def tell(self, per_second: float, *, orders: int) -> None:
        """A request was sent."""
        note = f"{per_second:.1f} requests/s"
        self._progress.update(self._orders, completed=orders, note=note)

    def lines(self, done: int, spent: Decimal) -> None:
        """So many lines have come to their end."""
        self._progress.update(self._lines, completed=done, note=f"{money(spent)} USD")

"""Where output goes: the result to standard output, all else to standard error.

Nothing here raises when nobody reads any more: a closed pipe must not tear an order apart.
"""

import asyncio
import contextlib
import os
import sys
import textwrap
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Literal, TextIO

from flows.cli.exits import Exit, exit_for, hint

__all__ = ["Screen", "printable"]

Style = Literal["plain", "bold", "warning", "error"]
STYLES = {"plain": "", "bold": "\x1b[1m", "warning": "\x1b[33m", "error": "\x1b[31m"}
RESET = "\x1b[0m"
ERASE = "\r\x1b[K"
FRAMES = "|/-\\"
LONG = 60  # characters of a candidate that gets a line of its own
QUIET_FOR = 0.3  # seconds; what is quicker needs no spinner


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey, whatever a server says."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


class Screen:
    """Standard output and standard error of one run."""

    def __init__(
        self,
        *,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self._out = stdout or sys.stdout
        self._err = stderr or sys.stderr
        self._secrets = secrets
        self._spinning = False
        self._above: Callable[[str], None] | None = None
        self.lost_results = False
        self.shows_tables = _is_terminal(self._out)
        self.has_terminal = _is_terminal(self._err)
        self.can_ask = self.has_terminal and _is_terminal(stdin or sys.stdin)
        if hasattr(self._out, "reconfigure"):
            # A name that the terminal can't spell is no reason to fail.
            self._out.reconfigure(errors="replace")

    @property
    def width(self) -> int:
        """Columns of the terminal that shows the result."""
        return _width(self._out)

    @property
    def wraps_at(self) -> int | None:
        """Columns of the terminal that shows everything else; None when it is none."""
        return _width(self._err) if self.has_terminal else None

    def result(self, lines: Iterable[str]) -> None:
        """Write lines of the result to standard output.

        What can't be written for another reason than that nobody reads is said once, and the
        run's `lost_results`.
        """
        problem = _write(self._out, "".join(f"{line}\n" for line in lines))
        if problem is not None and not isinstance(problem, BrokenPipeError):
            self.lost_results = True
            self.say(f"error: standard output can't be written: {problem.strerror}", "error")

    def say(self, text: str = "", style: Style = "plain") -> None:
        """Write a line to standard error."""
        text = printable(self._without_secrets(text))
        if (width := self.wraps_at) is not None:
            text = "\n".join(_wrapped(line, width) for line in text.split("\n"))
        if self.has_terminal and STYLES[style] and "NO_COLOR" not in os.environ:
            text = f"{STYLES[style]}{text}{RESET}"
        if self._above is not None:
            with contextlib.suppress(OSError, ValueError):
                self._above(text)
                return
        _write(self._err, f"{ERASE if self._spinning else ''}{text}\n")

    @contextlib.contextmanager
    def above(self, write: Callable[[str], None]) -> Iterator[None]:
        """While the block runs, lines are written with `write`: something is drawn below them."""
        self._above = write
        try:
            yield
        finally:
            self._above = None

    def error(self, error: BaseException, *, debug: bool) -> None:
        """Say what went wrong, with a traceback (without local variables) if asked for."""
        if debug:
            lines = traceback.format_exception(error)
            self.say("".join(lines).rstrip())
        self.say(f"error: {_listed(self.message(error), error)}", "error")
        if (advice := hint(error)) is not None:
            self.say(advice)

    def message(self, error: BaseException) -> str:
        """The error in one line, without secrets."""
        said = " ".join(str(error).split())
        if exit_for(error) is Exit.FAILED or not said:
            said = f"{type(error).__name__}: {said}".removesuffix(": ")
        return self._without_secrets(said)

    @contextlib.asynccontextmanager
    async def progress(self, text: str) -> AsyncIterator[None]:
        """Show that something goes on, at a terminal only."""
        if not self.has_terminal:
            yield
            return
        spinner = asyncio.create_task(self._spin(text))
        try:
            yield
        finally:
            spinner.cancel()
            if self._spinning:
                self._spinning = False
                _write(self._err, ERASE)

    async def _spin(self, text: str) -> None:
        await asyncio.sleep(QUIET_FOR)
        step = 0
        while True:
            self._spinning = True
            line = f"{FRAMES[step % len(FRAMES)]} {printable(text)}"
            _write(self._err, f"{ERASE}{line[: _width(self._err) - 1]}")
            step += 1
            await asyncio.sleep(0.15)

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "(hidden)")
        return text


def _listed(said: str, error: BaseException) -> str:
    """Candidates that are long, such as offers, on lines of their own."""
    candidates = [" ".join(str(one).split()) for one in getattr(error, "candidates", ())]
    shown = next((n for n in range(len(candidates), 1, -1) if "; ".join(candidates[:n]) in said), 0)
    if max(map(len, candidates[:shown]), default=0) < LONG:
        return said
    before, after = said.split("; ".join(candidates[:shown]), 1)
    return "\n  ".join([before.rstrip(), *candidates[:shown], *filter(None, [after.strip()])])


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width or " " not in line.strip():
        return line
    return textwrap.fill(
        line,
        width,
        break_long_words=False,
        break_on_hyphens=False,
        subsequent_indent="    " if line.startswith("  ") else "",
    )


def _write(stream: TextIO, text: str) -> OSError | None:
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError) as problem:
        # Nobody reads. What is written from now on, also when Python exits, goes nowhere.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return problem if isinstance(problem, OSError) else None
    return None


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80

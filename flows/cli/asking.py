"""Asking at the terminal, on standard error, so that the result can go into a pipe."""

import contextlib
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

import questionary
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.output import create_output

from flows.cli.exits import UserLeft
from flows.cli.picker import Row, pick
from flows.cli.screen import Screen

__all__ = ["Asking", "Row"]

T = TypeVar("T")


class Asking:
    """Questions to the user. All of them raise UserLeft on Escape, Ctrl-C and Ctrl-D."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._input = create_input()
        self._output = create_output(stdout=sys.stderr)

    async def pick(self, title: str, rows: Sequence[Row[T]]) -> T:
        """One of the rows, from a searchable list."""
        value = await pick(title, rows, input=self._input, output=self._output)
        label = next(row.label for row in rows if row.value is value)
        said = f"? {title}  {' '.join(label.split())}"
        self._screen.say(said[: self._screen.wraps_at])
        return value

    async def whole_number(self, title: str, *, most: int) -> int:
        """A number from 1 to `most`; Enter alone is 1."""

        def judge(text: str) -> bool | str:
            good = not text or (text.isascii() and text.isdecimal() and 1 <= int(text) <= most)
            return good or f"a whole number from 1 to {most}"

        # Not a 1 to be edited: a 3 typed after it would order 13.
        question = questionary.text(
            f"{title}, 1 to {most}? Enter alone is 1:",
            validate=judge,
            input=self._input,
            output=self._output,
        )
        return int(await self._answer(question) or 1)

    async def words(self, title: str) -> str:
        """What the user types."""
        question = questionary.text(f"{title}:", input=self._input, output=self._output)
        return str(await self._answer(question))

    async def confirm(self, title: str) -> bool:
        """Yes or no, each with Enter; Enter alone is no. What was typed before does not count."""
        _forget_typed_ahead()
        question = questionary.confirm(
            title, default=False, auto_enter=False, input=self._input, output=self._output
        )
        return bool(await self._answer(question))

    async def _answer(self, question: questionary.Question) -> Any:
        keys = KeyBindings()

        @keys.add("escape", eager=True)
        @keys.add("c-c", eager=True)
        @keys.add("c-d", eager=True)
        @keys.add("<sigint>", eager=True)
        def _(event: KeyPressEvent) -> None:
            event.app.exit(exception=UserLeft("the question was left"))

        app = question.application
        app.key_bindings = merge_key_bindings([*filter(None, [app.key_bindings]), keys])
        app.ttimeoutlen = 0.1
        return await question.unsafe_ask_async()


def _forget_typed_ahead() -> None:
    """Money is spent on what was typed after the price was shown, not before."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # no terminal, or not POSIX
        import termios  # noqa: PLC0415

        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

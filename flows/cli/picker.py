"""A searchable list of any length: type to narrow it, arrows to move, Enter to take.

`Search` is pure; `pick` draws it. Unlike a menu that shows everything when nothing is found, Enter
takes nothing then.
"""

import unicodedata
from collections.abc import Sequence
from typing import Generic, TypeVar

import attrs
from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import Output

from flows.cli.exits import UserLeft
from flows.cli.screen import printable

__all__ = ["Row", "Search", "pick"]

T = TypeVar("T")
MOST_ROWS = 12
HELP = "type to search, Up/Down, Enter; Esc leaves"
BOLD, DIM, POINTED = "bold", "fg:ansibrightblack", "bold fg:ansicyan"


@attrs.frozen
class Row(Generic[T]):
    """A line of the list, and what taking it means."""

    label: str
    value: T


def _searched(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in bare if not unicodedata.combining(c))


class Search(Generic[T]):
    """What is typed, what it leaves of the rows, and which row is pointed at."""

    def __init__(self, rows: Sequence[Row[T]]) -> None:
        self.rows = rows
        self._texts = [_searched(row.label) for row in rows]
        self.matches: Sequence[Row[T]] = rows
        self.typed = ""
        self.pointed = 0

    def type(self, typed: str) -> None:
        """Search for what is typed: every word must be in a row; rows that begin with it first."""
        self.typed = typed
        asked = _searched(typed).split()
        found = [
            (not text.startswith(" ".join(asked)), place)
            for place, text in enumerate(self._texts)
            if all(word in text for word in asked)
        ]
        self.matches = [self.rows[place] for _, place in sorted(found)]
        self.pointed = 0

    def move(self, by: int) -> None:
        """Point further down, or up; the ends stop it."""
        self.pointed = max(0, min(len(self.matches) - 1, self.pointed + by))

    @property
    def taken(self) -> Row[T] | None:
        """The row pointed at; None when nothing matches."""
        return self.matches[self.pointed] if self.matches else None

    def window(self, height: int) -> range:
        """Which matches to show: `height` of them around the one pointed at."""
        first = max(0, min(self.pointed - height // 2, len(self.matches) - height))
        return range(first, min(len(self.matches), first + height))


async def pick(title: str, rows: Sequence[Row[T]], *, input: Input, output: Output) -> T:
    """Let the user take one of the rows. Raises UserLeft."""
    search = Search(rows)
    keys = KeyBindings()

    @keys.add(Keys.Any)
    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        search.type(search.typed + printable(event.data).replace("\n", " "))

    @keys.add("backspace")
    def _(_: KeyPressEvent) -> None:
        search.type(search.typed[:-1])

    @keys.add("c-u")
    @keys.add("c-w")
    def _(_: KeyPressEvent) -> None:
        search.type("")

    for names, by in (
        (("down", "c-n", "tab"), 1),
        (("up", "c-p", "s-tab"), -1),
        (("pagedown",), MOST_ROWS),
        (("pageup",), -MOST_ROWS),
        (("home",), -len(rows)),
        (("end",), len(rows)),
    ):
        for name in names:
            keys.add(name)(lambda _, by=by: search.move(by))

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if search.taken is not None:
            event.app.exit(result=search.taken.value)

    @keys.add("escape", eager=True)
    @keys.add("c-c")
    @keys.add("c-d")
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=UserLeft("the question was left"))

    def drawn() -> StyleAndTextTuples:
        # A line is kept for the shell's prompt, three are used for the head.
        height = max(3, min(MOST_ROWS, output.get_size().rows - 4))
        return _drawn(title, search, height)

    app: Application[T] = Application(
        layout=Layout(Window(FormattedTextControl(drawn, show_cursor=False), wrap_lines=False)),
        key_bindings=keys,
        input=input,
        output=output,
        erase_when_done=True,
    )
    app.ttimeoutlen = 0.1  # Escape alone is told from an arrow key by a pause
    return await app.run_async()


def _drawn(title: str, search: Search[T], height: int) -> StyleAndTextTuples:
    count = f"{len(search.matches)} of {len(search.rows)}"
    lines: StyleAndTextTuples = [
        (BOLD, f"? {title}  "),
        (DIM, f"({HELP})\n"),
        ("", f"/ {search.typed}"),
        ("reverse", " "),
        (DIM, f"  {count if search.matches else 'nothing is called that: Backspace'}\n"),
    ]
    for place in search.window(height):
        pointed = place == search.pointed
        label = search.matches[place].label
        lines.append((POINTED if pointed else "", f"{'>' if pointed else ' '} {label}\n"))
    return lines

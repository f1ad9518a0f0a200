"""Commands that answer with a listing or a record: in every form, and with every error told."""

import asyncio
from collections.abc import Awaitable, Callable

import attrs

from flows.cli.connect import Place, place_of, secrets
from flows.cli.exits import Exit, UserLeft, exit_for
from flows.cli.keeping import typed
from flows.cli.options import Connection, Journaled
from flows.cli.outcome import error_document
from flows.cli.running import run as run_async
from flows.cli.screen import Screen
from flows.cli.show import Listing, Record, json_text

__all__ = ["Answer", "Asked", "answer"]


@attrs.define(kw_only=True)
class Asked:
    """One run of such a command. `place` is filled in as it gets known."""

    connection: Connection
    screen: Screen
    place: Place


@attrs.frozen(kw_only=True)
class Answer:
    """What was found, and the exit code it means. `note`: what people must know beside it."""

    found: Listing | Record
    code: Exit = Exit.OK
    note: str | None = None


def answer(read: Callable[[Asked], Awaitable[Answer]], connection: Connection) -> int:
    """Run `read`, print its answer or its error, and return the exit code."""
    asked = Asked(
        connection=connection,
        screen=Screen(secrets=secrets(connection)),
        place=place_of(connection),
    )
    return run_async(_answered(read, asked), screen=asked.screen)


async def _answered(read: Callable[[Asked], Awaitable[Answer]], asked: Asked) -> int:
    screen, wants_json = asked.screen, asked.connection.json
    try:
        answered = await read(asked)
    except asyncio.CancelledError:
        screen.say("Interrupted.")
        if isinstance(asked.connection, Journaled):
            screen.say(f"What is known: didww-async journal{typed(asked.connection)}")
        if wants_json:
            said = error_document(asyncio.CancelledError(), "interrupted")
            screen.result([json_text({**attrs.asdict(asked.place), "error": said})])
        raise
    except Exception as error:  # noqa: BLE001 - one message, not a traceback
        if isinstance(error, UserLeft):
            screen.say(f"Nothing was done: {error}.")
        else:
            screen.error(error, debug=asked.connection.debug)
        if wants_json:
            problem = error_document(error, screen.message(error))
            screen.result([json_text({**attrs.asdict(asked.place), "error": problem})])
        return exit_for(error)
    for note in filter(None, [answered.found.note, answered.note]):
        screen.say(note, "warning")
    if wants_json:
        screen.result([json_text({**attrs.asdict(asked.place), **answered.found.document()})])
    elif screen.shows_tables:
        _table(answered, screen)
    else:
        screen.result(answered.found.lines())
    return answered.code


def _table(answered: Answer, screen: Screen) -> None:
    found = answered.found
    if isinstance(found, Listing) and not found.rows:
        if answered.note is None:
            screen.say(f"There are no {found.name} to list.")
        return
    screen.result(found.table(screen.width))
    if isinstance(found, Listing) and (hidden := found.hidden(screen.width)):
        screen.say(f"Too narrow for: {', '.join(hidden)}. A wider terminal or --json shows them.")

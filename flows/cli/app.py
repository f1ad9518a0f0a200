"""The commands and their options; what they do is in the other files."""

from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from didww_async import InvalidInput
from flows.cli import journal_commands, looking
from flows.cli.answering import Answer, Asked, answer
from flows.cli.attempt import SIMULATED
from flows.cli.batch_command import batch
from flows.cli.buying import Buying
from flows.cli.connect import connected, secrets
from flows.cli.exits import MEANINGS, Exit
from flows.cli.keeping import DSN, passwords
from flows.cli.options import (
    ANYTHING,
    CONNECTION,
    JOURNALED,
    TERMS,
    Connection,
    Journaled,
    Terms,
    Wanted,
    whole,
)
from flows.cli.outcome import error_document
from flows.cli.running import run as run_async
from flows.cli.screen import Screen
from flows.cli.show import json_text

__all__ = ["run"]

ABOUT = """Buy phone numbers from DIDWW, and look at what is on sale.

Key and environment come from DIDWW_API_KEY, DIDWW_ENVIRONMENT (production or sandbox) and
DIDWW_BASE_URL; --simulate needs none of them. DIDWW_API_VERSION chooses the API version; for
2026-11-19 with DIDWW_BASE_URL, DIDWW_TOKEN_URL says where tokens are given. Every purchase is
written down in a journal (--journal or DIDWW_JOURNAL), so that none is ever ordered twice. Results
go to standard output, all else to standard error.
"""


def _version() -> str:
    try:
        return metadata.version("didww-async")
    except metadata.PackageNotFoundError:
        return "unreleased"


def _exit_codes() -> str:
    return "Exit codes:\n\n" + "\n".join(
        f"- {code.value}: {meaning}" for code, meaning in MEANINGS.items()
    )


app = App(
    name="didww-async",
    help=ABOUT,
    help_epilogue=_exit_codes(),
    help_format="markdown",
    version=_version(),
    result_action="return_value",
)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit code."""
    try:
        code = app(list(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as wrong:
        return _bad_command_line(wrong, arguments)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.OK


def _bad_command_line(wrong: CycloptsError, arguments: Sequence[str]) -> int:
    given = [
        word.removeprefix("--api-key=")
        for before, word in zip(["", *arguments], arguments, strict=False)
        if before == "--api-key" or word.startswith("--api-key=")
    ]
    addresses = [word[word.index(it) :] for word in arguments for it in DSN if it in word]
    hidden = {secret for address in addresses for secret in passwords(address)}
    screen = Screen(secrets=[*secrets(JOURNALED), *filter(None, given), *hidden])
    said = InvalidInput(str(wrong))  # not by the class of the parser
    screen.error(said, debug=False)
    screen.say("See didww-async --help, or --help after a command.")
    if "--json" in arguments:
        problem = error_document(wrong, screen.message(said))
        screen.result([json_text({"status": "not_bought", "error": problem})])
    return Exit.USAGE


@app.command
def buy(
    *, wanted: Wanted = ANYTHING, terms: Terms = TERMS, connection: Journaled = JOURNALED
) -> int:
    """Buy numbers: guided at a terminal, or by options with --yes.

    At a terminal it asks for what the options leave open and for a confirmation. Prices and
    limits are USD without VAT. The numbers bought go to standard output, one per line. With a
    --reference that the journal knows nothing is bought again: the same order is reported.
    """
    screen = Screen(secrets=secrets(connection))
    buying = Buying(wanted=wanted, terms=terms, connection=connection, screen=screen)
    return run_async(buying.run(), screen=screen, at_once=buying.broken_off)


@app.command
def countries(*, connection: Connection = CONNECTION) -> int:
    """List countries with numbers on sale."""
    return _look(lambda: looking.countries, connection)


@app.command
def regions(*, country: str, connection: Connection = CONNECTION) -> int:
    """List the regions of a country.

    Parameters
    ----------
    country
        ISO code, name or id.
    """
    return _look(lambda: looking.regions(country), connection)


@app.command
def cities(
    *,
    country: str,
    region: str | None = None,
    name: str | None = None,
    connection: Connection = CONNECTION,
) -> int:
    """List cities with numbers on sale.

    Parameters
    ----------
    country
        ISO code, name or id.
    region
        Name, ISO code or id.
    name
        Only cities with this in their name.
    """
    return _look(lambda: looking.cities(country, region, name), connection)


@app.command
def prefixes(
    *,
    country: str,
    region: str | None = None,
    npa: str | None = None,
    connection: Connection = CONNECTION,
) -> int:
    """List North American prefixes (NPA and NXX) with numbers on sale.

    Parameters
    ----------
    country
        ISO code, name or id.
    region
        Name, ISO code or id; needed where the country has regions.
    npa
        Only this area code.
    """
    return _look(lambda: looking.prefixes(country, region, npa), connection)


@app.command
def offers(*, wanted: Wanted = ANYTHING, connection: Connection = CONNECTION) -> int:
    """List offers with their prices, cheapest month first."""
    return _look(lambda: looking.offers(wanted), connection)


@app.command
def order(
    id: str | None = None,
    /,
    *,
    reference: str | None = None,
    connection: Journaled = JOURNALED,
) -> int:
    """Show an order with its numbers.

    Parameters
    ----------
    id
        The order's id.
    reference
        The purchase's reference, instead of the id.
    """
    return _look(lambda: looking.order(id, reference, connection), connection)


@app.command
def balance(*, connection: Connection = CONNECTION) -> int:
    """Show the account's balance."""
    return _look(lambda: looking.balance, connection)


@app.command
def simulate(
    *,
    port: Annotated[int, Parameter(converter=whole)] = 0,
    api_key: Annotated[str, Parameter(name="--api-key")] = "simulator",
) -> int:
    """Run a simulated DIDWW API on this machine until Ctrl-C.

    The first line on standard output is its base URL.

    Parameters
    ----------
    port
        The port to listen on; 0 takes a free one.
    api_key
        The key it lets in.
    """
    # Only now: a web server takes a while to load.
    from flows.cli.simulating import simulate as serve_simulator  # noqa: PLC0415

    screen = Screen()
    return run_async(serve_simulator(screen, port=port, api_key=api_key), screen=screen)


for command in (
    batch,
    journal_commands.reconcile,
    journal_commands.resume,
    journal_commands.resend,
    journal_commands.cancel,
    journal_commands.journal,
):
    app.command(command)


def _look(reader: Callable[[], looking.Reader], connection: Connection) -> int:
    async def read(asked: Asked) -> Answer:
        look = reader()
        async with connected(connection) as (client, asked.place):
            if asked.place.simulated:
                asked.screen.say(SIMULATED, "warning")
            async with asked.screen.progress("reading"):
                return Answer(found=await look(client))

    return answer(read, connection)

"""The command on a file of purchases and its options; what it does is in `batching`."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from didww_async import InvalidInput
from flows.cli.connect import secrets
from flows.cli.exits import Exit
from flows.cli.options import JOURNALED, ORDER, Journaled, Timeout, Yes, option, price, whole
from flows.cli.outcome import error_document
from flows.cli.running import run as run_async
from flows.cli.screen import Screen
from flows.cli.show import json_text

__all__ = ["batch"]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class BatchTerms:
    """How a batch is planned and ordered."""

    plan: Annotated[
        bool,
        option("Only plan: orders, cost, balance, what can't be bought and why.", ORDER),
    ] = False
    batch: Annotated[
        str | None,
        option(
            "The batch's name; lines without a reference are known as NAME:LINE. Run again under "
            "the same name, nothing is bought twice.",
            ORDER,
        ),
    ] = None
    skip_bad: Annotated[bool, option("Leave bad lines out instead of buying nothing.", ORDER)] = (
        False
    )
    max_total: Annotated[
        Decimal | None,
        option(
            "Most for the whole batch, earlier runs included, USD without VAT.",
            ORDER,
            converter=price,
        ),
    ] = None
    stop_after: Annotated[
        int | None,
        option("Order nothing more after so many refused orders.", ORDER, converter=whole),
    ] = None
    max_items_per_order: Annotated[
        int,
        option(
            "Most order items in one order: fewer put fewer lines at risk of one unknown outcome, "
            "more take fewer requests. [default: 50]",
            ORDER,
            converter=whole,
        ),
    ] = 50
    report: Annotated[
        Path | None, option("Write a CSV file with what became of every line.", ORDER)
    ] = None
    template: Annotated[
        bool, option("Print a CSV file with all columns and two example lines.", ORDER)
    ] = False
    timeout: Timeout = 60.0
    yes: Yes = False


TERMS = BatchTerms()


def batch(
    file: Path | None = None,
    /,
    *,
    terms: BatchTerms = TERMS,
    connection: Journaled = JOURNALED,
) -> int:
    """Buy what the lines of a CSV or JSON lines file ask for.

    Plans first, with few merged look-ups, shows the cost and asks (or takes --yes). Nothing is
    bought for a file with bad lines unless --skip-bad. Run it again with the same file to go on
    after an interruption: a line that is bought, or may be, is never ordered again. The numbers
    go to standard output, one per line; with --json one JSON object per event.

    Parameters
    ----------
    file
        The file, or /dev/stdin; see --template.
    """
    # Only now: other commands do without batches.
    from flows.batch.reading import template  # noqa: PLC0415
    from flows.cli.batching import Batching, Orders  # noqa: PLC0415

    screen = Screen(secrets=secrets(connection))
    if terms.template:
        screen.result(template().splitlines())
        return Exit.FAILED if screen.lost_results else Exit.OK
    if file is None:
        missing = InvalidInput("name a file (--template prints one)")
        screen.error(missing, debug=False)
        if connection.json:
            problem = error_document(missing, screen.message(missing))
            screen.result([json_text({"event": "error", "error": problem})])
        return Exit.USAGE
    batching = Batching(
        orders=Orders(
            file=file,
            batch=terms.batch,
            only_plan=terms.plan,
            skip_bad=terms.skip_bad,
            max_total=terms.max_total,
            stop_after=terms.stop_after,
            max_items_per_order=terms.max_items_per_order,
            report=terms.report,
            timeout=terms.timeout,
            yes=terms.yes,
        ),
        connection=connection,
        screen=screen,
    )
    return run_async(batching.run(), screen=screen, at_once=batching.broken_off)

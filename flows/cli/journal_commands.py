"""The commands on what the journal remembers; what they do is in `settling` and `deciding`."""

from typing import Annotated, Literal

from cyclopts import Parameter

from flows.cli import settling
from flows.cli.answering import Answer, Asked, answer
from flows.cli.connect import secrets
from flows.cli.deciding import Canceling, Resending
from flows.cli.options import JOURNALED, Journaled, Timeout, Yes
from flows.cli.running import run as run_async
from flows.cli.screen import Screen
from flows.journal import State

__all__ = ["cancel", "journal", "reconcile", "resend", "resume"]

StateName = Literal[
    "planned",
    "sent",
    "ordered",
    "refused",
    "unknown",
    "completed",
    "canceled",
    "expired",
]


def reconcile(*, connection: Journaled = JOURNALED) -> int:
    """Settle what the journal has open for this API: look for it at DIDWW, order nothing.

    One line per purchase that was sent, unknown or ordered: what has become of it. Exits with 0
    when no outcome is unknown any more.
    """

    async def read(asked: Asked) -> Answer:
        return await settling.settle(connection, asked)

    return answer(read, connection)


def resume(*, yes: Yes = False, connection: Journaled = JOURNALED) -> int:
    """As reconcile, and also order what was planned before a crash, unless it is too old."""

    async def read(asked: Asked) -> Answer:
        return await settling.settle(connection, asked, orders=True, yes=yes)

    return answer(read, connection)


def resend(
    reference: str,
    /,
    *,
    yes: Yes = False,
    timeout: Timeout = 60.0,
    connection: Journaled = JOURNALED,
) -> int:
    """Send an order of unknown outcome once more: your decision, it may buy a SECOND time.

    Shows what is known, and asks for the reference to be typed unless --yes is given. Looks for
    the order once more before it sends anything.

    Parameters
    ----------
    reference
        The purchase's reference.
    """
    screen = Screen(secrets=secrets(connection))
    resending = Resending(
        reference=reference, yes=yes, timeout=timeout, connection=connection, screen=screen
    )
    return run_async(resending.run(), screen=screen, at_once=resending.broken_off)


def cancel(reference: str, /, *, connection: Journaled = JOURNALED) -> int:
    """Cancel a pending order, or drop a plan that was not sent.

    Parameters
    ----------
    reference
        The purchase's reference.
    """
    screen = Screen(secrets=secrets(connection))
    canceling = Canceling(reference=reference, connection=connection, screen=screen)
    return run_async(canceling.run(), screen=screen, at_once=canceling.broken_off)


def journal(
    *,
    state: Annotated[tuple[StateName, ...], Parameter(negative=(), show_default=False)] = (),
    reference: str | None = None,
    all_accounts: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    connection: Journaled = JOURNALED,
) -> int:
    """List the purchases of the journal, oldest first. Needs no key, asks nothing of DIDWW.

    Those of the API that options or environment name; all when they name none.

    Parameters
    ----------
    state
        Only those in this state; repeat it for several.
    reference
        Only this purchase.
    all_accounts
        Those of every API, sandbox and production.
    """

    async def read(asked: Asked) -> Answer:
        return await settling.read_journal(
            connection,
            asked,
            states=[State(name) for name in state],
            reference=reference,
            all_accounts=all_accounts,
        )

    return answer(read, connection)

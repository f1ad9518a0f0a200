"""`resend` and `cancel`: what a person decides about one purchase of the journal."""

from didww_async import Client
from flows import BuyDidFlow, Canceled, Purchase, PurchaseJournal, cancel, resend
from flows.cli.attempt import Attempt
from flows.cli.exits import Exit, UserLeft
from flows.cli.options import Journaled
from flows.cli.outcome import Outcome, after_waiting
from flows.cli.screen import Screen
from flows.cli.show import aligned, cell
from flows.errors import NoMatch, ResendRefused
from flows.journal import State
from flows.journal.record import check_reference
from flows.resuming import find_purchase

__all__ = ["Canceling", "Resending"]

TWICE = (
    "Nobody knows whether this order exists. If it does after all, sending it again buys a SECOND "
    "time. Look at your orders at DIDWW first."
)


class Resending(Attempt):
    """Sends an order of unknown outcome once more, after the user has confirmed it."""

    declined = "Nothing was sent again"

    def __init__(
        self, *, reference: str, yes: bool, timeout: float, connection: Journaled, screen: Screen
    ) -> None:
        super().__init__(reference=reference, connection=connection, screen=screen)
        self._named = reference
        self._yes = yes
        self._timeout = timeout

    def _check_before_all(self) -> None:
        check_reference(self._named)
        self._need_yes(yes=self._yes, what="this may buy a second time")

    async def _work(self, client: Client, journal: PurchaseJournal, flow: BuyDidFlow) -> Outcome:
        purchase = await find_purchase(client, journal, self._named)
        for line in known_lines(purchase, self._screen.wraps_at):
            self._screen.say(line)
        if purchase.state is not State.UNKNOWN:
            raise ResendRefused(purchase=purchase, why=f"it is {purchase.state}, not unknown")
        if not self._yes:
            await self._confirm()
        self._purchase, self._ordering = purchase, True
        async with self._screen.progress(f"sending {self._named} again"):
            self._purchase = await resend(client, journal, self._named)
        async with self._screen.progress(f"waiting for order {self._purchase.order_id}"):
            result = await flow.carry_on(timeout=self._timeout)
        return after_waiting(result, **self._known())

    async def _confirm(self) -> None:
        from flows.cli.asking import Asking  # noqa: PLC0415 - it takes a while to load

        self._screen.say(TWICE, "warning")
        said = await Asking(self._screen).words("To send it again, type its reference")
        if said.strip() != self._named:
            raise UserLeft("the reference was not typed")


class Canceling(Attempt):
    """Cancels a pending order, or drops a plan that was not sent."""

    def __init__(self, *, reference: str, connection: Journaled, screen: Screen) -> None:
        super().__init__(reference=reference, connection=connection, screen=screen)
        self._named = reference

    def _check_before_all(self) -> None:
        check_reference(self._named)

    async def _work(self, client: Client, journal: PurchaseJournal, flow: BuyDidFlow) -> Outcome:
        self._purchase = await find_purchase(client, journal, self._named)
        async with self._screen.progress(f"canceling {self._named}"):
            result = await cancel(client, journal, self._named)
        if isinstance(result, Canceled):
            known = self._known() | {"order_id": result.order.id, "charged": result.charged}
            return Outcome(status="canceled", code=Exit.OK, **known)
        if result.state is State.EXPIRED:
            return Outcome(status="canceled", code=Exit.OK, **self._known())
        raise NoMatch(
            f"the plan {self._named} was sent by somebody in this moment: it is {result.state}"
        )


def known_lines(purchase: Purchase, width: int | None) -> list[str]:
    """What the journal knows of a purchase, for a person who has to decide."""
    fields = {
        "Reference": purchase.reference,
        "State": str(purchase.state),
        "Order": str(purchase.request),
        "At": f"{purchase.key.origin} (account {purchase.key.account})",
        "Planned": cell(purchase.planned_at),
        "Sent": f"{cell(purchase.claimed_at)} (attempt {purchase.attempt})",
        "Order id": cell(purchase.order_id),
        "Error": cell(purchase.error),
    }
    return aligned(fields, width)

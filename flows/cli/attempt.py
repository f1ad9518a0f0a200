"""One run of a command that may buy: whatever breaks it off, what is known is told."""

import asyncio
from typing import Any, ClassVar

import attrs

from didww_async import Client, InvalidInput
from flows import BuyDidFlow, Purchase, PurchaseJournal
from flows.cli.connect import place_of, working
from flows.cli.exits import Exit, UserLeft
from flows.cli.keeping import typed
from flows.cli.options import Journaled
from flows.cli.outcome import Outcome, after_error, ids_of
from flows.cli.screen import Screen
from flows.cli.show import json_text
from flows.journal import JournalError

__all__ = ["SIMULATED", "Attempt"]

SIMULATED = "SIMULATION: this is a simulator of its own, nothing is bought at DIDWW."


class Attempt:
    """What the commands on one purchase have in common; each says in `_work` what it does.

    `makes_journal`: it may be the first to write to the journal. `declined`: what to say first
    when the user left a question.
    """

    makes_journal = False
    declined: ClassVar[str | None] = None

    def __init__(self, *, reference: str | None, connection: Journaled, screen: Screen) -> None:
        self._reference = reference
        self._connection = connection
        self._screen = screen
        self._place = place_of(connection)
        self._flow: BuyDidFlow | None = None
        self._purchase: Purchase | None = None
        self._ordering = False

    async def run(self) -> int:
        """Do it, say what became of it, and return the exit code."""
        outcome: Outcome | None = None
        try:
            self._check_before_all()
            async with working(self._connection, create=self.makes_journal) as found:
                client, self._place, journal = found
                if self._place.simulated:
                    self._screen.say(SIMULATED, "warning")
                outcome = await self._guarded(client, journal)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - every end is told
            outcome = outcome or self._after(error, None)
        self._tell(outcome)
        return outcome.code

    def broken_off(self) -> None:
        """Tell what is known when there is no time to find out more."""
        self._tell(self._in_doubt(KeyboardInterrupt("left at once")))

    def _check_before_all(self) -> None:
        """Raise InvalidInput for what can't be right, before anything is opened or sent."""

    async def _work(self, client: Client, journal: PurchaseJournal, flow: BuyDidFlow) -> Outcome:
        raise NotImplementedError

    async def _guarded(self, client: Client, journal: PurchaseJournal) -> Outcome:
        """Work; whatever goes wrong, the journal is asked what is known of the order."""
        flow = self._flow = BuyDidFlow(client, journal=journal, reference=self._reference)
        try:
            return await self._work(client, journal, flow)
        except asyncio.CancelledError as interrupt:
            # The order, if it was begun, goes on in the client: closing waits for its answer.
            self._say_interrupted(flow)
            await client.aclose()
            return await self._told_by_journal(interrupt, flow)
        except Exception as error:  # noqa: BLE001 - also what nobody foresaw: money may be spent
            return await self._told_by_journal(error, flow)

    async def _told_by_journal(self, error: BaseException, flow: BuyDidFlow) -> Outcome:
        if isinstance(error, JournalError) and not self._ordering:
            return self._after(error, self._purchase)  # there is nothing more to ask it
        try:
            return self._after(error, await flow.purchase())
        except JournalError as problem:
            if not isinstance(error, JournalError):
                self._screen.say(self._screen.message(problem), "warning")
            return self._in_doubt(error)

    def _in_doubt(self, error: BaseException) -> Outcome:
        """The outcome when the journal can't be asked: an order that was begun may exist."""
        outcome = self._after(error, self._purchase)
        if not self._ordering or self._purchase is not None:
            return outcome
        order_id = self._flow.ids.order_id if self._flow else None
        code = Exit.INCOMPLETE if order_id else Exit.UNKNOWN
        return attrs.evolve(
            outcome,
            status="pending" if order_id else "unknown",
            order_id=order_id,
            code=outcome.code if outcome.code is Exit.INTERRUPTED else code,
        )

    def _say_interrupted(self, flow: BuyDidFlow) -> None:
        if self._ordering and flow.ids.order_id is None:
            self._screen.say(
                f"Interrupted: waiting for the answer to the order {flow.reference}. "
                "Ctrl-C again leaves at once.",
                "warning",
            )

    def _after(self, error: BaseException, purchase: Purchase | None) -> Outcome:
        given = self._reference is not None
        return after_error(error, purchase, reference_given=given, **self._known())

    def _known(self) -> dict[str, Any]:
        if self._flow is None:
            return {"reference": self._reference}
        quote = self._flow.chosen.quote
        known = {"reference": self._flow.reference, "ids": self._flow.ids, "quote": quote}
        known["quantity"] = quote.quantity if quote else None
        if self._purchase is not None:
            known["ids"] = ids_of(self._purchase, self._flow.ids)
            known["quantity"] = self._purchase.request.quantity
        return known

    def _need_yes(self, *, yes: bool, what: str) -> None:
        if not yes and not self._screen.can_ask:
            raise InvalidInput(f"{what}, and there is no terminal to confirm it at: add --yes")

    def _tell(self, outcome: Outcome) -> None:
        screen, place, error = self._screen, self._place, outcome.error
        if error is not None and outcome.code is not Exit.INTERRUPTED:
            screen.error(error, debug=self._connection.debug)
        elif isinstance(error, UserLeft) and self.declined is not None:
            screen.say(f"{self.declined}: {error}.")
        elif error is not None and not isinstance(error, UserLeft):
            screen.say("Interrupted.", "warning")
        for line in outcome.told(place, typed(self._connection)):
            screen.say(line, "bold")
        if self._connection.json:
            message = None if error is None else screen.message(error)
            screen.result([json_text(outcome.document(place, message=message))])
        else:
            screen.result(outcome.numbers)

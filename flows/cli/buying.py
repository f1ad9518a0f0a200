"""`didww-async buy`: choose, quote, confirm, order, wait; and what is known when it breaks off."""

import asyncio
from typing import Any

import attrs

from didww_async import Client, InvalidInput
from flows import BuyDidFlow, Purchase, PurchaseJournal, Quote
from flows.cli.choosing import choose_offer, choose_place, read_offers
from flows.cli.connect import connected, open_journal, place_of
from flows.cli.exits import Exit, UserLeft
from flows.cli.options import Connection, Terms, Wanted
from flows.cli.outcome import Outcome, after_error, after_waiting, quote_lines
from flows.cli.screen import Screen
from flows.cli.show import json_text, money
from flows.journal import Limits, PurchaseKey
from flows.offers import check_limits

__all__ = ["Buying"]

SIMULATED = "SIMULATION: this is a simulator of its own, nothing is bought at DIDWW."


class Buying:
    """One run of the command. What is known is kept here, for whatever breaks it off."""

    def __init__(
        self, *, wanted: Wanted, terms: Terms, connection: Connection, screen: Screen
    ) -> None:
        self._wanted = wanted
        self._terms = terms
        self._connection = connection
        self._screen = screen
        self._place = place_of(connection)
        self._flow: BuyDidFlow | None = None
        self._ordering = False

    async def run(self) -> int:
        """Buy, say what became of it, and return the exit code."""
        try:
            self._check_before_all()
            async with connected(self._connection) as (client, place):
                self._place = place
                outcome = await self._guarded(client, open_journal())
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - every end is told
            outcome = self._after(error, None)
        self._tell(outcome)
        return outcome.code

    def broken_off(self) -> None:
        """Tell what is known when there is no time to find out more."""
        error = KeyboardInterrupt("left at once")
        outcome = self._after(error, None)
        if self._ordering:
            order_id = self._flow.ids.order_id if self._flow else None
            outcome = attrs.evolve(
                outcome, status="pending" if order_id else "unknown", order_id=order_id
            )
        self._tell(outcome)

    def _check_before_all(self) -> None:
        self._wanted.request(reference=self._terms.reference)
        if not self._terms.yes and not self._screen.can_ask:
            raise InvalidInput(
                "this buys numbers, and there is no terminal to confirm it at: add --yes"
            )

    async def _guarded(self, client: Client, journal: PurchaseJournal) -> Outcome:
        """Buy; whatever goes wrong, the journal is asked what is known of the order."""
        flow = BuyDidFlow(client, journal=journal, reference=self._terms.reference)
        self._flow = flow
        key = PurchaseKey(origin=client.origin, account=client.account, reference=flow.reference)
        try:
            return await self._buy(flow)
        except asyncio.CancelledError as interrupt:
            # The order, if it was begun, goes on in the client: closing waits for its answer.
            self._say_interrupted(flow)
            await client.aclose()
            return self._after(interrupt, await journal.read(key))
        except Exception as error:  # noqa: BLE001 - also what nobody foresaw: money may be spent
            return self._after(error, await journal.read(key))

    async def _buy(self, flow: BuyDidFlow) -> Outcome:
        if self._place.simulated:
            self._screen.say(SIMULATED, "warning")
        wanted = await self._choose(flow)
        async with self._screen.progress("reading the balance"):
            quote = await flow.quote(quantity=wanted.request().quantity)
        self._show(flow, quote)
        check_limits(quote, self._limits())  # before the user is asked, and again when ordering
        if not self._terms.yes:
            await self._confirm(quote)
        await self._order(flow)
        async with self._screen.progress(f"waiting for order {flow.ids.order_id}"):
            result = await flow.wait(timeout=self._terms.timeout)
        return after_waiting(result, **self._known())

    async def _choose(self, flow: BuyDidFlow) -> Wanted:
        wanted, terms, screen = self._wanted, self._terms, self._screen
        if screen.can_ask and (wanted.country is None or not terms.names_an_offer):
            # Only now: the questions' libraries take a while to load.
            from flows.cli.asking import Asking  # noqa: PLC0415
            from flows.cli.guided import Guide  # noqa: PLC0415

            guide = Guide(flow=flow, ask=Asking(screen), screen=screen)
            return await guide.choose(wanted, terms)
        async with screen.progress("choosing"):
            await choose_place(flow, wanted)
            await read_offers(flow, wanted)
            await choose_offer(flow, terms)
        return wanted

    def _show(self, flow: BuyDidFlow, quote: Quote) -> None:
        now = flow.chosen
        steps = (now.country, now.number_type, now.region, now.city, now.nanpa_prefix)
        place = " > ".join(str(step) for step in steps if step is not None)
        if now.offer is not None:
            for line in quote_lines(now.offer, quote, place=place, width=self._screen.wraps_at):
                self._screen.say(line)

    def _limits(self) -> Limits:
        terms = self._terms
        return Limits(
            max_setup=terms.max_setup, max_monthly=terms.max_monthly, max_total=terms.max_total
        )

    async def _confirm(self, quote: Quote) -> None:
        from flows.cli.asking import Asking  # noqa: PLC0415

        where = self._place.environment
        question = f"Order for {money(quote.total)} USD ({where})?"
        if not await Asking(self._screen).confirm(question):
            raise UserLeft("it was not confirmed")

    async def _order(self, flow: BuyDidFlow) -> Purchase:
        self._screen.say(f"Ordering under the reference {flow.reference}.")
        self._ordering = True
        async with self._screen.progress("ordering"):
            return await flow.order(**attrs.asdict(self._limits()))

    def _say_interrupted(self, flow: BuyDidFlow) -> None:
        if self._ordering and flow.ids.order_id is None:
            self._screen.say(
                f"Interrupted: waiting for the answer to the order {flow.reference}. "
                "Ctrl-C again leaves at once.",
                "warning",
            )

    def _after(self, error: BaseException, purchase: Purchase | None) -> Outcome:
        given = self._terms.reference is not None
        return after_error(error, purchase, reference_given=given, **self._known())

    def _known(self) -> dict[str, Any]:
        if self._flow is None:
            return {"reference": self._terms.reference}
        return {
            "reference": self._flow.reference,
            "ids": self._flow.ids,
            "quote": self._flow.chosen.quote,
        }

    def _tell(self, outcome: Outcome) -> None:
        screen, place, error = self._screen, self._place, outcome.error
        if error is not None and outcome.code is not Exit.INTERRUPTED:
            screen.error(error, debug=self._connection.debug)
        elif error is not None and not isinstance(error, UserLeft):
            screen.say("Interrupted.", "warning")
        for line in outcome.told(place):
            screen.say(line, "bold")
        if self._connection.json:
            message = None if error is None else screen.message(error)
            screen.result([json_text(outcome.document(place, message=message))])
        else:
            screen.result(outcome.numbers)

"""`didww-async buy`: choose, quote, confirm, order, wait; a known reference is only carried on."""

import attrs

from didww_async import Client
from flows import BuyDidFlow, Purchase, PurchaseJournal, Quote
from flows.cli.attempt import Attempt
from flows.cli.choosing import choose_offer, choose_place, read_offers
from flows.cli.exits import UserLeft
from flows.cli.options import Journaled, Terms, Wanted
from flows.cli.outcome import Outcome, after_waiting, quote_lines
from flows.cli.screen import Screen
from flows.cli.show import cell, money
from flows.errors import ReferenceMismatch
from flows.journal import Limits
from flows.journal.record import NOT_BOUGHT, State

__all__ = ["Buying"]


class Buying(Attempt):
    """One run of the command."""

    makes_journal = True

    def __init__(
        self, *, wanted: Wanted, terms: Terms, connection: Journaled, screen: Screen
    ) -> None:
        super().__init__(reference=terms.reference, connection=connection, screen=screen)
        self._wanted = wanted
        self._terms = terms

    def _check_before_all(self) -> None:
        self._wanted.request(reference=self._terms.reference)
        self._need_yes(yes=self._terms.yes, what="this buys numbers")

    async def _work(self, client: Client, journal: PurchaseJournal, flow: BuyDidFlow) -> Outcome:
        known = await flow.purchase()
        if known is not None and known.state not in NOT_BOUGHT:
            return await self._carry_on(flow, known)
        wanted = await self._choose(flow)
        async with self._screen.progress("reading the balance"):
            quote = await flow.quote(quantity=wanted.request().quantity)
        self._show(flow, quote)
        quote.check(self._limits())  # before the user is asked, and again when ordering
        if not self._terms.yes:
            await self._confirm(quote)
        await self._order(flow)
        async with self._screen.progress(f"waiting for order {flow.ids.order_id}"):
            result = await flow.wait(timeout=self._terms.timeout)
        return after_waiting(result, **self._known())

    async def _carry_on(self, flow: BuyDidFlow, known: Purchase) -> Outcome:
        self._check_same(known)
        self._purchase, self._ordering = known, True
        self._screen.say(
            f"The reference {known.reference} is known: {known.request}, planned at "
            f"{cell(known.planned_at)}, is {known.state}. Nothing is chosen or ordered again."
        )
        if known.state is State.SENT:
            self._screen.say("What was sent just now is given its time first, up to 3 minutes.")
        async with self._screen.progress(f"asking about {known.reference}"):
            result = await flow.carry_on(timeout=self._terms.timeout)
        return after_waiting(result, **self._known())

    def _asked(self, known: Purchase | None = None) -> str | None:
        """The fingerprint of what the options ask for; None when the user is asked for it.

        A quantity that is left out is the known one.
        """
        terms, wanted = self._terms, self._wanted
        if wanted.country is None:
            return None
        if wanted.quantity is None and known is not None:
            wanted = attrs.evolve(wanted, quantity=known.request.quantity)
        asked = wanted.request(sku_id=terms.sku, channels=terms.channels, prefer=terms.prefer)
        return asked.fingerprint

    def _check_same(self, known: Purchase) -> None:
        """Raise ReferenceMismatch where an option says something else than what was ordered."""
        request, wanted = known.request, self._wanted
        if (
            wanted.quantity not in {None, request.quantity}
            or self._terms.sku not in {None, *(item.sku_id for item in request.items)}
            or (wanted.back_order and not request.allow_back_ordering)
            or (known.asked and self._asked(known) not in {None, known.asked})
        ):
            raise ReferenceMismatch(purchase=known)

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
            return await flow.order(asked=self._asked(), **attrs.asdict(self._limits()))

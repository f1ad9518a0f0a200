"""The steps of a purchase as a durable engine runs them: JSON in, JSON out, safe to run twice.

An engine runs a step again when its process was killed before the result was stored, and nothing
it does can prevent that. All steps but two only read. The two that order are safe because of the
journal: the claim there is committed before the one POST, so whoever comes second watches and
looks up instead of sending.

A failure is a result too: a raised error would come back from the engine as a bare message, and
another type, when the step is replayed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from didww_async import Client, DidwwError, NoAnswer, RateLimited, ServerFailed
from flows.buy_did import BuyDidFlow
from flows.completion import Completed, wait_for_order
from flows.errors import OrderNotRecorded
from flows.journal import (
    CommitUnconfirmed,
    JournalUnavailable,
    JournalUnusable,
    Purchase,
    PurchaseJournal,
    PurchaseKey,
    State,
)
from flows.ordering import Ordering
from flows.rules import OrderRules
from flows.script import check_same, choose_place
from flows.workers.documents import (
    Json,
    Outcome,
    Problem,
    dump_outcome,
    dump_purchase,
    load_outcome,
    load_request,
)

__all__ = ["FREE", "PurchaseSteps"]

T = TypeVar("T")

log = logging.getLogger("didww_async.workers")

# They pass by themselves, and the same step may simply be tried again.
DIDWW_AWAY = (NoAnswer, RateLimited, ServerFailed)
JOURNAL_AWAY = (JournalUnavailable, CommitUnconfirmed, OrderNotRecorded)
FREE = frozenset({State.REFUSED, State.EXPIRED})  # proven not bought: may be bought anew
LONGEST_PAUSE = 30.0


@attrs.frozen(kw_only=True)
class PurchaseSteps:
    """The steps, for one client and journal.

    `wait_for`: how long, in seconds, the last step waits for a pending order. `patience`: how
    long a step is tried again while DIDWW can't be reached. The journal is waited for without
    end: whoever can't read it can't say what became of a purchase.
    """

    client: Client
    journal: PurchaseJournal
    rules: OrderRules = attrs.field(factory=OrderRules)
    wait_for: float = 600.0
    patience: float = 300.0

    async def recall(self, request: Json) -> Json:
        """What the journal knows of the reference already: an earlier run may have got far."""
        reference = load_request(request).reference or ""

        async def work() -> Json:
            found = await self._record(reference)
            return {"purchase": None if found is None else dump_purchase(found)}

        return await self._told(reference, work)

    async def choose(self, request: Json) -> Json:
        """The country and the filters."""
        asked = load_request(request)

        async def work() -> Json:
            flow = BuyDidFlow(self.client, journal=self.journal, reference=asked.reference)
            await choose_place(flow, asked)
            return {"flow": flow.to_dict()}

        return await self._told(asked.reference, work)

    async def offer(self, request: Json, flow: Json) -> Json:
        """One offer among those on sale there."""
        asked = load_request(request)

        async def work() -> Json:
            carried = self._flow(flow)
            await carried.offers(
                quantity=asked.quantity,
                features=asked.features,
                needs_registration=asked.needs_registration,
                allow_back_ordering=asked.allow_back_ordering,
            )
            await carried.choose_offer(
                sku_id=asked.sku_id, channels=asked.channels, prefer=asked.prefer
            )
            return {"flow": carried.to_dict()}

        return await self._told(asked.reference, work)

    async def quote(self, request: Json, flow: Json) -> Json:
        """The price, and whether the balance covers it."""

        async def work() -> Json:
            carried = self._flow(flow)
            await carried.quote()
            return {"flow": carried.to_dict()}

        return await self._told(load_request(request).reference, work)

    async def order(self, request: Json, flow: Json, known_revision: int | None) -> Json:
        """Place the order, or find out what became of it. Returns an outcome.

        `known_revision`: the journal's when the run began. A refusal that is newer is this run's
        own, from before it was interrupted: it is reported, not tried once more.
        """
        asked = load_request(request)

        async def work() -> Purchase:
            carried = self._flow(flow)
            found = await self._record(carried.reference)
            if found is not None and found.state in FREE and found.revision != known_revision:
                return found
            return await carried.order(
                max_setup=asked.max_setup,
                max_monthly=asked.max_monthly,
                max_total=asked.max_total,
                asked=asked.fingerprint,
            )

        return await self._settled(asked.reference or "", work)

    async def carry_on(self, request: Json) -> Json:
        """Take what an earlier run left in the journal as far as it goes. Returns an outcome.

        Sends only what is planned and not too old; never what is sent or unknown.
        """
        asked = load_request(request)
        reference = asked.reference or ""

        async def work() -> Purchase:
            purchase = await self._recorded(reference)
            check_same(asked, purchase)
            if purchase.state in {State.PLANNED, State.SENT, State.UNKNOWN}:
                ordering = Ordering(self.client, self.journal, rules=self.rules)
                purchase = await ordering.carry_on(purchase)
            return purchase

        return await self._settled(reference, work)

    async def wait(self, outcome: Json) -> Json:
        """Wait for the numbers of what is ordered. Returns the outcome as it is then."""
        placed = load_outcome(outcome)
        reference = placed.reference

        async def work() -> Json:
            result = await wait_for_order(
                self.client,
                self.journal,
                await self._recorded(reference),
                rules=self.rules,
                timeout=self.wait_for,
            )
            missing = result.shortfall if isinstance(result, Completed) else 0
            return dump_outcome(
                Outcome(reference=reference, purchase=result.purchase, shortfall=missing)
            )

        return await self._told(reference, work)

    # -- inside

    def _flow(self, saved: Json) -> BuyDidFlow:
        return BuyDidFlow.from_dict(self.client, saved, journal=self.journal, rules=self.rules)

    async def _record(self, reference: str) -> Purchase | None:
        return await self.journal.read(
            PurchaseKey(origin=self.client.origin, account=self.client.account, reference=reference)
        )

    async def _recorded(self, reference: str) -> Purchase:
        found = await self._record(reference)
        if found is None:
            raise JournalUnusable(
                f"the journal has lost the purchase {reference}: is it the one that it was "
                "ordered with?"
            )
        return found

    async def _settled(self, reference: str, work: Callable[[], Awaitable[Purchase]]) -> Json:
        """The outcome of a step that orders."""

        async def outcome() -> Json:
            return dump_outcome(Outcome(reference=reference, purchase=await work()))

        return await self._told(reference, outcome)

    async def _told(self, reference: str | None, work: Callable[[], Awaitable[Json]]) -> Json:
        """What `work` returns; what it raises, with the journal's record, as an outcome."""
        try:
            return await self._patiently(work)
        except DidwwError as error:
            problem = Problem(type=type(error).__name__, message=str(error))
        log.warning("purchase %s: %s", reference, problem.message)

        async def record() -> Purchase | None:
            return await self._record(reference or "")

        found = await self._patiently(record)
        return dump_outcome(Outcome(reference=reference or "", purchase=found, problem=problem))

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Try again what fails for a passing reason."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self.patience
        pause = self.rules.look_every[0]
        while True:
            try:
                return await work()
            except JOURNAL_AWAY as error:
                log.warning("waiting for the journal: %s", error)
            except DIDWW_AWAY as error:
                if loop.time() + pause > give_up:
                    raise
                log.info("trying again in %.1f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

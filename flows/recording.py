"""Writing an event to the journal, over whatever happened meanwhile."""

from typing import Any

from flows.journal import PurchaseJournal
from flows.journal.record import OWNERS_WORD, Event, IllegalTransition, Purchase, transition

__all__ = ["record"]


async def record(
    journal: PurchaseJournal, purchase: Purchase, event: Event, **changes: Any
) -> Purchase:
    """Compare and set until the event is written, or can't follow any more.

    Returns the record as it is afterwards: with the event, or as somebody else left it. What only
    the maker of a claim may say is not written over another claim.
    """
    current: Purchase | None = purchase
    while current is not None:
        if event in OWNERS_WORD and not _same_claim(current, purchase):
            return current
        try:
            new = transition(current, event, **changes)
        except IllegalTransition:
            return current
        if await journal.replace(current, new):
            return new
        current = await journal.read(purchase.key)
    return purchase


def _same_claim(current: Purchase, claimed: Purchase) -> bool:
    return (current.owner, current.attempt) == (claimed.owner, claimed.attempt)

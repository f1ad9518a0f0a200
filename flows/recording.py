"""Writing an event to the journal, over whatever happened meanwhile."""

from typing import Any

from flows.journal import PurchaseJournal
from flows.journal.record import OF_ONE_CLAIM, Event, IllegalTransition, Purchase, transition

__all__ = ["record", "same_claim"]


async def record(
    journal: PurchaseJournal, purchase: Purchase, event: Event, **changes: Any
) -> Purchase:
    """Compare and set until the event is written, or can't follow any more.

    Returns the record as it is afterwards: with the event, or as somebody else left it. What is
    said of one claim is not written over another claim.
    """
    current: Purchase | None = purchase
    while current is not None:
        if event in OF_ONE_CLAIM and not same_claim(current, purchase):
            return current
        try:
            new = transition(current, event, **changes)
        except IllegalTransition:
            return current
        if await journal.replace(current, new):
            return new
        current = await journal.read(purchase.key)
    return purchase


def same_claim(current: Purchase, claimed: Purchase) -> bool:
    """Whether two versions of a record are of one claim."""
    return (current.owner, current.attempt) == (claimed.owner, claimed.attempt)

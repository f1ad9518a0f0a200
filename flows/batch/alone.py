"""A line's name may also be the reference of a purchase of its own: it is bought once only.

Whoever buys alone writes its plan first and asks for batches then (`Ordering`); a batch commits its
packing first and asks for such plans then. So at least one of two at once sees the other.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from flows.errors import LineChanged
from flows.journal import PurchaseJournal, PurchaseKey, State

__all__ = ["NEVER_BOUGHT", "bought_alone"]

NEVER_BOUGHT: Final = frozenset({State.REFUSED, State.EXPIRED})
A_FEW = 32  # records read at once


async def bought_alone(
    journal: PurchaseJournal, lines: Sequence[str], *, origin: str, account: str
) -> dict[str, LineChanged]:
    """Of these lines, those whose names are references of purchases that are bought, or may be."""

    async def of(line: str) -> LineChanged | None:
        found = await journal.read(PurchaseKey(origin=origin, account=account, reference=line))
        if found is None or found.state in NEVER_BOUGHT:
            return None
        return LineChanged(line, reference=found.reference, state=found.state)

    known: dict[str, LineChanged] = {}
    for begin in range(0, len(lines), A_FEW):
        few = lines[begin : begin + A_FEW]
        found = await asyncio.gather(*map(of, few))
        known |= {line: why for line, why in zip(few, found, strict=True) if why is not None}
    return known

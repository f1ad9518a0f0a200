"""One run of a purchase: which step follows which. The engine makes every step durable.

Deterministic, as engines demand: what comes next depends on results of steps only.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from flows.journal import State
from flows.workers.documents import Json, load_outcome, load_purchase
from flows.workers.steps import FREE, PurchaseSteps

__all__ = ["Durably", "purchase"]


class Durably(Protocol):
    """Runs a step, or returns what it returned before."""

    def __call__(
        self, name: str, step: Callable[..., Awaitable[Json]], *arguments: Any
    ) -> Awaitable[Json]: ...


async def purchase(steps: PurchaseSteps, durably: Durably, request: Json) -> Json:
    """Buy what `request` says, or carry on what an earlier run began. Returns an outcome."""
    recalled = await durably("recall", steps.recall, request)
    if _failed(recalled):
        return recalled
    known = None if recalled["purchase"] is None else load_purchase(recalled["purchase"])
    if known is not None and known.state not in FREE:
        placed = await durably("carry_on", steps.carry_on, request)
    else:
        revision = None if known is None else known.revision
        placed = await _order(steps, durably, request, revision)
    outcome = load_outcome(placed)
    if outcome.state is State.ORDERED and outcome.problem is None:
        placed = await durably("wait", steps.wait, placed)
    return placed


async def _order(
    steps: PurchaseSteps, durably: Durably, request: Json, revision: int | None
) -> Json:
    found = await durably("choose", steps.choose, request)
    for name, step in (("offer", steps.offer), ("quote", steps.quote)):
        if _failed(found):
            return found
        found = await durably(name, step, request, found["flow"])
    if _failed(found):
        return found
    return await durably("order", steps.order, request, found["flow"], revision)


def _failed(found: Json) -> bool:
    return found.get("problem") is not None

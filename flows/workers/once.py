"""buy_once(): a purchase inside a task of any queue (Celery, arq), with the journal as guard."""

from collections.abc import Awaitable, Callable
from typing import Any

from didww_async import Client, InvalidInput
from flows.journal import PurchaseJournal
from flows.rules import OrderRules
from flows.script import PurchaseRequest
from flows.workers import run
from flows.workers.documents import Json, Outcome, dump_request, load_outcome
from flows.workers.steps import PurchaseSteps

__all__ = ["buy_once"]


async def buy_once(
    client: Client,
    journal: PurchaseJournal,
    request: PurchaseRequest,
    *,
    rules: OrderRules | None = None,
    wait_for: float = 60.0,
    patience: float = 60.0,
) -> Outcome:
    """Buy what is asked for, or carry on what an earlier try of the same task began.

    Safe to be repeated, also at the same time in several processes that share the journal: for
    one reference at most one order exists. `wait_for` a pending order and `patience` with an API
    that does not answer are seconds; a task that is cut off by its queue's time limit is simply
    repeated. Whatever DIDWW says is in the outcome, an unknown outcome too; only a journal that
    is broken, or a programming error, is raised.

    Raises InvalidInput when the request has no reference: made in the task, it would be another
    one in every try, and every try would buy.
    """
    if request.reference is None:
        raise InvalidInput("give the request a reference before the task is enqueued")
    steps = PurchaseSteps(
        client=client,
        journal=journal,
        rules=rules or OrderRules(),
        wait_for=wait_for,
        patience=patience,
    )
    return load_outcome(await run.purchase(steps, _directly, dump_request(request)))


async def _directly(name: str, step: Callable[..., Awaitable[Json]], *arguments: Any) -> Json:
    del name
    return await step(*arguments)

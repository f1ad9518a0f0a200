"""What tests of batches share: requests for known places, and runs collected by state."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from purchases import HURRIED, TORONTO_SKU, TWO_CHANNELS

from didww_async import Client
from flows import PurchaseRequest
from flows.batch import BatchLine, LineResult, buy_many
from flows.journal import PurchaseJournal

TORONTO_PREFIX = ("437", "220")


def new_york(**more: Any) -> PurchaseRequest:
    """A number of the group that tests know."""
    return PurchaseRequest(
        country="US", region="New York", city="New York", sku_id=TWO_CHANNELS, **more
    )


def toronto(**more: Any) -> PurchaseRequest:
    """A number of another group; `npa` and `nxx` for one of its prefixes."""
    place = {} if "npa" in more else {"city": "Toronto"}
    return PurchaseRequest(country="CA", region="Ontario", sku_id=TORONTO_SKU, **place, **more)


async def run(
    client: Client,
    requests: Iterable[PurchaseRequest | BatchLine],
    *,
    journal: PurchaseJournal,
    **options: Any,
) -> list[LineResult]:
    """All results of a run, by line number."""
    options = {"batch": "b", "rules": HURRIED, "timeout": 5.0} | options
    found = [result async for result in buy_many(client, requests, journal=journal, **options)]
    return sorted(found, key=lambda result: result.line.number)


def states(results: Iterable[LineResult]) -> dict[str, int]:
    """How many lines are in each state."""
    return dict(Counter(str(result.state) for result in results))

"""Buying numbers from DIDWW: a guided, resumable purchase that never buys twice.

    async with Client(api_key=..., environment="sandbox") as client:
        result = await buy(client, PurchaseRequest(country="US", region="New York", npa="212",
                                                   channels=2, max_monthly=Decimal(5)))

`BuyDidFlow` is the same purchase step by step. All errors are in `flows.errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.buy_did import BuyDidFlow
    from flows.choices import Chosen, Filters
    from flows.completion import Canceled, Completed, Pending, PurchaseResult
    from flows.journal import MemoryJournal, Purchase, PurchaseJournal, SqliteJournal, journal_at
    from flows.offers import Offer, Offers, Quote
    from flows.resuming import Resumed, cancel, reconcile, resend, resume, run_sweeper
    from flows.rules import OrderRules
    from flows.script import PurchaseRequest, buy
    from flows.states import SavedIds
    from flows.told import order_callbacks

__all__ = [
    "BuyDidFlow",
    "buy",
    "PurchaseRequest",
    "PurchaseResult",
    "Completed",
    "Pending",
    "Canceled",
    "Purchase",
    "PurchaseJournal",
    "MemoryJournal",
    "SqliteJournal",
    "journal_at",
    "resume",
    "Resumed",
    "reconcile",
    "run_sweeper",
    "resend",
    "cancel",
    "order_callbacks",
    "OrderRules",
    "Offer",
    "Offers",
    "Quote",
    "Chosen",
    "Filters",
    "SavedIds",
]

_MODULES = {
    "BuyDidFlow": "buy_did",
    "buy": "script",
    "PurchaseRequest": "script",
    "PurchaseResult": "completion",
    "Completed": "completion",
    "Pending": "completion",
    "Canceled": "completion",
    "Purchase": "journal",
    "PurchaseJournal": "journal",
    "MemoryJournal": "journal",
    "SqliteJournal": "journal",
    "journal_at": "journal",
    "resume": "resuming",
    "Resumed": "resuming",
    "reconcile": "resuming",
    "run_sweeper": "resuming",
    "resend": "resuming",
    "cancel": "resuming",
    "order_callbacks": "told",
    "OrderRules": "rules",
    "Offer": "offers",
    "Offers": "offers",
    "Quote": "offers",
    "Chosen": "choices",
    "Filters": "choices",
    "SavedIds": "states",
}

if not TYPE_CHECKING:  # a __getattr__ that type checkers see would let a misspelt name pass

    def __getattr__(name: str) -> object:
        if name in {"batch", "errors", "journal"}:
            return import_module(f"{__name__}.{name}")
        if name in _MODULES:
            return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

"""Buying numbers from DIDWW: a guided, resumable purchase that never buys twice.

    async with Client(api_key=..., environment="sandbox") as client:
        result = await buy(client, PurchaseRequest(country="US", region="New York", npa="212",
                                                   channels=2, max_monthly=Decimal(5)))

`BuyDidFlow` is the same purchase step by step. All errors are in `flows.errors`.
"""

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

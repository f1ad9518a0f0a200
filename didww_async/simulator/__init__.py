"""A DIDWW API on this machine: coverage, stock, orders that complete later, faults on demand."""

from didww_async.simulator.callbacks import (
    REAL_RETRIES,
    CallbackFault,
    CallbackForged,
    CallbackLate,
    CallbackLost,
    CallbackTwice,
    SentCallback,
)
from didww_async.simulator.faults import (
    AnswerLate,
    Delay,
    DropAfter,
    DropBefore,
    Fault,
    Garbage,
    GarbageBody,
    HalfBody,
    Injection,
    ListLate,
    Redirect,
    Reset,
    ServerFault,
    StaleClose,
    TooMany,
)
from didww_async.simulator.received import ReceivedRequest
from didww_async.simulator.records import AvailableDid, Did, Order, OrderItem, Reservation
from didww_async.simulator.server import Simulator, serve

__all__ = [
    "REAL_RETRIES",
    "AnswerLate",
    "AvailableDid",
    "CallbackFault",
    "CallbackForged",
    "CallbackLate",
    "CallbackLost",
    "CallbackTwice",
    "Delay",
    "Did",
    "DropAfter",
    "DropBefore",
    "Fault",
    "Garbage",
    "GarbageBody",
    "HalfBody",
    "Injection",
    "ListLate",
    "Order",
    "OrderItem",
    "ReceivedRequest",
    "Redirect",
    "Reservation",
    "Reset",
    "SentCallback",
    "ServerFault",
    "Simulator",
    "StaleClose",
    "TooMany",
    "serve",
]

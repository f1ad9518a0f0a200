"""A DIDWW API on this machine: all its resources, orders that complete later, faults on demand."""

from didww_async.simulator.callbacks import (
    REAL_RETRIES,
    CallbackFault,
    CallbackForged,
    CallbackLate,
    CallbackLost,
    CallbackTwice,
    SentCallback,
)
from didww_async.simulator.emergency import EmergencyVerification
from didww_async.simulator.exporting import Export
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
from didww_async.simulator.uploading import EncryptedFile
from didww_async.simulator.verifying import AddressVerification

__all__ = [
    "REAL_RETRIES",
    "AddressVerification",
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
    "EmergencyVerification",
    "EncryptedFile",
    "Export",
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

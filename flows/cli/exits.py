"""Exit codes, and which error means which."""

import asyncio
import enum
from collections.abc import Mapping
from typing import Final

from didww_async import (
    BadRequest,
    Forbidden,
    InsufficientBalance,
    InvalidInput,
    NoAnswer,
    NotFound,
    RateLimited,
    ServerFailed,
    TokenNotGranted,
    Unauthorized,
    UnreadableReply,
)
from flows.errors import (
    Ambiguous,
    BalanceTooLow,
    BatchStopped,
    CancelRefused,
    DuplicateOrders,
    LineChanged,
    NoMatch,
    OfferChanged,
    OrderCanceled,
    OrderNotRecorded,
    OrderOutcomeUnknown,
    OrderRefused,
    OutOfStock,
    PriceOverLimit,
    PurchaseExpired,
    ReferenceMismatch,
    ReferenceTaken,
    ResendRefused,
    StepNotPossible,
)
from flows.journal import JournalError, OrderIdRecorded

__all__ = ["MEANINGS", "Exit", "NothingFound", "UserLeft", "exit_for", "hint"]


class Exit(enum.IntEnum):
    """What the command line exits with."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_FIT = 3
    REFUSED = 4
    INCOMPLETE = 5
    UNKNOWN = 6
    UNREACHABLE = 7
    PARTIAL = 8
    INTERRUPTED = 130


MEANINGS: Final[Mapping[Exit, str]] = {
    Exit.OK: "done: bought, settled, canceled, or listed",
    Exit.FAILED: "an unexpected failure",
    Exit.USAGE: "bad input: options, a missing key, a file that can't be the journal",
    Exit.NO_FIT: "nothing fits, or several do; candidates are listed",
    Exit.REFUSED: "refused, nothing bought: price limit, balance, stock, DIDWW's refusal",
    Exit.INCOMPLETE: "ordered, but not complete: still pending, or numbers still missing",
    Exit.UNKNOWN: "outcome unknown: it may be bought; the reference is printed",
    Exit.UNREACHABLE: "DIDWW or the journal can't be reached, or DIDWW does not let this key in",
    Exit.PARTIAL: "batch, resume: some are bought, others surely not; it says why",
    Exit.INTERRUPTED: "interrupted or declined; what is known is printed",
}


class UserLeft(Exception):
    """The user left a question, or said no."""


class NothingFound(Exception):
    """What was looked for is not there."""


KINDS: Final[tuple[tuple[tuple[type[BaseException], ...], Exit], ...]] = (
    ((UserLeft, KeyboardInterrupt, asyncio.CancelledError), Exit.INTERRUPTED),
    ((NoMatch, Ambiguous, NotFound, NothingFound), Exit.NO_FIT),
    (
        (
            BalanceTooLow,
            BatchStopped,
            CancelRefused,
            InsufficientBalance,
            LineChanged,
            OfferChanged,
            OrderCanceled,
            OrderIdRecorded,
            OrderRefused,
            OutOfStock,
            PriceOverLimit,
            PurchaseExpired,
            ReferenceMismatch,
            ReferenceTaken,
            ResendRefused,
        ),
        Exit.REFUSED,
    ),
    ((OrderOutcomeUnknown, DuplicateOrders), Exit.UNKNOWN),
    ((OrderNotRecorded,), Exit.INCOMPLETE),
    ((BadRequest, InvalidInput, StepNotPossible), Exit.USAGE),
    (
        (
            JournalError,
            NoAnswer,
            Unauthorized,
            Forbidden,
            RateLimited,
            ServerFailed,
            TokenNotGranted,
            UnreadableReply,
        ),
        Exit.UNREACHABLE,
    ),
)


def exit_for(error: BaseException) -> Exit:
    """The exit code of an error."""
    return next((code for kinds, code in KINDS if isinstance(error, kinds)), Exit.FAILED)


def hint(error: BaseException) -> str | None:
    """What to change on the command line; the errors themselves speak to programmers."""
    text: str | None
    match error:
        case StepNotPossible(step="choose_nanpa_prefix" | "nanpa_prefixes"):
            text = "Add --region."
        case OutOfStock():
            text = "On the command line: a smaller --quantity, another offer, or --back-order."
        case PriceOverLimit(limit=limit):
            text = f"The limit is --{limit.replace('_', '-')}."
        case Ambiguous() if "offers" in str(error):
            text = "Choose with --sku or --channels, or take the first with --prefer cheapest."
        case OrderOutcomeUnknown():
            text = (
                "On the command line: didww-async reconcile looks for it; didww-async resend sends "
                "it again, when you have seen at DIDWW that it is not there."
            )
        case PurchaseExpired():
            text = "Running buy again plans it anew, at today's price."
        case ReferenceMismatch():
            text = "On the command line: another --reference, or the options it was bought with."
        case NotFound(url=url) if "/orders/" in url:
            text = "This looks for an order id; for a reference of yours add --reference before it."
        case Unauthorized():
            text = "The key is taken from DIDWW_API_KEY or --api-key."
        case _:
            text = None
    return text

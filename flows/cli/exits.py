"""Exit codes, and which error means which."""

import asyncio
import enum
from collections.abc import Mapping
from typing import Final

from didww_async import (
    Forbidden,
    InsufficientBalance,
    InvalidInput,
    NoAnswer,
    NotFound,
    RateLimited,
    ServerFailed,
    Unauthorized,
    UnreadableReply,
)
from flows.errors import (
    Ambiguous,
    BalanceTooLow,
    CancelRefused,
    DuplicateOrders,
    NoMatch,
    OfferChanged,
    OrderOutcomeUnknown,
    OrderRefused,
    OutOfStock,
    PriceOverLimit,
    PurchaseExpired,
    ReferenceMismatch,
    ReferenceTaken,
    StepNotPossible,
)

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
    INTERRUPTED = 130


MEANINGS: Final[Mapping[Exit, str]] = {
    Exit.OK: "done: bought, or listed",
    Exit.FAILED: "an unexpected failure",
    Exit.USAGE: "bad input: options, a missing key",
    Exit.NO_FIT: "nothing fits, or several do; candidates are listed",
    Exit.REFUSED: "refused, nothing bought: price limit, balance, stock, DIDWW's refusal",
    Exit.INCOMPLETE: "ordered, but not complete: still pending, or numbers still missing",
    Exit.UNKNOWN: "outcome unknown: it may be bought; the reference is printed",
    Exit.UNREACHABLE: "DIDWW can't be reached or does not let this key in",
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
            CancelRefused,
            InsufficientBalance,
            OfferChanged,
            OrderRefused,
            OutOfStock,
            PriceOverLimit,
            PurchaseExpired,
            ReferenceMismatch,
            ReferenceTaken,
        ),
        Exit.REFUSED,
    ),
    ((OrderOutcomeUnknown, DuplicateOrders), Exit.UNKNOWN),
    ((InvalidInput, StepNotPossible), Exit.USAGE),
    (
        (NoAnswer, Unauthorized, Forbidden, RateLimited, ServerFailed, UnreadableReply),
        Exit.UNREACHABLE,
    ),
)


def exit_for(error: BaseException) -> Exit:
    """The exit code of an error."""
    return next((code for kinds, code in KINDS if isinstance(error, kinds)), Exit.FAILED)


def hint(error: BaseException) -> str | None:
    """What to change on the command line; the errors themselves speak to programmers."""
    match error:
        case StepNotPossible(step="choose_nanpa_prefix"):
            return "Add --region."
        case OutOfStock():
            return "On the command line: a smaller --quantity, another offer, or --back-order."
        case PriceOverLimit(limit=limit):
            return f"The limit is --{limit.replace('_', '-')}."
        case Ambiguous() if "offers" in str(error):
            return "Choose with --sku or --channels, or take the first with --prefer cheapest."
        case Unauthorized():
            return "The key is taken from DIDWW_API_KEY or --api-key."
        case _:
            return None

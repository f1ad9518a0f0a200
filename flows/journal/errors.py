"""What a journal refuses and why.

    JournalError (a FlowError)
    ├── JournalUnusable      what was given can't be a journal, or not for this version
    ├── JournalUnavailable   locked, full, gone: the call changed nothing; calling again is safe
    ├── CommitUnconfirmed    the write may be there or not: read the record to find out
    └── OrderIdRecorded      the order id stands in another record already

No message holds a password. A journal that raises has not claimed anything: send nothing.
"""

from didww_async import InvalidInput
from flows.errors import FlowError

__all__ = [
    "CommitUnconfirmed",
    "JournalError",
    "JournalUnavailable",
    "JournalUnusable",
    "OrderIdRecorded",
]


class JournalError(FlowError):
    """The journal did not do what it was asked to."""


class JournalUnusable(JournalError, InvalidInput):
    """It is not a journal, not ours, damaged, closed, or written by a newer version."""


class JournalUnavailable(JournalError):
    """The journal can't be read or written at the moment. This call changed nothing in it."""


class CommitUnconfirmed(JournalError):
    """The connection was lost while committing and nobody could be asked whether it was done.

    The write may be there, may not be, or may still appear. It is no claim: send nothing.
    """


class OrderIdRecorded(JournalError):
    """The order id stands in another record already."""

    def __init__(self, order_id: str | None) -> None:
        self.order_id = order_id
        super().__init__(f"order {order_id} stands in the journal under another reference")

"""What the workers refuse and why.

WorkerError (a FlowError)
├── WorkerMisconfigured   it would not be safe to start like this
├── ExecutorIdInUse       another process that is alive has this executor id
├── RequestMismatch       the reference stands for another request
└── NotInstalled          the database has no tables for workers yet
"""

from didww_async import InvalidInput
from flows.errors import FlowError

__all__ = [
    "ExecutorIdInUse",
    "NotInstalled",
    "RequestMismatch",
    "WorkerError",
    "WorkerMisconfigured",
]


class WorkerError(FlowError):
    """Root of what the workers raise."""


class WorkerMisconfigured(WorkerError, InvalidInput):
    """The worker was not started: with these settings it would not be safe."""


class ExecutorIdInUse(WorkerError):
    """Another process that is alive has this executor id; nothing was started, or all stopped."""


class RequestMismatch(WorkerError):
    """The reference stands for another request already; nothing was enqueued."""


class NotInstalled(WorkerError):
    """The database has no tables for workers yet: call `install()`, or start a worker first."""

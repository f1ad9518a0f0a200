"""What a worker refuses to start with, and why: WorkerMisconfigured (pure)."""

from flows.journal import MemoryJournal, PurchaseJournal, SqliteJournal
from flows.workers.errors import WorkerMisconfigured

__all__ = [
    "check_dsn",
    "check_executor_id",
    "check_heartbeat",
    "check_journal",
    "check_version",
]

DEFAULT_EXECUTOR_ID = "local"  # DBOS's, when nobody says anything else


def check_executor_id(executor_id: str) -> None:
    """Refuse the id that every process has."""
    if not executor_id or executor_id == DEFAULT_EXECUTOR_ID:
        raise WorkerMisconfigured(
            f"executor_id={executor_id!r} is what every process has that says nothing. Two healthy "
            "processes that share an id take each other for dead and re-run each other's steps: "
            "give every process an id of its own, such as its pod's or slot's name"
        )


def check_version(version: str) -> None:
    """Refuse a version that nobody chose."""
    if not version:
        raise WorkerMisconfigured(
            "application_version is not pinned. DBOS would make one from the code, and work begun "
            "before a change would wait for a version that nobody runs any more: name the "
            "version, and change it only when the steps of the purchase change"
        )


def check_dsn(dsn: str) -> None:
    """Refuse what is not PostgreSQL."""
    if not dsn.startswith("postgresql://"):
        raise WorkerMisconfigured(
            "dsn is the address of a PostgreSQL database, postgresql://user@host/name"
        )


def check_journal(journal: PurchaseJournal | None) -> None:
    """Refuse a journal that only one process or machine sees."""
    if isinstance(journal, MemoryJournal | SqliteJournal):
        raise WorkerMisconfigured(
            f"{type(journal).__name__} is not shared by workers on several machines, and a claim "
            "that others can't see does not keep them from ordering: use PostgresJournal"
        )


def check_heartbeat(heartbeat: float, dead_after: float) -> None:
    """Refuse to take a process for dead after a single late beat."""
    if not 0 < heartbeat <= dead_after / 2.99:  # 3, but for the rounding of 0.6 / 3
        raise WorkerMisconfigured(
            f"dead_after={dead_after:g} must be at least three times heartbeat={heartbeat:g}: "
            "one late beat must not make a healthy process look dead"
        )

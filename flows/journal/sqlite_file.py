"""The file of a SqliteJournal: made, recognised, brought up to date; its errors told as ours."""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from flows.journal import sqlite_batches
from flows.journal.errors import (
    CommitUnconfirmed,
    JournalError,
    JournalUnavailable,
    JournalUnusable,
)
from flows.journal.rows import COLUMNS

__all__ = ["VERSION", "JournalFile"]

APPLICATION_ID = 0x44494457  # "DIDW": in the file's header, so that `file` and we know it

# One entry per schema version, never changed once released; a file is brought up to date in one
# transaction. Times are ISO 8601 in UTC with microseconds, which sort as text.
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """
        CREATE TABLE purchases (
            origin TEXT NOT NULL,
            account TEXT NOT NULL,
            reference TEXT NOT NULL,
            state TEXT NOT NULL,
            order_id TEXT,
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            owner TEXT,
            order_by TEXT NOT NULL,
            planned_at TEXT NOT NULL,
            claimed_at TEXT,
            updated_at TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            details TEXT NOT NULL,
            PRIMARY KEY (origin, account, reference)
        ) WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX purchases_order_id ON purchases (origin, order_id)",
        "CREATE INDEX purchases_state ON purchases (state, planned_at)",
        "CREATE INDEX purchases_updated_at ON purchases (updated_at)",
    ),
    sqlite_batches.MIGRATION,
)
VERSION = len(MIGRATIONS)
PARTS = sqlite_batches.PARTS | {
    "purchases",
    "purchases_order_id",
    "purchases_state",
    "purchases_updated_at",
}

BETWEEN_TRIES = 0.02

LOCKED = "{journal} was locked by another process for more than {timeout:g} s; nothing was written"
NO_RIGHT = "{journal} and the files beside it can't be written: {said}"
ERRORS: Mapping[int, tuple[type[JournalError], str]] = {
    sqlite3.SQLITE_BUSY: (JournalUnavailable, LOCKED),
    sqlite3.SQLITE_LOCKED: (JournalUnavailable, LOCKED),
    sqlite3.SQLITE_FULL: (
        JournalUnavailable,
        "the disk of {journal} is full; nothing was written",
    ),
    sqlite3.SQLITE_NOTADB: (
        JournalUnusable,
        "{journal} is no journal: it is not an SQLite file. It was left as it is",
    ),
    sqlite3.SQLITE_READONLY: (JournalUnusable, NO_RIGHT),
    sqlite3.SQLITE_CANTOPEN: (JournalUnusable, NO_RIGHT),
    sqlite3.SQLITE_PERM: (JournalUnusable, NO_RIGHT),
    sqlite3.SQLITE_CORRUPT: (JournalUnusable, "{journal} is damaged: {said}"),
    # A flush that failed: SQLite takes the write back, but a crash now could bring it back.
    sqlite3.SQLITE_IOERR: (
        CommitUnconfirmed,
        "the disk of {journal} failed, whether the last write is on it is unknown: {said}",
    ),
}


class JournalFile:
    """A file that is opened at its first use. Every method blocks: for the journal's thread."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        """`timeout`: how long to wait, in seconds, for another process that is writing."""
        self.path = path
        self._timeout = timeout
        self._opened: tuple[sqlite3.Connection, os.stat_result] | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One view of the file, whatever is written meanwhile."""
        with self.errors():
            connection = self.connection()
            with _transaction(connection, "BEGIN"):
                yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All of the block is committed and on the disk when it is left, or nothing."""
        with self.errors():
            connection = self.connection()
            with _transaction(connection, "BEGIN IMMEDIATE"):
                yield connection

    def connection(self) -> sqlite3.Connection:
        """The open file, which is still the one at the path. Raises a JournalError."""
        if self._opened is None:
            with self.errors():
                self._opened = self._open()
        connection, then = self._opened
        self._check_still_there(then)
        return connection

    def _check_still_there(self, then: os.stat_result) -> None:
        """A deleted or replaced file still takes writes, which nobody else would ever see."""
        try:
            now = self.path.stat()
        except OSError:
            now = None
        if now is None or (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino):
            raise JournalUnusable(
                f"the journal {self.path} was deleted, moved or replaced while it was in use. "
                "Put it back before anything else is bought"
            )

    def _open(self) -> tuple[sqlite3.Connection, os.stat_result]:
        self._create_file()
        identity = self.path.stat()
        # Only the worker's one thread and, after it, the one that closes use the connection.
        connection = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection, identity

    def _create_file(self) -> None:
        if not self.path.parent.is_dir():
            raise JournalUnusable(
                f"the directory of the journal {self.path} does not exist; create it first"
            )
        try:
            # Not left to SQLite, which would let others read it.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            regular = stat.S_ISREG(self.path.stat().st_mode)
        except OSError as error:
            raise JournalUnusable(
                f"the journal {self.path} can't be opened for writing: {error.strerror}"
            ) from error
        if not regular:
            raise JournalUnusable(f"{self.path} is not a file, so it can't be a journal")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # First only look: a file that is somebody else's stays as it is.
        with _transaction(connection, "BEGIN"):
            version = self._version(connection)
        self._write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: flush the disk's own cache as well
        if version < VERSION:
            with _transaction(connection, "BEGIN IMMEDIATE"):
                self._migrate(connection)
        self._check_parts(connection)

    def _version(self, connection: sqlite3.Connection) -> int:
        """The file's schema version, 0 for an empty file; raises when it is not for us.

        To be asked in a transaction: another process may be creating the journal right now.
        """
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        parts = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application == 0 and version == 0 and parts == 0:
            return 0
        if application != APPLICATION_ID:
            raise JournalUnusable(
                f"{self.path} is a database of another program, not a purchase journal; "
                "it was left as it is"
            )
        if version > VERSION:
            raise JournalUnusable(
                f"the journal {self.path} has schema {version}, this version of the library "
                f"knows {VERSION}: upgrade it"
            )
        return version

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Switch to WAL. SQLite does not wait for others here, so this does."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                break
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            time.sleep(BETWEEN_TRIES)
        if mode != "wal":
            raise JournalUnusable(
                f"the file system of {self.path} can't do write-ahead logging; "
                "put the journal on a local disk"
            )

    def _migrate(self, connection: sqlite3.Connection) -> None:
        # Once more: another process may have done it while this one waited for its turn.
        for statements in MIGRATIONS[self._version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")

    def _check_parts(self, connection: sqlite3.Connection) -> None:
        found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(purchases)")}
        missing = (PARTS - found) | ({*COLUMNS, "updated_at"} - columns)
        if missing:
            raise JournalUnusable(
                f"the journal {self.path} is damaged: {', '.join(sorted(missing))} is missing"
            )

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn SQLite's errors into JournalErrors."""
        try:
            yield
        except sqlite3.Error as error:
            if self._opened is not None and self._opened[0].in_transaction:
                self.close()  # it can't even be rolled back: begin anew with the next call
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> JournalError:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        kind, words = ERRORS.get(_code(error), (JournalError, "{journal} failed: {said}"))
        return kind(
            words.format(
                journal=f"the journal {self.path}", said=f"{error} ({name})", timeout=self._timeout
            )
        )


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """With BEGIN one view of the file; with BEGIN IMMEDIATE also the right to write, at once."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back by itself
            connection.execute("ROLLBACK")
        raise


def _code(error: sqlite3.Error) -> int:
    """The primary result code; extended ones carry it in their lowest byte."""
    code = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else int(code) & 0xFF

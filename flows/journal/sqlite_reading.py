"""Looking into a journal file that may not be written, such as another user's or a backup."""

import os
import sqlite3
from pathlib import Path

from flows.journal.errors import JournalUnusable
from flows.journal.sqlite import SqliteJournal
from flows.journal.sqlite_file import JournalFile

__all__ = ["ReadOnlySqliteJournal"]


class ReadOnlySqliteJournal(SqliteJournal):
    """An SQLite journal that is only read: nothing is created, migrated or written beside it.

    Every write raises JournalUnusable.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = 10.0) -> None:
        """`timeout`: how long to wait, in seconds, for another process that is writing."""
        super().__init__(path, timeout=timeout)
        self._file = ReadOnlyFile(self.path, timeout=timeout)


class ReadOnlyFile(JournalFile):
    """A journal's file that is opened as it is, or not at all."""

    def _open(self) -> tuple[sqlite3.Connection, os.stat_result]:
        try:
            identity = self.path.stat()
        except OSError as error:
            raise JournalUnusable(
                f"the journal {self.path} can't be read: {error.strerror}"
            ) from error
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?{self._mode()}",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.row_factory = sqlite3.Row
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection, identity

    def _check(self, connection: sqlite3.Connection) -> None:
        if self._version(connection) == 0:
            raise JournalUnusable(f"{self.path} is empty: no purchase was ever written there")
        self._check_parts(connection)

    def _mode(self) -> str:
        # A write-ahead log needs a file for its index, which can't be made in a directory that is
        # read-only. Without a log nobody has it open, and the file by itself is everything.
        log = Path(f"{self.path}-wal")
        return "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"

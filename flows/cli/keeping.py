"""The journal a command works with: a file, a PostgreSQL table, or the memory of one run."""

import os
import re
import shlex
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from didww_async import InvalidInput
from flows import MemoryJournal, PurchaseJournal, SqliteJournal
from flows.cli.options import Connection, Journaled
from flows.journal import JournalUnusable, journal_at
from flows.journal.sqlite_reading import ReadOnlySqliteJournal

__all__ = ["DSN", "journal_to_list", "open_journal", "passwords", "typed"]

DSN = ("postgresql://", "postgres://")
FILE = "purchases.db"
NO_SECRET = re.compile(r"postgres(ql)?://[\w.-]*(/[\w.-]*)?")  # neither user, port nor options


def open_journal(
    connection: Journaled, *, create: bool, environ: Mapping[str, str] = os.environ
) -> PurchaseJournal:
    """The journal that the options or DIDWW_JOURNAL name, or the user's own.

    `create`: make a file that is missing. Without it a missing file that was named is an error,
    and the user's own, which then knows of no purchase, is an empty journal in memory.
    """
    if connection.simulate and not create:
        raise InvalidInput(
            "--simulate begins with an empty simulator, where nothing was bought yet: leave it out"
        )
    if connection.simulate and connection.journal is None:
        return MemoryJournal()
    where = environ.get("DIDWW_JOURNAL") or None
    if connection.journal is not None:
        where = connection.journal
    if where is None:
        return _own(create=create)
    if where.startswith(DSN):
        try:
            return journal_at(where)
        except ImportError as missing:
            raise InvalidInput(str(missing)) from None
    journal = journal_at(where)
    if isinstance(journal, SqliteJournal) and not create and not journal.path.exists():
        raise InvalidInput(f"there is no journal {where}")
    return journal


def journal_to_list(
    connection: Journaled, environ: Mapping[str, str] = os.environ
) -> PurchaseJournal:
    """The journal for a command that only lists it: a file may be read-only."""
    journal = open_journal(connection, create=False, environ=environ)
    if isinstance(journal, SqliteJournal) and not _writable(journal.path):
        return ReadOnlySqliteJournal(journal.path)
    return journal


def _writable(file: Path) -> bool:
    how = {"effective_ids": os.access in os.supports_effective_ids}
    return all(os.access(path, os.W_OK, **how) for path in (file, file.parent))


def _own(*, create: bool) -> PurchaseJournal:
    directory = platformdirs.user_state_path("didww-async", appauthor=False)
    file = directory / FILE
    if create:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise JournalUnusable(
                f"{directory}, the place for the journal, can't be created: {problem.strerror}. "
                "Name another one with --journal"
            ) from None
    elif not file.exists():
        return MemoryJournal()
    return journal_at(file)


def passwords(where: str | None) -> set[str]:
    """What of a journal's address must never be printed."""
    if where is None or "://" not in where:
        return set()
    try:
        address = urllib.parse.urlsplit(where)
        found = [address.password or ""]
        found += urllib.parse.parse_qs(address.query).get("password", [])
    except ValueError:
        return {where}
    return {text for word in found if word for text in (word, urllib.parse.unquote(word))}


def typed(connection: Connection) -> str:
    """The options that lead another command to the same place, without secrets."""
    given = {"environment": connection.environment, "base-url": connection.base_url}
    journal = getattr(connection, "journal", None)
    if journal is not None:
        hidden = "://" in journal and not NO_SECRET.fullmatch(journal)
        given["journal"] = "postgresql://..." if hidden else journal
    return "".join(
        f" --{name} {shlex.quote(value)}" for name, value in given.items() if value is not None
    )

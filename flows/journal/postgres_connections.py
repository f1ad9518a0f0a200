"""A PostgresJournal's way to the server: addresses, connections, and losing them.

Why psycopg, called from threads, and neither asyncpg nor psycopg's async half: connections and
pools of those belong to one event loop, and a cancellation goes through them while a COMMIT is on
its way. Here a transaction is one function in a thread (see `worker`), for any event loop, and
ends before its caller goes on. Keeping a few idle connections is a list; what matters, what a lost
connection means at which moment, no pool knows.

Before a COMMIT is sent it means that nothing happened: an idle connection is replaced by a new
one, and when that is lost too, it is JournalUnavailable. After that it is Unconfirmed.
"""

import contextlib
import functools
import math
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from flows.journal.errors import JournalError, JournalUnavailable, JournalUnusable

__all__ = ["Connection", "Connections", "Line", "Unconfirmed", "parsed_address", "shown_address"]

T = TypeVar("T")
Connection = psycopg.Connection[DictRow]

TOO_SLOW = frozenset({"57014", "55P03"})  # statement_timeout, lock_timeout
MISFITS = ("22", "28", "3D", "3F", "42")  # no such table, no right to it, data it does not take
SECRET = ("password", "sslpassword")
KEEP_IDLE = 60.0  # seconds; an older connection may have been dropped by what lies in between

# Everything a transaction depends on is said in it and not on the connection, which may be one of
# a proxy's that others use too. A server that hears nothing from a lost connection ends its
# transaction, so that its locks do not outlive us. `remote_apply` is more than `on`: it stays.
BEGIN = """
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL statement_timeout = {limit};
SET LOCAL lock_timeout = {limit};
SET LOCAL idle_in_transaction_session_timeout = {half};
SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')
    WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)
"""


class Connections:
    """Connections to one address; those that nobody uses are kept for a while."""

    def __init__(self, address: Mapping[str, Any], *, journal: str, timeout: float) -> None:
        """`address`: of `parsed_address`. `journal`: how errors call it."""
        self._address = make_conninfo("", **address)
        self._secrets = [str(address[name]) for name in SECRET if address.get(name)]
        self._journal = journal
        self._timeout = timeout
        milliseconds = max(2, round(timeout * 1000))
        self._begin = sql.SQL(BEGIN).format(
            limit=sql.Literal(milliseconds), half=sql.Literal(milliseconds // 2)
        )
        self.idle: list[Line] = []
        self._busy: set[Line] = set()
        self._lock = threading.Lock()

    def run(self, step: Callable[[Connection], T]) -> T:
        """Run `step` on an idle connection, or on a new one if there is none that still works."""
        idle = self._take_idle()
        if idle is not None:
            try:
                return self._use(idle, step)
            except _Lost:  # before any COMMIT, so that nothing happened
                self.drop_idle()  # the others are no younger
        try:
            return self._use(self._connect(), step)
        except _Lost as error:
            why = str(error)
        raise JournalUnavailable(f"{self._journal} was lost; nothing was written: {why}")

    def transaction(self, step: Callable[[Connection], T]) -> T:
        """Run `step` in a transaction; Unconfirmed when only the server knows if it was done."""
        return self.run(functools.partial(self._transaction, step))

    def cut_overdue(self) -> None:
        now = time.monotonic()
        with self._lock:
            for line in self._busy:
                if line.overdue < now:
                    line.cut()

    def drop_idle(self) -> None:
        with self._lock:
            lines, self.idle = self.idle, []
        for line in lines:
            line.close()

    def clean(self, error: psycopg.Error) -> str:
        """The error's words on one line, without any password."""
        said = " ".join(str(error).split()) or type(error).__name__
        for secret in self._secrets:
            said = said.replace(secret, "***")
        return said

    def _use(self, line: "Line", step: Callable[[Connection], T]) -> T:
        # Longer than the server's own limits: this is for one that does not answer at all.
        line.overdue = time.monotonic() + 1.5 * self._timeout
        with self._lock:
            self._busy.add(line)
        try:
            return step(line.connection)
        except psycopg.Error as error:
            last_words = error.diag.severity_nonlocalized in {"FATAL", "PANIC"}
            lost = line.connection.closed or last_words
            failure = _Lost(self.clean(error)) if lost else self._refusal(error)
        finally:
            self._put_back(line)
        raise failure

    def _transaction(self, step: Callable[[Connection], T], connection: Connection) -> T:
        connection.execute(self._begin)
        try:
            found = step(connection)
        except BaseException:
            if not connection.closed:
                connection.execute("ROLLBACK")
            raise
        self._commit(connection)
        return found

    def _commit(self, connection: Connection) -> None:
        """Commit, or raise Unconfirmed when only the server knows whether it did."""
        warnings: list[str] = []

        def listen(notice: psycopg.errors.Diagnostic) -> None:
            if notice.severity_nonlocalized == "WARNING":
                warnings.append(str(notice.message_primary))

        connection.add_notice_handler(listen)
        try:
            answer = connection.execute("COMMIT").statusmessage
        except psycopg.Error as error:
            # Also when the server answers with an error: it may have come after the commit.
            why = self.clean(error)
        else:
            if answer != "COMMIT":
                raise JournalUnavailable(
                    f"{self._journal} answered {answer} to a COMMIT; nothing was written"
                )
            if not warnings:
                return
            # Committed there, but the wait for the synchronous standby was broken off.
            why = warnings[0]
        finally:
            connection.remove_notice_handler(listen)
        raise Unconfirmed(why)

    def _connect(self) -> "Line":
        try:
            connection = psycopg.connect(
                self._address, autocommit=True, row_factory=dict_row, prepare_threshold=None
            )
        except psycopg.Error as error:
            why = self.clean(error)
        except UnicodeError:  # a host with an empty label
            why = "its host is no name"
        else:
            return Line(connection)
        raise JournalUnavailable(f"{self._journal} can't be reached; nothing was written: {why}")

    def _take_idle(self) -> "Line | None":
        with self._lock:
            if self.idle and time.monotonic() - self.idle[-1].used < KEEP_IDLE:
                return self.idle.pop()
        self.drop_idle()  # the last one is the youngest
        return None

    def _put_back(self, line: "Line") -> None:
        usable = line.connection.info.transaction_status is TransactionStatus.IDLE
        line.used = time.monotonic()
        with self._lock:
            self._busy.discard(line)
            if usable:
                self.idle.append(line)
        if not usable:
            line.close()

    def _refusal(self, error: psycopg.Error) -> JournalError:
        """What an error means that the server answered on a connection that still works."""
        said = f"{self.clean(error)} ({error.sqlstate})"
        state = error.sqlstate or ""
        if state in TOO_SLOW:
            return JournalUnavailable(
                f"{self._journal} was locked or busy for more than {self._timeout:g} s; "
                f"nothing was written: {said}"
            )
        if state.startswith(MISFITS):
            return JournalUnusable(f"{self._journal} can't be used: {said}")
        return JournalUnavailable(f"{self._journal} failed; nothing was written: {said}")


class Unconfirmed(Exception):
    """The COMMIT was sent, its confirmation did not come."""


class _Lost(Exception):
    """The connection was lost before a COMMIT was sent: nothing happened."""


class Line:
    """A connection, with a way to cut it off from another thread."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.used = self.overdue = time.monotonic()
        # A duplicate, so that no other file can have its number when it is cut.
        self._socket = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)

    def cut(self) -> None:
        """End whatever call waits for the server, with an error."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.connection.close()
        self._socket.close()


def parsed_address(dsn: str, timeout: float) -> dict[str, Any]:
    """The parts of an address. Raises JournalUnusable, which does not show it."""
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error:
        given = {}
    else:
        # Where the rest of a password ends up that has an @ or / in it.
        wrong = "@" in f"{given.get('host', '')}{given.get('dbname', '')}"
        if not wrong and set(str(given.get("port", ""))) <= set("0123456789,"):
            return {
                "connect_timeout": max(2, math.ceil(timeout)),
                "application_name": "didww-async",
                "keepalives_idle": 30,
                "target_session_attrs": "read-write",
                **given,
            }
    raise JournalUnusable(
        "the PostgreSQL address can't be understood (it may hold a password and is not shown). "
        "It looks like postgresql://user:password@host:5432/database, with %40 for an @ and "
        "%2F for a / in the password"
    )


def shown_address(address: Mapping[str, Any]) -> str:
    """An address without secrets."""
    user = f"{address['user']}@" if "user" in address else ""
    port = f":{address['port']}" if "port" in address else ""
    return f"postgresql://{user}{address.get('host', '')}{port}/{address.get('dbname', '')}"

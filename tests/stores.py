"""Where tests keep journals: a PostgreSQL server, where one answers, and places told to processes.

`DIDWW_TEST_POSTGRES` is the server's address. Without one the tests that need it skip; with
`DIDWW_REQUIRE_POSTGRES=1` they fail.
"""

import os
from typing import TYPE_CHECKING

from flows.journal import PurchaseJournal, SqliteJournal

if TYPE_CHECKING:  # imported where they are needed: processes of tests have to start fast
    import psycopg

POSTGRES = os.environ.get("DIDWW_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
REQUIRED = os.environ.get("DIDWW_REQUIRE_POSTGRES") == "1"


def connected() -> "psycopg.Connection":
    """A connection to the server that commits every statement; skips or fails without one."""
    import pytest

    try:
        import psycopg

        connection = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except Exception as error:  # noqa: BLE001 - no driver, no server, no right
        why = f"no PostgreSQL to test with (DIDWW_TEST_POSTGRES): {type(error).__name__}: {error}"
        if REQUIRED:
            pytest.fail(why)
        pytest.skip(why)
    return connection


def opened(where: str) -> PurchaseJournal:
    """The journal at a place: a SQLite file by its path, or "DSN schema" for PostgreSQL."""
    if " " not in where:
        return SqliteJournal(where)
    from flows.journal.postgres import PostgresJournal

    dsn, schema = where.split(" ")
    return PostgresJournal(dsn, schema=schema)

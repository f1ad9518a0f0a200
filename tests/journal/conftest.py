"""A journal of every kind. PostgreSQL gets a schema of its own, which goes afterwards."""

import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journal.kit import POSTGRES, POSTGRES_REQUIRED

from flows.journal import MemoryJournal, SqliteJournal

TABLES = itertools.count()


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """The name of an empty schema; skips (or fails, when it is required) without a server."""
    try:
        import psycopg

        connection = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except Exception as error:  # noqa: BLE001 - no driver, no server, no right
        why = f"no PostgreSQL to test with (DIDWW_TEST_POSTGRES): {type(error).__name__}: {error}"
        if POSTGRES_REQUIRED:
            pytest.fail(why)
        pytest.skip(why)
    name = f"didww_test_{os.getpid()}"
    with connection:
        connection.execute(f"CREATE SCHEMA {name}")
        try:
            yield name
        finally:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def postgres_options(postgres_schema: str) -> dict[str, Any]:
    """What makes a PostgresJournal of a table of the test's own."""
    return {"schema": postgres_schema, "table": f"purchases_{next(TABLES)}"}


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["sqlite", "postgres"])
def durable_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def maker(kind: str, request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes journals that share what they keep (one file, one table)."""
    if kind == "postgres":
        options = request.getfixturevalue("postgres_options")
        from flows.journal.postgres import PostgresJournal

        return lambda: PostgresJournal(POSTGRES, **options)
    if kind == "sqlite":
        path: Path = request.getfixturevalue("tmp_path") / "journal.sqlite"
        return lambda: SqliteJournal(path)
    return MemoryJournal


@pytest.fixture
async def journal(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with maker(kind, request)() as made:
        yield made


@pytest.fixture
def another(durable_kind: str, request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes journals on the same file or table, closed by whoever makes them."""
    return maker(durable_kind, request)

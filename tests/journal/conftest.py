"""A journal of every kind. PostgreSQL gets a schema of its own, which goes afterwards."""

import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stores import POSTGRES, connected

from flows.journal import MemoryJournal, SqliteJournal

TABLES = itertools.count()


@pytest.fixture(scope="session")
def postgres_schema() -> Iterator[str]:
    """The name of an empty schema; skips (or fails, when it is required) without a server."""
    name = f"didww_test_{os.getpid()}"
    with connected() as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
        try:
            yield name
        finally:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(f"DROP SCHEMA {name} CASCADE".encode())


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

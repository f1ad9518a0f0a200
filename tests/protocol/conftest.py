"""Where the killed processes keep their journal: a SQLite file, or a schema in PostgreSQL."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

DSN = os.environ.get("DIDWW_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The journal's place as `worker.opened` takes it; PostgreSQL's is gone afterwards."""
    if request.param == "sqlite":
        yield str(tmp_path / "purchases.db")
        return
    try:
        connection = psycopg.connect(DSN, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as problem:
        if os.environ.get("DIDWW_REQUIRE_POSTGRES") == "1":
            raise
        pytest.skip(f"no PostgreSQL answers at DIDWW_TEST_POSTGRES: {problem}")
    schema = f"didww_killed_{uuid.uuid4().hex[:12]}"
    with connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{DSN} {schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())

"""A database for every test, copied from one that has all tables."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from stores import POSTGRES, connected
from workers.kit import KEY

from didww_async.simulator import Simulator

NUMBERS = itertools.count()


def database(name: str) -> str:
    from sqlalchemy import make_url

    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """The name of a database with the tables of the engine and the workers."""
    from flows.workers import install
    from flows.workers.engine import connect

    name = f"didww_test_workers_{os.getpid()}"
    with connected() as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            asyncio.run(install(database(name)))
            # A worker notices a queue that is new a second later than one that is there.
            client = connect(database(name), schema="dbos")
            client.register_queue("purchases", polling_interval_sec=0.1)
            client.destroy()
            yield name
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def dsn(template: str) -> Iterator[str]:
    """The address of a fresh database."""
    import psycopg

    name = f"{template}_{next(NUMBERS)}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield database(name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(api_key=KEY, rate_limit=None, completes_after=0.05) as running:
        yield running

"""PostgreSQL: who may use a table, and what a lost connection means at which moment."""

import asyncio
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

psycopg = pytest.importorskip("psycopg")

# ruff: noqa: E402 - without the driver there is nothing to import

from journal.kit import packed, purchase, successor
from journal.proxy import Proxy, proxy_before
from stores import POSTGRES

from flows.journal import (
    CommitUnconfirmed,
    JournalError,
    JournalUnavailable,
    JournalUnusable,
    OrderIdRecorded,
)
from flows.journal.postgres import OURS, VERSION, PostgresJournal

Options = dict[str, Any]


@pytest.fixture
def admin(postgres_options: Options) -> Iterator[Any]:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"SET search_path = {postgres_options['schema']}")
        yield connection


@pytest.fixture
async def proxy(postgres_options: Options) -> AsyncIterator[Proxy]:
    async with proxy_before(POSTGRES) as running:
        yield running


@pytest.fixture
async def through(proxy: Proxy, postgres_options: Options) -> AsyncIterator[PostgresJournal]:
    """A journal that reaches the server through the proxy, and has done so before."""
    async with PostgresJournal(proxy.dsn, **postgres_options, timeout=1) as journal:
        await journal.insert(purchase("before"))
        yield journal


async def refused(options: Options, kind: type[JournalError], match: str) -> None:
    journal = PostgresJournal(POSTGRES, **options, timeout=1)
    with pytest.raises(kind, match=match):
        await journal.open()
    with pytest.raises(kind, match=match):
        await journal.insert(purchase())
    await journal.aclose()


# -- the table


async def test_workers_that_start_together_make_one_table(
    postgres_options: Options, admin: Any
) -> None:
    options = {**postgres_options, "schema": postgres_options["schema"] + "_new"}
    journals = [PostgresJournal(POSTGRES, **options) for _ in range(8)]
    try:
        await asyncio.gather(*(journal.open() for journal in journals))
        await asyncio.gather(*(journal.migrate() for journal in journals))
        assert [] == await journals[0].list()
    finally:
        await asyncio.gather(*(journal.aclose() for journal in journals))
        admin.execute(f"DROP SCHEMA {options['schema']} CASCADE")


async def test_processes_that_start_together_make_one_table(postgres_options: Options) -> None:
    code = (
        "import asyncio, sys\n"
        "from journal.kit import purchase\n"
        "from stores import POSTGRES\n"
        "from flows.journal.postgres import PostgresJournal\n"
        "async def main():\n"
        "    options = dict(schema=sys.argv[1], table=sys.argv[2])\n"
        "    async with PostgresJournal(POSTGRES, **options) as journal:\n"
        "        await journal.insert(purchase())\n"
        "asyncio.run(main())\n"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            postgres_options["schema"],
            postgres_options["table"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["tests", "."])},
        )
        for _ in range(3)
    ]
    assert [0, 0, 0] == await asyncio.gather(*(process.wait() for process in processes))
    async with PostgresJournal(POSTGRES, **postgres_options) as journal:
        assert 1 == len(await journal.list())


async def test_names_may_be_anything_that_is_a_name(postgres_options: Options, admin: Any) -> None:
    options = {**postgres_options, "table": 'Käufe "2026"; --'}
    async with PostgresJournal(POSTGRES, **options) as journal:
        plan = await journal.insert(purchase())
        assert [plan] == await journal.list()


@pytest.mark.parametrize("name", ["", "x" * 41, "a\0b"])
def test_names_that_postgres_would_cut_are_refused(name: str) -> None:
    with pytest.raises(JournalUnusable, match="1 to 40 bytes"):
        PostgresJournal(POSTGRES, table=name)
    with pytest.raises(JournalUnusable, match="1 to 40 bytes"):
        PostgresJournal(POSTGRES, schema=name)


async def test_a_table_of_something_else_is_left_alone(
    postgres_options: Options, admin: Any
) -> None:
    admin.execute(f"CREATE TABLE {postgres_options['table']} (id int)")
    await refused(postgres_options, JournalUnusable, "a table of something else")


async def test_a_table_of_a_newer_version(postgres_options: Options, admin: Any) -> None:
    async with PostgresJournal(POSTGRES, **postgres_options):
        pass
    admin.execute(f"COMMENT ON TABLE {postgres_options['table']} IS '{OURS}{VERSION + 1}'")
    await refused(postgres_options, JournalUnusable, f"schema {VERSION + 1}.*knows {VERSION}")


@pytest.mark.parametrize(
    ("broken_by", "match"),
    [
        ("DROP INDEX {table}_order_id", "damaged: .*_order_id is missing"),
        ("ALTER TABLE {table} DROP COLUMN write_id", "damaged: write_id is missing"),
        ("ALTER TABLE {table} SET UNLOGGED", "unlogged"),
    ],
)
async def test_a_table_that_would_not_guard(
    broken_by: str, match: str, postgres_options: Options, admin: Any
) -> None:
    async with PostgresJournal(POSTGRES, **postgres_options):
        pass
    admin.execute(broken_by.format(table=postgres_options["table"]))
    await refused(postgres_options, JournalUnusable, match)


async def test_whoever_may_not_create_tables_can_use_one_that_is_there(
    postgres_options: Options, admin: Any
) -> None:
    schema, table = postgres_options["schema"], postgres_options["table"]
    role = f"{schema}_user"
    async with PostgresJournal(POSTGRES, **postgres_options):
        pass
    admin.execute(f"CREATE ROLE {role} LOGIN")
    try:
        admin.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        admin.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {role}")
        dsn = psycopg.conninfo.make_conninfo(POSTGRES, user=role)
        async with PostgresJournal(dsn, **postgres_options) as journal:
            plan = await journal.insert(purchase())
            assert await journal.replace(plan, successor(plan))
        another = PostgresJournal(dsn, schema=schema, table="another")
        with pytest.raises(JournalUnusable, match="permission denied for schema"):
            await another.open()
        await another.aclose()
    finally:
        admin.execute(f"DROP OWNED BY {role}")
        admin.execute(f"DROP ROLE {role}")


async def test_every_write_is_synchronous_whatever_the_role_prefers(
    postgres_options: Options, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    for preferred in ("off", "on", "remote_apply"):
        role = f"-c synchronous_commit={preferred} -c default_transaction_isolation=serializable"
        dsn = psycopg.conninfo.make_conninfo(POSTGRES, options=role)
        async with PostgresJournal(dsn, **postgres_options) as journal:

            def ask(connection: Any, *, again: bool) -> str:
                row = connection.execute(
                    "SELECT current_setting('synchronous_commit') AS a,"
                    " current_setting('transaction_isolation') AS b"
                ).fetchone()
                return f"{row['a']}, {row['b']}"

            seen.append(await journal._write(ask))
    isolation = "read committed"
    assert [f"on, {isolation}", f"on, {isolation}", f"remote_apply, {isolation}"] == seen


async def test_the_clock_is_the_servers(postgres_options: Options, admin: Any) -> None:
    async with PostgresJournal(POSTGRES, **postgres_options) as journal:
        before = admin.execute("SELECT clock_timestamp()").fetchone()[0]
        now = await journal.now()
        assert before <= now <= admin.execute("SELECT clock_timestamp()").fetchone()[0]
        assert before < ((await journal.insert(purchase())).updated_at or before)


# -- addresses and passwords


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:hunter2@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?user=me&password=hunter2",
        "host=127.0.0.1 port=1 user=me password=hunter2 dbname=db",
        "postgresql://me:hunter2?@127.0.0.1:1/db",
    ],
)
async def test_a_password_is_never_shown(dsn: str) -> None:
    journal = PostgresJournal(dsn, timeout=1)
    assert "PostgresJournal('postgresql://me@127.0.0.1:1/db'" in repr(journal)
    with pytest.raises(JournalUnavailable, match="can't be reached") as caught:
        await journal.open()
    await journal.aclose()
    assert "hunter2" not in shown(journal, caught.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:hun@ter2@host/db",
        "postgresql://me:hun/ter2@host/db",
        "postgresql://me:hun%ter2@host/db",
        "postgresql://me:hun#ter2@host:x/db",
        "host=h password=hun ter2",
        "ter2",
        "mysql://me:ter2@host/db",
        "",
    ],
)
def test_an_address_that_is_wrong_is_not_shown_either(dsn: str) -> None:
    if dsn == "":
        assert "postgresql:///" in repr(PostgresJournal(dsn))  # all by PGHOST and the like
        return
    with pytest.raises(JournalUnusable, match="can't be understood") as caught:
        PostgresJournal(dsn)
    assert "ter2" not in shown(caught.value)


def shown(*things: object) -> str:
    """What logs, tracebacks and error reports may show of something."""
    texts = []
    for thing in things:
        texts += [repr(thing), str(thing)]
        if isinstance(thing, BaseException):
            texts += [repr(pickle.dumps(thing)), shown(*filter(None, [thing.__context__]))]
    return " ".join(texts)


async def test_an_error_of_the_server_that_quotes_a_password_is_cleaned() -> None:
    journal = PostgresJournal("postgresql://me:hunter2@127.0.0.1:1/db")
    said = psycopg.OperationalError("no  hunter2\n here")
    assert "no *** here" == journal._connections.clean(said)
    await journal.aclose()


async def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    unused_tcp_port: int,
) -> None:
    with socket.create_server(("127.0.0.1", unused_tcp_port)):
        journal = PostgresJournal(f"postgresql://127.0.0.1:{unused_tcp_port}/x", timeout=0.5)
        with pytest.raises(JournalUnavailable, match="can't be reached"):
            await journal.open()
        await journal.aclose()


async def test_a_database_that_does_not_exist(postgres_schema: str) -> None:
    dsn = psycopg.conninfo.make_conninfo(POSTGRES, dbname="no_such_database")
    with pytest.raises(JournalUnavailable, match='database "no_such_database" does not exist'):
        async with PostgresJournal(dsn):
            pass


# -- locks


async def test_a_record_that_somebody_holds_locked(postgres_options: Options, admin: Any) -> None:
    async with PostgresJournal(POSTGRES, **postgres_options, timeout=0.3) as journal:
        plan = await journal.insert(purchase())
        with admin.transaction():
            admin.execute(f"LOCK TABLE {postgres_options['table']} IN EXCLUSIVE MODE")
            with pytest.raises(JournalUnavailable, match=r"locked or busy for more than 0\.3 s"):
                await journal.replace(plan, successor(plan))
            assert plan == await journal.read(plan.key)
        assert await journal.replace(plan, successor(plan))


async def test_a_server_that_is_read_only(postgres_options: Options, admin: Any) -> None:
    async with PostgresJournal(POSTGRES, **postgres_options):
        pass
    options = "-c default_transaction_read_only=on"
    dsn = psycopg.conninfo.make_conninfo(POSTGRES, options=options)
    with pytest.raises(JournalUnavailable, match=r"read-write|read-only"):
        async with PostgresJournal(dsn, **postgres_options):
            pass


# -- a connection that goes away


async def test_idle_connections_that_died_are_replaced(
    through: PostgresJournal, proxy: Proxy
) -> None:
    await asyncio.gather(*(through.now() for _ in range(8)))
    proxy.cut()
    plan = await through.insert(purchase())
    assert await through.replace(plan, successor(plan))


async def test_a_server_that_restarts_ends_idle_connections(
    postgres_options: Options, admin: Any
) -> None:
    async with PostgresJournal(POSTGRES, **postgres_options) as journal:
        plan = await journal.insert(purchase())
        pids = {line.connection.info.backend_pid for line in journal._connections.idle}
        for pid in pids:
            admin.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
        assert await journal.replace(plan, successor(plan))


async def test_a_server_that_went_away(through: PostgresJournal, proxy: Proxy) -> None:
    proxy.refusing = True
    proxy.cut()
    with pytest.raises(JournalUnavailable, match="can't be reached; nothing was written"):
        await through.insert(purchase())
    proxy.refusing = False
    assert purchase() == await through.insert(purchase())  # and came back


@pytest.mark.parametrize(
    ("what", "committed"),
    [("before", False), ("after", True), ("late", True), ("never", False), ("warned", True)],
)
async def test_a_commit_that_was_not_confirmed_is_asked_about(
    what: str, committed: bool, through: PostgresJournal, proxy: Proxy
) -> None:
    """Whether it was done or not: in the end the answer is true, and there is one version."""
    plan = await through.insert(purchase())
    claimed = successor(plan, owner="me", attempt=1)
    connections, commits = proxy.accepted, proxy.commits_seen
    proxy.commits = [what]
    began = time.monotonic()
    assert await through.replace(plan, claimed)
    assert claimed == await through.read(plan.key)
    assert connections + (what != "warned") == proxy.accepted
    assert commits + 2 == proxy.commits_seen  # the answer has a confirmed COMMIT of its own
    waited = time.monotonic() - began
    # It waits for the old transaction, which ends late, or when the server gives it up.
    assert {"late": 0.3, "never": 0.4}.get(what, 0) <= waited < 5
    assert not await through.replace(plan, successor(plan, owner="somebody else"))


@pytest.mark.parametrize("what", ["before", "after", "late", "never"])
async def test_an_insert_that_was_not_confirmed_is_asked_about(
    what: str, through: PostgresJournal, proxy: Proxy
) -> None:
    proxy.commits = [what]
    assert purchase() == await through.insert(purchase())
    assert 2 == len(await through.list())


@pytest.mark.parametrize("what", ["before", "after", "late", "never"])
async def test_a_packing_that_was_not_confirmed_is_asked_about(
    what: str, through: PostgresJournal, proxy: Proxy
) -> None:
    here = {"origin": "o", "account": "x"}
    proxy.commits = [what]
    assert await through.pack([packed("o-1", "a", "b")], moves={}, **here)
    assert {"a", "b"} == set(await through.packed(["a", "b"], **here))
    proxy.commits = [what]
    moves = {"a": "o-1", "b": "o-1"}
    assert await through.pack([packed("o-2", "a", "b")], moves=moves, **here)
    assert not await through.pack([packed("o-3", "a")], moves=moves, **here)


@pytest.mark.parametrize("what", ["before", "after"])
async def test_a_claim_that_another_made_meanwhile_is_not_ours(
    what: str, through: PostgresJournal, proxy: Proxy, postgres_options: Options
) -> None:
    """Our COMMIT is lost, and before we can ask somebody else moves the record on."""
    async with PostgresJournal(POSTGRES, **postgres_options) as other:
        plan = await through.insert(purchase())
        proxy.commits = [what]
        ours = asyncio.create_task(through.replace(plan, successor(plan, owner="me")))
        proxy.refusing = True  # no way to ask
        while proxy.commits:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.15)
        now = await other.read(plan.key)
        assert now is not None
        assert ("me" if what == "after" else None) == now.owner
        assert await other.replace(now, successor(now, owner="other"))
        proxy.refusing = False
        assert not await ours
        assert "other" == ((await other.read(plan.key)) or plan).owner


@pytest.mark.parametrize("what", ["before", "after"])
async def test_a_server_that_stays_away_leaves_the_commit_unconfirmed(
    what: str, through: PostgresJournal, proxy: Proxy, postgres_options: Options
) -> None:
    plan = await through.insert(purchase())
    claimed = successor(plan, owner="me")
    proxy.commits = [what]
    proxy.refusing = True
    with pytest.raises(CommitUnconfirmed, match="could not be found out within 1 s"):
        await through.replace(plan, claimed)
    async with PostgresJournal(POSTGRES, **postgres_options) as other:
        assert (claimed if what == "after" else plan) == await other.read(plan.key)


async def test_several_commits_in_a_row_get_lost(through: PostgresJournal, proxy: Proxy) -> None:
    plan = await through.insert(purchase())
    proxy.commits = ["before", "after", "after"]
    assert await through.replace(plan, successor(plan))
    assert [] == proxy.commits


async def test_a_server_that_falls_silent_is_cut_off(
    proxy: Proxy, postgres_options: Options
) -> None:
    async with PostgresJournal(proxy.dsn, **postgres_options, timeout=0.5) as journal:
        plan = await journal.insert(purchase())
        proxy.commits = ["mute"]
        began = time.monotonic()
        assert await journal.replace(plan, successor(plan))
        assert 0.5 < time.monotonic() - began < 5


async def test_an_order_id_that_is_taken_is_told_on_a_line_that_stays_usable(
    through: PostgresJournal, proxy: Proxy
) -> None:
    first = await through.insert(purchase(order_id="o-1"))
    second = await through.insert(purchase("ref-2"))
    connections = proxy.accepted
    with pytest.raises(OrderIdRecorded, match="o-1"):
        await through.replace(second, successor(second, order_id="o-1"))
    assert first == await through.read(first.key)
    assert connections == proxy.accepted


async def test_killed_in_a_transaction_the_table_stays_usable(
    postgres_options: Options,
) -> None:
    code = (
        "import sys, time, psycopg\n"
        "from stores import POSTGRES\n"
        "connection = psycopg.connect(POSTGRES)\n"
        "connection.execute(f\"UPDATE {sys.argv[1]} SET state = 'sent', revision = 1\")\n"
        "print('half done', flush=True)\n"
        "time.sleep(60)\n"
    )
    async with PostgresJournal(POSTGRES, **postgres_options) as journal:
        plan = await journal.insert(purchase())
        name = f"{postgres_options['schema']}.{postgres_options['table']}"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            name,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["tests", "."])},
        )
        assert process.stdout is not None
        await process.stdout.readline()
        process.kill()
        await process.wait()
        assert plan == await journal.read(plan.key)
        assert await journal.replace(plan, successor(plan))


# -- without the extra


def test_without_the_driver_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "import flows.journal\n"
        "try:\n"
        "    flows.journal.journal_at('postgresql://host/db')\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert "PostgresJournal needs psycopg: pip install 'didww-async[postgres]'\n" == said

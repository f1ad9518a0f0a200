"""The SQLite file: what is refused, what survives a crash, what disk and other processes do."""

# ruff: noqa: ASYNC240 - the test has nothing else to do while it looks at its small files

import asyncio
import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal.kit import purchase, successor

from flows.errors import FlowError
from flows.journal import (
    CommitUnconfirmed,
    JournalError,
    JournalUnavailable,
    JournalUnusable,
    SqliteJournal,
)
from flows.journal.sqlite_file import VERSION

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def changed(path: Path, *statements: str) -> None:
    """Change the file as another program would."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in statements:
            other.execute(statement)


async def refused(path: Path, kind: type[JournalError], match: str) -> None:
    """Opening fails, so does the first use, and no thread is left over."""
    journal = SqliteJournal(path, timeout=0.1)
    with pytest.raises(kind, match=match):
        await journal.open()
    with pytest.raises(kind, match=match):
        await journal.insert(purchase())
    await journal.aclose()


# -- the file


async def test_the_file_is_ours_and_only_its_owner_reads_it(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await journal.insert(purchase())
        modes = {stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()}
        assert {0o600} == modes  # with its -wal and -shm
    assert [path] == list(path.parent.iterdir())
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert (0x44494457,) == other.execute("PRAGMA application_id").fetchone()
        assert (VERSION,) == other.execute("PRAGMA user_version").fetchone()
        assert ("wal",) == other.execute("PRAGMA journal_mode").fetchone()


async def test_writes_are_flushed_and_take_the_lock_first(path: Path) -> None:
    async with SqliteJournal(path, timeout=3) as journal:
        connection = journal._file.connection()
        assert 2 == connection.execute("PRAGMA synchronous").fetchone()[0]
        assert 3000 == connection.execute("PRAGMA busy_timeout").fetchone()[0]
        said: list[str] = []
        connection.set_trace_callback(said.append)
        await journal.insert(purchase())
        assert ["BEGIN IMMEDIATE", "COMMIT"] == [said[0], said[-1]]


async def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.touch()
    async with SqliteJournal(path) as journal:
        assert [] == await journal.list()


async def test_many_that_start_together_make_one_file(tmp_path: Path) -> None:
    for n in range(20):
        journals = [SqliteJournal(tmp_path / f"journal-{n}") for _ in range(6)]
        await asyncio.gather(*(journal.open() for journal in journals))
        await asyncio.gather(*(journal.aclose() for journal in journals))


async def test_a_relative_path_stays_what_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    journal = SqliteJournal(path.name)
    monkeypatch.chdir("/")
    async with journal:
        assert path.exists()


# -- bad input


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_a_journal_is_a_file(name: str) -> None:
    with pytest.raises(JournalUnusable, match="MemoryJournal"):
        SqliteJournal(name)


async def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_text("reference,price\n" * 200)
    await refused(path, JournalUnusable, "not an SQLite file")
    assert "reference,price\n" * 200 == path.read_text()


@pytest.mark.parametrize(
    "made_by",
    [
        ["CREATE TABLE notes (text)"],
        ["CREATE TABLE purchases (id)"],
        ["PRAGMA application_id = 7"],
        ["PRAGMA user_version = 3"],
    ],
    ids=str,
)
async def test_a_database_of_another_program(made_by: list[str], path: Path) -> None:
    changed(path, *made_by)
    before = path.read_bytes()
    await refused(path, JournalUnusable, "another program")
    assert before == path.read_bytes()


async def test_a_journal_of_a_newer_version(path: Path) -> None:
    async with SqliteJournal(path):
        pass
    changed(path, f"PRAGMA user_version = {VERSION + 1}")
    await refused(path, JournalUnusable, f"schema {VERSION + 1}.* knows {VERSION}: upgrade")


@pytest.mark.parametrize(
    ("broken_by", "what"),
    [
        ("DROP INDEX purchases_order_id", "purchases_order_id"),
        ("ALTER TABLE purchases DROP COLUMN owner", "owner"),
        ("DROP TABLE purchases", "purchases"),
        ("DROP TABLE batch_lines", "batch_lines"),
    ],
)
async def test_a_journal_with_something_missing(broken_by: str, what: str, path: Path) -> None:
    async with SqliteJournal(path):
        pass
    changed(path, broken_by)
    await refused(path, JournalUnusable, f"damaged: .*{what}.* is missing")


async def test_a_damaged_journal(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        for n in range(50):
            await journal.insert(purchase(f"ref-{n}"))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    journal = SqliteJournal(path)
    with pytest.raises(JournalUnusable, match="damaged"):
        await journal.list()
    await journal.aclose()


async def test_a_directory_that_does_not_exist(path: Path) -> None:
    await refused(path.parent / "nowhere" / "journal", JournalUnusable, "does not exist; create")


@pytest.mark.parametrize("special", ["a directory", "/dev/null"])
async def test_what_is_no_file(special: str, path: Path) -> None:
    place = path.parent if special == "a directory" else Path(special)
    await refused(place, JournalUnusable, "directory|not a file")


@pytest.fixture
def as_somebody() -> Iterator[Path]:
    """A directory, and no right to change what root owns in it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        yield place
        os.seteuid(os.getuid())
        place.chmod(0o755)


def without_rights() -> None:
    if os.geteuid() == 0:
        os.seteuid(NOBODY)


async def test_a_file_that_is_read_only(as_somebody: Path) -> None:
    path = as_somebody / "journal"
    async with SqliteJournal(path):
        pass
    path.chmod(0o444)
    without_rights()
    await refused(path, JournalUnusable, "can't be opened for writing: Permission denied")


async def test_a_directory_that_is_read_only(as_somebody: Path) -> None:
    path = as_somebody / "journal"
    async with SqliteJournal(path):
        pass
    path.chmod(0o666)
    as_somebody.chmod(0o555)
    without_rights()
    await refused(path, JournalUnusable, "the files beside it can't be written")
    await refused(as_somebody / "new", JournalUnusable, "Permission denied")


async def fill(journal: SqliteJournal) -> None:
    for n in range(500):
        await journal.insert(purchase(f"ref-{n}", error="long" * 500))


async def test_a_full_disk_writes_nothing_and_is_no_end(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        plan = await journal.insert(purchase())
        connection = journal._file.connection()
        connection.execute("PRAGMA max_page_count = 1")  # what SQLite says when the disk is full
        with pytest.raises(JournalUnavailable, match=r"disk .* is full; nothing was written"):
            await fill(journal)
        connection.execute("PRAGMA max_page_count = 1000000")
        assert not connection.in_transaction
        assert plan == await journal.read(plan.key)
        assert await journal.replace(plan, successor(plan))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, where this machine lets us make one."""
    place = tmp_path / "tiny"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=256k", "tmpfs"]
    try:
        subprocess.run(["mount", *options, place], capture_output=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a tiny file system")
    yield place
    subprocess.run(["umount", place], check=True)  # noqa: S607


async def test_a_real_disk_that_is_full(tiny_disk: Path) -> None:
    async with SqliteJournal(tiny_disk / "journal") as journal:
        plan = await journal.insert(purchase())
        with pytest.raises(JournalUnavailable, match=r"disk .* is full; nothing was written"):
            await fill(journal)
        kept = await journal.list()
        assert plan in kept
        with pytest.raises(JournalUnavailable, match="full"):
            await fill(journal)
    async with SqliteJournal(tiny_disk / "journal") as journal:
        assert kept == await journal.list()


async def test_a_disk_that_fails_leaves_the_write_unconfirmed(path: Path) -> None:
    journal = SqliteJournal(path)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    with pytest.raises(CommitUnconfirmed, match="unknown"), journal._file.errors():
        raise error
    await journal.aclose()


# -- others at the same file


async def test_a_file_that_is_locked_for_too_long(path: Path) -> None:
    async with SqliteJournal(path, timeout=0.1) as journal:
        plan = await journal.insert(purchase())
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(JournalUnavailable, match=r"locked .* for more than 0\.1 s"):
                await journal.replace(plan, successor(plan))
            assert 0.1 <= time.monotonic() - began < 1
            assert plan == await journal.read(plan.key)  # reading does not wait
        assert await journal.replace(plan, successor(plan))


async def test_a_locked_file_is_waited_for(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            insert = asyncio.create_task(journal.insert(purchase()))
            await asyncio.sleep(0.1)
            assert not insert.done()
            other.execute("COMMIT")
            assert purchase() == await insert


async def test_a_new_file_that_somebody_holds_locked(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await refused(path, JournalUnavailable, "locked by another process")


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
async def test_a_file_that_went_away_takes_no_more_claims(replaced: bool, path: Path) -> None:
    async with SqliteJournal(path) as journal:
        plan = await journal.insert(purchase())
        for file in path.parent.iterdir():
            file.unlink()
        if replaced:
            async with SqliteJournal(path):
                pass
        with pytest.raises(JournalUnusable, match="deleted, moved or replaced"):
            await journal.replace(plan, successor(plan))


def test_errors_are_flow_errors_and_survive_pickling() -> None:
    import pickle

    for kind in (JournalUnusable, JournalUnavailable, CommitUnconfirmed):
        again = pickle.loads(pickle.dumps(kind("why")))  # noqa: S301 - our own bytes
        assert isinstance(again, FlowError)
        assert "why" == str(again)
    assert issubclass(JournalUnusable, ValueError)


# -- kill -9

KILLED = """
import asyncio, sys
from journal.kit import purchase, successor
from flows.journal import SqliteJournal
async def main():
    journal = await SqliteJournal(sys.argv[1]).open()
    plan = await journal.insert(purchase())
    print("inserted", flush=True)
    if sys.argv[2] == "in a transaction":
        connection = journal._file.connection()
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE purchases SET state = 'sent', revision = 1")
        print("half done", flush=True)
        await asyncio.sleep(60)
    while True:
        new = successor(plan, owner=str(plan.revision))
        assert await journal.replace(plan, new)
        plan = new
        print(plan.revision, flush=True)
asyncio.run(main())
"""


def started(path: Path, how: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, path, how],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["tests", "."])},
    )


def killed(process: "subprocess.Popen[str]") -> list[str]:
    """Kill -9; what it had said."""
    process.send_signal(signal.SIGKILL)
    with process:
        assert process.stdout is not None
        return process.stdout.read().split()


async def test_killed_in_a_transaction_the_file_stays_usable(path: Path) -> None:
    process = started(path, "in a transaction")
    assert process.stdout is not None
    while "half done" not in process.stdout.readline():
        pass
    async with SqliteJournal(path, timeout=0.2) as journal:
        with pytest.raises(JournalUnavailable, match="locked"):
            await journal.insert(purchase("ref-2"))
        killed(process)
        plan = await journal.read(purchase().key)
        assert purchase() == plan
        assert await journal.replace(plan, successor(plan))


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05])
async def test_killed_anywhere_what_was_confirmed_is_there(after: float, path: Path) -> None:
    process = started(path, "anywhere")
    assert process.stdout is not None
    process.stdout.readline()
    await asyncio.sleep(after)
    confirmed = [0, *(int(line) for line in killed(process) if line.isdecimal())]
    async with SqliteJournal(path) as journal:
        (found,) = await journal.list()
        assert found.revision in {confirmed[-1], confirmed[-1] + 1}
        connection = journal._file.connection()
        assert ("ok",) == tuple(connection.execute("PRAGMA integrity_check").fetchone())
        assert await journal.replace(found, successor(found))

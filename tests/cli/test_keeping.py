"""Where the journal is, what can't be one, and what of its address is never said."""

import contextlib
import os
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli.commands import KEY, NEW_YORK
from cli.purchases_here import Here, keep, kept, left
from purchases import TWO_CHANNELS, posts

from didww_async.simulator import Simulator
from flows.cli.app import run as run_here
from flows.cli.exits import Exit
from flows.cli.keeping import passwords, typed
from flows.cli.options import Journaled
from flows.cli.outcome import after_error
from flows.errors import OrderNotRecorded
from flows.journal import State

BUY = ("buy", *NEW_YORK, "--yes", "--reference", "shop-1")
NOBODY = 65534


# -- where it is


def test_by_default_in_the_state_directory(beside: Simulator, state: Path) -> None:
    assert run_here(BUY) == 0
    file = state / "didww-async" / "purchases.db"
    assert kept(file) == {"shop-1": State.COMPLETED}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_where_it_is_said_to_be(
    beside: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, mine = tmp_path / "theirs.db", tmp_path / "mine.db"
    monkeypatch.setenv("DIDWW_JOURNAL", str(theirs))
    assert run_here(BUY) == 0
    assert run_here([*BUY[:-1], "shop-2", "--journal", str(mine)]) == 0
    assert (list(kept(theirs)), list(kept(mine))) == (["shop-1"], ["shop-2"])


def test_a_simulation_is_not_kept(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIDWW_JOURNAL", str(tmp_path / "theirs.db"))
    assert run_here([*BUY, "--simulate"]) == 0
    assert not state.exists()
    assert not (tmp_path / "theirs.db").exists()
    assert run_here([*BUY, "--simulate", "--journal", str(tmp_path / "mine.db")]) == 0
    assert kept(tmp_path / "mine.db") == {"shop-1": State.COMPLETED}


# -- what a known reference does


def test_a_known_reference_is_reported(
    beside: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Here(tmp_path / "mine.db", capsys)
    _, first, _ = here(*BUY, "--quantity", "2")
    asked = len(beside.requests)
    code, again, said = here(*BUY)
    assert code == 0
    same = ("reference", "order_id", "numbers", "status", "quantity", "shortfall", "error")
    assert {name: first[name] for name in same} == {name: again[name] for name in same}
    assert again["prices"] == {
        "setup": None,
        "monthly": None,
        "total": None,
        "charged": first["prices"]["charged"],
        "currency": "USD",
    }
    assert (again["ids"]["sku_id"], again["ids"]["order_id"]) == (TWO_CHANNELS, first["order_id"])
    assert "The reference shop-1 is known" in said
    assert {it.path.split("/")[1] for it in beside.requests[asked:]} <= {"orders", "dids"}
    assert posts(beside) == 1


@pytest.mark.parametrize("options", [("--quantity", "3"), ("--sku", "x"), ("--back-order",)])
def test_a_known_reference_for_something_else(
    options: tuple[str, ...],
    beside: Simulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = Here(tmp_path / "mine.db", capsys)
    known = left("shop-1", State.COMPLETED, origin=beside.base_url, order_id="1", numbers=("1",))
    keep(here.journal, known)
    line = ("buy", "--country", "US", "--yes", "--reference", "shop-1")
    code, found, _ = here(*line, *options)
    assert (code, found["status"], found["error"]["type"]) == (4, "refused", "ReferenceMismatch")
    assert (found["order_id"], found["numbers"]) == (None, [])
    assert beside.requests == []


def test_an_order_that_only_the_journal_knows(
    beside: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Here(tmp_path / "mine.db", capsys)
    _, bought, _ = here(*BUY)
    origin = beside.base_url
    keep(here.journal, left("ours", State.UNKNOWN, origin=origin))
    other = here.journal.with_name("other.db")
    keep(other, left("theirs", State.ORDERED, origin=origin, order_id=bought["order_id"]))
    code, found, _ = Here(other, capsys)("order", "--reference", "theirs")
    assert (code, found["order"]["id"]) == (0, bought["order_id"])
    code, found, _ = here("order", "--reference", "ours")
    assert (code, "the journal says unknown" in found["error"]["message"]) == (3, True)


# -- what can't be one


@pytest.fixture
def a_place() -> Iterator[Path]:
    """A directory that others can look into."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("command", [BUY, ("reconcile",), ("journal",)])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "Is a directory"),
        (lambda path: path.write_text("my diary, page 1\n" * 100), "not an SQLite file"),
    ],
)
def test_unusable_files(  # noqa: PLR0917 - the columns of the table
    make: Callable[[Path], object],
    words: str,
    command: tuple[str, ...],
    beside: Simulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "file"
    make(file)
    code, found, said = Here(file, capsys)(*command)
    assert (code, found["error"]["type"]) == (2, "JournalUnusable")
    assert words in said
    assert beside.requests == []


@contextlib.contextmanager
def without_rights() -> Iterator[None]:
    """As somebody whom the rights of files bind: root, who is above them, becomes nobody."""
    "later".encode("idna")  # loaded now: nobody may not read root's Python
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.skipif(sys.platform == "win32", reason="rights of POSIX")
def test_a_file_that_is_read_only(
    beside: Simulator, a_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_place / "mine.db"
    keep(file)
    file.chmod(0o444)
    with without_rights():
        code, found, _ = Here(file, capsys)(*BUY)
    assert (code, found["error"]["type"]) == (2, "JournalUnusable")
    assert "can't be opened for writing" in found["error"]["message"]
    assert beside.requests == []


@pytest.mark.skipif(sys.platform == "win32", reason="rights of POSIX")
@pytest.mark.parametrize("in_use", [False, True])
def test_a_file_that_is_read_only_is_listed(
    in_use: bool, beside: Simulator, a_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_place / "mine.db"
    keep(file, left("older", State.SENT, origin=beside.base_url))
    writer = sqlite3.connect(file)
    if in_use:  # what is written now is in the write-ahead log beside the file
        writer.execute("UPDATE purchases SET reference = 'newer'")
        writer.commit()
    for path in a_place.iterdir():
        path.chmod(0o444)
    a_place.chmod(0o555)
    files = sorted(a_place.iterdir())
    with without_rights():
        code, found, said = Here(file, capsys)("journal")
        assert (0, ["newer" if in_use else "older"]) == (
            code,
            [purchase["reference"] for purchase in found["purchases"]],
        ), said
    assert files == sorted(a_place.iterdir())
    a_place.chmod(0o755)
    writer.close()


@pytest.mark.skipif(sys.platform == "win32", reason="rights of POSIX")
def test_an_empty_file_that_is_read_only(
    beside: Simulator, a_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_place / "mine.db"
    file.touch(mode=0o444)
    with without_rights():
        code, found, _ = Here(file, capsys)("journal")
    assert (2, "JournalUnusable") == (code, found["error"]["type"])
    assert "is empty" in found["error"]["message"]


@pytest.mark.parametrize("command", [("reconcile",), ("cancel", "a"), ("journal",)])
def test_no_journal_is_made_by_looking(
    command: tuple[str, ...],
    beside: Simulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, found, _ = Here(tmp_path / "typo.db", capsys)(*command)
    assert (code, found["error"]["type"]) == (2, "InvalidInput")
    assert not (tmp_path / "typo.db").exists()


def test_a_directory_that_is_not_there(
    beside: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, _ = Here(tmp_path / "no" / "mine.db", capsys)(*BUY)
    assert (code, found["error"]["type"]) == (2, "JournalUnusable")
    assert beside.requests == []


def test_a_state_directory_that_cannot_be_made(beside: Simulator, state: Path) -> None:
    state.write_text("in the way")
    assert run_here(BUY) == 2


# -- addresses and their passwords


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (f"mysql://me:{KEY}@localhost/x", 2),
        (f"host=localhost password={KEY}", 2),
        (f"postgresql://me:{KEY}@localhost:port/x", 2),
        (f"postgresql://me:{KEY}@127.0.0.1:9/x", 7),
        (f"postgresql://127.0.0.1:9/x?user=me&password={KEY}", 7),
    ],
)
def test_an_address_that_leads_nowhere(
    address: str, code: int, beside: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in ((), ("--debug",)):
        assert run_here([*BUY, "--journal", address, *options]) == code
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
    assert beside.requests == []


def test_an_address_in_the_wrong_place(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "pass-word-1"
    assert run_here(["buy", f"postgresql://me:{secret}@localhost/x"]) == 2
    said = capsys.readouterr()
    assert secret not in said.out + said.err


def test_without_the_driver(
    beside: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "flows.journal.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert run_here([*BUY, "--journal", "postgresql://localhost/x"]) == 2
    assert "didww-async[postgres]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("where", "secret"),
    [
        (None, set()),
        ("/var/lib/purchases.db", set()),
        ("postgresql://localhost/x", set()),
        ("postgresql://me:a%40b@localhost/x", {"a%40b", "a@b"}),
        ("postgresql://localhost/x?password=p%20w", {"p w"}),
    ],
)
def test_what_is_secret(where: str | None, secret: set[str]) -> None:
    assert secret == passwords(where)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ""),
        ({"journal": "my purchases.db"}, " --journal 'my purchases.db'"),
        ({"journal": "postgresql://db.example/x"}, " --journal postgresql://db.example/x"),
        ({"journal": "postgresql://me:pw@db/x"}, " --journal postgresql://..."),
        ({"journal": "postgresql://me:p/w@db/x"}, " --journal postgresql://..."),
        ({"journal": "postgresql://me:pw"}, " --journal postgresql://..."),
        ({"journal": "postgresql://db/x?sslpassword=pw"}, " --journal postgresql://..."),
        ({"environment": "sandbox"}, " --environment sandbox"),
        ({"base_url": "http://x/v3"}, " --base-url http://x/v3"),
    ],
)
def test_the_options_that_lead_to_the_same_place(options: dict[str, str], words: str) -> None:
    assert words == typed(Journaled(**options))  # type: ignore[arg-type]


# -- an order that the journal could not take


def test_an_order_that_was_not_written_down() -> None:
    sent = left("a", State.SENT, origin="http://x/v3")
    error = OrderNotRecorded(purchase=sent, order_id="17", why="the disk is full")
    found = after_error(error, sent, reference_given=True, reference="a")
    assert (Exit.INCOMPLETE, "pending", "17") == (found.code, found.status, found.order_id)

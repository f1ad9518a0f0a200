"""What a person mistypes, closes or leaves: it is told, and nothing else is bought than meant."""

import asyncio
import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli.commands import COMMAND, KEY, NEW_YORK, environment, pointed_at, run
from cli.purchases_here import Here, keep, left
from cli.terminal import CTRL_C, at_terminal

from didww_async.simulator import Simulator
from flows import Resumed
from flows.cli.app import run as run_here
from flows.cli.exits import Exit
from flows.cli.settling import exit_of
from flows.errors import PurchaseExpired
from flows.journal import State

LONDON = ("--country", "GB", "--city", "London")


@pytest.mark.parametrize("number", ["1.5", "0x3", "1_0", "٣", "1e3", ""])
@pytest.mark.parametrize("option", ["--quantity", "--channels"])
def test_a_number_is_not_rounded(option: str, number: str, beside: Simulator, here: Here) -> None:
    code, found, _ = here("buy", *LONDON, "--yes", option, number)
    assert (2, []) == (code, beside.orders)
    assert "is no whole number" in found["error"]["message"]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["simulate", "--port", "99999"], 2, "a port is 0 to 65535"),
        (["simulate", "--port", "18130.9"], 2, "is no whole number"),
        (["buy", "--country", "GB", "--city", "", "--yes"], 2, "city is a name or id"),
        (["regions", "--country", ""], 2, "country is a name or id"),
        (["prefixes", "--country", "US"], 2, "Add --region."),
        (["offers", "--country", "GB", "--feature", "voice"], 2, "is not a valid value"),
        (["journal", "--journal", "~nouser/x.db"], 2, "is no file"),
        (["journal", "--journal", "postgresql:/u:S3CRET@h/d"], 2, "begins with postgresql://"),
        (["journal", "--journal", "postgresql://u:S3CRET@db..x/d"], 7, "its host is no name"),
        (["batch", "--json"], 2, "name a file"),
    ],
)
def test_bad_input(
    line: list[str],
    code: int,
    words: str,
    beside: Simulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert code == run_here(line)
    said = capsys.readouterr()
    assert words in " ".join(said.err.split())
    assert "S3CRET" not in said.err
    assert "Traceback" not in said.err
    assert ("--json" in line) == bool(said.out)
    assert [] == beside.orders


def test_features_may_be_one_text(beside: Simulator, here: Here) -> None:
    several = ("--feature", "voice_in", "--feature", "t38")
    one = ("--feature", "voice_in, t38")
    where = ("--country", "GB", "--city", "London", "--json")
    found = []
    for options in (several, one):
        assert 0 == run_here(["offers", *where, *options])
        found.append(json.loads(here.capsys.readouterr().out)["offers"])
    assert found[0] == found[1] != []


def test_the_journal_of_an_account_with_a_name(
    beside: Simulator, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIDWW_ACCOUNT", "main-account")
    assert 0 == here("buy", *NEW_YORK, "--yes", "--reference", "shop-1")[0]
    assert ["shop-1"] == [one["reference"] for one in here("journal")[1]["purchases"]]
    monkeypatch.delenv("DIDWW_ACCOUNT")
    assert [] == here("journal")[1]["purchases"]


def test_what_resume_exits_with() -> None:
    def one(state: State, *, failed: bool = False) -> Resumed:
        purchase = left("a", state, origin="http://x")
        return Resumed(
            purchase=purchase, error=PurchaseExpired(purchase=purchase) if failed else None
        )

    expired = one(State.EXPIRED, failed=True)
    assert Exit.REFUSED == exit_of([expired])
    assert Exit.PARTIAL == exit_of([expired, one(State.ORDERED)])
    assert Exit.UNKNOWN == exit_of([expired, one(State.ORDERED), one(State.UNKNOWN)])
    assert Exit.OK == exit_of([one(State.ORDERED)])


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
async def test_resume_says_what_it_would_order(simulator: Simulator, tmp_path: Path) -> None:
    journal, origin = tmp_path / "mine.db", simulator.base_url
    await asyncio.to_thread(
        keep,
        journal,
        left("young", State.PLANNED, origin=origin, minutes=1),
        left("old", State.PLANNED, origin=origin, minutes=20),
    )
    async with at_terminal("resume", "--journal", str(journal), simulator=simulator) as terminal:
        await terminal.sees("Order this purchase (custom)?")
        terminal.types(CTRL_C)
        assert 130 == await terminal.leaves()
    year = f"{dt.datetime.now(dt.UTC):%Y}"
    assert f"planned {year}-" in " ".join(terminal.shown.split())
    assert "old:" not in terminal.shown
    assert [] == simulator.orders


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
async def test_a_resend_that_is_declined(simulator: Simulator, tmp_path: Path) -> None:
    journal = tmp_path / "mine.db"
    lost = left("lost", State.UNKNOWN, origin=simulator.base_url)
    await asyncio.to_thread(keep, journal, lost)
    command = ("resend", "lost", "--journal", str(journal))
    async with at_terminal(*command, simulator=simulator) as terminal:
        await terminal.sees("type its reference")
        terminal.types("wrong\r")
        assert 130 == await terminal.leaves()
    shown = " ".join(terminal.shown.split())
    assert "Nothing was sent again: the reference was not typed." in shown
    assert f"didww-async resend lost --journal {journal}" in shown
    assert [] == simulator.orders


def test_a_name_that_can_be_no_reference_was_never_ordered(beside: Simulator, here: Here) -> None:
    code, _, said = here("buy", *NEW_YORK, "--yes", "--reference", "my order; ls")
    assert (2, []) == (code, beside.orders)
    assert "didww-async order" not in said


def test_what_is_unknown_leads_to_a_decision(beside: Simulator, here: Here) -> None:
    keep(here.journal, left("lost", State.UNKNOWN, origin=beside.base_url))
    code, _, said = here("reconcile")
    assert 6 == code
    assert "didww-async resend REFERENCE" in said


@pytest.mark.skipif(sys.platform == "win32", reason="closed by a shell of POSIX")
@pytest.mark.parametrize(("closed", "told"), [(">&-", False), ("2>&-", True)])
async def test_a_closed_stream(closed: str, told: bool, simulator: Simulator) -> None:
    command = " ".join([*COMMAND, "buy", "--yes", "--json", *(f"'{word}'" for word in NEW_YORK)])
    process = await asyncio.create_subprocess_shell(
        f"{command} {closed}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**pointed_at(simulator)),
    )
    out, err = await process.communicate()
    assert (0, 1, told) == (process.returncode, len(simulator.orders), b"completed" in out)
    assert b"Traceback" not in err


INTERRUPTED = """
import os, signal, sys
import flows.cli

class Interrupt:
    at = sys.argv.pop(1)

    def find_spec(self, name, path=None, target=None):
        if name == self.at:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
sys.exit(flows.cli.main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("module", ["cyclopts", "flows.cli.app", "aiohttp.client"])
def test_ctrl_c_while_it_loads(module: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module, "balance"],
        capture_output=True,
        env=environment(DIDWW_API_KEY=KEY, DIDWW_BASE_URL="http://127.0.0.1:9/v3"),
        timeout=60,
        check=False,
    )
    assert (130, b"", b"Interrupted.\n") == (ended.returncode, ended.stdout, ended.stderr)


async def test_over_the_limit_of_a_batch(simulator: Simulator, tmp_path: Path) -> None:
    lines = "".join(f"n{number},GB,London,2\n" for number in range(3))
    path = tmp_path / "orders.csv"
    path.write_text(f"reference,country,city,channels\n{lines}")
    env = pointed_at(simulator)
    said = await run("batch", str(path), "--yes", "--max-total", "1", env=env)
    told = " ".join(said.err.split())
    assert (8, 1) == (said.code, len(simulator.dids))
    assert "with its next order the batch would cost 2.4, over max_total=1" in told
    assert "Raise --max-total for the rest, then run the same command again" in told

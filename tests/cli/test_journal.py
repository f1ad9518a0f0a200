"""`reconcile`, `resume` and `journal`: settling what earlier runs left, and listing it."""

import json
import signal
import sqlite3
import sys
from pathlib import Path

import pytest
from cli.commands import NEW_YORK, pointed_at, run, started, until
from cli.purchases_here import Here, keep, kept, left
from cli.terminal import ENTER, at_terminal
from purchases import posts

from didww_async.simulator import AnswerLate, ServerFault, Simulator
from flows.cli.app import run as run_here
from flows.journal import SqliteJournal, State

BUY = ("buy", *NEW_YORK, "--yes", "--reference", "shop-1")
ELSEWHERE = "https://sandbox-api.didww.com/v3"


def two_minutes_pass(journal: Path) -> None:
    """Move the claims back, so that nobody has to wait until their orders may be looked up."""
    with sqlite3.connect(journal) as connection:
        (claimed,) = connection.execute("SELECT claimed_at FROM purchases").fetchone()
        earlier = "strftime('%Y-%m-%dT%H:%M:%f+00:00', ?, '-2 minutes')"
        connection.execute(f"UPDATE purchases SET claimed_at = {earlier}", [claimed])  # noqa: S608
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_killed_while_the_order_is_on_its_way(simulator: Simulator, state: Path) -> None:
    simulator.inject(AnswerLate(15), method="POST", path="/orders")
    env = pointed_at(simulator)
    async with started(*BUY, env=env) as process:
        await until(lambda: simulator.orders)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    sent = await run("journal", "--state", "sent", "--json")
    assert [(it["reference"], it["order_id"]) for it in sent.json["purchases"]] == [
        ("shop-1", None)
    ]

    two_minutes_pass(state / "didww-async" / "purchases.db")
    settled = await run("reconcile", "--json", env=env)
    again = await run(*BUY, "--json", env=env)
    assert (settled.code, again.code) == (0, 0)
    (order,) = simulator.orders
    (found,) = settled.json["purchases"]
    assert (found["state"], found["order_id"]) == ("completed", order.id)
    assert (again.json["status"], again.json["order_id"]) == ("completed", order.id)
    assert again.json["numbers"] == [did.number for did in simulator.dids] == found["numbers"]


def test_reconcile_settles_and_orders_nothing(beside: Simulator, here: Here) -> None:
    code, bought, _ = here(*BUY)
    assert code == 0
    keep(
        here.journal,
        left("lost", State.UNKNOWN, origin=beside.base_url),
        left("plan", State.PLANNED, origin=beside.base_url),
        left("there", State.ORDERED, origin=ELSEWHERE, order_id="1"),
        left("told", State.ORDERED, origin=beside.base_url, order_id="2"),
    )
    code, found, _ = here("reconcile")
    assert code == 6
    assert {it["reference"]: it["state"] for it in found["purchases"]} == {
        "lost": "unknown",
        "told": "ordered",
    }
    assert "could not be found" in found["purchases"][1]["error"].lower()
    assert found["api"] == beside.base_url
    assert posts(beside) == 1
    assert kept(here.journal)["shop-1"] is State.COMPLETED
    assert bought["numbers"]


def test_reconcile_while_didww_is_away(
    here: Here, beside: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9/v3"
    monkeypatch.setenv("DIDWW_BASE_URL", nowhere)
    monkeypatch.setattr("asyncio.sleep", _no_pause)
    keep(here.journal, left("a", State.ORDERED, origin=nowhere, order_id="1"))
    code, found, _ = here("reconcile")
    assert code == 7
    assert found["purchases"][0]["error"]


async def _no_pause(_: float) -> None:
    """Instead of the pauses between attempts."""


def test_resume_orders_what_was_planned(beside: Simulator, here: Here) -> None:
    keep(
        here.journal,
        left("young", State.PLANNED, origin=beside.base_url),
        left("old", State.PLANNED, origin=beside.base_url, minutes=16),
    )
    code, refused, _ = here("resume")
    assert (code, posts(beside)) == (2, 0)
    assert "--yes" in refused["error"]["message"]
    code, found, _ = here("resume", "--yes")
    assert code == 8
    assert {it["reference"]: it["state"] for it in found["purchases"]} == {
        "young": "completed",
        "old": "expired",
    }
    assert [order.external_reference_id for order in beside.orders] == ["young"]
    assert here("resume", "--yes")[:2] == (0, {**found, "purchases": []})


def test_a_plan_that_was_not_carried_out(beside: Simulator, here: Here) -> None:
    beside.inject(ServerFault(status=401), method="POST", path="/orders")
    code, found, said = here(*BUY)
    assert (code, found["status"]) == (7, "not_bought")
    assert "resume" not in said  # nobody orders it but who asks for it again
    assert kept(here.journal) == {"shop-1": State.EXPIRED}
    assert here(*BUY)[0] == 0
    assert len(beside.orders) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
async def test_resume_asks(simulator: Simulator, tmp_path: Path) -> None:
    journal = tmp_path / "mine.db"
    plan = left("plan", State.PLANNED, origin=simulator.base_url)
    async with SqliteJournal(journal) as opened:
        await opened.insert(plan)
    async with at_terminal("resume", "--journal", str(journal), simulator=simulator) as terminal:
        await terminal.sees("plan: 1 of SKU")
        await terminal.sees("(y/N)")
        terminal.types(ENTER)
        assert await terminal.leaves() == 130
    assert simulator.requests == []


def test_nothing_to_settle(
    beside: Simulator, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(["reconcile"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Nothing is open.\n")
    assert not state.exists()
    assert run_here(["reconcile", "--simulate"]) == 2


def test_the_journal_is_listed_without_a_key(
    here: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = "https://api.didww.com/v3"
    keep(
        here.journal,
        left("a", State.COMPLETED, origin=live, order_id="1", numbers=("1212", "1213")),
        left("b", State.UNKNOWN, origin=live, error="no answer"),
        left("c", State.PLANNED, origin=ELSEWHERE),
    )

    def listed(*options: str) -> list[str]:
        code, found, _ = here("journal", *options)
        assert code == 0
        return [it["reference"] for it in found["purchases"]]

    assert ["a", "b", "c"] == listed()
    assert ["b"] == listed("--state", "unknown")
    assert ["a", "b"] == listed("--state", "unknown", "--state", "completed")
    assert ["a"] == listed("--reference", "a")
    assert ["c"] == listed("--environment", "sandbox")
    monkeypatch.setenv("DIDWW_ENVIRONMENT", "production")
    assert ["a", "b"] == listed()
    assert ["a", "b", "c"] == listed("--all-accounts")

    monkeypatch.setenv("DIDWW_JOURNAL", str(here.journal))
    assert run_here(["journal", "--reference", "a"]) == 0
    fields = capsys.readouterr().out.rstrip("\n").split("\t")
    assert ["a", "completed", "1", "1", "1212,1213"] == fields[:5]
    assert ["", live, "default"] == fields[7:]
    assert run_here(["journal", "--environment", "prod"]) == 2


def test_the_journal_of_postgresql(
    beside: Simulator, postgres: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*line: str) -> dict[str, object]:
        assert run_here([*line, "--json", "--journal", postgres]) == 0
        output = capsys.readouterr()
        assert "password" not in output.out + output.err
        found: dict[str, object] = json.loads(output.out)
        return found

    first, again = said(*BUY), said(*BUY)
    assert first["order_id"] == again["order_id"] == beside.orders[0].id
    assert len(beside.orders) == 1
    assert said("reconcile")["purchases"] == []
    (listed,) = said("journal")["purchases"]  # type: ignore[misc]
    assert (listed["reference"], listed["state"]) == ("shop-1", "completed")

"""Ctrl-C, a question that is declined, a terminal that is closed: what is known is told, and the
same command goes on."""

import signal
import sys

import pytest
from batch.desk import GOOD, Desk, events
from cli.commands import ended, run, started, until
from cli.terminal import CTRL_C, at_terminal

from didww_async.simulator import AnswerLate

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


async def test_ctrl_c_and_the_same_command_again(desk: Desk) -> None:
    desk.simulator.inject(AnswerLate(1.0), method="POST", path="/orders")
    command = ("batch", desk.file(GOOD), "--yes", "--report", str(desk.place / "report.csv"))
    async with started(*command, env=desk.env) as process:
        await until(lambda: desk.simulator.orders)
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert 130 == said.code
    assert "3 open (3 of them in orders on their way)" in said.err
    assert "in 1 order for" in said.err
    assert "Run the same command again" in " ".join(said.err.split())
    assert {"open"} == {row["state"] for row in desk.report()}
    again = await run(*command, env=desk.env)
    assert (0, 6, 1) == (again.code, len(again.lines), len(desk.simulator.orders))


@pytest.mark.parametrize(
    ("path", "orders"),
    [("/cities", 0), ("/did_groups", 0), ("/balance", 0), ("/orders/", 1), ("/dids", 1)],
)
async def test_whatever_it_waits_for(path: str, orders: int, desk: Desk) -> None:
    desk.simulator.inject(AnswerLate(20), method="GET", path=f"{path}*")
    command = ("batch", desk.file(GOOD), "--yes", "--json")
    async with started(*command, env=desk.env) as process:
        await until(
            lambda: any(
                it.path.startswith(path) and it.method == "GET" for it in desk.simulator.requests
            )
        )
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert (130, orders) == (said.code, len(desk.simulator.orders))
    if orders:
        [summary] = events(said)["summary"]
        assert (130, 3, 3) == (summary["exit_code"], summary["open"], summary["on_their_way"])
    else:
        assert "Nothing was ordered by this run." in said.err
    again = await run(*command, env=desk.env)
    [summary] = events(again)["summary"]
    assert (0, 3, 1) == (again.code, summary["bought"], len(desk.simulator.orders))


async def test_ctrl_c_at_a_terminal_and_once_more(desk: Desk) -> None:
    desk.simulator.inject(AnswerLate(20), method="POST", path="/orders")
    journal, report = str(desk.place / "mine.db"), str(desk.place / "report.csv")
    command = ("batch", desk.file(GOOD), "--yes", "--journal", journal, "--report", report)
    async with at_terminal(*command, simulator=desk.simulator) as terminal:
        await until(lambda: desk.simulator.orders)
        terminal.types(CTRL_C)
        await terminal.sees("Ctrl-C again leaves at once.\n")
        terminal.types(CTRL_C)
        await terminal.sees("orders of open lines may be on their way.\n")
        await terminal.sees("3 lines: 3 open.\n")
        assert 130 == await terminal.leaves()
    assert f"What is known: didww-async journal --journal {journal}" in (
        " ".join(terminal.shown.split())
    )
    assert {"open"} == {row["state"] for row in desk.report()}


async def test_a_terminal_that_is_closed(desk: Desk) -> None:
    desk.simulator.inject(AnswerLate(1.0), method="POST", path="/orders")
    journal = str(desk.place / "mine.db")
    command = ("batch", desk.file(GOOD), "--yes", "--journal", journal)
    async with at_terminal(*command, simulator=desk.simulator) as terminal:
        await terminal.sees("completing")
        await until(lambda: desk.simulator.orders)
        terminal.closes()
        assert 130 == await terminal.leaves()
    told = await run("journal", "--journal", journal, "--json", env=desk.env)
    assert [desk.simulator.orders[0].id] == [one["order_id"] for one in told.json["purchases"]]


async def test_at_a_terminal_it_asks(desk: Desk) -> None:
    journal = str(desk.place / "mine.db")
    command = ("batch", desk.file(GOOD), "--journal", journal)
    async with at_terminal(*command, simulator=desk.simulator) as terminal:
        await terminal.sees("Order 6 numbers for")
        terminal.types("n\r")
        assert 130 == await terminal.leaves()
    assert terminal.shown.rstrip().endswith("Nothing was bought: it was not confirmed.")
    assert 0 == desk.posts()
    async with at_terminal(*command, simulator=desk.simulator) as terminal:
        await terminal.sees("Order 6 numbers for")
        terminal.types("y\r")
        await terminal.sees("3 lines: 3 bought")
        assert 0 == await terminal.leaves()

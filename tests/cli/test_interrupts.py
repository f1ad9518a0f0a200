"""Ctrl-C while an order is on its way: what is known is told, and nothing is ordered twice."""

import signal
import sys
import time
from pathlib import Path

import pytest
from cli.commands import NEW_YORK, ended, pointed_at, started, until
from cli.purchases_here import left

from didww_async.simulator import AnswerLate, Delay, DropAfter, ServerFault, Simulator
from flows.journal import SqliteJournal, State

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
BUY = ("buy", *NEW_YORK, "--yes", "--json", "--reference", "shop-7")


def names_in(directory: Path) -> list[str]:
    return [it.name for it in directory.iterdir()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_waits_for_the_answer_to_the_order(
    simulator: Simulator, state: Path, number: int
) -> None:
    simulator.inject(AnswerLate(1.0), method="POST", path="/orders")
    async with started(*BUY, env=pointed_at(simulator)) as process:
        await until(lambda: simulator.orders)
        process.send_signal(number)
        said = await ended(process)
    assert said.code == 130
    found = said.json
    assert (found["status"], found["reference"]) == ("pending", "shop-7")
    assert found["order_id"] == simulator.orders[0].id
    assert "the order shop-7" in said.err
    assert f"didww-async order {found['order_id']}" in said.err
    assert len(simulator.orders) == 1
    # Closed: SQLite has put away its write-ahead log.
    assert names_in(state / "didww-async") == ["purchases.db"]


async def test_a_second_interrupt_leaves_at_once(simulator: Simulator) -> None:
    simulator.inject(AnswerLate(15), method="POST", path="/orders")
    async with started(*BUY, env=pointed_at(simulator)) as process:
        await until(lambda: simulator.orders)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while b"Ctrl-C again" not in (line := await process.stderr.readline()):
            assert line
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert time.monotonic() - asked < 3
    assert said.code == 130
    assert (said.json["status"], said.json["order_id"]) == ("unknown", None)
    assert "Settle it with: didww-async reconcile\n" in said.err
    assert "What is known: didww-async journal --reference shop-7\n" in said.err


async def test_the_answer_was_lost(simulator: Simulator) -> None:
    simulator.inject(DropAfter(), method="POST", path="/orders")
    simulator.inject(ServerFault(), method="GET", path="/orders", times=None, after=1)
    async with started(*BUY, env=pointed_at(simulator)) as process:
        await until(lambda: simulator.orders and simulator.requests[-1].path == "/orders")
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert said.code == 130
    assert said.json["status"] == "unknown"
    assert "The order shop-7 may be on its way" in said.err
    assert len(simulator.orders) == 1


async def test_the_journal_is_gone_while_the_outcome_is_open(
    simulator: Simulator, tmp_path: Path
) -> None:
    simulator.inject(DropAfter(), method="POST", path="/orders")
    simulator.orders_visible_after = 3600
    # The look before the order, the order, and the look after it: that one is still on its way.
    simulator.inject(Delay(1.5), method="GET", path="/orders", after=1)
    journal = tmp_path / "mine.db"
    async with started(*BUY, "--journal", str(journal), env=pointed_at(simulator)) as process:
        await until(lambda: 3 <= [it.path for it in simulator.requests].count("/orders"))
        journal.unlink()
        said = await ended(process)
    assert said.code == 6
    assert (said.json["status"], said.json["error"]["type"]) == ("unknown", "JournalUnusable")
    assert f"didww-async reconcile --journal {journal}\n" in said.err
    assert len(simulator.orders) == 1


async def test_while_waiting_for_the_numbers(simulator: Simulator) -> None:
    simulator.completes_after = None
    async with started(*BUY, env=pointed_at(simulator)) as process:
        await until(lambda: any(it.path.startswith("/orders/") for it in simulator.requests))
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert said.code == 130
    assert (said.json["status"], said.json["order_id"]) == ("pending", simulator.orders[0].id)


async def test_before_the_order(simulator: Simulator) -> None:
    simulator.inject(Delay(10), method="GET", path="/did_groups")
    async with started(*BUY, env=pointed_at(simulator)) as process:
        await until(lambda: any(it.path == "/did_groups" for it in simulator.requests))
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert (said.code, said.json["status"]) == (130, "not_bought")
    assert "Nothing was bought by this run." in said.err
    assert simulator.orders == []


async def test_while_looking(simulator: Simulator) -> None:
    simulator.inject(Delay(10), method="GET", path="/balance")
    async with started("balance", env=pointed_at(simulator)) as process:
        await until(lambda: simulator.requests)
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert (said.code, said.out) == (130, "")


async def test_while_settling(simulator: Simulator, tmp_path: Path) -> None:
    journal = tmp_path / "mine.db"
    async with SqliteJournal(journal) as opened:
        await opened.insert(left("a", State.UNKNOWN, origin=simulator.base_url))
    simulator.inject(Delay(10), method="GET", path="/orders")
    env = pointed_at(simulator)
    async with started("reconcile", "--journal", str(journal), env=env) as process:
        await until(lambda: simulator.requests)
        process.send_signal(signal.SIGINT)
        said = await ended(process)
    assert (said.code, said.out) == (130, "")
    assert f"What is known: didww-async journal --journal {journal}\n" in said.err
    assert names_in(tmp_path) == ["mine.db"]

"""`resend` and `cancel`: a person's decisions about one purchase."""

import sys
from pathlib import Path

import pytest
from cli.commands import NEW_YORK
from cli.purchases_here import Here, keep, kept, left
from cli.terminal import ENTER, at_terminal
from purchases import posts

from didww_async.simulator import DropAfter, ListLate, Simulator
from flows.journal import SqliteJournal, State

BUY = ("buy", *NEW_YORK, "--yes", "--reference", "shop-1")


# -- resend


def test_resend_buys_what_was_never_there(beside: Simulator, here: Here) -> None:
    keep(here.journal, left("lost", State.UNKNOWN, origin=beside.base_url, error="no answer"))
    code, found, said = here("resend", "lost", "--yes")
    (order,) = beside.orders
    assert (code, found["status"], found["order_id"]) == (0, "completed", order.id)
    assert found["numbers"] == [did.number for did in beside.dids]
    assert (found["reference"], found["quantity"]) == ("lost", 1)
    assert found["ids"]["order_id"] == order.id
    assert "no answer" in said
    assert kept(here.journal) == {"lost": State.COMPLETED}


def test_resend_reports_what_is_there_after_all(beside: Simulator, here: Here) -> None:
    code, bought, _ = here(*BUY)
    assert code == 0
    lost = here.journal.with_name("restored.db")
    keep(lost, left("shop-1", State.UNKNOWN, origin=beside.base_url))
    code, found, _ = Here(lost, here.capsys)("resend", "shop-1", "--yes")
    assert (code, found["order_id"]) == (0, bought["order_id"])
    assert posts(beside) == 1


@pytest.mark.parametrize(
    ("state", "minutes", "code", "status", "words"),
    [
        (State.UNKNOWN, 1, 6, "unknown", "settling time"),
        (State.SENT, 5, 6, "unknown", "it is sent"),
        (State.ORDERED, 5, 4, "pending", "it is ordered"),
        (State.COMPLETED, 5, 4, "completed", "it is completed"),
        (State.REFUSED, 5, 4, "refused", "it is refused"),
    ],
)
def test_resend_refuses(  # noqa: PLR0917 - the columns of the table
    state: State,
    minutes: float,
    code: int,
    status: str,
    words: str,
    beside: Simulator,
    here: Here,
) -> None:
    keep(here.journal, left("a", state, origin=beside.base_url, minutes=minutes))
    ended, found, _ = here("resend", "a", "--yes")
    assert (ended, found["status"]) == (code, status)
    assert found["error"]["type"] == "ResendRefused"
    assert words in found["error"]["message"]
    assert posts(beside) == 0


def test_resend_needs_a_person(beside: Simulator, here: Here) -> None:
    keep(here.journal, left("a", State.UNKNOWN, origin=beside.base_url))
    code, found, _ = here("resend", "a")
    assert (code, beside.requests) == (2, [])
    assert "--yes" in found["error"]["message"]
    assert here("resend", "no such", "--yes")[0] == 2
    code, found, _ = here("resend", "nobody", "--yes")
    assert (code, found["error"]["candidates"]) == (3, ["a"])


def test_resend_may_be_unknown_again(beside: Simulator, here: Here) -> None:
    # The answer is dropped after acting, and the order shows up late: it is waited for.
    beside.inject(ListLate(1.0), method="POST", path="/orders")
    keep(here.journal, left("a", State.UNKNOWN, origin=beside.base_url))
    beside.inject(DropAfter(), method="POST", path="/orders", after=1)
    code, found, _ = here("resend", "a", "--yes")
    assert (code, found["order_id"]) == (0, beside.orders[0].id)
    assert len(beside.orders) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
async def test_resend_wants_the_reference_typed(simulator: Simulator, tmp_path: Path) -> None:
    journal = tmp_path / "mine.db"
    async with SqliteJournal(journal) as opened:
        await opened.insert(left("lost", State.UNKNOWN, origin=simulator.base_url))
    line = ("resend", "lost", "--journal", str(journal), "--timeout", "0.5")
    for typed, code in (("y", 130), ("lost", 0)):
        async with at_terminal(*line, simulator=simulator) as terminal:
            await terminal.sees("SECOND")
            await terminal.sees("type its reference")
            assert posts(simulator) == 0
            terminal.types(typed + ENTER)
            assert await terminal.leaves() == code
    assert len(simulator.orders) == 1


# -- cancel


def test_cancel_a_pending_order(beside: Simulator, here: Here) -> None:
    beside.completes_after = None
    assert here(*BUY, "--timeout", "0")[0] == 5
    for _ in range(2):
        code, found, said = here("cancel", "shop-1")
        assert (code, found["status"]) == (0, "canceled")
        assert found["order_id"] == beside.orders[0].id
        assert "was canceled: nothing is bought" in said
    assert kept(here.journal) == {"shop-1": State.CANCELED}
    assert here(*BUY)[:1] == (4,)
    assert posts(beside) == 1


def test_cancel_comes_too_late(beside: Simulator, here: Here) -> None:
    assert here(*BUY)[0] == 0
    code, found, _ = here("cancel", "shop-1")
    assert (code, found["status"], found["error"]["type"]) == (4, "completed", "CancelRefused")
    assert len(found["numbers"]) == 1


@pytest.mark.parametrize(
    ("state", "code", "status", "words"),
    [
        (State.PLANNED, 0, "canceled", "The plan a is dropped"),
        (State.UNKNOWN, 6, "unknown", "no order to cancel"),
        (State.REFUSED, 3, "refused", "no order to cancel"),
    ],
)
def test_cancel_without_an_order(  # noqa: PLR0917 - the columns of the table
    state: State, code: int, status: str, words: str, beside: Simulator, here: Here
) -> None:
    keep(here.journal, left("a", state, origin=beside.base_url))
    ended, found, said = here("cancel", "a")
    assert (ended, found["status"]) == (code, status)
    assert words in said
    assert beside.requests == []


def test_cancel_what_nobody_knows(beside: Simulator, here: Here) -> None:
    keep(here.journal, left("a", State.PLANNED, origin=beside.base_url))
    code, found, _ = here("cancel", "b")
    assert (code, found["error"]["candidates"]) == (3, ["a"])
    assert kept(here.journal) == {"a": State.PLANNED}

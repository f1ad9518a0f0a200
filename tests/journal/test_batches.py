"""What every journal does alike with batches: a line is in one order, however many want it."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal.conftest import maker
from journal.kit import packed

from flows.journal import JournalUnusable, PurchaseJournal, SqliteJournal
from flows.journal.packed import PackedOrder

HERE = {"origin": "http://x/v3", "account": "default"}


async def pack(journal: PurchaseJournal, *orders: PackedOrder, **moves: str) -> bool:
    return await journal.pack(orders, moves=moves, **HERE)


async def where(journal: PurchaseJournal, *lines: str) -> dict[str, str]:
    found = await journal.packed(lines, **HERE)
    return {line: order.reference for line, order in found.items()}


async def test_what_is_packed_is_read(journal: PurchaseJournal) -> None:
    first, second = packed("o-1", "a", "b"), packed("o-2", "c")
    assert {} == await journal.packed(["a"], **HERE)
    assert await pack(journal, first, second)
    found = await journal.packed(["a", "b", "c", "d"], **HERE)
    assert {"a": first, "b": first, "c": second} == found
    assert {} == await journal.packed([], **HERE)


async def test_nothing_to_pack_is_packed(journal: PurchaseJournal) -> None:
    assert await pack(journal)


@pytest.mark.parametrize("part", ["origin", "account"])
async def test_every_account_has_its_own_lines(journal: PurchaseJournal, part: str) -> None:
    assert await pack(journal, packed("o-1", "a"))
    elsewhere = {**HERE, part: "other"}
    assert {} == await journal.packed(["a"], **elsewhere)
    assert await journal.pack([packed("o-1", "a")], moves={}, **elsewhere)


async def test_a_line_that_is_packed_is_not_packed_again(journal: PurchaseJournal) -> None:
    assert await pack(journal, packed("o-1", "a"))
    assert not await pack(journal, packed("o-2", "b"), packed("o-3", "c", "a"))
    assert {"a": "o-1"} == await where(journal, "a", "b", "c")
    assert await pack(journal, packed("o-2", "b"))  # nothing of it was kept


async def test_a_reference_is_packed_once(journal: PurchaseJournal) -> None:
    assert await pack(journal, packed("o-1", "a"))
    assert not await pack(journal, packed("o-1", "b"))
    assert {"a": "o-1"} == await where(journal, "a", "b")


async def test_lines_move_from_the_order_they_are_in(journal: PurchaseJournal) -> None:
    assert await pack(journal, packed("o-1", "a", "b"), packed("o-2", "c"))
    assert await pack(journal, packed("o-3", "a", "c", "d"), a="o-1", c="o-2")
    assert {"a": "o-3", "b": "o-1", "c": "o-3", "d": "o-3"} == await where(journal, *"abcd")


@pytest.mark.parametrize("moves", [{"a": "o-2"}, {"a": "o-1", "b": "o-1"}, {}])
async def test_lines_do_not_move_from_where_they_are_not(
    moves: dict[str, str], journal: PurchaseJournal
) -> None:
    assert await pack(journal, packed("o-1", "a"))
    assert not await pack(journal, packed("o-3", "a", "b"), **moves)
    assert {"a": "o-1"} == await where(journal, "a", "b")


async def test_of_many_that_pack_the_same_lines_one_does(journal: PurchaseJournal) -> None:
    lines = [f"line-{n}" for n in range(40)]

    async def one(n: int) -> bool:
        return await pack(journal, packed(f"o-{n}", *(lines if n % 2 else lines[::-1])))

    won = await asyncio.gather(*map(one, range(12)))
    assert 1 == sum(won)
    winner = f"o-{won.index(True)}"
    assert {winner} == set((await where(journal, *lines)).values())

    async def move(n: int) -> bool:
        return await pack(journal, packed(f"m-{n}", *lines), **dict.fromkeys(lines, winner))

    moved = await asyncio.gather(*map(move, range(12)))
    assert 1 == sum(moved)
    assert {f"m-{moved.index(True)}"} == set((await where(journal, *lines)).values())


async def test_it_is_there_for_the_next_process(another: Callable[[], Any]) -> None:
    async with another() as mine, another() as yours:
        assert await pack(mine, packed("o-1", "a"))
        assert not await pack(yours, packed("o-2", "a"))
        assert await pack(yours, packed("o-2", "a"), a="o-1")
    async with another() as later:
        assert {"a": packed("o-2", "a")} == await later.packed(["a"], **HERE)


async def test_an_order_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "j") as journal:
        assert await pack(journal, packed("o-1", "a"))
        with sqlite3.connect(tmp_path / "j") as other:
            other.execute("UPDATE batch_orders SET details = '{\"surprise\": 1}'")
        other.close()
        with pytest.raises(JournalUnusable, match=r"o-1 can't be read.*newer version"):
            await journal.packed(["a"], **HERE)


LINES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True)


def test_any_history_leaves_every_line_in_the_order_that_had_it_last(
    kind: str, request: pytest.FixtureRequest
) -> None:
    make = maker(kind, request)
    accounts = itertools.count()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(st.tuples(LINES, st.integers(0, 3)), max_size=8))
    def history(steps: list[tuple[list[str], int]]) -> None:
        asyncio.run(check(steps, f"account-{next(accounts)}"))

    async def check(steps: list[tuple[list[str], int]], account: str) -> None:
        here = {"origin": "o", "account": account}
        model: dict[str, str] = {}
        async with make() as journal:
            for number, (lines, stale) in enumerate(steps):
                right = {line: model[line] for line in lines if line in model}
                seen = right if stale else dict.fromkeys(lines[:1], "o-99")
                order = packed(f"o-{number}", *lines)
                assert (seen == right) is await journal.pack([order], moves=seen, **here)
                if seen == right:
                    model |= dict.fromkeys(lines, order.reference)
            found = await journal.packed("abcdef", **here)
        assert model == {line: order.reference for line, order in found.items()}

    history()

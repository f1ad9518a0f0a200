"""The guided purchase at a terminal: what it asks, and what it does not."""

import sys

import pytest
from cli.terminal import CTRL_C, DOWN, ENTER, ESCAPE, at_terminal

from didww_async.simulator import Simulator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")


async def test_from_the_country_to_the_number(simulator: Simulator) -> None:
    async with at_terminal("buy", simulator=simulator) as terminal:
        await terminal.sees("? Country")
        terminal.types("united stat")
        await terminal.sees("1 of")
        terminal.types(ENTER)
        await terminal.sees("? Number type")
        await terminal.sees("Toll-free")
        terminal.types(DOWN + ENTER)
        await terminal.sees("? Region")
        terminal.types("new y" + ENTER)
        await terminal.sees("? Narrow it down")
        terminal.types("npa" + ENTER)
        await terminal.sees("? Area code (NPA)")
        terminal.types("212" + ENTER)
        await terminal.sees("? Prefix (NPA-NXX)")
        terminal.types(ENTER)
        await terminal.sees("? Offer")
        terminal.types("2 ch" + ENTER)
        await terminal.sees("How many")
        terminal.types("3" + ENTER)
        await terminal.sees("Due now")
        await terminal.sees("24.00")
        await terminal.sees("(y/N)")
        terminal.types("y")
        assert "is completed" not in terminal.shown  # nothing is bought without Enter
        terminal.types(ENTER)
        await terminal.sees("is completed")
        assert await terminal.leaves() == 0
    (order,) = simulator.orders
    assert order.qty == 3
    assert order.items[0].prefix_id is not None
    assert all(did.number in terminal.shown for did in simulator.dids)


async def test_asks_only_for_what_is_missing(simulator: Simulator) -> None:
    options = ("--country", "DE", "--city", "Berlin", "--channels", "2", "--quantity", "2")
    async with at_terminal("buy", *options, simulator=simulator) as terminal:
        await terminal.sees("(y/N)")
        assert "type to search" not in terminal.shown
        terminal.types(ENTER)
        assert await terminal.leaves() == 130
    assert "Nothing was bought." in terminal.shown
    assert simulator.orders == []


@pytest.mark.parametrize("key", [ESCAPE, CTRL_C])
async def test_leaving_a_question(simulator: Simulator, key: str) -> None:
    async with at_terminal("buy", simulator=simulator) as terminal:
        await terminal.sees("? Country")
        terminal.types("xyzzy" + ENTER)  # nothing is called that, so nothing is taken
        await terminal.sees("nothing is called that")
        terminal.types(key)
        assert await terminal.leaves() == 130
    assert "Nothing was bought." in terminal.shown
    assert "Traceback" not in terminal.shown
    assert all(request.method == "GET" for request in simulator.requests)


async def test_nothing_on_offer_there_asks_again(simulator: Simulator) -> None:
    options = ("--country", "BS", "--feature", "a2p", "--feature", "t38", "--feature", "cnam_out")
    async with at_terminal("buy", *options, simulator=simulator) as terminal:
        for _ in range(2):
            await terminal.sees("? Narrow it down  (type")
            terminal.types("show all" + ENTER)
            await terminal.sees("choose again")
        await terminal.sees("? Narrow it down  (type")
        terminal.types(ESCAPE)
        assert await terminal.leaves() == 130


async def test_a_table_at_a_terminal(simulator: Simulator) -> None:
    async with at_terminal("countries", simulator=simulator) as terminal:
        await terminal.sees("ISO  NAME")
        await terminal.sees("Vietnam")
        assert await terminal.leaves() == 0

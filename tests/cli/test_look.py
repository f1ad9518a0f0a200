"""The commands that only look: plain lines, JSON, and what can go wrong."""

import json

import pytest
from cli.commands import NEW_YORK, pointed_at, run
from cli.purchases_here import Here
from cli.terminal import at_terminal
from purchases import NEW_YORK_GROUP
from purchases import TWO_CHANNELS as SKU

from didww_async.simulator import Simulator
from flows.cli.app import run as run_here

OFFERS = ("--country", "US", "--region", "NY", "--npa", "212")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["countries"], "US\tUnited States\t1\t1f6fc2bd-f081-4202-9b1a-d9cb88d942b9"),
        (["regions", "--country", "ca"], "\tOntario\t"),
        (["cities", "--country", "US", "--region", "ny", "--name", "albany"], "Albany\tNew York\t"),
        (["cities", "--country", "United Kingdom", "--name", "lond"], "London\t"),
        (["prefixes", "--country", "US", "--region", "New York", "--npa", "212"], "212\t203\t"),
        (["prefixes", "--country", "BS"], "242\t"),
        (["offers", *OFFERS], f"4.0\t4.0\t2\tNew York\t212\tLocal\t620\tno\tvoice_in\t{SKU}"),
        (["balance"], "total_balance\t1000"),
    ],
)
def test_plain_lines(line: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here([*line, "--simulate"]) == 0
    said = capsys.readouterr()
    assert expected in said.out
    assert "\x1b" not in said.out + said.err
    assert "nothing is bought" in said.err


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["offers", *OFFERS, "--simulate", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert (found["environment"], found["simulated"]) == ("simulator", True)
    assert (found["groups_read"], found["groups_total"]) == (1, 1)
    offer = next(it for it in found["offers"] if it["sku_id"] == SKU)
    assert offer["monthly_price"] == "4.0"
    assert offer["did_group_id"] == NEW_YORK_GROUP
    assert offer["needs_registration"] is False


def test_a_list_that_is_not_complete_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["offers", "--country", "US", "--simulate"]) == 0
    assert "narrow the choice" in capsys.readouterr().err


def test_long_candidates_have_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["buy", *OFFERS, "--simulate", "--yes"]
    assert 3 == run_here(line)
    said = capsys.readouterr().err.splitlines()
    first = said.index("error: 2 offers fit. Say which one:")
    assert [True, True, False] == [it.startswith("  ") for it in said[first + 1 : first + 4]]
    assert f"  {SKU}: New York 212 Local (voice_in), 2 channels" in said[first + 2]


def test_a_reference_that_is_taken_for_an_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == run_here(["order", "po-4711", "--simulate"])
    assert "--reference" in capsys.readouterr().err


async def test_a_narrow_terminal_names_what_it_leaves_out(simulator: Simulator) -> None:
    async with at_terminal("offers", *OFFERS, simulator=simulator) as person:
        await person.sees("Too narrow for: ")
        await person.sees("--json shows")
        assert 0 == await person.leaves()


async def test_a_table_without_rows_is_a_sentence(simulator: Simulator) -> None:
    line = ("cities", "--country", "GB", "--name", "nowhere")
    async with at_terminal(*line, simulator=simulator) as person:
        await person.sees("There are no cities to list.")
        assert 0 == await person.leaves()
        assert "REGION" not in person.shown


def test_json_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["regions", "--country", "Germny", "--simulate", "--json"]) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == "NoMatch"
    assert "Germany (DE)" in error["candidates"]


async def test_where_it_looks(simulator: Simulator) -> None:
    said = await run("balance", "--json", env=pointed_at(simulator))
    assert (said.code, said.err) == (0, "")
    assert said.json["api"] == simulator.base_url
    assert (said.json["environment"], said.json["simulated"]) == ("custom", False)


def test_an_order_by_id_and_by_reference(beside: Simulator, here: Here) -> None:
    _, bought, _ = here("buy", *NEW_YORK, "--yes", "--reference", "shop-2")
    assert run_here(["order", bought["order_id"]]) == 0
    assert f"numbers\t{bought['numbers'][0]}\n" in here.capsys.readouterr().out
    code, found, _ = here("order", "--reference", "shop-2")
    assert (code, found["order"]["id"]) == (0, bought["order_id"])
    assert found["order"]["status"] == "completed"
    assert found["order"]["numbers"] == bought["numbers"]
    assert run_here(["order", "--reference", "shop-3"]) == 3
    said = here.capsys.readouterr()
    assert ("", True) == (said.out, "shop-3" in said.err)
    assert run_here(["order"]) == 2

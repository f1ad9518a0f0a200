"""didww-async batch: the command line on files of purchases, against the simulator."""

import asyncio
import json
import sys

import pytest
from batch.desk import GOOD, Desk, events
from cli.commands import run, started


async def test_buys_what_the_lines_ask_for(desk: Desk) -> None:
    said = await desk.run(GOOD, "--yes", "--report", str(desk.place / "report.csv"))
    assert (0, 6, 1) == (said.code, len(said.lines), len(desk.simulator.orders))
    assert "3 lines: 3 bought." in said.err
    assert "6 numbers in 1 order" in said.err
    rows = desk.report()
    assert ["one", "two", "three"] == [row["reference"] for row in rows]
    assert [2, 1, 3] == [len(row["numbers"].split()) for row in rows]
    assert {"bought"} == {row["state"] for row in rows}
    assert sorted(said.lines) == sorted(" ".join(row["numbers"] for row in rows).split())
    assert rows[1]["numbers"].startswith("1212")


async def test_a_second_run_buys_nothing_and_reports_the_same(desk: Desk) -> None:
    first = await desk.run(GOOD, "--yes")
    ordered = desk.posts()
    again = await desk.run(GOOD, "--yes")
    assert (0, sorted(first.lines)) == (again.code, sorted(again.lines))
    assert (1, 1) == (ordered, desk.posts())
    assert "3 are in orders of an earlier run" in again.err


async def test_a_plan_orders_nothing(desk: Desk) -> None:
    said = await desk.run(GOOD, "--plan")
    assert (0, "") == (said.code, said.out)
    assert 0 == desk.posts()
    assert "6 numbers in 2 order items, in 1 order\n" in said.err
    assert "enough" in said.err


async def test_a_plan_says_what_can_not_be_bought(desk: Desk) -> None:
    text = GOOD + "four,GB,,Lundon,,2,1\nfive,GB,,Lundon,,2,1\n"
    said = await desk.run(text, "--plan", "--json", "--report", str(desk.place / "report.csv"))
    found = events(said)
    [plan] = found["plan"]
    assert (8, 5, 2, 6) == (
        said.code,
        plan["lines"],
        plan["unbuyable_lines"],
        plan["numbers"],
    )
    assert [("four", "NoMatch"), ("five", "NoMatch")] == [
        (line["reference"], line["error"]["type"]) for line in found["line"]
    ]
    assert "London" in found["line"][0]["error"]["candidates"]
    assert "line 5, 6: no city in United Kingdom" in said.err
    assert ["open"] * 3 + ["unbuyable"] * 2 == [row["state"] for row in desk.report()]


async def test_part_of_the_lines(desk: Desk) -> None:
    said = await desk.run(GOOD + "four,GB,,Lundon,,2,1\n", "--yes", "--json")
    found = events(said)
    [summary] = found["summary"]
    assert (8, 8, 3, 1) == (
        said.code,
        summary["exit_code"],
        summary["bought"],
        summary["failed"],
    )
    assert {"one", "two", "three", "four"} == {line["reference"] for line in found["line"]}
    assert "then run the same command again" in " ".join(said.err.split())


async def test_nothing_is_bought_for_a_file_with_bad_lines(desk: Desk) -> None:
    text = GOOD + "four,GB,,London,,2,-1\nfive,GB,,London,,2\none,GB,,London,212,2,1\n"
    said = await desk.run(text, "--yes", "--report", str(desk.place / "report.csv"))
    assert (2, "", []) == (said.code, said.out, desk.simulator.requests)
    for words in (
        "line 5: quantity is 1 to 1000, not -1",
        "line 6: it has 6 cells, the header has 7",
        "line 7: a line names a city, or an NPA and NXX, not both",
        "line 7: the reference 'one' is that of line 2 already",
        "has lines that can't be used (3)",
        "--skip-bad",
    ):
        assert words in " ".join(said.err.split())
    assert ["open"] * 3 + ["bad"] * 3 == [row["state"] for row in desk.report()]


async def test_bad_lines_are_left_out_when_asked(desk: Desk) -> None:
    said = await desk.run(GOOD + "four,GB,,London,,2,ten\n", "--yes", "--skip-bad", "--json")
    found = events(said)
    assert (8, 6) == (said.code, sum(len(line["numbers"]) for line in found["line"]))
    assert [{"line": 5, "field": "quantity", "why": "quantity is a whole number, not 'ten'"}] == (
        found["bad_line"]
    )


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", [], "the file is empty"),
        ("country,citty\nGB,x\n", ["--skip-bad"], "did you mean 'city'?"),
        ("country,city\nGB,London\n", [], "it has no reference"),
        (GOOD, ["--batch", "a b"], "letters, digits"),
        (GOOD, ["--max-items-per-order", "0"], "--max-items-per-order is 1 or more"),
        (GOOD, ["--stop-after", "0"], "--stop-after is 1 or more"),
        (GOOD, ["--max-total", "-1"], "0 or more"),
        (GOOD, ["--report", "/nowhere/report.csv"], "the report can't be written"),
    ],
)
async def test_bad_input(desk: Desk, text: str, options: list[str], words: str) -> None:
    said = await desk.run(text, "--yes", *options)
    assert 2 == said.code
    assert words in " ".join(said.err.split())
    assert [] == desk.simulator.requests


async def test_without_a_terminal_it_needs_yes(desk: Desk) -> None:
    said = await desk.run(GOOD)
    assert (2, []) == (said.code, desk.simulator.requests)
    assert "add --yes" in said.err


async def test_a_missing_file_and_the_template(desk: Desk) -> None:
    said = await run("batch", str(desk.place / "none.csv"), "--yes", env=desk.env)
    assert (2, True) == (said.code, "can't be read: No such file" in " ".join(said.err.split()))
    assert 2 == (await run("batch", env=desk.env)).code
    template = await run("batch", "--template")
    assert (0, 3) == (template.code, len(template.lines))
    bought = await desk.run(template.out, "--yes", "--json")
    assert (0, 25) == (bought.code, events(bought)["summary"][0]["numbers"])


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/stdin of POSIX")
async def test_the_file_may_come_through_a_pipe(desk: Desk) -> None:
    command = ("batch", "/dev/stdin", "--plan", "--json")
    async with started(*command, env=desk.env, stdin=asyncio.subprocess.PIPE) as process:
        out, _ = await asyncio.wait_for(process.communicate(GOOD.encode()), 20)
    assert (0, 6) == (process.returncode, json.loads(out)["numbers"])


async def test_a_named_batch_whose_file_changed(desk: Desk) -> None:
    text = "country,city,channels,quantity\nGB,London,2,1\n"
    assert 0 == (await desk.run(text, "--yes", "--batch", "spring")).code
    changed = await desk.run(text.replace(",1\n", ",2\n"), "--yes", "--batch", "spring")
    assert (1, 4) == (desk.posts(), changed.code)
    assert "spring:2" in changed.err


async def test_limits_of_the_batch(desk: Desk) -> None:
    said = await desk.run(GOOD, "--yes", "--max-total", "0.5", "--json")
    assert (4, 0) == (said.code, len(desk.simulator.orders))
    assert {"skipped", "failed"} >= {line["state"] for line in events(said)["line"]}

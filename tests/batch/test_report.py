"""The report of a batch: whole or not at all, and never instead of something better."""

import csv
from pathlib import Path

import pytest
from batch.desk import GOOD, Desk
from cli.commands import ended, run, started, until

from didww_async import DidwwError
from didww_async.simulator import AnswerLate
from flows import PurchaseRequest
from flows.batch import lines_of
from flows.batch.resolving import UnbuyableLine
from flows.cli.batch_report import Report


@pytest.mark.parametrize("there", ["the file itself", "the journal", "a directory", "no directory"])
async def test_a_report_that_could_not_be_written_is_told_before_anything_is_bought(
    there: str, desk: Desk
) -> None:
    paths = {
        "the file itself": desk.place / "orders.csv",
        "the journal": desk.place / "mine.db",
        "a directory": desk.place,
        "no directory": desk.place / "missing" / "report.csv",
    }
    (desk.place / "mine.db").write_bytes(b"SQLite format 3\x00")
    said = await desk.run(GOOD, "--yes", "--report", str(paths[there]))
    assert (2, 0) == (said.code, desk.posts())
    assert "report" in said.err
    assert GOOD == (desk.place / "orders.csv").read_text()
    assert b"SQLite format 3\x00" == (desk.place / "mine.db").read_bytes()


async def test_a_report_is_replaced_by_a_later_one_not_by_nothing(desk: Desk) -> None:
    options = ("--yes", "--report", str(desk.place / "report.csv"))
    assert 0 == (await desk.run(GOOD, *options)).code
    assert 2 == (await run("batch", str(desk.place / "orders.cvs"), *options, env=desk.env)).code
    assert ["bought"] * 3 == [row["state"] for row in desk.report()]
    assert 0 == (await desk.run(GOOD, *options)).code
    assert 1 == desk.posts()


def test_errors_in_a_report_are_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    report = Report(path, message=str)
    [line] = lines_of([PurchaseRequest(country="GB", reference="x")])
    report.add(UnbuyableLine(line=line, error=DidwwError("=HYPERLINK()")))
    assert report.close()
    with path.open() as file:
        assert ["'=HYPERLINK()"] == [row["error"] for row in csv.DictReader(file)]


async def test_a_run_that_could_not_begin_leaves_the_earlier_report(desk: Desk) -> None:
    options = ("--yes", "--report", str(desk.place / "report.csv"))
    assert 0 == (await desk.run(GOOD, *options)).code
    env = {name: text for name, text in desk.env.items() if name != "DIDWW_BASE_URL"}
    said = await run("batch", desk.file(GOOD), *options, env=env)
    assert (2, "set DIDWW_ENVIRONMENT" in said.err) == (said.code, True)
    assert ["bought"] * 3 == [row["state"] for row in desk.report()]
    assert ["mine.db", "orders.csv", "report.csv"] == sorted(it.name for it in desk.place.iterdir())


async def test_numbers_are_told_though_the_report_can_not_be_written(desk: Desk) -> None:
    desk.simulator.inject(AnswerLate(0.5), method="POST", path="/orders")
    place = desk.place / "reports"
    place.mkdir()
    command = ("batch", desk.file(GOOD), "--yes", "--report", str(place / "report.csv"))
    async with started(*command, env=desk.env) as process:
        await until(lambda: desk.simulator.orders)
        (place / "report.csv.part").unlink()
        place.rmdir()
        said = await ended(process)
    assert (1, 6) == (said.code, len(said.lines))
    assert "the report can't be written to" in said.err
    assert "3 lines: 3 bought." in said.err

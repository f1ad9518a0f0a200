"""`didww-async buy` by options: what it buys, what it refuses, what it says."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from cli.commands import (
    COMMAND,
    KEY,
    NEW_YORK,
    environment,
    pointed_at,
    run,
)
from cli.purchases_here import Here
from purchases import NEW_YORK_GROUP, TWO_CHANNELS, posts

from didww_async.simulator import Simulator
from flows.cli.app import run as run_here

NOWHERE = "http://127.0.0.1:9/v3"
BUY = ("buy", *NEW_YORK, "--yes")
BUY_HERE = (*BUY, "--json")


async def test_buys_by_region_and_npa_on_its_own_simulator() -> None:
    said = await run("buy", "--simulate", *NEW_YORK, "--yes")
    assert said.code == 0
    assert len(said.lines) == 1
    assert said.out.startswith("1212")
    assert "nothing is bought" in said.err
    assert "8.00 (USD without VAT" in said.err


def test_buys_by_city_and_answers_with_one_json_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = ("--country", "DE", "--city", "berlin")
    offer = ("--prefer", "cheapest", "--quantity", "2")
    assert run_here(["buy", "--simulate", *place, *offer, "--yes", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["status"] == "completed"
    assert len(found["numbers"]) == 2
    assert found["prices"] == {
        "setup": "5.0",
        "monthly": "4.0",
        "total": "18.0",
        "charged": "18.0",
        "currency": "USD",
    }
    assert (found["environment"], found["simulated"]) == ("simulator", True)
    assert found["ids"]["city_id"]
    assert found["ids"]["order_id"] == found["order_id"]
    assert found["error"] is None


async def test_orders_once_under_a_reference(simulator: Simulator) -> None:
    env = pointed_at(simulator)
    line = (*BUY_HERE, "--reference", "shop-1")
    first, beside = await asyncio.gather(run(*line, env=env), run(*line, env=env))
    again = await run(*line, env=env)
    for said in (first, beside, again):
        assert said.code == 0
        assert said.json["order_id"] == first.json["order_id"]
        assert said.json["numbers"] == first.json["numbers"]
        assert (said.json["reference"], said.json["quantity"]) == ("shop-1", 1)
    assert "The reference shop-1 is known" in again.err
    assert (first.json["environment"], first.json["simulated"]) == ("custom", False)
    assert [order.external_reference_id for order in simulator.orders] == ["shop-1"]
    assert simulator.orders[0].allow_back_ordering is False


def test_refuses_to_buy_unasked_without_a_terminal(beside: Simulator, here: Here) -> None:
    code, _, said = here("buy", *NEW_YORK)
    assert code == 2
    assert "--yes" in said
    assert beside.requests == []


REFUSED: Sequence[tuple[tuple[str, ...], int, str, str, str]] = [
    (("--max-monthly", "3.99"), 4, "refused", "PriceOverLimit", "--max-monthly"),
    (("--max-setup", "0"), 4, "refused", "PriceOverLimit", "--max-setup"),
    (("--quantity", "2", "--max-total", "15"), 4, "refused", "PriceOverLimit", "16"),
    (("--quantity", "700"), 4, "refused", "OutOfStock", "--back-order"),
    (("--quantity", "200"), 4, "refused", "BalanceTooLow", "1000"),
    (("--quantity", "0"), 2, "not_bought", "InvalidInput", "1 to 1000"),
    (("--quantity", "1001"), 2, "not_bought", "InvalidInput", "1 to 1000"),
    (("--city", "Albany"), 2, "not_bought", "InvalidInput", "not both"),
    (("--reference", "no blanks"), 2, "not_bought", "InvalidInput", "reference"),
]


@pytest.mark.parametrize(("options", "code", "status", "kind", "words"), REFUSED)
def test_refuses(  # noqa: PLR0917 - the columns of the table
    options: tuple[str, ...],
    code: int,
    status: str,
    kind: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_here([*BUY_HERE, "--simulate", *options]) == code
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["status"], found["error"]["type"]) == (status, kind)
    assert words in said.err
    assert "Nothing was bought" in said.err


def test_over_the_limit_no_order_is_sent(beside: Simulator, here: Here) -> None:
    code, found, _ = here(*BUY, "--max-monthly", "3.99")
    assert (code, found["status"]) == (4, "refused")
    assert posts(beside) == 0


def test_names_what_there_is_to_choose_from(beside: Simulator, here: Here) -> None:
    new_york = ("--country", "US", "--region", "ny", "--npa", "212")
    code, unknown, said = here("buy", "--country", "Germny", "--yes")
    assert (code, unknown["error"]["type"]) == (3, "NoMatch")
    assert "Germany (DE)" in unknown["error"]["candidates"]
    assert "Germany (DE)" in said
    code, several, said = here("buy", *new_york, "--yes")
    assert (code, several["error"]["type"]) == (3, "Ambiguous")
    assert len(several["error"]["candidates"]) == 2
    assert "--prefer cheapest" in said
    code, no_region, said = here("buy", "--country", "US", "--npa", "212", "--yes")
    assert (code, no_region["error"]["type"]) == (2, "StepNotPossible")
    assert "Add --region" in said
    assert posts(beside) == 0


def test_reports_what_didww_refuses(beside: Simulator, here: Here) -> None:
    # The group has enough, the prefix has not: only DIDWW can tell.
    beside.set_stock(group_id=NEW_YORK_GROUP, count=70)
    code, found, _ = here(*BUY, "--quantity", "60")
    assert code == 4
    assert (found["status"], found["error"]["type"]) == ("refused", "OutOfStock")
    assert beside.orders == []


def test_an_earlier_run_may_have_ordered(beside: Simulator, here: Here) -> None:
    options = ("--reference", "shop-9", "--max-monthly", "1")
    code, _, said = here(*BUY, *options)
    assert code == 4
    assert "Nothing was bought by this run" in said
    assert "didww-async order --reference shop-9" in said


def test_an_order_that_stays_pending(beside: Simulator, here: Here) -> None:
    beside.completes_after = None
    code, found, said = here(*BUY, "--timeout", "0")
    assert code == 5
    assert (found["status"], found["numbers"]) == ("pending", [])
    assert found["order_id"] == beside.orders[0].id
    assert f"didww-async order {beside.orders[0].id}" in said


def test_a_wrong_key(beside: Simulator, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIDWW_API_KEY", "another-key")
    code, found, said = here(*BUY)
    assert (code, found["status"]) == (7, "not_bought")
    assert found["error"]["type"] == "Unauthorized"
    assert "another-key" not in f"{found}{said}"


@pytest.mark.parametrize(
    ("variables", "code", "kind", "words"),
    [
        ({}, 2, "InvalidInput", "DIDWW_API_KEY"),
        ({}, 2, "InvalidInput", "--simulate"),
        ({"DIDWW_API_KEY": KEY}, 2, "InvalidInput", "DIDWW_ENVIRONMENT"),
        ({"DIDWW_API_KEY": KEY, "DIDWW_ENVIRONMENT": "prod"}, 2, "InvalidInput", "sandbox"),
        ({"DIDWW_API_KEY": f"{KEY}\n", "DIDWW_BASE_URL": NOWHERE}, 2, "InvalidInput", "API key"),
        ({"DIDWW_API_KEY": KEY, "DIDWW_BASE_URL": NOWHERE}, 7, "NotSent", "network"),
    ],
)
def test_who_cannot(  # noqa: PLR0917 - the columns of the table
    variables: dict[str, str],
    code: int,
    kind: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("DIDWW_API_KEY", "DIDWW_ENVIRONMENT", "DIDWW_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    assert run_here(BUY_HERE) == code
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["status"], found["error"]["type"]) == ("not_bought", kind)
    assert words in said.err
    assert KEY not in said.out + said.err


async def test_what_is_typed_counts_more_than_the_environment(simulator: Simulator) -> None:
    elsewhere = {"DIDWW_BASE_URL": NOWHERE, "DIDWW_API_KEY": "another-key"}
    typed = ("--base-url", simulator.base_url, "--api-key", KEY)
    assert (await run("balance", *typed, env=elsewhere)).code == 0


@pytest.mark.parametrize("options", [(), ("--debug",)])
def test_a_traceback_only_when_asked_for(
    options: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DIDWW_API_KEY", KEY)
    monkeypatch.setenv("DIDWW_BASE_URL", NOWHERE)
    assert run_here([*BUY_HERE, *options]) == 7
    said = capsys.readouterr()
    assert ("Traceback" in said.err) == bool(options)
    assert KEY not in said.out + said.err


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe nobody reads")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_nobody_reads(simulator: Simulator, stream: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    other = "stderr" if stream == "stdout" else "stdout"
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "buy", *NEW_YORK, "--yes"),
        stdin=asyncio.subprocess.DEVNULL,
        env=environment(**pointed_at(simulator)),
        **{stream: writer, other: asyncio.subprocess.PIPE},
    )
    os.close(writer)
    out, err = await process.communicate()
    assert process.returncode == 0
    assert b"Error" not in (out or b"") + (err or b"")
    assert len(simulator.orders) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
@pytest.mark.parametrize("command", [("buy", *NEW_YORK, "--yes"), ("balance", "--json")])
async def test_no_room_for_the_result(simulator: Simulator, command: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=full,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**pointed_at(simulator)),
    )
    os.close(full)
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"error: standard output can't be written: No space left on device\n" in err
    assert b"Traceback" not in err


def test_the_balance_is_asked_before_the_order(beside: Simulator, here: Here) -> None:
    beside.balance = Decimal("7.99")
    code, found, said = here(*BUY)
    assert (code, found["error"]["type"]) == (4, "BalanceTooLow")
    assert "NOT ENOUGH" in said
    assert found["ids"]["sku_id"] == TWO_CHANNELS
    assert beside.orders == []

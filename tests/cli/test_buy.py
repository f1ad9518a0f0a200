"""`didww-async buy` by options: what it buys, what it refuses, what it says."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from decimal import Decimal

import pytest
from cli.commands import (
    COMMAND,
    KEY,
    NEW_YORK,
    NEW_YORK_GROUP,
    TWO_CHANNELS,
    environment,
    pointed_at,
    run,
)

from didww_async.simulator import Simulator
from flows.cli.app import run as run_here

NOWHERE = "http://127.0.0.1:9/v3"
BUY_HERE = ("buy", *NEW_YORK, "--yes", "--json")


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
    first = await run(*BUY_HERE, "--reference", "shop-1", env=env)
    again = await run(*BUY_HERE, "--reference", "shop-1", env=env)
    assert (first.code, again.code) == (0, 0)
    assert first.json["order_id"] == again.json["order_id"]
    assert first.json["numbers"] == again.json["numbers"]
    assert first.json["reference"] == "shop-1"
    assert (first.json["environment"], first.json["simulated"]) == ("custom", False)
    assert [order.external_reference_id for order in simulator.orders] == ["shop-1"]
    assert simulator.orders[0].allow_back_ordering is False


async def test_refuses_to_buy_unasked_without_a_terminal(simulator: Simulator) -> None:
    said = await run("buy", *NEW_YORK, env=pointed_at(simulator))
    assert said.code == 2
    assert "--yes" in said.err
    assert said.out == ""
    assert simulator.requests == []


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


async def test_over_the_limit_no_order_is_sent(simulator: Simulator) -> None:
    said = await run(*BUY_HERE, "--max-monthly", "3.99", env=pointed_at(simulator))
    assert (said.code, said.json["status"]) == (4, "refused")
    assert not any(request.method == "POST" for request in simulator.requests)


async def test_names_what_there_is_to_choose_from(simulator: Simulator) -> None:
    env = pointed_at(simulator)
    new_york = ("--country", "US", "--region", "ny", "--npa", "212")
    unknown, several, no_region = await asyncio.gather(
        run("buy", "--country", "Germny", "--yes", "--json", env=env),
        run("buy", *new_york, "--yes", "--json", env=env),
        run("buy", "--country", "US", "--npa", "212", "--yes", "--json", env=env),
    )
    assert (unknown.code, unknown.json["error"]["type"]) == (3, "NoMatch")
    assert "Germany (DE)" in unknown.json["error"]["candidates"]
    assert "Germany (DE)" in unknown.err
    assert (several.code, several.json["error"]["type"]) == (3, "Ambiguous")
    assert len(several.json["error"]["candidates"]) == 2
    assert "--prefer cheapest" in several.err
    assert (no_region.code, no_region.json["error"]["type"]) == (2, "StepNotPossible")
    assert "Add --region" in no_region.err
    assert not any(request.method == "POST" for request in simulator.requests)


async def test_reports_what_didww_refuses(simulator: Simulator) -> None:
    # The group has enough, the prefix has not: only DIDWW can tell.
    simulator.set_stock(group_id=NEW_YORK_GROUP, count=70)
    said = await run(*BUY_HERE, "--quantity", "60", env=pointed_at(simulator))
    assert said.code == 4
    assert (said.json["status"], said.json["error"]["type"]) == ("refused", "OutOfStock")
    assert simulator.orders == []


async def test_an_earlier_run_may_have_ordered(simulator: Simulator) -> None:
    options = ("--reference", "shop-9", "--max-monthly", "1")
    said = await run(*BUY_HERE, *options, env=pointed_at(simulator))
    assert said.code == 4
    assert "Nothing was bought by this run" in said.err
    assert "didww-async order --reference shop-9" in said.err


async def test_an_order_that_stays_pending(simulator: Simulator) -> None:
    simulator.completes_after = None
    said = await run(*BUY_HERE, "--timeout", "0", env=pointed_at(simulator))
    assert said.code == 5
    assert (said.json["status"], said.json["numbers"]) == ("pending", [])
    assert said.json["order_id"] == simulator.orders[0].id
    assert f"didww-async order {simulator.orders[0].id}" in said.err


async def test_a_wrong_key(simulator: Simulator) -> None:
    said = await run(*BUY_HERE, env=pointed_at(simulator, key="another-key"))
    assert (said.code, said.json["status"]) == (7, "not_bought")
    assert said.json["error"]["type"] == "Unauthorized"
    assert "another-key" not in said.out + said.err


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


async def test_the_balance_is_asked_before_the_order(simulator: Simulator) -> None:
    simulator.balance = Decimal("7.99")
    said = await run(*BUY_HERE, env=pointed_at(simulator))
    assert (said.code, said.json["error"]["type"]) == (4, "BalanceTooLow")
    assert "NOT ENOUGH" in said.err
    assert said.json["ids"]["sku_id"] == TWO_CHANNELS
    assert simulator.orders == []

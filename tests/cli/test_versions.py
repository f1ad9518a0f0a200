"""The API version by option and by environment; 2026-11-19 with its bearer tokens."""

import json
from typing import Any

import pytest
from cli.commands import NEW_YORK, pointed_at, run
from cli.purchases_here import Here, keep, left

from didww_async.simulator import Simulator
from flows.cli.app import run as run_here
from flows.journal import State

BEARER = "2026-11-19"
BUY = ("buy", *NEW_YORK, "--number-type", "local", "--yes", "--json")


@pytest.mark.parametrize("version", ["2022-05-10", "2026-04-16", BEARER])
def test_buys_on_its_own_simulator_at_every_version(
    version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run_here([*BUY, "--simulate", "--api-version", version])
    found = json.loads(capsys.readouterr().out)
    assert ("completed", 1) == (found["status"], len(found["numbers"]))


def test_the_environment_chooses_the_version(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIDWW_API_VERSION", BEARER)
    assert 0 == run_here([*BUY, "--simulate"])
    assert "completed" == json.loads(capsys.readouterr().out)["status"]


async def test_buys_with_a_token_from_the_service_it_is_told(simulator: Simulator) -> None:
    where = pointed_at(simulator) | {
        "DIDWW_TOKEN_URL": simulator.token_url,
        "DIDWW_API_VERSION": BEARER,
    }
    said = await run(*BUY, env=where)
    assert 0 == said.code, said.err
    [order] = simulator.orders
    assert BEARER == order.version
    assert 1 == sum(request.path == "/token" for request in simulator.requests)
    assert all("Api-Key" not in r.headers for r in simulator.requests if r.path != "/token")


@pytest.mark.parametrize(
    ("changes", "code", "error", "says"),
    [
        ({"DIDWW_TOKEN_URL": ""}, 2, "InvalidInput", "DIDWW_TOKEN_URL"),
        ({"DIDWW_TOKEN_URL": "http://127.0.0.1:9/token"}, 7, "TokenNotFetched", "not sent"),
        ({"DIDWW_API_VERSION": "2030-01-01"}, 2, "InvalidInput", "DIDWW_API_VERSION"),
        ({"DIDWW_API_KEY": "another-key"}, 7, "KeyRefused", "refused the API key"),
    ],
)
async def test_what_can_be_wrong_with_it(
    changes: dict[str, str], code: int, error: str, says: str, simulator: Simulator
) -> None:
    where = pointed_at(simulator) | {
        "DIDWW_TOKEN_URL": simulator.token_url,
        "DIDWW_API_VERSION": BEARER,
    }
    said = await run(*BUY, env=where | changes)
    found: Any = said.json["error"]
    assert error == found["type"]
    assert says in found["message"]
    assert code == said.code
    assert [] == simulator.orders


async def test_a_version_that_is_not_spoken_is_a_usage_error() -> None:
    said = await run("balance", "--simulate", "--api-version", "2021-12-15")
    assert 2 == said.code
    assert "2026-11-19" in said.err


def test_the_journal_needs_no_token_service(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "http://127.0.0.1:9/v3"
    monkeypatch.setenv("DIDWW_BASE_URL", nowhere)
    monkeypatch.setenv("DIDWW_API_VERSION", BEARER)
    keep(here.journal, left("a", State.ORDERED, origin=nowhere, order_id="1"))
    code, found, _ = here("journal")
    assert 0 == code
    assert ["a"] == [it["reference"] for it in found["purchases"]]

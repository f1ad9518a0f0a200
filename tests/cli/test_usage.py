"""The command line itself: bad options, help, the extra that is not installed."""

import json
import subprocess
import sys

import pytest
from cli.commands import KEY, environment

import flows.cli
from flows.cli.app import run as run_here
from flows.cli.exits import MEANINGS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["buy", "--cuntry", "US"], "Did you mean --country"),
        (["buy", "--max-monthly", "cheap"], "'cheap' is no price"),
        (["buy", "--max-monthly", "nan"], "0 or more"),
        (["buy", "--max-monthly", "-1"], "0 or more"),
        (["buy", "--timeout", "nan"], "0 seconds or more"),
        (["buy", "--environment", "prod"], "sandbox"),
        (["buy", "--quantity", "two"], "--quantity"),
        (["buy", "--nxx", "555", "--country", "US", "--yes"], "nxx needs npa"),
        (["buy", "--npa", "2l2", "--country", "US", "--yes"], "area code"),
        (["buy", "--simulate", "--yes"], "--country"),
        (["balance", "--simulate", "--base-url", "http://localhost/v3"], "leave --base-url out"),
        (["balance", "--simulate", "--api-key", KEY], "leave --api-key out"),
        (["balance", "--api-key", KEY, KEY], "(hidden)"),
        (["balance", "--api-key", KEY, "--base-url", "ftp://x"], "http(s)"),
        (["offers", "--simulate"], "--country"),
        (["order", "--simulate"], "--reference"),
        (["regions", "--simulate"], "--country"),
        (["fly"], "buy"),
    ],
)
def test_bad_options(
    line: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("DIDWW_API_KEY", "DIDWW_ENVIRONMENT", "DIDWW_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for options in ((), ("--json",)):
        assert run_here([*line, *options]) == 2
        said = capsys.readouterr()
        assert words in said.err
        assert KEY not in said.out + said.err
        if options and line[0] != "fly":
            assert json.loads(said.out)["error"]["message"]


def test_bad_options_are_told_in_the_words_of_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_here(["buy", "--contry", "US"])
    assert capsys.readouterr().err.startswith("error: Unknown option: --contry. Did you mean")


@pytest.mark.parametrize("line", [["--help"], ["buy", "--help"]])
def test_help_has_the_exit_codes(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(line) == 0
    said = capsys.readouterr().out
    for code, meaning in MEANINGS.items():
        assert f"{code.value}: {meaning}" in said
    assert "\x1b" not in said
    if line == ["buy", "--help"]:
        assert "list of processes" in " ".join(said.replace("│", " ").split())


def test_the_exit_codes_are_in_the_package_docstring() -> None:
    documented = flows.cli.__doc__ or ""
    for code, meaning in MEANINGS.items():
        assert f"    {code.value:<5}{meaning}\n" in documented


def test_without_the_extra() -> None:
    script = "import sys; sys.modules['cyclopts'] = None; import flows.cli; print(flows.cli.main())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.stdout.strip() == "2"
    assert "pip install 'didww-async[cli]'" in done.stderr
    assert "Traceback" not in done.stderr

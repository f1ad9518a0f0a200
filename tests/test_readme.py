"""The README's examples, run as they stand, each in a process of its own against a simulator."""

import os
import re
import runpy
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from purchases import simulator_process

from flows.batch.reading import template

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = [(found.start(), found[2]) for found in BLOCK.finditer(README) if found[1] == "python"]
CONSOLE = [
    line.removeprefix("$ ")
    for found in BLOCK.finditer(README)
    if found[1] == "console"
    for line in found[2].splitlines()
    if line.startswith("$ didww-async ") and "simulate" not in line.split()
]
SCRIPTS = sysconfig.get_path("scripts")


def line_of(position: int) -> int:
    return README.count("\n", 0, position) + 1


def environment(base_url: str, home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "DIDWW_API_KEY": "simulator",
        "DIDWW_BASE_URL": base_url,
        "DIDWW_TOKEN_URL": f"{base_url.removesuffix('/v3')}/token",
        "PATH": os.pathsep.join([SCRIPTS, os.environ.get("PATH", "")]),
    }


async def run(command: list[str], base_url: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        command,
        cwd=cwd,
        env=environment(base_url, cwd),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "code", [code for _, code in PYTHON], ids=[f"line {line_of(at)}" for at, _ in PYTHON]
)
async def test_python_examples_run_as_they_stand(code: str, tmp_path: Path) -> None:
    async with simulator_process(completes_after=0.1) as base_url:
        done = await run([sys.executable, "-W", "error", "-c", code], base_url, tmp_path)
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("line", CONSOLE)
async def test_commands_run_as_they_stand(line: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(template())  # as the README says before
    async with simulator_process(completes_after=0.1) as base_url:
        done = await run(shlex.split(line, comments=True), base_url, tmp_path)
    assert 0 == done.returncode, done.stderr


def test_the_readme_has_examples() -> None:
    assert len(PYTHON) >= 5
    assert len(CONSOLE) >= 3


def test_the_two_commands_are_there() -> None:
    for mark in ("<!-- buy command -->", "<!-- test command -->"):
        assert mark in README


def test_the_table_of_collections_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "reference_table.py"))
    assert script["written"](README) == README, "run: python scripts/reference_table.py"
    assert 36 == sum(line.startswith("| `") for line in script["table"]().splitlines())
    for found in script["included_only"]():
        assert f"`{found.__name__}` of a" in README


async def test_the_buy_command_buys_on_the_simulator(tmp_path: Path) -> None:
    """The part of the first command after the installation."""
    block = README.split("<!-- buy command -->")[1].split("```")[1]
    command = shlex.split(block[block.index("didww-async buy") :].replace("\\\n", " "))
    done = await run(command, "http://127.0.0.1:9/v3", tmp_path)
    assert 0 == done.returncode, done.stderr
    assert re.search(r"\b1212\d{7}\b", done.stdout), done.stdout

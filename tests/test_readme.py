"""The README's examples and the files in examples/, run as they stand, each in a process of its
own against a simulator."""

import os
import re
import runpy
import shlex
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import aiohttp
import pytest
from callbacks.kit import under_uvicorn
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
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
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
    if "redis://" in code and not redis_answers():
        pytest.skip("no Redis answers")
    async with simulator_process(completes_after=0.1) as base_url:
        done = await run([sys.executable, "-W", "error", "-c", code], base_url, tmp_path)
    assert (0, "") == (done.returncode, done.stderr)


def redis_answers() -> bool:
    try:
        socket.create_connection(("127.0.0.1", 6379), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
async def test_the_files_of_examples_run_as_they_stand(file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(file)]
    if file.name.startswith("test_"):
        command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, str(file)]
    async with simulator_process(completes_after=0.1) as base_url:
        done = await run(command, base_url, tmp_path)
    assert 0 == done.returncode, done.stdout + done.stderr


async def test_the_example_of_a_fastapi_shop_sells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where its journal goes
    async with simulator_process(completes_after=0.1) as base_url:
        for name, text in environment(base_url, tmp_path).items():
            monkeypatch.setenv(name, text)
        shop = runpy.run_path(str(ROOT / "examples" / "fastapi_app.py"))["app"]
        async with under_uvicorn(shop) as address, aiohttp.ClientSession(address) as browser:
            first, again = [
                await (await browser.put("/purchases/w-1?city=London")).json() for _ in range(2)
            ]
            assert (1, first) == (len(first["numbers"]), again)
            typo = await browser.put("/purchases/w-2?city=Lundon")
            assert (409, True) == (typo.status, "London" in await typo.text())
            forged = await browser.post("/didww", data=b"x", allow_redirects=False)
            assert 403 == forged.status


@pytest.mark.parametrize("line", CONSOLE)
async def test_commands_run_as_they_stand(line: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(template())  # as the README says before
    async with simulator_process(completes_after=0.1) as base_url:
        done = await run(shlex.split(line, comments=True), base_url, tmp_path)
    assert 0 == done.returncode, done.stderr


def test_the_readme_has_examples() -> None:
    assert len(PYTHON) >= 5
    assert len(CONSOLE) >= 3


def test_every_file_of_examples_is_named_in_the_readme_and_every_link_leads_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", README)) - {"https://www.didww.com"}
    assert set() == {f"examples/{file.name}" for file in EXAMPLES} - links
    assert [] == [it for it in links if "://" not in it and not (ROOT / it).exists()]
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", README), re.MULTILINE)
    places = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}
    assert set() == set(re.findall(r"\]\(#([^)]+)\)", README)) - places


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

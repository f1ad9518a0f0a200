"""What an editor and mypy know about the library: each snippet's errors stand beside its lines."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from contract import CONTRACT

SNIPPETS = Path(__file__).parent / "snippets"
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
EXPECTED = re.compile(r"# E: (?P<text>.+?)(?:  # noqa.*)?$")
FOUND = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.+)$")


EVERY_OPERATION = "every_operation.py"


def every_operation() -> str:
    """A snippet that touches every operation of every collection, the API's and all others."""
    allowed = defaultdict(set)
    for endpoint in CONTRACT["endpoints"]:
        name, _, item = endpoint["path"].strip("/").partition("/")
        reading = "get" if item or name == "balance" else "list"
        writing = {"POST": "create", "PATCH": "update", "DELETE": "delete"}
        allowed[name].add(writing.get(endpoint["method"], reading))
    lines = ["from didww_async import Client", "", "", "def operations(client: Client) -> None:"]
    for name, operations in allowed.items():
        for operation in ("list", "iterate", "first", "get", "create", "update", "delete"):
            needed = "list" if operation in {"iterate", "first"} else operation
            error = "" if needed in operations else f'  # E: has no attribute "{operation}"'
            lines.append(f"    client.{name}.{operation}{error}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    generated = tmp_path_factory.mktemp("snippets") / EVERY_OPERATION
    generated.write_text(every_operation())
    return [*sorted(SNIPPETS.glob("*.py")), *sorted(EXAMPLES.glob("*.py")), generated]


@pytest.fixture(scope="module")
def found(sources: list[Path]) -> dict[tuple[str, int], list[str]]:
    """mypy's errors in all snippets, by file and line; one run, because starting it is slow."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file="]
    run = subprocess.run(
        [*command, *map(str, sources)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in {0, 1}, run.stdout + run.stderr
    errors = defaultdict(list)
    for line in run.stdout.splitlines():
        if (error := FOUND.match(line)) is not None:
            errors[Path(error["file"]).name, int(error["line"])].append(error["text"])
    return errors


HERE = [*SNIPPETS.glob("*.py"), *EXAMPLES.glob("*.py")]
NAMES = [*sorted(found.name for found in HERE), EVERY_OPERATION]


@pytest.mark.parametrize("snippet", NAMES)
def test_snippet_has_exactly_the_errors_it_names(
    snippet: str, sources: list[Path], found: dict[tuple[str, int], list[str]]
) -> None:
    wrong = []
    (source,) = (path for path in sources if path.name == snippet)
    for number, line in enumerate(source.read_text().splitlines(), start=1):
        errors = found.get((snippet, number), [])
        expected = EXPECTED.search(line)
        if expected is None and errors:
            wrong.append(f"line {number}: expected no error, got {errors}")
        elif expected and not any(expected["text"] in error for error in errors):
            wrong.append(f"line {number}: expected {expected['text']!r}, got {errors}")
    assert not wrong, "\n".join(wrong)


def test_nothing_outside_the_snippets_is_wrong(found: dict[tuple[str, int], list[str]]) -> None:
    assert [] == [where for where in found if where[0] not in NAMES]


def test_every_operation_is_looked_at() -> None:
    lines = every_operation().splitlines()
    assert 36 * 7 == sum(line.startswith("    client.") for line in lines)
    assert 106 == sum(
        "# E" not in line and "iter" not in line and ".first" not in line for line in lines[4:]
    )

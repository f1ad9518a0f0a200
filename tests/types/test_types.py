"""What an editor and mypy know about the library: each snippet's errors stand beside its lines."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

SNIPPETS = Path(__file__).parent / "snippets"
ROOT = Path(__file__).parents[2]
EXPECTED = re.compile(r"# E: (?P<text>.+?)(?:  # noqa.*)?$")
FOUND = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.+)$")


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, int], list[str]]:
    """mypy's errors in all snippets, by file and line; one run, because starting it is slow."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file="]
    run = subprocess.run(
        [*command, *map(str, sorted(SNIPPETS.glob("*.py")))],
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


@pytest.mark.parametrize("snippet", sorted(found.name for found in SNIPPETS.glob("*.py")))
def test_snippet_has_exactly_the_errors_it_names(
    snippet: str, found: dict[tuple[str, int], list[str]]
) -> None:
    wrong = []
    for number, line in enumerate((SNIPPETS / snippet).read_text().splitlines(), start=1):
        errors = found.get((snippet, number), [])
        expected = EXPECTED.search(line)
        if expected is None and errors:
            wrong.append(f"line {number}: expected no error, got {errors}")
        elif expected and not any(expected["text"] in error for error in errors):
            wrong.append(f"line {number}: expected {expected['text']!r}, got {errors}")
    assert not wrong, "\n".join(wrong)


def test_nothing_outside_the_snippets_is_wrong(found: dict[tuple[str, int], list[str]]) -> None:
    names = {path.name for path in SNIPPETS.glob("*.py")}
    assert [] == [where for where in found if where[0] not in names]

"""The request and reply examples of the documents in seeds/, read from their text."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs

SEEDS = Path(__file__).parent / "seeds"
REQUEST_LINE = re.compile(r"^(GET|POST) (/v3\S*) HTTP/1\.1$")
STATUS_LINE = re.compile(r"^HTTP/1\.1 (\d+) ")
HEADER = re.compile(r"^([A-Za-z-]+): (.+)$")
FILTER = re.compile(
    r"filter\[(?P<name>[\w.]+)\].*?(?P<kind>string|boolean) - .*?"
    r"Allow blank - (?P<blank>Yes|No).*?Allow array - (?P<array>Yes|No)",
    re.DOTALL,
)


@attrs.frozen(kw_only=True)
class Example:
    """One request of a document, and the reply the document gives to it."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: Any
    status: int
    reply: Any


@attrs.frozen(kw_only=True)
class FilterRule:
    """One filter of seed 002."""

    name: str
    kind: str
    blank: bool
    array: bool


def text(name: str) -> str:
    return (SEEDS / name).read_text(encoding="utf-8")


def examples(name: str) -> list[Example]:
    """All raw HTTP examples of a document, in its order."""
    lines = text(name).splitlines()
    starts = [number for number, line in enumerate(lines) if REQUEST_LINE.match(line)]
    ends = [*starts[1:], len(lines)]
    return [_example(lines[start:end]) for start, end in zip(starts, ends, strict=True)]


def last_reply(name: str) -> Any:
    """The JSON document that stands at the end of a text."""
    found = text(name)
    return json.loads(found[found.index('{"data"') :])


def filter_rules() -> list[FilterRule]:
    """The filters that seed 002 lists."""
    return [
        FilterRule(
            name=found["name"],
            kind=found["kind"],
            blank=found["blank"] == "Yes",
            array=found["array"] == "Yes",
        )
        for found in FILTER.finditer(text("get_did_groups.txt").split("| |", 1)[1])
    ]


def sorts() -> list[str]:
    """The sorts that seed 002 lists."""
    found = text("get_did_groups.txt")
    listed = found[found.index("Sorting Article") : found.index("HEADERS")]
    return re.findall(r"^([\w.]+) - ", listed, re.MULTILINE)


def includes() -> list[str]:
    """The includes that seed 002 lists."""
    found = text("get_did_groups.txt")
    listed = found[found.index("Allowed values:") : found.index("***")]
    return re.findall(r"^(\w+) - ", listed, re.MULTILINE)


def _example(lines: list[str]) -> Example:
    request = REQUEST_LINE.match(lines[0])
    assert request is not None
    answer = next(number for number, line in enumerate(lines) if STATUS_LINE.match(line))
    status = STATUS_LINE.match(lines[answer])
    assert status is not None
    headers, rest = _headers(lines[1:answer])
    _, reply = _headers(lines[answer + 1 :])
    url = urlsplit(request[2])
    return Example(
        method=request[1],
        path=url.path,
        query=tuple(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        body=_json(rest),
        status=int(status[1]),
        reply=_json(reply),
    )


def _headers(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    headers = {}
    for number, line in enumerate(lines):
        if (header := HEADER.match(line)) is None:
            return headers, lines[number:]
        headers[header[1]] = header[2]
    return headers, []


def _json(lines: list[str]) -> Any:
    if not lines or lines[0] != "{":
        return None
    return json.JSONDecoder().raw_decode("\n".join(lines))[0]

"""Writes the README's table of all collections, from the client and the resource classes.

    python scripts/reference_table.py

A test fails while the README is not what this writes.
"""

import inspect
import re
import sys
import typing
from pathlib import Path

from didww_async import api, collection, downloads, prepared, resources, uploads
from didww_async.resources import by_type

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- written by scripts/reference_table.py -->\n"
END = "<!-- until here -->"
OPERATIONS = ("list", "get", "create", "update", "delete")
SENTENCE_END = re.compile(r"(?<!\.)\.(?: |$)")
COME_WITH_LIST = {"iterate", "first"}


def table() -> str:
    """The table: each collection with its operations, its class and what that is."""
    names = {name: getattr(resources, name) for name in resources.__all__}
    others = {**vars(collection), "downloads": downloads, "prepared": prepared, "uploads": uploads}
    lines = typing.get_type_hints(api.Api, localns={**others, **names})
    rows = [
        f"| `{name}` | {_operations(line)} | {_class(line)} | {_what(_resource(line))} |"
        for name, line in lines.items()
    ]
    return "\n".join(
        ["| collection | operations | class | what it is |", "|---|---|---|---|", *rows]
    )


def included_only() -> list[type[resources.Resource]]:
    """The resources that have no collection."""
    lines = api.Api.__annotations__.values()
    return [
        found for found in by_type().values() if not any(found.__name__ in line for line in lines)
    ]


def written(readme: str) -> str:
    """The README with the table as it has to be."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n\n{END}{after}"


def _resource(line: typing.Any) -> type[resources.Resource]:
    found: type[resources.Resource] = typing.get_args(line)[0]
    return found


def _operations(line: typing.Any) -> str:
    has = [name for name in dir(typing.get_origin(line)) if not name.startswith("_")]
    more = sorted(set(has) - set(OPERATIONS) - COME_WITH_LIST)
    return " ".join(f"`{name}`" for name in (*OPERATIONS, *more) if name in has)


def _class(line: typing.Any) -> str:
    found = _resource(line)
    return f"[`{found.__name__}`]({found.__module__.replace('.', '/')}.py)"


def _what(found: type[resources.Resource]) -> str:
    first, _, _ = inspect.getdoc(found).partition("\n\n")
    sentence, *_ = SENTENCE_END.split(" ".join(first.split()), maxsplit=1)
    return sentence


def main() -> None:
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
    print("written:", README, file=sys.stderr)


if __name__ == "__main__":
    main()

"""Where `didww-async batch` is run on files of purchases: a simulator, a place, one journal."""

import csv
import json
from pathlib import Path
from typing import Any

from cli.commands import Said, pointed_at, run

from didww_async.simulator import Simulator

GOOD = """reference,country,region,city,npa,channels,quantity
one,GB,,London,,2,2
two,US,New York,,212,2,1
three,GB,,London,,2,3
"""


class Desk:
    """Runs the command on files, with one journal."""

    def __init__(self, simulator: Simulator, place: Path) -> None:
        self.simulator = simulator
        self.place = place
        self.env = {**pointed_at(simulator), "DIDWW_JOURNAL": str(place / "mine.db")}

    def file(self, text: str | bytes, name: str = "orders.csv") -> str:
        path = self.place / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    async def run(self, text: str | bytes, *options: str) -> Said:
        return await run("batch", self.file(text), *options, env=self.env)

    def posts(self) -> int:
        return sum("POST" == it.method for it in self.simulator.requests)

    def report(self, name: str = "report.csv") -> list[dict[str, str]]:
        with (self.place / name).open() as file:
            return list(csv.DictReader(file))


def events(said: Said) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in said.lines:
        event = json.loads(line)
        found.setdefault(event.pop("event"), []).append(event)
    return found

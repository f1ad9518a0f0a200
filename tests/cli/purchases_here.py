"""Purchases as an earlier run left them in a journal, and commands run in this process."""

import asyncio
import datetime as dt
import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from cli.commands import KEY
from purchases import NEW_YORK_GROUP, TWO_CHANNELS

from flows.cli.app import run
from flows.journal import (
    Limits,
    OrderRequest,
    Purchase,
    PurchaseKey,
    SqliteJournal,
    State,
)


def left(reference: str, state: State, *, origin: str, minutes: float = 5, **more: Any) -> Purchase:
    """A purchase for one number of New York, planned (and sent) so many minutes ago."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
    sent = {} if state is State.PLANNED else {"claimed_at": then, "attempt": 1, "owner": "gone"}
    return Purchase(
        key=PurchaseKey(origin=origin, account="default", reference=reference),
        request=OrderRequest.of_one(sku_id=TWO_CHANNELS, did_group_id=NEW_YORK_GROUP, quantity=1),
        limits=Limits(),
        state=state,
        planned_at=then,
        order_by=then + dt.timedelta(minutes=15),
        **{**sent, **more},
    )


def keep(path: Path, *purchases: Purchase) -> None:
    """Write them into the journal at `path`."""

    async def write() -> None:
        async with SqliteJournal(path) as journal:
            for purchase in purchases:
                await journal.insert(purchase)

    asyncio.run(write())


def kept(path: Path) -> dict[str, State]:
    """The state of each reference in the journal at `path`."""

    async def read() -> dict[str, State]:
        async with SqliteJournal(path) as journal:
            return {item.reference: item.state for item in await journal.list()}

    return asyncio.run(read())


@attrs.frozen
class Here:
    """Runs commands in this process on one journal."""

    journal: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *line: str) -> tuple[int, Any, str]:
        """The exit code, the JSON object, and what was said beside it."""
        code = run([*line, "--json", "--journal", str(self.journal)])
        said = self.capsys.readouterr()
        assert KEY not in said.out + said.err
        assert "Traceback" not in said.err
        (out,) = said.out.splitlines()
        return code, json.loads(out), said.err

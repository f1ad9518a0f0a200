"""Running the real command in a process of its own, and reading what it said."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import attrs

from didww_async.simulator import Simulator

KEY = "s3cret-key-that-must-not-show-0123456789"
NEW_YORK = ("--country", "US", "--region", "New York", "--npa", "212", "--channels", "2")
COMMAND = (sys.executable, "-m", "flows.cli")


@attrs.frozen(kw_only=True)
class Said:
    """How a run ended. The key is never in what it said."""

    code: int
    out: str
    err: str

    def __attrs_post_init__(self) -> None:
        assert KEY not in self.out + self.err
        assert "Traceback" not in self.err or "--debug" in self.err

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """The one JSON object; anything beside it fails."""
        assert len(self.lines) == 1
        return json.loads(self.out)


def environment(**changes: str) -> dict[str, str]:
    """Our environment without any DIDWW_ variable but those given."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("DIDWW_")}
    return kept | {"COLUMNS": "80"} | changes


def pointed_at(simulator: Simulator, *, key: str = KEY) -> dict[str, str]:
    """The variables that lead a command to a simulator."""
    return {"DIDWW_BASE_URL": simulator.base_url, "DIDWW_API_KEY": key}


@contextlib.asynccontextmanager
async def started(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: int = asyncio.subprocess.DEVNULL,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, running; it is killed when the block is left before it ended."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**(env or {})),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> Said:
    """Wait for a running command."""
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode is not None
    return Said(code=process.returncode, out=out.decode(), err=err.decode())


async def run(*arguments: str, env: Mapping[str, str] | None = None) -> Said:
    """Run the command to its end, without a terminal."""
    async with started(*arguments, env=env) as process:
        return await ended(process)


async def until(true: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become so"
        await asyncio.sleep(0.02)

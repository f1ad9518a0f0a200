"""What several tests of batches need."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from batch.desk import Desk
from cli.commands import KEY

from didww_async.simulator import Simulator


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with an empty journal, at a simulator whose orders are completed at once."""
    async with Simulator(api_key=KEY, rate_limit=None, completes_after=0.05) as simulator:
        yield Desk(simulator, tmp_path)

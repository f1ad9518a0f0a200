"""The recipe for arq, as RECIPES.md prints it: a worker killed in its POST, and the next one."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from purchases import posts
from waiting import until
from workers.kit import KEY, orders_at, request

import flows.workers
from didww_async.simulator import AnswerLate, Simulator
from flows.workers import dump_request

arq = pytest.importorskip("arq", reason="arq is not installed")

REDIS = ("127.0.0.1", 6379)
RECIPES = Path(flows.workers.__file__).with_name("RECIPES.md")
# Only what a test has no time for: the order protocol in a hurry.
HURRY = """
import functools, recipe
from purchases import HURRIED
recipe.buy_once = functools.partial(recipe.buy_once, rules=HURRIED)
WorkerSettings = recipe.WorkerSettings
"""


@pytest.fixture
def queue() -> str:
    try:
        socket.create_connection(REDIS, timeout=1).close()
    except OSError as error:
        pytest.skip(f"no Redis at {REDIS[0]}:{REDIS[1]}: {error}")
    return f"didww_test_{uuid.uuid4().hex}"


@asynccontextmanager
async def arq_worker(tmp_path: Path, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "arq",
        "hurried.WorkerSettings",
        env={**os.environ, **environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_the_arq_recipe_survives_kill_9(
    dsn: str, sim: Simulator, queue: str, tmp_path: Path
) -> None:
    (code,) = re.findall(
        r"test_arq.py runs this -->\n```python\n(.*?)```", RECIPES.read_text(), re.DOTALL
    )
    (tmp_path / "recipe.py").write_text(code)
    (tmp_path / "hurried.py").write_text(HURRY)
    environ = {
        "DIDWW_API_KEY": KEY,
        "DIDWW_BASE_URL": sim.base_url,
        "DATABASE_URL": dsn,
        "ARQ_QUEUE": queue,
    }
    sim.inject(AnswerLate(5.0), method="POST", path="/orders")
    redis = await arq.create_pool(
        job_serializer=lambda job: json.dumps(job, default=str).encode(),
        job_deserializer=json.loads,
        default_queue_name=queue,
    )
    asked = request(f"arq-{uuid.uuid4().hex}")
    try:
        job = await redis.enqueue_job("purchase", dump_request(asked), _job_id=asked.reference)
        assert await redis.enqueue_job("purchase", {}, _job_id=asked.reference) is None
        async with arq_worker(tmp_path, **environ) as worker:
            await until(lambda: sim.orders)
            worker.send_signal(signal.SIGKILL)
            await worker.wait()
        await redis.delete(f"arq:in-progress:{asked.reference}")  # as if its time had run out
        async with arq_worker(tmp_path, **environ):
            result = await job.result(timeout=20, poll_delay=0.05)
        stored = [await redis.dump(key) for key in await redis.keys(f"*{asked.reference}*")]
    finally:
        await redis.delete(queue, *await redis.keys(f"*{asked.reference}*"))
        await redis.aclose()
    assert "completed" == result["state"]
    assert 1 == len(result["numbers"])
    assert [asked.reference] == [reference for reference, _ in await orders_at(sim.base_url)]
    assert 1 == posts(sim)
    assert not [value for value in stored if KEY.encode() in (value or b"")]

"""Cancellation, event loops, threads, forks: a journal call happens whole or not at all."""

import asyncio
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal.kit import purchase, successor

from flows.journal import JournalError, JournalUnusable, SqliteJournal
from flows.journal.worker import Worker


def journal_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("didww-journal")]


async def test_a_cancelled_call_that_began_ends_before_its_caller() -> None:
    worker = Worker("it", threads=1)
    began, go_on, done = threading.Event(), threading.Event(), []

    def work() -> None:
        began.set()
        go_on.wait(5)
        done.append("all of it")

    caller = asyncio.create_task(worker.run(work))
    await asyncio.to_thread(began.wait, 5)
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0.01)
        assert not caller.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ["all of it"] == done
    await worker.aclose(lambda: None)


async def test_a_cancelled_call_that_had_not_begun_never_does() -> None:
    worker = Worker("it", threads=1)
    go_on, done = threading.Event(), []
    first = asyncio.create_task(worker.run(lambda: go_on.wait(5)))
    second = asyncio.create_task(worker.run(lambda: done.append("second")))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    go_on.set()
    await first
    await worker.aclose(lambda: None)
    assert [] == done


async def test_what_a_cancelled_call_failed_with_is_told() -> None:
    worker = Worker("it", threads=1)
    began, go_on = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(5)
        raise JournalError("the disk is full")

    caller = asyncio.create_task(worker.run(work))
    await asyncio.to_thread(began.wait, 5)
    caller.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError) as caught:
        await caller
    assert "the disk is full" == str(caught.value.__cause__)
    await worker.aclose(lambda: None)


async def test_a_deadline_reads_as_a_time_out() -> None:
    worker = Worker("it", threads=1)
    go_on = threading.Event()
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await worker.run(lambda: go_on.wait(5))
    await worker.aclose(lambda: None)


async def test_closing_waits_for_what_was_asked_for_and_ends_the_threads() -> None:
    worker, done = Worker("it", threads=2), []
    go_on = threading.Event()

    def work() -> None:
        go_on.wait(5)
        done.append("work")

    calls = [asyncio.create_task(worker.run(work)) for _ in range(5)]
    await asyncio.sleep(0.01)
    closers = [asyncio.create_task(worker.aclose(lambda: done.append("last"))) for _ in range(2)]
    await asyncio.sleep(0.01)
    closers[0].cancel()
    with pytest.raises(JournalUnusable, match="it is closed"):
        await worker.run(lambda: None)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await closers[0]
    await closers[1]
    await asyncio.gather(*calls)
    assert ["work"] * 5 + ["last"] == done
    assert [] == journal_threads()


async def test_cancelled_anywhere_a_record_is_old_or_new(another: Callable[[], Any]) -> None:
    """100 replacements, each cancelled after a time of its own; a read tells what became of it."""
    async with another() as journal:
        current = await journal.insert(purchase())
        outcomes = set()
        for n in range(100):
            new = successor(current, owner=str(n))
            task = asyncio.create_task(journal.replace(current, new))
            await asyncio.sleep(random.choice([0, 0.0001, 0.0005, 0.001, 0.002]))
            task.cancel()
            try:
                done: bool | None = await task
            except asyncio.CancelledError:
                done = None
            found = await journal.read(current.key)
            assert found in {current, new}
            assert done in {None, found == new}
            outcomes.add((done, found == new))
            # Nothing comes after it either.
            assert found == await journal.read(current.key)
            current = found
    assert {(None, False), (None, True)} & outcomes
    assert [] == journal_threads()


def test_a_journal_serves_several_event_loops(another: Callable[[], Any]) -> None:
    journal = another()
    plan = asyncio.run(journal.insert(purchase()))
    won: list[bool] = []

    def claim(n: int) -> None:
        won.append(asyncio.run(journal.replace(plan, successor(plan, owner=str(n)))))

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [False] * 5 + [True] == sorted(won)
    asyncio.run(journal.aclose())
    assert [] == journal_threads()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_journal_does_not_go_through_a_fork(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    asyncio.run(journal.insert(purchase()))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # the threads did not come along: it must not wait for them
        said = b"nothing"
        try:
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(journal.insert(purchase("ref-2")))
            except JournalUnusable as error:
                said = str(error).encode()
            loop.run_until_complete(journal.aclose())
        finally:
            os.write(write, said)
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert "make a journal in every process" in pipe.read()
    assert 1 == len(asyncio.run(journal.list()))
    asyncio.run(journal.aclose())

"""Walkers in step: what all wait for is read together, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence

import pytest

from flows.batch.doubted import doubted
from flows.batch.instep import InStep


class Library:
    """Answers with capitals, and remembers what was asked together."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def first(self, keys: Sequence[str]) -> dict[str, str | Exception]:
        self.asked.append(tuple(sorted(keys)))
        await asyncio.sleep(0)
        return {key: LookupError(key) if "bad" in key else key.upper() for key in keys}

    async def second(self, keys: Sequence[str]) -> dict[str, str | Exception]:
        return await self.first(keys)

    async def broken(self, keys: Sequence[str]) -> dict[str, str | Exception]:
        raise ConnectionError(f"no answer to {len(keys)}")


async def test_what_all_wait_for_is_read_together_and_in_order_of_stages() -> None:
    walkers, library = InStep(), Library()

    async def walk(number: int) -> str:
        found = ""
        if number % 2:  # every other one takes a step more
            found = await walkers.ask(library.first, f"a{number % 4}", stage=0)
        await asyncio.sleep(0)
        return found + await walkers.ask(library.second, f"b{number % 3}", stage=1)

    found = await walkers.walk([walk(number) for number in range(12)])
    assert [("a1", "a3"), ("b0", "b1", "b2")] == library.asked
    assert ["B0", "A1B1", "B2", "A3B0"] == found[:4]


async def test_what_was_answered_is_not_asked_again() -> None:
    walkers, library = InStep(), Library()

    async def walk() -> list[str]:
        return [await walkers.ask(library.first, "a", stage=0) for _ in range(3)]

    assert [["A"] * 3] * 2 == await walkers.walk([walk(), walk()])
    assert [["A"] * 3] == await walkers.walk([walk()])
    assert [("a",)] == library.asked


async def test_an_error_is_raised_in_those_who_asked_for_it() -> None:
    walkers, library = InStep(), Library()

    async def walk(key: str) -> str:
        try:
            return await walkers.ask(library.first, key, stage=0)
        except LookupError as error:
            return f"no {error}"

    assert ["A", "no bad", "B"] == await walkers.walk([walk("a"), walk("bad"), walk("b")])


async def test_a_read_that_fails_ends_all_who_waited_for_it() -> None:
    walkers, library = InStep(), Library()

    async def walk(key: str) -> str:
        return await walkers.ask(library.broken, key, stage=0)

    with pytest.raises(ConnectionError, match="no answer to 2"):
        await walkers.walk([walk("a"), walk("b")])


async def test_walks_that_are_cancelled_leave_nothing_behind() -> None:
    walkers, ended = InStep(), []

    async def never(keys: Sequence[str]) -> dict[str, str | Exception]:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(len(keys))
        raise AssertionError

    async def walk(key: str) -> str:
        return await walkers.ask(never, key, stage=0)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await walkers.walk([walk("a"), walk("b")])
    assert [2] == ended
    assert 1 == len(asyncio.all_tasks())


async def test_an_error_ends_all_and_nothing_is_read_for_who_still_waited() -> None:
    walkers, library = InStep(), Library()

    async def late(key: str) -> str:
        return await walkers.ask(library.second, key, stage=1)

    async def walk(key: str) -> str:
        found = await walkers.ask(library.first, key, stage=0)
        if key == "a":
            raise LookupError(found)
        await asyncio.sleep(0.01)  # moves while the error is raised
        return found

    with pytest.raises(LookupError, match="A"):
        await walkers.walk([walk("a"), walk("b"), late("c")])
    assert 1 == len(asyncio.all_tasks())
    assert [("a", "b")] == library.asked
    assert ["D"] == await walkers.walk([late("d")])


async def test_nobody_waits_when_there_is_nothing_to_walk() -> None:
    assert [] == await InStep().walk([])


@pytest.mark.parametrize(
    ("together", "alone", "found", "asked"),
    [
        ({"a": [1], "b": [2]}, {}, {"a": [1], "b": [2]}, []),
        ({"a": [1], "b": [], "c": []}, {"b": []}, {"a": [1], "b": [], "c": []}, ["b"]),
        (
            {"a": [1], "b": [], "c": []},
            {"b": [2], "c": [3]},
            {"a": [1], "b": [2], "c": [3]},
            ["b", "c"],
        ),
    ],
)
async def test_a_merged_answer_without_something_is_doubted(
    together: dict[str, list[int]],
    alone: dict[str, list[int]],
    found: dict[str, list[int]],
    asked: list[str],
) -> None:
    seen: list[str] = []

    async def one(key: str) -> list[int]:
        seen.append(key)
        return alone[key]

    assert found == await doubted(together, one)
    assert asked == seen

"""Walkers that go in step: what all of them wait for is read together, in merged requests.

Every line of a batch takes the steps of a purchase by itself. Wherever a step reads something, it
asks here and waits. When nobody moves any more, everything that is waited for at the earliest
stage is read at once, and the walkers go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["InStep", "Reader"]

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
A = TypeVar("A")
Reader = Callable[[Sequence[K]], Awaitable[Mapping[K, A | Exception]]]
"""Reads the answers to several questions at once; an exception is raised in who asked for it."""


class InStep:
    """One group of walkers. What was answered once is not read again."""

    def __init__(self) -> None:
        self._moving = 0
        self._waiting: dict[int, dict[Any, dict[Hashable, list[asyncio.Future[Any]]]]] = {}
        self._answers: dict[tuple[Any, Hashable], Any] = {}
        self._reading: asyncio.Task[None] | None = None

    async def walk(self, walks: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Run all walks to their end and return what they returned; the first error ends all."""
        self._moving += len(walks)
        tasks = [asyncio.create_task(self._walked(walk)) for walk in walks]
        try:
            return await asyncio.gather(*tasks)
        finally:
            self._waiting.clear()  # nobody asks any more: nothing may be read for who is leaving
            ending = [*tasks, *filter(None, [self._reading])]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            self._reading = None
            for walk in walks:
                walk.close()  # one that never began

    async def ask(self, read: "Reader[K, A]", key: K, *, stage: int) -> A:
        """The answer to `key`, by `read`; what is asked at a lower `stage` is read before.

        What `read` raises is raised in everybody who asked it in this round.
        """
        if (read, key) in self._answers:
            known: A = self._answers[read, key]
            return known
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(stage, {}).setdefault(read, {}).setdefault(key, []).append(answer)
        self._stopped()
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.cancelled():
                self._moving += 1
            raise

    async def _walked(self, walk: Coroutine[Any, Any, T]) -> T:
        try:
            return await walk
        finally:
            self._stopped()

    def _stopped(self) -> None:
        self._moving -= 1
        if self._moving == 0 and self._waiting and self._reading is None:
            asked = self._waiting.pop(min(self._waiting))
            self._reading = asyncio.create_task(self._read_all(asked))

    async def _read_all(
        self, asked: Mapping[Any, Mapping[Hashable, list["asyncio.Future[Any]"]]]
    ) -> None:
        answered = await asyncio.gather(
            *(read(tuple(keys)) for read, keys in asked.items()), return_exceptions=True
        )
        self._reading = None
        for (read, keys), answers in zip(asked.items(), answered, strict=True):
            for key, waiting in keys.items():
                found = answers if isinstance(answers, BaseException) else answers[key]
                if not isinstance(found, BaseException):
                    self._answers[read, key] = found
                for future in waiting:
                    if future.done():
                        continue
                    self._moving += 1
                    if isinstance(found, BaseException):
                        future.set_exception(found)
                    else:
                        future.set_result(found)

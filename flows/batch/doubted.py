"""A merged answer that has nothing for some questions is doubted: one of them is asked alone.

That lists mean "any of" is documented for most filters, not for each. Should a server read one
otherwise, lines must not be told that their place does not exist: then all are asked alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import TypeVar

__all__ = ["doubted"]

K = TypeVar("K", bound=Hashable)
A = TypeVar("A")


async def doubted(answers: Mapping[K, A], alone: Callable[[K], Awaitable[A]]) -> dict[K, A]:
    """The answers, with what was missing wrongly: 1 request when nothing is there for some."""
    missing = [key for key, answer in answers.items() if not answer]
    if not missing:
        return dict(answers)
    probe, *others = missing
    found = {probe: await alone(probe)}
    if found[probe]:
        each = await asyncio.gather(*map(alone, others))
        found |= dict(zip(others, each, strict=True))
    return {**answers, **found}

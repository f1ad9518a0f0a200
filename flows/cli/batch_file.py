"""Reading the file of a batch: what can be used, and all that can't."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from didww_async import InvalidInput
from flows.batch import BadLine, BatchLine, read_lines

__all__ = ["usable_lines"]

BREATH = 5000  # lines


async def usable_lines(
    file: Path,
    *,
    batch: str | None,
    skip_bad: bool,
    good: Callable[[BatchLine], None],
    bad: Callable[[BadLine], None],
) -> tuple[list[BatchLine], int]:
    """All lines that can be used, and how many can't; `good` and `bad` are told of each.

    Raises InvalidInput when the file can't be read, when nothing in it can be used, and when some
    of it can't, unless `skip_bad`.
    """
    lines: list[BatchLine] = []
    numbers: set[int] = set()
    with _opened(file) as stream:
        for count, found in enumerate(read_lines(stream, batch=batch)):
            if count % BREATH == 0:
                await asyncio.sleep(0)  # a long file must not keep Ctrl-C waiting
            if isinstance(found, BadLine):
                numbers.add(found.number)
                bad(found)
            else:
                lines.append(found)
                good(found)
    if 0 in numbers or not lines:
        raise InvalidInput(f"{file} can't be used; nothing was bought")
    if numbers and not skip_bad:
        raise InvalidInput(
            f"{file} has lines that can't be used ({len(numbers)}), so nothing was bought; mend "
            "them, or leave them out with --skip-bad"
        )
    return lines, len(numbers)


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as problem:
        raise InvalidInput(f"{file} can't be read: {problem.strerror}") from None

"""Values of a list filter, in requests whose addresses every server takes (pure)."""

import urllib.parse
from collections.abc import Iterable, Iterator

__all__ = ["chunks"]

LONGEST = 5400  # characters of one list in an address: 8 KiB is where servers begin to refuse


def chunks(values: Iterable[str], *, longest: int = LONGEST) -> Iterator[tuple[str, ...]]:
    """Cut a list so that no part is longer than `longest` when it is written in an address."""
    part: list[str] = []
    length = 0
    for value in values:
        size = len(urllib.parse.quote_plus(value)) + 1
        if part and length + size > longest:
            yield tuple(part)
            part, length = [], 0
        part.append(value)
        length += size
    if part:
        yield tuple(part)

"""Bodies that are files: a form on its way up, a file on its way down."""

from pathlib import Path
from typing import Protocol

import attrs

__all__ = ["Form", "Sink"]


@attrs.frozen(kw_only=True)
class Form:
    """A multipart/form-data body: text fields, then one file, read anew at every attempt."""

    fields: tuple[tuple[str, str], ...]
    file_field: str
    file_name: str
    file: bytes | Path = attrs.field(repr=False)


class Sink(Protocol):
    """Where the body of a success goes instead of memory."""

    async def begin(self, length: int | None) -> None:
        """A body of `length` bytes begins, if the server says so; what came before is void."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Take the next part."""
        ...

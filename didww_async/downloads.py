"""Exports: waiting until one is ready, and reading its file.

Source: doc.didww.com/api3, exports. The file is a CSV, usually packed with gzip.
"""

import asyncio
import contextlib
import csv
import gzip
import os
import re
import shutil
import tempfile
import time
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from yarl import URL

from didww_async.addresses import without_secrets
from didww_async.collection import ReadsCreatesUpdates
from didww_async.errors import InvalidInput, StillPending, UnreadableReply
from didww_async.resources import Export, ExportStatus
from didww_async.threads import in_thread
from didww_async.transport.call import Call, Operation, Timeouts

__all__ = ["Exports", "Progress"]

X = TypeVar("X", bound=Export)
F = TypeVar("F", bound=Mapping[str, Any])
S = TypeVar("S", bound=str)
I = TypeVar("I", bound=str)  # noqa: E741 - include
C = TypeVar("C")
U = TypeVar("U")

Progress = Callable[[int, int | None], None]
"""Told the bytes that have arrived, and how many there are, if the server said so."""

LONG = Timeouts(read=120.0, total=3600.0)
RARER = 15
ROWS_AT_ONCE = 1000
GZIP = b"\x1f\x8b"
AS_IT_IS = re.compile(r"[!-~]+")  # a space or a line break would end the request line


class Exports(ReadsCreatesUpdates[X, F, S, I, C, U], Generic[X, F, S, I, C, U]):
    """Everything but deleting; an export's file can be waited for and read."""

    async def wait(self, id: str, *, timeout: float = 600.0, every: float = 1.0) -> X:
        """Read an export again and again until it is completed, `timeout` seconds at most.

        `every`: seconds between the first reads; later ones are up to 15 times rarer. Raises
        StillPending when it is not by then: wait again, or have DIDWW call back.
        """
        pause, longest = every, every * RARER
        give_up = time.monotonic() + timeout
        while True:
            export = await self.get(id)
            if export.status == ExportStatus.COMPLETED:
                return export
            left = give_up - time.monotonic()
            if left <= 0:
                raise StillPending(f"export {id} is {export.status} after {timeout:g} seconds")
            await asyncio.sleep(min(pause, left))
            pause = min(longest, pause * 1.5)

    async def download(
        self,
        export: X,
        target: str | os.PathLike[str],
        *,
        on_progress: Progress | None = None,
        timeouts: Timeouts = LONG,
    ) -> Path:
        """Save the file of a completed export: packed if `target` ends in ".gz", else plain CSV.

        The API key goes to the API's own host only. `target` is replaced when the file is whole,
        and left alone otherwise. Returns its path. Raises InvalidInput for an export without a
        file or a target that can't be written, UnreadableReply for a file that is broken, and what
        `on_progress` raises.
        """
        path = _target(target)
        # A name of its own: another download to the same target may be on its way.
        part = path.with_name(f"{path.name[:100]}.{uuid.uuid4().hex}.part")
        try:
            url = await self._fetch(export, part, path, on_progress=on_progress, timeouts=timeouts)
            with _writing(path):
                await in_thread(_finish, part, path, url)
        finally:
            with contextlib.suppress(OSError):
                await in_thread(part.unlink)
        return path

    async def rows(
        self, export: X, *, on_progress: Progress | None = None, timeouts: Timeouts = LONG
    ) -> AsyncIterator[dict[str, str]]:
        """Read the rows of a completed export, in the file's order, as column -> text.

        The file is saved in a temporary place first; memory stays small. Errors as in `download`.
        """
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = await self.download(
                export, Path(folder) / "export.csv", on_progress=on_progress, timeouts=timeouts
            )
            rows = _rows(path, _shown(export))
            while batch := await in_thread(lambda: list(islice(rows, ROWS_AT_ONCE))):
                for row in batch:
                    yield row

    async def _fetch(
        self,
        export: X,
        part: Path,
        target: Path,
        *,
        on_progress: Progress | None,
        timeouts: Timeouts,
    ) -> str:
        if not export.url:
            raise InvalidInput(
                f"export {export.id} has no file yet: it is {export.status}; wait() for it first"
            )
        url = _url(export.url)
        if url is None or url.scheme not in {"http", "https"} or not url.host:
            raise InvalidInput(f"export {export.id} has no usable URL: see its `url`")
        sink = _PartFile(part, target, on_progress)
        try:
            operation = Operation(
                method="GET",
                kind="GET a file",
                api_version=self._channel.version.date,
                accepts="*/*",
            )
            call = Call(operation, path="", timeouts=timeouts, sink=sink)
            reply = await self._channel.sender.at(url).send(call)
        except _ProgressFailed as failed:
            raise failed.problem from None
        finally:
            await sink.close()
        if reply.status != 200:
            why = "200 and a file expected"
            raise self._channel.sender.at(url).unreadable(call, why, reply=reply)
        return _shown(export)


def _target(given: str | os.PathLike[str]) -> Path:
    if not isinstance(given, (str, os.PathLike)) or not Path(given).name:
        raise InvalidInput(f"target is the path of a file, not {given!r}")
    return Path(given)


def _url(text: str) -> URL | None:
    try:
        # As it is, since it may be signed.
        url = URL(text, encoded=AS_IT_IS.fullmatch(text) is not None)
        (url.raw_host or "").encode("idna")
        return url if url.port else None
    except ValueError:
        return None


def _shown(export: Export) -> str:
    """What messages say of where a file is: the rest of its URL may be a password or signature."""
    url = _url(export.url or "")
    return str(without_secrets(url)) if url else ""


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise InvalidInput(f"can't write {target}: {problem.strerror}") from None


class _ProgressFailed(Exception):
    """Carries what `on_progress` raised past those who would take it for a broken connection."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem
        super().__init__("on_progress raised")


class _PartFile:
    """Where a download goes until it is whole."""

    def __init__(self, path: Path, target: Path, on_progress: Progress | None) -> None:
        self._path = path
        self._target = target
        self._on_progress = on_progress
        self._file: BinaryIO | None = None
        self._arrived = 0
        self._length: int | None = None

    async def begin(self, length: int | None) -> None:
        await self.close()
        with _writing(self._target):
            await in_thread(self._open)
        self._arrived, self._length = 0, length

    def _open(self) -> None:
        self._file = self._path.open("wb")

    async def write(self, chunk: bytes) -> None:
        assert self._file is not None  # noqa: S101 - begin() comes first
        with _writing(self._target):
            await in_thread(self._file.write, chunk)
        self._arrived += len(chunk)
        if self._on_progress is not None:
            try:
                self._on_progress(self._arrived, self._length)
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is not ours
                raise _ProgressFailed(problem) from None

    async def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with _writing(self._target):
                await in_thread(file.close)


def _finish(part: Path, target: Path, url: str) -> None:
    """Put the file in its place, packed or not as its name says."""
    with part.open("rb") as file:
        packed = file.read(2) == GZIP
    wanted = target.suffix == ".gz"
    other = part.with_name(f"{part.name}.other")
    try:
        if packed:
            try:
                with gzip.open(part) as source, other.open("wb") as plain:
                    shutil.copyfileobj(source, plain)
            except (EOFError, gzip.BadGzipFile, zlib.error):
                why = "the file is no whole gzip file"
                raise UnreadableReply(method="GET", url=url, status=200, body=why) from None
        elif wanted:
            with part.open("rb") as source, gzip.open(other, "wb") as result:
                shutil.copyfileobj(source, result)
        (part if packed == wanted else other).replace(target)
    finally:
        other.unlink(missing_ok=True)


def _rows(path: Path, url: str) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        try:
            for row in csv.DictReader(file, restval=""):
                yield {str(name): text for name, text in row.items() if name is not None}
        except csv.Error as problem:
            why = f"the file is no usable CSV: {problem}"
            raise UnreadableReply(method="GET", url=url, status=200, body=why) from None

"""A TCP proxy before PostgreSQL that cuts lines, also exactly while a COMMIT is on its way."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"Q" + struct.pack(">I", 4 + 7) + b"COMMIT\0"
NOTICE_FIELDS = b"SWARNING\0VWARNING\0C01000\0Mcanceling wait for synchronous replication\0\0"
NOTICE = b"N" + struct.pack(">I", 4 + len(NOTICE_FIELDS)) + NOTICE_FIELDS


class Proxy:
    """What happens to the next COMMITs is in `commits`, "" (or nothing) for nothing special.

    "before": cut before the server sees it. "after": cut when the server has answered. "late":
    cut towards the client, and the server sees it `delay` seconds later. "never": the same, but
    the server never sees it, and is not told of the loss. "mute": nobody answers any more.
    "warned": answered with a warning that the standby was not waited for.
    """

    def __init__(self, dsn: str) -> None:
        self._target = conninfo_to_dict(dsn)
        self._lines: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.StreamWriter] = []
        self.commits: list[str] = []
        self.delay = 0.3
        self.refusing = False
        self.accepted = 0
        self.commits_seen = 0
        self.dsn = dsn

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.dsn = make_conninfo(
            "",
            **{
                **self._target,
                "host": "127.0.0.1",
                "port": port,
                "sslmode": "disable",
                "gssencmode": "disable",
            },
        )
        try:
            yield self
        finally:
            server.close()
            self.cut()
            for writer in self._held:
                writer.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    def cut(self) -> None:
        """Cut all lines as a network does that goes away."""
        for writer in list(self._lines):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        host, port = str(self._target.get("host", "127.0.0.1")), self._target.get("port", 5432)
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        self._lines |= {writer, up_writer}
        answers = asyncio.create_task(self._answers(up_reader, writer))
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await self._questions(reader, writer, up_writer, answers)
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)
        for end in (writer, up_writer):
            self._lines.discard(end)
            if end not in self._held:
                end.close()

    async def _questions(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up: asyncio.StreamWriter,
        answers: "asyncio.Task[None]",
    ) -> None:
        while data := await reader.read(65536):
            self.commits_seen += data == COMMIT
            what = self.commits.pop(0) if data == COMMIT and self.commits else ""
            if not what:
                up.write(data)
                continue
            if what == "warned":
                writer.write(NOTICE)
                up.write(data)
                continue
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            if what == "mute":
                await asyncio.sleep(60)
            if what in {"late", "never"}:
                self._held.append(up)
                self._lines.discard(up)
            if what == "after":
                up.write(data)
                await asyncio.sleep(0.1)  # the server has committed long before
            writer.transport.abort()
            if what == "late":
                await asyncio.sleep(self.delay)
                up.write(data)
                await up.drain()
            return

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


@asynccontextmanager
async def proxy_before(dsn: str) -> AsyncIterator[Proxy]:
    async with Proxy(dsn).running() as proxy:
        yield proxy

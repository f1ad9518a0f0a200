"""Exports: waited for, saved whole or not at all, and the key stays with the API's own host."""

import asyncio
import contextlib
import gzip
import logging
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from client.servers import (
    KEY,
    Say,
    Seen,
    Server,
    chain,
    client_of,
    document,
    failure_of,
    refusal,
    reply,
    talking,
    thing,
)

from didww_async import AttemptRecord, InvalidInput, RetryPolicy, StillPending, UnreadableReply
from didww_async.resources import Export

CSV = "Date/Time,Source,DID,Duration\r\n" + "".join(
    f"2026-10-{day:02},1555{day:04},442071830000,{day}\r\n" for day in range(1, 29)
)
PACKED = gzip.compress(CSV.encode())


def export(url: str | None, *, status: str = "completed") -> Export:
    return Export(id="export-1", status=status, url=url)  # type: ignore[arg-type]


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_file_is_saved_packed_or_plain_as_its_name_says(tmp_path: Path) -> None:
    for content in (PACKED, CSV.encode()):
        async with talking(reply(content)) as (client, server):
            found = export(f"{server.url}/exports/export-1.csv.gz")
            plain = await client.exports.download(found, tmp_path / "calls.csv")
            packed = await client.exports.download(found, str(tmp_path / "calls.csv.gz"))
        assert CSV.encode() == plain.read_bytes()
        assert CSV.encode() == gzip.decompress(packed.read_bytes())
        assert {"calls.csv", "calls.csv.gz"} == names_in(tmp_path)


async def test_rows_are_read_in_order() -> None:
    async with talking(reply(PACKED)) as (client, server):
        found = export(f"{server.url}/exports/export-1.csv.gz")
        rows = [row async for row in client.exports.rows(found)]
    assert 28 == len(rows)
    assert {
        "Date/Time": "2026-10-01",
        "Source": "15550001",
        "DID": "442071830000",
        "Duration": "1",
    } == rows[0]
    assert "28" == rows[-1]["Duration"]


async def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    async with talking(reply(PACKED)) as (client, server):
        await client.exports.download(
            export(f"{server.url}/exports/export-1.csv.gz"),
            tmp_path / "calls.csv",
            on_progress=lambda arrived, length: told.append((arrived, length)),
        )
    assert (len(PACKED), len(PACKED)) == told[-1]


async def test_key_goes_to_the_api_and_nowhere_else(tmp_path: Path) -> None:
    async with Server(reply(PACKED)) as elsewhere, talking(reply(PACKED)) as (client, server):
        for url in (f"{server.url}/exports/1.csv.gz", f"{elsewhere.url}/exports/1.csv.gz"):
            await client.exports.download(export(url), tmp_path / "calls.csv")
    assert KEY == server.last.headers["api-key"]
    assert "api-key" not in elsewhere.last.headers
    assert KEY not in str(elsewhere.last)


async def test_signed_url_is_fetched_as_it_is(tmp_path: Path) -> None:
    async with talking(reply(PACKED)) as (client, server):
        url = f"{server.url}/f%2Fle.csv.gz?X-Sig=a%2Bb%3D&n=1"
        await client.exports.download(export(url), tmp_path / "calls.csv")
    assert (("X-Sig", "a+b="), ("n", "1")) == server.last.query


async def test_download_that_breaks_off_starts_again(tmp_path: Path) -> None:
    cut = Say(reply(PACKED).data[:-50], then="close")
    async with talking([cut, reply(PACKED)], retry=RetryPolicy.without_waiting()) as (
        client,
        server,
    ):
        found = export(f"{server.url}/exports/export-1.csv.gz")
        path = await client.exports.download(found, tmp_path / "calls.csv")
    assert CSV.encode() == path.read_bytes()
    assert 2 == len(server.requests)


@pytest.mark.parametrize(
    "broken",
    [
        Say(reply(PACKED).data[:-50], then="close"),
        reply(PACKED[:-50]),
        reply(PACKED[:20] + b"\0\0\0" + PACKED[23:]),
        reply("", status=302, headers={"Location": "http://127.0.0.1/"}),
        reply(PACKED, status=202),
        reply(None, status=204),
    ],
)
async def test_broken_file_leaves_what_was_there_alone(tmp_path: Path, broken: Say) -> None:
    target = tmp_path / "calls.csv"
    target.write_text("last month's")
    async with talking(broken) as (client, server):
        with pytest.raises(UnreadableReply, match="export-1"):
            await client.exports.download(export(f"{server.url}/exports/export-1.csv.gz"), target)
    assert "last month's" == target.read_text()
    assert {"calls.csv"} == names_in(tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "has no file yet.*wait"),
        ("", "has no file yet"),
        ("file:///etc/passwd", "no usable URL"),
        ("/v3/exports/1.csv.gz", "no usable URL"),
        ("http://[::1", "no usable URL"),
        ("http://127.0.0.1:99999/1.csv.gz", "no usable URL"),
        (f"http://{'a' * 64}.test/1.csv.gz", "no usable URL"),
    ],
)
async def test_export_without_a_usable_url_is_refused(
    tmp_path: Path, url: str | None, message: str
) -> None:
    async with talking(reply(PACKED)) as (client, server):
        with pytest.raises(InvalidInput, match=message):
            await client.exports.download(export(url), tmp_path / "calls.csv")
    assert [] == server.requests


async def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with talking(reply(PACKED)) as (client, server):
        with pytest.raises(InvalidInput, match=r"can't write .*nowhere"):
            await client.exports.download(
                export(f"{server.url}/1.csv.gz"), tmp_path / "nowhere" / "calls.csv"
            )


@pytest.mark.parametrize("name", ["", ".", 5, "a folder", "a file/calls.csv"])
async def test_target_that_can_not_be_written_is_named(tmp_path: Path, name: Any) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").touch()
    target = tmp_path / name if isinstance(name, str) and len(name) > 1 else name
    async with talking(reply(PACKED)) as (client, server):
        with pytest.raises(InvalidInput, match=r"can't write .*a f|target is the path of a file"):
            await client.exports.download(export(f"{server.url}/1.csv.gz"), target)
    assert {"a folder", "a file"} == names_in(tmp_path)


@pytest.mark.parametrize("room", [100, len(PACKED)])
async def test_full_disk_is_told_as_such_and_not_tried_again(tmp_path: Path, room: int) -> None:
    """There is room for a part of the file, or for the packed file but not for the plain one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with talking(reply(PACKED), retry=RetryPolicy.without_waiting()) as (client, server):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with pytest.raises(InvalidInput, match=r"can't write .*calls.csv: File too large"):
                await client.exports.download(
                    export(f"{server.url}/1.csv.gz"), tmp_path / "calls.csv"
                )
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert 1 == len(server.requests)
    assert set() == names_in(tmp_path)


@pytest.mark.parametrize("problem", [OSError("mine"), TimeoutError("mine"), ValueError("mine")])
async def test_what_on_progress_raises_ends_the_download(
    tmp_path: Path, problem: Exception
) -> None:
    def fail(_: int, __: int | None) -> None:
        raise problem

    async with talking(reply(PACKED), retry=RetryPolicy.without_waiting()) as (client, server):
        work = client.exports.download(
            export(f"{server.url}/1.csv.gz"), tmp_path / "calls.csv", on_progress=fail
        )
        assert problem is await failure_of(work)
    assert 1 == len(server.requests)
    assert set() == names_in(tmp_path)


async def test_downloads_to_one_target_do_not_disturb_each_other(tmp_path: Path) -> None:
    async with talking(reply(PACKED)) as (client, server):
        found = export(f"{server.url}/1.csv.gz")
        await asyncio.gather(
            *(client.exports.download(found, tmp_path / "calls.csv") for _ in range(10))
        )
    assert CSV == (tmp_path / "calls.csv").read_bytes().decode()
    assert {"calls.csv"} == names_in(tmp_path)


async def test_cancelled_download_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with talking(reply(PACKED)) as (client, server):
        found = export(f"{server.url}/1.csv.gz")

        async def rows() -> None:
            async with contextlib.aclosing(client.exports.rows(found)) as reading:
                async for _ in reading:
                    pass

        for turns in range(40):
            for work in (rows(), client.exports.download(found, tmp_path / "calls.csv")):
                task = asyncio.create_task(work)
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            assert names_in(tmp_path) <= {"calls.csv"}


async def test_progress_knows_no_total_where_the_file_is_packed_on_the_way(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    packed = reply(gzip.compress(PACKED), headers={"Content-Encoding": "gzip"})
    async with talking(packed) as (client, server):
        path = await client.exports.download(
            export(f"{server.url}/1.csv.gz"),
            tmp_path / "calls.csv",
            on_progress=lambda arrived, length: told.append((arrived, length)),
        )
    assert CSV.encode() == path.read_bytes()
    assert (len(PACKED), None) == told[-1]


async def test_rows_of_a_file_that_is_no_csv() -> None:
    cell = b"x" * 200_000
    async with talking(reply(b"a,b\r\n1," + cell)) as (client, server):
        with pytest.raises(UnreadableReply, match="no usable CSV"):
            [row async for row in client.exports.rows(export(f"{server.url}/1.csv.gz"))]


async def test_what_a_url_holds_beside_the_path_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "didww_async")
    told: list[AttemptRecord] = []
    async with (
        Server(refusal(403)) as elsewhere,
        talking(refusal(403), on_attempt=told.append) as (client, server),
    ):
        for at in (server, elsewhere):
            url = at.url.replace("//", "//us3r:passw0rd@") + "/1.csv.gz?X-Signature=s1gned#fr4g"
            failure = await failure_of(client.exports.download(export(url), tmp_path / "calls.csv"))
            assert f"{at.url}/1.csv.gz" in str(failure)
            told_of = [str(found) for found in chain(failure)] + [caplog.text, repr(told)]
            for secret in ("us3r", "passw0rd", "s1gned", "fr4g"):
                assert secret not in "".join(told_of)
    assert "authorization" not in server.last.headers  # there the key authenticates


async def test_blanks_in_a_url_are_written_as_a_url_has_them(tmp_path: Path) -> None:
    async with talking(reply(PACKED)) as (client, server):
        await client.exports.download(
            export(f"{server.url}/call records.csv\r\nX: y"), tmp_path / "calls.csv"
        )
    assert "/v3/call%20records.csvX:%20y" == server.last.path


async def test_waiting_ends_when_the_export_is_completed() -> None:
    def answer(seen: Seen) -> Say:
        done = len(server.requests) > 2
        status, url = ("completed", f"{server.url}/1.csv.gz") if done else ("processing", None)
        return reply(document(thing("exports", "export-1", status=status, url=url)))

    async with Server(answer) as server, client_of(server) as client:
        found = await client.exports.wait("export-1", every=0.001)
    assert f"{server.url}/1.csv.gz" == found.url
    assert 3 == len(server.requests)


async def test_waiting_looks_a_last_time_when_its_time_is_over() -> None:
    began = time.monotonic()

    def answer(_: Seen) -> Say:
        late = time.monotonic() - began > 0.18
        return reply(document(thing("exports", "export-1", status="completed" if late else "new")))

    async with talking(answer) as (client, _):
        await client.exports.wait("export-1", timeout=0.2, every=0.15)


async def test_waiting_has_an_end() -> None:
    pending = document(thing("exports", "export-1", status="pending", url=None))
    async with talking(reply(pending)) as (client, _):
        with pytest.raises(StillPending, match="export export-1 is pending after 0"):
            await client.exports.wait("export-1", timeout=0.05, every=0.01)


async def test_refusals_are_raised_as_ever(tmp_path: Path) -> None:
    async with talking(refusal(404, title="Not found")) as (client, server):
        with pytest.raises(Exception, match="404"):
            await client.exports.download(export(f"{server.url}/1.csv.gz"), tmp_path / "calls.csv")

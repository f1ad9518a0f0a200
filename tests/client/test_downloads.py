"""Exports: waited for, saved whole or not at all, and the key stays with the API's own host."""

import gzip
from pathlib import Path

import pytest
from client.servers import (
    KEY,
    Say,
    Seen,
    Server,
    client_of,
    document,
    refusal,
    reply,
    talking,
    thing,
)

from didww_async import InvalidInput, RetryPolicy, StillPending, UnreadableReply
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


async def test_waiting_ends_when_the_export_is_completed() -> None:
    def answer(seen: Seen) -> Say:
        done = len(server.requests) > 2
        status, url = ("completed", f"{server.url}/1.csv.gz") if done else ("processing", None)
        return reply(document(thing("exports", "export-1", status=status, url=url)))

    async with Server(answer) as server, client_of(server) as client:
        found = await client.exports.wait("export-1", every=0.001)
    assert f"{server.url}/1.csv.gz" == found.url
    assert 3 == len(server.requests)


async def test_waiting_has_an_end() -> None:
    pending = document(thing("exports", "export-1", status="pending", url=None))
    async with talking(reply(pending)) as (client, _):
        with pytest.raises(StillPending, match="export export-1 is pending after 0"):
            await client.exports.wait("export-1", timeout=0.05, every=0.01)


async def test_refusals_are_raised_as_ever(tmp_path: Path) -> None:
    async with talking(refusal(404, title="Not found")) as (client, server):
        with pytest.raises(Exception, match="404"):
            await client.exports.download(export(f"{server.url}/1.csv.gz"), tmp_path / "calls.csv")

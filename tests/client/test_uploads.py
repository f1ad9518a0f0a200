"""Uploading documents: encrypted for the keys DIDWW has now, and nothing readable ever leaves."""

import asyncio
import email
import email.message
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from client.servers import KEY, Say, Seen, Server, document, refusal, reply, talking, thing

from didww_async import (
    Client,
    InvalidInput,
    NotFound,
    RateLimit,
    RetryPolicy,
    ValidationFailed,
)
from didww_async.resources import EncryptedFileCreate
from didww_async.simulator import Simulator

pytest.importorskip("cryptography")
from client.test_encryption import FINGERPRINT, KEYS, decrypted

from didww_async.encryption import EncryptionKeys, encrypt

SWAPPED = EncryptionKeys(KEYS.b, KEYS.a)
PASSPORT = b"%PDF-1.7 passport of " + b"somebody " * 100
OUTDATED = refusal(
    422, title="is invalid", detail="encryption_fingerprint - outdated fingerprint", code="100"
)
CREATED = document(thing("encrypted_files", "file-1", description="passport"))


def form_of(seen: Seen) -> dict[str, bytes]:
    """The parts of a multipart form by their names."""
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + seen.body)
    parts: list[email.message.Message] = message.get_payload()  # type: ignore[assignment]
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)  # type: ignore[misc]
        for part in parts
    }


def answering(*uploads: Say, keys: tuple[EncryptionKeys, ...] = (KEYS,)) -> Callable[[Seen], Say]:
    """Answers to GET /public_keys and POST /encrypted_files; the last of each is said again."""
    waiting, listed = list(uploads), list(keys)

    def answer(seen: Seen) -> Say:
        if seen.method == "POST":
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        pair = listed.pop(0) if len(listed) > 1 else listed[0]
        resources = [
            thing("public_keys", name, key=pem) for name, pem in (("a", pair.a), ("b", pair.b))
        ]
        return reply({"data": resources})

    return answer


async def test_document_arrives_encrypted_for_both_keys() -> None:
    async with talking(answering(reply(CREATED, status=201))) as (client, server):
        file = await client.encrypted_files.upload(PASSPORT, description="passport")
    assert ("file-1", "passport") == (file.id, file.description)
    assert ["GET", "POST"] == [seen.method for seen in server.requests]
    form = form_of(server.last)
    assert FINGERPRINT.encode() == form["encrypted_files[encryption_fingerprint]"]
    assert b"passport" == form["encrypted_files[description]"]
    assert PASSPORT == decrypted(form["encrypted_files[file]"], "a")
    assert PASSPORT == decrypted(form["encrypted_files[file]"], "b")


async def test_key_is_not_sent_for_public_keys_but_for_the_upload() -> None:
    async with talking(answering(reply(CREATED, status=201))) as (client, server):
        await client.encrypted_files.upload(PASSPORT)
    asked, posted = server.requests
    assert "api-key" not in asked.headers
    assert KEY == posted.headers["api-key"]
    assert posted.headers["content-type"].startswith("multipart/form-data")


async def test_uploads_leave_nothing_behind_in_memory() -> None:
    class Own:
        async def headers(self) -> dict[str, str]:
            return {"Authorization": "Bearer t0ken-t0ken"}

    options = {"api_key": Own(), "api_version": "2026-11-19"}
    async with talking(answering(reply(CREATED, status=201)), **options) as (client, _):
        kept = []
        for _ in range(3):
            await client.encrypted_files.upload(PASSPORT)
            kept.append(len(client._sender._headers._made))
    assert [2, 2, 2] == kept  # headers of what reads the keys, and of what uploads


async def test_public_keys_that_are_known_are_not_asked_for() -> None:
    async with talking(answering(reply(CREATED, status=201))) as (client, server):
        await client.encrypted_files.upload(PASSPORT, keys=KEYS)
    assert ["POST"] == [seen.method for seen in server.requests]


async def test_large_file_goes_from_disk_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = tmp_path / "between"
    between.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(between))
    source = tmp_path / "John Doe.tiff"
    source.write_bytes(PASSPORT * 2000)
    async with talking(answering(reply(CREATED, status=201))) as (client, server):
        await client.encrypted_files.upload(source)
    assert PASSPORT * 2000 == decrypted(form_of(server.last)["encrypted_files[file]"], "a")
    assert "chunked" not in server.last.headers.get("transfer-encoding", "")
    assert b"John" not in server.last.body
    assert [] == list(between.iterdir())


async def test_keys_that_changed_meanwhile_are_fetched_and_used_once() -> None:
    answers = answering(OUTDATED, reply(CREATED, status=201), keys=(KEYS, SWAPPED))
    async with talking(answers) as (client, server):
        await client.encrypted_files.upload(PASSPORT)
    assert ["GET", "POST", "GET", "POST"] == [seen.method for seen in server.requests]
    form = form_of(server.last)
    assert SWAPPED.fingerprint.encode() == form["encrypted_files[encryption_fingerprint]"]
    assert PASSPORT == decrypted(
        form["encrypted_files[file]"][512:1024] * 2 + form["encrypted_files[file]"][1024:], "a"
    )


@pytest.mark.parametrize(
    ("refusals", "keys", "methods"),
    [
        ((OUTDATED,), (KEYS,), ["GET", "POST", "GET"]),  # the keys are the same: no use
        ((OUTDATED,), (KEYS, SWAPPED, KEYS), ["GET", "POST", "GET", "POST"]),  # only once
        ((refusal(422, detail="file is too large"),), (KEYS, SWAPPED), ["GET", "POST"]),
    ],
)
async def test_refusal_that_new_keys_do_not_mend_is_raised(
    refusals: tuple[Say, ...], keys: tuple[EncryptionKeys, ...], methods: list[str]
) -> None:
    async with talking(answering(*refusals, keys=keys)) as (client, server):
        with pytest.raises(ValidationFailed):
            await client.encrypted_files.upload(PASSPORT)
    assert methods == [seen.method for seen in server.requests]


async def test_upload_that_was_not_carried_out_is_sent_again_whole(tmp_path: Path) -> None:
    source = tmp_path / "passport.pdf"
    source.write_bytes(PASSPORT)
    answers = answering(refusal(429), reply(CREATED, status=201))
    async with talking(answers, retry=RetryPolicy.without_waiting()) as (client, server):
        await client.encrypted_files.upload(source, keys=KEYS)
    first, second = server.requests
    name = "encrypted_files[file]"
    assert form_of(first)[name] == form_of(second)[name]
    assert PASSPORT == decrypted(form_of(second)[name], "a")


async def test_old_version_spells_the_form_and_the_answer_in_its_own_way() -> None:
    answers = answering(reply({"ids": ["file-1"]}, status=201))
    async with talking(answers, api_version="2022-05-10") as (client, server):
        file = await client.encrypted_files.upload(PASSPORT, description="passport")
    assert ("file-1", "passport") == (file.id, file.description)
    assert {
        "encrypted_files[encryption_fingerprint]",
        "encrypted_files[items][][file]",
        "encrypted_files[items][][description]",
    } == set(form_of(server.last))


async def test_answer_of_another_media_type_is_read_by_its_body() -> None:
    created = reply(CREATED, status=201, headers={"Content-Type": "application/json"})
    async with talking(answering(created)) as (client, _):
        assert "file-1" == (await client.encrypted_files.upload(PASSPORT)).id


@pytest.mark.parametrize("version", ["2022-05-10", "2026-04-16", "2026-11-19"])
async def test_upload_to_the_simulator(version: str) -> None:
    async with (
        Simulator() as simulator,
        Client(
            api_key=simulator.api_key,
            base_url=simulator.base_url,
            token_url=simulator.token_url,
            api_version=version,
        ) as client,
    ):
        file = await client.encrypted_files.upload(PASSPORT, description="passport")
        assert "passport" == (await client.encrypted_files.get(file.id)).description
        [kept] = simulator.files.all
        assert PASSPORT not in kept.content
        await client.encrypted_files.delete(file.id)
        with pytest.raises(NotFound):
            await client.encrypted_files.get(file.id)


# -- bad input: nothing is sent


async def test_what_can_not_be_read_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pdf"
    empty.touch()
    cases: list[tuple[bytes | Path | str, str]] = [
        (b"", "source is empty"),
        (empty, "source is empty"),
        (tmp_path / "missing.pdf", "source can't be read.*No such file"),
        (str(tmp_path), "source can't be read.*directory"),
        ("pass\0port.pdf", "source can't be read.*null byte"),
        (5, "source is bytes or a path, not int"),  # type: ignore[list-item]
        (bytearray(PASSPORT), "source is bytes or a path, not bytearray"),  # type: ignore[list-item]
    ]
    async with talking(answering(reply(CREATED, status=201))) as (client, server):
        for source, message in cases:
            with pytest.raises(InvalidInput, match=message):
                await client.encrypted_files.upload(source, keys=KEYS)
    assert [] == server.requests


async def test_file_that_is_not_encrypted_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "passport.pdf"
    plain.write_bytes(PASSPORT)
    with pytest.raises(InvalidInput, match="file is not encrypted"):
        EncryptedFileCreate(encryption_fingerprint=FINGERPRINT, file=PASSPORT)
    async with talking(answering(reply(CREATED, status=201))) as (client, server):
        with pytest.raises(InvalidInput, match="file is not encrypted"):
            await client.encrypted_files.create(
                EncryptedFileCreate(encryption_fingerprint=FINGERPRINT, file=plain)
            )
    assert [] == server.requests


async def test_file_that_went_away_between_two_attempts_is_named(tmp_path: Path) -> None:
    path = tmp_path / "passport.enc"
    path.write_bytes(encrypt(PASSPORT, keys=KEYS))

    def answer(_: Seen) -> Say:
        path.unlink()
        return refusal(429)

    async with talking(answer, retry=RetryPolicy.without_waiting()) as (client, server):
        with pytest.raises(InvalidInput, match=r"passport.enc can't be read: No such file"):
            await client.encrypted_files.create(
                EncryptedFileCreate(encryption_fingerprint=FINGERPRINT, file=path)
            )
    assert 1 == len(server.requests)


async def test_file_that_went_away_costs_no_turn(tmp_path: Path) -> None:
    path = tmp_path / "passport.enc"

    class Slow:
        async def headers(self) -> dict[str, str]:
            path.unlink()  # after it was checked, and before it is sent
            return {"Api-Key": "0123456789"}

    limit = RateLimit(1, clock=lambda: 0.0)  # time stands still: only given back slots return
    options = {"api_key": Slow(), "rate_limit": limit, "max_connections": 1}
    async with talking(answering(reply(CREATED, status=201)), **options) as (client, server):
        for _ in range(3):
            path.write_bytes(encrypt(PASSPORT, keys=KEYS))
            with pytest.raises(InvalidInput, match=r"passport.enc can't be read: No such file"):
                await client.encrypted_files.create(
                    EncryptedFileCreate(encryption_fingerprint=FINGERPRINT, file=path)
                )
        assert limit.take() is not None
    assert [] == server.requests


async def test_cancelled_upload_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = tmp_path / "between"
    between.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(between))
    source = tmp_path / "passport.pdf"
    source.write_bytes(PASSPORT * 2000)
    async with talking(answering(reply(CREATED, status=201))) as (client, _):
        for turns in range(30):
            task = asyncio.create_task(client.encrypted_files.upload(source, keys=KEYS))
            for _turn in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert [] == list(between.iterdir())


async def test_file_encrypted_elsewhere_is_uploaded_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "passport.enc"
    path.write_bytes(encrypt(PASSPORT, keys=KEYS))
    async with talking(reply(CREATED, status=201)) as (client, server):
        await client.encrypted_files.create(
            EncryptedFileCreate(encryption_fingerprint=FINGERPRINT, file=path)
        )
    assert path.read_bytes() == form_of(server.last)["encrypted_files[file]"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"encryption_fingerprint": "abc"}, "encryption_fingerprint is two SHA-1 sums"),
        ({"encryption_fingerprint": FINGERPRINT.upper()}, "encryption_fingerprint"),
        ({"file": "passport.pdf"}, "file is"),
        ({"description": 5}, "description is text"),
    ],
)
def test_wrong_fields_are_named(wrong: dict[str, object], message: str) -> None:
    right = {"encryption_fingerprint": FINGERPRINT, "file": encrypt(b"x", keys=KEYS)}
    with pytest.raises(InvalidInput, match=message):
        EncryptedFileCreate(**{**right, **wrong})  # type: ignore[arg-type]


async def test_fewer_than_two_keys_are_refused() -> None:
    one = reply({"data": [thing("public_keys", "a", key=KEYS.a)]})
    async with Server(one) as server, Client(api_key=KEY, base_url=server.url) as client:
        with pytest.raises(InvalidInput, match="needs two public keys, got 1"):
            await client.encrypted_files.upload(PASSPORT)
    assert ["GET"] == [seen.method for seen in server.requests]

"""Encrypted files: what is accepted, how long it is kept, and that it can be decrypted."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from didww.encrypt import Encrypt
from simulator.kit import OLD, running
from simulator.papers import SIZE, upload


def decrypted(content):
    """Read a file with each of the two private keys: both must give the same."""
    found = set()
    for position, name in enumerate(("a", "b")):
        pem = (Path(__file__).parent / "private_keys" / f"{name}.pem").read_bytes()
        key = load_pem_private_key(pem, None)
        oaep = OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None)
        head = key.decrypt(content[512 * position : 512 * (position + 1)], oaep)
        cipher = Cipher(AES256(head[:32]), CBC(head[32:])).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        found.add(unpadder.update(cipher.update(content[1024:])) + unpadder.finalize())
    [text] = found
    return text


async def keys(api):
    answer = await api.call("GET", "/public_keys", headers={"Api-Key": None})
    assert {"data"} == answer.json.keys()
    return [row["attributes"]["key"] for row in answer.json["data"]]


async def test_what_the_official_sdk_encrypts_arrives():
    async with running() as api:
        pems = await keys(api)
        fingerprint = Encrypt.calculate_fingerprint(pems)
        assert fingerprint == api.sim.files.fingerprint
        text = os.urandom(3_000_000)  # larger than what aiohttp takes by default
        answer = await upload(
            api,
            Encrypt.encrypt_with_keys(text, pems),
            fingerprint=fingerprint,
            description="ö",
        )
        assert (201, "application/json") == (answer.status, answer.headers["Content-Type"])
        data = answer.json["data"]
        assert "ö" == data["attributes"]["description"]
        [file] = api.sim.files.all
        assert text == decrypted(file.content)
        assert data["id"] == file.id
        assert (await api.get(f"/encrypted_files/{file.id}")).json["data"] == data
        assert str(file.content)[:30] not in repr(file)
        assert 204 == (await api.call("DELETE", f"/encrypted_files/{file.id}")).status
        assert [] == api.sim.files.all


async def test_an_outdated_fingerprint():
    async with running() as api:
        before = api.sim.files.fingerprint
        api.sim.files.rotate_keys()
        answer = await upload(api, fingerprint=before)
        assert (422, "outdated fingerprint") == (answer.status, answer.error["title"])
        assert ["/data/attributes/encryption_fingerprint"] == answer.pointers
        fingerprint = Encrypt.calculate_fingerprint(await keys(api))
        assert 201 == (await upload(api, fingerprint=fingerprint)).status


async def test_what_is_not_accepted():
    async with running() as api:
        for content in (b"", b"plain text", bytes(SIZE + 1)):
            assert ["/data/attributes/file"] == (await upload(api, content)).pointers
        assert 400 == (await upload(api, colour="red")).status
        multipart = {"Content-Type": "multipart/form-data; boundary=x"}
        for sent in (b"", b"--x--\r\n", b"--x\r\n\r\nhello\r\n--x--", b"\xff\r\n--x", b"--x\r\n"):
            answer = await api.call("POST", "/encrypted_files", data=sent, headers=multipart)
            assert 400 == answer.status, sent
        nameless = {"Content-Type": "multipart/form-data"}
        answer = await api.call("POST", "/encrypted_files", data=b"x", headers=nameless)
        assert 400 == answer.status
        assert 415 == (await api.call("POST", "/encrypted_files", json={})).status
        assert [] == (await api.get("/encrypted_files")).ids


async def test_files_are_kept_for_a_day():
    clock = [datetime(2026, 5, 1, tzinfo=UTC)]
    async with running(clock=lambda: clock[0]) as api:
        data = (await upload(api)).json["data"]
        assert "2026-05-02T00:00:00.000Z" == data["attributes"]["expires_at"]
        clock[0] += timedelta(hours=24)
        assert [] == (await api.get("/encrypted_files")).ids
        await api.get(f"/encrypted_files/{data['id']}", 404)


async def test_the_old_form_takes_several_files():
    async with running() as api:
        form = aiohttp.FormData()
        form.add_field("encrypted_files[encryption_fingerprint]", api.sim.files.fingerprint)
        for name in ("one", "two"):
            form.add_field("encrypted_files[items][][description]", name)
            form.add_field("encrypted_files[items][][file]", bytes(SIZE), filename=name)
        payload = form()
        headers = {"Content-Type": payload.headers["Content-Type"]}
        old = api.speaking(OLD)
        answer = await old.call("POST", "/encrypted_files", data=payload, headers=headers)
        assert 201 == answer.status, answer.body
        assert {"ids": [file.id for file in api.sim.files.all]} == answer.json
        listed = (await old.get("/encrypted_files?sort=description")).json["data"]
        assert ["one", "two"] == [row["attributes"]["description"] for row in listed]
        assert "expire_at" in listed[0]["attributes"]

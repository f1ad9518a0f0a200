"""Encrypting documents: only the holders of the private keys can read them.

The key pairs in `keys/` were made with openssl for these tests, and guard nothing.
"""

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didww_async import InvalidInput

pytest.importorskip("cryptography")
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from didww_async.encryption import EncryptionKeys, encrypt, encrypted_chunks
from didww_async.resources import PublicKey

FOLDER = Path(__file__).with_name("keys")
KEYS = EncryptionKeys((FOLDER / "public_a.pem").read_text(), (FOLDER / "public_b.pem").read_text())
# openssl rsa -pubin -in public_a.pem -outform DER | sha1sum
FINGERPRINT = "aeedb9a4ae6c34848d0b5b62ee47129e428d1be5:::dcbb4cf3fa50740b6930325fef324f4e56959247"
RSA_SIZE = 512


def decrypted(encrypted: bytes, holder: str) -> bytes:
    """What the holder of private key "a" or "b" reads."""
    private = serialization.load_pem_private_key(
        (FOLDER / f"private_{holder}.pem").read_bytes(), password=None
    )
    assert isinstance(private, rsa.RSAPrivateKey)
    start = {"a": 0, "b": RSA_SIZE}[holder]
    secret = private.decrypt(
        encrypted[start : start + RSA_SIZE],
        OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None),
    )
    assert 48 == len(secret)
    cipher = Cipher(algorithms.AES256(secret[:32]), modes.CBC(secret[32:])).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    padded = cipher.update(encrypted[2 * RSA_SIZE :]) + cipher.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def test_fingerprint_is_what_openssl_computes() -> None:
    assert FINGERPRINT == KEYS.fingerprint


@settings(max_examples=20, deadline=None)
@given(data=st.binary(max_size=100), holder=st.sampled_from("ab"))
def test_either_holder_can_read_it(data: bytes, holder: str) -> None:
    encrypted = encrypt(data, keys=KEYS)
    assert data == decrypted(encrypted, holder)
    assert 2 * RSA_SIZE + 16 * (len(data) // 16 + 1) == len(encrypted)


@pytest.mark.parametrize("size", [0, 15, 16, 256 * 1024 - 1, 256 * 1024, 600_000])
def test_file_is_encrypted_in_chunks_like_a_document_in_memory(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    assert data == decrypted(b"".join(encrypted_chunks(io.BytesIO(data), keys=KEYS)), "a")


def test_same_document_never_encrypts_to_the_same_bytes() -> None:
    one, other = encrypt(b"passport", keys=KEYS), encrypt(b"passport", keys=KEYS)
    assert one[2 * RSA_SIZE :] != other[2 * RSA_SIZE :]
    assert one[:RSA_SIZE] != other[:RSA_SIZE]


def test_large_file_takes_little_memory(tmp_path: Path) -> None:
    source = tmp_path / "scan.tiff"
    with source.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    tracemalloc.start()
    with source.open("rb") as file:
        size = sum(map(len, encrypted_chunks(file, keys=KEYS)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 2 * RSA_SIZE + 64 * 1024 * 1024 + 16 == size
    assert peak < 4 * 1024 * 1024


def elliptic() -> str:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (lambda: "", "b is no public key"),
        (lambda: "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----", "b is no public key"),
        (elliptic, "b is a public key, but not of RSA"),
    ],
)
def test_what_is_no_rsa_key_is_refused(pem: Callable[[], str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        EncryptionKeys(KEYS.a, pem())


def test_keys_are_not_shown() -> None:
    assert "EncryptionKeys()" == repr(KEYS)


def _pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (5, "a is no public key"),
        (b"-----BEGIN PUBLIC KEY-----", "a is no public key"),
        (_pem(rsa.generate_private_key(65537, 1024)), "a has 1024 bits: too few"),  # noqa: S505
    ],
)
def test_keys_that_keep_nothing_secret_are_refused(wrong: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        EncryptionKeys(wrong, KEYS.b)


def test_keys_without_their_text_do_not_count() -> None:
    found = [PublicKey(id="1", key=KEYS.a), PublicKey(id="2")]
    with pytest.raises(InvalidInput, match="needs two public keys, got 1"):
        EncryptionKeys.of(found)


def test_a_document_is_bytes() -> None:
    with pytest.raises(InvalidInput, match="a document is bytes, not str"):
        encrypt("passport.pdf", keys=KEYS)  # type: ignore[arg-type]

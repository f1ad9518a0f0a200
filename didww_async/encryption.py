"""Encrypting regulatory documents for DIDWW, so that only DIDWW can read them. Extra `files`.

    keys = EncryptionKeys.of(await client.public_keys.list())
    encrypted = encrypt(Path("passport.pdf").read_bytes(), keys=keys)

`didww_async.uploading` does all of it, upload included. A file is encrypted once with a random key
and IV (AES-256-CBC, PKCS7), and that key for each of DIDWW's two RSA keys (OAEP with SHA-256):
`RSA_A(key + IV) || RSA_B(key + IV) || ciphertext`. Source: facts file, section 8.
"""

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import attrs

from didww_async.errors import InvalidInput
from didww_async.resources.files import PublicKey

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, padding, serialization
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError as missing:
    raise ImportError(
        "encrypting needs cryptography: pip install 'didww-async[files]'"
    ) from missing

__all__ = ["EncryptionKeys", "encrypt", "encrypted_chunks"]

KEY_SIZE = 32
BLOCK_SIZE = 16
CHUNK = 256 * 1024
LEAST_BITS = 2048  # DIDWW's have 4096


@attrs.frozen
class EncryptionKeys:
    """DIDWW's two RSA public keys, as PEM text, in the API's order.

    Raises InvalidInput for what is no RSA public key, or a weak one.
    """

    a: str = attrs.field(repr=False)
    b: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        for name, pem in (("a", self.a), ("b", self.b)):
            _rsa(pem, name=name)

    @classmethod
    def of(cls, found: Iterable[PublicKey]) -> "EncryptionKeys":
        """The first two of `client.public_keys.list()`. Raises InvalidInput if there are fewer."""
        keys = [resource.key for resource in found][:2]
        usable = [key for key in keys if isinstance(key, str)]
        if len(usable) < 2:
            raise InvalidInput(f"encrypting needs two public keys, got {len(usable)}")
        return cls(*keys)

    @property
    def fingerprint(self) -> str:
        """What the upload names the keys by: SHA-1 of each key's DER, hex, joined by ":::"."""
        return ":::".join(_fingerprint(_rsa(pem, name="key")) for pem in (self.a, self.b))


def encrypt(data: bytes, *, keys: EncryptionKeys) -> bytes:
    """Encrypt a document held in memory. For large files see `encrypted_chunks`.

    Raises InvalidInput for what is no bytes.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise InvalidInput(f"a document is bytes, not {type(data).__name__}")
    return b"".join(_encrypted(iter([data]), keys))


def encrypted_chunks(source: BinaryIO, *, keys: EncryptionKeys) -> Iterator[bytes]:
    """Encrypt a file chunk by chunk, in constant memory.

    Reading and encrypting block: consume it in a thread.
    """
    return _encrypted(iter(lambda: source.read(CHUNK), b""), keys)


def _encrypted(chunks: Iterator[bytes], keys: EncryptionKeys) -> Iterator[bytes]:
    key, iv = os.urandom(KEY_SIZE), os.urandom(BLOCK_SIZE)
    for pem in (keys.a, keys.b):
        oaep = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
        yield _rsa(pem, name="key").encrypt(key + iv, oaep)
    cipher = Cipher(algorithms.AES256(key), modes.CBC(iv)).encryptor()
    padder = padding.PKCS7(BLOCK_SIZE * 8).padder()
    for chunk in chunks:
        yield cipher.update(padder.update(chunk))
    yield cipher.update(padder.finalize()) + cipher.finalize()


def _rsa(pem: str, *, name: str) -> RSAPublicKey:
    try:
        found = serialization.load_pem_public_key(pem.encode())
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        raise InvalidInput(f"{name} is no public key in PEM format") from None
    if not isinstance(found, RSAPublicKey):
        raise InvalidInput(f"{name} is a public key, but not of RSA")
    if found.key_size < LEAST_BITS:
        raise InvalidInput(f"{name} has {found.key_size} bits: too few to keep a document secret")
    return found


def _fingerprint(key: RSAPublicKey) -> str:
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303 - what the API names keys by
    digest.update(der)
    return digest.finalize().hex()

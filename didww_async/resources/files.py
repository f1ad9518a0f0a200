"""Files: the keys regulatory files are encrypted for, and the encrypted files.

Source: doc.didww.com/api3, public_keys, encrypted_files; facts file, section 8.
"""

import datetime as dt
import re
from pathlib import Path
from typing import ClassVar, Literal, TypedDict

from didww_async.errors import InvalidInput
from didww_async.resources.base import Resource, attribute, value
from didww_async.resources.inputs import Input
from didww_async.wire.query import FilterValue
from didww_async.wire.unset import UNSET, Unset

__all__ = [
    "EncryptedFile",
    "EncryptedFileCreate",
    "EncryptedFileFilter",
    "EncryptedFileSort",
    "PublicKey",
    "PublicKeyFilter",
    "PublicKeySort",
]


@value
class PublicKey(Resource):
    """One of DIDWW's two RSA keys, in PEM; a file is encrypted for both."""

    type: ClassVar[str] = "public_keys"
    paged: ClassVar[bool] = False

    key: str = attribute()


class PublicKeyFilter(TypedDict, total=False):
    """Filters of GET /public_keys."""

    id: FilterValue


PublicKeySort = Literal["key", "-key"]


@value
class EncryptedFile(Resource):
    """An uploaded file that waits to be used in a proof or document.

    Its content can't be read back; unused, it is gone at `expires_at`, 24 hours after the upload.
    """

    type: ClassVar[str] = "encrypted_files"
    walk_by: ClassVar[str | None] = "expires_at"

    description: str | None = attribute()
    expires_at: dt.datetime = attribute()


class EncryptedFileFilter(TypedDict, total=False):
    """Filters of GET /encrypted_files."""

    id: FilterValue


EncryptedFileSort = Literal[
    "description", "-description", "expire_at", "-expire_at", "expires_at", "-expires_at"
]

ENCRYPTION_OVERHEAD = 2 * 512  # bytes: the random key, encrypted for two RSA keys of 4096 bits
BLOCK_SIZE = 16
FINGERPRINT = re.compile(r"[0-9a-f]{40}:::[0-9a-f]{40}")


@value
class EncryptedFileCreate(Input):
    """What POST /encrypted_files takes: a file that is encrypted already.

    `encryption_fingerprint`: of the keys it is encrypted for. `file`: its content, or where it is.
    `client.encrypted_files.upload()` encrypts, and makes this by itself.
    """

    type: ClassVar[str] = "encrypted_files"

    encryption_fingerprint: str
    file: bytes | Path
    description: str | Unset = UNSET

    def _check(self) -> None:
        if not FINGERPRINT.fullmatch(self.encryption_fingerprint):
            raise InvalidInput(
                "encryption_fingerprint is two SHA-1 sums in lower-case hex, joined by ':::', not "
                f"{self.encryption_fingerprint!r}"
            )
        if isinstance(self.file, bytes):
            check_encrypted(len(self.file))


def check_encrypted(size: int) -> None:
    """Refuse a size that an encrypted file can't have: documents must not leave readable."""
    if size <= ENCRYPTION_OVERHEAD or (size - ENCRYPTION_OVERHEAD) % BLOCK_SIZE:
        raise InvalidInput(
            f"file is not encrypted (it has {size} bytes): client.encrypted_files.upload() encrypts"
        )

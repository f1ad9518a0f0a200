"""Files: the keys regulatory files are encrypted for, and the encrypted files.

Source: doc.didww.com/api3, public_keys, encrypted_files; facts file, section 8.
"""

import datetime as dt
from typing import ClassVar, Literal, TypedDict

from didww_async.resources.base import Resource, attribute, value
from didww_async.wire.query import FilterValue

__all__ = [
    "EncryptedFile",
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

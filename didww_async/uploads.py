"""Uploading regulatory documents: encrypted here, in a form of their own.

Source: doc.didww.com/api3, encrypted_files; facts file, section 8.
"""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from didww_async.collection import Deletes, ListsWithoutKey, Reads
from didww_async.errors import InvalidInput, ValidationFailed
from didww_async.resources import (
    EncryptedFile,
    EncryptedFileCreate,
    NothingToInclude,
    PublicKey,
    PublicKeyFilter,
    PublicKeySort,
)
from didww_async.resources.files import check_encrypted
from didww_async.resources.inputs import check_input
from didww_async.threads import in_thread
from didww_async.transport.call import Timeouts
from didww_async.transport.files import Form
from didww_async.wire.document import parse_ids
from didww_async.wire.unset import UNSET, Unset

if TYPE_CHECKING:  # an extra
    from didww_async.encryption import EncryptionKeys

__all__ = ["EncryptedFiles"]

E = TypeVar("E", bound=EncryptedFile)
F = TypeVar("F", bound=Mapping[str, Any])
S = TypeVar("S", bound=str)
I = TypeVar("I", bound=str)  # noqa: E741 - include
C = TypeVar("C", bound=EncryptedFileCreate)

LONG = Timeouts(read=120.0, total=1800.0)
NAME_OF_ANY_FILE = "document.enc"  # the real name may say whose passport it is


class EncryptedFiles(Reads[E, F, S, I], Deletes[E], Generic[E, F, S, I, C]):
    """Everything but changing; what is created is a file."""

    async def upload(
        self,
        source: bytes | str | os.PathLike[str],
        *,
        description: str | Unset = UNSET,
        keys: "EncryptionKeys | None" = None,
        timeouts: Timeouts = LONG,
    ) -> E:
        """Encrypt a document for DIDWW and upload it: two requests.

        `source`: the document's content, or its path; large files are read, encrypted and sent in
        parts. `keys`: DIDWW's public keys, if they were read already (one request less).

        Returns the file, whose id goes into a proof, document or verification within 24 hours.
        Raises InvalidInput for a file that is empty or can't be read, ValidationFailed when DIDWW
        refuses it; where that is because DIDWW has changed its keys, it is encrypted anew, once.
        Raises ImportError, saying what to install, without the extra `files`.
        """
        if not isinstance(source, (bytes, str, os.PathLike)):
            raise InvalidInput(f"source is bytes or a path, not {type(source).__name__}")
        known = keys or await self._keys()
        try:
            return await self._upload(source, description, known, timeouts)
        except ValidationFailed as refusal:
            if not _says_outdated(refusal) or (current := await self._keys()) == known:
                raise
        return await self._upload(source, description, current, timeouts)

    async def create(self, new: C, *, timeouts: Timeouts = LONG) -> E:
        """Upload a file that is encrypted already.

        Raises InvalidInput for one that is not, ValidationFailed for an outdated fingerprint.
        """
        check_input(new, EncryptedFileCreate.type)
        if isinstance(new.file, Path):
            check_encrypted(await in_thread(_size, new.file))
        part = self._part
        fields = [(part("encryption_fingerprint"), new.encryption_fingerprint)]
        if not isinstance(new.description, Unset):
            fields.append((part("description"), new.description))
        form = Form(
            fields=tuple(fields),
            file_field=part("file"),
            file_name=NAME_OF_ANY_FILE,
            file=new.file,
        )
        call = self._write("POST", self._path, body=form, timeouts=timeouts)
        reply = await self._channel.sender.send(call)
        if ids := parse_ids(reply.body):  # all that 2022-05-10 answers
            raw = {"type": new.type, "id": ids[0]}
            described: Any = new.description
            return self._resource(id=ids[0], description=described, raw=raw)
        return self._one(call, reply)

    def _part(self, name: str) -> str:
        return f"encrypted_files[{self._channel.version.name('encrypted_files form', name)}]"

    async def _keys(self) -> "EncryptionKeys":
        from didww_async.encryption import EncryptionKeys  # noqa: PLC0415 - an extra

        listing = ListsWithoutKey[PublicKey, PublicKeyFilter, PublicKeySort, NothingToInclude](
            self._channel, PublicKey, path="public_keys"
        )
        return EncryptionKeys.of(await listing.list())

    async def _upload(
        self,
        source: bytes | str | os.PathLike[str],
        description: str | Unset,
        keys: "EncryptionKeys",
        timeouts: Timeouts,
    ) -> E:
        async with _encrypted(source, keys) as file:
            new: Any = EncryptedFileCreate(
                encryption_fingerprint=keys.fingerprint, file=file, description=description
            )
            return await self.create(new, timeouts=timeouts)


@contextlib.asynccontextmanager
async def _encrypted(
    source: bytes | str | os.PathLike[str], keys: "EncryptionKeys"
) -> AsyncIterator[bytes | Path]:
    from didww_async.encryption import encrypt  # noqa: PLC0415 - an extra

    if isinstance(source, bytes):
        if not source:
            raise InvalidInput("source is empty")
        yield await in_thread(encrypt, source, keys=keys)
        return
    # Only what is encrypted is ever written to it.
    with tempfile.NamedTemporaryFile(suffix=".enc") as target:
        await in_thread(_encrypt_to, target, Path(source), keys)
        yield Path(target.name)


def _encrypt_to(target: IO[bytes], source: Path, keys: "EncryptionKeys") -> None:
    from didww_async.encryption import encrypted_chunks  # noqa: PLC0415 - an extra

    if not _size(source):
        raise InvalidInput(f"source is empty: {source}")
    with source.open("rb") as document:
        target.writelines(encrypted_chunks(document, keys=keys))
    target.flush()


def _size(path: Path) -> int:
    """The size of a file. Raises InvalidInput when there is none that can be read."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size
    except OSError as problem:
        raise InvalidInput(f"source can't be read: {path} ({problem.strerror})") from None
    except ValueError as problem:  # a null byte, or text that no file system takes
        raise InvalidInput(f"source can't be read: {str(path)!r} ({problem})") from None


def _says_outdated(refusal: ValidationFailed) -> bool:
    return any(
        "fingerprint" in f"{error.pointer} {error.title} {error.detail}".casefold()
        for error in refusal.errors
    )

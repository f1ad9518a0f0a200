"""Uploading encrypted files: the form, the fingerprint, and how long files are kept."""

import base64
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from importlib.resources import files
from typing import TYPE_CHECKING

import attrs

from didww_async.simulator.errors import malformed, parameter_missing, unprocessable
from didww_async.simulator.versions import V2022

if TYPE_CHECKING:
    from didww_async.simulator.world import World

KEPT_FOR = timedelta(hours=24)
FINGERPRINT = "encrypted_files[encryption_fingerprint]"
_MOST_BYTES = 20 * 1024 * 1024
_BLOCK = 16
_HEADS = 2 * 512
"""A file begins with what two RSA keys of 4096 bits made."""


@attrs.frozen
class PublicKey:
    id: str
    key: str
    """PEM."""

    @property
    def fingerprint(self) -> str:
        """SHA-1 of the key as DER: SubjectPublicKeyInfo is what the PEM text wraps."""
        lines = [line for line in self.key.splitlines() if "-----" not in line]
        return hashlib.sha1(base64.b64decode("".join(lines)), usedforsecurity=False).hexdigest()


@attrs.frozen(kw_only=True)
class EncryptedFile:
    """A file as it was uploaded, still encrypted."""

    id: str
    description: str | None
    expires_at: datetime
    content: bytes = attrs.field(repr=False)

    @property
    def size(self) -> int:
        return len(self.content)


@functools.cache
def shipped_keys() -> tuple[PublicKey, PublicKey]:
    """The simulator's two keys. Whoever needs the private ones finds them in its tests."""
    folder = files("didww_async.simulator") / "data"
    first, second = (
        PublicKey(key_id, (folder / f"public_key_{name}.pem").read_text())
        for key_id, name in (
            ("dcf2bfcb-a1d0-3b58-bbf0-3ec22a510ba8", "a"),
            ("c5b15bbd-9f3c-4d3f-9a37-35c1c8a9b6d2", "b"),
        )
    )
    return first, second


def upload(world: "World", body: bytes, content_type: str, version: str) -> Sequence[EncryptedFile]:
    """Carry out POST /encrypted_files: one file, or in 2022-05-10 a list of them."""
    parts = list(_parts(body, content_type))
    many = version <= V2022
    file_name = "encrypted_files[items][][file]" if many else "encrypted_files[file]"
    text_name = "encrypted_files[items][][description]" if many else "encrypted_files[description]"
    for name, _content in parts:
        if name not in {FINGERPRINT, file_name, text_name}:
            raise malformed(f"The form has no part {name}.")
    fingerprints = [_decoded(content) for name, content in parts if name == FINGERPRINT]
    contents = [content for name, content in parts if name == file_name]
    descriptions = [_decoded(content) for name, content in parts if name == text_name]
    if not fingerprints:
        raise parameter_missing(FINGERPRINT)
    if not contents:
        raise parameter_missing(file_name)
    if not many and len(contents) > 1:
        raise malformed("Only one file can be uploaded at a time.")
    if fingerprints[-1] != current_fingerprint(world):
        raise unprocessable("/data/attributes/encryption_fingerprint", "outdated fingerprint")
    for content in contents:
        _check_content(content)
    padded = [*descriptions, *[None] * len(contents)]
    kept = [
        EncryptedFile(
            id=world.new_id(),
            description=description or None,
            expires_at=world.now() + KEPT_FOR,
            content=content,
        )
        for content, description in zip(contents, padded, strict=False)
    ]
    world.owned.files |= {file.id: file for file in kept}
    return kept


def current_fingerprint(world: "World") -> str:
    return ":::".join(key.fingerprint for key in world.public_keys)


def live_files(world: "World") -> Mapping[str, EncryptedFile]:
    """The files that have not lapsed, by id; the others are thrown away."""
    now = world.now()
    for file in list(world.owned.files.values()):
        if file.expires_at <= now:
            del world.owned.files[file.id]
    return world.owned.files


def _check_content(content: bytes) -> None:
    pointer = "/data/attributes/file"
    if len(content) > _MOST_BYTES:
        raise unprocessable(pointer, "is too large")
    if len(content) <= _HEADS or (len(content) - _HEADS) % _BLOCK:
        raise unprocessable(pointer, "is not encrypted")


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise malformed("A part of the form is not text.") from error


def _parts(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """The parts of a form by name."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        raise malformed("The Content-Type names no boundary.")
    # The first delimiter has no line break before it.
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(errors="replace"))
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise malformed("The form is not complete.")
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name = (
            BytesParser().parsebytes(head.lstrip()).get_param("name", header="Content-Disposition")
        )
        if not isinstance(name, str):
            raise malformed("A part of the form has no name.")
        yield name, content

"""Files of the clinic, encrypted in chunks; each content once, known by its SHA-256.

A file on disk: magic, a random salt, then chunks of AES-256-GCM under a key of its own (HKDF of the store's key and
the salt). The nonce of a chunk is its number and whether it is the last one, so a chunk that is missing, moved or cut
off does not open. Names on disk are a keyed hash of the SHA-256: whoever has a document cannot tell from outside that
the clinic has it too.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chartlift.errors import StopError
from chartlift.store import private

FOLDER = "files"
CHUNK = 1 << 20
_MAGIC = b"CLF1"
_SALT = 32
_TAG = 16


class Files:
    """The file store of a workspace. Nothing is ever held whole in memory."""

    def __init__(self, home: Path, key: bytes) -> None:
        self._folder, self._key = private.folder(home / FOLDER), key

    def put(self, content: Iterable[bytes]) -> tuple[str, int]:
        """Store a content; returns its SHA-256 (hexadecimal) and its bytes. Durable when it returns.

        Raises:
            StopError: the disk refuses; nothing is left of the file.
        """
        beside = self._folder / f"{os.urandom(16).hex()}.new"
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, private.FILE_MODE), "wb") as file:
                os.fchmod(file.fileno(), private.FILE_MODE)
                salt = os.urandom(_SALT)
                cipher = self._cipher(salt)
                file.write(_MAGIC + salt)
                for number, (chunk, last) in enumerate(_chunks(content)):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(cipher.encrypt(_nonce(number, last=last), chunk, _MAGIC))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path(digest.hexdigest()))
            private.sync_folder(self._folder)
        except OSError as error:
            raise StopError(f"a file cannot be stored: {error.strerror}", hint="free or repair the disk") from None
        finally:
            beside.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def get(self, sha256: str) -> Iterator[bytes]:
        """The content in chunks, each checked before it is handed out, the whole at the end.

        Raises:
            StopError: it is not there, damaged, cut off, or another content.
        """
        digest, number, last = hashlib.sha256(), 0, False
        with self._open(sha256) as file:
            head = file.read(len(_MAGIC) + _SALT)
            if not head.startswith(_MAGIC) or len(head) != len(_MAGIC) + _SALT:
                raise _damaged(sha256)
            cipher, sealed = self._cipher(head[len(_MAGIC) :]), file.read(CHUNK + _TAG)
            while not last:
                following = file.read(CHUNK + _TAG)
                last = not following
                try:
                    chunk = cipher.decrypt(_nonce(number, last=last), sealed, _MAGIC)
                except InvalidTag:
                    raise _damaged(sha256) from None
                digest.update(chunk)
                if last and digest.hexdigest() != sha256:
                    raise _damaged(sha256)
                yield chunk
                sealed, number = following, number + 1

    def has(self, sha256: str) -> bool:
        """Whether the content is stored."""
        return self._path(sha256).exists()

    def remove(self, sha256: str) -> None:
        """Forget a content; it is no fault if it is not there."""
        self._path(sha256).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what a killed process left half written; returns how many."""
        halves = list(self._folder.glob("*.new"))
        for half in halves:
            half.unlink(missing_ok=True)
        return len(halves)

    def _path(self, sha256: str) -> Path:
        return self._folder / hmac.digest(self._key, f"name {sha256}".encode(), "sha256").hex()

    def _open(self, sha256: str) -> BinaryIO:
        try:
            return self._path(sha256).open("rb")
        except OSError:
            raise StopError(f"the file with SHA-256 {sha256} is not in the store", hint="extract it again") from None

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"chartlift file").derive(self._key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _chunks(content: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Pieces of any size as chunks of CHUNK bytes, the last one (perhaps empty) marked."""
    held = bytearray()
    for piece in content:
        held += piece
        while len(held) > CHUNK:
            yield bytes(held[:CHUNK]), False
            del held[:CHUNK]
    yield bytes(held), True


def _damaged(sha256: str) -> StopError:
    return StopError(f"the stored file with SHA-256 {sha256} is damaged", hint="extract it again")

"""A small file beside a database that says how far it had come.

A database cut back to an earlier state (lost or trimmed log, older copy put in its place) is consistent in itself; only
something outside can tell. The mark is written after each commit: after a crash it may be one behind, never ahead.
"""

from __future__ import annotations

import hmac
import os
import struct
from pathlib import Path

from chartlift.errors import JournalDamaged, StopError
from chartlift.store import private

_BODY = struct.Struct(">4sQ32s")  # magic, count, digest
_MAGIC = b"CLM1"
_MAC = 32


class Mark:
    """The mark of one database: a count and a 32-byte digest under a MAC of `key`."""

    def __init__(self, path: Path, key: bytes, *, durable: bool) -> None:
        self._path, self._key, self._durable = path, key, durable
        self._handle = -1

    def exists(self) -> bool:
        """Whether a mark was ever set."""
        return self._path.exists()

    def read(self) -> tuple[int, bytes]:
        """Count and digest.

        Raises:
            JournalDamaged: the file is not as `set` left it.
        """
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise JournalDamaged(f"{self._path.name} cannot be read: {error.strerror}", hint=_RESTORE) from None
        body, mac = content[: _BODY.size], content[_BODY.size :]
        if len(mac) != _MAC or not hmac.compare_digest(mac, self._mac(body)) or body[:4] != _MAGIC:
            raise JournalDamaged(f"{self._path.name} was changed or is damaged", hint=_RESTORE)
        _, count, digest = _BODY.unpack(body)
        return count, digest

    def set(self, count: int, digest: bytes = bytes(32)) -> None:
        """Move the mark; in place, since a new file for every commit would cost more than the commit."""
        body = _BODY.pack(_MAGIC, count, digest)
        try:
            if self._handle < 0:
                fresh = not self.exists()
                private.touch(self._path)
                self._handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
                if fresh:
                    private.sync_folder(self._path.parent)
            os.pwrite(self._handle, body + self._mac(body), 0)
            if self._durable:
                os.fdatasync(self._handle)
        except OSError as error:
            raise StopError(f"{self._path.name} cannot be written: {error.strerror}", hint="free the disk") from None

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, self._path.name.encode() + b"\0" + body, "sha256")


_RESTORE = "restore the whole workspace from a backup; single files of it do not fit together"

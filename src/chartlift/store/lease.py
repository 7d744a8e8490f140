"""One process at a time works on a workspace.

The lock is the kernel's (flock), so it ends with the process however that ends. What the file says is for the message.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from chartlift.errors import Busy
from chartlift.store import private

FILE = "lock"


class Lease:
    """The right to work on a workspace, held from construction to `close`.

    Raises:
        Busy: another process holds it; the message names it.
    """

    def __init__(self, home: Path) -> None:
        private.folder(home)
        path = private.touch(home / FILE)
        self._handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _holder(self._handle)
            os.close(self._handle)
            raise Busy(f"another process works on this workspace{holder}", hint="wait until it has ended") from None
        note = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat("T", "seconds")}
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps(note).encode(), 0)

    def close(self) -> None:
        """Give the workspace free; done twice it does nothing."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _holder(handle: int) -> str:
    try:
        note = json.loads(os.pread(handle, 1024, 0))
        return f": process {int(note['pid'])} on {note['host']} since {note['since']}"
    except (ValueError, KeyError, TypeError, OSError):  # it has the lock but has not written its note yet
        return ""

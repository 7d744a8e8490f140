"""Folders and files that nobody but the owner may read, and writing that survives a crash."""

from __future__ import annotations

import os
from pathlib import Path

from chartlift.errors import StopError

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def narrow() -> None:
    """Let this process make private files only.

    DuckDB makes its file, its log and its spill files itself, with whatever the umask leaves open.
    """
    os.umask(0o077)


def folder(path: Path) -> Path:
    """Make `path` a folder with mode 0700 and return it."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    path.chmod(FOLDER_MODE)
    return path


def touch(path: Path) -> Path:
    """Make `path` a file with mode 0600, keeping what is in it, and return it."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE)
    try:
        os.fchmod(handle, FILE_MODE)
    finally:
        os.close(handle)
    return path


def write(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `content` in one step: a crash leaves the old file or the new one.

    Raises:
        StopError: the disk refuses.
    """
    beside = path.with_name(path.name + ".new")
    try:
        handle = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, FILE_MODE)
        try:
            os.fchmod(handle, FILE_MODE)
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        beside.replace(path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise StopError(f"{path.name} cannot be written: {error.strerror}", hint="free or repair the disk") from None


def sync_folder(path: Path) -> None:
    """Make names that were added, renamed or removed in `path` durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def overwrite(path: Path) -> None:
    """Write random bytes over the whole content of `path`, in place and durably."""
    handle = os.open(path, os.O_WRONLY)
    try:
        left = os.fstat(handle).st_size
        while left > 0:
            left -= os.write(handle, os.urandom(min(left, 1 << 20)))
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> int:
    """Remove a file or a whole folder if it is there; returns the bytes that went."""
    if path.is_dir() and not path.is_symlink():
        gone = sum(remove(child) for child in path.iterdir())
        path.rmdir()
        return gone
    if not path.exists() and not path.is_symlink():
        return 0
    size = path.lstat().st_size
    path.unlink()
    return size

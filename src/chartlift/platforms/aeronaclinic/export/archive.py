"""The export as a set of named byte streams: a ZIP, with or without password, or a folder. Nothing is unpacked to disk.

A ZIP is foreign input: names that climb out, links, archives within, two members over the same bytes and members that
grow beyond reason are refused before a row is read.
"""

from __future__ import annotations

import hashlib
import stat
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyzipper

from chartlift.errors import CredentialsError, StopError, UsageError

_PIECE = 1 << 20
_MODE = 16  # bits by which a Unix mode is shifted in a member's attributes
_ASK = "ask the clinic for the export again"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an export may be at most: members, bytes of all of them, and how often a large one may outgrow its packed size."""

    members: int
    total: int
    ratio: int
    ratio_from: int  # bytes; smaller members may be packed as tightly as they like


class Archive:
    """`names` are the members that are files; `open` gives one as a stream of bytes."""

    def __init__(self, path: Path, password: str, bounds: Bounds, documents: str) -> None:
        """Look at the names; archives within are refused outside of the folder `documents`.

        Raises:
            UsageError: there is no export at the path, or it is none.
            StopError: it holds something that is not safe to read.
        """
        self.path = path
        self._password = password
        self._bounds = bounds
        self._zip: Any = None
        self._members: Mapping[str, Any]
        if path.is_dir():
            self._members = dict(_files_of(path))
        else:
            self._zip = _opened(path)
            if password:
                self._zip.setpassword(password.encode())
            self._members = self._checked(documents)
        if len({name.casefold() for name in self._members}) < len(self._members):
            raise StopError("the export has two members of one name", hint=_ASK)
        self.names = tuple(self._members)

    def close(self) -> None:
        """Let go of the file."""
        if self._zip is not None:
            self._zip.close()

    def size(self, name: str) -> int:
        """Bytes of a member, as it says itself."""
        member = self._members[name]
        return int(member.stat().st_size if isinstance(member, Path) else member.file_size)

    def print(self) -> str:
        """Tells this export from another one: names, sizes and, in a ZIP, check sums."""
        digest = hashlib.sha256()
        for name in sorted(self.names):
            member = self._members[name]
            more = member.stat().st_mtime_ns if isinstance(member, Path) else (member.CRC, member.compress_size)
            digest.update(f"{name}\0{self.size(name)}\0{more}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:32]

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's bytes.

        Raises:
            CredentialsError: the password is wrong or missing.
            StopError: the member is damaged, or larger than it says.
        """
        said, seen = self.size(name), 0
        with _told(name, given=bool(self._password)), self._raw(name) as stream:
            while piece := stream.read(_PIECE):
                seen += len(piece)
                if seen > said:
                    raise StopError(f"{name} in the export is larger than it says", hint=_ASK)
                yield piece
        if seen < said:
            raise StopError(f"{name} in the export is cut short", hint=_ASK)

    def _raw(self, name: str) -> IO[bytes]:
        member = self._members[name]
        return member.open("rb") if isinstance(member, Path) else self._zip.open(member)

    def _checked(self, documents: str) -> dict[str, Any]:
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        bounds, total = self._bounds, 0
        if len(infos) > bounds.members:
            raise StopError(f"the export has more than {bounds.members:,} members", hint="export.toml bounds it")
        for info in infos:
            total += info.file_size
            unsafe = _unsafe(info, documents)
            if not unsafe and info.file_size > bounds.ratio_from and info.file_size > bounds.ratio * info.compress_size:
                unsafe = "unpacks to far more than it should"
            if unsafe:
                raise StopError(f"the export cannot be trusted: a member {unsafe}", hint=_ASK)
        if total > bounds.total:
            raise StopError(f"the export unpacks to more than {bounds.total:,} bytes", hint="export.toml bounds it")
        _apart(infos, self.path.stat().st_size)
        return {info.filename: info for info in infos}


def _opened(path: Path) -> Any:
    try:
        return pyzipper.AESZipFile(path)
    except FileNotFoundError:
        raise UsageError("there is no export at the path of source_url", hint="a ZIP or a folder") from None
    except (OSError, ValueError, RuntimeError, pyzipper.BadZipFile):
        raise UsageError(
            "the export is no ZIP that can be read", hint="a ZIP or a folder of CSV or JSON files"
        ) from None


def _files_of(folder: Path) -> Iterable[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise StopError("the export cannot be trusted: it has a symbolic link", hint="put the file itself there")
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _unsafe(info: Any, documents: str) -> str:
    """Why a member cannot be taken; '' if it can. The name itself may hold a patient's and is not told."""
    name = info.orig_filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if "\x00" in name or name.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")):
        return "has a name that leads out of the export"
    mode = info.external_attr >> _MODE
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a link or no file"
    archive = name.lower().endswith((".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz"))
    return "is an archive itself" if archive and not name.startswith(documents) else ""


def _apart(infos: Iterable[Any], size: int) -> None:
    """No two members over the same bytes: that is how a small file unpacks to petabytes."""
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise StopError("the export cannot be trusted: members lie over each other", hint=_ASK)
        end = info.header_offset + info.compress_size
    if end > size:
        raise StopError("the export is cut short", hint=_ASK)


@contextmanager
def _told(name: str, *, given: bool) -> Generator[None]:
    """Turn what the reader of ZIPs raises into our errors, without its text."""
    where = name if "/" not in name else "a document"
    try:
        yield
    except RuntimeError as error:
        if type(error) is not RuntimeError:  # the reader's way to say that it does not know the packing
            raise StopError(f"{where} in the export is packed in a way that cannot be read", hint=_ASK) from None
        what = "the password of the export is wrong" if given else "the export needs a password"
        raise CredentialsError(what, hint="set CHARTLIFT_AERONA_PASSWORD") from None
    except (pyzipper.BadZipFile, zlib.error, EOFError):
        raise StopError(f"{where} in the export is damaged", hint=_ASK) from None


def sha256(pieces: Iterable[bytes]) -> str:
    """SHA-256 of a stream, hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()

"""What the export says about itself: when it was made, and rows and SHA-256 of each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from chartlift.errors import StopError
from chartlift.platforms.aeronaclinic.export.archive import Archive


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files`: member -> (rows or None, SHA-256 or ''). Without a manifest nothing is known and nothing is checked."""

    exported: datetime | None = None
    files: Mapping[str, tuple[int | None, str]] = field(default_factory=dict)
    there: bool = False

    def rows(self, member: str) -> int | None:
        """How many rows a member should have; None if nobody says."""
        return self._of(member)[0]

    def verify(self, member: str, sha256: str) -> None:
        """Compare a member with what is said about it.

        Raises:
            StopError: it is not the file that was exported.
        """
        said = self._of(member)[1]
        if said and said.lower() != sha256:
            raise StopError(
                f"{member} is not the file its manifest tells of: its SHA-256 differs",
                hint="it was damaged or edited on the way; ask the clinic for the export again",
            )

    def _of(self, member: str) -> tuple[int | None, str]:
        return self.files.get(member, self.files.get(member.rsplit("/", 1)[-1], (None, "")))


def read(archive: Archive, name: str) -> Manifest:
    """The manifest of an export, if it has one, and whether every file that it names is there.

    Raises:
        StopError: it cannot be read, or names a file that is missing.
    """
    found = [member for member in archive.names if member.rsplit("/", 1)[-1].lower() == name]
    if not found:
        return Manifest()
    try:
        said = orjson.loads(b"".join(archive.pieces(min(found, key=len))).removeprefix(b"\xef\xbb\xbf"))
        files = {str(one["name"]): (_count(one.get("rows")), str(one.get("sha256") or "")) for one in said["files"]}
        exported = read_time(said.get("exportedAt"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StopError(f"{name} of the export cannot be read", hint="ask the clinic for the export again") from None
    ends = {member.rsplit("/", 1)[-1] for member in archive.names}
    missing = [file for file in files if file not in archive.names and file not in ends]
    if missing:
        raise StopError(
            f"the export lacks {len(missing)} of the files that its manifest names",
            hint="ask the clinic for the whole export",
        )
    return Manifest(exported, files, there=True)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def read_time(text: Any) -> datetime | None:
    """A time of the manifest's, UTC where it does not say; None if it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

"""Hostile values that are made, not written down: long texts, archives, contents of documents."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from chartlift_sandbox.generator.documents import Content

_LINK_MODE = 0o120777 << 16
_BOMB_BYTES = 64 * 2**20


def repeated(spec: dict[str, Any]) -> str:
    """A text of exactly ``length`` characters, and ``tail`` behind it."""
    text, length = str(spec["text"]), int(spec["length"])
    return (text * (length // len(text) + 1))[:length] + str(spec.get("tail", ""))


def content(spec: dict[str, Any]) -> Content:
    """What a download gives: a text with its type, or an archive of a ``kind``."""
    if spec["make"] == "archive":
        return Content(_ARCHIVES[spec["kind"]](), "application/zip")
    return Content(str(spec["text"]).encode(), str(spec["mime"]))


def _zipped(name: str, body: bytes, mode: int = 0) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, mode
        archive.writestr(entry, body)
    return target.getvalue()


_ARCHIVES: dict[str, Callable[[], bytes]] = {
    "bomb": lambda: _zipped("zeros.bin", bytes(_BOMB_BYTES)),
    "nested": lambda: _zipped("inner.zip", _zipped("letter.txt", b"inside")),
    "slip": lambda: _zipped("../../outside.txt", b"climbs"),
    "symlink": lambda: _zipped("link", b"/etc/hostname", _LINK_MODE),
}

"""A file name that every system takes."""

from __future__ import annotations

import re
import unicodedata

from chartlift.transforms.canonical import SPACE, TEXT_FINDINGS, text_note
from chartlift.transforms.outcome import NOTHING, Outcome
from chartlift.transforms.surrogates import MARK

QUICK = True
FINDINGS = {code: TEXT_FINDINGS[code] for code in ("R-TEXT-SURROGATE", "R-TEXT-MOJIBAKE")} | {
    "R-FILENAME": "characters that no file name may have, a dot at its end or its length were mended"
}
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]')
_EXTENSION = re.compile(r".+(\.[A-Za-z0-9]{1,10})", re.DOTALL)
_UNITS = 255


def trimmed(x: str) -> str:
    """Composed, without white space at its ends."""
    return unicodedata.normalize("NFC", x.replace("\r\n", "\n")).strip(SPACE)


def safe(text: str) -> str:
    """Forbidden characters as `_`, no dot or white space at the end."""
    return _FORBIDDEN.sub("_", text).rstrip(SPACE + ".")


def extension(name: str) -> str:
    """The extension of a safe name with its dot; empty if it has none."""
    found = _EXTENSION.fullmatch(name)
    return found[1] if found else ""


def _cut(name: str) -> str:
    """At most 255 UTF-16 units, with the extension."""
    if len(name.encode("utf-16-le")) // 2 <= _UNITS:
        return name
    end = extension(name)
    room, kept = _UNITS - len(end), []
    for c in name[: len(name) - len(end)]:
        room -= 2 if ord(c) > 0xFFFF else 1  # noqa: PLR2004 - the last character of one unit
        if room < 0:
            break
        kept.append(c)
    return "".join(kept) + end


def reference(x: str | None) -> Outcome:
    """The name with what it may not have replaced by `_`."""
    if x is None:
        return NOTHING
    if MARK in x:
        return Outcome(None, "R-TEXT-SURROGATE", bad=True)
    name = trimmed(x)
    v = _cut(safe(name)).rstrip(SPACE + ".")
    if v != name:
        return Outcome(v or None, "R-FILENAME")
    return Outcome(v or None, text_note(name) if v else None)

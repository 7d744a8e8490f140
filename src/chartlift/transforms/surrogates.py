r"""Lone surrogates: JSON can carry them (`"\ud83d"` without its other half), UTF-8 and DuckDB cannot.

The extract stage replaces each one by U+FDD0 (a noncharacter, which no text has) and the four hex digits, before a
text goes into staging. `text` and everything built on it answers with a refusal where it sees U+FDD0, so the row is
held or the field withheld, and the JSON as received still shows what was there.
"""

from __future__ import annotations

import re

MARK = "\ufdd0"
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_LONE = re.compile("[\ud800-\udfff]")
_LAST_HIGH = 0xDBFF
_FIRST_LOW, _LAST_LOW = 0xDC00, 0xDFFF


def surrogates(raw_json: str) -> bool:
    r"""Whether a JSON text has an escape that is half a character. Cheap where there is no `\\ud` at all."""
    if "\\ud" not in raw_json and "\\uD" not in raw_json:
        return False
    high_ends_at = -1
    for found in _ESCAPE.finditer(raw_json):
        unit = int(found[1], 16) if found[1] else 0
        low = _FIRST_LOW <= unit <= _LAST_LOW
        if high_ends_at >= 0 and (not low or found.start() != high_ends_at):
            return True
        if low and high_ends_at < 0:
            return True
        high_ends_at = found.end() if 0xD800 <= unit <= _LAST_HIGH else -1  # noqa: PLR2004 - the range of high surrogates
    return high_ends_at >= 0


def mark_surrogates(text: str) -> str:
    """A decoded text with each lone surrogate replaced by its mark; other texts come back as they are."""
    return _LONE.sub(lambda found: f"{MARK}{ord(found[0]):04x}", text)

"""Where a text too long for its field is cut: so that nothing is lost when the org trims it, and no character breaks."""

from __future__ import annotations

from functools import cache
from typing import Any

from chartlift.transforms.canonical import SPACE, units

LIMIT = 32_768
PART = 32_000
_HALF_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_NEAR = 256  # characters looked at before the whole part is


def cut(text: str, limit: int = LIMIT, part: int = PART) -> list[str] | None:
    """Parts of a canonical text that make it again when joined: one if it has at most `limit` units, else several.

    Each part but the last is as long as it may be: at most `part` UTF-16 units, a line end counted as two, with no white
    space on either side of a cut and no cut inside a grapheme cluster. None if there is a place without such a cut.
    """
    if units(text) <= limit:
        return [text]
    parts, start = [], 0
    while (end := _reach(text, start, part)) < len(text):
        place = _cut_before(text, start, end)
        if place is None:
            return None
        parts.append(text[start:place])
        start = place
    return [*parts, text[start:]]


def _reach(text: str, start: int, part: int) -> int:
    """How far a part from `start` may go."""
    low, high = start, min(start + part, len(text))
    if units(text[start:high]) <= part:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if units(text[start:middle]) <= part:
            low = middle
        else:
            high = middle
    return low


def _cut_before(text: str, start: int, end: int) -> int | None:
    """The last place in (start, end] where the text may be cut."""
    for begin in dict.fromkeys((_sure(text, start, end), start)):
        places = _boundaries(text, begin, end)
        good = (place for place in reversed(places) if not _white(text[place - 1]) and not _white(text[place]))
        found = next(good, None)
        if found is not None:
            return found
    return None


@cache
def _between_clusters() -> Any:
    """Pairs of characters between which a cluster ends, whatever stands before them (Unicode annex 29)."""
    import regex

    after = r"(?<=[\p{GCB=Other}\p{GCB=SpacingMark}\p{GCB=LV}\p{GCB=LVT}\p{GCB=Control}\p{GCB=LF}])"
    return regex.compile(rf"{after}(?=[\p{{GCB=Other}}\p{{GCB=LV}}\p{{GCB=LVT}}])|(?<=\p{{M}})(?=[\x20-\x7e])")


def _sure(text: str, start: int, end: int) -> int:
    """A place shortly before `end` that is surely between two clusters; `start`, which is one, if there is none."""
    near = max(start, end - _NEAR)
    found = _between_clusters().search(text, near + 1, end)
    if found:
        return found.start()
    if near > start and text[near] in _HALF_FLAGS:
        first = start + len(text[start : near + 1].rstrip(_HALF_FLAGS))
        return first + ((near - first) // 2 + 1) * 2  # they pair from the first one of their row
    return start


def _boundaries(text: str, begin: int, end: int) -> list[int]:
    """Where clusters begin in (begin, end]; `begin` is such a place."""
    import regex

    window = text[begin : end + 1]  # whether a cluster begins at `end` shows in the character there
    return [begin + found.start() for found in regex.finditer(r"\X", window) if found.start()]


def _white(character: str) -> bool:
    return character in SPACE or character.isspace()

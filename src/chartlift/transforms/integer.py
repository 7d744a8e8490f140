"""A whole number of at most 18 digits."""

from __future__ import annotations

import re

from chartlift.transforms.canonical import clean
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {"R-NUMBER": "not a whole number, or one too large for its field"}
_WHOLE = re.compile(r"([+-]?)0*(\d{1,18})(?:\.0*)?", re.ASCII)


def reference(x: str | None) -> Outcome:
    """Digits without leading zeros."""
    text = clean(x)
    if text is None:
        return NOTHING
    found = _WHOLE.fullmatch(text)
    if not found:
        return Outcome(None, "R-NUMBER", bad=True)
    return Outcome(str(-int(found[2]) if found[1] == "-" else int(found[2])))

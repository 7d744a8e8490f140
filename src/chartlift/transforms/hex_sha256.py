"""A SHA-256 in hex digits."""

from __future__ import annotations

import re

from chartlift.transforms.canonical import clean
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {"R-HASH": "not a SHA-256 of 64 hex digits"}


def reference(x: str | None) -> Outcome:
    """64 hex digits in lower case."""
    text = clean(x)
    if text is None:
        return NOTHING
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        return Outcome(None, "R-HASH", bad=True)
    return Outcome(text.lower())

"""A code in upper case."""

from __future__ import annotations

import re
import unicodedata

from chartlift.transforms.canonical import TEXT_FINDINGS, text_outcome
from chartlift.transforms.outcome import Outcome

FINDINGS = TEXT_FINDINGS
_NO_SINGLE_CAPITAL = re.compile("[\u00df\u1f80-\u1fff]")


def capitals(text: str) -> str:
    """Upper case, letter for letter; a text with a letter that has no single capital stays as it is."""
    if _NO_SINGLE_CAPITAL.search(text):
        return text
    upper = "".join(c.upper() if len(c.upper()) == 1 else c for c in text)
    return unicodedata.normalize("NFC", upper)


def reference(x: str | None) -> Outcome:
    """The canonical text of `x` in upper case."""
    outcome = text_outcome(x)
    return outcome if outcome.v is None else outcome._replace(v=capitals(outcome.v))

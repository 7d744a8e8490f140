"""Surfaces of a tooth: M O I D B F L P, and La for labial."""

from __future__ import annotations

import re

from chartlift.transforms.canonical import clean
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {"R-SURF": "not letters of tooth surfaces (M O I D B F L P, La)"}
_SURFACES = re.compile("(LA|[MOIDBFLP])+", re.IGNORECASE | re.ASCII)


def reference(x: str | None) -> Outcome:
    """The letters in upper case, otherwise as they are."""
    text = clean(x)
    if text is None:
        return NOTHING
    return Outcome(text.upper()) if _SURFACES.fullmatch(text) else Outcome(None, "R-SURF", bad=True)

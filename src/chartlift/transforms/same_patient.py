"""A reference to what belongs to a patient: of no use if that is another one than the row's own."""

from __future__ import annotations

from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_outcome
from chartlift.transforms.outcome import Outcome

ARGUMENTS = 2
FINDINGS = {**TEXT_FINDINGS, "R-REF": "the record it points to is not there, or is another patient's"}


def reference(x: str | None, ours: str | None, theirs: str | None) -> Outcome:
    """The text of `x`, unless both patients are known and differ."""
    if clean(x) is not None and ours is not None and theirs is not None and ours != theirs:
        return Outcome(None, "R-REF", bad=True)
    return text_outcome(x)

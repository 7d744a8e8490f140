"""The first of several texts that is not blank."""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_outcome
from chartlift.transforms.outcome import NOTHING, Outcome

TAKES = "list"
FINDINGS = TEXT_FINDINGS


def reference(xs: Sequence[str | None]) -> Outcome:
    """The canonical text of the first filled value of `xs`."""
    return next((text_outcome(x) for x in xs if clean(x) is not None), NOTHING)

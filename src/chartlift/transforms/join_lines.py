"""The lines of an address: filled values below each other."""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_note
from chartlift.transforms.outcome import Outcome

TAKES = "list"
FINDINGS = TEXT_FINDINGS


def reference(xs: Sequence[str | None]) -> Outcome:
    """The filled values of `xs`, each in canonical form, with line ends between them."""
    note = text_note("\n".join(x for x in xs if x is not None))
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    return Outcome("\n".join(line for line in map(clean, xs) if line) or None, note)

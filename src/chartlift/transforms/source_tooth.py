"""A tooth as the source has it: the text and its notation."""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_note
from chartlift.transforms.outcome import Outcome

TAKES = "list"
FINDINGS = TEXT_FINDINGS


def reference(xs: Sequence[str | None]) -> Outcome:
    """`xs`: tooth, notation. `36 FDI`; nothing where there is no tooth."""
    note = text_note("\n".join(x for x in xs if x is not None))
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    tooth, notation = clean(xs[0]), clean(xs[1])
    if tooth is None:
        return Outcome(None, note)
    return Outcome(f"{tooth} {notation}" if notation else tooth, note)

"""Any text, in canonical form. Copies codes and names as they are otherwise."""

from __future__ import annotations

from chartlift.transforms.canonical import TEXT_FINDINGS, text_outcome
from chartlift.transforms.outcome import Outcome

FINDINGS = TEXT_FINDINGS


def reference(x: str | None) -> Outcome:
    """The canonical text of `x`."""
    return text_outcome(x)

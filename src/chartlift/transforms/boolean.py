"""A checkbox."""

from __future__ import annotations

from chartlift.transforms.canonical import clean, truth
from chartlift.transforms.outcome import Outcome

FINDINGS = {"R-BOOL": "neither true nor false"}


def reference(x: str | None) -> Outcome:
    """True or false; no value is false, as the org has no third state."""
    value = truth(x)
    if value is None and clean(x) is not None:
        return Outcome(None, "R-BOOL", bad=True)
    return Outcome("true" if value else "false")

"""The length of a visit in minutes: more than none, at most a day."""

from __future__ import annotations

from chartlift.transforms import integer
from chartlift.transforms.outcome import Outcome

FINDINGS = integer.FINDINGS | {"R-DURATION": "no length a visit can have (1 to 1,440 minutes)"}
_DAY = 1440


def reference(x: str | None) -> Outcome:
    """Whole minutes."""
    whole = integer.reference(x)
    if whole.v is not None and not 1 <= int(whole.v) <= _DAY:
        return Outcome(None, "R-DURATION", bad=True)
    return whole

"""A medical alert; one that is too long for its field stands as first line of the conditions instead."""

from __future__ import annotations

from chartlift.transforms.canonical import TEXT_FINDINGS, fits, text_outcome
from chartlift.transforms.outcome import Outcome

FINDINGS = TEXT_FINDINGS | {
    "R-LEN-ALERT": "too long for the alert field; it is the first line of the medical conditions"
}
ALERT_UNITS = 255


def reference(x: str | None) -> Outcome:
    """Text of at most 255 units."""
    answer = text_outcome(x)
    return answer if fits(answer.v, ALERT_UNITS) else Outcome(None, "R-LEN-ALERT", bad=True)

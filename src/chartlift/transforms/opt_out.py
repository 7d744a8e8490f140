"""Permission to contact, turned into an opt-out: not allowed unless allowed, and nobody writes to the dead."""

from __future__ import annotations

from chartlift.transforms.canonical import clean, truth
from chartlift.transforms.outcome import Outcome

ARGUMENTS = 2
FINDINGS = {
    "R-CONSENT": "no permission is on record, so the patient counts as opted out",
    "R-CONSENT-UNREADABLE": "the permission is neither true nor false",
}


def deceased(status: str | None, deceased_on: str | None) -> bool:
    """Dead as soon as one of the two says so, even if the date cannot be read."""
    return "deceased" in (status or "").lower() or clean(deceased_on) is not None


def reference(x: str | None, status: str | None, deceased_on: str | None) -> Outcome:
    """The opposite of the permission `x`; true without one, and for the deceased."""
    if deceased(status, deceased_on):
        return Outcome("true")
    allowed = truth(x)
    if allowed is not None:
        return Outcome("false" if allowed else "true")
    if clean(x) is None:
        return Outcome("true", "R-CONSENT")
    return Outcome(None, "R-CONSENT-UNREADABLE", bad=True)

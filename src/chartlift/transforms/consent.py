"""Consent to marketing: only an explicit yes with its date counts, and never for the deceased."""

from __future__ import annotations

from chartlift.transforms import instant
from chartlift.transforms.canonical import clean, truth
from chartlift.transforms.opt_out import deceased
from chartlift.transforms.outcome import Outcome

ARGUMENTS = 3
FINDINGS = {
    "R-CONSENT": "no consent is on record, so there is none",
    "R-CONSENT-DATE": "consent without a readable date",
    "R-CONSENT-UNREADABLE": "the consent is neither true nor false",
}


def reference(x: str | None, given_on: str | None, status: str | None, deceased_on: str | None) -> Outcome:
    """Whether there is consent, given the moment it was given."""
    if deceased(status, deceased_on):
        return Outcome("false")
    value = truth(x)
    if value is None:
        blank = clean(x) is None
        return Outcome("false", "R-CONSENT") if blank else Outcome(None, "R-CONSENT-UNREADABLE", bad=True)
    if value and instant.reference(given_on).v is None:
        return Outcome(None, "R-CONSENT-DATE", bad=True)
    return Outcome(str(value).lower())

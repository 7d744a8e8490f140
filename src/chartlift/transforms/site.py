"""The practice of a patient: the id decides, another name beside it is a finding."""

from __future__ import annotations

from chartlift.transforms.canonical import clean
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import NOTHING, Outcome

ARGUMENTS = 2
FINDINGS = {"R-SITE-NAME": "the practice's name on the record is not the name of the practice with that id"}


def reference(x: str | None, listed: str | None, written: str | None) -> Outcome:
    """The key of the site, as the source platform made it."""
    key = clean(x)
    if key is None:
        return NOTHING
    differs = listed is not None and clean(written) is not None and fold(listed) != fold(written)
    return Outcome(key, "R-SITE-NAME" if differs else None)

"""Which scheme a health number belongs to: as declared, else by its range; withheld with the number."""

from __future__ import annotations

from chartlift.transforms import nhs_number
from chartlift.transforms.canonical import clean
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import NOTHING, Outcome

ARGUMENTS = 1
FINDINGS = nhs_number.FINDINGS | {"R-PICK": "a scheme that has no value in the org"}
_LABELS = {"nhs": "NHS", "chi": "CHI", "hc": "H&C", "hcn": "H&C", "ihi": "IHI"}


def reference(x: str | None, number: str | None) -> Outcome:
    """NHS, CHI, H&C or IHI for the number as it is in the source."""
    checked = nhs_number.reference(number)
    if checked.bad:
        return Outcome(None, checked.note, bad=True)
    if checked.v is None:
        return NOTHING
    by_range = nhs_number.scheme(checked.v)
    if clean(x) is None:
        return Outcome(by_range, None if by_range else "R-NHS-RANGE")
    declared = _LABELS.get(fold(x) or "")
    if declared is None:
        return Outcome(None, "R-PICK", bad=True)
    return Outcome(declared, None if declared == by_range else "R-NHS-RANGE")

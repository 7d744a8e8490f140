"""Units of dental activity of a course, carried by one of its treatments so that sums count them once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from chartlift.transforms import quantity
from chartlift.transforms.canonical import clean
from chartlift.transforms.days import read_day
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import NOTHING, Outcome

QUICK = True
ARGUMENTS = 6
FINDINGS = quantity.FINDINGS | {"R-UDA": "not the number of units that the band stands for on the day of acceptance"}
_BOUND = 10_000
_SPLIT = date(2022, 11, 25)  # from this day on, band 2 is 2a, 2b or 2c (England)
_UNITS = {"1": "1", "2": "3", "2a": "3", "2b": "5", "2c": "7", "3": "12", "na": "0", "u": "1.2 1", "urgent": "1.2 1"}


def _number(id_text: str | None) -> int | None:
    return int(id_text) if id_text and re.fullmatch(r"\d{1,18}", id_text, re.ASCII) else None


def _in_table(units: str, band: str, accepted: date | None) -> bool:
    """Whether the table gives the band this number of units; without a day the day does not count."""
    if accepted and band in {"2a", "2b", "2c"} and accepted < _SPLIT:
        return False
    if accepted and band == "2" and accepted >= _SPLIT:
        return False
    return units in _UNITS.get(band, "").split()


def reference(
    x: str | None,
    own: str | None,
    course_id: str | None,
    treatment_id: str | None,
    work: Sequence[str | None] | None,
    band: str | None,
    accepted_on: str | None,
) -> Outcome:
    """`x`: the units of the course; `own`: of the treatment, which count where there is no course.

    In a course the treatment with the lowest id of `work` carries them, all others are empty. Source: the bands of the
    NHS in England.
    """
    if clean(course_id) is not None:
        numbers = [number for number in map(_number, work or ()) if number is not None]
        carrier = bool(numbers) and _number(treatment_id) == min(numbers)
        units = x if carrier else None
    else:
        units = own
    if units is None:
        return NOTHING
    outcome = quantity.figure(units, _BOUND)
    folded = fold(band)
    if outcome.v is None or folded is None:
        return outcome
    text = clean(accepted_on)
    accepted = read_day(text) if text else None
    return outcome if _in_table(outcome.v, folded, accepted) else Outcome(outcome.v, "R-UDA")

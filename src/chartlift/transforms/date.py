"""A day other than a birth date: 1950-01-01 to ten years from today."""

from __future__ import annotations

from datetime import date

from chartlift.transforms.canonical import clean
from chartlift.transforms.days import FIRST_DAY, last_day, read_day, today_utc
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {"R-DT": "not a date", "R-DT-RANGE": "outside 1950 to ten years from today"}


def reference(x: str | None, *, today: date | None = None) -> Outcome:
    """`yyyy-mm-dd` out of ISO or dd/mm/yyyy."""
    text = clean(x)
    if text is None:
        return NOTHING
    day = read_day(text)
    if day is None:
        return Outcome(None, "R-DT", bad=True)
    if not FIRST_DAY <= day <= last_day(today or today_utc()):
        return Outcome(None, "R-DT-RANGE", bad=True)
    return Outcome(day.isoformat())

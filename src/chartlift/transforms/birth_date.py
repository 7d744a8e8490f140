"""A birth date: 1900 to today. 1 January 1900 means that nobody knew it; 1 January 1970 may be true and is sent."""

from __future__ import annotations

from datetime import date

from chartlift.transforms.canonical import clean
from chartlift.transforms.days import FIRST_BIRTH, read_day, today_utc
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {
    "R-DOB": "not a date",
    "R-DOB-SENTINEL": "a stand-in for an unknown birth date",
    "R-DOB-RANGE": "outside 1900 to today",
    "R-DOB-EPOCH": "1 January 1970 may be a stand-in for an unknown birth date; it is sent",
}
_STAND_INS = {FIRST_BIRTH, date(1, 1, 1)}
_EPOCH = date(1970, 1, 1)


def reference(x: str | None, *, today: date | None = None) -> Outcome:
    """`yyyy-mm-dd` out of ISO or dd/mm/yyyy."""
    text = clean(x)
    if text is None:
        return NOTHING
    day = read_day(text)
    if day is None:
        return Outcome(None, "R-DOB", bad=True)
    if day in _STAND_INS:
        return Outcome(None, "R-DOB-SENTINEL", bad=True)
    if not FIRST_BIRTH <= day <= (today or today_utc()):
        return Outcome(None, "R-DOB-RANGE", bad=True)
    return Outcome(day.isoformat(), "R-DOB-EPOCH" if day == _EPOCH else None)

"""A moment that is written with its zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from chartlift.transforms.canonical import clean
from chartlift.transforms.days import FIRST_DAY, last_day, read_moment, today_utc, utc_text
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {
    "R-DT": "not a date and time",
    "R-DT-RANGE": "outside 1950 to ten years from today",
    "R-DT-ZONE": "no time zone is written with it, or the zone is unknown",
    "R-DT-FRACTION": "parts of a second were left out, as the org keeps none",
}


def within(moment: datetime, note: str | None, today: date | None) -> Outcome:
    """The moment, unless it lies out of range."""
    if not FIRST_DAY <= moment.date() <= last_day(today or today_utc()):
        return Outcome(None, "R-DT-RANGE", bad=True)
    return Outcome(utc_text(moment), note)


def zoned(wall: datetime, offset: timedelta, note: str | None, today: date | None) -> Outcome:
    """The moment of a wall time whose offset was written with it."""
    try:
        moment = wall - offset
    except OverflowError:
        return Outcome(None, "R-DT-RANGE", bad=True)
    return within(moment, note, today)


def reference(x: str | None, *, today: date | None = None) -> Outcome:
    """`yyyy-mm-ddThh:mm:ss.000Z` out of ISO 8601 with Z or an offset."""
    text = clean(x)
    if text is None:
        return NOTHING
    read = read_moment(text)
    if read is None:
        return Outcome(None, "R-DT", bad=True)
    wall, offset, fraction = read
    if offset is None:
        return Outcome(None, "R-DT-ZONE", bad=True)
    return zoned(wall, offset, "R-DT-FRACTION" if fraction else None, today)

"""Wall time of a practice, turned into a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chartlift.transforms.canonical import clean
from chartlift.transforms.days import FIRST_DAY, last_day, read_moment, today_utc, utc_text
from chartlift.transforms.instant import FINDINGS as INSTANT_FINDINGS
from chartlift.transforms.instant import zoned
from chartlift.transforms.outcome import NOTHING, Outcome

QUICK = True
ARGUMENTS = 1
HOME_ZONE = "Europe/London"  # the default of the source profile; Dublin's clocks show the same
FINDINGS = INSTANT_FINDINGS | {
    "R-DT-OVERLAP": "the hour happened twice that night; the earlier one is taken",
    "R-DT-GAP": "the hour did not happen that night; the time is moved forward",
    "R-DT-ZONE": "the practice's time zone is not known; the time is read as London's",
}


def fault(wall: datetime, zone: ZoneInfo) -> str | None:
    """Whether a wall time happened twice or not at all."""
    early, late = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if early == late:
        return None
    back = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return "R-DT-OVERLAP" if back == wall else "R-DT-GAP"


def reference(x: str | None, zone: str | None, *, today: date | None = None) -> Outcome:
    """The moment at which clocks in `zone` (IANA name; London, if unknown) showed `x`; a zone written in `x` goes before."""
    text = clean(x)
    if text is None:
        return NOTHING
    read = read_moment(text)
    if read is None:
        return Outcome(None, "R-DT", bad=True)
    wall, offset, fraction = read
    note = "R-DT-FRACTION" if fraction else None
    if offset is not None:
        return zoned(wall, offset, note, today)
    try:
        place = ZoneInfo(zone or "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        place, note = ZoneInfo(HOME_ZONE), "R-DT-ZONE"
    if not FIRST_DAY <= wall.date() <= last_day(today or today_utc()):
        return Outcome(None, "R-DT-RANGE", bad=True)
    moment = wall.replace(tzinfo=place).astimezone(UTC).replace(tzinfo=None)
    return Outcome(utc_text(moment), fault(wall, place) or note)

"""Days and moments as text, and the range they may lie in. Twin of days.sql, written from the rules."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

FIRST_DAY = date(1950, 1, 1)
FIRST_BIRTH = date(1900, 1, 1)
_YEARS_AHEAD = 10
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?", re.ASCII)
_UK_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_CLOCK = r"(?P<hh>\d\d):(?P<mm>\d\d)(?::(?P<ss>\d\d)(?P<f>\.\d{1,9})?)?(?P<zone>Z|[+-]\d\d:?\d\d)?"
_MOMENT = re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[T ]" + _CLOCK, re.ASCII)
_UK_MOMENT = re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4}) " + _CLOCK, re.ASCII)
_MOST_HOURS = 14
_MINUTES = 60


def today_utc() -> date:
    """The day it is now, in UTC."""
    return datetime.now(UTC).date()


def last_day(today: date) -> date:
    """The last day a date other than a birth date may have."""
    month, day = (2, 28) if (today.month, today.day) == (2, 29) else (today.month, today.day)
    return date(today.year + _YEARS_AHEAD, month, day)


def read_day(x: str) -> date | None:
    """A day out of canonical text: ISO, ISO with midnight, or dd/mm/yyyy; None if it is none."""
    iso, written = _DAY.fullmatch(x), _UK_DAY.fullmatch(x)
    if iso:
        year, month, day = iso[1], iso[2], iso[3]
    elif written:
        year, month, day = written[3], written[2], written[1]
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def read_moment(x: str) -> tuple[datetime, timedelta | None, bool] | None:
    """Wall time (naive, whole seconds), the offset it was written with, and whether a fraction was left out."""
    found = _MOMENT.fullmatch(x) or _UK_MOMENT.fullmatch(x)
    if not found:
        return None
    part = found.groupdict()
    try:
        wall = datetime.fromisoformat(
            f"{part['y']}-{part['m']:0>2}-{part['d']:0>2}T{part['hh']}:{part['mm']}:{part['ss'] or '00'}"
        )
    except ValueError:
        return None
    offset = _offset(part.get("zone"))
    if part.get("zone") and offset is None:
        return None
    return wall, offset, bool((part.get("f") or "").strip(".0"))


def _offset(zone: str | None) -> timedelta | None:
    if not zone:
        return None
    if zone == "Z":
        return timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > _MOST_HOURS or minutes >= _MINUTES:
        return None
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


def utc_text(moment: datetime) -> str:
    """A naive UTC moment as the org writes it."""
    return moment.isoformat(timespec="seconds") + ".000Z"

"""The clinic's calendar: a fixed "today", days as ordinals, and the summer time both countries share."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

#: The generator's today. Fixed, so that a seed gives the same clinic in any year it is run.
EPOCH = date(2026, 11, 1)
EPOCH_DAY = EPOCH.toordinal()
MIDNIGHT = 86_400

_MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440))
_SECONDS = tuple(f"{second:02}Z" for second in range(60))
_LAST_SUNDAY_FROM = 25  # the last Sunday of a 31-day month never falls earlier


@lru_cache(maxsize=60_000)
def day(ordinal: int) -> str:
    """``yyyy-mm-dd`` of a proleptic ordinal."""
    return date.fromordinal(ordinal).isoformat()


def clock_time(ordinal: int, minute: int) -> str:
    """Wall time without offset, as the diary keeps it."""
    return f"{day(ordinal)}{_MINUTES[minute]}00"


def instant(ordinal: int, seconds: int) -> str:
    """UTC instant with ``Z``; ``seconds`` may run over either end of the day."""
    if not 0 <= seconds < MIDNIGHT:
        over, seconds = divmod(seconds, MIDNIGHT)
        ordinal += over
    return day(ordinal) + _MINUTES[seconds // 60] + _SECONDS[seconds % 60]


@lru_cache(maxsize=400)
def _summer(year: int) -> tuple[int, int]:
    """First and last-but-one ordinal of summer time (it begins and ends on these Sundays at 01:00 UTC)."""
    ends = []
    for month in (3, 10):
        at = date(year, month, 31)
        while at.weekday() != 6 or at.day < _LAST_SUNDAY_FROM:  # noqa: PLR2004 - Sunday
            at -= timedelta(days=1)
        ends.append(at.toordinal())
    return ends[0], ends[1]


@lru_cache(maxsize=60_000)
def is_summer(ordinal: int) -> bool:
    """Whether the working hours of that day are on summer time (one hour ahead of UTC)."""
    first, end = _summer(date.fromordinal(ordinal).year)
    return first <= ordinal < end


def instant_of_wall(ordinal: int, minute: int) -> str:
    """UTC instant of a wall time in working hours."""
    return instant(ordinal, minute * 60 - (3600 if is_summer(ordinal) else 0))


def as_instant(moment: datetime) -> str:
    """A clock's moment as the API writes it: UTC, whole seconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def working_day(ordinal: int) -> int:
    """The same day, or the Monday after a weekend."""
    weekday = (ordinal - 1) % 7
    return ordinal + (7 - weekday if weekday > 4 else 0)  # noqa: PLR2004 - Friday


def years_before(ordinal: int, years: int) -> int:
    """About ``years`` earlier; birthdays need no leap-day precision here."""
    return ordinal - round(years * 365.25)

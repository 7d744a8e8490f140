"""Date literals of SOQL: each names a span of whole days in the user's time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_DAY = date(1700, 1, 1)
LAST_DAY = date(4000, 12, 31)
_MONTHS = 12
_MAX_COUNT = 1_000_000
_OFFSET = re.compile(r"([+-]\d{2}):?(\d{2})$")
_FRACTION = re.compile(r"\.(\d+)")


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` up to, not including, `end`."""

    start: date
    end: date


def add_months(day: date, months: int) -> date:
    """The first of the month that lies `months` after the month of `day`; kept inside the years SOQL knows."""
    index = day.year * _MONTHS + day.month - 1 + months
    year = min(max(index // _MONTHS, FIRST_DAY.year), LAST_DAY.year + 1)
    return date(year, index % _MONTHS + 1, 1)


def add_days(day: date, days: int) -> date:
    """A day earlier or later, kept inside the years SOQL knows."""
    lowest, highest = (FIRST_DAY - day).days, (LAST_DAY - day).days + 1
    return day + timedelta(days=min(max(days, lowest), highest))


class Calendar:
    """Today and the units that date literals count in: weeks from `first_weekday` (0 = Monday), fiscal start month."""

    def __init__(
        self, now: datetime, zone: ZoneInfo, first_weekday: int = 0, fiscal_start: int = 1, locale: str = "en_GB"
    ) -> None:
        self.zone, self.locale = zone, locale
        self.today = now.astimezone(zone).date()
        self._first_weekday = first_weekday
        self.fiscal_start = fiscal_start

    def start_of(self, unit: str) -> date:
        """First day of the unit that holds today."""
        today = self.today
        match unit:
            case "DAY":
                return today
            case "WEEK":
                return today - timedelta(days=(today.weekday() - self._first_weekday) % 7)
            case "MONTH":
                return today.replace(day=1)
            case "QUARTER":
                return date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
            case "YEAR":
                return date(today.year, 1, 1)
            case "FISCAL_QUARTER":
                return add_months(today, -((today.month - self.fiscal_start) % 3))
            case _:
                return add_months(today, -((today.month - self.fiscal_start) % _MONTHS))

    def shifted(self, unit: str, count: int) -> date:
        """First day of the unit `count` units after the present one."""
        start = self.start_of(unit)
        if unit == "DAY":
            return add_days(start, count)
        if unit == "WEEK":
            return add_days(start, 7 * count)
        months = {"MONTH": 1, "QUARTER": 3, "FISCAL_QUARTER": 3}.get(unit, _MONTHS)
        return add_months(start, months * count)

    def span(self, word: str, number: int | None = None) -> Span | None:
        """The days a literal names; None when there is no such literal (or no such literal with, or without, n)."""
        if number is None:
            maker = _FIXED.get(word)
            return maker(self) if maker else None
        count = min(number, _MAX_COUNT)
        return self._counted(word, count)

    def _counted(self, word: str, count: int) -> Span | None:
        found = _COUNTED.fullmatch(word)
        if not found:
            return None
        before, unit, ago = found.group("way"), found.group("unit"), found.group("ago")
        if bool(before) == bool(ago):
            return None
        if ago:
            return Span(self.shifted(unit, -count), self.shifted(unit, 1 - count))
        if before == "NEXT":
            return Span(self.shifted(unit, 1), self.shifted(unit, 1 + count))
        # The past n days include today; other units end where the present unit begins.
        return Span(self.shifted(unit, -count), self.shifted(unit, 1 if unit == "DAY" else 0))

    def instant(self, day: date) -> datetime:
        """Midnight of a day in the user's zone, as UTC without zone."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC).replace(tzinfo=None)


_COUNTED = re.compile(
    r"(?:(?P<way>LAST|NEXT)_)?N_(?P<unit>DAY|WEEK|MONTH|QUARTER|YEAR|FISCAL_QUARTER|FISCAL_YEAR)S(?P<ago>_AGO)?"
)


def _unit(unit: str, shift: int) -> Callable[[Calendar], Span]:
    return lambda calendar: Span(calendar.shifted(unit, shift), calendar.shifted(unit, shift + 1))


_FIXED: dict[str, Callable[[Calendar], Span]] = {
    "YESTERDAY": _unit("DAY", -1),
    "TODAY": _unit("DAY", 0),
    "TOMORROW": _unit("DAY", 1),
    "LAST_90_DAYS": lambda calendar: Span(calendar.shifted("DAY", -90), calendar.shifted("DAY", 1)),
    "NEXT_90_DAYS": lambda calendar: Span(calendar.shifted("DAY", 1), calendar.shifted("DAY", 91)),
} | {
    f"{name}_{unit}": _unit(unit, shift)
    for unit in ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
    for name, shift in (("LAST", -1), ("THIS", 0), ("NEXT", 1))
}


def date_of(raw: str) -> date | None:
    """A bare date, or None when there is no such day or it lies outside 1700-01-01 … 4000-12-31."""
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def datetime_of(raw: str) -> datetime | None:
    """A bare datetime as UTC without zone, or None when there is no such instant."""
    text = raw.upper().replace("Z", "+00:00")
    text = _OFFSET.sub(r"\1:\2", text)
    text = _FRACTION.sub(lambda found: "." + found.group(1)[:6].ljust(6, "0"), text)
    try:
        instant = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return instant if FIRST_DAY <= instant.date() <= LAST_DAY else None


def time_of(raw: str) -> time | None:
    """A bare time of day, or None."""
    text = _FRACTION.sub(lambda found: "." + found.group(1)[:6].ljust(6, "0"), raw.upper().removesuffix("Z"))
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None

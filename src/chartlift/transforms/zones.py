"""The rules of a time zone as literal ranges, because the time zone functions of DuckDB are slow and err in the doubled hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_STEP = timedelta(days=5)
_SECOND = timedelta(seconds=1)


class ZoneRange(NamedTuple):
    """A stretch of time with one offset. Texts are `yyyy-mm-ddThh:mm:ss`, from inclusive, to exclusive.

    Local ranges join without gaps: the doubled hour belongs to the earlier range, and so does the missing one.
    """

    utc_from: str
    utc_to: str
    local_from: str
    local_to: str
    offset_minutes: int


def zone_ranges(zone: str, first_year: int, last_year: int) -> list[ZoneRange]:
    """The ranges of `zone` (IANA name) from the start of `first_year` to the end of `last_year`, oldest first."""
    place = ZoneInfo(zone)
    start, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    changes = [start, *_changes(place, start, end), end]
    ranges: list[ZoneRange] = []
    local_from = _text(start + _offset(place, start))
    for begin, stop in zip(changes, changes[1:], strict=False):
        before = _offset(place, begin)
        after = _offset(place, stop) if stop != end else before
        local_to = _text(stop + max(before, after))
        ranges.append(ZoneRange(_text(begin), _text(stop), local_from, local_to, round(before.total_seconds() / 60)))
        local_from = local_to
    return ranges


def _offset(place: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta(0)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _changes(place: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    found, moment, offset = [], start, _offset(place, start)
    while moment < end:
        later = min(moment + _STEP, end)
        if _offset(place, later) != offset:
            low, high = moment, later
            while high - low > _SECOND:
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                if middle in (low, high):
                    break
                low, high = (middle, high) if _offset(place, middle) == offset else (low, middle)
            found.append(high)
            offset = _offset(place, high)
        moment = later
    return found


def zone_macros(zones: Mapping[str, Iterable[tuple[str, str, str, str, int]]]) -> list[str]:
    """SQL that makes local_minutes(wall, zone), local_fault(wall, zone), utc_minutes(moment, zone) and zone_known(zone) from zone ranges."""
    tables = {zone: [ZoneRange(*row) for row in rows] for zone, rows in zones.items()}
    minutes = _per_zone({zone: _steps(rows, "local_from", "local_to", "wall") for zone, rows in tables.items()})
    utc = _per_zone({zone: _steps(rows, "utc_from", "utc_to", "moment") for zone, rows in tables.items()})
    faults = _per_zone({zone: _faults(rows) for zone, rows in tables.items()})
    names = ", ".join(_quoted(zone) for zone in tables) or "NULL"
    return [
        f"CREATE OR REPLACE MACRO local_minutes(wall, zone) AS CAST({minutes} AS INTEGER)",
        f"CREATE OR REPLACE MACRO utc_minutes(moment, zone) AS CAST({utc} AS INTEGER)",
        f"CREATE OR REPLACE MACRO local_fault(wall, zone) AS CAST({faults} AS VARCHAR)",
        f"CREATE OR REPLACE MACRO zone_known(zone) AS coalesce(zone IN ({names}), FALSE)",
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _per_zone(bodies: Mapping[str, str]) -> str:
    whens = "".join(f" WHEN {_quoted(zone)} THEN {body}" for zone, body in bodies.items())
    return f"CASE zone{whens} END" if whens else "NULL"


def _steps(rows: list[ZoneRange], start: str, stop: str, subject: str) -> str:
    """Newest first, because most rows are recent; runs of one offset are one step."""
    whens, end = [], getattr(rows[-1], stop)
    for index in range(len(rows) - 1, -1, -1):
        row = rows[index]
        if index and rows[index - 1].offset_minutes == row.offset_minutes:
            continue
        whens.append(f"WHEN {subject} >= '{getattr(row, start)}' THEN {row.offset_minutes}")
    return f"CASE WHEN {subject} >= '{end}' THEN NULL {' '.join(whens)} END"


def _faults(rows: list[ZoneRange]) -> str:
    whens, months, hours = [], set(), set()
    for before, after in zip(rows, rows[1:], strict=False):
        change = after.offset_minutes - before.offset_minutes
        if not change:
            continue
        stop = datetime.fromisoformat(before.local_to)
        start = stop - timedelta(minutes=abs(change))
        code = "R-DT-GAP" if change > 0 else "R-DT-OVERLAP"
        whens.append(f"WHEN wall >= '{_text(start)}' AND wall < '{_text(stop)}' THEN '{code}'")
        for moment in (start, stop - _SECOND):
            months.add(f"'{moment:%m}'")
        hours.update(f"'{(start + timedelta(minutes=m)):%H}'" for m in range(0, abs(change) + 1, 30))
    if not whens:
        return "NULL"
    # Nobody books at night, so the hour alone settles nearly every row.
    guard = f"substr(wall, 12, 2) IN ({', '.join(sorted(hours))}) AND substr(wall, 6, 2) IN ({', '.join(sorted(months))})"
    return f"CASE WHEN {guard} THEN CASE {' '.join(reversed(whens))} END END"

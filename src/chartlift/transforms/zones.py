"""The rules of a time zone as literal ranges: DuckDB's own time zone functions are slow and err in the doubled hour."""

from __future__ import annotations

import itertools
from collections import Counter
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
    for begin, stop in itertools.pairwise(changes):
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
    """SQL that makes local_minutes, zone_covers, local_fault (wall, zone), utc_minutes (moment, zone), zone_known.

    Rules stand in constant lists with a place per month: a branch per change makes statements slow to plan.
    """
    tables = {zone: [ZoneRange(*row) for row in rows] for zone, rows in zones.items()}
    minutes = _per_zone({zone: _offsets(rows, "local_from", "wall") for zone, rows in tables.items()})
    utc = _per_zone({zone: _offsets(rows, "utc_from", "moment") for zone, rows in tables.items()})
    faults = _per_zone({zone: _faults(rows) for zone, rows in tables.items()})
    covers = _per_zone(
        {zone: f"wall >= '{rows[0].local_from}' AND wall < '{rows[-1].local_to}'" for zone, rows in tables.items()}
    )
    names = ", ".join(_quoted(zone) for zone in tables) or "NULL"
    return [
        f"CREATE OR REPLACE MACRO local_minutes(wall, zone) AS CAST({minutes} AS INTEGER)",
        f"CREATE OR REPLACE MACRO utc_minutes(moment, zone) AS CAST({utc} AS INTEGER)",
        f"CREATE OR REPLACE MACRO local_fault(wall, zone) AS CAST({faults} AS VARCHAR)",
        f"CREATE OR REPLACE MACRO zone_covers(wall, zone) AS coalesce({covers}, FALSE)",
        f"CREATE OR REPLACE MACRO zone_known(zone) AS coalesce(zone IN ({names}), FALSE)",
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _per_zone(bodies: Mapping[str, str]) -> str:
    whens = "".join(f" WHEN {_quoted(zone)} THEN {body}" for zone, body in bodies.items())
    return f"CASE zone{whens} END" if whens else "NULL"


def _offsets(rows: list[ZoneRange], start: str, subject: str) -> str:
    """The offset at a moment: that of its month, where the offset changes that before or after the change."""
    changes = [(getattr(b, start), a.offset_minutes, b.offset_minutes) for a, b in itertools.pairwise(rows)]
    months = Counter(moment[:7] for moment, _, _ in changes)
    if months and max(months.values()) > 1:
        return _steps(rows, start, subject)
    by_month = {moment[:7]: (moment, before, after) for moment, before, after in changes}
    first, last = int(getattr(rows[0], start)[:4]), int(rows[-1].utc_to[:4])
    current, moments, befores, afters = rows[0].offset_minutes, [], [], []
    for year in range(first, last + 1):
        for month in range(1, 13):
            moment, before, after = by_month.get(f"{year:04d}-{month:02d}", ("", current, current))
            moments.append(moment)
            befores.append(str(before))
            afters.append(str(after))
            current = after
    place = f"(CAST(left({subject}, 4) AS INTEGER) - {first}) * 12 + CAST(substr({subject}, 6, 2) AS INTEGER)"
    listed = f"CAST('[{', '.join(moments)}]' AS VARCHAR[])[{place}]"
    before, after = (f"CAST('[{', '.join(values)}]' AS SMALLINT[])[{place}]" for values in (befores, afters))
    return f"CASE WHEN {subject} < {listed} THEN {before} ELSE {after} END"


def _steps(rows: list[ZoneRange], start: str, subject: str) -> str:
    """The same for a zone that changes twice in a month: newest first, because most rows are recent."""
    whens = []
    for index in range(len(rows) - 1, -1, -1):
        row = rows[index]
        if index and rows[index - 1].offset_minutes == row.offset_minutes:
            continue
        whens.append(f"WHEN {subject} >= '{getattr(row, start)}' THEN {row.offset_minutes}")
    return f"CASE {' '.join(whens)} END"


def _faults(rows: list[ZoneRange]) -> str:
    """The finding for a wall time that happened twice or not at all, looked up by its hour (or minute)."""
    spans: dict[str, list[tuple[datetime, datetime]]] = {"R-DT-GAP": [], "R-DT-OVERLAP": []}
    for before, after in itertools.pairwise(rows):
        change = after.offset_minutes - before.offset_minutes
        if change:
            stop = datetime.fromisoformat(before.local_to)
            spans["R-DT-GAP" if change > 0 else "R-DT-OVERLAP"].append((stop - timedelta(minutes=abs(change)), stop))
    every = [moment for pairs in spans.values() for pair in pairs for moment in pair]
    if not every:
        return "NULL"
    step, length = (
        (timedelta(hours=1), 13) if not any(m.minute or m.second for m in every) else (timedelta(minutes=1), 16)
    )
    keys = {
        code: [_text(moment)[:length] for a, b in pairs for moment in _between(a, b, step)]
        for code, pairs in spans.items()
    }
    # Nobody books at night, so the hour alone settles nearly every row.
    hours = ", ".join(sorted({f"'{key[11:13]}'" for found in keys.values() for key in found}))
    whens = " ".join(
        f"WHEN list_contains(CAST('[{', '.join(found)}]' AS VARCHAR[]), left(wall, {length})) THEN '{code}'"
        for code, found in keys.items()
        if found
    )
    return f"CASE WHEN substr(wall, 12, 2) IN ({hours}) THEN CASE {whens} END END"


def _between(start: datetime, stop: datetime, step: timedelta) -> list[datetime]:
    count = round((stop - start) / step)
    return [start + n * step for n in range(count)]

"""Medical items as lines of text. Twin of medical.sql, written from the rules.

Active items first, by date and id, undated ones last; then `Inactive:` and the others in the same order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chartlift.transforms.canonical import clean, truth
from chartlift.transforms.days import FIRST_DAY, last_day, read_day, read_moment, today_utc

DASH = " — "
_LAST_ID = 2**63 - 1
_SINCE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


class Entry(NamedTuple):
    """One item: its place in the order, its line, and whether it says what it is about."""

    late: bool
    undated: bool
    day: str
    id: int
    line: str
    named: bool


def cell(value: Any) -> str | None:
    """A JSON value as text, as the macros see it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_items(x: str | None) -> list[Mapping[str, Any]] | None:
    """The objects of a JSON list; [] if there is no value; None if it is something else."""
    text = clean(x)
    if text in {None, "null"}:
        return []
    try:
        items = json.loads(x or "")
    except ValueError:
        return None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    return items


def _in_range(day: date, today: date | None) -> bool:
    return FIRST_DAY <= day <= last_day(today or today_utc())


def local_day(x: str | None, zone: str | None, today: date | None) -> str | None:
    """The day of a moment at the practice; a bare date is that date; None if it cannot be read or is out of range."""
    text = clean(x)
    if text is None:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        day = read_day(text)
        return day.isoformat() if day and _in_range(day, today) else None
    read = read_moment(text)
    if read is None or read[1] is None:
        return None
    moment = (read[0] - read[1]).replace(tzinfo=UTC)
    if not _in_range(moment.date(), today):
        return None
    try:
        return moment.astimezone(ZoneInfo(zone or "UTC")).date().isoformat()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.date().isoformat()


def entry(item: Mapping[str, Any], day: str | None, head: str | None, parts: Sequence[str | None]) -> Entry:
    """An item with the parts of its line; `day` decides its place."""
    number = cell(item.get("medicalItemId"))
    whole = re.fullmatch(r"\s*([+-]?\d{1,18})\s*", number or "", re.ASCII)
    return Entry(
        late=truth(cell(item.get("active"))) is False,
        undated=day is None,
        day=day or "",
        id=int(whole[1]) if whole else _LAST_ID,
        line=DASH.join(part for part in parts if part),
        named=head is not None,
    )


def sortable(since: str | None) -> str | None:
    """A year, a month or a day."""
    return since if since and _SINCE.fullmatch(since) else None


def section(entries: Sequence[Entry]) -> list[str]:
    """The lines of a list of items."""
    ordered = sorted(entries)
    active = [e.line for e in ordered if not e.late]
    inactive = [e.line for e in ordered if e.late]
    return active + (["Inactive:", *inactive] if inactive else [])


def texts(items: Sequence[Mapping[str, Any]], names: Sequence[str], get: Callable[[Any], str | None] = cell) -> str:
    """All texts of these fields below each other, to look for what must not be in them."""
    return "\n".join(text for item in items for name in names if (text := get(item.get(name))) is not None)

"""Cells as an export writes them -> cells as the API sends them.

A column speaks one language. Only where none of its cells is written the API's way are the export's own spellings read
(03/04/2020, £1,234.50, Yes); in a column that has both, what differs is somebody's typing error and stays as received.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from chartlift.platforms.aeronaclinic.errors import BadAnswer
from chartlift.platforms.aeronaclinic.wire import Number, compact, parse

_PLAIN: dict[str, dict[str, str]] = {
    # kind -> spelling of the export -> what a cell of the API's looks like that rules it out
    "date": {"day first": r"^\d{4}-\d\d-\d\d"},
    "local": {"day first": r"^\d{4}-\d\d-\d\d"},
    "instant": {"day first": r"^\d{4}-\d\d-\d\d"},
    "boolean": {"words": r"^(true|false)$"},
    "money": {"sign": r"^-?\d[\d,]*(\.\d+)?$", "thousands": r"^-?[£€]?-?\d{4,}(\.\d+)?$", "brackets": r"^[£€]?-"},
}
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d\d)(?::(\d\d))?)?", re.ASCII)
_AMOUNT = re.compile(r"(\()?(-)?([£€])? ?(-)?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(\))?", re.ASCII)
_TRUE, _FALSE = {"true", "yes", "y", "1", "t"}, {"false", "no", "n", "0", "f"}
EXPONENT = r"^\d(\.\d+)?[eE]\+?\d+$"
LOST_ZERO = r"^[1-9]\d{8,9}$"


@dataclass(frozen=True, slots=True)
class Style:
    """Which spellings of the export the cells of a column are read in."""

    kind: str
    spellings: frozenset[str]

    @property
    def plain(self) -> bool:
        """Whether the cells are taken as they are."""
        return not self.spellings


def ruled_out(kind: str, column: pa.Array | pa.ChunkedArray) -> set[str]:
    """Spellings that cannot be meant in this column, by one part of its cells."""
    plain = _PLAIN.get(kind, {})
    return {name for name, pattern in plain.items() if pc.any(pc.match_substring_regex(column, pattern)).as_py()}


def style(kind: str, out: Iterable[str]) -> Style:
    """How a column is read whose cells have ruled some spellings out."""
    if kind == "list":
        return Style(kind, frozenset({"any"}))
    return Style(kind, frozenset(_PLAIN.get(kind, {})).difference(out))


def read(column: pa.Array, how: Style, zone: str) -> pa.Array:
    """The cells as the API would send them; what cannot be read stays as it is."""
    if how.plain or how.kind not in _READERS:
        return column
    codes = column.dictionary_encode()
    words = pa.array([_READERS[how.kind](word, how, zone) for word in codes.dictionary.to_pylist()], pa.string())
    return words.take(codes.indices)


def _date(word: str, _how: Style, _zone: str) -> str:
    moment = _day_first(word)
    return word if moment is None else moment.date().isoformat()


def _local(word: str, _how: Style, _zone: str) -> str:
    moment = _day_first(word)
    return word if moment is None else moment.isoformat()


def _instant(word: str, _how: Style, zone: str) -> str:
    moment = _day_first(word)
    try:
        there = None if moment is None else moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:  # at the ends of the calendar
        return word
    return word if there is None else there.replace(tzinfo=None).isoformat() + "Z"


def _day_first(word: str) -> datetime | None:
    found = _DAY_FIRST.fullmatch(word.strip())
    if found is None:
        return None
    day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local time, its zone comes later
    except ValueError:
        return None


def _boolean(word: str, _how: Style, _zone: str) -> str:
    plain = word.strip().casefold()
    return "true" if plain in _TRUE else "false" if plain in _FALSE else word


def _money(word: str, how: Style, _zone: str) -> str:
    found = _AMOUNT.fullmatch(word.strip())
    if found is None:
        return word
    opened, before, sign, behind, whole, part, closed = found.groups()
    used = {"sign"} if sign else set()
    used |= {"thousands"} if "," in whole else set()
    used |= {"brackets"} if opened else set()
    if bool(opened) != bool(closed) or not used or not used <= how.spellings or (before and behind):
        return word
    return ("-" if before or behind or opened else "") + whole.replace(",", "") + (part or "")


def _list(word: str, _how: Style, _zone: str) -> str:
    plain = word.strip()
    try:
        if plain.startswith("["):
            return compact(parse(plain.encode()))
    except BadAnswer:
        return word
    parts = [part for part in re.split(r"[;,|\s]+", plain) if part]
    return compact([Number(part) if part.isascii() and part.isdigit() else part for part in parts])


_READERS: dict[str, Callable[[str, Style, str], str]] = {
    "date": _date,
    "local": _local,
    "instant": _instant,
    "boolean": _boolean,
    "money": _money,
    "list": _list,
}

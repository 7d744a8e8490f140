"""WHERE and HAVING as a tree that has a text in SOQL and a meaning in plain Python."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oracle_world import TODAY, Row, World

LONDON = ZoneInfo("Europe/London")
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "!=": lambda a, b: a != b, "<>": lambda a, b: a != b,
}  # fmt: skip
UNITS: dict[str, Callable[[date], int]] = {
    "DAY": lambda day: day.toordinal(),
    "WEEK": lambda day: (day.toordinal() - 1) // 7,  # the first day of all was a Monday
    "MONTH": lambda day: day.year * 12 + day.month,
    "QUARTER": lambda day: day.year * 4 + (day.month - 1) // 3,
    "YEAR": lambda day: day.year,
    "FISCAL_QUARTER": lambda day: day.year * 4 + (day.month - 1) // 3,
    "FISCAL_YEAR": lambda day: day.year,
}


def quote(text: str) -> str:
    """A text between SOQL's quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def local(moment: datetime) -> datetime:
    """An instant (UTC, without zone) as the clocks of the caller show it."""
    return moment.replace(tzinfo=UTC).astimezone(LONDON).replace(tzinfo=None)


def _week(day: int) -> int:
    return (day - 1) // 7 + 1


PARTS: dict[str, Callable[[Any], Any]] = {
    "CALENDAR_YEAR": lambda d: d.year, "CALENDAR_QUARTER": lambda d: (d.month + 2) // 3, "CALENDAR_MONTH": lambda d: d.month,
    "DAY_IN_MONTH": lambda d: d.day, "DAY_IN_WEEK": lambda d: d.isoweekday() % 7 + 1,
    "DAY_IN_YEAR": lambda d: d.timetuple().tm_yday, "WEEK_IN_MONTH": lambda d: _week(d.day),
    "WEEK_IN_YEAR": lambda d: _week(d.timetuple().tm_yday), "FISCAL_YEAR": lambda d: d.year,
    "FISCAL_QUARTER": lambda d: (d.month + 2) // 3, "FISCAL_MONTH": lambda d: d.month, "HOUR_IN_DAY": lambda d: d.hour,
    "DAY_ONLY": lambda d: d.date() if isinstance(d, datetime) else d,
}  # fmt: skip


@dataclass(frozen=True)
class Operand:
    """A field by its path, or a part of a date that it holds; `zoned` is convertTimezone."""

    entity: str
    path: str
    kind: str
    call: str = ""
    zoned: bool = False
    loud: bool = False

    @property
    def text(self) -> str:
        """SOQL."""
        path = self.path.upper() if self.loud else self.path
        inner = f"convertTimezone({path})" if self.zoned else path
        return f"{self.call}({inner})" if self.call else inner

    def of(self, world: World, row: Row) -> Any:
        """The value for a row."""
        value = world.value(self.entity, row, self.path)
        if self.call and value is not None:
            return PARTS[self.call](local(value) if self.zoned else value)
        return value

    def key(self, world: World, row: Row) -> Any:
        """The value as it is compared: text without case."""
        return folded(self.kind, self.of(world, row))


def folded(kind: str, value: Any) -> Any:
    """A value as it is compared."""
    return value.lower() if isinstance(value, str) and kind not in {"exact", "id"} else value


@dataclass(frozen=True)
class Span:
    """A date literal: whole units from `first` to `last`, counted from the one that holds today."""

    text: str
    unit: str
    first: int
    last: int

    def holds(self, operator: str, day: date | None) -> bool:
        """Whether a day stands in that relation to the span."""
        if day is None:
            return operator in {"!=", "<>"}
        place = UNITS[self.unit](day) - UNITS[self.unit](TODAY)
        inside = self.first <= place <= self.last
        return {
            "=": inside, "!=": not inside, "<>": not inside, "<": place < self.first, "<=": place <= self.last,
            ">": place > self.last, ">=": place >= self.first,
        }[operator]  # fmt: skip


@dataclass(frozen=True)
class Compare:
    """`operand operator literal`."""

    left: Operand
    operator: str
    literal: str
    value: Any

    @property
    def text(self) -> str:
        return f"{self.left.text} {self.operator} {self.literal}"

    def holds(self, world: World, row: Row) -> bool:
        value = self.left.of(world, row)
        if isinstance(self.value, Span):
            day = local(value).date() if isinstance(value, datetime) else value
            return self.value.holds(self.operator, day)
        return compared(self.left.kind, self.operator, value, self.value)


def compared(kind: str, operator: str, value: Any, wanted: Any) -> bool:
    """Null equals null alone and differs from every value; a box that does not exist is not ticked."""
    if kind == "box":
        value, wanted = bool(value), bool(wanted)
    value, wanted = folded(kind, value), folded(kind, wanted)
    if value is None or wanted is None:
        same = value is None and wanted is None
        return same if operator == "=" else not same if operator in {"!=", "<>"} else False
    return _TESTS[operator](value, wanted)


@dataclass(frozen=True)
class Like:
    """`field LIKE pattern`; parts are wildcards or texts."""

    left: Operand
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        written = "".join(p if p in {"%", "_"} else {"\\%": p, "\\_": p}.get(p, quote(p)[1:-1]) for p in self.parts)
        return f"{self.left.text} like '{written}'"

    def holds(self, world: World, row: Row) -> bool:
        value = self.left.of(world, row)
        wild = {"%": ".*", "_": ".", "\\%": "%", "\\_": "_"}
        regex = "".join(wild.get(part, re.escape(part.lower())) for part in self.parts)
        return value is not None and re.fullmatch(regex, value.lower(), re.DOTALL) is not None


@dataclass(frozen=True)
class Among:
    """`operand IN (…)` and NOT IN, over literals and their values."""

    left: Operand
    negated: bool
    literals: tuple[str, ...]
    values: tuple[Any, ...]

    @property
    def text(self) -> str:
        return f"{self.left.text} {'NOT IN' if self.negated else 'in'} ({', '.join(self.literals)})"

    def holds(self, world: World, row: Row) -> bool:
        one = any(Compare(self.left, "=", "", value).holds(world, row) for value in self.values)
        return one is not self.negated


@dataclass(frozen=True)
class Chosen:
    """INCLUDES and EXCLUDES: one of the sets is wholly chosen, or none is."""

    left: Operand
    negated: bool
    sets: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        listed = ", ".join(quote(";".join(one)) for one in self.sets)
        return f"{self.left.text} {'EXCLUDES' if self.negated else 'INCLUDES'} ({listed})"

    def holds(self, world: World, row: Row) -> bool:
        have = set((self.left.of(world, row) or "").lower().split(";"))
        return any({part.lower() for part in one} <= have for one in self.sets) is not self.negated


@dataclass(frozen=True)
class SemiJoin:
    """`key IN (SELECT field FROM other WHERE …)`; only living rows of the other object count."""

    left: Operand
    negated: bool
    source: str
    field: str
    where: Any = None

    @property
    def text(self) -> str:
        where = f" WHERE {self.where.text}" if self.where else ""
        word = "NOT IN" if self.negated else "IN"
        return f"{self.left.text} {word} (SELECT {self.field} FROM {self.source}{where})"

    def holds(self, world: World, row: Row) -> bool:
        living = [one for one in world.rows[self.source] if world.every or not one["IsDeleted"]]
        named = {one[self.field] for one in living if not self.where or self.where.holds(world, one)} - {None}
        return (self.left.of(world, row) in named) is not self.negated


@dataclass(frozen=True)
class Joined:
    """AND or OR of conditions; the brackets are part of the text below the top."""

    word: str
    parts: tuple[Any, ...]
    top: bool = False

    @property
    def text(self) -> str:
        text = f" {self.word} ".join(part.text for part in self.parts)
        return text if self.top else f"({text})"

    def holds(self, world: World, row: Row) -> bool:
        combine = all if self.word.upper() == "AND" else any
        return combine(part.holds(world, row) for part in self.parts)


@dataclass(frozen=True)
class Not:
    """The rows of which a condition does not hold, those with null among them."""

    part: Any

    @property
    def text(self) -> str:
        return f"(NOT {self.part.text})"

    def holds(self, world: World, row: Row) -> bool:
        return not self.part.holds(world, row)


def literal_of(kind: str, value: Any, *, hours: int = 0, short: bool = False) -> str:
    """How SOQL writes a value; instants in the zone so many hours east, ids in 15 characters if short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        there = (value + timedelta(hours=hours)).isoformat()
        return f"{there}Z" if not hours else f"{there}{'+' if hours > 0 else '-'}{abs(hours):02d}:00"
    if isinstance(value, time):
        return f"{value.isoformat()}.000Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return quote(value[:15] if kind == "id" and short else value)
    return repr(value)

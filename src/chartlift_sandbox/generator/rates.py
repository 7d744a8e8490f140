"""How often each class of defect is planted: read from one data file, overridable by another or by words.

Rates are whole numbers per 100,000 of the table's unit: patients, except for appointments, whose unit is the visit. A
class whose rate is above zero also has one fixed example in the first places of the clinic, so that small clinics
show it; ``"once"`` leaves it at that example, 0 plants nothing.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any

from chartlift_sandbox.generator.dice import Dice

UNIT = 100_000
_ONCE, _ONCE_WORD = -1, "once"
_BARRED = ("patient",)
"""Tables of which only every second patient can carry a class, so that no more than half of them ever do."""


class RatesError(Exception):
    """A file or a word that tells no rates; the text names table and class."""


class Drawing:
    """Chance over some classes: their names against the running sum of their rates."""

    __slots__ = ("_bounds", "_names")

    def __init__(self, table: Mapping[str, int], names: Sequence[str]) -> None:
        chosen = [name for name in names if table.get(name, 0) > 0]
        self._names = chosen
        self._bounds = list(accumulate(table[name] for name in chosen))

    def name(self, dice: Dice, sides: int = UNIT) -> str | None:
        """The class that is struck, None for most draws; ``sides`` is the unit, less where fewer places can carry."""
        at = bisect_right(self._bounds, dice.below(sides))
        return self._names[at] if at < len(self._names) else None


class Rates:
    """Rates by table and class. ``tables`` hold numbers, or -1 for a class of which there is one example only."""

    def __init__(self, tables: Mapping[str, Mapping[str, int]]) -> None:
        self.tables = {table: dict(rows) for table, rows in tables.items()}
        self._drawings: dict[tuple[str, str], Drawing] = {}

    def shown(self, table: str, name: str) -> bool:
        """Whether the class is planted at all."""
        return self.tables[table].get(name, 0) != 0

    def of(self, table: str, name: str) -> int:
        """The rate of a class, 0 where only its example exists."""
        return max(0, self.tables[table].get(name, 0))

    def drawing(self, table: str, part: str, names: Sequence[str]) -> Drawing:
        """Chance over those classes of a table, added up once for each ``part``."""
        key = (table, part)
        if key not in self._drawings:
            self._drawings[key] = Drawing(self.tables[table], names)
        return self._drawings[key]

    def changed(self, changes: Mapping[str, Any]) -> "Rates":
        """These rates with some replaced.

        Args:
            changes: Table -> class -> rate; the class ``"*"`` stands for all of the table.

        Raises:
            RatesError: an unknown table or class, a rate that is none, or more classes than places to put them.
        """
        tables = {table: dict(rows) for table, rows in self.tables.items()}
        for table, rows in changes.items():
            if table not in tables or not isinstance(rows, Mapping):
                raise RatesError(f"{table}: no such table of rates")
            for name, value in rows.items():
                _replace(tables[table], table, name, value)
        for table, rows in tables.items():
            most = UNIT // 2 if table in _BARRED else UNIT
            if sum(rate for rate in rows.values() if rate > 0) > most:
                raise RatesError(f"{table}: the rates add up to more than {most} of {UNIT}")
        return Rates(tables)


def _number(table: str, name: str, value: object) -> int:
    if value == _ONCE_WORD:
        return _ONCE
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= UNIT:
        raise RatesError(f'{table}: {name}: a rate is a whole number from 0 to {UNIT}, or "{_ONCE_WORD}"')
    return value


def _replace(rows: dict[str, int], table: str, name: str, value: object) -> None:
    if name != "*" and name not in rows:
        raise RatesError(f"{table}: {name}: no such class of defect")
    for one in rows if name == "*" else (name,):
        rows[one] = _number(table, one, value)


@cache
def default_rates() -> Rates:
    """The rates that are shipped."""
    text = files("chartlift_sandbox.generator").joinpath("rates.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return Rates({
        table: {name: _number(table, name, value) for name, value in rows.items()} for table, rows in tables.items()
    })  # fmt: skip


def read_rates(path: Path | None, words: Sequence[str] = ()) -> Rates:
    """The shipped rates, changed by a file and then by words.

    Args:
        path: TOML in the shape of the shipped file; what it leaves out stays.
        words: ``TABLE.CLASS=RATE`` each, where the class may be ``*``.

    Raises:
        RatesError: the file cannot be read, or file or word tells no rate.
    """
    rates = default_rates()
    if path is not None:
        try:
            rates = rates.changed(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise RatesError(f"{path}: {error}") from error
    for word in words:
        where, mark, value = word.rpartition("=")
        table, dot, name = where.partition(".")
        if not mark or not dot:
            raise RatesError(f"{word}: write TABLE.CLASS=RATE")
        rates = rates.changed({table: {name: int(value) if value.isdigit() else value}})
    return rates

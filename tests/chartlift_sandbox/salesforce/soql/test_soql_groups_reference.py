"""Subtotals, date functions and TYPEOF against plain Python, on generated rows."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chartlift_sandbox.salesforce import soql

QUIET = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}
NAMES = st.sampled_from(["a", "A", "b", "é", None])
DAYS = st.one_of(st.none(), st.dates(date(2019, 12, 28), date(2021, 1, 4)))
ROWS = st.lists(st.tuples(NAMES, NAMES, DAYS), max_size=10)
_FUNCTIONS = {
    "CALENDAR_YEAR": lambda day: day.year,
    "CALENDAR_QUARTER": lambda day: (day.month + 2) // 3,
    "CALENDAR_MONTH": lambda day: day.month,
    "DAY_IN_MONTH": lambda day: day.day,
    "DAY_IN_WEEK": lambda day: day.isoweekday() % 7 + 1,
    "DAY_IN_YEAR": lambda day: day.timetuple().tm_yday,
    "WEEK_IN_MONTH": lambda day: (day.day + 6) // 7,
    "WEEK_IN_YEAR": lambda day: (day.timetuple().tm_yday + 6) // 7,
}


def _fill(org: Any, rows: list[tuple[str | None, str | None, date | None]]) -> None:
    org.db.execute('DELETE FROM "Contact"')
    for number, (first, last, day) in enumerate(rows):
        org.insert("Contact", "003", number, FirstName=first, LastName=last, Birthdate=day)


def _folded(value: str | None) -> str | None:
    return None if value is None else value.lower()


@settings(max_examples=25, **QUIET)
@given(rows=ROWS, cube=st.booleans())
def test_subtotals_are_those_of_plain_python(
    org: Any, ada: Any, rows: list[tuple[str | None, str | None, date | None]], cube: bool
) -> None:
    _fill(org, rows)
    word = "CUBE" if cube else "ROLLUP"
    text = (
        "SELECT FirstName f, LastName l, GROUPING(FirstName) gf, GROUPING(LastName) gl, COUNT(Id) n FROM Contact "
        f"GROUP BY {word}(FirstName, LastName)"
    )
    kept = [set(some) for size in (2, 1, 0) for some in combinations((0, 1), size)] if cube else [{0, 1}, {0}, set()]
    want: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        for columns in kept:
            shown = [_folded(row[place]) if place in columns else None for place in (0, 1)]
            want[*shown, int(0 not in columns), int(1 not in columns)] += 1
    if not rows:
        want[None, None, 1, 1] = 0  # the grand total of nothing
    got = soql.run(org, ada, text).to_records()
    found = {(_folded(one["f"]), _folded(one["l"]), one["gf"], one["gl"]): one["n"] for one in got}
    assert found == dict(want), text
    assert len(found) == len(got)


@settings(max_examples=25, **QUIET)
@given(rows=ROWS, name=st.sampled_from(sorted(_FUNCTIONS)), wanted=st.integers(1, 53))
def test_date_functions_are_those_of_plain_python(
    org: Any, ada: Any, rows: list[tuple[str | None, str | None, date | None]], name: str, wanted: int
) -> None:
    _fill(org, rows)
    of = _FUNCTIONS[name]
    grouped = soql.run(org, ada, f"SELECT {name}(Birthdate) d, COUNT(Id) n FROM Contact GROUP BY {name}(Birthdate)")
    days = Counter(None if day is None else of(day) for _, _, day in rows)
    assert {one["d"]: one["n"] for one in grouped.to_records()} == dict(days)
    wanted += 2000 if name == "CALENDAR_YEAR" else 0
    filtered = soql.run(org, ada, f"SELECT COUNT() FROM Contact WHERE {name}(Birthdate) >= {wanted}")
    assert filtered.total == sum(day is not None and of(day) >= wanted for _, _, day in rows)

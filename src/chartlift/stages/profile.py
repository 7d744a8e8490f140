"""`profile`: what is in staging, and what is wrong with it: counts, codes, list values, keys; no patient's value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chartlift import transforms
from chartlift.errors import NotConfirmed, UsageError
from chartlift.model.outcomes import StepReport
from chartlift.model.ports import Tools
from chartlift.model.reports import EntityProfile, FieldProfile, Finding, ProfileReport
from chartlift.model.source import EntityShape
from chartlift.stages import soundness
from chartlift.stages.soundness.book import MASK, Book
from chartlift.stages.sqltext import ident

LONGEST_LIST = 200  # values of a list that are shown
LONGEST_VALUE = 80
_COLUMNS_AT_ONCE = 20
_BEGUN = "left({0}, 1) BETWEEN '!' AND '~'"  # begins with a plain character: told without a pattern, it is not blank
_DAY = "^([0-9]{4})-[0-9]{2}-[0-9]{2}"


def run(tools: Tools) -> ProfileReport:
    """Profile the newest complete extraction.

    Raises:
        NotConfirmed: nothing has been extracted yet.
    """
    sql = tools.staging.sql
    extraction = _newest(sql)
    transforms.install(sql)
    shapes = [shape for shape in tools.source.shapes() if not shape.nests]
    entities = []
    for number, shape in enumerate(shapes):
        tools.progress.step(f"profile {shape.name}", number, len(shapes))
        entities.append(_entity(sql, shape))
    book = Book(sql)
    book.ready += _extracted(tools)
    soundness.look(book, tools, shapes)
    report = ProfileReport(extraction, tuple(entities), tuple(book.close(extraction)))
    tools.journal.put_report("profile", "", report.as_json())
    return report


def records(tools: Tools, finding: str) -> StepReport:
    """Every record of a finding, named by its code, or by code and place (`R-EMAIL patient.email`).

    `data["records"]` has `place`, `key`, `other` (of a pair), `evidence` and `value` (the form of the value, masked). If there
    is no profile of the newest extraction, one is made first.

    Raises:
        UsageError: the profile has no such finding.
    """
    sql = tools.staging.sql
    if _profiled(sql) != _newest(sql):
        run(tools)
    code, _, place = finding.strip().partition(" ")
    code = code.upper()
    if not sql.execute("SELECT 1 FROM profile_finding WHERE code = $1 AND $2 IN ('', place)", [code, place]).fetchall():
        known = sql.execute("SELECT DISTINCT code FROM profile_finding ORDER BY code").fetchall()
        raise UsageError(
            f"The profile has no finding {finding}.", hint="It has " + ", ".join(row[0] for row in known) + "."
        )
    sql.execute(MASK)
    found = list(soundness.book.records(sql, code, place))
    text = f"{len(found)} records of {code}"
    return StepReport("finding", lines=(text,), data={"finding": code, "records": found})


def _profiled(sql: Any) -> int | None:
    """The extraction whose findings are in staging."""
    made = sql.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'profile_finding'").fetchone()[0]
    return sql.execute("SELECT max(extraction) FROM profile_finding").fetchone()[0] if made else None


def _newest(sql: Any) -> int:
    made = sql.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'extraction'").fetchone()[0]
    row = sql.execute("SELECT max(number) FROM extraction WHERE finished IS NOT NULL").fetchone() if made else (None,)
    if row[0] is None:
        raise NotConfirmed("there is no complete extraction to profile", hint="chartlift extract")
    return int(row[0])


def _entity(sql: Any, shape: EntityShape) -> EntityProfile:
    src = ident("src_" + shape.name)
    rows = sql.execute(f"SELECT count(*) FROM {src}").fetchone()[0]
    fields: list[FieldProfile] = []
    for start in range(0, len(shape.columns), _COLUMNS_AT_ONCE):
        fields += _fields(sql, shape, rows, shape.columns[start : start + _COLUMNS_AT_ONCE])
    length = " + ".join(f"coalesce(strlen({ident(column)}), 0)" for column in shape.columns)
    mean = sql.execute(f"SELECT coalesce(avg({length}), 0) FROM {src}").fetchone()[0]
    return EntityProfile(shape.name, rows, tuple(fields), int(mean), _years(sql, shape))


def _fields(sql: Any, shape: EntityShape, rows: int, columns: Sequence[str]) -> Iterator[FieldProfile]:
    """Fill, distinct values and longest value of some columns, in one pass over the table."""
    asked = []
    for column in columns:
        cell = ident(column)
        plain = f"strlen({cell}) = length({cell}) AND NOT contains({cell}, chr(10))"
        asked += [
            f"count({cell})",
            f"count(*) FILTER ({cell} IS NOT NULL AND NOT ({_BEGUN.format(cell)}) AND is_blank({cell}))",
            f"approx_count_distinct({cell})",
            f"coalesce(max(CASE WHEN {plain} THEN strlen({cell}) ELSE units({cell}) END), 0)",
        ]
    row = sql.execute(f"SELECT {', '.join(asked)} FROM {ident('src_' + shape.name)}").fetchone()
    for number, column in enumerate(columns):
        there, empty, distinct, longest = row[number * 4 : number * 4 + 4]
        values = _values(sql, shape, column) if column in shape.lists else {}
        exact = len(values) if values and len(values) < LONGEST_LIST else min(distinct, there)
        yield FieldProfile(column, there - empty, empty, rows - there, exact, int(longest), values)


def _values(sql: Any, shape: EntityShape, column: str) -> dict[str, int]:
    cell = ident(column)
    return dict(
        sql.execute(
            f"SELECT left({cell}, {LONGEST_VALUE}) AS value, count(*) AS n FROM {ident('src_' + shape.name)} "
            f"WHERE {cell} IS NOT NULL GROUP BY value ORDER BY n DESC, value LIMIT {LONGEST_LIST}"
        ).fetchall()
    )


def _years(sql: Any, shape: EntityShape) -> dict[str, int]:
    """Rows by year; what has no readable year counts under ''."""
    if not shape.dated:
        return {}
    return dict(
        sql.execute(
            f"SELECT coalesce(regexp_extract({ident(shape.dated)}, '{_DAY}', 1), '') AS year, "
            f"count(*) FROM {ident('src_' + shape.name)} GROUP BY year ORDER BY year"
        ).fetchall()
    )


def _extracted(tools: Tools) -> Iterator[Finding]:
    """What the extraction itself came across."""
    for finding in (tools.journal.report("extract") or {}).get("findings", ()):
        words: dict[str, Any] = dict(finding)
        words["samples"] = tuple(words.get("samples", ()))
        yield Finding(**words)

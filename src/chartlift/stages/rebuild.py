"""What never migrates: mandates and payment links, payment plans nobody signed, care plans, and a practice's own set-up.

A mandate belongs to the payment provider and to one merchant account; writing its number into another system does not make
it collect there, and leaving the old one alone does not make it stop. So nothing of this is loaded: it is counted here for
people to build anew, and listed in a file for those who do it.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from chartlift.errors import NotConfirmed, UsageError
from chartlift.model.ports import Tools
from chartlift.model.rebuild import RebuildCount, RebuildItem, RebuildReport
from chartlift.stages.rebuild_list import COLUMNS, make_list

SHOWN = 10  # keys of one problem
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that starts like this
PAGE = 1_000
PROBLEMS = ("cancelled_only", "unsigned", "sum", "dates", "term_over", "twice", "patient_gone", "deleted")
ITEMS = ("gocardless", "stripe", "webhooks", "booking", "templates", "recalls", "workflows")


def run(tools: Tools, *, export: Path | None = None) -> RebuildReport:
    """Count what has to be built anew; with `export` write every line of it to a file outside the workspace.

    Raises:
        NotConfirmed: nothing has been extracted yet.
        UsageError: the file is inside the workspace, or neither .csv nor .json.
    """
    if export is not None:
        check_place(tools.home, export)
    if tools.journal.report("extract") is None:
        raise NotConfirmed("Nothing has been extracted yet.", hint="chartlift extract")
    sql = tools.staging.sql
    make_list(sql, tools.tenant, tools.clock.now().date())
    rows = sql.execute("SELECT count(*) FROM rebuild_list").fetchone()[0]
    if export is not None:
        _write(sql, export, tools.clock.now().date())
        detail = {"step": "rebuild", "file": export.name, "rows": rows}
        tools.audit.act("export", who=tools.who, detail=detail)
    samples = {code: _keys(sql, code) for code in PROBLEMS}
    return RebuildReport(
        extraction=sql.execute("SELECT coalesce(max(number), 0) FROM extraction WHERE finished IS NOT NULL").fetchone()[
            0
        ],
        counts=tuple(_counts(sql)),
        items=tuple(RebuildItem(code, _use(sql, code)) for code in ITEMS),
        problems={code: _number(sql, code) for code in PROBLEMS if samples[code]},
        samples={code: keys for code, keys in samples.items() if keys},
        rows=rows,
        exported=export.name if export is not None else "",
    )


def check_place(home: Path, export: Path) -> None:
    """Patients' details never lie in the workspace in the clear, nor under a name that says nothing about the format.

    Raises:
        UsageError: the file cannot be written there.
    """
    target = export.absolute()
    if target.suffix.lower() not in (".csv", ".json"):
        raise UsageError(f"{export}: the list is written as .csv or .json.", hint="Name the file accordingly.")
    if not target.parent.is_dir() or target.is_dir():
        raise UsageError(f"{export} cannot be written.", hint="Name a file in a folder that is there.")
    if target.parent.resolve().is_relative_to(home.resolve()):
        raise UsageError(
            f"{export} is inside the workspace, where nothing lies in the clear.", hint="Name a file outside of it."
        )


# ---------------------------------------------------------------- counts


def _counts(sql: Any) -> Iterator[RebuildCount]:
    rows = sql.execute("""
        SELECT practice, provider,
               count(*) FILTER (kind = 'link'), count(*) FILTER (kind = 'link' AND collecting),
               count(*) FILTER (kind = 'link' AND cancelled_only), count(*) FILTER (kind = 'plan'),
               count(*) FILTER (kind = 'plan' AND list_has_any(problems, ['sum', 'dates'])),
               count(*) FILTER (kind = 'care plan'), count(*) FILTER (kind = 'care plan' AND next_due IS NOT NULL)
        FROM rebuild_list GROUP BY ALL ORDER BY practice, provider
    """).fetchall()
    return (RebuildCount(*row) for row in rows)


def _keys(sql: Any, code: str) -> tuple[str, ...]:
    rows = sql.execute(
        f"SELECT kind || ' ' || id FROM rebuild_list WHERE list_contains(problems, ?) ORDER BY seq LIMIT {SHOWN}",
        [code],
    ).fetchall()
    return tuple(row[0] for row in rows)


def _number(sql: Any, code: str) -> int:
    return sql.execute("SELECT count(*) FROM rebuild_list WHERE list_contains(problems, ?)", [code]).fetchone()[0]


def _use(sql: Any, code: str) -> dict[str, int]:
    """What the clinic's records show of a thing that has to be set up; {} where they cannot."""
    queries = {
        "gocardless": "SELECT practice, count(*) FROM rebuild_list WHERE provider = 'GOCARDLESS' GROUP BY 1 ORDER BY 1",
        "stripe": "SELECT practice, count(*) FROM rebuild_list WHERE provider = 'STRIPE' GROUP BY 1 ORDER BY 1",
        "booking": """
            SELECT coalesce(nullif(p."name", ''), 'practice ' || a."practiceId", 'no practice') AS practice, count(*)
            FROM src_appointment AS a LEFT JOIN src_practice AS p ON p._id = a."practiceId"
            WHERE upper(trim(a."origin")) IN ('ONLINE', 'WEB', 'ONLINE_BOOKING') GROUP BY 1 ORDER BY 1""",
        "recalls": """
            SELECT concat_ws(', ', nullif("recallType", ''), 'every ' || nullif("intervalMonths", '') || ' months',
                             'by ' || nullif("method", '')) AS rule, count(*)
            FROM src_recall GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12""",
    }
    there = {row[0] for row in sql.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    needs = {"booking": "src_appointment", "recalls": "src_recall"}
    if code not in queries or needs.get(code, "rebuild_list") not in there:
        return {}
    return {name or "unknown": number for name, number in sql.execute(queries[code]).fetchall()}


# ---------------------------------------------------------------- the file


def _write(sql: Any, export: Path, day: date) -> None:
    """The whole list, page by page; it is complete or it is not there."""
    fresh = export.with_name(f".{export.name}.new")
    names = list(COLUMNS)
    listed = ", ".join(f'"{name}"' for name in names)
    sql.execute(f"SELECT {listed} FROM rebuild_list ORDER BY seq")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(
            handle, "w", encoding="utf-8-sig" if export.suffix.lower() == ".csv" else "utf-8", newline=""
        ) as out:
            if export.suffix.lower() == ".csv":
                _as_csv(out, names, _pages(sql))
            else:
                _as_json(out, names, _pages(sql), day)
        fresh.replace(export)
    finally:
        fresh.unlink(missing_ok=True)


def _pages(sql: Any) -> Iterator[Sequence[tuple[Any, ...]]]:
    while page := sql.fetchmany(PAGE):
        yield page


def _as_csv(out: Any, names: Sequence[str], pages: Iterator[Sequence[tuple[Any, ...]]]) -> None:
    writer = csv.writer(out)
    writer.writerow(names)
    for page in pages:
        writer.writerows([[_safe(cell) for cell in row] for row in page])


def _safe(cell: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if cell is None else " ".join(cell) if isinstance(cell, list) else str(cell)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"'{text}" if text.startswith(FORMULA) else text


def _as_json(out: Any, names: Sequence[str], pages: Iterator[Sequence[tuple[Any, ...]]], day: date) -> None:
    out.write(f'{{"made": {json.dumps(day.isoformat())}, "rows": [')
    between = "\n"
    for page in pages:
        for row in page:
            cells = {name: cell for name, cell in zip(names, row, strict=True) if cell not in (None, "", [])}
            out.write(between + json.dumps(cells, ensure_ascii=False, default=str))
            between = ",\n"
    out.write("\n]}\n")

"""Reports as text on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chartlift.model.outcomes import CarryReport, CompareReport, RollbackReport, StepReport, UnitCount
from chartlift.model.reports import Finding, Report

FATES = ("insert", "update", "undelete", "unchanged", "skip", "hold", "failed")


def show(report: Report) -> None:
    """Print any report."""
    console = Console()
    match report:
        case StepReport():
            _lines(console, report)
        case CarryReport():
            _carry(console, report)
        case CompareReport():
            _compare(console, report)
        case RollbackReport():
            _rollback(console, report)
        case _:
            _plain(console, report)


def table(*columns: str) -> Table:
    """A table in the house style; columns after the first are figures."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right")
    return made


def _lines(console: Console, report: StepReport) -> None:
    for line in report.lines:
        console.print(Text(line))
    for person in report.data.get("people", ()):
        if person["how"] != "email":
            console.print(
                Text(f"  practitioner {person['source_id']} {person['role']}: {person['how']} {person['why']}")
            )
    for match in report.data.get("matches", ()):
        console.print(Text(f"  {match['key']} looks like {match['object']} {match['id']} ({match['evidence']})"))


def _carry(console: Console, report: CarryReport) -> None:
    seen = [fate for fate in FATES if any(unit.fates.get(fate) for unit in report.units)]
    made = table(f"{report.kind}{'' if report.went else ' (explained only; --go does it)'}", *seen)
    for unit in report.units:
        made.add_row(f"{unit.unit} → {unit.object}", *(f"{unit.fates.get(fate, 0):,}" for fate in seen))
    console.print(made)
    for unit in report.units:
        _reasons(console, unit)
    if report.matches:
        console.print(f"{len(report.matches)} probable matches wait for a decision: chartlift matches")


def _reasons(console: Console, unit: UnitCount) -> None:
    for fate, reason, count in unit.reasons[:12]:
        console.print(Text(f"  {unit.unit}: {count:,} {fate}: {reason}"))
    for name, count in unit.withheld[:12]:
        console.print(Text(f"  {unit.unit}: {count:,} withheld: {name}"))
    for key, reason in unit.failed[:12]:
        console.print(Text(f"  {key}: {reason}"))


def _compare(console: Console, report: CompareReport) -> None:
    if report.carry is not None:
        _carry(console, report.carry)
    if not report.units:
        return
    verdicts = ("equal", "withheld", "server", "person", "differs")
    made = table("fields", *verdicts)
    for unit in report.units:
        made.add_row(unit.unit, *(f"{unit.fields.get(v, 0):,}" for v in verdicts))
    console.print(made)
    for unit in report.units:
        words = ", ".join(f"{count:,} {name}" for name, count in unit.records.items())
        console.print(Text(f"  {unit.unit} records: {words}"))
        for key, name, verdict in unit.samples[:10]:
            console.print(Text(f"  {key} {name}: {verdict}"))
    console.print("Every field is explained." if report.clean else "There are differences without an explanation.")


def _rollback(console: Console, report: RollbackReport) -> None:
    made = table("rollback" if report.went else "rollback (explained only; --go does it)", "records")
    for name, actions in report.actions.items():
        for action, count in actions.items():
            made.add_row(f"{name}: {action}", f"{count:,}")
    console.print(made)
    for name, key, record, reason in report.kept:
        console.print(Text(f"  kept {name} {key} {record}: {reason}"))
    for name, key, code in report.failed:
        console.print(Text(f"  failed {name} {key}: {code}"))
    console.print(Text(f"Fingerprint {report.fingerprint}"))


def _plain(console: Console, report: Report) -> None:
    for name, value in report.as_json().items():
        if name == "findings":
            _findings(console, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            _records(console, name, value)
        else:
            console.print(Text(f"{name}: {value}"))


def _findings(console: Console, findings: list[dict[str, Any] | Finding]) -> None:
    made = table("finding", "rows", "where", "what becomes of it")
    for finding in findings:
        body = finding if isinstance(finding, dict) else {}
        made.add_row(str(body.get("code")), f"{body.get('count', 0):,}", str(body.get("entity")), str(body.get("fate")))
    console.print(made)


def _records(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    names = [name for name, value in rows[0].items() if not isinstance(value, list | dict)]
    made = table(title, *names[1:])
    for row in rows:
        made.add_row(*(str(row.get(name, "")) for name in names))
    console.print(made)

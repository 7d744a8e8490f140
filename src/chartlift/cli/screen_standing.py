"""Reports about the workspace as a whole: status, audit, purge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chartlift.cli import layout, words
from chartlift.cli.layout import Sheet, count
from chartlift.model.standing import AuditReport, PurgeReport, RunState, StatusReport

MOST_ENTRIES = 40
ENDS = {"rolled_back": "rolled back", "running": "not finished"}
ONCE = {"confirm": "chartlift confirm --by NAME", "people": "chartlift people --fallback EMAIL"}
GO = ("schema", "sample", "load", "delta", "rollback")


def put(sheet: Sheet, report: StatusReport | AuditReport | PurgeReport) -> None:
    """Any of the three."""
    match report:
        case StatusReport():
            _status(sheet, report)
        case AuditReport():
            _audit(sheet, report)
        case PurgeReport():
            _purge(sheet, report)


def _status(sheet: Sheet, report: StatusReport) -> None:
    sheet.title(f"Workspace of {report.tenant}" + (", purged: only its audit trail is left" if report.purged else ""))
    sheet.table(("", "", ""), [("done" if s.done else "-", s.name, layout.moment(s.at)) for s in report.steps], "ttr")
    if report.plan.get("fingerprint"):
        by, at = report.plan.get("confirmed_by", ""), layout.moment(report.plan.get("confirmed_at", ""))
        sheet.line(f"Plan {report.plan['fingerprint'][:16]} confirmed by {by}, {at} UTC")
    elif report.plan.get("voided"):
        sheet.line(f"The confirmation is void: {report.plan['voided']}")
    if report.runs:
        sheet.title("Runs (times are UTC)")
        sheet.table(("step", "started", "outcome", "rows", "run"), map(_run, report.runs), "tttfr")
    units = [unit for unit in report.units if unit.written or unit.failed or unit.kept_back]
    if units:
        sheet.title("Written so far, all runs together")
        rows = [(words.unit(u.unit), u.object, *map(_fates, (u.written, u.kept_back))) for u in units]
        sheet.table(("from", "to", "written", "did not go (newest run)"), rows, "tttr")
    sheet.blank()
    if report.unknown:
        sheet.line(f"{count(report.unknown, 'row is', 'rows are')} without a fate: the step below asks Salesforce.")
    elif not report.purged:
        sheet.line("The fate of every row is known.")
    if report.next:
        sheet.line(f"Next: {_command(report.next, interrupted=any(not run.ended for run in report.runs))}")


def _run(run: RunState) -> tuple[object, ...]:
    counts = ((run.failed, "refused"), (run.unprocessed, "not processed"), (run.unknown, "unknown"))
    outcome = ", ".join(
        [ENDS.get(run.outcome, run.outcome), *(f"{number:,} {what}" for number, what in counts if number)]
    )
    return (run.kind, layout.moment(run.started), outcome, run.rows, run.id)


def _fates(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {words.FATES.get(fate, fate)}" for fate, number in counts.items() if number)


def _command(step: str, *, interrupted: bool) -> str:
    if step in ONCE:
        return ONCE[step]
    if step == "purge":
        return "chartlift purge, when nothing has to be taken back any more"
    return f"chartlift {step}" + (" --go" if step in GO and interrupted else "")


def _audit(sheet: Sheet, report: AuditReport) -> None:
    lines = _acts(report)
    sheet.title(f"{count(len(report.entries), 'entry', 'entries')} in the audit trail (times are UTC)")
    if len(lines) > MOST_ENTRIES:
        sheet.line(f"The newest {MOST_ENTRIES} acts; --json has all.")
    sheet.table(("when", "who", "what", ""), lines[-MOST_ENTRIES:], "tttr")
    sheet.blank()
    if report.sound is None:
        sheet.line("Prove that nothing was altered: chartlift audit --verify")
    elif report.sound:
        sheet.line(f"The chain holds. Its end: {report.head}")
    else:
        sheet.line(f"THE TRAIL WAS ALTERED: {report.broken}")
    if report.uncovered:
        sheet.line(f"{count(len(report.uncovered), 'batch', 'batches')} cut off by a stop; the next run adds them.")


def _acts(report: AuditReport) -> list[tuple[str, str, str, str]]:
    """One line an act; the batches of one object in one run together."""
    lines: list[tuple[str, str, str, str]] = []
    sums: dict[tuple[str, str], dict[str, int]] = {}
    places: dict[tuple[str, str], int] = {}
    for entry in report.entries:
        when, who, act = layout.moment(entry["at"]), str(entry["who"]), str(entry["act"])
        if act != "outcomes":
            lines.append((when, who, act, _detail(entry)))
            continue
        key = (entry["run"], entry["object"])
        total = sums.setdefault(key, {})
        for name, number in entry["detail"].get("outcomes", {}).items():
            total[name] = total.get(name, 0) + number
        line = (when, who, "written", f"{entry['object']}: " + ", ".join(f"{n:,} {name}" for name, n in total.items()))
        if key in places:
            lines[places[key]] = line
        else:
            places[key] = len(lines)
            lines.append(line)
    return lines


def _detail(entry: Mapping[str, Any]) -> str:
    detail = entry["detail"]
    if "rows" in detail and isinstance(detail["rows"], Mapping):
        return f"extraction {detail.get('extraction', '')}: {sum(detail['rows'].values()):,} rows here"
    plain = [f"{name} {value}" for name, value in detail.items() if not isinstance(value, Mapping | list)]
    return ", ".join([*plain, *([f"run {entry['run']}"] if entry["run"] else [])])


def _purge(sheet: Sheet, report: PurgeReport) -> None:
    if report.went:
        sheet.title("Purged: the data key is destroyed, and what it opened is removed.")
    elif report.purged:
        sheet.title("This workspace is purged already.")
    else:
        sheet.title("Purge: what it would destroy. Nothing was destroyed.")
    rows = [(h.name, count(h.files, "file"), layout.size(h.bytes)) for h in report.holdings]
    sheet.table(("", "", ""), rows, "ttr")
    sheet.line(
        f"The audit trail stays{'' if report.audit_sound else ', BUT IT WAS ALTERED: chartlift audit --verify'}."
    )
    if report.unknown:
        sheet.line(f"{count(report.unknown, 'row is', 'rows are')} without a fate: finish the interrupted step first.")
    elif not report.went and not report.purged:
        sheet.line("There is no way back, and no rollback after it. Do it: chartlift purge --go")

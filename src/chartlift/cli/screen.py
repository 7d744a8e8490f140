"""Reports as text: what happened, what a person should look at, and what comes next."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from chartlift.cli import layout, screen_carry, screen_demo, screen_profile, screen_rebuild, words
from chartlift.cli.layout import Sheet, count
from chartlift.model.outcomes import CarryReport, CompareReport, RollbackReport, StepReport
from chartlift.model.ports import Probe
from chartlift.model.rebuild import RebuildReport
from chartlift.model.reports import CheckReport, EstimateReport, ExtractReport, ProfileReport, Report
from chartlift.model.standing import AuditReport, PurgeReport, StatusReport


def show(report: Report) -> None:
    """Print any report."""
    sys.stdout.write(text(report) + "\n")


def text(report: Report, width: int = 0) -> str:
    """Any report as text for people."""
    sheet = Sheet(width)
    match report:
        case CheckReport():
            _check(sheet, report)
        case ExtractReport():
            _extract(sheet, report)
        case ProfileReport():
            screen_profile.put(sheet, report)
        case EstimateReport():
            _estimate(sheet, report)
        case CarryReport():
            screen_carry.carry(sheet, report)
        case CompareReport():
            screen_carry.compare(sheet, report)
        case RollbackReport():
            screen_carry.rollback(sheet, report)
        case RebuildReport():
            screen_rebuild.put(sheet, report)
        case StatusReport() | AuditReport() | PurgeReport():
            from chartlift.cli import screen_standing

            screen_standing.put(sheet, report)
        case StepReport():
            _step(sheet, report)
        case _:
            sheet.line(str(report.as_json()))
    _next(sheet, report)
    return sheet.text()


def _next(sheet: Sheet, report: Report) -> None:
    """The command that comes next, if this one did what it should."""
    step = report.as_json()["step"]
    if isinstance(report, StepReport) and report.data.get("accepted") is not None:
        step = "sample accepted" if report.data["accepted"] else "sample rejected"
    elif getattr(report, "went", True) is False:
        return  # it only explained: the screen has said how to do it
    elif isinstance(report, CompareReport) and not report.units:
        return
    if step in words.NEXT and report.exit_code == 0:
        sheet.blank()
        sheet.line(f"Next: {words.NEXT[step]}")


def _check(sheet: Sheet, report: CheckReport) -> None:
    _probes(sheet, "The clinic (AeronaClinic)", report.source)
    _probes(sheet, "The org (Salesforce)", report.destination)
    sheet.blank()
    if report.forecast:
        needs, took = report.forecast.get("requests", 0), report.forecast.get("hours", 0)
        sheet.line(f"Reading everything takes about {count(int(needs), 'request')} and {layout.hours(took)}.")
    sheet.line("Both sides are ready." if report.ok else "Put right what is marked NO, then run check again.")


def _probes(sheet: Sheet, title: str, probes: Sequence[Probe]) -> None:
    sheet.title(title)
    rows = []
    for probe in probes:
        said = probe.detail.replace(" keys", " fields") if probe.rows is not None else probe.detail
        has = probe.rows is not None and "fields" in said
        rows.append(("ok" if probe.ok else "NO", probe.name, f"{probe.rows:,} records, {said}" if has else said))
    sheet.table(("", "", ""), rows, "ttr")


def _extract(sheet: Sheet, report: ExtractReport) -> None:
    kind = {"full": "everything", "delta": "what changed", "nothing": "nothing, it is all here"}
    pages = f", in {count(report.pages, 'page')}" if report.pages else ""
    sheet.title(f"Extraction {report.extraction}: {kind.get(report.kind, report.kind)}{pages}")
    heads = ("", "here now", "new", "changed", "deleted at the clinic")
    rows = [(words.unit(e.entity), e.rows, e.new, e.changed, e.deleted) for e in report.entities if e.rows or e.arrived]
    sheet.table(heads, rows, "tffff")
    bent = {name: number for name, number in report.merged.items() if number}
    if bent:
        said = {"": "merged away", "cycle": "merged in a circle", "missing": "merged into one that is not there"}
        sheet.line("Patients " + ", ".join(f"{said.get(n, n)}: {k:,}" for n, k in bent.items()) + ".")
    if report.contents:
        sheet.line("Contents of documents " + ", ".join(f"{n}: {k:,}" for n, k in report.contents.items()) + ".")
    conflicts = sum(e.conflicts for e in report.entities)
    if conflicts:
        sheet.line(f"{count(conflicts, 'record')} arrived in two versions; the newer one is kept.")
    if not report.complete:
        sheet.line("Not complete: a listing has fewer rows than it promised. Run: chartlift extract --full")
    screen_profile.findings(sheet, report.findings)


def _estimate(sheet: Sheet, report: EstimateReport) -> None:
    sheet.title(f"Grade: {report.grade}")
    sheet.line(report.grade_text)
    rows = [(o.object, o.rows, o.batches, layout.size(o.storage_kb * 1000)) for o in report.objects]
    rows.append(("together", report.records, report.bulk_batches, layout.size(report.storage_kb * 1000)))
    sheet.title("What will be in Salesforce")
    sheet.table(("object", "records", "batches", "storage"), rows, "tfff")
    low, high = report.run_hours
    first, last = report.project_days
    sheet.title("What it takes")
    reading = f"{count(report.source_requests, 'request')} to the clinic, {layout.hours(report.source_hours)}"
    writing = f"{count(report.destination_requests, 'request')} to Salesforce, {layout.hours(report.load_hours)}"
    rows = [
        ("reading", reading),
        ("writing", writing),
        ("from first read to last change", f"{low:.0f} to {high:.0f} hours"),
        ("with sample and sign-offs", f"{first} to {last} working days"),
    ]
    sheet.table(("", ""), rows, "tr")
    sheet.title("Where things land")
    named = [(s.source, s.target, s.how) for s in report.table]
    sheet.table(("in the clinic", "in Salesforce", "how"), named, "ttr")
    screen_profile.findings(sheet, report.findings)


def _step(sheet: Sheet, report: StepReport) -> None:
    if report.kind == "people":
        _people(sheet, report)
        return
    if report.kind == "schema":
        _schema(sheet, report)
        return
    if report.kind == "finding":
        screen_profile.records(sheet, report)
        return
    if report.kind == "demo":
        screen_demo.put(sheet, report)
        return
    for number, line in enumerate(report.lines):
        sheet.line(line, 0 if number == 0 or report.kind != "propose" else 2)
    rows = [(m["key"], m["object"], m["id"], m["evidence"]) for m in report.data.get("matches", ())]
    if rows:
        sheet.table(("our record", "looks like", "Id", "because"), rows, "ktkr")
        sheet.blank()
        sheet.line("Decide: chartlift matches --all link, --all new, or --decide FILE.csv (columns key, choice)")
    kept = report.data.get("kept") or ()
    if kept and isinstance(kept[0], Mapping):
        screen_carry.kept(sheet, [(k["object"], k["key"], k["id"], k["reason"]) for k in kept])


def _people(sheet: Sheet, report: StepReport) -> None:
    found: Sequence[Mapping[str, Any]] = report.data.get("people", ())
    hows = {"email": "matched by e-mail", "decided": "decided", "fallback": "to the fallback User", "unmatched": "open"}
    sums = ", ".join(f"{sum(p['how'] == how for p in found)} {said}" for how, said in hows.items())
    sheet.title(f"{count(len(found), 'practitioner')}: {sums}")
    rows = [
        (p["source_id"], p["role"].lower(), hows[p["how"]], words.PEOPLE.get(p["why"], p["why"]))
        for p in sorted(found, key=lambda p: p["how"] != "unmatched")
        if p["how"] != "email"
    ]
    sheet.table(("id", "role", "now", "why not matched"), rows, "tttr")
    open_ones = report.data.get("unmatched", ())
    if not report.data.get("fallback"):
        sheet.blank()
        sheet.line("No fallback User yet. Name the active User who takes what nobody matches:")
        sheet.line("chartlift people --fallback EMAIL", 2)
    if open_ones:
        sheet.line("Or decide one by one, in a CSV with the columns source_id,user (an e-mail address, or fallback):")
        sheet.line("chartlift people --decide FILE.csv", 2)


def _schema(sheet: Sheet, report: StepReport) -> None:
    missing: Sequence[str] = report.data.get("missing", ())
    if not report.went:
        sheet.title(report.lines[0] if not missing else f"{count(len(missing), 'part')} the org does not have yet")
        _components(sheet, missing)
        sheet.blank()
        sheet.line("Nothing was changed. Do it: chartlift schema --go" if missing else f"Next: {words.NEXT['schema']}")
        return
    fields = [line.removeprefix("field ") for line in report.lines if line.startswith("field ")]
    others = [line for line in report.lines if not line.startswith("field ")]
    made = f"Deployed: {count(len(fields), 'field')} and {count(len(others), 'other part')}"
    sheet.title(made if report.lines else "The org had everything already.")
    _components(sheet, fields)
    for line in others:
        sheet.line(line, 2)
    if missing:
        sheet.title("Still missing, or hidden from the migration's User")
        _components(sheet, missing)
    if report.data.get("package"):
        sheet.line(f"Written as a package: {report.data['package']}")


def _components(sheet: Sheet, names: Sequence[str]) -> None:
    """`Object.Field` by object, everything else line by line."""
    fields: dict[str, list[str]] = {}
    for name in names:
        head, dot, field = name.partition(".")
        if dot and ": " not in name:
            fields.setdefault(head, []).append(field)
        else:
            sheet.line(name if ": " not in name else f"list values of {name}", 2)
    for head, mine in fields.items():
        sheet.line(f"{head}: {count(len(mine), 'field')}: {', '.join(mine)}", 2)

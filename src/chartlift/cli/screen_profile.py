"""The profile as text: what is in staging, its findings by gravity, and the records of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chartlift.cli import words
from chartlift.cli.layout import Sheet, count
from chartlift.model.outcomes import StepReport
from chartlift.model.reports import Finding, ProfileReport

MOST_RECORDS = 100
GRAVITIES = (  # of each kind so many lines; the rest is counted
    ("error", 12, "Rows that will be held, or lose a field, unless the clinic puts this right"),
    ("warning", 10, "Single fields that will be left empty, and things to look at"),
    ("note", 5, "Sent, and worth knowing"),
)


def put(sheet: Sheet, report: ProfileReport) -> None:
    """What there is, and what was found."""
    counted = [f"{words.unit(e.name)} {e.rows:,}" for e in report.entities if e.rows]
    sheet.title(f"Extraction {report.extraction}")
    sheet.line(", ".join(counted))
    findings(sheet, report.findings)
    if not report.findings:
        sheet.line("Nothing to complain about.")


def findings(sheet: Sheet, findings: Sequence[Finding]) -> None:
    """By gravity, the most frequent first; one line for a code however many fields have it."""
    for gravity, most, title in GRAVITIES:
        merged = _merged([f for f in findings if f.severity == gravity])
        if not merged:
            continue
        sheet.title(title)
        rows = [(number, code, f"{said}: {where}") for code, said, where, number in merged[:most]]
        sheet.table(("rows", "code", "what, and where"), rows, "ftr")
        left = merged[most:]
        if left:
            sheet.line(
                f"… and {count(len(left), 'more kind')}, {count(sum(m[3] for m in left), 'row')} (see --json)", 2
            )


def _merged(findings: Sequence[Finding]) -> list[tuple[str, str, str, int]]:
    """Code, text, fields, rows: findings of one code and text together."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.code, finding.text), []).append(finding)
    merged = []
    for (code, said), same in found.items():
        places = [f.entity.replace("+", ", ").split(", ")[0] + (" …" if "+" in f.entity else "") for f in same]
        where = ", ".join(dict.fromkeys(places))
        merged.append((code, said, where, sum(f.count for f in same)))
    return sorted(merged, key=lambda m: -m[3])


def records(sheet: Sheet, report: StepReport) -> None:
    """The records of a finding, pairs with their evidence."""
    found: Sequence[Mapping[str, Any]] = report.data["records"]
    sheet.title(f"{report.data['finding']}: {count(len(found), 'record')}")
    rows = [
        (r["key"], r["place"], " ".join(part for part in (r["other"], r["evidence"], r["value"]) if part))
        for r in found[:MOST_RECORDS]
    ]
    sheet.table(("record", "where", "evidence, or the form of the value"), rows, "ktr")
    if len(found) > MOST_RECORDS:
        sheet.line(f"… and {count(len(found) - MOST_RECORDS, 'more record')} (see --json)", 2)

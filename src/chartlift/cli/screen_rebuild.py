"""What has to be built anew, as text: counts, the sentence nobody may miss, and a check-list."""

from __future__ import annotations

from collections.abc import Mapping

from chartlift.cli import words
from chartlift.cli.layout import Sheet, count
from chartlift.model.rebuild import WARNING, RebuildReport

MOST_KEYS = 4
MOST_PLACES = 8


def put(sheet: Sheet, report: RebuildReport) -> None:
    """The whole report."""
    sheet.title("To be built anew: nothing of this moves")
    heads = ("practice", "paid by", "links", "collecting", "plans held", "care plans", "due")
    rows = [
        (
            c.practice,
            words.PROVIDERS.get(c.provider, c.provider.replace("_", " ").lower()),
            c.links,
            c.collecting,
            c.plans,
            c.care_plans,
            c.care_plans_due,
        )
        for c in report.counts
    ]
    sheet.table(heads, rows, "wwfffff")
    if not rows:
        sheet.line("The clinic has neither payment links nor plans.", 2)
    _loud(sheet, report)
    if report.problems:
        sheet.title("To look at, one by one")
        found = [(n, words.PROBLEMS.get(code, code) + _keys(report, code)) for code, n in report.problems.items()]
        sheet.table(("rows", "what, and for example"), found, "fr")
    _items(sheet, report)
    sheet.blank()
    if report.exported:
        sheet.line(
            f"{count(report.rows, 'line')} written to {report.exported}: patients' numbers and mandates, in the clear."
        )
    else:
        sheet.line("The list itself, outside of the workspace: chartlift rebuild --export FILE.csv (or .json)")


def _loud(sheet: Sheet, report: RebuildReport) -> None:
    if not report.collecting and not any(c.provider == "GOCARDLESS" for c in report.counts):
        return
    sheet.blank()
    sheet.line(f"{count(report.collecting, 'MANDATE', 'MANDATES')} STILL COLLECTING. {WARNING}")
    if report.cancelled_only:
        was = count(report.cancelled_only, "of them was", "of them were")
        sheet.line(f"{was} cancelled in Aerona only.")
    sheet.line("What Aerona shows may be old: read the state of each mandate from the provider before the cutover.")


def _keys(report: RebuildReport, code: str) -> str:
    keys = ", ".join(report.samples.get(code, ())[:MOST_KEYS])
    return f" ({keys})" if keys else ""


def _items(sheet: Sheet, report: RebuildReport) -> None:
    sheet.title("Check-list for each practice")
    rows = [("[ ]", f"{words.ITEMS[item.code]}{_use(item.use)}") for item in report.items]
    sheet.table(("", ""), rows, "tr")


def _use(use: Mapping[str, int]) -> str:
    """` (in use: Lagan Dental Care 33, …)`."""
    if not use:
        return ""
    told = [f"{name} {number:,}" for name, number in list(use.items())[:MOST_PLACES]]
    return f" (in use: {', '.join(told)}{', …' if len(use) > MOST_PLACES else ''})"

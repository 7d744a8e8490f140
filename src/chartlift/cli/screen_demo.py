"""The last screen of a demo: what became of each mapping, what is left to build anew, how fast it was, and the proof."""

from __future__ import annotations

from chartlift.cli import screen_overview
from chartlift.cli.layout import Sheet, count
from chartlift.model.outcomes import StepReport


def put(sheet: Sheet, report: StepReport) -> None:
    """The whole screen."""
    data = report.data
    screen_overview.mappings(sheet, data.get("mappings", ()))
    left = data.get("rebuild", {})
    if left.get("rows"):
        mandates = count(left["collecting"], "active mandate goes", "active mandates go")
        sheet.blank()
        sheet.line(
            f"To be built anew: {count(left['rows'], 'payment link and plan', 'payment links and plans')};"
            f" {mandates} on collecting unless somebody stops them (chartlift rebuild)."
        )
    sheet.title("How fast")
    rows = [(p["step"], p["rows"], f"{p['seconds']:.1f}", p["rows_per_s"], p["peak_mb"]) for p in data.get("pace", ())]
    sheet.table(("step", "rows", "seconds", "rows/s", "MB"), rows, "tffff")
    took = sum(data.get("seconds", {}).values())
    sheet.line(
        f"{took:.0f} seconds in all; chartlift itself took {data.get('peak_mb', 0):,} MB of memory at most"
        " (the sandbox is a process of its own)."
    )
    sheet.title("The proof")
    for line in report.lines:
        sheet.line(line)

"""Allergies, a line each; "No known allergies" only where that was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_note, truth
from chartlift.transforms.medical import cell, entry, local_day, read_items, section, texts
from chartlift.transforms.outcome import Outcome

TAKES = "list"
ARGUMENTS = 1
FINDINGS = TEXT_FINDINGS | {
    "R-JSON": "the medical items cannot be read",
    "R-REQ": "an item does not say what it is",
    "R-NKA": "no known allergies are recorded, and an active allergy is too",
    "R-NKA-UNREADABLE": "whether no allergies are known is neither true nor false",
    "R-DT": "the date of an item cannot be read, or is out of range, and was left out",
}


def reference(xs: Sequence[str | None], zone: str | None, *, today: date | None = None) -> Outcome:
    """`xs`: JSON list of allergies, and whether none are known. Line: substance, reaction, severity, day in `zone`."""
    none_known = truth(xs[1])
    if none_known is None and clean(xs[1]) is not None:
        return Outcome(None, "R-NKA-UNREADABLE", bad=True)
    items = read_items(xs[0])
    if items is None:
        return Outcome(None, "R-JSON", bad=True)
    entries, unread = [], False
    for item in items:
        recorded = cell(item.get("recordedAt"))
        day = local_day(recorded, zone, today)
        unread = unread or (day is None and clean(recorded) is not None)
        parts = [clean(cell(item.get(name))) for name in ("substance", "reaction", "severity")]
        entries.append(entry(item, day, parts[0], [*parts, day and f"recorded {day}"]))
    note = text_note(texts(items, ("substance", "reaction", "severity"))) or ("R-DT" if unread else None)
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    if not all(e.named for e in entries):
        return Outcome(None, "R-REQ", bad=True)
    if none_known and any(not e.late for e in entries):
        return Outcome(None, "R-NKA", bad=True)
    return Outcome("\n".join((["No known allergies"] if none_known else []) + section(entries)) or None, note)

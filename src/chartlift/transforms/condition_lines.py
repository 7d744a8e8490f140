"""Conditions and medications, a line each; an alert too long for its own field is the first line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chartlift.transforms.alert_text import ALERT_UNITS
from chartlift.transforms.canonical import TEXT_FINDINGS, clean, fits, text_note
from chartlift.transforms.medical import Entry, cell, entry, read_items, section, sortable, texts
from chartlift.transforms.outcome import Outcome

TAKES = "list"
FINDINGS = TEXT_FINDINGS | {
    "R-JSON": "the medical items cannot be read",
    "R-REQ": "an item does not say what it is",
}
_CONDITION = ("name", "since", "notes")
_MEDICATION = ("name", "dose", "since")


def _entries(items: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Entry]:
    made = []
    for item in items:
        parts = {name: clean(cell(item.get(name))) for name in names}
        made.append(entry(item, sortable(parts["since"]), parts["name"], list(parts.values())))
    return made


def reference(xs: Sequence[str | None]) -> Outcome:
    """`xs`: alert, JSON list of conditions (name, since, notes), JSON list of medications (name, dose, since)."""
    conditions, medications = read_items(xs[1]), read_items(xs[2])
    if conditions is None or medications is None:
        return Outcome(None, "R-JSON", bad=True)
    raw = (xs[0] or "", texts(conditions, _CONDITION), texts(medications, _MEDICATION))
    note = text_note("\n".join(raw))
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    ill, taken = _entries(conditions, _CONDITION), _entries(medications, _MEDICATION)
    if not all(e.named for e in (*ill, *taken)):
        return Outcome(None, "R-REQ", bad=True)
    alert = clean(xs[0])
    lines = [] if fits(alert, ALERT_UNITS) else [f"ALERT: {alert}"]
    lines += section(ill)
    if taken:
        lines += ["Medications:", *section(taken)]
    return Outcome("\n".join(lines) or None, note)

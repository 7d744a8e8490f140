"""The table of the mappings as text: one line a practice manager recognises, and below it why the rest did not go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chartlift.cli import words
from chartlift.cli.layout import Sheet, count

MOST = 3  # reasons of one line, of records and of fields each
FATES = {
    "hold": "held",
    "skip": "skipped",
    "failed": "refused",
    "removed": "removed",
    "missing": "missing",
    "withheld": "empty",
    "fallback": "fallback",
    "rebuild": "listed",
}
COLUMNS = (  # head, key, shown even if it is nought everywhere
    ("records", "source", True),
    ("moved", "sent", True),
    ("verified", "verified", True),
    ("empty", "withheld", True),
    ("held", "held", True),
    ("skipped", "skipped", True),
    ("refused", "failed", True),
    ("gone", "gone", False),
    ("listed", "listed", False),
)
Line = Mapping[str, Any]


def mappings(sheet: Sheet, lines: Sequence[Line]) -> None:
    """The table and its reasons; `lines` as in the JSON of a reconciliation."""
    if not lines:
        return
    sheet.title("What became of each mapping")
    shown = [(head, key) for head, key, always in COLUMNS if always or any(line[key] for line in lines)]
    rows = [(f"{n}. {line['title']}", *(line[key] for _, key in shown)) for n, line in enumerate(lines, start=1)]
    sheet.table(("clinic → Salesforce", *(head for head, _ in shown)), rows, "w" + "f" * len(shown))
    _why(sheet, lines)


def _why(sheet: Sheet, lines: Sequence[Line]) -> None:
    """Reasons by line, those of parents together, records before fields."""
    rows: list[tuple[object, ...]] = []
    for number, line in enumerate(lines, start=1):
        rows += [(f"{number}.", n, FATES.get(fate, fate), text) for fate, text, n in folded(line)]
    if rows:
        sheet.title("Why some stay or are left empty (by the numbers above)")
        sheet.table(("", "rows", "", "why"), rows, "tftr")


def folded(line: Line, most: int = MOST) -> list[tuple[str, str, int]]:
    """(fate, words, rows): own reasons, those of the records above together, and how many kinds are left out.

    Of a line of fields only what is wrong with these fields is told: the rest stands with the record itself.
    """
    told: list[tuple[str, str, int]] = []
    names = {name.partition(".")[2] for name in line.get("fields", ())}
    for fields in (False, True):
        mine = [r for r in line["reasons"] if (r["fate"] == "withheld") == fields]
        below = [r for r in mine if r["code"].startswith("parent:")]
        own = [
            (r["fate"], r["text"], r["rows"]) for r in mine if r not in below and (fields or _about(r["code"], names))
        ]
        own += _together([] if names else below, words.PARENT)
        own.sort(key=lambda r: -r[2])
        told += own[:most]
        left = own[most:]
        if left:
            fates = {r[0] for r in left}
            told.append((fates.pop() if len(fates) == 1 else "", _more(len(left)), sum(r[2] for r in left)))
    return told


def _more(number: int) -> str:
    return f"{count(number, 'more reason')} (see --json)"


def _about(code: str, names: set[str]) -> bool:
    return not names or code.rpartition("@")[2] in names


def _together(found: Sequence[Line], text: str) -> list[tuple[str, str, int]]:
    """One line for each fate."""
    fates = dict.fromkeys(r["fate"] for r in found)
    return [(fate, text, sum(r["rows"] for r in found if r["fate"] == fate)) for fate in fates]

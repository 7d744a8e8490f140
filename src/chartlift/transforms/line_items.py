"""The lines of an invoice as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chartlift.transforms import money
from chartlift.transforms.canonical import TEXT_FINDINGS, canonical_number, clean, text_note
from chartlift.transforms.outcome import Outcome

QUICK = True
ARGUMENTS = 2
FINDINGS = TEXT_FINDINGS
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
Texts = Sequence[str | None] | None


def _at(texts: Texts, place: int) -> str | None:
    return texts[place] if texts is not None and place < len(texts) else None


def _number(x: str | None) -> str | None:
    text = clean(x)
    return None if text is None else canonical_number(text)


def _with_pence(number: str) -> str:
    """A total as money is written: at least two decimals; what is no number stays."""
    if not _NUMBER.fullmatch(number):
        return number
    whole, _, part = number.partition(".")
    return f"{whole}.{part:0<2}"


def reference(x: Texts, counts: Texts, totals: Texts) -> Outcome:
    """`description x quantity = total` for each line of `x`; an empty part is left out with its sign."""
    raw = "\n".join(text for texts in (x, counts, totals) for text in texts or () if text is not None)
    note = text_note(raw)
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    lines = []
    for place, description in enumerate(x or ()):
        count, total = _at(counts, place), _at(totals, place)
        count, total = _number(count), money.reference(total).v or _number(total)
        parts = [clean(description), count and f"x {count}", total and f"= {_with_pence(total)}"]
        lines.append(" ".join(part for part in parts if part))
    return Outcome("\n".join(line for line in lines if line) or None, note)

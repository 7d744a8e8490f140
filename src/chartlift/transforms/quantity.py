"""How many: a number of at most two decimals."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from chartlift.transforms.canonical import clean, number_text
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {
    "R-NUMBER": "not a number, or one too large for its field",
    "R-NUMBER-DECIMALS": "more than two decimals",
}
_NUMBER = re.compile(r"[+-]?(\d{1,24}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_NOISE = Decimal("1e-9")
_BOUND = 1_000_000


def figure(x: str | None, bound: int) -> Outcome:
    """A plain number below `bound` with at most two decimals; noise below 1e-9 is rounded away."""
    text = clean(x)
    if text is None:
        return NOTHING
    if not _NUMBER.fullmatch(text):
        return Outcome(None, "R-NUMBER", bad=True)
    exact = Decimal(text)
    if abs(exact) >= bound:
        return Outcome(None, "R-NUMBER", bad=True)
    rounded = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if abs(rounded) >= bound:
        return Outcome(None, "R-NUMBER", bad=True)
    if abs(exact - rounded) >= _NOISE:
        return Outcome(None, "R-NUMBER-DECIMALS", bad=True)
    return Outcome(number_text(rounded))


def reference(x: str | None) -> Outcome:
    """Below a million, as in Number(8,2)."""
    return figure(x, _BOUND)

"""An amount with two decimals."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from chartlift.transforms.canonical import clean, number_text
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {
    "R-MONEY": "not an amount",
    "R-MONEY-RANGE": "an amount of 100,000,000,000,000 or more",
    "R-MONEY-DECIMALS": "more than two decimals",
    "R-MONEY-FORMAT": "written with a currency sign, thousands or brackets; read as a number",
}
_NUMBER = re.compile(r"[+-]?(\d{1,24}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_FIGURES = r"(\d{1,3}(?:,\d{3})+|\d{1,15})(\.\d+)?"
_WRITTEN = re.compile(rf"(?:(-)?[£€]? ?|[£€] ?(-)?|(-) ){_FIGURES}", re.ASCII)
_BRACKETS = re.compile(rf"\([£€]? ?{_FIGURES}\)", re.ASCII)
_NOISE = Decimal("1e-9")
_LIMIT = Decimal(10) ** 14


def _written(text: str) -> Decimal | None:
    """An amount as people write it."""
    if signed := _WRITTEN.fullmatch(text):
        negative, whole, part = any(signed.group(1, 2, 3)), signed[4], signed[5]
    elif brackets := _BRACKETS.fullmatch(text):
        negative, whole, part = True, brackets[1], brackets[2]
    else:
        return None
    return Decimal(whole.replace(",", "") + (part or "")) * (-1 if negative else 1)


def reference(x: str | None) -> Outcome:
    """A plain number out of a JSON token or out of what people write; noise below 1e-9 is rounded away."""
    text = clean(x)
    if text is None:
        return NOTHING
    note = None
    if _NUMBER.fullmatch(text):
        exact = Decimal(text)
    else:
        read = _written(text)
        if read is None:
            return Outcome(None, "R-MONEY", bad=True)
        exact, note = read, "R-MONEY-FORMAT"
    if abs(exact) >= _LIMIT:
        return Outcome(None, "R-MONEY-RANGE", bad=True)
    rounded = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if abs(exact - rounded) >= _NOISE:
        return Outcome(None, "R-MONEY-DECIMALS", bad=True)
    return Outcome(number_text(rounded), note)

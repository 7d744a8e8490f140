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


def reference(x: str | None) -> Outcome:
    """A plain number out of a JSON token or out of what people write; noise below 1e-9 is rounded away."""
    text = clean(x)
    if text is None:
        return NOTHING
    note = None
    if _NUMBER.fullmatch(text):
        exact = Decimal(text)
    elif (written := _WRITTEN.fullmatch(text)) or (brackets := _BRACKETS.fullmatch(text)):
        negative = bool(written and (written[1] or written[2] or written[3])) or not written
        figures = written.group(4, 5) if written else brackets.group(1, 2)
        exact = Decimal(figures[0].replace(",", "") + (figures[1] or "")) * (-1 if negative else 1)
        note = "R-MONEY-FORMAT"
    else:
        return Outcome(None, "R-MONEY", bad=True)
    if abs(exact) >= _LIMIT:
        return Outcome(None, "R-MONEY-RANGE", bad=True)
    rounded = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if abs(exact - rounded) >= _NOISE:
        return Outcome(None, "R-MONEY-DECIMALS", bad=True)
    return Outcome(number_text(rounded), note)

"""NHS number and its kin of ten digits (CHI in Scotland, H&C in Northern Ireland, IHI in Ireland): one check for all.

A number of nine digits has lost its leading zero in a spreadsheet if it passes with the zero before it.
"""

from __future__ import annotations

import re

from chartlift.transforms.canonical import clean
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {
    "R-NHS": "not a valid NHS, CHI, H&C or IHI number",
    "R-NHS-REPEATED": "one digit repeated",
    "R-NHS-PADDED": "nine digits; the lost leading zero was put back",
    "R-NHS-RANGE": "the number lies in no range that is given out, or in another one than declared",
}
_BREAKS = re.compile("[\\s\u00a0\u2009\u202f\u2010-\u2015-]", re.ASCII)
_WITH_ZERO, _WITHOUT_ZERO = 10, 9
_RANGES = (
    ("0100000000", "3112999999", "CHI"),
    ("3200000000", "3999999999", "H&C"),
    ("4000000000", "4999999999", "NHS"),
    ("6000000000", "7999999999", "NHS"),
    ("8000000000", "8599999999", "IHI"),
    ("9000000000", "9999999999", "NHS"),
)


def scheme(number: str) -> str | None:
    """Which of the four schemes gives out this number of ten digits."""
    return next((name for low, high, name in _RANGES if low <= number <= high), None)


def _valid(number: str) -> bool:
    total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), number, strict=False))
    check = 11 - total % 11
    return int(number[9]) == (0 if check == 11 else check)  # noqa: PLR2004 - the rule of the number


def reference(x: str | None) -> Outcome:
    """Ten digits."""
    text = clean(x)
    if text is None:
        return NOTHING
    digits = _BREAKS.sub("", text)
    if not (digits.isascii() and digits.isdigit() and len(digits) in {_WITH_ZERO, _WITHOUT_ZERO}):
        return Outcome(None, "R-NHS", bad=True)
    number = digits.zfill(_WITH_ZERO)
    if len(set(number)) == 1:
        return Outcome(None, "R-NHS-REPEATED", bad=True)
    if not _valid(number):
        return Outcome(None, "R-NHS", bad=True)
    if len(digits) == _WITHOUT_ZERO:
        return Outcome(number, "R-NHS-PADDED")
    return Outcome(number, None if scheme(number) else "R-NHS-RANGE")

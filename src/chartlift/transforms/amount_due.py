"""What is left to pay of an invoice."""

from __future__ import annotations

from decimal import Decimal

from chartlift.transforms import money
from chartlift.transforms.canonical import number_text
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import Outcome

QUICK = True
ARGUMENTS = 3
FINDINGS = money.FINDINGS | {"R-BAL": "the amounts of the invoice do not add up"}
_TOLERANCE = Decimal("0.01")
_LIMIT = Decimal(10) ** 14
_SETTLED = {"void", "writtenoff", "refunded"}


def reference(x: str | None, total: str | None, paid: str | None, status: str | None) -> Outcome:
    """`x`, else total less paid; nothing paid where that is blank. The two are compared unless the invoice is settled."""
    due, whole, part = (money.reference(text) for text in (x, total, paid))
    if due.bad or (due.v is None and whole.v is None):
        return due if due.bad else whole
    if part.bad or whole.v is None:
        return part if due.v is None else due
    left = Decimal(whole.v) - Decimal(part.v or 0)
    if due.v is not None:
        agrees = abs(Decimal(due.v) - left) <= _TOLERANCE or fold(status) in _SETTLED
        return due if agrees else Outcome(due.v, "R-BAL")
    return Outcome(None, "R-MONEY-RANGE", bad=True) if abs(left) >= _LIMIT else Outcome(number_text(left))

"""The total of an invoice, checked against its lines."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from chartlift.transforms import money, quantity
from chartlift.transforms.outcome import Outcome

QUICK = True
ARGUMENTS = 7
FINDINGS = (
    money.FINDINGS
    | quantity.FINDINGS
    | {
        "R-MONEY-CREDIT": "a negative total: a credit",
        "R-BAL": "the amounts of the invoice do not add up",
    }
)
_TOLERANCE = Decimal("0.01")
Texts = Sequence[str | None] | None


def _sums(counts: list[Outcome], prices: list[Outcome], totals: list[Outcome]) -> list[Decimal]:
    """What the lines add up to: quantity times price, and totals of lines; each only if a line has it."""
    products = [
        Decimal(count.v) * Decimal(price.v)
        for count, price in zip(counts, prices, strict=False)
        if count.v is not None and price.v is not None
    ]
    lines = [Decimal(total.v) for total in totals if total.v is not None]
    return [sum(amounts, Decimal(0)) for amounts in (products, lines) if amounts]


def reference(
    x: str | None,
    discount: str | None,
    paid: str | None,
    due: str | None,
    counts: Texts,
    prices: Texts,
    discounts: Texts,
    totals: Texts,
) -> Outcome:
    """`x` as an amount. Any amount of the invoice that cannot be read makes it unusable.

    The lines may add up to it gross or net of the invoice's discount; without lines there is no check.
    """
    header = [money.reference(amount) for amount in (x, discount, paid, due)]
    count = [quantity.reference(text) for text in counts or ()]
    price, off, total = ([money.reference(text) for text in texts or ()] for texts in (prices, discounts, totals))
    bad = next((outcome.note for outcome in (*header, *count, *price, *off, *total) if outcome.bad), None)
    if bad:
        return Outcome(None, bad, bad=True)
    answer = header[0]
    if answer.v is None:
        return answer
    amount = Decimal(answer.v)
    if amount < 0:
        return Outcome(answer.v, "R-MONEY-CREDIT")
    sums = _sums(count, price, total)
    offered = [made - less for made in sums for less in (Decimal(0), Decimal(header[1].v or 0))]
    if offered and all(abs(amount - made) > _TOLERANCE for made in offered):
        return Outcome(answer.v, "R-BAL")
    return answer

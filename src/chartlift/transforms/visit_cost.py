"""What a visit costs: its own cost, else what was done for the patient at it, net of discount."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from chartlift.transforms import money
from chartlift.transforms.canonical import clean, number_text
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import NOTHING, Outcome

QUICK = True
ARGUMENTS = 5
FINDINGS = money.FINDINGS
_LIMIT = Decimal(10) ** 14
Texts = Sequence[str | None] | None


def _at(texts: Texts, place: int) -> str | None:
    return texts[place] if texts is not None and place < len(texts) else None


def _net(cost: str | None, discount: str | None) -> Decimal | str | None:
    """Cost less discount; None where there is no cost; a finding code where one cannot be read."""
    price = money.reference(cost)
    if price.v is None:
        return price.note
    off = money.reference(discount)
    return off.note if off.bad else Decimal(price.v) - Decimal(off.v or 0)


def reference(
    x: str | None, owner: str | None, patients: Texts, statuses: Texts, costs: Texts, discounts: Texts
) -> Outcome:
    """`x` if it is filled, else the sum over the completed treatments of the visit that belong to `owner`."""
    if clean(x) is not None:
        return money.reference(x)
    amounts = []
    for place in range(len(costs or ())):
        mine = owner is not None and _at(patients, place) == owner
        if not mine or fold(_at(statuses, place)) != "completed":
            continue
        net = _net(_at(costs, place), _at(discounts, place))
        if isinstance(net, str):
            return Outcome(None, net, bad=True)
        amounts += [] if net is None else [net]
    if not amounts:
        return NOTHING
    total = sum(amounts, Decimal(0))
    return Outcome(None, "R-MONEY-RANGE", bad=True) if abs(total) >= _LIMIT else Outcome(number_text(total))

"""Whether the cost of a visit was added up from its treatments."""

from __future__ import annotations

from chartlift.transforms import visit_cost
from chartlift.transforms.canonical import clean
from chartlift.transforms.outcome import Outcome
from chartlift.transforms.visit_cost import Texts

QUICK = True
ARGUMENTS = 5
FINDINGS: dict[str, str] = {}


def reference(
    x: str | None, owner: str | None, patients: Texts, statuses: Texts, costs: Texts, discounts: Texts
) -> Outcome:
    """True where `x` is blank and `visit_cost` gives a value all the same."""
    if clean(x) is not None:
        return Outcome("false")
    derived = visit_cost.reference(None, owner, patients, statuses, costs, discounts)
    return Outcome("false" if derived.v is None else "true")

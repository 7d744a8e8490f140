"""A policy number, which should have an insurer beside it."""

from __future__ import annotations

from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_outcome
from chartlift.transforms.outcome import Outcome

ARGUMENTS = 1
FINDINGS = TEXT_FINDINGS | {"R-INSURANCE": "a policy number without an insurer"}


def reference(x: str | None, provider: str | None) -> Outcome:
    """The number as text."""
    answer = text_outcome(x)
    if answer.v and not answer.note and clean(provider) is None:
        return Outcome(answer.v, "R-INSURANCE")
    return answer

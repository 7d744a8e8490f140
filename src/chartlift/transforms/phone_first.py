"""The first usable of several telephone numbers."""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.transforms import phone
from chartlift.transforms.outcome import NOTHING, Outcome

KIND = "distinct"
TAKES = "list"
ARGUMENTS = 2
FINDINGS = phone.FINDINGS


def reference(xs: Sequence[str | None], practice_country: str | None, patient_country: str | None = None) -> Outcome:
    """E.164 of the first number in `xs` that can be used; unusable if there are numbers and none can."""
    answers = [phone.reference(x, practice_country, patient_country) for x in xs]
    usable = next((answer for answer in answers if answer.v is not None), None)
    return usable or next((answer for answer in answers if answer.bad), NOTHING)

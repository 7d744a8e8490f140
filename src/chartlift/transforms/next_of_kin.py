"""Whom to call: name, relationship and telephone number in one field."""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.transforms import phone
from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_note
from chartlift.transforms.outcome import Outcome

KIND = "distinct"
TAKES = "list"
ARGUMENTS = 2
FINDINGS = TEXT_FINDINGS | {"R-PHONE-RAW": "the telephone number is not a possible one; it stands as it is"}


def reference(xs: Sequence[str | None], practice_country: str | None, patient_country: str | None = None) -> Outcome:
    """`name; relationship; number`, empty parts left out; `xs` has these three."""
    note = text_note("\n".join(x for x in xs if x is not None))
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    name, relationship, number = (clean(x) for x in xs)
    called = phone.reference(number, practice_country, patient_country)
    if called.bad:
        note = note or "R-PHONE-RAW"
    parts = (name, relationship, called.v or number)
    return Outcome("; ".join(part for part in parts if part) or None, note)

"""Whom to call: name, relationship and telephone number in one field.

The number is judged by its form alone (no library): E.164 where it is plain, else as it stands, with a finding.
"""

from __future__ import annotations

from collections.abc import Sequence

from chartlift.transforms.canonical import TEXT_FINDINGS, clean, text_note
from chartlift.transforms.country import code
from chartlift.transforms.outcome import Outcome

TAKES = "list"
ARGUMENTS = 2
FINDINGS = TEXT_FINDINGS | {"R-PHONE-RAW": "the telephone number is not a plain one; it stands as it is"}
_BREAKS = str.maketrans("", "", " ().\u00a0-")
# country -> (trunk and start of the number, digits after the trunk, what goes before them)
_NATIONAL = {
    "GB": (("0", "123456789", (9, 10), "+44"), ("", "7", (10,), "+44")),
    "IE": (("048", "0123456789", (8,), "+4428"), ("0", "123456789", (7, 8, 9, 10), "+353"), ("", "8", (9,), "+353")),
}
_LEAST, _MOST = 8, 15


def _called(number: str, country: str | None) -> str | None:
    packed = number.replace("(0)", "").translate(_BREAKS)
    for prefix in ("+", "00"):
        digits = packed.removeprefix(prefix)
        if (
            digits != packed
            and digits.isascii()
            and digits.isdigit()
            and digits[0] != "0"
            and _LEAST <= len(digits) <= _MOST
        ):
            return f"+{digits}"
    for trunk, starts, lengths, before in _NATIONAL.get(country or "", ()):
        rest = packed.removeprefix(trunk)
        if (
            packed.startswith(trunk)
            and rest.isascii()
            and rest.isdigit()
            and rest[0] in starts
            and len(rest) in lengths
        ):
            return before + rest
    return None


def reference(xs: Sequence[str | None], practice_country: str | None, patient_country: str | None) -> Outcome:
    """`name; relationship; number`, empty parts left out; `xs` has these three."""
    note = text_note("\n".join(x for x in xs if x is not None))
    if note == "R-TEXT-SURROGATE":
        return Outcome(None, note, bad=True)
    name, relationship, number = (clean(x) for x in xs)
    called = _called(number, code(practice_country) or code(patient_country)) if number else None
    if number and not called:
        note = note or "R-PHONE-RAW"
    parts = (name, relationship, called or number)
    return Outcome("; ".join(part for part in parts if part) or None, note)

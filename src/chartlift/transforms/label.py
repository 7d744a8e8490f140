"""A code in words: CONSENT_FORM -> Consent Form."""

from __future__ import annotations

from chartlift.transforms.canonical import TEXT_FINDINGS, clean
from chartlift.transforms.outcome import NOTHING, Outcome
from chartlift.transforms.surrogates import MARK

FINDINGS = {"R-TEXT-SURROGATE": TEXT_FINDINGS["R-TEXT-SURROGATE"]}


def reference(x: str | None) -> Outcome:
    """Each word with its first letter in upper case, the rest in lower case.

    Codes are ASCII; what is not, is no code and stays as it is.
    """
    text = clean(x)
    if x is None or text is None:
        return NOTHING
    if MARK in x:
        return Outcome(None, "R-TEXT-SURROGATE", bad=True)
    if not x.isascii():
        return Outcome(text)
    words = [word for word in text.replace("_", " ").split(" ") if word]
    return Outcome(" ".join(word.capitalize() for word in words) or None)

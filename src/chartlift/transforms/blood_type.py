"""A blood group with its Rhesus sign, as the eight usual values or Unknown."""

from __future__ import annotations

import re

from chartlift.transforms.canonical import clean
from chartlift.transforms.outcome import NOTHING, Outcome

FINDINGS = {"R-PICK": "not one of A+ A- B+ B- AB+ AB- O+ O- Unknown"}
_SIGNS = {"+": "+", "POS": "+", "POSITIVE": "+", "+VE": "+", "-": "-", "NEG": "-", "NEGATIVE": "-", "-VE": "-"}
_TYPES = {
    group + word: group.replace("0", "O") + sign
    for group in ("A", "B", "AB", "O", "0")
    for word, sign in _SIGNS.items()
}
_UNKNOWN = {"UNKNOWN", "NOTKNOWN", "UNK", "NK"}
_DASHES = str.maketrans({"\u2212": "-", "\u2013": "-", "\uff0b": "+"})


def reference(x: str | None) -> Outcome:
    """A+, A-, B+, B-, AB+, AB-, O+, O- or Unknown."""
    text = clean(x)
    if text is None:
        return NOTHING
    words = re.sub(r"[ .,()_]|RHD|RH|GROUP|TYPE|BLOOD", "", text.upper().translate(_DASHES))
    if words in _UNKNOWN:
        return Outcome("Unknown")
    return Outcome(_TYPES[words]) if words in _TYPES else Outcome(None, "R-PICK", bad=True)

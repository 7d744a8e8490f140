"""Postcode of the United Kingdom or Eircode; what is neither is kept as it is, with a finding."""

from __future__ import annotations

import re

from chartlift.transforms import country as countries
from chartlift.transforms.canonical import TEXT_FINDINGS, clean
from chartlift.transforms.outcome import NOTHING, Outcome
from chartlift.transforms.surrogates import MARK

ARGUMENTS = 1
FINDINGS = {
    "R-POSTCODE": "no postcode of that country; kept as it is",
    "R-TEXT-SURROGATE": TEXT_FINDINGS["R-TEXT-SURROGATE"],
}
_OUTWARD = "[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]{1,2}|[0-9][A-HJKPSTUW]|[A-HK-Y][0-9][ABEHMNPRVWXY])"
_UK = re.compile(f"(GIR|{_OUTWARD})(0AA|[0-9][ABD-HJLNP-UW-Z]{{2}})")
_EIRCODE = re.compile("([AC-FHKNPRTV-Y][0-9]{2}|D6W)([0-9AC-FHKNPRTV-Y]{4})")


def reference(x: str | None, country: str | None) -> Outcome:
    """Upper case with one blank. Without a country either form will do; other countries' codes are not checked."""
    text = clean(x)
    if x is None or text is None:
        return NOTHING
    if MARK in x:
        return Outcome(None, "R-TEXT-SURROGATE", bad=True)
    code = countries.code(country)
    if code not in {None, "GB", "IE"}:
        return Outcome(text)
    packed = re.sub("[ \u00a0-]", "", text.upper())
    uk = _UK.fullmatch(packed)
    if code in {None, "GB"} and uk and (uk[1] != "GIR" or uk[2] == "0AA"):
        return Outcome(f"{uk[1]} {uk[2]}")
    if code in {None, "IE"} and (irish := _EIRCODE.fullmatch(packed)):
        return Outcome(f"{irish[1]} {irish[2]}")
    return Outcome(text, "R-POSTCODE")

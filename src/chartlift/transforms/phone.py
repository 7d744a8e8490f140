"""A telephone number by E.164, an extension behind it as ` x123`. Runs on distinct values: only a library knows all numbering plans."""

from __future__ import annotations

import re
from functools import lru_cache

from chartlift.transforms.canonical import clean
from chartlift.transforms.country import code
from chartlift.transforms.outcome import NOTHING, Outcome

KIND = "distinct"
ARGUMENTS = 2
FINDINGS = {
    "R-PHONE": "not a possible telephone number",
    "R-PHONE-NOT-VALID": "a possible number, but in no range that is given out",
}
# From the Republic, Northern Ireland is dialled 048 instead of 028: a prefix no numbering plan lists.
_CROSS_BORDER = re.compile(r"\(?048\)?[\s-]*(?=[\d\s-]{8,}$)", re.ASCII)
_MOST = 60


def reference(x: str | None, practice_country: str | None, patient_country: str | None = None) -> Outcome:
    """E.164. Numbers without a country belong to the practice's, else the patient's; without either they are not possible."""
    text = clean(x)
    if text is None:
        return NOTHING
    return parsed(text, code(practice_country) or code(patient_country))


@lru_cache(maxsize=65_536)
def parsed(text: str, region: str | None) -> Outcome:
    """E.164 of a canonical text dialled from `region` (two letters)."""
    import phonenumbers

    if len(text) > _MOST:
        return Outcome(None, "R-PHONE", bad=True)
    if region == "IE":
        text = _CROSS_BORDER.sub("+4428", text)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return Outcome(None, "R-PHONE", bad=True)
    if not phonenumbers.is_possible_number(number):
        return Outcome(None, "R-PHONE", bad=True)
    note = None if phonenumbers.is_valid_number(number) else "R-PHONE-NOT-VALID"
    extension = f" x{number.extension}" if number.extension else ""
    return Outcome(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + extension, note)

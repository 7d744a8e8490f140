"""A telephone number by E.164, an extension behind it as ` x123`.

Runs on distinct values: only a library knows all numbering plans. It takes a tenth of a millisecond for a number, so
numbers of the two home countries in their usual writing are judged by the same plans without it (`usual`), thirty times
as fast; a test holds both against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

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
_USUAL = re.compile(r"(\+|00)?[0-9][0-9 -]{6,18}[0-9]", re.ASCII)
_BREAKS = str.maketrans("", "", " -")
_LONGEST = 60
# country -> calling code, lengths of its national numbers that are settled here, regions that share the code
_HOME = {"GB": ("44", (9, 10), ("GB", "GG", "IM", "JE")), "IE": ("353", (7, 8, 9, 10), ("IE",))}
_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


def reference(x: str | None, practice_country: str | None, patient_country: str | None = None) -> Outcome:
    """E.164. A number without a country code belongs to the practice's country, else to the patient's."""
    text = clean(x)
    if text is None:
        return NOTHING
    region = code(practice_country) or code(patient_country)
    if region == "IE":
        text = _CROSS_BORDER.sub("+4428", text)
    return usual(text, region) or by_library(text, region)


def usual(text: str, region: str | None) -> Outcome | None:
    """A number of the home countries, given as digits with blanks or dashes; None for everything else."""
    found = _USUAL.fullmatch(text)
    if not found:
        return None
    digits = text.translate(_BREAKS)
    if found[1] == "00" and region not in _HOME:
        return None
    if found[1]:
        abroad = digits.removeprefix(found[1])
        country = next((c for c, (calling, _, _) in _HOME.items() if abroad.startswith(calling)), None)
        national = abroad.removeprefix(_HOME[country][0]) if country else ""
    else:
        country, national = (region, digits[1:]) if region in _HOME and digits[0] == "0" else (None, "")
    if country is None:
        return None
    calling, lengths, _ = _HOME[country]
    if national.startswith("0") or len(national) not in lengths:
        return None
    return Outcome(f"+{calling}{national}", None if _given_out(country)(national) else "R-PHONE-NOT-VALID")


@cache
def _given_out(country: str) -> Callable[[str], bool]:
    """Whether a national number lies in a range of the plans that share the country's calling code."""
    from phonenumbers import PhoneMetadata

    plans: dict[int, list[re.Pattern[str]]] = {}
    _, lengths, regions = _HOME[country]
    for region in regions:
        plan = PhoneMetadata.metadata_for_region(region)
        if plan is None or plan.general_desc is None:
            continue
        general = plan.general_desc.national_number_pattern
        for length in lengths:
            kinds = (getattr(plan, kind) for kind in _KINDS)
            patterns = [
                f"(?:{kind.national_number_pattern})"
                for kind in kinds
                if kind
                and kind.national_number_pattern
                and (not kind.possible_length or length in kind.possible_length)
            ]
            if patterns:
                plans.setdefault(length, []).append(re.compile(f"(?=(?:{general})$)(?:{'|'.join(patterns)})"))
    return lambda national: any(pattern.fullmatch(national) for pattern in plans.get(len(national), ()))


@lru_cache(maxsize=65_536)
def by_library(text: str, region: str | None) -> Outcome:
    """E.164 of a canonical text dialled from `region` (two letters)."""
    import phonenumbers

    if len(text) > _LONGEST:
        return Outcome(None, "R-PHONE", bad=True)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return Outcome(None, "R-PHONE", bad=True)
    if not phonenumbers.is_possible_number(number):
        return Outcome(None, "R-PHONE", bad=True)
    note = None if phonenumbers.is_valid_number(number) else "R-PHONE-NOT-VALID"
    extension = f" x{number.extension}" if number.extension else ""
    return Outcome(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + extension, note)

"""State and Country picklists: text and code of an address agree and come from the list.

The list is short: the countries of a clinic's patients, and states where the platform ships some. UK counties are no
states there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.schema import PicklistValue, SObject

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

COUNTRIES = {
    "AU": "Australia", "AT": "Austria", "BE": "Belgium", "BR": "Brazil", "BG": "Bulgaria", "CA": "Canada",
    "CN": "China", "HR": "Croatia", "CY": "Cyprus", "CZ": "Czech Republic", "DK": "Denmark", "EE": "Estonia",
    "FI": "Finland", "FR": "France", "DE": "Germany", "GI": "Gibraltar", "GR": "Greece", "GG": "Guernsey",
    "HK": "Hong Kong", "HU": "Hungary", "IS": "Iceland", "IN": "India", "IE": "Ireland", "IM": "Isle of Man",
    "IL": "Israel", "IT": "Italy", "JP": "Japan", "JE": "Jersey", "LV": "Latvia", "LT": "Lithuania",
    "LU": "Luxembourg", "MT": "Malta", "MX": "Mexico", "NL": "Netherlands", "NZ": "New Zealand", "NG": "Nigeria",
    "NO": "Norway", "PK": "Pakistan", "PL": "Poland", "PT": "Portugal", "RO": "Romania", "SK": "Slovakia",
    "SI": "Slovenia", "ZA": "South Africa", "ES": "Spain", "SE": "Sweden", "CH": "Switzerland", "TR": "Turkey",
    "UA": "Ukraine", "AE": "United Arab Emirates", "GB": "United Kingdom", "US": "United States",
}  # fmt: skip
STATES = {
    "NSW": "New South Wales", "QLD": "Queensland", "SA": "South Australia", "TAS": "Tasmania", "VIC": "Victoria",
    "ON": "Ontario", "QC": "Quebec", "BC": "British Columbia", "AB": "Alberta", "CW": "Carlow", "CE": "Clare",
    "CO": "Cork", "D": "Dublin", "G": "Galway", "KY": "Kerry", "KE": "Kildare", "LK": "Limerick", "MH": "Meath",
    "WX": "Wexford", "WW": "Wicklow", "CA": "California", "FL": "Florida", "IL": "Illinois", "MA": "Massachusetts",
    "NY": "New York", "PA": "Pennsylvania", "TX": "Texas", "WA": "Washington",
}  # fmt: skip
CODE = "FIELD_INTEGRITY_EXCEPTION"
_PARTS = {"Country": COUNTRIES, "State": STATES}


def prefixes(sobject: SObject) -> list[str]:
    """`Mailing`, `Other` … for the addresses of an object."""
    names = [f.name.removesuffix("Address") for f in sobject.fields.values() if f.type == "address"]
    return [name for name in names if name + "State" in sobject.fields and name + "Country" in sobject.fields]


def country_values() -> tuple[PicklistValue, ...]:
    """Entries of the country code fields."""
    return tuple(PicklistValue(code, label) for code, label in COUNTRIES.items())


def state_values() -> tuple[PicklistValue, ...]:
    """Entries of the state code fields."""
    return tuple(PicklistValue(code, label) for code, label in STATES.items())


def agree(call: Call, staged: dict[str, pa.Array]) -> None:
    """Fill text from code and code from text; refuse texts that are not on the list."""
    if not call.org.settings.state_country_picklists:
        return
    for prefix in prefixes(call.sobject):
        for part, known in _PARTS.items():
            _agree(call, staged, prefix + part, known)


def _agree(call: Call, staged: dict[str, pa.Array], name: str, known: dict[str, str]) -> None:
    labels, codes = pa.array(known.values()), pa.array(known)
    text, code = staged.get(name), staged.get(f"{name}Code")
    if text is not None:
        lowered = pc.utf8_lower(text)
        place = pc.coalesce(
            pc.index_in(lowered, value_set=pc.utf8_lower(labels)), pc.index_in(lowered, value_set=pc.utf8_lower(codes))
        )
        word = "country" if known is COUNTRIES else "state"
        message = (
            f"There's a problem with this {word}, even though it may appear correct. "
            f"Please select a {word} from the list of valid {'countries' if known is COUNTRIES else 'states'}."
        )
        call.failures.add(pc.and_(pc.is_valid(text), pc.is_null(place)), CODE, message, name)
        staged[name], found = labels.take(place), codes.take(place)
        code = found if code is None else pc.coalesce(code, found)
    if code is not None:
        staged[f"{name}Code"] = code
        staged[name] = labels.take(pc.index_in(code, value_set=codes))

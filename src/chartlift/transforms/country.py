"""A country by its ISO name; what is unknown stays as it is."""

from __future__ import annotations

from functools import cache, lru_cache

from chartlift.transforms.canonical import TEXT_FINDINGS, clean
from chartlift.transforms.fold import fold
from chartlift.transforms.outcome import NOTHING, Outcome
from chartlift.transforms.surrogates import MARK

FINDINGS = {
    "R-COUNTRY": "not a country of ISO 3166; kept as it is",
    "R-TEXT-SURROGATE": TEXT_FINDINGS["R-TEXT-SURROGATE"],
}


@cache
def _codes() -> dict[str, str]:
    import pycountry

    codes = {"uk": "GB"}
    for land in pycountry.countries:
        names = (fold(land.name), land.alpha_3.lower(), land.alpha_2.lower())
        codes.update({name: land.alpha_2 for name in names if name})
    return codes


@lru_cache(maxsize=1_024)
def code(x: str | None) -> str | None:
    """Two letters out of two, three or the name."""
    return _codes().get(fold(x) or "")


def reference(x: str | None) -> Outcome:
    """The ISO name."""
    import pycountry

    text = clean(x)
    if x is None or text is None:
        return NOTHING
    if MARK in x:
        return Outcome(None, "R-TEXT-SURROGATE", bad=True)
    land = pycountry.countries.get(alpha_2=code(x) or "--")
    return Outcome(land.name) if land else Outcome(text, "R-COUNTRY")

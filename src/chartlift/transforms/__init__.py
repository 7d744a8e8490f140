"""Kinds of value: one pair NAME.sql (a DuckDB macro) and NAME.py (plain-Python reference, findings) for each.

A transform module says `reference`, `FINDINGS` and, where they differ from the usual, `TAKES` ("list"), `ARGUMENTS`
(how many), `KIND` ("distinct", "parts") and `UNMAPPED` (the finding of a value that a value map does not know). Files
without a reference (canonical, fold, days) hold what the macros share.
Empty and blank values are no value: v NULL, not bad. A value that cannot be used has v NULL, bad true and a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module, resources
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from chartlift.transforms.canonical import canonical, canonical_macro, clean, fits, kind_of, text_sha256, truth, units
from chartlift.transforms.days import last_day
from chartlift.transforms.fold import fold, slug
from chartlift.transforms.outcome import Outcome, Transform
from chartlift.transforms.parts import cut
from chartlift.transforms.surrogates import MARK, mark_surrogates, surrogates
from chartlift.transforms.zones import ZoneRange, zone_macros, zone_ranges

__all__ = [
    "HOME_ZONES",
    "MARK",
    "Outcome",
    "Transform",
    "ZoneRange",
    "canonical",
    "canonical_macro",
    "clean",
    "cut",
    "findings",
    "fits",
    "fold",
    "install",
    "kind_of",
    "load",
    "mark_surrogates",
    "slug",
    "surrogates",
    "text_sha256",
    "truth",
    "units",
    "zone_ranges",
]

_SHARED = ("canonical", "fold", "days")
# A macro can only name macros that exist: these stand before those that use them.
_FIRST = (
    "country",
    "instant",
    "integer",
    "nhs_number",
    "opt_out",
    "medical",
    "money",
    "quantity",
    "code_text",
    "file_name",
    "visit_cost",
)
HOME_ZONES = ("Europe/London", "Europe/Dublin")
_FIRST_YEAR = 1949  # a year earlier than dates may be, as zones are ahead of UTC
_YEARS_AHEAD = 11
_OWN_FINDINGS = {
    "R-KEY": "the id is missing or not one",
    "R-REQ": "a required value is missing",
    "R-DT": "the date or time cannot be read, or is out of range",
    "R-LEN": "longer than the field in the org",
    "R-LONG": "longer than a long text field in the org, and there is no place to cut it",
    "R-REF": "the record it points to is not there",
    "R-NHS-DUP": "two living patients have this number; it is withheld on both until a person decides",
    "R-PICK": "a value of the source that has no confirmed value in the org",
    "R-PLAN": "a payment plan is held until a person signs it off",
    "R-USER-EMAIL": "the practitioner has no User of their own in the org that a person has confirmed",
}


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")


@cache
def _names() -> tuple[str, ...]:
    """All files of this room that belong to transforms, without suffix."""
    here = resources.files(__name__)
    not_pairs = {"__init__", "canonical", "outcome", "surrogates", "fold", "days", "zones", "medical"}
    not_pairs |= {"markup", "parts", "rtf"}
    return tuple(sorted({p.name[:-3] for p in here.iterdir() if p.name.endswith(".py")} - not_pairs))


@cache
def load() -> Mapping[str, Transform]:
    """All transforms by name."""
    found = {}
    for name in _names():
        module = _module(name)
        found[name] = Transform(
            name=name,
            kind=getattr(module, "KIND", "macro"),
            takes=getattr(module, "TAKES", "one"),
            arguments=getattr(module, "ARGUMENTS", 0),
            findings=dict(module.FINDINGS),
            reference=module.reference,
            quick=bool(getattr(module, "QUICK", False)),
            unmapped=getattr(module, "UNMAPPED", "R-PICK"),
        )
    return found


@cache
def findings() -> Mapping[str, str]:
    """Code -> what it says to a person, over all transforms and the rules of loading."""
    texts = dict(_OWN_FINDINGS)
    for transform in load().values():
        texts = {**transform.findings, **texts}
    return texts


@cache
def _script() -> tuple[str, ...]:
    """The text of all .sql files in the order in which they can be made."""
    here = resources.files(__name__)
    stems = sorted(p.name[:-4] for p in here.iterdir() if p.name.endswith(".sql"))
    ordered = [*_SHARED, *(name for name in _FIRST if name in stems)]
    ordered += [name for name in stems if name not in ordered]
    return tuple(here.joinpath(f"{name}.sql").read_text(encoding="utf-8") for name in ordered)


@cache
def _ranges(zone: str, last_year: int) -> tuple[ZoneRange, ...]:
    try:
        return tuple(zone_ranges(zone, _FIRST_YEAR, last_year))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ()


def install(
    sql: Any,
    zones: Iterable[str] | Mapping[str, Iterable[tuple[str, str, str, str, int]]] = HOME_ZONES,
    *,
    today: date | None = None,
) -> None:
    """Make all macros in a DuckDB connection (or replace them).

    `zones`: IANA names (1950 to ten years from now), or the ranges of each zone as `zone_ranges` gives them. Wall times
    of any other zone are refused (R-DT-ZONE), outside the given years too (R-DT-RANGE). `today`: the end of birth
    dates, and ten years before the end of all other dates; by default the day it is in UTC.
    """
    now = today or datetime.now(UTC).date()
    if not isinstance(zones, Mapping):
        zones = {zone: _ranges(zone, now.year + _YEARS_AHEAD) for zone in zones}
    given = [
        f"CREATE OR REPLACE MACRO today_utc() AS '{now.isoformat()}'",
        f"CREATE OR REPLACE MACRO last_day() AS '{last_day(now).isoformat()}'",
        *zone_macros({zone: rows for zone, rows in zones.items() if rows}),
    ]
    sql.execute(";\n".join([*given, *_script()]))

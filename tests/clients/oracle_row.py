"""A record that is expected, and the value maps a clinic starts with (clinic side folded, org side as written)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import oracle_values as values
from oracle_values import Hold, Withhold, folded

SALUTATIONS = {
    "mr": "Mr.", "mrs": "Mrs.", "ms": "Ms.", "dr": "Dr.", "prof": "Prof.",
    "miss": "Miss", "mx": "Mx", "master": "Master", "rev": "Rev",
}  # fmt: skip
STATUSES = {
    "Pending": ("pending",),
    "Confirmed": ("confirmed",),
    "Arrived": ("arrived", "waiting", "checkedin"),
    "In Surgery": ("insurgery", "inchair"),
    "Complete": ("complete", "completed", "finished", "done", "seen"),
    "Cancelled": ("cancelled", "cxl", "canc", "cancelledbypt", "cancelledbypractice"),
    "No Show": ("dna", "fta", "failedtoattend", "didnotattend", "dnad", "noshow"),
    "Rescheduled": ("rescheduled", "moved", "rebooked"),
    "Late Cancellation": ("latecancel", "latecancellation"),
    "Unable To Attend": ("uta", "unabletoattend"),
}
LEAD_SOURCES = {
    "Word of mouth": ("friendfamily", "patient", "wordofmouth"),
    "External Referral": ("dentistreferral", "gpreferral", "externalreferral"),
    "Employee Referral": ("staff", "employeereferral"),
    "Web": ("googleorganic", "website", "web"),
    "Advertisement": ("googleads", "facebookinstagram", "leaflet", "radio", "advertisement"),
    "Walk-in": ("walkin", "passing", "walkinpassing"),
    "Other": ("other",),
}
CURRENCIES = {"GBP": ("gbp",), "EUR": ("eur",)}
BLOOD = ("A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-", "Unknown")


@dataclass
class Row:
    """One record: its fate (send, hold or skip), the class of the reason, its values, and the fields withheld."""

    fate: str = "send"
    reason: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, make: Callable[..., Any], *given: Any) -> None:
        """Sets a field to ``make(*given)``; what must not be sent is empty at the org."""
        try:
            self.fields[name] = make(*given)
        except Withhold as reason:
            self.fields[name] = None
            self.withheld[name] = str(reason)

    def stop(self, fate: str, reason: str) -> "Row":
        """Keeps the row at home."""
        self.fate, self.reason = fate, reason
        return self


def required(value: str | None) -> str:
    """A value without which the row cannot exist."""
    if value is None:
        raise Hold("R-REQ")
    return value


def fitting(raw: Any, limit: int) -> str | None:
    """Text too important to be left out: a row whose text does not fit is held."""
    try:
        return values.limited(raw, limit)
    except Withhold as reason:
        raise Hold(str(reason)) from None


def mapped(raw: Any, table: Mapping[str, tuple[str, ...]]) -> str | None:
    """The target of a source word by its folded spelling."""
    word = values.text(raw)
    if word is None:
        return None
    for target, spellings in table.items():
        if folded(word) in spellings:
            return target
    raise Withhold("R-PICK")


def currency(raw: Any) -> str | None:
    """A currency that the org knows."""
    try:
        return mapped(raw, CURRENCIES)
    except Withhold:
        raise Withhold("R-CUR") from None

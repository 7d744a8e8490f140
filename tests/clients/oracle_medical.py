"""The two medical texts of a Contact, line by line, from a patient's embedded items."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from oracle_values import Hold, Withhold, instant, text, units

Record = dict[str, Any]
LIMIT = 32_768


def _within(value: str) -> str | None:
    if units(value) > LIMIT:
        raise Hold("R-LONG")
    return value or None


def _blocks(items: list[Record], line: Callable[[Record], tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Lines of active and of inactive items, by date then id, undated last."""
    groups: tuple[list[Any], list[Any]] = ([], [])
    for item in items:
        when, words = line(item)
        groups[1 if item["active"] is False else 0].append((when == "", when, item["medicalItemId"], words))
    active, inactive = ([row[3] for row in sorted(group)] for group in groups)
    return active, (["Inactive:", *inactive] if inactive else [])


def _joined(parts: list[str | None]) -> str:
    return " — ".join(part for part in parts if part)


def allergies(patient: Record, zone: ZoneInfo, last: Any) -> str | None:
    """Contact.Allergies__c."""

    def line(item: Record) -> tuple[str, str]:
        substance = text(item["substance"])
        if substance is None:
            raise Hold("R-REQ")
        try:
            moment = instant(item["recordedAt"], last, zone)
        except Withhold:
            moment = None
        day = moment.astimezone(zone).date().isoformat() if moment else ""
        recorded = f"recorded {day}" if day else None
        return day, _joined([substance, text(item["reaction"]), text(item["severity"]), recorded])

    active, inactive = _blocks(patient["allergies"] or [], line)
    if patient["noKnownAllergies"] is True:
        if active:
            raise Hold("R-ALLERGY")
        active = ["No known allergies"]
    return _within("\n".join(active + inactive))


def conditions(patient: Record, alert: str | None) -> str | None:
    """Contact.Medical_Conditions__c; ``alert`` heads it where the alert field is too short for it."""

    def line(item: Record, *parts: str) -> tuple[str, str]:
        words = [text(item[part]) for part in parts]
        if words[0] is None:
            raise Hold("R-REQ")
        return text(item["since"]) or "", _joined(words)

    found, former = _blocks(patient["medicalConditions"] or [], lambda item: line(item, "name", "since", "notes"))
    taken, stopped = _blocks(patient["medications"] or [], lambda item: line(item, "name", "dose", "since"))
    head = [f"ALERT: {alert}"] if alert else []
    drugs = ["Medications:", *taken, *stopped] if taken or stopped else []
    return _within("\n".join(head + found + former + drugs))

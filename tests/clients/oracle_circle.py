"""What a Contact learns from beside the patient: the household, the care plan and the next recall."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

import oracle_values as values
from clinic_wire import Record
from oracle_row import Row, mapped
from oracle_values import Hold, Withhold

METHODS = {"Email": ("email",), "SMS": ("sms",), "Letter": ("letter",), "Phone": ("phone",), "None": ("none",)}
EXAMINATION = "DENTAL_EXAM"
LONG_AGO = date(1950, 1, 1)


def by_patient(
    rows: dict[int, Record], survivor: Callable[[int], int | None], wanted: str
) -> dict[int | None, list[Record]]:
    """Rows of a status by the patient who now stands for theirs, lowest id first."""
    found: dict[int | None, list[Record]] = {}
    for _, row in sorted(rows.items()):
        if row["status"] == wanted:
            try:
                found.setdefault(survivor(row["patientId"]), []).append(row)
            except Hold:
                continue
    return found


def _dated(rows: Iterable[Record], column: str, last: date) -> list[tuple[date, Record]]:
    found = []
    for row in rows:
        try:
            when = values.day(row[column], LONG_AGO, last)
        except Withhold:
            continue
        if when is not None:
            found.append((when, row))
    return found


def latest(rows: list[Record], column: str, last: date) -> Record:
    """The row with the latest day, else the first; of several the one with the lowest id."""
    found = sorted(_dated(rows, column, last), key=lambda pair: (-pair[0].toordinal(), _number(pair[1])))
    return found[0][1] if found else next(iter(rows), {})


def earliest(rows: list[Record], column: str, last: date) -> Record:
    """The row with the earliest day, else the first; of several the one with the lowest id."""
    found = sorted(_dated(rows, column, last), key=lambda pair: (pair[0], _number(pair[1])))
    return found[0][1] if found else next(iter(rows), {})


def _number(row: Record) -> int:
    return row.get("membershipId") or row.get("recallId") or 0


def fill_plan(row: Row, plans: list[Record], last: date) -> None:
    """The care plan fields of a Contact, from the patient's active memberships."""
    plan = latest(plans, "startDate", last)
    one = plan.get("membershipId")
    row.fields["Care_Plan_Reference__c"] = None if one is None else str(one)
    row.put("Care_Plan__c", values.limited, plan.get("planName"), 80)
    row.put("Care_Plan_Billing__c", values.limited, plan.get("billing"), 40)
    row.put("Care_Plan_Monthly_Fee__c", values.money, plan.get("monthlyAmount"))
    row.put("Care_Plan_Start__c", values.day, plan.get("startDate"), LONG_AGO, last)
    row.put("Care_Plan_End__c", values.day, plan.get("endDate"), LONG_AGO, last)
    row.put("Care_Plan_Status__c", values.label, plan.get("status"), ("ACTIVE", "LAPSED", "CANCELLED"))


def fill_recall(row: Row, recalls: list[Record], last: date) -> None:
    """The recall fields of a Contact, from the patient's recalls that are due."""
    due = earliest(recalls, "dueOn", last)
    examinations = [recall for recall in recalls if recall["recallType"] == EXAMINATION]
    examination = earliest(examinations, "dueOn", last)
    row.put("Next_Recall_Date__c", values.day, due.get("dueOn"), LONG_AGO, last)
    row.put("Recall_Method__c", mapped, due.get("method"), METHODS)
    row.put("Recall_Interval_Months__c", _months, examination.get("intervalMonths"))


def _months(raw: object) -> Decimal | None:
    return values.number(raw, 3, 0)


def fill_household(row: Row, household: Record | None) -> None:
    """The household fields of a Contact; the head is a patient's id until it is linked."""
    found = household or {}
    row.put("Household_Name__c", values.limited, found.get("name"), 255)
    row.fields["Household_Head__c"] = found.get("headPatientId")

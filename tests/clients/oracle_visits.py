"""What the org should hold of the clinic's appointments."""

import re
from decimal import Decimal
from typing import Any

import oracle_values as values
from clinic_wire import Record
from oracle import Oracle
from oracle_children import Children, location, owner
from oracle_row import STATUSES, Row, currency, fitting, mapped
from oracle_values import Hold, Withhold, folded

LIMIT = 32_768
DAY_MINUTES = 1440


def completed(oracle: Oracle) -> dict[int, list[Record]]:
    """The completed treatments of each visit; a treatment of another patient does not count."""
    found: dict[int, list[Record]] = {}
    for one, treatment in oracle.data.rows["treatment"].items():
        visit = oracle.data.rows["appointment"].get(treatment["appointmentId"])
        if (
            visit is None
            or ("treatment", one) in oracle.data.deleted
            or owner(oracle, visit) != owner(oracle, treatment)
        ):
            continue
        if folded(str(treatment["status"])) == "completed":
            found.setdefault(treatment["appointmentId"], []).append(treatment)
    return found


class Visits(Children):
    """The expected Appointment__c records; ``point`` adds the visits they were moved to."""

    entity, code = "appointment", "APT"

    def __init__(self, oracle: Oracle) -> None:
        self._costs = completed(oracle)
        super().__init__(oracle)

    def _fill(self, row: Row, record: Record) -> None:
        self._fill_plan(row, record)
        self._fill_course(row, record)

    def point(self) -> None:
        """Fills the lookup to the visit it was moved to; one that was moved to another patient's visit is held."""
        self._hold_strangers([("rescheduledToAppointmentId", "appointment")])
        self._point("Rescheduled_To__c", "rescheduledToAppointmentId", self.rows, self.key)

    def _fill_plan(self, row: Row, visit: Record) -> None:
        oracle, fields = self._oracle, row.fields
        zone = oracle.zone_of(visit["practiceId"])
        row.put("Location__c", location, oracle, visit["practiceId"])
        self._carer(row, visit)
        kind = self._data.rows["appointmentType"].get(visit["appointmentTypeId"])
        row.put("Appointment_Type__c", values.limited, kind["name"] if kind else visit["appointmentType"], 255)
        try:
            fields["Appointment_Date_Time__c"] = values.instant(visit["appointmentTime"], oracle.last, zone)
        except Withhold as reason:
            raise Hold(str(reason)) from None
        if fields["Appointment_Date_Time__c"] is None:
            raise Hold("R-DT")
        row.put("Duration_Minutes__c", self._minutes, visit["duration"])
        row.put("Surgery__c", values.limited, visit["surgery"], 80)
        fields["Emergency__c"] = visit["emergency"] is True
        row.put("Booking_Origin__c", values.limited, visit["origin"], 40)
        row.put("Booked_By__c", oracle.colleague, visit["createdByUserId"])
        row.put("Original_Create_Date__c", values.instant, visit["createdAt"], oracle.last, zone)

    def _fill_course(self, row: Row, visit: Record) -> None:
        oracle, fields = self._oracle, row.fields
        zone = oracle.zone_of(visit["practiceId"])
        fields["Status__c"] = self._status(visit)
        listed = self._data.rows["appointmentStatus"].get(visit["appointmentStatusId"])
        typed = values.text(visit["appointmentStatus"])
        row.put("Source_Status__c", values.limited, typed or (listed["name"] if listed else None), 80)
        fields["Notes__c"] = fitting(visit["appointmentNotes"], LIMIT)
        row.put("Cancellation_Reason__c", values.limited, visit["cancellationReason"], 255)
        row.put("Arrived_At__c", values.instant, visit["arrivedAt"], oracle.last, zone)
        row.put("Completed_At__c", values.instant, visit["completedAt"], oracle.last, zone)
        treated = self._costs.get(visit["appointmentId"], [])
        derived = values.text(visit["cost"]) is None and bool(treated)
        row.put("Cost__c", *((net, treated) if derived else (values.money, visit["cost"])))
        fields["Cost_Derived__c"] = derived and fields["Cost__c"] is not None
        row.put("Currency_Code__c", currency, visit["currency"])

    def _minutes(self, raw: Any) -> Decimal | None:
        written = values.text(raw)
        if written is None:
            return None
        if not re.fullmatch(r"[0-9]+(\.0+)?", written) or not 0 < Decimal(written) <= DAY_MINUTES:
            raise Withhold("R-DURATION")
        return Decimal(written)

    def _status(self, visit: Record) -> str:
        """The id decides wherever there is one; an id on no list is as good as an unknown word."""
        one = visit["appointmentStatusId"]
        listed = self._data.rows["appointmentStatus"].get(one, {"code": str(one)})
        try:
            found = mapped(visit["appointmentStatus"] if one is None else listed["code"], STATUSES)
        except Withhold as reason:
            raise Hold(str(reason)) from None
        if found is None:
            raise Hold("R-PICK")
        return found


def net(treatments: list[Record]) -> Decimal | None:
    """What treatments cost after discount; nothing is known where none has a cost, or one that cannot be read."""
    known = [(values.money(one["cost"]), values.money(one["discount"])) for one in treatments]
    amounts = [cost - (discount or 0) for cost, discount in known if cost is not None]
    return sum(amounts, Decimal()) if amounts else None

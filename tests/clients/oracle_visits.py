"""What the org should hold of the clinic's appointments."""

import re
from decimal import Decimal
from typing import Any

import oracle_values as values
from clinic_wire import Record
from oracle import Oracle, link
from oracle_row import CURRENCIES, STATUSES, Row, fitting, mapped
from oracle_values import Hold, Withhold

LIMIT = 32_768
DAY_MINUTES = 1440


class Visits:
    """The expected Appointment__c records by key, beside the Contacts and Accounts of ``oracle``.

    A cost the diary does not know is the sum of the visit's treatments, where treatments travel.
    """

    def __init__(self, oracle: Oracle, *, with_treatments: bool) -> None:
        self._oracle, self._data = oracle, oracle.data
        self._costs = self._treated() if with_treatments else {}
        self.rows = {oracle.key("APT", one): self._row(row) for one, row in self._data.rows["appointment"].items()}
        link(self.rows, "Rescheduled_To__c", lambda one: oracle.key("APT", one))
        self._hold_strangers()

    def _treated(self) -> dict[int, list[Decimal]]:
        """Net amounts of the completed treatments of each visit; a treatment of another patient does not count."""
        found: dict[int, list[Decimal]] = {}
        visits = self._data.rows["appointment"]
        for one, treatment in self._data.rows["treatment"].items():
            visit = visits.get(treatment["appointmentId"])
            if visit is None or ("treatment", one) in self._data.deleted or treatment["status"] != "COMPLETED":
                continue
            if self._owner(visit) != self._owner(treatment):
                continue
            net = Decimal(treatment["cost"] or 0) - Decimal(treatment["discount"] or 0)
            found.setdefault(treatment["appointmentId"], []).append(net)
        return found

    def _owner(self, record: Record) -> int | None:
        try:
            return self._oracle.survivor(record["patientId"])
        except Hold:
            return record["patientId"]

    def _row(self, visit: Record) -> Row:
        row, one = Row(), visit["appointmentId"]
        if ("appointment", one) in self._data.deleted:
            return row.stop("skip", "R-DELETED")
        try:
            if visit["patientId"] is None:
                return row.stop("hold", "R-REQ")
            patient = self._oracle.survivor(visit["patientId"])
            if ("patient", patient) in self._data.deleted:
                return row.stop("skip", "R-DELETED")
            contact = self._oracle.key("PAT", patient)
            if self._oracle.contacts[contact].fate != "send" or ("appointment", one) in self._data.conflicts:
                return row.stop("hold", "PARENT")
            row.fields["ContactId__c"] = contact
            self._fill_plan(row, visit)
            self._fill_course(row, visit)
        except Hold as reason:
            return row.stop("hold", str(reason))
        return row

    def _fill_plan(self, row: Row, visit: Record) -> None:
        oracle, fields = self._oracle, row.fields
        zone = oracle.zone_of(visit["practiceId"])
        row.put("Location__c", self._location, visit["practiceId"])
        fields["Practitioner__c"] = oracle.practitioner(visit["userId"])
        fields["OwnerId"] = fields["Practitioner__c"] or oracle.fallback
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
        fields["Rescheduled_To__c"] = visit["rescheduledToAppointmentId"]
        row.put("Arrived_At__c", values.instant, visit["arrivedAt"], oracle.last, zone)
        row.put("Completed_At__c", values.instant, visit["completedAt"], oracle.last, zone)
        treated = self._costs.get(visit["appointmentId"], [])
        derived = visit["cost"] is None and bool(treated)
        row.put("Cost__c", values.money, sum(treated) if derived else visit["cost"])
        fields["Cost_Derived__c"] = derived
        row.put("Currency_Code__c", mapped, visit["currency"], CURRENCIES)

    def _location(self, practice: int | None) -> str | None:
        if practice is None:
            return None
        key = self._oracle.key("PRA", practice)
        if key not in self._oracle.accounts or self._oracle.accounts[key].fate != "send":
            raise Withhold("R-REF")
        return key

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

    def _hold_strangers(self) -> None:
        """A visit that was moved to another patient's visit is held; one that moved to nobody's only loses the link."""
        for one, visit in self._data.rows["appointment"].items():
            row = self.rows[self._oracle.key("APT", one)]
            later = self._data.rows["appointment"].get(visit["rescheduledToAppointmentId"])
            if row.fate != "send" or later is None or self._owner(later) == self._owner(visit):
                continue
            if later["patientId"] in self._data.rows["patient"]:
                row.stop("hold", "R-REF")

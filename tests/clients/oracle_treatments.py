"""What the org should hold of the clinic's treatments, each with what its course says."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import oracle_values as values
from clinic_wire import ClinicData, Record
from oracle import Oracle
from oracle_children import Children, location, owner
from oracle_row import Row, currency, fitting, mapped, required
from oracle_teeth import surfaces, tooth
from oracle_values import Hold, Withhold

LIMIT = 32_768
SCHEMES = {
    "NHS": ("nhs",),
    "Private": ("private",),
    "Plan": ("plan",),
    "PRSI": ("prsidtbs", "prsi"),
    "DTSS": ("hsedtss", "dtss"),
}
BANDS = {
    "1": ("1",),
    "2": ("2",),
    "2a": ("2a",),
    "2b": ("2b",),
    "2c": ("2c",),
    "3": ("3",),
    "Urgent": ("urgent", "u"),
    "N/A": ("na",),
}
CODE_SYSTEMS = {
    "Practice": ("practice",),
    "NHS CDS": ("nhscds",),
    "SDR": ("sdr",),
    "DTSS": ("dtss",),
    "DTBS": ("dtbs",),
    "Private": ("private",),
}
STATES = {
    "Planned": ("planned",),
    "In Progress": ("inprogress",),
    "Completed": ("completed",),
    "Cancelled": ("cancelled",),
    "Referred": ("referred",),
}
COURSE_STATES = {"Open": ("open",), "Completed": ("completed",), "Abandoned": ("abandoned",)}
NO_COURSE: Record = dict.fromkeys(
    [
        "name",
        "scheme",
        "nhsBand",
        "uda",
        "startedOn",
        "acceptedOn",
        "completedOn",
        "status",
        "claimReference",
        "claimStatus",
    ]
)


def status_of(raw: object, table: Mapping[str, tuple[str, ...]]) -> str:
    """A status, without which a row is held."""
    try:
        found = mapped(raw, table)
    except Withhold as reason:
        raise Hold(str(reason)) from None
    if found is None:
        raise Hold("R-PICK")
    return found


def price(raw: object) -> Decimal | None:
    """An amount: with too many decimals it is withheld, one that nobody can read holds the row."""
    try:
        return values.money(raw)
    except Withhold as reason:
        if str(reason) == values.UNREADABLE:
            raise Hold("R-MONEY") from None
        raise


def carriers(data: ClinicData) -> dict[int, int]:
    """The treatment of each course that carries its UDA: the lowest id the clinic still has."""
    found: dict[int, int] = {}
    for one, record in data.rows["treatment"].items():
        course = record["courseId"]
        if course is not None and ("treatment", one) not in data.deleted:
            found[course] = min(one, found.get(course, one))
    return found


class Treatments(Children):
    """The expected Treatment__c records; ``point`` adds the visits once those are known."""

    entity, code = "treatment", "TRT"

    def __init__(self, oracle: Oracle) -> None:
        self._carriers = carriers(oracle.data)
        super().__init__(oracle)

    def _fill(self, row: Row, record: Record) -> None:
        course = self._data.rows["course"].get(record["courseId"])
        if course is not None and owner(self._oracle, course) != owner(self._oracle, record):
            raise Hold("R-REF")
        self._carer(row, record)
        self._fill_work(row, record)
        self._fill_money(row, record)
        self._fill_course(row, record, course or NO_COURSE)

    def _fill_work(self, row: Row, record: Record) -> None:
        oracle, zone = self._oracle, self._oracle.zone_of(record["practiceId"])
        row.put("Location__c", location, oracle, record["practiceId"])
        row.put("Treatment_Name__c", lambda: required(fitting(record["name"], 255)))
        row.put("Procedure_Code__c", values.limited, (values.text(record["procedureCode"]) or "").upper(), 40)
        row.put("Code_System__c", mapped, record["codeSystem"], CODE_SYSTEMS)
        row.fields["Tooth_Number__c"] = tooth(record["tooth"], record["toothNotation"], record["quadrant"])
        written = [values.text(record["tooth"]), values.text(record["toothNotation"])]
        row.put("Source_Tooth__c", values.limited, " ".join(filter(None, written)) if written[0] else None, 40)
        row.fields["Tooth_Surface__c"] = surfaces(record["surfaces"])
        row.fields["Status__c"] = status_of(record["status"], STATES)
        done = "plannedOn" if values.text(record["completedOn"]) is None else "completedOn"
        row.put("Planned_Date__c", self._day, record["plannedOn"])
        row.put("Treatment_Date__c", self._day, record[done])
        row.fields["Notes__c"] = fitting(record["notes"], LIMIT)
        row.put("Original_Create_Date__c", values.instant, record["createdAt"], oracle.last, zone)

    def _fill_money(self, row: Row, record: Record) -> None:
        row.put("Cost__c", price, record["cost"])
        row.put("Discount__c", price, record["discount"])
        row.put("Currency_Code__c", currency, record["currency"])

    def _fill_course(self, row: Row, record: Record, course: Record) -> None:
        one = record["courseId"]
        row.fields["Course_Reference__c"] = None if one is None else str(one)
        row.put("Course_Name__c", values.limited, course["name"], 255)
        row.put("Scheme__c", mapped, values.text(record["scheme"]) or course["scheme"], SCHEMES)
        row.put("NHS_Band__c", mapped, values.text(record["nhsBand"]) or course["nhsBand"], BANDS)
        row.put("UDA_Value__c", self._uda, record, course)
        row.put("Course_Start__c", self._day, course["startedOn"])
        row.put("Course_Accepted__c", self._day, course["acceptedOn"])
        row.put("Course_Completed__c", self._day, course["completedOn"])
        row.put("Course_Status__c", mapped, course["status"], COURSE_STATES)
        row.put("Claim_Reference__c", values.limited, course["claimReference"], 64)
        row.put("Claim_Status__c", values.limited, course["claimStatus"], 40)

    def _uda(self, record: Record, course: Record) -> Decimal | None:
        one = record["courseId"]
        if one is None:
            return values.number(record["uda"], 4, 2)
        return values.number(course["uda"], 4, 2) if self._carriers.get(one) == record["treatmentId"] else None

    def _day(self, raw: object) -> date | None:
        return values.day(raw, date(1950, 1, 1), self._oracle.last)

    def point(self, visits: dict[str, Row]) -> None:
        """Fills the lookup to the visits; a treatment at another patient's visit is held."""
        self._hold_strangers([("appointmentId", "appointment")])
        self._point("AppointmentId__c", "appointmentId", visits, lambda one: self._oracle.key("APT", one))

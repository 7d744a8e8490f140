"""The sandbox's list of planted defects in the terms of the org: which field each one takes, and what it is called."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import oracle_values as values
from clinic_wire import ClinicData, Record
from journey import TENANT
from oracle_row import LEAD_SOURCES, Row, mapped

OBJECTS = {
    "patient": ("Contact", "PAT"),
    "appointment": ("Appointment__c", "APT"),
    "treatment": ("Treatment__c", "TRT"),
    "clinicalNote": ("Clinical_Note__c", "NOT"),
    "document": ("Document__c", "DOC"),
    "invoice": ("Invoice__c", "INV"),
    "invoiceLine": ("Invoice_Line__c", "ILN"),
    "paymentPlan": ("Payment_Plan__c", "PLN"),
}
BESIDE = frozenset(("coursesOfTreatment", "carePlanMembership", "household", "recall"))
# what a column of the clinic fills, where a planted defect may keep it from being sent
TARGETS: dict[tuple[str, str], tuple[str, ...]] = {
    ("patient", "nhsNumber"): ("NHS_Number__c", "Health_Number_Type__c"),
    ("patient", "dateOfBirth"): ("Birthdate",),
    ("patient", "email"): ("Email",),
    ("patient", "homePhone"): ("HomePhone",),
    ("patient", "mobilePhone"): ("MobilePhone",),
    ("patient", "workPhone"): ("OtherPhone",),
    ("patient", "firstName"): ("FirstName",),
    ("patient", "addressLine1"): ("MailingStreet",),
    ("patient", "town"): ("MailingCity",),
    ("patient", "title"): ("Salutation",),
    ("patient", "gender"): ("Gender__c",),
    ("patient", "bloodType"): ("Blood_Type__c",),
    ("patient", "referralSource"): ("LeadSource",),
    ("patient", "referralSourceId"): ("LeadSource",),
    ("patient", "marketingConsent"): ("Marketing_Consent__c",),
    ("patient", "marketingConsentAt"): ("Marketing_Consent_Date__c",),
    ("patient", "privacyNoticeAcceptedAt"): ("Privacy_Notice_Date__c",),
    ("patient", "medicalHistoryReviewedAt"): ("Medical_History_Reviewed__c",),
    ("patient", "medicalAlertText"): ("Medical_Alert__c",),
    ("patient", "preferredHygienistUserId"): ("Hygienist__c",),
    ("patient", "referredByPatientId"): ("Referred_By__c",),
    ("patient", "guardianPatientId"): ("Guardian__c",),
    # off unless somebody switches it on: no field at all
    ("patient", "ppsNumber"): (),
    ("appointment", "arrivedAt"): ("Arrived_At__c",),
    ("appointment", "createdAt"): ("Original_Create_Date__c",),
    ("appointment", "cancellationReason"): ("Cancellation_Reason__c",),
    ("appointment", "cost"): ("Cost__c",),
    ("appointment", "practiceId"): ("Location__c",),
    ("appointment", "rescheduledToAppointmentId"): ("Rescheduled_To__c",),
    ("appointment", "createdByUserId"): ("Booked_By__c",),
    ("treatment", "appointmentId"): ("AppointmentId__c",),
    ("treatment", "practiceId"): ("Location__c",),
    ("treatment", "procedureCode"): ("Procedure_Code__c",),
    ("treatment", "cost"): ("Cost__c",),
    ("treatment", "discount"): ("Discount__c",),
    ("treatment", "scheme"): ("Scheme__c",),
    ("treatment", "plannedOn"): ("Planned_Date__c",),
    ("treatment", "completedOn"): ("Treatment_Date__c",),
    ("coursesOfTreatment", "name"): ("Course_Name__c",),
    ("coursesOfTreatment", "startedOn"): ("Course_Start__c",),
    ("coursesOfTreatment", "acceptedOn"): ("Course_Accepted__c",),
    ("coursesOfTreatment", "completedOn"): ("Course_Completed__c",),
    ("coursesOfTreatment", "status"): ("Course_Status__c",),
    ("coursesOfTreatment", "claimReference"): ("Claim_Reference__c",),
    ("coursesOfTreatment", "claimStatus"): ("Claim_Status__c",),
    ("coursesOfTreatment", "uda"): ("UDA_Value__c",),
    ("clinicalNote", "appointmentId"): ("AppointmentId__c",),
    ("clinicalNote", "treatmentId"): ("TreatmentId__c",),
    ("clinicalNote", "amendsNoteId"): ("Amends__c",),
    ("document", "category"): ("Category__c",),
    ("document", "externalReference"): ("External_Reference__c",),
    ("document", "uploadedAt"): ("Upload_Date__c", "Original_Create_Date__c"),
    ("invoice", "invoiceNumber"): ("Invoice_Number__c",),
    ("invoice", "practiceId"): ("Location__c",),
    ("invoice", "invoiceDate"): ("Invoice_Date__c",),
    ("invoice", "dueDate"): ("Due_Date__c",),
    # the lines lose the link, not the invoice
    ("invoice", "lineItems"): (),
    ("invoiceLine", "description"): ("Description__c",),
    ("invoiceLine", "treatmentId"): ("TreatmentId__c",),
    ("carePlanMembership", "planName"): ("Care_Plan__c",),
    ("carePlanMembership", "endDate"): ("Care_Plan_End__c",),
    ("carePlanMembership", "monthlyAmount"): ("Care_Plan_Monthly_Fee__c",),
    ("household", "headPatientId"): ("Household_Head__c",),
    ("recall", "dueOn"): ("Next_Recall_Date__c",),
}
WEIGHT = {"send": 0, "hold": 1, "skip": 2}
# reasons that the clinic's rule book and the product name differently
SAME = {
    "merged": "R-REF",
    "R-MERGED": "R-REF",
    "merged_cycle": "R-REF",
    "merged_missing": "R-REF",
    "source_deleted": "R-DELETED",
    "empty": "R-EMPTY",
    "R-LEN": "R-LONG",
    "R-NKA": "R-ALLERGY",
    "R-DOB": "R-DT",
    "R-NUMBER": "R-MONEY",
    "R-DURATION": "R-MONEY",
}


def family(reason: str) -> str:
    """The class of a reason: what follows a parent's fate is one class, a finer name belongs to the coarser one."""
    if reason.startswith("parent:") or reason == "R-REF@ContactId__c":
        return "PARENT"
    code, _, where = reason.partition("@")
    if code == "R-REQ" and re.search("Status__c|Note_Type__c", where):
        return "R-PICK"
    if code == "R-REQ" and where == "Appointment_Date_Time__c":
        return "R-DT"
    code = SAME.get(code, code)
    known = sorted((rule for rule in RULES if code == rule or code.startswith(f"{rule}-")), key=len)
    return SAME.get(known[-1], known[-1]) if known else code


RULES = frozenset(
    [
        "R-ALLERGY",
        "R-CONSENT",
        "R-CUR",
        "R-DELETED",
        "R-DOB",
        "R-DT",
        "R-DURATION",
        "R-EMAIL",
        "R-EMPTY",
        "R-KEY",
        "R-LEN",
        "R-LONG",
        "R-MERGED",
        "R-MONEY",
        "R-NHS",
        "R-NHS-DUP",
        "R-NUMBER",
        "R-PHONE",
        "R-PICK",
        "R-PLAN",
        "R-REF",
        "R-REQ",
        "R-SURF",
        "R-TEXT",
        "R-TOOTH",
        "R-USER-EMAIL",
    ]
)


class Foreseen:
    """What the list of defects says about each record of a clinic, by object and key."""

    def __init__(self, planted: Iterable[dict[str, Any]], clinic: ClinicData) -> None:
        self.fates: dict[str, dict[str, str]] = defaultdict(dict)
        self.reasons: dict[str, set[str]] = defaultdict(set)
        self._withheld: dict[tuple[str, Any], dict[str, str]] = defaultdict(dict)
        self._unmatched: set[int] = set()
        self._clinic = clinic
        for defect in planted:
            self._take(defect)
        # no plan moves before somebody has signed it off, whatever else is wrong with it
        for one in clinic.rows["paymentPlan"]:
            self._stay(f"{TENANT}-PLN-{one}", "Payment_Plan__c", "hold", "R-PLAN")
        self._new_sources = {one for one, source in clinic.rows["referralSource"].items() if not _usual(source["name"])}
        self._works = ids_by(clinic.rows["treatment"], "appointmentId")
        self._carriers = {course: min(works) for course, works in ids_by(alive(clinic), "courseId").items()}
        self._plans = ids_by(clinic.rows["carePlanMembership"], "patientId")
        self._recalls = ids_by(clinic.rows["recall"], "patientId")

    def _take(self, defect: dict[str, Any]) -> None:
        entity, one = defect["entity"], defect["id"]
        if entity == "user" and defect["row"] == "unmatched":
            self._unmatched.add(one)
        if entity in OBJECTS:
            object_name, code = OBJECTS[entity]
            self._stay(f"{TENANT}-{code}-{one}", object_name, defect["row"], _rule(defect))
        if entity in OBJECTS.keys() | BESIDE and defect["fate"] == "withheld":
            for name in TARGETS[entity, defect["field"]]:
                self._withheld[entity, one][name] = family(defect["rule"])

    def _stay(self, key: str, object_name: str, row: str, rule: str) -> None:
        fates = self.fates[object_name]
        fates[key] = max(fates.get(key, "send"), row, key=WEIGHT.__getitem__)
        if row != "send":
            # a record without its patient is a stranger at every visit it names
            self.reasons[key] |= {family(rule), *(["R-REF"] if rule == "PARENT" else [])}

    def withheld(self, entity: str, one: Any, record: Record) -> dict[str, str]:
        """The fields a record should go without: what was planted in it, and what follows from defects elsewhere."""
        fields = dict(self._withheld[entity, one])
        for column, name in (("preferredHygienistUserId", "Hygienist__c"), ("createdByUserId", "Booked_By__c")):
            if record.get(column) in self._unmatched:
                fields[name] = "R-USER-EMAIL"
        beside = {"patient": self._person, "appointment": self._visit, "treatment": self._work}.get(entity)
        return fields | (beside(one, record) if beside else {})

    def _person(self, one: int, record: Record) -> dict[str, str]:
        fields = dict(self._withheld["household", record["householdId"]])
        numbers = {"mobilePhone": "MobilePhone", "homePhone": "HomePhone", "workPhone": "OtherPhone"}
        unread = [name for name in numbers.values() if name in self._withheld["patient", one]]
        if unread and len(unread) == sum(values.text(record[column]) is not None for column in numbers):
            fields["Phone"] = "R-PHONE"
        # a value of the clinic's own list that the org does not have waits for a person
        if record["referralSourceId"] in self._new_sources:
            fields["LeadSource"] = "R-PICK"
        plans, recalls = self._clinic.rows["carePlanMembership"], self._clinic.rows["recall"]
        active = [plan for plan in self._plans.get(one, []) if plans[plan]["status"] == "ACTIVE"]
        if active:
            fields |= self._withheld["carePlanMembership", max(active, key=lambda plan: plans[plan]["startDate"])]
        due = [recall for recall in self._recalls.get(one, []) if recalls[recall]["status"] == "DUE"]
        if due and all(self._withheld["recall", recall] for recall in due):
            fields |= self._withheld["recall", due[0]]
        return fields

    def _visit(self, one: int, record: Record) -> dict[str, str]:
        """The price of a visit cannot be summed from a price that nobody can read."""
        works = self._works.get(one, []) if values.text(record["cost"]) is None else []
        planted = [self._withheld["treatment", work] for work in works]
        return {"Cost__c": "R-MONEY"} if any({"Cost__c", "Discount__c"} & set(fields) for fields in planted) else {}

    def _work(self, one: int, record: Record) -> dict[str, str]:
        fields = dict(self._withheld["coursesOfTreatment", record["courseId"]])
        if self._carriers.get(record["courseId"]) != one:
            fields.pop("UDA_Value__c", None)
        return fields


def _rule(defect: dict[str, Any]) -> str:
    """The rule of a defect; that a record has no patient to follow, or follows a deleted one, has a name of its own."""
    if defect["row"] == "skip" and defect["rule"] == "PARENT":
        return "R-DELETED"
    if defect["row"] == "hold" and defect["field"] == "patientId" and defect["rule"] == "R-REF":
        return "PARENT"
    return defect["rule"]


def _usual(source: str) -> bool:
    try:
        return mapped(source, LEAD_SOURCES) is not None
    except values.Withhold:
        return False


def alive(clinic: ClinicData) -> dict[int, Record]:
    """The treatments that the clinic has not deleted."""
    return {one: row for one, row in clinic.rows["treatment"].items() if ("treatment", one) not in clinic.deleted}


def ids_by(rows: dict[int, Record], column: str) -> dict[Any, list[int]]:
    """The ids of rows by what they have in a column."""
    found: dict[Any, list[int]] = defaultdict(list)
    for one, row in rows.items():
        found[row[column]].append(one)
    return found


def withheld_for(field: str, reason: str) -> str:
    """The class of the reason a field is withheld for; an address that is too long is no address."""
    return "R-EMAIL" if field == "Email" else family(reason)


def withheld_fields(row: Row) -> dict[str, str]:
    """The fields an expected record goes without, with the class of each reason."""
    return {name: family(reason) for name, reason in row.withheld.items()}

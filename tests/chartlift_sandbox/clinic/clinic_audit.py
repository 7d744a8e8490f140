"""Reads a served clinic as a careful migration would, with rules written here anew: what stays behind, what is left out.

`Audit.rows` maps an entity to {id: hold | skip} of the rows that do not move; `Audit.lost` is the set of (entity, id,
field) left out of rows that do.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

Row = dict[str, Any]
PATHS = {
    "patient": ("/patients", "patientId"),
    "appointment": ("/appointments", "appointmentId"),
    "treatment": ("/treatments", "treatmentId"),
    "coursesOfTreatment": ("/coursesOfTreatment", "courseId"),
    "clinicalNote": ("/clinicalNotes", "noteId"),
    "document": ("/documents", "documentId"),
    "invoice": ("/invoices", "invoiceId"),
    "payment": ("/payments", "paymentId"),
    "paymentPlan": ("/paymentPlans", "paymentPlanId"),
    "carePlanMembership": ("/carePlanMemberships", "membershipId"),
    "recall": ("/recalls", "recallId"),
    "household": ("/households", "householdId"),
    "paymentLink": ("/paymentProviders", "providerLinkId"),
}
LIMIT = 32_768
_FDI, _PALMER = re.compile(r"[1-4][1-8]|[5-8][1-5]"), re.compile(r"(U|L)(R|L)([1-8]|[A-E])")
_WHOLE_MOUTH = {"FM", "UA", "LA", "U/A", "L/A"}
_SURFACES = re.compile(r"[MODBLIPF]*")
_LONE = re.compile("[\ud800-\udfff]")
STATES = {"planned", "inprogress", "completed", "cancelled", "referred"}
SCHEMES = {"nhs", "private", "plan", "prsidtbs", "hsedtss"}
KINDS = {"clinicalfinding", "medicalhistoryupdate", "prescription", "photoreference", "admin"}
CATEGORIES = {"idscan", "consentform", "treatmentplan", "radiographreference", "letter", "photo", "other"}
PAYMENT_STATES = {"unpaid", "partpaid", "paid", "writtenoff", "refunded", "void"}


def folded(text: object) -> str:
    return re.sub(r"[\W_]", "", str(text or "").lower())


def units(text: str) -> int:
    clean = text.replace("\r\n", "\n").strip().replace("\n", "\r\n")
    return len(clean.encode("utf-16-le", "surrogatepass")) // 2


def day_is_sound(text: str | None) -> bool:
    if not text:
        return True
    try:
        return date(1950, 1, 1) <= date.fromisoformat(text[:10]) <= date(2036, 11, 1)
    except ValueError:
        return False


def amount(value: object) -> Decimal | None:
    """The amount that a value states; None where it states none."""
    text = str(value).replace("£", "").replace(",", "")
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def amount_is_sound(value: object) -> bool:
    if value is None:
        return True
    found = amount(value)
    return found is not None and found == found.quantize(Decimal("0.01"))


def tooth_is_sound(row: Row) -> bool:
    if not row["tooth"]:
        return True
    shape = {"FDI": _FDI, "PALMER": _PALMER}.get(str(row["toothNotation"]))
    if row["tooth"].strip().upper() in _WHOLE_MOUTH:
        return shape is not None
    parts = [part.strip().upper() for part in re.split("[,&-]", row["tooth"])]
    return shape is not None and all(shape.fullmatch(part) for part in parts)


@dataclass
class Audit:
    """The rows of a clinic by entity, and what was found in them."""

    served: dict[str, list[Row]]
    practices: set[int]
    patients: dict[int, str]
    rows: dict[str, dict[object, str]] = field(default_factory=lambda: defaultdict(dict))
    lost: set[tuple[str, object, str]] = field(default_factory=set)
    index: dict[tuple[str, str], dict[object, list[Row]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_id = {name: {row[PATHS[name][1]]: row for row in rows} for name, rows in self.served.items()}

    def run(self) -> None:
        for entity, judge in _JUDGES.items():
            for row in self.served[entity]:
                judge(self, row)

    def those(self, entity: str, name: str, row: Row) -> list[Row]:
        """Rows of an entity that have the same value in a field."""
        if (entity, name) not in self.index:
            self.index[entity, name] = defaultdict(list)
            for one in self.served[entity]:
                self.index[entity, name][one[name]].append(one)
        return self.index[entity, name][row[name]]

    def owner(self, row: Row) -> str:
        """What the patient's fate makes of a row: send, hold or skip."""
        return self.patients.get(row["patientId"], "hold")

    def settle(self, entity: str, row: Row, *, skip: bool = False, hold: bool = False, lost: dict[str, bool]) -> None:
        key = row[PATHS[entity][1]]
        fate = self.owner(row)
        if fate == "send":
            fate = "skip" if skip else "hold" if hold else "send"
        if fate != "send":
            self.rows[entity][key] = fate
        else:
            self.lost |= {(entity, key, name) for name, gone in lost.items() if gone}

    def alien(self, row: Row, entity: str, name: str) -> bool:
        """Whether a link leads to a row of another patient."""
        target = self.by_id[entity].get(row[name])
        return target is not None and target["patientId"] != row["patientId"]

    def broken(self, row: Row, entity: str, name: str) -> bool:
        """Whether a link leads to nothing, or to a row that stays behind."""
        key = row[name]
        return key is not None and (key not in self.by_id[entity] or key in self.rows[entity])

    def placeless(self, row: Row) -> bool:
        return row["practiceId"] is not None and row["practiceId"] not in self.practices


def _treatment(at: Audit, row: Row) -> None:
    text = row["notes"] or ""
    hold = (
        not row["name"].strip() or folded(row["status"]) not in STATES or not tooth_is_sound(row)
        or not _SURFACES.fullmatch((row["surfaces"] or "").upper()) or units(text) > LIMIT or bool(_LONE.search(text))
        or (row["cost"] is not None and amount(row["cost"]) is None)
        or at.alien(row, "appointment", "appointmentId") or at.alien(row, "coursesOfTreatment", "courseId")
    )  # fmt: skip
    at.settle("treatment", row, skip=row["isDeleted"], hold=hold, lost={
        "appointmentId": at.broken(row, "appointment", "appointmentId"), "practiceId": at.placeless(row),
        "scheme": folded(row["scheme"]) not in SCHEMES, "cost": not amount_is_sound(row["cost"]),
        "discount": not amount_is_sound(row["discount"]), "procedureCode": len(row["procedureCode"]) > 40,
        "plannedOn": not day_is_sound(row["plannedOn"]), "completedOn": not day_is_sound(row["completedOn"]),
    })  # fmt: skip


def _visit_cost(at: Audit, row: Row) -> None:
    """A visit without a cost of its own costs what was completed in it, if that can be added up."""
    if row["appointmentId"] in at.rows["appointment"] or row["cost"] is not None or at.owner(row) != "send":
        return
    mine = at.those("treatment", "appointmentId", row)
    done = [one for one in mine if folded(one["status"]) == "completed" and not one["isDeleted"]]
    if any(not (amount_is_sound(one["cost"]) and amount_is_sound(one["discount"])) for one in done):
        at.lost.add(("appointment", row["appointmentId"], "cost"))


def _course(at: Audit, row: Row) -> None:
    of_course = at.those("treatment", "courseId", row)
    mine = sorted(one["treatmentId"] for one in of_course if one["patientId"] == row["patientId"])
    moving = [key for key in mine if key not in at.rows["treatment"]]
    if at.owner(row) != "send" or not moving or not mine:
        return
    lost = {name: not day_is_sound(row[name]) for name in ("startedOn", "acceptedOn", "completedOn")}
    lost |= {"claimReference": len(row["claimReference"] or "") > 64, "name": len(row["name"]) > 255}
    lost["uda"] = not amount_is_sound(row["uda"]) and moving[0] == mine[0]
    at.lost |= {("coursesOfTreatment", row["courseId"], name) for name, gone in lost.items() if gone}


def _note(at: Audit, row: Row) -> None:
    links = (("appointment", "appointmentId"), ("treatment", "treatmentId"), ("clinicalNote", "amendsNoteId"))
    hold = (
        folded(row["noteType"]) not in KINDS or bool(_LONE.search(row["text"]))
        or any(at.alien(row, entity, name) for entity, name in links)
    )  # fmt: skip
    skip = row["isDeleted"] or not row["text"].strip()
    lost = {name: at.broken(row, entity, name) for entity, name in links}
    at.settle("clinicalNote", row, skip=skip, hold=hold, lost=lost)


def _document(at: Audit, row: Row) -> None:
    at.settle("document", row, skip=row["isDeleted"], hold=bool(_LONE.search(row["fileName"])), lost={
        "category": folded(row["category"]) not in CATEGORIES, "uploadedAt": not day_is_sound(row["uploadedAt"]),
        "externalReference": len(row["externalReference"] or "") > 255,
    })  # fmt: skip


def _invoice(at: Audit, row: Row) -> None:
    sums = [row["totalAmount"], row["discountAmount"], row["amountDue"], row["amountPaid"]]
    sums += [line[name] for line in row["lineItems"] for name in ("unitPrice", "discount", "lineTotal")]
    hold = (
        row["currency"] not in {"GBP", "EUR"} or folded(row["status"]) not in PAYMENT_STATES
        or not all(amount_is_sound(one) for one in sums)
    )  # fmt: skip
    at.settle("invoice", row, skip=row["isDeleted"], hold=hold, lost={
        "invoiceDate": not day_is_sound(row["invoiceDate"]), "dueDate": not day_is_sound(row["dueDate"]),
        "practiceId": at.placeless(row), "invoiceNumber": len(row["invoiceNumber"]) > 64,
    })  # fmt: skip
    for line in row["lineItems"]:
        key = f"{row['invoiceId']}-{line['invoiceLineId']}"
        fate = at.rows["invoice"].get(row["invoiceId"])
        if fate is not None:
            at.rows["invoiceLine"][key] = fate
            continue
        lost = {
            "treatmentId": at.broken(line, "treatment", "treatmentId"),
            "description": len(line["description"]) > 255,
        }
        at.lost |= {("invoiceLine", key, name) for name, gone in lost.items() if gone}


def _plan(at: Audit, row: Row) -> None:
    at.settle("paymentPlan", row, hold=row["signedOffAt"] is None, lost={})


def _membership(at: Audit, row: Row) -> None:
    mine = at.those("carePlanMembership", "patientId", row)
    active = [one for one in mine if one["status"] == "ACTIVE"]
    if at.owner(row) != "send" or row not in active or row["startDate"] < max(one["startDate"] for one in active):
        return
    lost = {"monthlyAmount": not amount_is_sound(row["monthlyAmount"]), "endDate": not day_is_sound(row["endDate"]),
            "planName": len(row["planName"]) > 80}  # fmt: skip
    at.lost |= {("carePlanMembership", row["membershipId"], name) for name, gone in lost.items() if gone}


def _recall(at: Audit, row: Row) -> None:
    if at.owner(row) == "send" and not day_is_sound(row["dueOn"]):
        at.lost.add(("recall", row["recallId"], "dueOn"))


def _household(at: Audit, row: Row) -> None:
    if at.patients.get(row["headPatientId"]) != "send":
        at.lost.add(("household", row["householdId"], "headPatientId"))


_JUDGES: dict[str, Callable[[Audit, Row], None]] = {
    "treatment": _treatment, "appointment": _visit_cost, "coursesOfTreatment": _course, "clinicalNote": _note,
    "document": _document, "invoice": _invoice, "paymentPlan": _plan, "carePlanMembership": _membership,
    "recall": _recall, "household": _household,
}  # fmt: skip


def audited(desk: Any) -> Audit:
    """Everything a desk serves, audited; the fates of patients and visits are taken from the truth file."""
    served = {name: desk.everything(path + _EVERYBODY) for name, (path, _) in PATHS.items()}
    fates = {row["patientId"]: "send" for row in served["patient"]}
    at = Audit(served, {row["practiceId"] for row in desk.get("/practices").json}, fates)
    for one in desk.clinic.truth():
        if one["row"] in {"hold", "skip"} and one["entity"] == "patient":
            follows = one["field"] == "mergedIntoPatientId" and one["row"] == "skip"
            fates[one["id"]] = "send" if follows else one["row"]
        elif one["row"] in {"hold", "skip"} and one["entity"] == "appointment":
            at.rows["appointment"][one["id"]] = one["row"]
    for note in served["clinicalNote"]:  # an amended note may have a higher id than the one that amends it
        _note(at, note)
    at.run()
    return at


_EVERYBODY = "?includeArchived=true&includeDeceased=true"

"""The rows of treatment and money, read with rules written here anew and compared with the truth file."""

import hashlib
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

Open = Callable[..., Any]
Row = dict[str, Any]
PATHS = {
    "appointment": ("/appointments", "appointmentId"),
    "treatment": ("/treatments", "treatmentId"),
    "course": ("/coursesOfTreatment", "courseId"),
    "clinicalNote": ("/clinicalNotes", "noteId"),
    "document": ("/documents", "documentId"),
    "invoice": ("/invoices", "invoiceId"),
    "payment": ("/payments", "paymentId"),
    "paymentPlan": ("/paymentPlans", "paymentPlanId"),
}
TOOTH = re.compile(r"([1-4][1-8]|[5-8][1-5])(, ?([1-4][1-8]|[5-8][1-5]))*|(U|L)(R|L)[1-8A-E]")
CENTS = re.compile(r"-?\d+\.\d\d")


@pytest.fixture(scope="module")
def clinic(lasting_desk: Open) -> dict[str, Any]:
    one = lasting_desk(patients=180, seed=4)
    rows: dict[str, Any] = {name: one.everything(path) for name, (path, _) in PATHS.items()}
    rows["patients"] = one.everything("/patients?includeArchived=true&includeDeceased=true")
    rows["deleted"] = {(row["entity"], row["entityId"]) for row in one.everything("/deletions")}
    return rows | {"truth": one.clinic.truth(), "desk": one}


def planted(clinic: dict[str, Any], entity: str, *, row: str | None = None, **match: object) -> set[int]:
    wanted = {"entity": entity, **match} | ({"row": row} if row else {})
    return {t["id"] for t in clinic["truth"] if all(t[name] == value for name, value in wanted.items())}


def found(clinic: dict[str, Any], entity: str, test: Callable[[Row], bool]) -> set[int]:
    return {row[PATHS[entity][1]] for row in clinic[entity] if test(row)}


def readable(text: str | None) -> bool:
    try:
        return text is None or date.fromisoformat(text[:10]) is not None
    except ValueError:
        return False


def units(text: str) -> int:
    clean = text.replace("\r\n", "\n").strip().replace("\n", "\r\n")
    return len(clean.encode("utf-16-le", "surrogatepass")) // 2


def test_teeth_surfaces_and_states(clinic: dict[str, Any]) -> None:
    bad = found(
        clinic, "treatment", lambda r: bool(r["tooth"]) and not (r["toothNotation"] and TOOTH.fullmatch(r["tooth"]))
    )
    assert bad == planted(clinic, "treatment", rule="R-TOOTH", row="hold")
    bad = found(clinic, "treatment", lambda r: not re.fullmatch("[MODBL]*", (r["surfaces"] or "").upper()))
    assert bad == planted(clinic, "treatment", rule="R-SURF", row="hold")
    bad = found(clinic, "treatment", lambda r: r["status"] != "COMPLETED")
    assert bad == planted(clinic, "treatment", field="status", row="hold")
    assert found(clinic, "treatment", lambda r: not r["name"].strip()) == planted(clinic, "treatment", field="name")
    assert found(clinic, "treatment", lambda r: not CENTS.fullmatch(r["cost"])) == planted(
        clinic, "treatment", rule="R-MONEY"
    )


def test_treatments_hang_on_visits_of_the_same_patient(clinic: dict[str, Any]) -> None:
    visits = {row["appointmentId"]: row for row in clinic["appointment"]}
    led = planted(clinic, "treatment", rule="PARENT") | found(
        clinic, "treatment", lambda r: not r["patientId"] >= 5_500_000
    )
    held = planted(clinic, "appointment", row="hold") | planted(clinic, "appointment", row="skip")
    lost = found(clinic, "treatment", lambda r: r["appointmentId"] not in visits or r["appointmentId"] in held)
    unlinked = planted(clinic, "treatment", field="appointmentId", fate="withheld")
    assert lost - led == unlinked - led
    alien = found(
        clinic,
        "treatment",
        lambda r: r["appointmentId"] in visits and visits[r["appointmentId"]]["patientId"] != r["patientId"],
    )
    assert alien == planted(clinic, "treatment", field="appointmentId", row="hold", fate="none") | planted(
        clinic, "treatment", field="patientId", rule="R-REF", row="hold"
    )


def test_notes(clinic: dict[str, Any]) -> None:
    long = found(clinic, "clinicalNote", lambda r: units(r["text"]) > 32_768)
    assert long == {
        t["id"] for t in clinic["truth"] if t["rule"] == "R-LONG" and t["entity"] == "clinicalNote"
    } - planted(clinic, "clinicalNote", note="one row")
    assert len(long) >= 4
    empty = found(clinic, "clinicalNote", lambda r: not r["text"].strip())
    assert empty == planted(clinic, "clinicalNote", rule="R-EMPTY", row="skip")
    kinds = {"CLINICAL_FINDING", "MEDICAL_HISTORY_UPDATE", "PRESCRIPTION", "PHOTO_REFERENCE", "ADMIN"}
    assert found(clinic, "clinicalNote", lambda r: r["noteType"] not in kinds) == planted(
        clinic, "clinicalNote", rule="R-PICK"
    )
    marked = found(clinic, "clinicalNote", lambda r: r["format"] == "HTML")
    assert marked == planted(clinic, "clinicalNote", note="becomes plain text")
    known = {row["treatmentId"] for row in clinic["treatment"]}
    stopped = planted(clinic, "treatment", row="hold") | planted(clinic, "treatment", row="skip")
    led = planted(clinic, "clinicalNote", rule="PARENT")
    lost = found(
        clinic,
        "clinicalNote",
        lambda r: r["treatmentId"] is not None and (r["treatmentId"] not in known or r["treatmentId"] in stopped),
    )
    assert lost - led == planted(clinic, "clinicalNote", field="treatmentId", fate="withheld")


def test_invoices_add_up_unless_planted(clinic: dict[str, Any]) -> None:
    def odd(row: Row) -> bool:
        amounts = [row["totalAmount"], row["amountDue"], *(line["unitPrice"] for line in row["lineItems"])]
        return not all(CENTS.fullmatch(amount) for amount in amounts)

    unreadable = found(clinic, "invoice", odd)
    assert unreadable == planted(clinic, "invoice", rule="R-MONEY", row="hold")

    def unequal(row: Row) -> bool:
        cents = [round(float(line["lineTotal"]) * 100) for line in row["lineItems"]]
        gross = sum(cents) + sum(round(float(line["discount"]) * 100) for line in row["lineItems"])
        return round(float(row["totalAmount"]) * 100) not in {sum(cents), gross}

    differing = {row["invoiceId"] for row in clinic["invoice"] if row["invoiceId"] not in unreadable and unequal(row)}
    assert differing == planted(clinic, "invoice", rule="R-BAL")
    assert found(clinic, "invoice", lambda r: r["totalAmount"].startswith("-")) == planted(
        clinic, "invoice", note="negative total"
    )
    assert found(clinic, "invoice", lambda r: r["currency"] not in {"GBP", "EUR"}) == planted(
        clinic, "invoice", rule="R-CUR"
    )


def test_payments_equal_their_allocations_and_name_served_invoices(clinic: dict[str, Any]) -> None:
    invoices = {row["invoiceId"] for row in clinic["invoice"]}
    treatments = {row["treatmentId"] for row in clinic["treatment"]}
    assert clinic["payment"]
    for row in clinic["payment"]:
        assert sum(round(float(one["amount"]) * 100) for one in row["allocations"]) == round(float(row["amount"]) * 100)
        assert {one["invoiceId"] for one in row["allocations"]} <= invoices
        assert {one["treatmentId"] for one in row["allocations"]} <= treatments


def test_courses_lead_and_their_band_is_that_of_the_time(clinic: dict[str, Any]) -> None:
    courses = {row["courseId"]: row for row in clinic["course"]}
    for row in clinic["treatment"]:
        course = courses[row["courseId"]]
        assert (row["nhsBand"], row["uda"]) == (course["nhsBand"], course["uda"])
        if course["nhsBand"] in {"2a", "2b", "2c"}:
            assert course["startedOn"] >= "2022-11-25"
    assert {"NHS", "PRIVATE", "PRSI_DTBS"} <= {row["scheme"] for row in clinic["course"]}


def test_every_date_is_readable_unless_planted(clinic: dict[str, Any]) -> None:
    for entity, fields in {"treatment": ("plannedOn", "completedOn"), "invoice": ("invoiceDate", "dueDate"),
                           "document": ("uploadedAt",)}.items():  # fmt: skip
        for field in fields:
            bad = found(clinic, entity, lambda r, f=field: not readable(r[f]))
            assert bad == planted(clinic, entity, field=field, rule="R-DT"), (entity, field)


def test_document_contents_agree_with_their_metadata_unless_planted(clinic: dict[str, Any]) -> None:
    one = clinic["desk"]
    bad = planted(clinic, "document", rule="R-HASH")
    some = [row for row in clinic["document"] if row["documentId"] in bad] + clinic["document"][10:150:9]
    for row in some:
        one.clock.advance(60)
        if one.clock.now().minute == 0:
            one.sign_in()
        answer = one.get(row["contentUrl"])
        agrees = (
            answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == row["sha256"] and len(answer.body) > 0
        )
        assert agrees != (row["documentId"] in bad), row
        if answer.status == 200:
            assert answer.headers["content-length"] == str(len(answer.body))
            assert answer.headers["content-type"].startswith(row["mimeType"])


def test_plans_wait_for_a_signature(clinic: dict[str, Any]) -> None:
    assert found(clinic, "paymentPlan", lambda r: r["signedOffAt"] is None) == planted(
        clinic, "paymentPlan", row="hold"
    ) | planted(clinic, "paymentPlan", rule="R-REF") | planted(clinic, "paymentPlan", row="skip")


def test_every_planted_row_is_served_and_deleted_ones_are_in_the_feed(clinic: dict[str, Any]) -> None:
    for entity, (_, key) in PATHS.items():
        rows = {row[key]: row for row in clinic[entity]}
        for one in clinic["truth"]:
            if one["entity"] == entity:
                assert one["field"] in rows[one["id"]], one
        deleted = {number for number, row in rows.items() if row.get("isDeleted")}
        assert deleted == planted(clinic, entity, rule="R-DELETED")
        assert {(entity, number) for number in deleted} <= clinic["deleted"]


def test_billing_lines_are_invoices_line_by_line(clinic: dict[str, Any]) -> None:
    one = clinic["desk"]
    one.sign_in()
    for place in (0, 8, 19):
        patient = one.get(f"/patients/{5_500_000 + place}?embed=billingLines").json
        lines = [(row["invoiceId"], line["invoiceLineId"]) for row in clinic["invoice"]
                 if row["patientId"] == patient["patientId"] for line in row["lineItems"]]  # fmt: skip
        assert [(line["invoiceId"], line["invoiceLineId"]) for line in patient["billingLines"]] == lines
        assert patient["billingLinesTotal"] == len(lines)

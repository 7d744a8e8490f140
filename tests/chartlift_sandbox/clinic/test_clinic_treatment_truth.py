"""The rows of treatment and money: an audit with rules of its own finds what the truth file says, and nothing else."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from clinic_audit import PATHS, Audit, amount, audited, folded, tooth_is_sound, units

Open = Callable[..., Any]
Row = dict[str, Any]
AUDITED = ("treatment", "coursesOfTreatment", "clinicalNote", "document", "invoice", "invoiceLine", "paymentPlan",
           "carePlanMembership", "recall", "household")  # fmt: skip
PARAMS = [(190, 4), (230, 11)]


@pytest.fixture(scope="module", params=PARAMS, ids=lambda one: f"seed {one[1]}")
def clinic(request: pytest.FixtureRequest, lasting_desk: Open) -> dict[str, Any]:
    patients, seed = request.param
    one = lasting_desk(patients=patients, seed=seed, requests=10_000)
    deleted = {(row["entity"], row["entityId"]) for row in one.everything("/deletions")}
    return {"desk": one, "audit": audited(one), "truth": one.clinic.truth(), "deleted": deleted}


def planted(clinic: dict[str, Any], entity: str, **match: object) -> set[object]:
    wanted = {"entity": entity, **match}
    return {t["id"] for t in clinic["truth"] if all(t[name] == value for name, value in wanted.items())}


def rows(clinic: dict[str, Any], entity: str) -> list[Row]:
    return clinic["audit"].served[entity]


@pytest.mark.parametrize("entity", AUDITED)
def test_every_row_that_stays_behind_is_planted_and_nothing_else(clinic: dict[str, Any], entity: str) -> None:
    audit: Audit = clinic["audit"]
    stays = {t["id"]: t["row"] for t in clinic["truth"] if t["entity"] == entity and t["row"] != "send"}
    assert audit.rows[entity] == stays


@pytest.mark.parametrize("entity", [*AUDITED, "appointment"])
def test_every_field_left_out_is_planted_and_nothing_else(clinic: dict[str, Any], entity: str) -> None:
    audit: Audit = clinic["audit"]
    field = "cost" if entity == "appointment" else None  # the other fields of visits have a test of their own
    own = {row["appointmentId"] for row in rows(clinic, "appointment") if row["cost"] is not None}
    withheld = {
        (entity, t["id"], t["field"])
        for t in clinic["truth"]
        if t["entity"] == entity and t["row"] == "send" and t["fate"] == "withheld" and field in {None, t["field"]}
        if entity != "appointment" or t["id"] not in own
    }
    assert {one for one in audit.lost if one[0] == entity} == withheld


def test_every_class_of_defect_is_there(clinic: dict[str, Any]) -> None:
    classes = {(t["entity"], t["rule"], t["row"], t["fate"]) for t in clinic["truth"]}
    for one in (
        ("treatment", "R-TOOTH", "hold", "none"), ("treatment", "R-TOOTH", "send", "sent"),
        ("treatment", "R-REF", "send", "withheld"), ("treatment", "R-REF", "hold", "none"),
        ("treatment", "R-MONEY", "send", "withheld"), ("treatment", "R-MONEY", "hold", "none"),
        ("appointment", "R-MONEY", "send", "withheld"), ("coursesOfTreatment", "R-DT", "send", "withheld"),
        ("clinicalNote", "R-LONG", "send", "sent"), ("clinicalNote", "R-REF", "send", "withheld"),
        ("clinicalNote", "R-REF", "hold", "none"), ("clinicalNote", "R-EMPTY", "skip", "none"),
        ("document", "R-FILENAME", "send", "sent"), ("document", "R-PICK", "send", "withheld"),
        ("invoice", "R-BAL", "send", "sent"), ("invoice", "R-CUR", "hold", "none"),
        ("invoice", "R-MONEY", "hold", "none"), ("invoiceLine", "PARENT", "hold", "none"),
        ("invoiceLine", "PARENT", "skip", "none"), ("invoiceLine", "R-REF", "send", "withheld"),
        ("invoiceLine", "R-LEN", "send", "withheld"), ("invoiceLine", "R-MONEY", "hold", "none"),
        ("paymentPlan", "R-PLAN", "hold", "none"), ("carePlanMembership", "R-CAREPLAN", "send", "none"),
    ):  # fmt: skip
        assert one in classes, one


def test_findings_that_leave_the_field_in_place(clinic: dict[str, Any]) -> None:
    odd = {r["treatmentId"] for r in rows(clinic, "treatment") if r["tooth"] and not r["tooth"].isdigit()
           and not re.fullmatch("[UL][RL][1-8]", r["tooth"]) and tooth_is_sound(r)}  # fmt: skip
    assert odd == planted(clinic, "treatment", rule="R-TOOTH", row="send")
    strange = {r["treatmentId"] for r in rows(clinic, "treatment") if r["status"] != r["status"].strip().upper()}
    assert strange == planted(clinic, "treatment", rule="R-PICK", field="status")
    marked = {r["noteId"] for r in rows(clinic, "clinicalNote") if r["format"] != "PLAIN"}
    assert marked == planted(clinic, "clinicalNote", note="becomes plain text") | planted(
        clinic, "clinicalNote", note="RTF becomes plain text"
    )


def test_long_notes(clinic: dict[str, Any]) -> None:
    plain = [row for row in rows(clinic, "clinicalNote") if row["format"] == "PLAIN"]
    long = {row["noteId"] for row in plain if units(row["text"]) > 32_768}
    named = planted(clinic, "clinicalNote", rule="R-LONG") - planted(clinic, "clinicalNote", note="one row")
    assert long == named - planted(clinic, "clinicalNote", note="becomes plain text")
    exact = {units(row["text"]) for row in plain}
    assert {32_768, 32_769} <= exact
    assert any("🦷" in row["text"][32_766:32_769] for row in plain)


def test_invoices_add_up_unless_planted(clinic: dict[str, Any]) -> None:
    def differs(row: Row) -> bool:
        lines = [(amount(one["lineTotal"]), amount(one["discount"])) for one in row["lineItems"]]
        total, net = amount(row["totalAmount"]), sum(one for one, _ in lines)
        return total not in {net, net + sum(one for _, one in lines)}

    known = [r for r in rows(clinic, "invoice") if r["invoiceId"] not in planted(clinic, "invoice", rule="R-MONEY")]
    assert {r["invoiceId"] for r in known if differs(r)} == planted(
        clinic, "invoice", rule="R-BAL", note="neither gross nor net"
    )
    closed = {"WRITTEN_OFF", "VOID"}
    odd = {r["invoiceId"] for r in known if r["status"] not in closed
           and amount(r["totalAmount"]) - amount(r["amountPaid"]) != amount(r["amountDue"])}  # fmt: skip
    assert odd >= planted(clinic, "invoice", note="total less paid differs")
    assert any(line["shopItemId"] for row in known for line in row["lineItems"])
    assert any(line["discount"] != "0.00" for row in known for line in row["lineItems"])


def test_payments_equal_their_allocations_and_name_served_invoices(clinic: dict[str, Any]) -> None:
    invoices = {row["invoiceId"] for row in rows(clinic, "invoice")}
    treatments = {row["treatmentId"] for row in rows(clinic, "treatment")} | {None}
    assert rows(clinic, "payment")
    for row in rows(clinic, "payment"):
        assert sum(amount(one["amount"]) or 0 for one in row["allocations"]) == amount(row["amount"])
        assert {one["invoiceId"] for one in row["allocations"]} <= invoices
        assert {one["treatmentId"] for one in row["allocations"]} <= treatments


def test_courses_span_visits_and_their_band_is_that_of_the_time(clinic: dict[str, Any]) -> None:
    courses = {row["courseId"]: row for row in rows(clinic, "coursesOfTreatment")}
    visits: dict[int, set[object]] = {}
    odd = planted(clinic, "treatment", field="courseId") | planted(clinic, "treatment", rule="R-PICK")
    for row in rows(clinic, "treatment"):
        visits.setdefault(row["courseId"], set()).add(row["appointmentId"])
        course = courses[row["courseId"]]
        if row["treatmentId"] not in odd:
            assert row["nhsBand"] == course["nhsBand"]
        if course["nhsBand"] in {"2a", "2b", "2c"} and course["courseId"] not in planted(clinic, "coursesOfTreatment"):
            assert course["startedOn"] >= "2022-11-25"
    assert max(len(one) for one in visits.values()) > 1
    assert {"NHS", "PRIVATE", "PRSI_DTBS"} <= {row["scheme"] for row in courses.values()}
    assert {"PLANNED", "COMPLETED", "CANCELLED"} <= {row["status"] for row in rows(clinic, "treatment")}


def test_document_contents_agree_with_their_metadata_unless_planted(clinic: dict[str, Any]) -> None:
    one = clinic["desk"]
    copies = {row["id"] for row in clinic["truth"] if row["entity"] == "document" and row["other"] is not None}
    bad = planted(clinic, "document", rule="R-HASH") - copies
    served = rows(clinic, "document")
    for row in [row for row in served if row["documentId"] in bad] + served[10:150:9]:
        answer = one.get(row["contentUrl"])
        agrees = (
            answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == row["sha256"] and len(answer.body) > 0
        )
        assert agrees != (row["documentId"] in bad), row
        if answer.status == 200:
            assert answer.headers["content-length"] == str(len(answer.body))


def test_a_patient_may_have_several_care_plans_and_recalls(clinic: dict[str, Any]) -> None:
    for entity in ("carePlanMembership", "recall"):
        owners = [row["patientId"] for row in rows(clinic, entity)]
        assert len(set(owners)) < len(owners), entity
    double = planted(clinic, "carePlanMembership", rule="R-CAREPLAN")
    plans = {row["membershipId"]: row for row in rows(clinic, "carePlanMembership")}
    moving = {p for p, fate in clinic["audit"].patients.items() if fate == "send"}
    second = set()
    for row in plans.values():
        mine = [one for one in plans.values() if (one["patientId"], one["status"]) == (row["patientId"], "ACTIVE")]
        late = max((one["startDate"] for one in mine), default="")
        if row["status"] == "ACTIVE" and row["startDate"] < late and row["patientId"] in moving:
            second.add(row["membershipId"])
    assert second - planted(clinic, "patient", row="skip") == double
    methods = {row["provider"] for row in rows(clinic, "paymentLink")}
    assert methods == {"GOCARDLESS", "STRIPE"}


def test_every_planted_row_is_served_and_deleted_ones_are_in_the_feed(clinic: dict[str, Any]) -> None:
    for entity, (_, key) in PATHS.items():
        if entity in {"patient", "appointment"}:
            continue
        served = {row[key]: row for row in rows(clinic, entity)}
        for one in clinic["truth"]:
            if one["entity"] == entity:
                assert one["field"] in served[one["id"]], one
        deleted = {number for number, row in served.items() if row.get("isDeleted")}
        assert deleted == planted(clinic, entity, rule="R-DELETED")
        assert {(entity, number) for number in deleted} <= clinic["deleted"]
    lines = {f"{row['invoiceId']}-{line['invoiceLineId']}": line | {"invoiceId": row["invoiceId"]}
             for row in rows(clinic, "invoice") for line in row["lineItems"]}  # fmt: skip
    for one in clinic["truth"]:
        if one["entity"] == "invoiceLine":
            assert one["field"] in lines[one["id"]], one


def test_billing_lines_are_invoices_line_by_line(clinic: dict[str, Any]) -> None:
    one = clinic["desk"]
    for place in (0, 8, 19, 26, 55, 63):
        patient = one.get(f"/patients/{5_500_000 + place}?embed=billingLines").json
        lines = [(row["invoiceId"], line["invoiceLineId"]) for row in rows(clinic, "invoice")
                 if row["patientId"] == patient["patientId"] for line in row["lineItems"]]  # fmt: skip
        assert [(line["invoiceId"], line["invoiceLineId"]) for line in patient["billingLines"]] == lines
        assert patient["billingLinesTotal"] == len(lines)


def test_folding_is_what_the_truth_takes_for_a_synonym() -> None:
    assert folded(" Part-paid") == folded("PART_PAID")
    assert folded("Done?") != folded("DONE AND PAID")

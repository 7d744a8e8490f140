"""Rows gathered under the id of another one, and parts that come with what they are parts of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chartlift.model.ports import Tools
from chartlift.stages import extract, landing, nests

LATER = "2026-03-01T13:00:00Z"
NESTS = ("visit", "courseWork", "bill", "carePlan", "nextRecall", "examRecall")


def rows(tools: Tools, query: str) -> list[tuple[Any, ...]]:
    return tools.staging.sql.execute(query).fetchall()


def nest(tools: Tools, name: str, *columns: str) -> dict[str, Any]:
    chosen = ", ".join(f'"{column}"' for column in columns)
    return {key: cells for key, *cells in rows(tools, f'SELECT _id, {chosen} FROM "src_{name}" ORDER BY _seq')}


def moved(tools: Tools, name: str) -> dict[str, int]:
    return dict(rows(tools, f'SELECT _id, _extraction FROM "src_{name}" ORDER BY _seq'))


def delta(tools: Tools, clock: Any) -> Any:
    clock.sleep(3600)
    return extract.run(tools, since="last")


@pytest.fixture
def treated(reading_tools: Tools, clinic: Any) -> Tools:
    """Two patients, three treatments at two appointments."""
    clinic.fill(2)
    clinic.rows["treatment"] = [
        clinic.treatment(9, 1, appointmentId=10, courseId=5, cost="9.00"),
        clinic.treatment(30, 1, appointmentId=10, courseId=5, cost=None),
        clinic.treatment(100, 1, appointmentId=10, cost="1.00", status="PLANNED"),
        clinic.treatment(200, 2, appointmentId=20),
        clinic.treatment(201, 2),
    ]
    return reading_tools


def test_every_nest_has_its_table_though_the_clinic_lacks_the_lists(reading_tools: Tools, clinic: Any) -> None:
    clinic.missing = {"/coursesOfTreatment", "/carePlanMemberships", "/recalls", "/paymentProviders", "/paymentPlans"}
    report = extract.run(reading_tools)
    assert report.complete
    for name in NESTS:
        assert rows(reading_tools, f'SELECT count(*) FROM "src_{name}"') == [(0,)]


def test_rows_are_gathered_in_the_order_of_their_ids_as_numbers(treated: Tools) -> None:
    extract.run(treated)
    assert nest(treated, "visit", "treatmentId", "cost", "status") == {
        "10": [["9", "30", "100"], ["9.00", None, "1.00"], ["COMPLETED", "COMPLETED", "PLANNED"]],
        "20": [["200"], ["10.00"], ["COMPLETED"]],
    }
    assert nest(treated, "courseWork", "treatmentId") == {"5": [["9", "30"]]}
    assert rows(treated, "SELECT _seq, _patient, _raw, _extraction, _conflict FROM src_visit ORDER BY _seq") == [
        (1, None, None, 1, False), (2, None, None, 1, False),
    ]  # fmt: skip


def test_deleted_conflicting_and_marked_rows_stay_out(treated: Tools, clinic: Any) -> None:
    clinic.rows["treatment"][0]["isDeleted"] = True
    clinic.rows["treatment"].append(clinic.treatment(30, 1, appointmentId=10, cost="7.77"))
    clinic.deletions = [{"entity": "treatment", "entityId": 200, "deletedAt": "2026-01-01T00:00:00Z"}]
    extract.run(treated)
    assert nest(treated, "visit", "treatmentId") == {"10": [["100"]]}


def test_a_delta_changes_the_groups_it_touches_and_no_other(treated: Tools, clinic: Any, clock: Any) -> None:
    extract.run(treated)
    clinic.rows["treatment"][1].update(appointmentId=20, updatedAt=LATER)
    clinic.rows["treatment"].append(clinic.treatment(1, 1, appointmentId=11, updatedAt=LATER))
    delta(treated, clock)
    assert nest(treated, "visit", "treatmentId") == {
        "10": [["9", "100"]], "11": [["1"]], "20": [["30", "200"]],
    }  # fmt: skip
    assert moved(treated, "visit") == {"10": 2, "11": 2, "20": 2}
    assert moved(treated, "courseWork") == {"5": 1}
    clinic.rows["treatment"][3].update(updatedAt="2026-03-01T14:00:00Z")
    delta(treated, clock)
    assert moved(treated, "visit") == {"10": 2, "11": 2, "20": 2}


def test_a_group_that_is_gone_stays_empty_and_counts_as_changed_once(treated: Tools, clinic: Any, clock: Any) -> None:
    extract.run(treated)
    clinic.rows["treatment"] = [row for row in clinic.rows["treatment"] if row["treatmentId"] != 200]
    clinic.deletions = [{"entity": "treatment", "entityId": 200, "deletedAt": LATER}]
    delta(treated, clock)
    assert nest(treated, "visit", "treatmentId", "cost")["20"] == [[], []]
    assert moved(treated, "visit") == {"10": 1, "20": 2}
    clinic.rows["treatment"][0].update(cost="9.50", updatedAt="2026-03-01T14:00:00Z")
    delta(treated, clock)
    assert moved(treated, "visit") == {"10": 3, "20": 2}
    clinic.rows["treatment"].append(clinic.treatment(200, 2, appointmentId=20, updatedAt="2026-03-01T15:30:00Z"))
    clinic.deletions = []
    delta(treated, clock)
    assert nest(treated, "visit", "treatmentId")["20"] == [["200"]]
    assert moved(treated, "visit")["20"] == 4


def test_a_full_reading_again_finds_moved_and_vanished_rows(treated: Tools, clinic: Any, clock: Any) -> None:
    extract.run(treated)
    clock.sleep(3600)
    clinic.rows["treatment"][0]["appointmentId"] = 20
    del clinic.rows["treatment"][3]
    extract.run(replace(treated, options={"full": True}))
    assert nest(treated, "visit", "treatmentId") == {"10": [["30", "100"]], "20": [["9"]]}


def test_merged_patients_gather_their_rows_with_the_survivor(reading_tools: Tools, clinic: Any, clock: Any) -> None:
    clinic.fill(3, 1)
    clinic.rows["carePlanMembership"] = [
        {"membershipId": 1, "patientId": 1, "planName": "Gold", "status": "ACTIVE", "startDate": "2024-01-01"},
        {"membershipId": 2, "patientId": 2, "planName": "Diamond", "status": "ACTIVE", "startDate": "2025-01-01"},
    ]
    clinic.rows["treatment"] = [clinic.treatment(5, 1, appointmentId=10), clinic.treatment(6, 2, appointmentId=10)]
    extract.run(reading_tools)
    assert nest(reading_tools, "carePlan", "planName") == {"1": ["Gold"], "2": ["Diamond"]}
    clinic.rows["patient"][1].update(mergedIntoPatientId=1, updatedAt=LATER)
    delta(reading_tools, clock)
    assert nest(reading_tools, "carePlan", "planName", "patientId") == {"1": ["Diamond", "1"], "2": [None, None]}
    assert nest(reading_tools, "visit", "patientId") == {"10": [["1", "1"]]}
    assert moved(reading_tools, "carePlan") == {"1": 2, "2": 2}


def test_the_plan_is_the_active_one_that_started_last_and_the_recall_the_next_one_due(
    reading_tools: Tools, clinic: Any
) -> None:
    clinic.fill(2, 0)
    clinic.rows["carePlanMembership"] = [
        {"membershipId": number, "patientId": 1, "planName": name, "status": status, "startDate": start}
        for number, name, status, start in (
            (1, "Old", "ACTIVE", "2023-12-31"), (12, "Later id", "active", "2024-01-01"),
            (3, "Chosen", "ACTIVE ", "2024-01-01"), (4, "Ended", "CANCELLED", "2025-01-01"),
            (5, "Unreadable", "ACTIVE", "soon"), (6, "None", "ACTIVE", None),
        )
    ]  # fmt: skip
    clinic.rows["recall"] = [
        {"recallId": number, "patientId": 1, "recallType": kind, "status": status, "dueOn": due, "updatedAt": "2026"}
        for number, kind, status, due in (
            (1, "HYGIENE", "DUE", "2026-02-01"), (2, "DENTAL_EXAM", "DUE", "2026-10-01"),
            (3, "DENTAL_EXAM", "DUE", "2026-04-20"), (4, "DENTAL_EXAM", "DONE", "2025-04-20"),
        )
    ]  # fmt: skip
    extract.run(reading_tools)
    assert nest(reading_tools, "carePlan", "planName") == {"1": ["Chosen"]}
    assert nest(reading_tools, "nextRecall", "recallId") == {"1": ["1"]}
    assert nest(reading_tools, "examRecall", "recallId") == {"1": ["3"]}


def test_many_rows_are_gathered_in_ranges_as_in_one_go(
    treated: Tools, clinic: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.rows["treatment"] = [
        clinic.treatment(number, 1 + number % 2, appointmentId=1 + number % 37 if number % 5 else f"x{number % 3}")
        for number in range(1, 400)
    ]
    extract.run(treated)
    whole = nest(treated, "visit", "treatmentId")
    assert len(whole) == 40
    assert sum(len(cells[0]) for cells in whole.values()) == 399
    monkeypatch.setattr(nests, "ROWS_AT_ONCE", 50)
    treated.staging.sql.execute("DELETE FROM src_visit; UPDATE src_treatment SET _extraction = 0")
    extract.run(replace(treated, options={"full": True}))
    assert nest(treated, "visit", "treatmentId") == whole
    assert rows(treated, "SELECT max(_seq) = count(*) AND count(DISTINCT _seq) = count(*) FROM src_visit") == [(True,)]
    assert rows(treated, "SELECT list(_id ORDER BY rowid) = list(_id ORDER BY _seq) FROM src_visit") == [(True,)]


def test_very_many_changed_rows_are_the_same_in_the_end(
    treated: Tools, clinic: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract.run(treated)
    clock.sleep(3600)
    monkeypatch.setattr(landing, "_MANY", 1)
    for row in clinic.rows["treatment"][:3]:
        row.update(cost="3.00", updatedAt=LATER)
    clinic.rows["treatment"][3].update(updatedAt=LATER)
    report = extract.run(replace(treated, options={"full": True}))
    assert {count.entity: (count.new, count.changed) for count in report.entities}["treatment"] == (0, 3)
    query = 'SELECT _id, _seq, _extraction, cost, "updatedAt" FROM src_treatment ORDER BY rowid'
    assert rows(treated, query) == [
        ("9", 1, 2, "3.00", LATER), ("30", 2, 2, "3.00", LATER), ("100", 3, 2, "3.00", LATER),
        ("200", 4, 1, "10.00", LATER), ("201", 5, 1, "10.00", "2026-01-05T09:00:00Z"),
    ]  # fmt: skip


# ---------------------------------------------------------------- lines of invoices


def lines(tools: Tools) -> list[str]:
    query = (
        "SELECT _id FROM \"src_invoiceLine\" s ANTI JOIN src_deleted d ON d.entity = 'invoiceLine' AND d.id = s._id "
        "ORDER BY _id"
    )
    return [key for (key,) in rows(tools, query)]


def test_an_invoice_brings_its_lines_with_its_own_patient(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(2, 0)
    clinic.rows["invoice"] = [clinic.invoice(7, 1), clinic.invoice(8, 2, 1, isDeleted=True), clinic.invoice(9, 77)]
    clinic.rows["invoice"][0]["lineItems"].reverse()
    report = extract.run(reading_tools)
    assert report.complete
    query = (
        'SELECT _id, _patient, "invoiceId", "patientId", "lineNumber", "isDeleted" FROM "src_invoiceLine" ORDER BY _id'
    )
    assert rows(reading_tools, query) == [
        ("7-1", "1", "7", "1", "1", "false"), ("7-2", "1", "7", "1", "2", "false"),
        ("8-1", "2", "8", "2", "1", "true"), ("9-1", "77", "9", "77", "1", "false"),
        ("9-2", "77", "9", "77", "2", "false"),
    ]  # fmt: skip
    assert nest(reading_tools, "bill", "description") == {
        "7": [["Line 1", "Line 2"]], "9": [["Line 1", "Line 2"]],
    }  # fmt: skip


def test_a_line_that_left_its_invoice_is_deleted_and_may_come_back(
    reading_tools: Tools, clinic: Any, clock: Any
) -> None:
    clinic.fill(1, 0)
    clinic.rows["invoice"] = [clinic.invoice(7, 1, 3), clinic.invoice(8, 1, 1)]
    extract.run(reading_tools)
    gone = clinic.rows["invoice"][0]["lineItems"].pop(1)
    clinic.rows["invoice"][0]["updatedAt"] = LATER
    report = delta(reading_tools, clock)
    assert lines(reading_tools) == ["7-1", "7-3", "8-1"]
    assert {count.entity: count.deleted for count in report.entities}["invoiceLine"] == 1
    assert rows(reading_tools, 'SELECT _id FROM "src_invoiceLine" WHERE _extraction = 2') == [("7-2",)]
    assert nest(reading_tools, "bill", "description") == {"7": [["Line 1", "Line 3"]], "8": [["Line 1"]]}
    clinic.rows["invoice"][0]["lineItems"].append(gone)
    clinic.rows["invoice"][0]["updatedAt"] = "2026-03-01T14:00:00Z"
    delta(reading_tools, clock)
    assert lines(reading_tools) == ["7-1", "7-2", "7-3", "8-1"]


def test_lines_go_with_their_invoice(reading_tools: Tools, clinic: Any, clock: Any) -> None:
    clinic.fill(1, 0)
    clinic.rows["invoice"] = [clinic.invoice(7, 1), clinic.invoice(8, 1), clinic.invoice(9, 1)]
    extract.run(reading_tools)
    clinic.rows["invoice"] = clinic.rows["invoice"][1:]
    clinic.deletions = [{"entity": "invoice", "entityId": 7, "deletedAt": LATER}]
    delta(reading_tools, clock)
    assert lines(reading_tools) == ["8-1", "8-2", "9-1", "9-2"]
    clinic.rows["invoice"] = clinic.rows["invoice"][1:]
    extract.run(replace(reading_tools, options={"full": True}))
    assert lines(reading_tools) == ["9-1", "9-2"]


def test_of_two_versions_in_one_reading_the_newer_ones_lines_count(reading_tools: Tools, clinic: Any) -> None:
    clinic.fill(1, 0)
    clinic.rows["invoice"] = [clinic.invoice(7, 1, 3), clinic.invoice(8, 1, 1), clinic.invoice(9, 77, 1)]

    def shorter(path: str, query: dict[str, str]) -> None:
        if path == "/patients" and "embed" in query:
            clinic.rows["invoice"][0] = clinic.invoice(7, 1, 1, updatedAt="2026-01-06T00:00:00Z")

    clinic.after.append(shorter)
    extract.run(reading_tools)
    assert lines(reading_tools) == ["7-1", "8-1", "9-1"]


def test_an_invoice_that_comes_without_any_word_about_its_lines_keeps_them(
    reading_tools: Tools, clinic: Any, clock: Any
) -> None:
    clinic.fill(1, 0)
    clinic.rows["invoice"] = [clinic.invoice(7, 1, 2)]
    extract.run(reading_tools)
    del clinic.rows["invoice"][0]["lineItems"]
    clinic.rows["invoice"][0]["updatedAt"] = LATER
    report = delta(reading_tools, clock)
    assert lines(reading_tools) == ["7-1", "7-2"]
    assert ("R-PARTS", "invoice.lineItems") in {(finding.code, finding.entity) for finding in report.findings}
    clinic.embeds = False
    extract.run(replace(reading_tools, options={"full": True}))
    assert lines(reading_tools) == ["7-1", "7-2"]
    clinic.rows["invoice"][0].update(lineItems=[], updatedAt="2026-03-01T14:00:00Z")
    delta(reading_tools, clock)
    assert lines(reading_tools) == []


# ---------------------------------------------------------------- lists and deletions of every kind


def test_rows_that_left_a_list_without_stamps_are_deleted_by_a_delta(
    reading_tools: Tools, clinic: Any, clock: Any
) -> None:
    clinic.fill(1, 0)
    clinic.rows["carePlanMembership"] = [
        {"membershipId": 1, "patientId": 1, "planName": "Gold", "status": "ACTIVE", "startDate": "2024-01-01"},
    ]
    extract.run(reading_tools)
    clinic.missing = {"/carePlanMemberships"}
    delta(reading_tools, clock)
    assert nest(reading_tools, "carePlan", "planName") == {"1": ["Gold"]}
    clinic.missing, clinic.rows["carePlanMembership"] = set(), []
    delta(reading_tools, clock)
    assert nest(reading_tools, "carePlan", "planName") == {"1": [None]}


@pytest.mark.parametrize("entity", ["treatment", "clinicalNote", "document", "invoice", "recall"])
def test_deletions_of_every_kind_are_followed(reading_tools: Tools, clinic: Any, clock: Any, entity: str) -> None:
    key = {"treatment": "treatmentId", "clinicalNote": "noteId", "document": "documentId", "invoice": "invoiceId"}
    clinic.fill(1, 0)
    clinic.rows[entity] = [{key.get(entity, "recallId"): 5, "patientId": 1, "updatedAt": "2026-01-05T09:00:00Z"}]
    extract.run(reading_tools)
    clinic.rows[entity] = []
    clinic.deletions = [{"entity": entity, "entityId": 5, "deletedAt": LATER}]
    report = delta(reading_tools, clock)
    assert {count.entity: count.deleted for count in report.entities}[entity] == 1


def test_a_list_that_an_earlier_version_never_read_is_read_whole_by_the_next_delta(
    reading_tools: Tools, clinic: Any, clock: Any
) -> None:
    clinic.fill(1, 0)
    clinic.rows["document"] = [{"documentId": 5, "patientId": 1, "updatedAt": "2020-01-05T09:00:00Z"}]
    extract.run(reading_tools)
    reading_tools.staging.sql.execute(
        "DELETE FROM src_document; DELETE FROM extraction_listing WHERE listing = 'document'"
    )
    delta(reading_tools, clock)
    assert rows(reading_tools, "SELECT _id FROM src_document") == [("5",)]

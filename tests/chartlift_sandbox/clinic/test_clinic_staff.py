"""What the staff change shows everywhere at once: lists, single records, embedded arrays, totals, the deletions feed."""

from collections.abc import Callable
from typing import Any

import pytest

from chartlift_sandbox.generator.entities import BY_NAME, ENTITIES, Entity

Open = Callable[..., Any]
NOW = "2026-11-20T09:00:00Z"
PATIENT = 5500002
CHARTED = [one for one in ENTITIES if "patientId" in one.needs]
EVERY = "embed=appointments,treatments,clinicalNotes,billingLines"


def names(rows: list[dict[str, Any]], kind: Entity) -> list[int]:
    return [row[kind.key] for row in rows]


def listed(one: Any, kind: Entity) -> list[dict[str, Any]]:
    return one.everything(kind.path + "?includeArchived=true&includeDeceased=true&includeInactive=true")


def patient(one: Any, key: int = PATIENT) -> dict[str, Any]:
    return one.get(f"/patients/{key}?{EVERY}").json


@pytest.mark.parametrize("kind", CHARTED, ids=lambda kind: kind.name)
def test_every_entity_can_be_created_changed_and_deleted(desk: Open, kind: Entity) -> None:
    one = desk()
    before = names(listed(one, kind), kind)
    extra = {"type": "ALLERGY"} if kind.name == "medicalItem" else {}
    key = one.clinic.mutate("create", kind.name, None, {"patientId": PATIENT, **extra})
    assert names(listed(one, kind), kind) == [*before, key]
    made = one.get(f"{kind.path}/{key}").json
    assert made["patientId"] == PATIENT
    links = [name for name, value in made.items() if name.endswith("Id") and isinstance(value, int)]
    for name in set(links) & {"appointmentId", "treatmentId", "courseId", "invoiceId", "amendsNoteId"} - {kind.key}:
        raise AssertionError(f"{name} of a new record leads nowhere")
    one.clock.advance(60)
    one.clinic.mutate("update", kind.name, key, {"status": "ODD"})
    changed = one.get(f"{kind.path}/{key}").json
    assert changed["status"] == "ODD"
    if "updatedAt" in made:
        assert (made["updatedAt"], changed["updatedAt"]) == (NOW, "2026-11-20T09:01:00Z")
        assert names(one.everything(f"{kind.path}?updatedSince=2026-11-20T09:00:30Z"), kind) == [key]
    one.clinic.mutate("delete", kind.name, key)
    assert names(listed(one, kind), kind) == before
    assert one.get(f"{kind.path}/{key}").status == 404
    [gone] = one.everything(f"/deletions?entity={kind.name}&since={NOW}")
    assert (gone["entityId"], gone["reason"]) == (key, "DELETED")


@pytest.mark.parametrize(
    ("name", "array", "total"),
    [("treatment", "treatments", "treatmentsTotal"), ("clinicalNote", "clinicalNotes", "clinicalNotesTotal"),
     ("appointment", "appointments", "appointmentsTotal")],
)  # fmt: skip
def test_arrays_totals_and_lists_agree_after_changes(desk: Open, name: str, array: str, total: str) -> None:
    one, kind = desk(), BY_NAME[name]
    was = patient(one)[array]
    assert len(was) > 1
    first, second = was[0][kind.key], was[1][kind.key]
    one.clinic.mutate("delete", name, first)
    one.clinic.mutate("update", name, second, {"patientId": 5500004})
    made = one.clinic.mutate("create", name, None, {"patientId": PATIENT})
    now = patient(one)
    assert names(now[array], kind) == [*names(was, kind)[2:], made]
    assert now[total] == len(now[array])
    assert now[array] == one.everything(f"{kind.path}?patientId={PATIENT}")
    other = patient(one, 5500004)
    assert second in names(other[array], kind)
    assert other[total] == len(other[array])
    assert patient(one, 5500006)[total] == len(patient(one, 5500006)[array])


def test_line_items_show_in_the_invoice_and_in_the_billing_lines(desk: Open) -> None:
    one = desk()
    [row, *_] = [row for row in listed(one, BY_NAME["invoice"]) if row["patientId"] == PATIENT]
    key, total = row["invoiceId"], patient(one)["billingLinesTotal"]
    line = row["lineItems"][0] | {"invoiceLineId": 77, "unitPrice": "12.345", "description": "Odd"}
    one.clinic.mutate("update", "invoice", key, {"lineItems": [*row["lineItems"], line], "currency": "XBT"})
    assert one.get(f"/invoices/{key}").json["lineItems"][-1] == line
    now = patient(one)
    mine = [one for one in now["billingLines"] if one["invoiceId"] == key]
    assert [one["invoiceLineId"] for one in mine][-1] == 77
    assert {one["currency"] for one in mine} == {"XBT"}
    assert now["billingLinesTotal"] == len(now["billingLines"]) == total + 1
    one.clinic.mutate("delete", "invoice", key)
    assert key not in {one["invoiceId"] for one in patient(one)["billingLines"]}


def test_ten_million_signs_travel_whole(desk: Open) -> None:
    one = desk()
    note = patient(one)["clinicalNotes"][0]["noteId"]
    text = "Ångström 😀\r\n" * 800_000
    one.clinic.mutate("update", "clinicalNote", note, {"text": text})
    assert one.get(f"/clinicalNotes/{note}", accept_encoding="gzip").json["text"] == text
    [row] = one.everything(f"/clinicalNotes?updatedSince={NOW}")
    assert row["text"] == text
    embedded = next(one for one in patient(one)["clinicalNotes"] if one["noteId"] == note)
    assert embedded["text"] == text


def test_medical_items_are_the_same_in_the_patient_and_in_their_list(desk: Open) -> None:
    one, kind = desk(), BY_NAME["medicalItem"]
    key = one.clinic.mutate(
        "create", "medicalItem", None, {"patientId": PATIENT, "type": "ALLERGY", "substance": "Latex"}
    )
    assert next(i for i in patient(one)["allergies"] if i["medicalItemId"] == key)["substance"] == "Latex"
    one.clinic.mutate("update", "medicalItem", key, {"substance": "Nickel", "active": False})
    assert next(i for i in patient(one)["allergies"] if i["medicalItemId"] == key)["active"] is False
    one.clinic.mutate("update", "medicalItem", key, {"type": "CONDITION"})
    assert key in {i["medicalItemId"] for i in patient(one)["medicalConditions"]}
    assert key not in {i["medicalItemId"] for i in patient(one)["allergies"]}
    one.clinic.mutate("update", "medicalItem", key, {"patientId": 5500004})
    assert key not in {i["medicalItemId"] for i in patient(one)["medicalConditions"]}
    assert key in {i["medicalItemId"] for i in patient(one, 5500004)["medicalConditions"]}
    one.clinic.mutate("update", "medicalItem", key, {"patientId": PATIENT})
    one.clinic.mutate("delete", "medicalItem", key)
    assert key not in {i["medicalItemId"] for i in patient(one)["medicalConditions"]}
    items = [{"medicalItemId": 900_000_001, "substance": "Egg", "active": True}, {"substance": "without an id"}]
    one.clinic.mutate("update", "patient", PATIENT, {"allergies": items, "medicalConditions": [], "medications": []})
    mine = [row for row in listed(one, kind) if row["patientId"] == PATIENT]
    assert [(row["medicalItemId"], row["type"], row["substance"]) for row in mine] == [(900_000_001, "ALLERGY", "Egg")]
    one.clinic.mutate("update", "patient", PATIENT, {"allergies": []})
    assert [row for row in listed(one, kind) if row["patientId"] == PATIENT] == []


def test_a_new_document_has_content_that_fits(desk: Open) -> None:
    one = desk()
    key = one.clinic.mutate("create", "document", None, {"patientId": PATIENT})
    row = one.get(f"/documents/{key}").json
    answer = one.get(row["contentUrl"])
    assert (answer.status, len(answer.body)) == (200, row["sizeBytes"])
    one.clinic.mutate("delete", "document", key)
    assert one.get(row["contentUrl"]).status == 404


@pytest.mark.parametrize("name", ["user", "referralSource", "appointmentType", "appointmentStatus", "practice"])
def test_short_lists_can_be_changed_too(desk: Open, name: str) -> None:
    one, kind = desk(), BY_NAME[name]
    key = one.clinic.mutate("create", name, 4321, {"name": "Newcomer"})
    one.clinic.mutate("update", name, key, {"name": "Later"})
    rows = one.everything(kind.path + "?includeInactive=true") if kind.paged else one.get(kind.path).json
    assert next(row for row in rows if row[kind.key] == 4321)["name"] == "Later"
    one.clinic.mutate("delete", name, key)
    rows = one.everything(kind.path + "?includeInactive=true") if kind.paged else one.get(kind.path).json
    assert 4321 not in names(rows, kind)

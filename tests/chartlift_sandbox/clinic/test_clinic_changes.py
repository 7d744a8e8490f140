from collections.abc import Callable
from typing import Any

import pytest

from chartlift_sandbox.clinic import ClinicError

Open = Callable[..., Any]
NOW = "2026-11-20T09:00:00Z"


def test_an_update_shows_at_once_and_in_the_delta(desk: Open) -> None:
    one = desk()
    before = one.get("/appointments/70000010").json if one.get("/appointments/70000010").status == 200 else None
    key = before["appointmentId"] if before else one.get("/appointments?pageSize=1").json["items"][0]["appointmentId"]
    assert one.everything(f"/appointments?updatedSince={NOW}") == []
    assert (
        one.clinic.mutate("update", "appointment", key, {"appointmentStatusId": 7, "appointmentStatus": "DNA"}) == key
    )
    after = one.get(f"/appointments/{key}").json
    assert (after["appointmentStatus"], after["updatedAt"]) == ("DNA", NOW)
    assert one.everything(f"/appointments?updatedSince={NOW}") == [after]
    one.clock.advance(10)
    assert one.everything("/appointments?updatedSince=2026-11-20T09:00:01Z") == []


def test_a_new_appointment_is_found_everywhere(desk: Open) -> None:
    one = desk()
    total = one.get("/appointments").json["total"]
    was = one.get("/patients/5500002").json["appointmentsTotal"]
    key = one.clinic.mutate(
        "create", "appointment", None, {"patientId": 5500002, "appointmentTime": "2026-12-01T10:00:00"}
    )
    assert one.get("/appointments").json["total"] == total + 1
    patient = one.get("/patients/5500002?embed=appointments").json
    assert patient["appointmentsTotal"] == len(patient["appointments"]) == was + 1
    row = patient["appointments"][-1]
    assert (row["appointmentId"], row["createdAt"], row["practiceId"]) == (key, NOW, patient["practiceId"])
    assert one.everything("/appointments")[-1] == row


def test_new_patients_are_sound_and_differ(desk: Open) -> None:
    one = desk()
    first = one.clinic.mutate("create", "patient", None, {"lastName": "Newcomer"})
    second = one.clinic.mutate("create", "patient", None, {"lastName": "Newcomer"})
    rows = one.everything(f"/patients?updatedSince={NOW}")
    assert [row["patientId"] for row in rows] == [first, second]
    assert rows[0]["firstName"] != rows[1]["firstName"] or rows[0]["dateOfBirth"] != rows[1]["dateOfBirth"]
    assert rows[0]["appointmentsTotal"] == 0
    child = one.clinic.mutate("create", "appointment", None, {"patientId": first})
    assert [row["appointmentId"] for row in one.everything(f"/appointments?patientId={first}")] == [child]


def test_a_deleted_record_leaves_the_lists_and_enters_the_feed(desk: Open) -> None:
    one = desk()
    one.clinic.mutate("delete", "patient", 5500002)
    assert one.get("/patients/5500002").status == 404
    assert 5500002 not in {
        row["patientId"] for row in one.everything("/patients?includeArchived=true&includeDeceased=true")
    }
    feed = one.everything(f"/deletions?since={NOW}")
    assert feed == [
        {"entity": "patient", "entityId": 5500002, "deletedAt": NOW, "reason": "DELETED", "mergedIntoId": None}
    ]
    assert one.everything("/appointments?patientId=5500002")


def test_a_merge_marks_the_loser_and_enters_the_feed(desk: Open) -> None:
    one = desk()
    assert one.clinic.mutate("merge", "patient", 5500004, {"loser": 5500006}) == 5500004
    loser = one.get("/patients/5500006").json
    assert (loser["mergedIntoPatientId"], loser["updatedAt"]) == (5500004, NOW)
    assert one.everything(f"/deletions?since={NOW}")[0]["mergedIntoId"] == 5500004


def test_a_moved_child_changes_both_totals(desk: Open) -> None:
    one = desk()
    key = one.get("/patients/5500004?embed=appointments").json["appointments"][1]["appointmentId"]
    before = [one.get(f"/patients/{p}").json["appointmentsTotal"] for p in (5500004, 5500006)]
    one.clinic.mutate("update", "appointment", key, {"patientId": 5500006})
    after = [one.get(f"/patients/{p}").json["appointmentsTotal"] for p in (5500004, 5500006)]
    assert after == [before[0] - 1, before[1] + 1]


def test_pages_shift_while_somebody_works(desk: Open) -> None:
    one = desk()
    first = one.get("/patients?pageSize=10&includeArchived=true&includeDeceased=true").json["items"]
    one.clinic.mutate("delete", "patient", first[0]["patientId"])
    second = one.get("/patients?pageSize=10&page=2&includeArchived=true&includeDeceased=true").json["items"]
    assert second[0]["patientId"] == first[-1]["patientId"] + 2


@pytest.mark.parametrize(
    ("op", "entity", "key", "fields", "status"),
    [("update", "patient", 1, {}, 404), ("delete", "tooth", 1, {}, 404), ("forget", "patient", 5500000, {}, 400),
     ("create", "appointment", None, {}, 400), ("create", "patient", 5500000, {}, 409),
     ("merge", "patient", 5500000, {"loser": 5500000}, 400), ("merge", "patient", 5500000, {}, 400)],
)  # fmt: skip
def test_changes_that_cannot_be_made(
    desk: Open, op: str, entity: str, key: int | None, fields: dict[str, Any], status: int
) -> None:
    with pytest.raises(ClinicError) as caught:
        desk().clinic.mutate(op, entity, key, fields)
    assert caught.value.status == status


def test_truth_forgets_what_was_put_right(desk: Open) -> None:
    one = desk(patients=200)
    bad = next(t for t in one.clinic.truth() if t["rule"] == "R-EMAIL")
    one.clinic.mutate("update", "patient", bad["id"], {"email": "right@example.org"})
    assert bad not in one.clinic.truth()
    one.clinic.reset()
    assert bad in one.clinic.truth()

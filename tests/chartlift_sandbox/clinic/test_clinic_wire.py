import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

Open = Callable[..., Any]
EMBED = "appointments,treatments,clinicalNotes,billingLines,medical"


def test_sign_in_gives_the_token_in_a_header_and_an_empty_object(desk: Open) -> None:
    answer = desk(signed_in=False).sign_in()
    assert (answer.status, answer.json) == (200, {})
    assert answer.headers["aerona-auth-token"]


@pytest.mark.parametrize("field", ["username", "password", "practicePin"])
def test_a_wrong_sign_in_is_refused(desk: Open, field: str) -> None:
    one = desk(signed_in=False)
    answer = one.sign_in(**{field: "wrong"})
    assert (answer.status, answer.json["error"], one.token) == (401, "LOGIN_FAILED", None)
    answer = one.sign_in(**{field: ""})
    assert (answer.status, answer.json) == (400, {"error": "VALIDATION", "fields": {field: "is required"}})


def test_token_errors_are_told_apart(desk: Open) -> None:
    one = desk(signed_in=False)
    assert (one.get("/patients").status, one.get("/patients").json["error"]) == (401, "TOKEN_MISSING")
    one.token = "made-up"
    assert one.get("/patients").json["error"] == "TOKEN_INVALID"
    one.sign_in()
    one.clock.advance(3599)
    assert one.get("/patients").status == 200
    one.clock.advance(1)
    answer = one.get("/patients")
    assert (answer.status, answer.json["error"]) == (401, "TOKEN_EXPIRED")


def test_pages_cover_the_list_once_in_order_of_id(desk: Open) -> None:
    one = desk(patients=90)
    whole = [row["appointmentId"] for row in one.everything("/appointments")]
    assert whole == list(one.clinic.ids("appointment"))
    for size in (7, 64):
        assert [row["appointmentId"] for row in one.everything("/appointments", size)] == whole
    first = one.get("/appointments?pageSize=64").json
    assert {k: first[k] for k in ("page", "pageSize", "total", "nextPage")} == {
        "page": 1,
        "pageSize": 64,
        "total": len(whole),
        "nextPage": 2,
    }
    beyond = one.get("/appointments?page=9999").json
    assert (beyond["items"], beyond["nextPage"], beyond["total"]) == ([], None, len(whole))


def test_a_page_size_above_the_cap_is_clamped_in_silence(desk: Open) -> None:
    one = desk(patients=90)
    page = one.get("/appointments?pageSize=5000").json
    assert len(page["items"]) == page["pageSize"] == 500
    assert len(one.get("/appointments").json["items"]) == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [("page=0", "page"), ("pageSize=x", "pageSize"), ("sort=name", "sort"), ("updatedSince=soon", "updatedSince"),
     ("embed=teeth", "embed"), ("includeArchived=maybe", "includeArchived")],
)  # fmt: skip
def test_what_cannot_be_read_is_named(desk: Open, query: str, field: str) -> None:
    answer = desk().get(f"/patients?{query}")
    assert (answer.status, answer.json["error"], list(answer.json["fields"])) == (400, "VALIDATION", [field])


def test_short_lists_are_bare_and_the_rest_wears_the_envelope(desk: Open) -> None:
    one = desk()
    for path, number in (
        ("/practices", None),
        ("/appointmentTypes", 13),
        ("/appointmentStatuses", 10),
        ("/referralSources", 14),
    ):
        rows = one.get(path).json
        assert isinstance(rows, list)
        assert number in {None, len(rows)}
    assert one.get("/users").json["total"] < one.get("/users?includeInactive=true").json["total"]


def test_archived_and_deceased_patients_come_on_request_only(desk: Open) -> None:
    one = desk(patients=200)
    states = {row["status"] for row in one.everything("/patients")}
    assert states == {"ACTIVE", "INACTIVE"}
    archived = one.everything("/patients?includeArchived=true")
    assert {row["status"] for row in archived} == {"ACTIVE", "INACTIVE", "ARCHIVED"}
    both = one.everything("/patients?includeArchived=true&includeDeceased=true")
    assert [row["patientId"] for row in both] == list(one.clinic.ids("patient"))


def test_embedded_rows_equal_the_listed_ones(desk: Open) -> None:
    one = desk(patients=110)
    patients = one.everything(f"/patients?includeArchived=true&includeDeceased=true&embed={EMBED}", 50)
    for path, array in (
        ("/appointments", "appointments"),
        ("/treatments", "treatments"),
        ("/clinicalNotes", "clinicalNotes"),
    ):
        if one.get(path).status == 404:
            continue
        listed = one.everything(path)
        known = {patient["patientId"] for patient in patients}
        assert [r for p in patients for r in p[array]] == sorted(
            (r for r in listed if r["patientId"] in known), key=lambda r: r["patientId"]
        )
        assert all(len(p[array]) == p[f"{array}Total"] for p in patients)
    bare = one.get("/patients/5500000").json
    assert bare["appointments"] == []
    assert bare["appointmentsTotal"] == len(one.get("/patients/5500000?embed=appointments").json["appointments"])


def test_capped_arrays_keep_their_true_total(desk: Open) -> None:
    one = desk(patients=120, embed_cap=50)
    rows = one.everything("/patients?includeArchived=true&includeDeceased=true&embed=appointments", 60)
    crowded = [p for p in rows if p["appointmentsTotal"] > 50]
    assert crowded
    assert all(len(p["appointments"]) == min(50, p["appointmentsTotal"]) for p in rows)


def test_children_of_one_patient(desk: Open) -> None:
    one = desk()
    mine = one.everything("/appointments?patientId=5500004")
    assert mine == one.get("/patients/5500004?embed=appointments").json["appointments"]
    assert one.everything("/appointments?patientId=77") == []


def test_detail_by_id_and_what_is_not_there(desk: Open) -> None:
    one = desk()
    assert one.get("/users/3001").json["userId"] == 3001
    assert one.get("/appointments/70000000").json["patientId"] == 5500000
    for path in ("/patients/1", "/patients/x", "/teeth", "/patients/5500000/teeth", "/documents/9/content"):
        answer = one.get(path)
        assert (answer.status, answer.json["error"]) == (404, "NOT_FOUND"), path
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert one.call(method, "/patients").status == 405


def test_only_the_asked_fields(desk: Open) -> None:
    rows = desk().everything("/patients?fields=id")
    assert all(list(row) == ["patientId"] for row in rows)


def test_gzip_when_asked(desk: Open) -> None:
    one = desk()
    plain = one.get("/patients")
    small = one.get("/patients", accept_encoding="gzip, br")
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 3


def test_half_a_surrogate_pair_travels_as_an_escape(desk: Open) -> None:
    one = desk(patients=200)
    found = next(t for t in one.clinic.truth() if t["note"] == "half a surrogate pair" and t["entity"] == "appointment")
    raw = one.get(f"/appointments/{found['id']}").body
    assert rb"\ude00" in raw
    assert json.loads(raw)["appointmentNotes"].endswith("\ude00")


def test_the_deletions_feed(desk: Open) -> None:
    one = desk(patients=200)
    feed = one.everything("/deletions")
    assert {row["reason"] for row in feed} == {"DELETED", "MERGED"}
    assert {row["entity"] for row in feed} >= {"patient", "appointment"}
    patients = one.everything("/deletions?entity=patient")
    assert patients == [row for row in feed if row["entity"] == "patient"]
    late = one.everything(f"/deletions?since={patients[-1]['deletedAt']}")
    assert late == [row for row in feed if row["deletedAt"] >= patients[-1]["deletedAt"]]
    for row in patients:
        served = one.get(f"/patients/{row['entityId']}")
        if row["reason"] == "MERGED":
            assert served.json["mergedIntoPatientId"] == row["mergedIntoId"]
        else:
            assert served.status == 404 or served.json["isDeleted"] is True
    assert one.get("/deletions?since=never").json["fields"] == {"since": "must be an ISO 8601 instant"}


def test_deletions_may_be_switched_off(desk: Open) -> None:
    assert desk(deletions_endpoint=False).get("/deletions").status == 404

"""Faults by name of the clinic's API: provoked through HTTP and seen there."""

import hashlib
import json
from typing import Any

import httpx2
import pytest
from clinic_caller import everything, signed_in
from door_harness import Sandbox


def plan(sandbox: Sandbox, name: str, variant: str | None = None, **words: Any) -> None:
    sandbox.estate.clinic.reset()
    fault = {"fault": name, **({"variant": variant} if variant else {}), **words}
    answer = sandbox.control.post("/faults", json=[fault])
    assert answer.status_code == 200, answer.text


def ids(rows: list[dict[str, Any]], key: str) -> list[int]:
    return [row[key] for row in rows]


def test_rows_shift_between_pages(sandbox: Sandbox) -> None:
    plan(sandbox, "F59", path="^/appointments$")
    known = list(sandbox.estate.clinic.ids("appointment"))
    with signed_in(sandbox) as client:
        first = json.loads(client.get("/appointments?pageSize=50").content)["items"]
        second = json.loads(client.get("/appointments?pageSize=50&page=2").content)["items"]
    assert ids(first, "appointmentId") == known[:50]
    assert ids(second, "appointmentId") == known[51:101]


def test_a_row_comes_twice(sandbox: Sandbox) -> None:
    plan(sandbox, "F59", "doubled", path="^/appointments$")
    with signed_in(sandbox) as client:
        found = ids(everything(client, "/appointments", pageSize=50), "appointmentId")
    known = list(sandbox.estate.clinic.ids("appointment"))
    assert found[50] == found[49] == known[49]
    assert known[99] not in found


def test_lists_that_lie_about_themselves(sandbox: Sandbox) -> None:
    with signed_in(sandbox) as client:
        plan(sandbox, "F60")
        assert len(json.loads(client.get("/appointments?pageSize=50").content)["items"]) == 7
        total = len(sandbox.estate.clinic.ids("appointment"))
        plan(sandbox, "F60", "total")
        assert json.loads(client.get("/appointments").content)["total"] == total + 7
        plan(sandbox, "F60", "self")
        assert json.loads(client.get("/appointments?page=2&pageSize=9").content)["nextPage"] == 2
        plan(sandbox, "F60", "empty_end")
        last = json.loads(client.get("/recalls?pageSize=500").content)
        assert last["nextPage"] == 2
        assert json.loads(client.get("/recalls?pageSize=500&page=2").content)["items"] == []


@pytest.mark.parametrize("variant", [None, "deleted"])
def test_a_listed_record_is_gone(sandbox: Sandbox, variant: str | None) -> None:
    plan(sandbox, "F61", variant)
    key = sandbox.estate.clinic.ids("appointment")[3]
    with signed_in(sandbox) as client:
        assert client.get(f"/appointments/{key}").status_code == 404
        listed = ids(everything(client, "/appointments"), "appointmentId")
        gone = ids(everything(client, "/deletions", entity="appointment"), "entityId")
    assert (key in listed, key in gone) == ((variant is None), (variant is not None))


def test_one_patient_breaks_the_service(sandbox: Sandbox) -> None:
    with signed_in(sandbox) as client:
        plan(sandbox, "F62")
        assert [client.get(f"/patients/{key}").status_code for key in (5500003, 5500004, 5500003)] == [500, 200, 500]
        plan(sandbox, "F62", "listed")
        words = "includeArchived=true&includeDeceased=true&pageSize=1"
        codes = [client.get(f"/patients?{words}&page={page}").status_code for page in range(1, 8)]
        assert codes.count(500) == 1


def test_a_row_appears_below_the_cursor(sandbox: Sandbox) -> None:
    with signed_in(sandbox) as client:
        before = set(sandbox.estate.clinic.ids("appointment"))
        plan(sandbox, "F64", path="^/appointments$")
        rows = everything(client, "/appointments")
        (new,) = [row for row in rows if row["appointmentId"] not in before]
        assert new["updatedAt"] < new["createdAt"]


def test_many_rows_share_a_stamp(sandbox: Sandbox) -> None:
    plan(sandbox, "F65", path="^/appointments$", rows=60)
    with signed_in(sandbox) as client:
        rows = everything(client, "/appointments", pageSize=50)
    assert len({row["updatedAt"] for row in rows[:60]}) == 1
    assert rows[60]["updatedAt"] != rows[0]["updatedAt"]


@pytest.mark.parametrize(("variant", "reason"), [(None, "DELETED"), ("merge", "MERGED")])
def test_the_source_deletes_and_merges(sandbox: Sandbox, variant: str | None, reason: str) -> None:
    plan(sandbox, "F66", variant, path="^/patients$")
    old = {row["entityId"] for row in sandbox.estate.clinic.deletions("patient")}
    with signed_in(sandbox) as client:
        everything(client, "/patients")
        (new,) = [row for row in everything(client, "/deletions", entity="patient") if row["entityId"] not in old]
    assert (new["reason"], new["mergedIntoId"] is None) == (reason, variant is None)


def test_a_record_lives_for_a_moment(sandbox: Sandbox) -> None:
    plan(sandbox, "F67", path="^/appointments$")
    known = set(sandbox.estate.clinic.ids("appointment"))
    with signed_in(sandbox) as client:
        assert set(ids(everything(client, "/appointments"), "appointmentId")) == known
        gone = set(ids(everything(client, "/deletions", entity="appointment"), "entityId"))
    assert gone - known - {row["entityId"] for row in sandbox.estate.clinic.deletions("appointment")[:-1]}


def test_a_status_goes_there_and_back(sandbox: Sandbox) -> None:
    plan(sandbox, "F67", "back")
    before = dict(sandbox.estate.clinic.record("appointment", sandbox.estate.clinic.ids("appointment")[0]) or {})
    with signed_in(sandbox) as client:
        after = everything(client, "/appointments")[0]
    assert after | {"updatedAt": before["updatedAt"]} == before
    assert after["updatedAt"] > before["updatedAt"]


@pytest.mark.parametrize(
    ("variant", "field", "value"),
    [(None, "updatedAt", "2026-10-20T12:00:00"), ("gap", "appointmentTime", "2026-03-29T01:30:00"),
     ("overlap", "appointmentTime", "2026-10-25T01:30:00"), ("midnight", "updatedAt", "2026-10-20T24:00:00Z"),
     ("leap_second", "updatedAt", "2016-12-31T23:59:60Z")],
)  # fmt: skip
def test_stamps_that_need_thought(sandbox: Sandbox, variant: str | None, field: str, value: str) -> None:
    plan(sandbox, "F68", variant, path="^/appointments$")
    with signed_in(sandbox) as client:
        assert everything(client, "/appointments")[0][field] == value


def a_document(sandbox: Sandbox) -> dict[str, Any]:
    clinic = sandbox.estate.clinic
    rows = clinic.records("document", clinic.ids("document"))
    return next(row for row in rows if row["sizeBytes"] and not (clinic.content(row["documentId"]) or row).missing)


def test_contents_that_are_not_what_they_should_be(sandbox: Sandbox) -> None:
    row = a_document(sandbox)
    path = f"/documents/{row['documentId']}/content"
    with signed_in(sandbox) as client:
        sound = client.get(path)
        plan(sandbox, "F69")
        assert (client.get(path).status_code, b"expired" in client.get(path).content) == (403, True)
        plan(sandbox, "F69", "empty")
        assert (client.get(path).status_code, client.get(path).content) == (200, b"")
        plan(sandbox, "F69", "length")
        assert len(client.get(path).content) == len(sound.content) + 7
        plan(sandbox, "F69", "hash")
        other = client.get(path).content
        assert (len(other), hashlib.sha256(other).digest() == hashlib.sha256(sound.content).digest()) == (
            len(sound.content), False,
        )  # fmt: skip
        plan(sandbox, "F69", "mime")
        assert client.get(path).headers["content-type"].startswith("text/html")
        for variant in ("huge", "cut"):
            plan(sandbox, "F69", variant)
            with client.stream("GET", path) as answer:
                assert variant == "cut" or answer.headers["content-length"] == str(3 * 2**30)
                with pytest.raises(httpx2.HTTPError):
                    answer.read()


def test_parts_of_a_download(sandbox: Sandbox) -> None:
    path = f"/documents/{a_document(sandbox)['documentId']}/content"
    with signed_in(sandbox) as client:
        whole = client.get(path)
        size, tag = len(whole.content), whole.headers["etag"]
        for asked, first, last in (
            ("0-9", 0, 9),
            ("10-", 10, size - 1),
            ("-5", size - 5, size - 1),
            ("5-999999999", 5, size - 1),
        ):
            part = client.get(path, headers={"range": f"bytes={asked}", "if-range": tag})
            assert (part.status_code, part.content) == (206, whole.content[first : last + 1])
            assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        beyond = client.get(path, headers={"range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        for headers in (
            {"range": "bytes=0-9", "if-range": '"other"'},
            {"range": "bytes=0-1,4-5"},
            {"range": "rows=1-2"},
        ):
            assert (client.get(path, headers=headers).status_code, client.get(path, headers=headers).content) == (
                200, whole.content,
            )  # fmt: skip
        sandbox.control.post("/switches", json={"content_ranges": False})
        assert client.get(path, headers={"range": "bytes=0-9"}).status_code == 200
        sandbox.control.post("/switches", json={"content_ranges": True})

"""Faults by name inside jobs, rows and records: states of jobs, errors of rows, other people, allowances."""

import csv
import io
import threading
from typing import Any

import httpx2
import pytest
from door_harness import DATA, Sandbox

MORE = 1_000


def plan(sandbox: Sandbox, *faults: dict[str, object]) -> None:
    answer = sandbox.control.post("/faults", json=list(faults))
    assert answer.status_code == 200, answer.text


def results(sandbox: Sandbox, job: str, which: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sandbox.get(f"/jobs/ingest/{job}/{which}").text)))


def load(sandbox: Sandbox, mark: str, rows: int = 300, operation: str = "insert", **words: Any) -> dict[str, Any]:
    lines = "".join(f"{mark}-{n:04},note {n}\n" for n in range(rows))
    return sandbox.ingest(operation, "Visit__c", f"Key__c,Note__c\n{lines}", **words)


def count(sandbox: Sandbox, mark: str) -> int:
    sql = f"""SELECT count(*) AS n FROM "Visit__c" WHERE "Key__c" LIKE '{mark}-%' AND NOT "IsDeleted" """
    return sandbox.estate.org.rows(sql)[0]["n"]


def person(sandbox: Sandbox, **words: Any) -> str:
    answer = sandbox.control.post("/org/edit", json=words)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def closed(sandbox: Sandbox, mark: str, rows: int = 5) -> str:
    job = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    body = "Key__c\n" + "".join(f"{mark}-{n:04}\n" for n in range(rows))
    sandbox.org.put("/" + job["contentUrl"], content=body, headers={"content-type": "text/csv"})
    sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    for _ in range(500):
        if sandbox.estate.doors.jobs.get(job["id"]).state in {"JobComplete", "Failed", "Aborted"}:
            return job["id"]
        threading.Event().wait(0.01)
    raise AssertionError("the job did not end")


def test_f21_takes_a_field_away_and_gives_it_back(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F21", "object": "Visit__c", "column": "Visit__c.Note__c", "path": "/ingest$", "nth": 2})
    assert load(sandbox, "f21a", 3)["state"] == "JobComplete"
    broken = load(sandbox, "f21b", 3)
    assert broken["state"] == "Failed" or broken["numberRecordsFailed"] == 3
    names = {one["name"] for one in sandbox.get("/sobjects/Visit__c/describe").json()["fields"]}
    assert "Note__c" not in names
    sandbox.control.delete("/faults")
    assert load(sandbox, "f21c", 3)["numberRecordsFailed"] == 0
    assert count(sandbox, "f21b") == 0


def test_f25_is_stuck_for_hours_of_virtual_time(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F25"})
    job = closed(sandbox, "f25")
    assert [sandbox.get(f"/jobs/ingest/{job}").json()["state"] for _ in range(5)] == ["InProgress"] * 5
    assert sandbox.get(f"/jobs/ingest/{job}/successfulResults").status_code == 400
    sandbox.control.post("/clock", json={"advance_s": 10_801})
    assert sandbox.get(f"/jobs/ingest/{job}").json()["state"] == "JobComplete"
    assert count(sandbox, "f25") == 5


def test_f26_is_stuck_until_somebody_aborts(sandbox: Sandbox) -> None:
    for words, landed in (({}, 5), ({"variant": "nothing"}, 0), ({"landed": 2}, 2)):
        plan(sandbox, {"fault": "F26", **words})
        mark = f"f26{landed}"
        job = closed(sandbox, mark)
        sandbox.control.post("/clock", json={"advance_s": 86_400})
        assert sandbox.get(f"/jobs/ingest/{job}").json()["state"] == "InProgress"
        aborted = sandbox.org.patch(f"{DATA}/jobs/ingest/{job}", json={"state": "Aborted"})
        assert (aborted.status_code, aborted.json()["state"]) == (200, "Aborted")
        assert len(results(sandbox, job, "unprocessedrecords")) == 5 - landed
        assert (len(results(sandbox, job, "successfulResults")), count(sandbox, mark)) == (landed, landed)


@pytest.mark.parametrize(("name", "state"), [("F27", "Failed"), ("F28", "Aborted")])
def test_f27_and_f28_end_a_job_after_k_rows(sandbox: Sandbox, name: str, state: str) -> None:
    plan(sandbox, {"fault": name, "rows": 120})
    status = load(sandbox, name)
    assert (status["state"], status["numberRecordsProcessed"]) == (state, 120)
    assert ("errorMessage" in status) is (state == "Failed")
    parts = [len(results(sandbox, status["id"], one)) for one in ("successfulResults", "unprocessedrecords")]
    assert (parts, count(sandbox, name)) == ([120, 180], 120)
    plan(sandbox, {"fault": name})
    assert load(sandbox, f"{name}s", 4)["numberRecordsProcessed"] == 2


def test_a_share_that_hits_one_call_hits_a_row_of_a_small_job(sandbox: Sandbox) -> None:
    for name in ("F32", "F34", "F36", "F38"):
        plan(sandbox, {"fault": name, "object": "Visit__c"})
        assert load(sandbox, f"small{name}", 5)["numberRecordsFailed"] == 1, name


def test_f29_purges_a_job_at_once_or_when_results_are_asked_for(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F29", "variant": "at_results"})
    status = load(sandbox, "f29", 3)
    assert sandbox.get(f"/jobs/ingest/{status['id']}/successfulResults").status_code == 404
    assert sandbox.get(f"/jobs/ingest/{status['id']}").status_code == 404
    plan(sandbox, {"fault": "F29"})
    job = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    sandbox.org.put("/" + job["contentUrl"], content=b"Key__c\nf29-x\n", headers={"content-type": "text/csv"})
    sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    for _ in range(500):
        if sandbox.get(f"/jobs/ingest/{job['id']}").status_code == 404:
            break
        threading.Event().wait(0.01)
    assert count(sandbox, "f29") == 4


def test_f30_reverses_and_f31_denies_that_rows_are_new(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F30"}, {"fault": "F31"})
    status = load(sandbox, "f30", 50)
    rows = results(sandbox, status["id"], "successfulResults")
    assert [row["Key__c"] for row in rows] == [f"f30-{n:04}" for n in range(49, -1, -1)]
    assert {row["sf__Created"] for row in rows} == {"false"}
    assert count(sandbox, "f30") == 50


def test_f32_locks_by_rate_and_by_seed(sandbox: Sandbox) -> None:
    seen = []
    for mark, words in (("f32a", {}), ("f32b", {"seed": 5}), ("f32c", {"variant": "many"})):
        plan(sandbox, {"fault": "F32", **words})
        status = load(sandbox, mark, MORE)
        bad = results(sandbox, status["id"], "failedResults")
        seen.append({row["Key__c"][-4:] for row in bad})
        assert all(row["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:") for row in bad)
        assert count(sandbox, mark) == MORE - len(bad)
    assert [len(one) for one in seen] == [10, 10, 400]
    assert seen[0] != seen[1]
    plan(sandbox, {"fault": "F32"})
    again = load(sandbox, "f32d", MORE)
    assert {row["Key__c"][-4:] for row in results(sandbox, again["id"], "failedResults")} == seen[0]


def test_f32_locks_one_parent_for_good_in_every_channel(sandbox: Sandbox) -> None:
    parents = [person(sandbox, op="insert", object="Contact", fields={"LastName": f"F32 {n}"}) for n in range(2)]
    plan(sandbox, {"fault": "F32", "variant": "parent", "object": "Visit__c"})
    lines = "".join(f"f32p-{n},{parents[n % 2]}\n" for n in range(10))
    status = sandbox.ingest("upsert", "Visit__c", f"Key__c,Contact__c\n{lines}", externalIdFieldName="Key__c")
    bad = results(sandbox, status["id"], "failedResults")
    assert {row["Contact__c"] for row in bad} == {parents[0]}
    assert len(bad) == 5
    single = sandbox.post("/sobjects/Visit__c", json={"Key__c": "f32q", "Contact__c": parents[0]})
    assert (single.status_code, single.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    assert sandbox.post("/sobjects/Visit__c", json={"Key__c": "f32r", "Contact__c": parents[1]}).status_code == 201
    records = [{"attributes": {"type": "Visit__c"}, "Key__c": f"f32s{n}", "Contact__c": parents[n]} for n in range(2)]
    answer = sandbox.post("/composite/sobjects", json={"allOrNone": False, "records": records}).json()
    assert [one["success"] for one in answer] == [False, True]
    both = sandbox.post("/composite/sobjects", json={"allOrNone": True, "records": records}).json()
    codes = [one["errors"][0]["statusCode"] for one in both]
    assert codes[0] == "UNABLE_TO_LOCK_ROW"
    assert codes[1] in {"ALL_OR_NONE_OPERATION_ROLLED_BACK", "DUPLICATE_VALUE"}


CODES = {
    "F33": "DUPLICATES_DETECTED", "F35": "DUPLICATE_VALUE", "F36": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "F37": "STRING_TOO_LONG", "F38": "REQUIRED_FIELD_MISSING", "F38 rule": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "F40": "INACTIVE_OWNER_OR_USER", "F40 reference": "INVALID_CROSS_REFERENCE_KEY",
    "F39": "CANNOT_EXECUTE_FLOW_TRIGGER", "F39 apex": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
}  # fmt: skip


@pytest.mark.parametrize("name", CODES)
def test_f33_to_f40_fail_rows_with_their_code(sandbox: Sandbox, name: str) -> None:
    fault, _, variant = name.partition(" ")
    words = {"variant": variant} if variant else {}
    plan(sandbox, {"fault": fault, "object": "Visit__c", "share": None, "keys": "-000[3-5]$", **words})
    mark = f"{fault}{variant}"
    status = load(sandbox, mark, 10)
    bad = results(sandbox, status["id"], "failedResults")
    assert sorted(row["Key__c"] for row in bad) == [f"{mark}-{n:04}" for n in (3, 4, 5)]
    assert all(row["sf__Error"].startswith(CODES[name] + ":") for row in bad), bad
    assert count(sandbox, mark) == 7
    log = sandbox.control.get("/org/writes", params={"job": status["id"]}).json()
    assert sum(not row["ok"] for row in log) == 3
    if fault == "F39":
        for row in bad:
            assert len(row["sf__Error"]) > 10_000
            assert row["Key__c"] in row["sf__Error"]
            assert {'"', "\n"} <= set(row["sf__Error"])


def test_f33_alert_lets_rows_save_anyway(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F33", "variant": "alert", "share": 1.0, "when": "persistent"})
    refused = sandbox.post("/sobjects/Contact", json={"LastName": "Alert"})
    assert refused.json()[0]["errorCode"] == "DUPLICATES_DETECTED"
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert sandbox.post("/sobjects/Contact", json={"LastName": "Alert"}, headers=header).status_code == 201


def test_f34_denies_rows_that_have_landed(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F34", "share": 0.5})
    status = load(sandbox, "f34", 10, "upsert", externalIdFieldName="Key__c")
    bad = results(sandbox, status["id"], "failedResults")
    assert (len(bad), count(sandbox, "f34")) == (5, 10)
    rows = sandbox.estate.org.rows("""SELECT "Key__c", "Id" FROM "Visit__c" WHERE "Key__c" LIKE 'f34-%'""")
    ids = {row["Key__c"]: row["Id"] for row in rows}
    assert all(ids[row["Key__c"]] in row["sf__Error"] and row["sf__Id"] == "" for row in bad)


def test_f41_and_f42_change_values_silently(sandbox: Sandbox) -> None:
    cases = (
        ({"fault": "F41"}, "Phone__c", "+44 20 7946 0958", "(207) 946-0958"),
        ({"fault": "F41", "variant": "trim", "column": "Short__c"}, "Short__c", "a  b", "a b"),
        ({"fault": "F41", "variant": "lower", "column": "Short__c"}, "Short__c", "ABC", "abc"),
        ({"fault": "F41", "variant": "flow", "column": "Short__c"}, "Short__c", "mine", "Set by automation"),
        ({"fault": "F42", "column": "Note__c", "bytes": 5}, "Note__c", "0123456789", "01234"),
    )
    for number, (fault, name, sent, stored) in enumerate(cases):
        plan(sandbox, fault)
        key = f"f41-{number}"
        assert sandbox.post("/sobjects/Visit__c", json={"Key__c": key, name: sent}).status_code == 201
        assert sandbox.get(f"/sobjects/Visit__c/Key__c/{key}").json()[name] == stored
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Note__c\nf42-1,abcdefghij\n")
    assert status["numberRecordsFailed"] == 0
    assert sandbox.get("/sobjects/Visit__c/Key__c/f42-1").json()["Note__c"] == "abcde"


def test_f43_fails_the_whole_chunk_of_the_bad_row(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F43", "object": "Visit__c", "keys": "f43-0250"})
    status = load(sandbox, "f43", 500)
    bad = sorted(row["Key__c"] for row in results(sandbox, status["id"], "failedResults"))
    assert bad == [f"f43-{n:04}" for n in range(200, 400)]

    def again(numbers: range) -> int:
        lines = "".join(f"f43-{n:04},note {n}\n" for n in numbers)
        return sandbox.ingest("insert", "Visit__c", f"Key__c,Note__c\n{lines}")["numberRecordsFailed"]

    assert again(range(300, 400)) == 0, "the half without the bad row lands"
    assert again(range(200, 300)) == 100
    assert (again(range(250, 251)), again(range(200, 250)), again(range(251, 300))) == (1, 0, 0)
    assert count(sandbox, "f43") == 499


def test_f44_is_full_after_a_part_of_the_load_and_stays_full(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F44"})
    status = load(sandbox, "f44", 100)
    bad = results(sandbox, status["id"], "failedResults")
    assert (len(bad), count(sandbox, "f44")) == (30, 70)
    assert bad[0]["sf__Error"].startswith("STORAGE_LIMIT_EXCEEDED:")
    assert load(sandbox, "f44x", 10)["numberRecordsFailed"] == 10
    single = sandbox.post("/sobjects/Visit__c", json={"Key__c": "f44y"})
    assert single.json()[0]["errorCode"] == "STORAGE_LIMIT_EXCEEDED"
    sandbox.control.delete("/faults")
    assert load(sandbox, "f44z", 10)["numberRecordsFailed"] == 0


def test_f45_and_f46_use_up_allowances_for_a_day(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F45"})
    status = load(sandbox, "f45", 3)
    assert (status["state"], status["errorMessage"].partition(" ")[0]) == ("Failed", "ExceededQuota")
    assert sandbox.get("/limits").json()["DailyBulkApiBatches"]["Remaining"] == 0
    sandbox.control.post("/clock", json={"advance_s": 86_461})
    assert load(sandbox, "f45", 3)["state"] == "JobComplete"
    plan(sandbox, {"fault": "F46", "path": "/limits$", "words": {"limit": "DailyApiRequests", "left": 1}})
    assert [sandbox.get("/limits").status_code for _ in range(2)] == [200, 403]
    assert sandbox.get("/limits").json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    sandbox.control.post("/clock", json={"advance_s": 86_461})
    assert sandbox.get("/limits").status_code == 200
    plan(sandbox, {"fault": "F46", "path": "/limits$"})
    assert sandbox.get("/limits").status_code == 403
    sandbox.control.delete("/faults")
    assert sandbox.get("/limits").status_code == 200
    plan(sandbox, {"fault": "F46", "variant": "long_requests", "path": "/limits$"})
    assert sandbox.get("/limits").json()[0]["message"].startswith("ConcurrentPerOrgLongTxn")


def test_f48_changes_the_schema_in_the_middle_of_a_load(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F48", "variant": "value", "column": "Visit__c.Status__c", "value": "No Show"})
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Status__c\nf48-1,No Show\nf48-2,Booked\n")
    assert status["numberRecordsFailed"] == 1
    plan(sandbox, {"fault": "F48", "variant": "shorter", "column": "Visit__c.Short__c", "bytes": 3})
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Short__c\nf48-3,abcd\nf48-4,abc\n")
    [bad] = results(sandbox, status["id"], "failedResults")
    assert bad["sf__Error"].startswith("STRING_TOO_LONG:")
    plan(sandbox, {"fault": "F48", "column": "Visit__c.Link__c", "nth": 2})
    assert sandbox.ingest("insert", "Visit__c", "Key__c,Link__c\nf48-5,https://x.example\n")["state"] == "JobComplete"
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Link__c\nf48-6,https://x.example\n")
    assert status["errorMessage"] == "InvalidBatch : Field name not found : Link__c"


def test_f50_to_f53_people_are_at_work(sandbox: Sandbox) -> None:
    org = sandbox.estate.org

    def contact(name: str) -> str:
        return person(sandbox, op="insert", object="Contact", fields={"LastName": name})

    def row(key: str) -> dict[str, Any]:
        return org.rows('SELECT * FROM "Contact" WHERE "Id" = ?', [key])[0]

    mine = contact("F50")
    plan(sandbox, {"fault": "F50"}, {"fault": "F52", "nth": 2, "record": {"id": mine, "fields": {"Title": "Dr"}}})
    load(sandbox, "f50", 2)
    assert (row(mine)["Description"], row(mine)["Title"]) == ("Changed by a person", None)
    load(sandbox, "f52", 2)
    assert row(mine)["Title"] == "Dr"
    plan(sandbox, {"fault": "F51"})
    load(sandbox, "f51", 2)
    assert org.rows('SELECT "Subject" FROM "Task" WHERE "WhoId" = ?', [mine]) == [{"Subject": "Call back"}]
    loser = contact("F53")
    plan(sandbox, {"fault": "F53"})
    load(sandbox, "f53a", 2)
    assert (row(loser)["MasterRecordId"], row(loser)["IsDeleted"]) == (mine, True)
    plan(sandbox, {"fault": "F53", "variant": "owner"}, {"fault": "F53", "variant": "deleted", "nth": 2})
    load(sandbox, "f53b", 2)
    assert row(mine)["OwnerId"] == org.people.front_desk
    load(sandbox, "f53c", 2)
    assert row(mine)["IsDeleted"] is True
    plan(sandbox, {"fault": "F53", "variant": "undeleted", "record": {"id": mine}})
    load(sandbox, "f53d", 2)
    assert row(mine)["IsDeleted"] is False


def test_a_person_edits_after_the_call_when_the_plan_says_so(sandbox: Sandbox) -> None:
    words = {"fault": "F50", "endpoint": "POST /sobjects/Contact$", "effect": "after", "value": "Afterwards"}
    plan(sandbox, words)
    made = sandbox.post("/sobjects/Contact", json={"LastName": "Effect", "Description": "Before"}).json()["id"]
    assert sandbox.get(f"/sobjects/Contact/{made}").json()["Description"] == "Afterwards"


def test_f54_blocks_deletes(sandbox: Sandbox) -> None:
    for variant, code, second in (
        ("", "UNABLE_TO_LOCK_ROW", 204),
        ("trigger", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400),
        ("restricted", "DELETE_FAILED", 400),
        ("approval", "ENTITY_IS_LOCKED", 400),
    ):
        made = sandbox.post("/sobjects/Visit__c", json={"Key__c": f"f54-{variant}"}).json()["id"]
        plan(sandbox, {"fault": "F54"} | ({"variant": variant} if variant else {}))
        first = sandbox.org.delete(f"{DATA}/sobjects/Visit__c/{made}")
        assert (first.status_code, first.json()[0]["errorCode"]) == (400, code)
        assert count(sandbox, f"f54-{variant}"[:3]) >= 1
        assert sandbox.org.delete(f"{DATA}/sobjects/Visit__c/{made}").status_code == second


def test_f55_empties_the_recycle_bin(sandbox: Sandbox) -> None:
    made = sandbox.post("/sobjects/Visit__c", json={"Key__c": "f55"}).json()["id"]
    sandbox.org.delete(f"{DATA}/sobjects/Visit__c/{made}")
    ask = {"q": f"SELECT Id FROM Visit__c WHERE Id = '{made}'"}
    assert sandbox.get("/queryAll", params=ask).json()["totalSize"] == 1
    plan(sandbox, {"fault": "F55", "object": "Visit__c", "path": "/queryAll$", "share": 1.0})
    plan(sandbox, {"fault": "F55"})
    assert sandbox.get("/queryAll", params=ask).json()["totalSize"] == 0
    words = {"op": "undelete", "object": "Visit__c", "id": made}
    assert sandbox.control.post("/org/edit", json=words).status_code == 400


def test_f56_another_integration_comes_first(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F56", "rows": 2})
    status = load(sandbox, "f56", 5, "upsert", externalIdFieldName="Key__c")
    created = {row["Key__c"]: row["sf__Created"] for row in results(sandbox, status["id"], "successfulResults")}
    assert [created[f"f56-{n:04}"] for n in range(5)] == ["false", "false", "true", "true", "true"]
    log = sandbox.control.get("/org/writes", params={"object": "Visit__c"}).json()
    theirs = [one for one in log if (one["new"] or {}).get("Key__c") == "f56-0000"]
    assert theirs[0]["user"] == sandbox.estate.org.people.admin
    plan(sandbox, {"fault": "F56"})
    answer = sandbox.org.patch(f"{DATA}/sobjects/Visit__c/Key__c/f56-rest", json={"Note__c": "x"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "DUPLICATE_VALUE"), "lost the race"


def test_f57_queries_lag_behind(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F57"})
    made = sandbox.post("/sobjects/Visit__c", json={"Key__c": "f57"}).json()["id"]
    ask = {"q": "SELECT Id FROM Visit__c WHERE Key__c = 'f57'"}
    assert sandbox.get(f"/sobjects/Visit__c/{made}").status_code == 200
    assert sandbox.get("/query", params=ask).json()["totalSize"] == 0
    assert sandbox.get("/queryAll", params=ask).json()["totalSize"] == 0
    sandbox.control.post("/clock", json={"advance_s": 5})
    assert sandbox.get("/query", params=ask).json()["totalSize"] == 1
    sandbox.control.delete("/faults")
    sandbox.post("/sobjects/Visit__c", json={"Key__c": "f57-b"})
    ask = {"q": "SELECT Id FROM Visit__c WHERE Key__c = 'f57-b'"}
    assert sandbox.get("/query", params=ask).json()["totalSize"] == 1


def test_row_faults_reach_bulk_1_and_soap(sandbox: Sandbox) -> None:
    plan(sandbox, {"fault": "F32", "share": None, "keys": "^b1-0$", "object": "Visit__c"})
    token = sandbox.estate.access_token
    base, head = f"{sandbox.estate.addresses.org}/services/async/67.0", {"X-SFDC-Session": token}
    words = {"operation": "insert", "object": "Visit__c", "contentType": "CSV"}
    job = httpx2.post(f"{base}/job", json=words, headers=head | {"content-type": "application/json"}).json()["id"]
    kind = {"content-type": "text/csv"}
    made = httpx2.post(f"{base}/job/{job}/batch", content="Key__c\nb1-0\nb1-1\n", headers=head | kind)
    batch = made.text.partition("<id>")[2].partition("</id>")[0] or made.json()["id"]
    for _ in range(200):
        answer = httpx2.get(f"{base}/job/{job}/batch/{batch}/result", headers=head)
        if answer.status_code == 200 and "Success" in answer.text:
            break
        threading.Event().wait(0.02)
    assert "UNABLE_TO_LOCK_ROW:" in answer.text
    assert answer.text.count('"true"') >= 1
    assert count(sandbox, "b1") == 1

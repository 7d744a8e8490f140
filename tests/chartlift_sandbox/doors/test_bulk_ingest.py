"""Bulk API 2.0 ingest through real HTTP."""

import csv
import gzip
import io
import threading

import pytest
from door_harness import DATA, Sandbox


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def results(sandbox: Sandbox, job: str, which: str) -> str:
    answer = sandbox.get(f"/jobs/ingest/{job}/{which}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].lower() == "text/csv; charset=utf-8"
    return answer.text


def test_a_job_goes_through_its_states_and_gives_every_row_back(sandbox: Sandbox) -> None:
    created = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "visit__C", "contentType": "CSV"})
    job = created.json()
    assert created.status_code == 200
    assert job["state"] == "Open"
    assert job["object"] == "Visit__c"
    assert job["apiVersion"] == 67.0
    assert job["contentUrl"] == f"services/data/v67.0/jobs/ingest/{job['id']}/batches"
    assert (job["lineEnding"], job["columnDelimiter"], job["concurrencyMode"]) == ("LF", "COMMA", "Parallel")
    early = sandbox.get(f"/jobs/ingest/{job['id']}/successfulResults")
    assert early.status_code == 400
    assert early.json()[0]["errorCode"] == "INVALIDJOBSTATE"
    text = 'Key__c,Note__c,Cost__c\nst-1,"line one\nline ""two""",120\nst-2,,abc\n'
    put = sandbox.org.put("/" + job["contentUrl"] + "/", content=text.encode(), headers={"content-type": "text/csv"})
    assert (put.status_code, put.content) == (201, b"")
    closed = sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}/", json={"state": "UploadComplete"})
    assert closed.json()["state"] == "UploadComplete"
    assert "contentUrl" not in closed.json()
    status = sandbox.finished(job["id"])
    assert status["state"] == "JobComplete"
    assert (status["numberRecordsProcessed"], status["numberRecordsFailed"]) == (2, 1)
    assert status["jobType"] == "V2Ingest"
    good = results(sandbox, job["id"], "successfulResults/")
    assert good.startswith('"sf__Id","sf__Created",Key__c,Note__c,Cost__c\n')
    [row] = rows_of(good)
    assert row["Note__c"] == 'line one\nline "two"'
    assert row["Cost__c"] == "120.0"
    assert row["sf__Created"] == "true"
    assert len(row["sf__Id"]) == 18
    [bad] = rows_of(results(sandbox, job["id"], "failedResults"))
    assert bad["sf__Id"] == ""
    assert bad["sf__Error"].startswith("INVALID_TYPE_ON_FIELD_IN_RECORD:")
    assert bad["sf__Error"].endswith(":Cost__c --")
    for spelling in ("unprocessedrecords", "unprocessedRecords"):
        assert results(sandbox, job["id"], spelling) == "Key__c,Note__c,Cost__c\n"


def test_only_one_upload_is_taken(sandbox: Sandbox) -> None:
    job = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    target = f"{DATA}/jobs/ingest/{job['id']}/batches"
    assert sandbox.org.put(target, content=b"Key__c\none-1\n", headers={"content-type": "text/csv"}).status_code == 201
    again = sandbox.org.put(target, content=b"Key__c\none-2\n", headers={"content-type": "text/csv"})
    assert again.status_code == 400
    assert "only do 'PUT' once" in again.json()[0]["message"]
    sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert sandbox.finished(job["id"])["numberRecordsProcessed"] == 1
    repeated = sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    assert repeated.status_code == 400
    late = sandbox.org.put(target, content=b"Key__c\none-3\n", headers={"content-type": "text/csv"})
    assert late.json()[0]["errorCode"] == "INVALIDJOBSTATE"


@pytest.mark.parametrize(
    ("csv_text", "message"),
    [
        ("Key__c,Nope__c\na,b\n", "InvalidBatch : Field name not found : Nope__c"),
        ("Key__c,KEY__C\na,b\n", "InvalidBatch : Duplicate field name : KEY__C"),
        ("Key__c,\na,b\n", "InvalidBatch : Field name not found : "),
        ("Key__c\r\na\r\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ("", "InvalidBatch : Failed to parse CSV header: no header line"),
        ("Key__c,Note__c\na,b,c\n", "InvalidBatch : Failed to parse CSV: rows do not have the columns of the header"),
    ],
)
def test_data_that_cannot_be_understood_fails_the_whole_job(sandbox: Sandbox, csv_text: str, message: str) -> None:
    status = sandbox.ingest("insert", "Visit__c", csv_text)
    assert status["state"] == "Failed"
    assert status["errorMessage"] == message
    assert status["numberRecordsProcessed"] == 0
    assert results(sandbox, status["id"], "unprocessedrecords").count("\n") == csv_text.count("\n")
    assert rows_of(results(sandbox, status["id"], "successfulResults")) == []


def test_empty_cells_leave_alone_and_the_null_mark_clears(sandbox: Sandbox) -> None:
    sandbox.ingest("insert", "Visit__c", "Key__c,Short__c,Tooth__c\nnul-1,keep,11\nnul-2,go,12\n")
    text = 'Key__c,Short__c,Tooth__c\nnul-1,,""\nnul-2,#N/A,#N/A\n'
    status = sandbox.ingest("upsert", "Visit__c", text, externalIdFieldName="key__c")
    assert status["externalIdFieldName"] == "Key__c"
    assert {row["sf__Created"] for row in rows_of(results(sandbox, status["id"], "successfulResults"))} == {"false"}
    sql = 'SELECT "Short__c", "Tooth__c" FROM "Visit__c" WHERE "Key__c" LIKE ? ORDER BY "Key__c"'
    assert sandbox.estate.org.db.execute(sql, ["nul-%"]).fetchall() == [("keep", 11.0), (None, None)]


def test_delimiters_and_line_ends_are_kept_in_the_results(sandbox: Sandbox) -> None:
    text = 'Key__c|Note__c\r\ndel-1|"a|b\r\nc"\r\n'
    status = sandbox.ingest("insert", "Visit__c", text, columnDelimiter="PIPE", lineEnding="CRLF")
    assert status["columnDelimiter"] == "PIPE"
    good = sandbox.get(f"/jobs/ingest/{status['id']}/successfulResults").content
    assert good.startswith(b'"sf__Id"|"sf__Created"|Key__c|Note__c\r\n')
    assert good.endswith(b'|"true"|"del-1"|"a|b\r\nc"\r\n')


def test_parents_are_found_by_their_external_id(sandbox: Sandbox) -> None:
    sandbox.ingest("insert", "Contact", "LastName,Key__c\nMurphy,par-1\n")
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Contact__r.Key__c\npv-1,par-1\npv-2,par-9\n")
    assert (status["numberRecordsProcessed"], status["numberRecordsFailed"]) == (2, 1)
    [bad] = rows_of(results(sandbox, status["id"], "failedResults"))
    assert bad["sf__Error"] == (
        "INVALID_FIELD:Foreign key external ID: par-9 not found for field Key__c in entity Contact:--"
    )


def test_update_delete_and_hard_delete_work_by_id(sandbox: Sandbox) -> None:
    first = sandbox.ingest("insert", "Visit__c", "Key__c\nupd-1\nupd-2\n")
    ids = {row["Key__c"]: row["sf__Id"] for row in rows_of(results(sandbox, first["id"], "successfulResults"))}
    changed = sandbox.ingest("update", "Visit__c", f"id,Short__c\n{ids['upd-1']},new\n003000000000000AAA,x\n")
    assert (changed["numberRecordsProcessed"], changed["numberRecordsFailed"]) == (2, 1)
    gone = sandbox.ingest("delete", "Visit__c", f"Id\n{ids['upd-1']}\n")
    assert gone["numberRecordsFailed"] == 0
    purged = sandbox.ingest("hardDelete", "Visit__c", f"Id\n{ids['upd-2']}\n")
    assert purged["numberRecordsFailed"] == 0
    sql = 'SELECT "Key__c", "IsDeleted" FROM "Visit__c" WHERE "Key__c" LIKE ?'
    assert sandbox.estate.org.db.execute(sql, ["upd-%"]).fetchall() == [("upd-1", True)]


def test_job_and_data_may_come_in_one_multipart_request(sandbox: Sandbox) -> None:
    spec = '{"object":"Visit__c","operation":"insert","contentType":"CSV"}'
    parts = {
        "job": (None, spec, "application/json"),
        "content": ("content", "Key__c\nmp-1\nmp-2\n", "text/csv"),
    }
    job = sandbox.post("/jobs/ingest", files=parts).json()
    assert job["state"] == "UploadComplete"
    assert sandbox.finished(job["id"])["numberRecordsProcessed"] == 2


def test_packed_uploads_and_answers_are_understood(sandbox: Sandbox) -> None:
    text = "Key__c\n" + "".join(f"gz-{n}\n" for n in range(300))
    job = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    headers = {"content-type": "text/csv", "content-encoding": "gzip"}
    put = sandbox.org.put("/" + job["contentUrl"], content=gzip.compress(text.encode()), headers=headers)
    assert put.status_code == 201
    sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    sandbox.finished(job["id"])
    answer = sandbox.get(f"/jobs/ingest/{job['id']}/successfulResults", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    keys = [row["Key__c"] for row in rows_of(answer.text)]
    assert sorted(keys) == sorted(text.split("\n")[1:-1])
    assert keys != text.split("\n")[1:-1], "a real org does not keep the order of the upload"
    broken = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    assert sandbox.org.put("/" + broken["contentUrl"], content=b"no gzip", headers=headers).status_code == 400


def test_answers_are_packed_whole_or_in_pieces_when_the_caller_takes_it(sandbox: Sandbox) -> None:
    sandbox.ingest("insert", "Visit__c", "Key__c\n" + "".join(f"pk-{n:05}\n" for n in range(3_000)))
    soql = "SELECT Key__c FROM Visit__c WHERE Key__c LIKE 'pk-%' ORDER BY Key__c"
    job = sandbox.post("/jobs/query", json={"operation": "query", "query": soql}).json()["id"]
    for _ in range(1000):
        if sandbox.get(f"/jobs/query/{job}").json()["state"] == "JobComplete":
            break
        threading.Event().wait(0.01)
    for encoding, shown in (("gzip, br", "gzip"), ("identity", None)):
        answer = sandbox.get(f"/jobs/query/{job}/results", headers={"accept-encoding": encoding})
        assert answer.headers.get("content-encoding") == shown
        assert [row["Key__c"] for row in rows_of(answer.text)] == [f"pk-{n:05}" for n in range(3_000)]
        listed = sandbox.get("/sobjects", headers={"accept-encoding": encoding})
        assert listed.headers.get("content-encoding") == shown
        assert listed.json()["sobjects"]
    small = sandbox.get("/jobs/ingest/0", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


def test_aborting_and_deleting_depend_on_the_state(sandbox: Sandbox) -> None:
    job = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    target = f"{DATA}/jobs/ingest/{job['id']}"
    refused = sandbox.org.delete(target)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "API_ERROR")
    assert sandbox.org.patch(target, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert sandbox.org.delete(target).status_code == 204
    gone = sandbox.org.get(target)
    assert (gone.status_code, gone.json()[0]["errorCode"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"operation": "insert", "object": "Nothing__c"}, "INVALIDENTITY"),
        ({"operation": "upsert", "object": "Visit__c"}, "INVALIDJOB"),
        ({"operation": "upsert", "object": "Visit__c", "externalIdFieldName": "Short__c"}, "INVALIDJOB"),
        ({"operation": "merge", "object": "Visit__c"}, "INVALIDJOB"),
        ({"operation": "insert", "object": "Visit__c", "contentType": "XML"}, "INVALIDJOB"),
        ({"operation": "insert", "object": "Visit__c", "lineEnding": "CR"}, "INVALIDJOB"),
    ],
)
def test_a_wrong_specification_is_refused(sandbox: Sandbox, spec: dict[str, str], code: str) -> None:
    answer = sandbox.post("/jobs/ingest", json=spec)
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == code


def test_batches_of_ten_thousand_count_against_the_daily_allowance(sandbox: Sandbox) -> None:
    before = sandbox.get("/limits").json()["DailyBulkApiBatches"]["Remaining"]
    text = "Key__c\n" + "".join(f"q-{n}\n" for n in range(20_001))
    status = sandbox.ingest("insert", "Visit__c", text)
    assert status["numberRecordsProcessed"] == 20_001
    assert before - sandbox.get("/limits").json()["DailyBulkApiBatches"]["Remaining"] == 3
    sandbox.control.post("/org/settings", json={"limits": {"DailyBulkApiBatches": 15_000 - before + 4}})
    stopped = sandbox.ingest("insert", "Visit__c", text.replace("q-", "r-"))
    sandbox.control.post("/org/settings", json={"limits": {"DailyBulkApiBatches": 15_000}})
    assert stopped["state"] == "Failed"
    assert stopped["numberRecordsProcessed"] == 10_000
    assert len(rows_of(results(sandbox, stopped["id"], "unprocessedrecords"))) == 10_001


def test_planned_faults_reach_into_a_job(sandbox: Sandbox) -> None:
    plan = [
        {"id": "locks", "kind": "rows", "object": "Visit__c", "keys": "^f-1$"},
        {"id": "stall", "kind": "stall", "object": "Visit__c", "rows": 3},
    ]
    sandbox.control.post("/faults", json=plan)
    status = sandbox.ingest("insert", "Visit__c", "Key__c\nf-1\nf-2\n")
    assert (status["numberRecordsProcessed"], status["numberRecordsFailed"]) == (2, 1)
    [bad] = rows_of(results(sandbox, status["id"], "failedResults"))
    assert bad == {
        "sf__Id": "",
        "sf__Error": "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--",
        "Key__c": "f-1",
    }
    sandbox.control.post("/faults", json={"kind": "fail_job", "rows": 1, "body": "TooManyLockFailure : planned"})
    failed = sandbox.ingest("insert", "Visit__c", "Key__c\ng-1\ng-2\n")
    assert (failed["state"], failed["errorMessage"]) == ("Failed", "TooManyLockFailure : planned")
    assert [row["Key__c"] for row in rows_of(results(sandbox, failed["id"], "unprocessedrecords"))] == ["g-2"]
    assert [row["Key__c"] for row in rows_of(results(sandbox, failed["id"], "successfulResults"))] == ["g-1"]


def test_planned_faults_abort_and_purge_jobs(sandbox: Sandbox) -> None:
    sandbox.control.post("/faults", json={"kind": "abort_job", "rows": 1})
    aborted = sandbox.ingest("insert", "Visit__c", "Key__c\nab-1\nab-2\n")
    assert (aborted["state"], aborted["numberRecordsProcessed"]) == ("Aborted", 1)
    assert [row["Key__c"] for row in rows_of(results(sandbox, aborted["id"], "unprocessedrecords"))] == ["ab-2"]
    sandbox.control.post("/faults", json={"kind": "purge_job"})
    job = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    sandbox.org.put("/" + job["contentUrl"], content=b"Key__c\npu-1\n", headers={"content-type": "text/csv"})
    sandbox.org.patch(f"{DATA}/jobs/ingest/{job['id']}", json={"state": "UploadComplete"})
    for _ in range(500):
        if sandbox.get(f"/jobs/ingest/{job['id']}").status_code == 404:
            break
        threading.Event().wait(0.01)
    assert sandbox.get(f"/jobs/ingest/{job['id']}/successfulResults").status_code == 404
    assert sandbox.estate.org.rows("""SELECT 1 FROM "Visit__c" WHERE "Key__c" = 'pu-1' """)


def test_a_job_is_forgotten_after_seven_days(sandbox: Sandbox) -> None:
    job = sandbox.ingest("insert", "Visit__c", "Key__c\nold-1\n")["id"]
    sandbox.control.post("/clock", json={"advance_s": 6 * 86_400})
    assert sandbox.get(f"/jobs/ingest/{job}").status_code == 200
    sandbox.control.post("/clock", json={"advance_s": 2 * 86_400})
    assert sandbox.get(f"/jobs/ingest/{job}").status_code == 404


def test_full_storage_refuses_new_records_only(sandbox: Sandbox) -> None:
    sandbox.ingest("insert", "Visit__c", "Key__c\n" + "".join(f"sf-{n}\n" for n in range(600)))
    used = sandbox.get("/limits").json()["DataStorageMB"]
    full = used["Max"] - used["Remaining"]
    sandbox.control.post("/org/settings", json={"limits": {"DataStorageMB": full}})
    text = "Key__c\n" + "".join(f"sg-{n}\n" for n in range(1500))
    status = sandbox.ingest("insert", "Visit__c", text)
    again = sandbox.ingest("update", "Visit__c", "Id,Short__c\n" + first_id(sandbox) + ",still possible\n")
    sandbox.control.post("/org/settings", json={"limits": {"DataStorageMB": used["Max"]}})
    assert 1500 - 512 <= status["numberRecordsFailed"] <= 1500
    errors = {row["sf__Error"] for row in rows_of(results(sandbox, status["id"], "failedResults"))}
    assert errors == {"STORAGE_LIMIT_EXCEEDED:storage limit exceeded:--"}
    assert again["numberRecordsFailed"] == 0


def first_id(sandbox: Sandbox) -> str:
    return sandbox.estate.org.rows("""SELECT "Id" FROM "Visit__c" WHERE "Key__c" = 'sf-0' """)[0]["Id"]


def test_many_jobs_at_once_lose_nothing(sandbox: Sandbox) -> None:
    jobs: list[str] = []

    def load(number: int) -> None:
        text = "Key__c\n" + "".join(f"m{number}-{n}\n" for n in range(500))
        jobs.append(sandbox.ingest("insert", "Visit__c", text)["id"])

    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(jobs) == 4
    sql = 'SELECT count(*), count(DISTINCT "Key__c") FROM "Visit__c" WHERE regexp_matches("Key__c", ?)'
    assert sandbox.estate.org.db.execute(sql, ["^m[0-9]-"]).fetchone() == (2000, 2000)


def test_results_of_a_job_in_several_pieces_hold_every_row_once(sandbox: Sandbox) -> None:
    count, bad = 60_000, {7, 49_999, 50_000, 59_999}
    lines = (f"piece-{n},{'abc' if n in bad else n}" for n in range(count))
    job = sandbox.ingest("insert", "Visit__c", "Key__c,Cost__c\n" + "\n".join(lines) + "\n")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (count, len(bad))
    good = rows_of(results(sandbox, job["id"], "successfulResults"))
    failed = rows_of(results(sandbox, job["id"], "failedResults"))
    assert {row["Key__c"] for row in failed} == {f"piece-{n}" for n in bad}
    assert len(good) == len({row["sf__Id"] for row in good}) == count - len(bad)
    assert {row["Key__c"] for row in good} == {f"piece-{n}" for n in range(count)} - {f"piece-{n}" for n in bad}
    assert [row["Key__c"] for row in good] != sorted((row["Key__c"] for row in good), key=lambda key: int(key[6:]))
    assert results(sandbox, job["id"], "unprocessedrecords") == "Key__c,Cost__c\n"
    by_key = {row["Key__c"]: row["sf__Id"] for row in good}
    asked = "SELECT Id, Key__c FROM Visit__c WHERE Key__c IN ('piece-0', 'piece-50001')"
    found = sandbox.get("/query", params={"q": asked}).json()["records"]
    assert {row["Key__c"]: row["Id"] for row in found} == {key: by_key[key] for key in ("piece-0", "piece-50001")}

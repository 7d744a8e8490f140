"""The control door's files and switches: a snapshot in a fresh process, Parquet, every switch, refusals without traces."""

import io
import json
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet as pq
import pytest
from door_harness import DATA, Sandbox, run_in_thread

from chartlift_sandbox.estate import build_estate


def switch(sandbox: Sandbox, **words: Any) -> httpx2.Response:
    return sandbox.control.post("/switches", json=words)


def told(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in sandbox.control.get("/switches").json()["switches"]}


def client_of(base: str, token: str) -> httpx2.Client:
    return httpx2.Client(base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=30)


def test_a_snapshot_goes_on_in_a_fresh_process(sandbox: Sandbox, tmp_path: Path) -> None:
    app = sandbox.estate.doors.sessions.app
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.client_secret}
    token = httpx2.post(f"{sandbox.estate.addresses.org}/services/oauth2/token", data=form).json()["access_token"]
    job = sandbox.ingest("insert", "Visit__c", "Key__c,Cost__c\nfp-1,1.5\nfp-2,x\n")["id"]
    opened = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    sandbox.org.put("/" + opened["contentUrl"], content=b"Key__c\nfp-3\n", headers={"content-type": "text/csv"})
    asked = {"operation": "query", "query": "SELECT Key__c FROM Visit__c WHERE Key__c LIKE 'fp-%'"}
    query = sandbox.post("/jobs/query", json=asked).json()["id"]
    gone = sandbox.post("/sobjects/Visit__c", json={"Key__c": "fp-gone"}).json()["id"]
    sandbox.org.delete(f"{DATA}/sobjects/Visit__c/{gone}")
    rule = {"object": "Visit__c", "condition": '"Tooth__c" > 85', "message": "No such tooth"}
    sandbox.control.post("/org/settings", json={"validation_rules": [rule], "limits": {"DailyBulkApiBatches": 77}})
    switch(sandbox, bulk_echo_java_doubles=False, recycle_bin_days=9)
    sandbox.control.post("/clock", json={"advance_s": 5_000})
    now = sandbox.estate.clock.now()
    path, before = str(tmp_path / "org.snapshot"), sandbox.control.get("/org/state-hash?system=1").json()
    assert sandbox.control.post("/org/snapshot", json={"path": path}).status_code == 200
    good = sandbox.get(f"/jobs/ingest/{job}/successfulResults").text
    writes = sandbox.control.get("/org/writes").json()
    sandbox.control.post("/org/settings", json={"validation_rules": []})
    switch(sandbox, bulk_echo_java_doubles=True, recycle_bin_days=15)

    estate = build_estate(tmp_path, patients=5, seed=99)
    thread, loop, stop = run_in_thread(estate)
    with httpx2.Client(base_url=estate.addresses.control, timeout=60) as control:
        assert control.post("/org/restore", json={"path": path}).status_code == 200
        assert control.get("/org/state-hash?system=1").json() == before
        assert control.get("/org/writes").json() == writes
        assert estate.clock.now() >= now
        assert control.get("/org/settings").json()["recycle_bin_days"] == 9
        for bearer in (token, estate.access_token):
            with client_of(estate.addresses.org, bearer) as org:
                assert org.get(f"{DATA}/limits").json()["DailyBulkApiBatches"]["Max"] == 77
        with client_of(estate.addresses.org, token) as org:
            assert org.get(f"{DATA}/jobs/ingest/{job}/successfulResults").text == good
            assert "fp-2" in org.get(f"{DATA}/jobs/ingest/{job}/failedResults").text
            assert org.get(f"{DATA}/jobs/query/{query}/results").text.count("fp-") == 1
            org.patch(f"{DATA}/jobs/ingest/{opened['id']}", json={"state": "UploadComplete"})
            fresh = Sandbox(estate, org, control)
            ended = fresh.finished(opened["id"])
            assert ended["numberRecordsProcessed"] == 1, str(ended)
            assert fresh.ingest("insert", "Visit__c", "Key__c,Tooth__c\nfp-5,99\n")["numberRecordsFailed"] == 1
            assert fresh.get("/queryAll", params={"q": f"SELECT Id FROM Visit__c WHERE Id = '{gone}'"}).json()[
                "totalSize"
            ]
        words = {"op": "undelete", "object": "Visit__c", "id": gone}
        assert control.post("/org/edit", json=words).json() == {"id": gone}
    loop.call_soon_threadsafe(stop.set)
    thread.join(15)


def test_what_is_no_snapshot_changes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.control.get("/org/state-hash?system=1").json()
    text, folder = tmp_path / "text", tmp_path / "folder"
    text.write_text("not a database", encoding="utf-8")
    folder.mkdir()
    for path in (text, folder, tmp_path / "missing"):
        answer = sandbox.control.post("/org/restore", json={"path": str(path)})
        assert (answer.status_code, list(answer.json())) == (400, ["error"])
    for path in (text, folder, tmp_path / "no" / "where"):
        assert sandbox.control.post("/org/snapshot", json={"path": str(path)}).status_code == 400
    assert text.read_text(encoding="utf-8") == "not a database"
    assert sandbox.control.get("/org/state-hash?system=1").json() == before


def test_an_object_comes_as_parquet(sandbox: Sandbox, tmp_path: Path) -> None:
    lines = "".join(f"pq-{n},{n}.25\n" for n in range(3_000))
    sandbox.ingest("insert", "Visit__c", f"Key__c,Cost__c\n{lines}")
    answer = sandbox.control.get("/org/dump/Visit__c.parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    rows = pq.read_table(io.BytesIO(answer.content)).to_pylist()
    mine = {row["Key__c"]: row["Cost__c"] for row in rows if (row["Key__c"] or "").startswith("pq-")}
    assert mine == {f"pq-{n}": n + 0.25 for n in range(3_000)}
    assert not any(name.startswith("_") for name in rows[0])
    path = tmp_path / "visits.parquet"
    said = sandbox.control.post("/org/dump", json={"object": "visit__c", "path": str(path)}).json()
    assert (said["rows"], pq.read_metadata(path).num_rows) == (len(rows), len(rows))
    assert sandbox.control.get("/org/dump/Nope__c.parquet").status_code == 404
    assert sandbox.control.post("/org/dump", json={"object": "Contact", "path": "/no/where"}).status_code == 400
    assert sandbox.control.post("/org/dump", json={"path": str(path)}).status_code == 400


def test_every_switch_is_told_with_its_meaning(sandbox: Sandbox) -> None:
    switches = told(sandbox)
    assert {"org", "doors", "clinic"} == {one["of"] for one in switches.values()}
    assert [name for name, one in switches.items() if len(one["meaning"]) < 15] == []
    assert switches["bulk_shuffle_results"] | {"meaning": ""} == {
        "name": "bulk_shuffle_results", "of": "doors", "value": True, "default": True, "type": "bool", "meaning": "",
    }  # fmt: skip
    for words in (
        {"no_such": True}, {"bulk_shuffle_results": 1}, {"text_area_line_ends": "cr"}, {"event_max_days": -1},
        {"scope": "world"},
    ):  # fmt: skip
        assert switch(sandbox, **words).status_code == 400


def test_unverified_habits_can_be_flipped(sandbox: Sandbox) -> None:
    text = {"text_area_line_ends": "crlf", "bulk_skips_bom": False, "bulk_query_java_doubles": False}
    switch(sandbox, **text, bulk_query_z_datetimes=False, bulk_second_upload_code="INVALIDJOB", newest_api_version=68)
    try:
        sandbox.post("/sobjects/Visit__c", json={"Key__c": "uh-1", "Note__c": "a\nb", "Cost__c": 120})
        assert sandbox.get("/sobjects/Visit__c/Key__c/uh-1").json()["Note__c"] == "a\r\nb"
        status = sandbox.ingest("insert", "Visit__c", b"\xef\xbb\xbfKey__c\nuh-2\n")
        assert status["errorMessage"].startswith("InvalidBatch : Field name not found : ")
        query = "SELECT CreatedDate, Cost__c FROM Visit__c WHERE Key__c = 'uh-1'"
        job = sandbox.post("/jobs/query", json={"operation": "query", "query": query}).json()["id"]
        sandbox.get(f"/jobs/query/{job}")
        line = sandbox.get(f"/jobs/query/{job}/results").text.splitlines()[1]
        assert line.endswith('.000+0000","120"')
        opened = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
        puts = [
            sandbox.org.put("/" + opened["contentUrl"], content=b"Key__c\nx\n", headers={"content-type": "text/csv"})
            for _ in range(2)
        ]
        assert puts[1].json()[0]["errorCode"] == "INVALIDJOB"
        assert sandbox.org.get("/services/data").json()[-1]["version"] == "68.0"
        assert sandbox.org.get("/services/data/v68.0/limits").status_code == 200
    finally:
        switch(sandbox, text_area_line_ends="as_sent", bulk_skips_bom=True, bulk_query_java_doubles=True)
        switch(sandbox, bulk_query_z_datetimes=True, bulk_second_upload_code="INVALIDJOBSTATE", newest_api_version=67)
    assert sandbox.org.get("/services/data/v68.0/limits").status_code == 404
    event = {"Subject": "Long", "StartDateTime": "2026-01-01T08:00:00Z", "DurationInMinutes": 15 * 1_440}
    assert sandbox.post("/sobjects/Event", json=event).json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    switch(sandbox, event_max_days=0)
    assert sandbox.post("/sobjects/Event", json=event).status_code == 201
    switch(sandbox, event_max_days=14)
    mail = {"Subject": "x", "Status": "3"}
    made = sandbox.post("/sobjects/EmailMessage", json=mail).json()["id"]
    target = f"{DATA}/sobjects/EmailMessage/{made}"
    assert sandbox.org.patch(target, json={"Subject": "y"}).json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    switch(sandbox, email_message_locked_once_sent=False)
    assert sandbox.org.patch(target, json={"Subject": "y"}).status_code == 204
    switch(sandbox, email_message_locked_once_sent=True)


HOSTILE: tuple[bytes, ...] = (
    b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b"[" * 20_000, b'{"a":' * 20_000, b'{"advance_s": NaN}',
    b'{"advance_s": 1e400}', b'{"path": 5}', b'{"path": "a\\u0000b"}', b'{"fault": []}', b'{"faults": {"a": 1}}',
    b'{"op": "insert", "object": "Contact", "fields": [1]}', b'{"op": "update", "object": null, "id": {}}',
    b'{"op": "merge", "object": "Contact", "id": "003", "fields": {"loser": 7}}', b'{"limits": {"x": 1}}',
    b'{"limits": {"DailyApiRequests": "many"}}', b'{"session_s": "long"}', b'{"unique": {"a": {}}}',
    b'{"validation_rules": [{"object": "Contact", "condition": "1 = (", "message": "x"}]}',
    b'{"field_updates": [{"object": "Contact", "field": "Title", "expression": "nope("}]}', b'{"public_key": "BEGIN"}',
    b'{"object": "Contact", "path": "/"}', b'{"kind": "status", "path": "/no/(", "nth": {}}', b'{"fault": "F50", "record": 1}',
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_the_control_door_answers_bad_input_with_words(
    sandbox: Sandbox, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # "(" is a good name for a snapshot
    paths = [
        ("POST", "/clock"), ("POST", "/faults"), ("POST", "/org/edit"), ("POST", "/org/snapshot"), ("POST", "/org/dump"),
        ("POST", "/org/restore"), ("POST", "/org/settings"), ("POST", "/switches"), ("POST", "/org/rules"),
        ("POST", "/clinic/mutate"),
        ("PUT", "/reset"), ("GET", "/nowhere"), ("GET", "/org/writes?since=-1"), ("GET", "/org/writes?limit=9" + "9" * 40),
    ]  # fmt: skip
    for method, path in paths:
        answer = sandbox.control.request(method, path, content=HOSTILE[number])
        assert answer.status_code < 500, (path, answer.text)
        found = answer.json()
        if answer.status_code >= 400:
            assert isinstance(found["error"], str), path
            assert "Traceback" not in json.dumps(found)
    sandbox.control.delete("/faults")


def test_the_page_about_the_door_names_switches_and_defaults_as_they_are(sandbox: Sandbox) -> None:
    page = (Path(__file__).parents[3] / "docs" / "sandbox" / "control-door.md").read_text(encoding="utf-8")
    switches = told(sandbox)
    table = page.partition("| switch | default |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `") and "(settings)" not in line]
    assert len(rows) > 15
    for names, defaults in rows:
        for name, default in zip(names.split(","), defaults.split(","), strict=True):
            found = switches[name.strip(" `")]["default"]
            shown = (
                str(found).lower()
                if isinstance(found, bool)
                else f"{found:g}"
                if isinstance(found, float)
                else str(found)
            )
            assert shown == default.strip(), name
    for path in ("/org/dump", "/switches", "/org/snapshot", "/faults", "/clock"):
        assert f"{path}" in page

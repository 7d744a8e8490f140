"""The control door: clock, counters, writes, edits as a person, snapshots, switches."""

import json
from pathlib import Path

from door_harness import Sandbox


def test_whoami_names_every_origin(sandbox: Sandbox) -> None:
    found = sandbox.control.get("/whoami").json()
    at = sandbox.estate.addresses
    assert found["origins"] == [at.org, at.org_tls, at.clinic, at.control]
    assert at.org_tls.startswith("https://")


def test_the_clock_moves_forward_only(sandbox: Sandbox) -> None:
    before = sandbox.control.post("/clock", json={}).json()["now"]
    after = sandbox.control.post("/clock", json={"advance_s": 3600}).json()["now"]
    assert after > before
    assert sandbox.control.post("/clock", json={"advance_s": -1}).status_code == 400
    assert sandbox.control.post("/clock", json={"advance_s": "x"}).status_code == 400


def test_requests_are_counted_by_pattern(sandbox: Sandbox) -> None:
    sandbox.control.delete("/stats")
    job = sandbox.ingest("insert", "Visit__c", "Key__c\nstat-1\n")["id"]
    sandbox.get(f"/jobs/ingest/{job}/successfulResults")
    rows = {(row["vendor"], row["method"], row["path"]): row["count"] for row in sandbox.control.get("/stats").json()}
    base = "/services/data/v{version}/jobs/ingest"
    assert rows["org", "POST", base] == 1
    assert rows["org", "PUT", base + "/{id}/batches"] == 1
    assert rows["org", "GET", base + "/{id}/successfulResults"] == 1
    assert not any(job in path for _, _, path in rows)


def test_every_row_that_was_written_is_listed(sandbox: Sandbox) -> None:
    start = sandbox.control.get("/org/writes").json()[-1]["n"]
    job = sandbox.ingest("insert", "Visit__c", "Key__c,Cost__c\nwr-1,1\nwr-2,abc\n")["id"]
    rows = sandbox.control.get("/org/writes", params={"since": start}).json()
    assert [(row["op"], row["object"], row["ok"], row["job"]) for row in rows] == [
        ("insert", "Visit__c", True, job),
        ("insert", "Visit__c", False, job),
    ]
    assert rows[0]["new"]["Key__c"] == "wr-1"
    assert rows[1]["error"].startswith("INVALID_TYPE_ON_FIELD_IN_RECORD")
    assert sandbox.control.get("/org/writes", params={"since": start, "limit": 1}).json() == rows[:1]
    assert sandbox.control.get("/org/writes", params={"job": job, "limit": 5}).json() == rows
    assert sandbox.control.get("/org/writes", params={"job": job, "op": "update"}).json() == []


def test_a_long_log_comes_as_one_list(sandbox: Sandbox) -> None:
    start = sandbox.control.get("/org/writes").json()[-1]["n"]
    lines = "".join(f"lg-{n},{n}\n" for n in range(5_000))
    sandbox.ingest("insert", "Visit__c", f"Key__c,Cost__c\n{lines}")
    rows = sandbox.control.get("/org/writes", params={"since": start}).json()
    assert [row["n"] for row in rows] == list(range(start + 1, start + 5_001))
    assert {row["new"]["Cost__c"] for row in rows} == set(range(5_000))


def test_a_person_edits_and_the_state_hash_sees_it(sandbox: Sandbox) -> None:
    made = sandbox.control.post(
        "/org/edit", json={"op": "insert", "object": "Contact", "fields": {"LastName": "Person"}}
    )
    record = made.json()["id"]
    first = sandbox.control.get("/org/state-hash").json()
    words = {
        "op": "update",
        "object": "Contact",
        "id": record,
        "fields": {"Title": "Dr"},
        "user": "frontdesk@clinic.example",
    }
    assert sandbox.control.post("/org/edit", json=words).json() == {"id": record}
    second = sandbox.control.get("/org/state-hash").json()
    assert first != second
    row = sandbox.control.get("/org/writes").json()[-1]
    assert (row["user"], row["job"]) == (sandbox.estate.org.people.front_desk, None)
    sandbox.control.post(
        "/org/edit", json={"op": "update", "object": "Contact", "id": record, "fields": {"Title": None}}
    )
    assert sandbox.control.get("/org/state-hash").json() == first
    assert sandbox.control.get("/org/state-hash?system=1").json() != first
    assert (
        sandbox.control.post("/org/edit", json={"op": "delete", "object": "Contact", "id": record}).status_code == 200
    )
    assert (
        sandbox.control.post("/org/edit", json={"op": "undelete", "object": "Contact", "id": record}).status_code == 200
    )
    nobody = sandbox.control.post("/org/edit", json={"op": "delete", "object": "Contact", "id": record, "user": "x@y"})
    assert nobody.status_code == 404


def test_a_person_merges_contacts(sandbox: Sandbox) -> None:
    ids = [
        sandbox.control.post(
            "/org/edit", json={"op": "insert", "object": "Contact", "fields": {"LastName": f"Twin {n}"}}
        ).json()["id"]
        for n in range(2)
    ]
    words = {"op": "merge", "object": "Contact", "id": ids[0], "fields": {"loser": ids[1]}}
    assert sandbox.control.post("/org/edit", json=words).json() == {"id": ids[0]}
    rows = sandbox.estate.org.rows('SELECT "MasterRecordId" FROM "Contact" WHERE "Id" = ?', [ids[1]])
    assert rows == [{"MasterRecordId": ids[0]}]


def test_snapshots_bring_the_org_back(sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.control.get("/org/state-hash?system=1").json()
    path = str(tmp_path / "org.snapshot")
    assert sandbox.control.post("/org/snapshot", json={"path": path}).status_code == 200
    sandbox.ingest("insert", "Visit__c", "Key__c\nsnap-1\n")
    assert sandbox.control.get("/org/state-hash?system=1").json() != before
    assert sandbox.control.post("/org/restore", json={"path": path}).status_code == 200
    assert sandbox.control.get("/org/state-hash?system=1").json() == before
    assert sandbox.ingest("insert", "Visit__c", "Key__c\nsnap-2\n")["numberRecordsFailed"] == 0
    assert sandbox.control.post("/org/restore", json={"path": "/nowhere/at/all"}).status_code == 400
    assert sandbox.control.post("/org/restore", json={}).status_code == 400


def test_switches_can_be_flipped(sandbox: Sandbox) -> None:
    found = sandbox.control.get("/org/settings").json()
    assert found["bulk_shuffle_results"] is True
    sandbox.control.post("/org/settings", json={"bulk_echo_java_doubles": False})
    job = sandbox.ingest("insert", "Visit__c", "Key__c,Cost__c\nsw-1,120\n")["id"]
    assert '"sw-1","120"' in sandbox.get(f"/jobs/ingest/{job}/successfulResults").text
    sandbox.control.post("/org/settings", json={"bulk_echo_java_doubles": True})
    assert '"sw-1","120.0"' in sandbox.get(f"/jobs/ingest/{job}/successfulResults").text
    assert sandbox.control.post("/org/settings", json={"no_such_switch": True}).status_code == 400
    assert sandbox.control.post("/org/settings", json={"bulk_shuffle_results": "yes"}).status_code == 400
    assert sandbox.control.post("/org/settings", json={"unique": {"Visit__c.Short__c": True}}).status_code == 200
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Short__c\nuq-1,same\nuq-2,same\n")
    assert status["numberRecordsFailed"] == 1
    sandbox.control.post("/org/settings", json={"unique": {"Visit__c.Short__c": False}})


def test_automation_can_be_switched_on(sandbox: Sandbox) -> None:
    rule = {"object": "Visit__c", "condition": '"Tooth__c" > 85', "message": "No such tooth", "error_field": "Tooth__c"}
    flow = {"object": "Visit__c", "field": "Short__c", "expression": "'flow was here'"}
    sandbox.control.post("/org/settings", json={"validation_rules": [rule], "field_updates": [flow]})
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Tooth__c\nauto-1,11\nauto-2,99\n")
    sandbox.control.post("/org/settings", json={"validation_rules": [], "field_updates": []})
    assert status["numberRecordsFailed"] == 1
    failed = sandbox.get(f"/jobs/ingest/{status['id']}/failedResults").text
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION:No such tooth:Tooth__c --" in failed
    rows = sandbox.estate.org.rows("""SELECT "Short__c" FROM "Visit__c" WHERE "Key__c" = 'auto-1' """)
    assert rows == [{"Short__c": "flow was here"}]
    broken = sandbox.control.post("/org/settings", json={"validation_rules": [{"object": "Nope"}]})
    assert broken.status_code == 400


def test_the_audit_switch_shows_and_hides_its_permissions(sandbox: Sandbox) -> None:
    query = {"q": "SELECT PermissionsCreateAuditFields FROM UserPermissionAccess"}
    assert sandbox.get("/query", params=query).json()["records"][0]["PermissionsCreateAuditFields"] is True
    sandbox.control.post("/org/settings", json={"set_audit_fields": False})
    hidden = sandbox.get("/query", params=query)
    sandbox.control.post("/org/settings", json={"set_audit_fields": True})
    assert (hidden.status_code, hidden.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert sandbox.get("/query", params=query).status_code == 200


def test_the_clinic_is_changed_and_its_truth_told(sandbox: Sandbox) -> None:
    truth = sandbox.control.get("/clinic/truth").json()
    assert truth
    patient = sandbox.estate.clinic.ids("patient")[0]
    words = {"op": "update", "entity": "patient", "id": patient, "fields": {"lastName": "Changed"}}
    assert sandbox.control.post("/clinic/mutate", json=words).json() == {"id": patient}
    assert sandbox.control.post("/clinic/mutate", json={"op": "update", "entity": "ghost", "id": 1}).status_code == 404


def test_any_text_and_any_nesting_reaches_the_clinic(sandbox: Sandbox) -> None:
    clinic = sandbox.estate.clinic
    note, invoice = clinic.ids("clinicalNote")[0], clinic.ids("invoice")[0]
    lines = [{"invoiceLineId": 9, "lineTotal": "1.005", "parts": [{"deep": None}]}]
    for entity, key, fields in (
        ("clinicalNote", note, {"text": "half \ud83e pair \u0000" + "x" * 2_000_000}),
        ("invoice", invoice, {"currency": "XBT", "lineItems": lines}),
    ):
        words = {"op": "update", "entity": entity, "id": key, "fields": fields}
        assert sandbox.control.post("/clinic/mutate", content=json.dumps(words).encode()).json() == {"id": key}
        row = clinic.record(entity, key) or {}
        assert {name: row[name] for name in fields} == fields
    assert sandbox.control.post("/clinic/mutate", content=b'{"op": "upd').status_code == 400
    clinic.reset()


def test_reset_goes_back_to_the_start(sandbox: Sandbox) -> None:
    from door_packages import package

    sandbox.control.post("/clock", json={"advance_s": 86_400})
    sandbox.control.post("/faults", json={"kind": "status", "path": "/limits", "when": "persistent"})
    assert sandbox.control.post("/reset").status_code == 200
    assert sandbox.control.get("/faults").json() == {"faults": []}
    assert sandbox.control.get("/org/writes").json() == []
    assert sandbox.estate.org.schema.object("Visit__c") is None
    assert sandbox.get("/limits").status_code == 200, "the preset token is still good"
    assert sandbox.deploy(package())["status"] == "Succeeded"
    sandbox.assign("Visit_Access")
    sandbox.control.post("/org/settings", json={"bulk_echo_java_doubles": False})
    status = sandbox.ingest("insert", "Visit__c", "Key__c,Cost__c\nafter-1,7\n")
    assert '"after-1","7"' in sandbox.get(f"/jobs/ingest/{status['id']}/successfulResults").text
    sandbox.control.post("/org/settings", json={"bulk_echo_java_doubles": True})

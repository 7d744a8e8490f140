"""Planned faults on the wire."""

import time

import httpx2
import pytest
from door_harness import DATA, Sandbox

from chartlift_sandbox.faults import FaultError, FaultPlan


def plan(sandbox: Sandbox, *faults: dict[str, object]) -> None:
    assert sandbox.control.post("/faults", json=list(faults)).status_code == 200


def test_a_status_fault_hits_the_nth_call_only(sandbox: Sandbox) -> None:
    plan(sandbox, {"kind": "status", "path": "/limits$", "nth": 2, "status": 502, "body": "<html>bad gateway</html>"})
    answers = [sandbox.get("/limits") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 502, 200]
    assert answers[1].headers["content-type"].startswith("text/html")
    report = sandbox.control.get("/faults").json()["faults"][0]
    assert (report["calls"], report["hits"]) == (3, 1)


def test_every_and_persistent_and_times(sandbox: Sandbox) -> None:
    plan(sandbox, {"kind": "status", "path": "/limits$", "when": "every", "every": 2})
    assert [sandbox.get("/limits").status_code for _ in range(4)] == [503, 200, 503, 200]
    plan(sandbox, {"kind": "status", "path": "/limits$", "when": "persistent", "times": 2, "nth": 2})
    assert [sandbox.get("/limits").status_code for _ in range(4)] == [200, 503, 503, 200]


def test_shares_are_drawn_from_the_seed(sandbox: Sandbox) -> None:
    fault = {"kind": "status", "path": "/limits$", "when": "persistent", "share": 0.5, "seed": 4}
    seen = []
    for _ in range(2):
        plan(sandbox, fault)
        seen.append([sandbox.get("/limits").status_code for _ in range(12)])
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 503}


def test_a_reset_has_no_effect_and_a_drop_has(sandbox: Sandbox) -> None:
    jobs = len(sandbox.estate.doors.jobs.all())
    for kind, more in (("reset", 0), ("drop", 1)):
        plan(sandbox, {"kind": kind, "method": "POST", "path": "/jobs/ingest$"})
        with pytest.raises(httpx2.TransportError):
            sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"})
        assert len(sandbox.estate.doors.jobs.all()) == jobs + more


def test_an_upload_can_be_cut_in_the_middle(sandbox: Sandbox) -> None:
    job = sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).json()
    plan(sandbox, {"kind": "reset", "method": "PUT", "path": "/batches$", "bytes": 10_000})
    body = b"Key__c\n" + b"x" * 3_000_000
    with pytest.raises(httpx2.TransportError):
        sandbox.org.put("/" + job["contentUrl"], content=body, headers={"content-type": "text/csv"})
    assert sandbox.estate.doors.jobs.get(job["id"]).uploaded is False


def test_faults_watch_single_objects(sandbox: Sandbox) -> None:
    plan(sandbox, {"kind": "status", "object": "Visit__c", "path": "/jobs/ingest", "when": "persistent"})
    assert sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Contact"}).status_code == 200
    assert sandbox.post("/jobs/ingest", json={"operation": "insert", "object": "Visit__c"}).status_code == 503


def test_answers_are_truncated_with_and_without_a_trace(sandbox: Sandbox) -> None:
    text = "Key__c\n" + "".join(f"tr-{n}\n" for n in range(200))
    job = sandbox.ingest("insert", "Visit__c", text)["id"]
    path = f"/jobs/ingest/{job}/successfulResults"
    whole = sandbox.get(path).text
    plan(sandbox, {"kind": "truncate", "path": "/successfulResults$", "fraction": 0.5})
    with pytest.raises(httpx2.TransportError):
        sandbox.get(path)
    cut = {"kind": "truncate", "path": "/successfulResults$", "fraction": 0.5, "row_boundary": True, "clean": True}
    plan(sandbox, cut)
    short = sandbox.get(path)
    assert short.status_code == 200
    assert whole.startswith(short.text)
    assert short.text.endswith("\n")
    assert 50 < short.text.count("\n") < 150
    assert sandbox.get(path).text == whole


def test_delays_push_the_virtual_clock(sandbox: Sandbox) -> None:
    plan(sandbox, {"kind": "delay", "path": "/limits$", "seconds": 0.05, "clock_s": 600})
    before, start = sandbox.estate.clock.now(), time.monotonic()
    assert sandbox.get("/limits").status_code == 200
    assert time.monotonic() - start >= 0.05
    assert (sandbox.estate.clock.now() - before).total_seconds() >= 600


def test_a_token_expires_in_the_middle_of_a_run(sandbox: Sandbox) -> None:
    app = sandbox.estate.doors.sessions.app
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.client_secret}
    base = sandbox.estate.addresses.org
    token = httpx2.post(f"{base}/services/oauth2/token", data=form).json()["access_token"]
    plan(sandbox, {"kind": "expire_token", "path": "/limits$"})
    answer = httpx2.get(f"{base}{DATA}/limits", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


def test_the_clinic_has_faults_of_its_own(sandbox: Sandbox) -> None:
    plan(sandbox, {"kind": "status", "vendor": "clinic", "status": 500, "body": '{"error":"x"}', "path": "/login"})
    assert sandbox.get("/limits").status_code == 200
    answer = httpx2.post(f"{sandbox.estate.addresses.clinic}/login", json={})
    assert (answer.status_code, answer.json()) == (500, {"error": "x"})


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "explode"}, "kind must be one of"),
        ({"kind": "status", "vendor": "mars"}, "vendor must be one of"),
        ({"kind": "status", "colour": 1}, "unknown word colour"),
        ({"kind": "status", "path": "("}, "is no regular expression"),
        ({"kind": "status", "nth": 0}, "start at 1"),
        ({"kind": "status", "nth": "first"}, "nth must be int"),
        ("x", "is not an object"),
    ],
)
def test_a_plan_that_cannot_be_understood_is_refused(fault: object, words: str) -> None:
    plan = FaultPlan()
    with pytest.raises(FaultError, match=words.replace("(", r"\(")):
        plan.replace([fault])
    assert plan.report() == []

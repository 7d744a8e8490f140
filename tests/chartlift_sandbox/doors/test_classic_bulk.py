"""Bulk API 1.0 with XML control messages and CSV data, as CumulusCI speaks it."""

import threading
from xml.etree.ElementTree import Element, fromstring

import httpx2
from door_harness import Sandbox

NS = "http://www.force.com/2009/06/asyncapi/dataload"


def call(sandbox: Sandbox, method: str, path: str, body: str = "", kind: str = "application/xml") -> httpx2.Response:
    headers = {"X-SFDC-Session": sandbox.estate.access_token, "content-type": kind}
    url = f"{sandbox.estate.addresses.org}/services/async/67.0/job{path}"
    return httpx2.request(method, url, content=body.encode(), headers=headers)


def text(answer: httpx2.Response, name: str) -> str:
    found: Element | None = fromstring(answer.text).find(f".//{{{NS}}}{name}")
    assert found is not None, answer.text
    return found.text or ""


def opened(sandbox: Sandbox, operation: str, extra: str = "") -> str:
    words = f"<operation>{operation}</operation><object>Visit__c</object>{extra}<contentType>CSV</contentType>"
    answer = call(sandbox, "POST", "", f'<jobInfo xmlns="{NS}">{words}</jobInfo>')
    assert (answer.status_code, text(answer, "state")) == (201, "Open")
    return text(answer, "id")


def finished(sandbox: Sandbox, job: str, batch: str) -> httpx2.Response:
    for _ in range(500):
        answer = call(sandbox, "GET", f"/{job}/batch/{batch}")
        if text(answer, "state") not in {"Queued", "InProgress"}:
            return answer
        threading.Event().wait(0.01)
    raise AssertionError("the batch did not end")


def test_rows_come_back_in_input_order(sandbox: Sandbox) -> None:
    job = opened(sandbox, "upsert", "<externalIdFieldName>Key__c</externalIdFieldName>")
    batch = text(call(sandbox, "POST", f"/{job}/batch", "Key__c,Cost__c\nx1-1,1\nx1-2,abc\nx1-3,3\n", "text/csv"), "id")
    assert text(finished(sandbox, job, batch), "numberRecordsFailed") == "1"
    closed = call(sandbox, "POST", f"/{job}", f'<jobInfo xmlns="{NS}"><state>Closed</state></jobInfo>')
    assert (text(closed, "state"), text(closed, "numberBatchesCompleted")) == ("Closed", "1")
    lines = call(sandbox, "GET", f"/{job}/batch/{batch}/result").text.splitlines()
    assert lines[0] == '"Id","Success","Created","Error"'
    assert [line.split(",")[1:3] for line in lines[1:]] == [
        ['"true"', '"true"'],
        ['"false"', '"false"'],
        ['"true"', '"true"'],
    ]
    assert text(call(sandbox, "GET", f"/{job}/batch"), "id") == batch


def test_a_bad_column_fails_the_batch_and_a_dead_session_the_call(sandbox: Sandbox) -> None:
    job = opened(sandbox, "insert")
    batch = text(call(sandbox, "POST", f"/{job}/batch", "Nope__c\n1\n", "text/csv"), "id")
    done = finished(sandbox, job, batch)
    assert (text(done, "state"), text(done, "stateMessage")) == (
        "Failed",
        "InvalidBatch : Field name not found : Nope__c",
    )
    url = f"{sandbox.estate.addresses.org}/services/async/67.0/job/{job}"
    dead = httpx2.get(url, headers={"X-SFDC-Session": "00D000000000000!dead"})
    assert (dead.status_code, text(dead, "exceptionCode")) == (400, "InvalidSessionId")


def test_queries_give_a_list_of_results(sandbox: Sandbox) -> None:
    job = opened(sandbox, "query")
    soql = "SELECT Key__c FROM Visit__c WHERE Key__c LIKE 'x1-%' ORDER BY Key__c"
    batch = text(call(sandbox, "POST", f"/{job}/batch", soql, "text/csv"), "id")
    finished(sandbox, job, batch)
    result = text(call(sandbox, "GET", f"/{job}/batch/{batch}/result"), "result")
    assert call(sandbox, "GET", f"/{job}/batch/{batch}/result/{result}").text == '"Key__c"\n"x1-1"\n"x1-3"\n'

"""Bad input at the org's doors, on the wire: the error a real org gives, never a stack trace and never a bare 500."""

import gzip
import threading
from typing import Any

import httpx2
import pytest
from door_harness import DATA, Sandbox

JSON, CSV, XML = "application/json", "text/csv", "application/xml"
DEEP = b'{"Name":' * 10_000 + b"1" + b"}" * 10_000
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>{0}&j;{1}"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{0}&e;{1}'

REST = [
    ("POST", "/sobjects/Account", JSON, b"{", 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b"", 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b"[]", 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b'"x"', 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b'{"Name":"x"} {"Name":"y"}', 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b'{"AnnualRevenue":NaN,"Name":"x"}', 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b'{"Name":"\xff"}', 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, '{"Name":"x"}'.encode("utf-16"), 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, DEEP, 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b"[" * 10_000, 400, "JSON_PARSER_ERROR"),
    ("POST", "/sobjects/Account", JSON, b'{"Name":"x","AnnualRevenue":1e400}', 400, None),
    ("POST", "/sobjects/Account", JSON, b'{"Name":"x","AnnualRevenue":1' + b"0" * 5_000 + b"}", 400, None),
    ("POST", "/sobjects/Account", JSON, b'{"Name":"x","AnnualRevenue":"1,5"}', 400, None),
    ("POST", "/sobjects/Account", JSON, b'{"Name":{"x":1}}', 400, None),
    ("POST", "/sobjects/Account", JSON, b'{"Name":["x"]}', 400, None),
    ("POST", "/sobjects/Account", JSON, b'{"Nope__c":1,"Name":"x"}', 400, "INVALID_FIELD"),
    ("POST", "/sobjects/Nope__c", JSON, b"{}", 404, "NOT_FOUND"),
    ("POST", "/sobjects/Account", "text/plain", b'{"Name":"x"}', 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", "/sobjects/Account", "application/x-www-form-urlencoded", b"Name=x", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", "/sobjects/Account", "image/png", b"\x89PNG", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", "/composite/sobjects", "text/csv", b"a,b", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", "/sobjects/ContentVersion", "multipart/form-data", b"x", 400, None),
    ("POST", "/sobjects/ContentVersion", "multipart/form-data; boundary=b", b"--b\r\nx", 400, None),
    ("PUT", "/sobjects/Account", JSON, b"{}", 405, "METHOD_NOT_ALLOWED"),
    ("DELETE", "/query", "", b"", 405, "METHOD_NOT_ALLOWED"),
    ("POST", "/limits", JSON, b"{}", 405, "METHOD_NOT_ALLOWED"),
    ("PATCH", "/jobs/ingest", JSON, b"{}", 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/nowhere", "", b"", 404, "NOT_FOUND"),
    ("GET", "/sobjects/Account/nope", "", b"", 404, "NOT_FOUND"),
    ("GET", "/sobjects/Account/001000000000000AAB", "", b"", 404, "NOT_FOUND"),
    ("PATCH", "/sobjects/Account/0035g0000000001AAA", JSON, b'{"Name":"x"}', 404, None),
    ("DELETE", "/sobjects/Account/%00", "", b"", 404, "NOT_FOUND"),
    ("GET", "/query?q=SELECT", "", b"", 400, "MALFORMED_QUERY"),
    ("GET", "/query", "", b"", 400, "MALFORMED_QUERY"),
    ("GET", "/query?q=SELECT+Nope__c+FROM+Account", "", b"", 400, "INVALID_FIELD"),
    ("GET", "/query?q=SELECT+Id+FROM+Nope__c", "", b"", 400, "INVALID_TYPE"),
    ("GET", "/query/01g000000000000-2000", "", b"", 400, "INVALID_QUERY_LOCATOR"),
    ("GET", "/query?q=" + "x" * 17_000, "", b"", 414, "URI_TOO_LONG"),
    ("POST", "/jobs/ingest", JSON, b'{"object":"Account","operation":"insert","x":1}', 400, None),
    ("POST", "/jobs/ingest", JSON, b'{"object":"Account","operation":["insert"]}', 400, None),
    ("POST", "/jobs/ingest", JSON, b'{"object":{"a":1},"operation":"insert"}', 400, None),
    ("POST", "/jobs/ingest", JSON, b'{"object":"Account","operation":"upsert"}', 400, "INVALIDJOB"),
    ("POST", "/jobs/ingest", JSON, b'{"object":"Account","operation":"insert","contentType":"XML"}', 400, "INVALIDJOB"),
    ("POST", "/jobs/ingest", JSON, DEEP, 400, "JSON_PARSER_ERROR"),
    ("GET", "/jobs/ingest/750000000000000", "", b"", 404, "NOT_FOUND"),
    ("POST", "/jobs/query", JSON, b'{"operation":"query","query":5}', 400, None),
    ("POST", "/jobs/query", JSON, b'{"operation":"query"}', 400, None),
    ("PATCH", "/metadata/deployRequest/0Af000000000000AAA", JSON, b"{", 404, "NOT_FOUND"),
    ("POST", "/metadata/deployRequest", "text/csv", b"a", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", "/metadata/deployRequest", JSON, b"{}", 400, "INVALID_ID_FIELD"),
    ("POST", "/metadata/deployRequest", JSON, b"{", 400, "JSON_PARSER_ERROR"),
    ("POST", "/metadata/deployRequest", "multipart/form-data; boundary=b", b"--b--\r\n", 400, None),
    ("POST", "/composite", JSON, b'{"compositeRequest":[1]}', 400, None),
    ("POST", "/composite/batch", JSON, b'{"batchRequests":null}', 400, None),
    ("POST", "/composite/sobjects", JSON, b'{"records":[[]]}', 400, None),
]  # fmt: skip


def refused(answer: httpx2.Response, status: int, code: str | None) -> None:
    assert answer.status_code == status, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    [error] = answer.json()
    assert set(error) - {"fields"} == {"message", "errorCode"}
    assert code in {None, error["errorCode"]}, error
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("number", range(len(REST)))
def test_rest_refuses_in_its_own_shape(sandbox: Sandbox, number: int) -> None:
    method, path, kind, body, status, code = REST[number]
    headers = {"content-type": kind} if kind else {}
    refused(sandbox.org.request(method, DATA + path, content=body, headers=headers), status, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/services/data/v30.0/limits", 410, "GONE"), ("/services/data/v999.0/limits", 404, "NOT_FOUND"),
        ("/services/data/vX/limits", 404, "NOT_FOUND"), ("/services/data/v67.5/limits", 404, "NOT_FOUND"),
        ("/nowhere", 404, "NOT_FOUND"), ("/services/data/v67.0/../../etc", 404, "NOT_FOUND"),
    ],
)  # fmt: skip
def test_addresses_that_lead_nowhere(sandbox: Sandbox, path: str, status: int, code: str) -> None:
    refused(sandbox.org.get(path), status, code)


def test_duplicate_keys_take_the_last_value(sandbox: Sandbox) -> None:
    head = {"content-type": JSON}
    body = b'{"Name":"first","Name":"last"}'
    made = sandbox.org.post(f"{DATA}/sobjects/Account", content=body, headers=head).json()["id"]
    assert sandbox.get(f"/sobjects/Account/{made}").json()["Name"] == "last"


def test_an_accept_that_nobody_can_serve_is_not_acceptable(sandbox: Sandbox) -> None:
    refused(sandbox.get("/limits", headers={"accept": "image/png"}), 406, "NOT_ACCEPTABLE")
    for good in ("*/*", "application/json", "application/*;q=0.5", "text/html,application/xhtml+xml,*/*;q=0.1", ""):
        assert sandbox.get("/limits", headers={"accept": good}).status_code == 200
    sandbox.control.post("/switches", json={"refuse_unknown_accept": False})
    assert sandbox.get("/limits", headers={"accept": "image/png"}).status_code == 200
    sandbox.control.post("/switches", json={"refuse_unknown_accept": True})


@pytest.mark.parametrize("token", ["", "x", "é", "00D!x" * 900, "null"])
def test_sessions_that_are_none(sandbox: Sandbox, token: str) -> None:
    head = {"authorization": f"Bearer {token}".rstrip().encode()}
    answer = httpx2.get(f"{sandbox.estate.addresses.org}{DATA}/limits", headers=head)
    refused(answer, 401, "INVALID_SESSION_ID")


def test_headers_beyond_the_limit(sandbox: Sandbox) -> None:
    refused(sandbox.get("/limits", headers={"x-long": "x" * 40_000}), 431, "REQUEST_HEADER_FIELDS_TOO_LARGE")


@pytest.mark.parametrize(
    "value",
    [
        b"garbage",
        b"",
        gzip.compress(b'{"Name":"half"}', mtime=0)[:-9],
        gzip.compress(b'{"Name":"x"}', mtime=0)[:12],
        b"\x1f\x8b",
    ],
)
def test_gzip_that_is_none_or_only_half(sandbox: Sandbox, value: bytes) -> None:
    head = {"content-type": JSON, "content-encoding": "gzip"}
    answer = sandbox.org.post(f"{DATA}/sobjects/Account", content=value, headers=head)
    refused(answer, 400, None)
    assert sandbox.get("/query", params={"q": "SELECT Id FROM Account WHERE Name = 'half'"}).json()["totalSize"] == 0


def test_a_gzip_bomb_and_a_body_too_large(sandbox: Sandbox) -> None:
    bomb = gzip.compress(b" " * 300_000_000, 9)
    head = {"content-type": JSON, "content-encoding": "gzip"}
    refused(sandbox.org.post(f"{DATA}/sobjects/Account", content=bomb, headers=head), 413, "REQUEST_ENTITY_TOO_LARGE")
    large = b'{"Name":"' + b"x" * 53_000_000 + b'"}'
    answer = sandbox.org.post(f"{DATA}/sobjects/Account", content=large, headers={"content-type": JSON})
    refused(answer, 413, "REQUEST_ENTITY_TOO_LARGE")


def job(sandbox: Sandbox, **words: Any) -> dict[str, str]:
    return sandbox.post("/jobs/ingest", json={"object": "Visit__c", "operation": "insert", **words}).json()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'Key__c,Note__c\nbi-1,"never closed\nbi-2,x\n', "InvalidBatch : Failed to parse CSV"),
        (b"Key__c,Note__c\nbi-1,a,b,c\n", "InvalidBatch : Failed to parse CSV"),
        (b"Key__c,Note__c\nbi-1\n", "InvalidBatch : Failed to parse CSV"),
        (b"Key__c;Note__c\nbi-1;x\n", "InvalidBatch : Field name not found : Key__c;Note__c"),
        (b"Key__c\nbi-\xff\xfe\n", "InvalidBatch : Failed to parse CSV: Invalid UTF-8"),
        ("Key__c\nbi-1\n".encode("utf-16"), ""),
        (b"Key__c,Key__c\nbi-1,x\n", "InvalidBatch : Duplicate field name"),
        (b"Key__c,\nbi-1,x\n", "InvalidBatch : Field name not found"),
        (b"", "InvalidBatch : Failed to parse CSV header"),
        (b"\n\n\n", "InvalidBatch : Failed to parse CSV header"),
        (b"Key__c\r\nbi-1\r\n", "ClientInputError : LineEnding is invalid"),
        (b"Nope__c\nx\n", "InvalidBatch : Field name not found : Nope__c"),
        (b"Key__c,Note__c\nbi-1," + b"x" * 140_000 + b"\n", "ClientInputError"),
        (b"K" * 40_000 + b"\nx\n", "InvalidBatch : Failed to parse CSV header"),
        (b"PK\x03\x04\x00\x00\x00", ""),
        (b"{}", "InvalidBatch : Field name not found : {}"),
    ],
)
def test_csv_that_fails_the_whole_job(sandbox: Sandbox, body: bytes, words: str) -> None:
    status = sandbox.ingest("insert", "Visit__c", body)
    assert status["state"] == "Failed", status
    assert status["errorMessage"].startswith(words), status["errorMessage"]
    assert "Unexpected error" not in status["errorMessage"]
    assert status["numberRecordsProcessed"] == 0


def test_csv_with_a_nul_or_a_byte_order_mark(sandbox: Sandbox) -> None:
    status = sandbox.ingest("insert", "Visit__c", b"Key__c,Note__c\nnul-1,a\x00b\nnul-2,ok\n")
    assert "Unexpected error" not in status.get("errorMessage", "")
    assert sandbox.get("/sobjects/Visit__c/Key__c/nul-2").status_code == 200
    assert sandbox.ingest("insert", "Visit__c", b"\xef\xbb\xbfKey__c\nbom-1\n")["numberRecordsFailed"] == 0


def test_uploads_of_the_wrong_kind_or_size_or_time(sandbox: Sandbox) -> None:
    opened = job(sandbox)
    target = "/" + opened["contentUrl"]
    refused(sandbox.org.put(target, content=b"{}", headers={"content-type": JSON}), 415, "UNSUPPORTED_MEDIA_TYPE")
    half = gzip.compress(b"Key__c\n" + b"".join(b"hz-%d\n" % n for n in range(500)))[:-200]
    head = {"content-type": CSV, "content-encoding": "gzip"}
    refused(sandbox.org.put(target, content=half, headers=head), 400, None)
    sandbox.control.post("/switches", json={"bulk_upload_bytes": 1_000})
    refused(sandbox.org.put(target, content=b"Key__c\n" + b"x" * 1_000, headers={"content-type": CSV}), 400, None)
    sandbox.control.post("/switches", json={"bulk_upload_bytes": 112_500_000})
    state = f"{DATA}/jobs/ingest/{opened['id']}"
    refused(sandbox.org.patch(state, json={"state": "Sideways"}), 400, None)
    refused(sandbox.org.patch(state, content=b"{", headers={"content-type": JSON}), 400, "JSON_PARSER_ERROR")
    refused(sandbox.org.delete(state), 400, "API_ERROR")
    refused(sandbox.get(f"/jobs/ingest/{opened['id']}/successfulResults"), 400, "INVALIDJOBSTATE")


ENVELOPES = [
    b"", b"<", b"not xml", b"<a/>", DEEP, b"<a>" * 10_000, b"<a>" * 10_000 + b"</a>" * 10_000, b"\xff\xfe\x00",
    LAUGHS.format("<e>", "</e>").encode(), OUTSIDE.format("<e>", "</e>").encode(),
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ENVELOPES)))
@pytest.mark.parametrize("path", ["/services/Soap/u/67.0", "/services/Soap/m/67.0"])
def test_soap_answers_a_fault(sandbox: Sandbox, number: int, path: str) -> None:
    head = {"content-type": "text/xml", "soapaction": '""'}
    answer = sandbox.org.post(path, content=ENVELOPES[number], headers=head)
    assert answer.status_code == 500
    assert "<faultcode>" in answer.text
    assert "root:" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("number", range(len(ENVELOPES)))
def test_bulk_1_answers_its_own_errors(sandbox: Sandbox, number: int) -> None:
    head = {"X-SFDC-Session": sandbox.estate.access_token, "content-type": XML}
    answer = httpx2.post(
        f"{sandbox.estate.addresses.org}/services/async/67.0/job", content=ENVELOPES[number], headers=head
    )
    assert answer.status_code == 400
    assert "<exceptionCode>" in answer.text
    assert "root:" not in answer.text
    deep = httpx2.post(
        f"{sandbox.estate.addresses.org}/services/async/67.0/job", content=DEEP, headers=head | {"content-type": JSON}
    )
    assert (deep.status_code, "exceptionCode" in deep.text) == (400, True)


def test_bulk_1_batches_of_nonsense(sandbox: Sandbox) -> None:
    base = f"{sandbox.estate.addresses.org}/services/async/67.0/job"
    head = {"X-SFDC-Session": sandbox.estate.access_token, "content-type": JSON}
    for kind, body in (("CSV", b'Key__c\n"open\n'), ("CSV", b""), ("JSON", b"{"), ("JSON", b"[[1]]"), ("JSON", DEEP)):
        words = {"operation": "insert", "object": "Visit__c", "contentType": kind}
        made = httpx2.post(base, json=words, headers=head).json()["id"]
        sent = head | {"content-type": "text/csv" if kind == "CSV" else JSON}
        batch = httpx2.post(f"{base}/{made}/batch", content=body, headers=sent)
        assert batch.status_code in {201, 400}, batch.text
        for _ in range(200):
            infos = httpx2.get(f"{base}/{made}/batch", headers=head).json()["batchInfo"]
            if all(one["state"] in {"Completed", "Failed"} for one in infos):
                break
            threading.Event().wait(0.02)
        assert [one["state"] for one in infos] in ([], ["Failed"], ["Completed"])
        assert not any("Unexpected error" in (one.get("stateMessage") or "") for one in infos)

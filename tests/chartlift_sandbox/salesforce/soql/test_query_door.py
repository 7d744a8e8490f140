"""REST query and Bulk query jobs over HTTP, on the small org."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from chartlift_sandbox.salesforce import bulk_query, query
from chartlift_sandbox.salesforce.errors import OrgError, error_response

DATA = "/services/data/v67.0"


def _client(org: Any, actor: Any) -> TestClient:
    async def admit(request: Request, call_next: Any) -> Response:
        request.state.actor, request.state.version = actor, request.url.path.split("/")[3].removeprefix("v")
        return await call_next(request)

    app = Starlette(
        routes=[*bulk_query.routes(org), *query.routes(org)],
        exception_handlers={OrgError: lambda _request, error: error_response(error)},
    )
    app.add_middleware(BaseHTTPMiddleware, dispatch=admit)
    return TestClient(app)


@pytest.fixture
def http(org: Any, ada: Any) -> Iterator[TestClient]:
    with _client(org, ada) as client:
        yield client


def _contacts(org: Any, count: int) -> None:
    org.db.execute(
        "INSERT INTO \"Contact\" BY NAME SELECT '0035g0000' || lpad(CAST(i AS VARCHAR), 6, '0') || 'AAA' AS \"Id\", "
        '\'P\' || i AS "Name", false AS "IsDeleted", TIMESTAMP \'2026-01-01\' AS "CreatedDate" FROM range(?) g(i)',
        [count],
    )


def _ask(http: TestClient, text: str, path: str = "query", **headers: str) -> Any:
    return http.get(f"{DATA}/{path}", params={"q": text}, headers=headers)


def test_a_result_is_paged_2000_by_2000_and_does_not_change_under_way(http: TestClient, org: Any) -> None:
    _contacts(org, 4_500)
    page = _ask(http, "SELECT Id FROM Contact").json()
    assert (page["totalSize"], page["done"], len(page["records"])) == (4_500, False, 2_000)
    org.db.execute('DELETE FROM "Contact"')
    seen = [record["Id"] for record in page["records"]]
    while not page["done"]:
        assert page["nextRecordsUrl"].startswith(f"{DATA}/query/01g")
        page = http.get(page["nextRecordsUrl"]).json()
        seen += [record["Id"] for record in page["records"]]
    assert "nextRecordsUrl" not in page
    assert len(set(seen)) == 4_500
    assert seen == sorted(seen)


@pytest.mark.parametrize(("asked", "rows"), [("200", 200), ("500", 500), ("10", 200), ("9999", 2_000)])
def test_batch_size_is_honoured_between_200_and_2000(http: TestClient, org: Any, asked: str, rows: int) -> None:
    _contacts(org, 2_100)
    answer = _ask(http, "SELECT Id FROM Contact", **{"Sforce-Query-Options": f"batchSize={asked}"}).json()
    assert len(answer["records"]) == rows
    assert answer["nextRecordsUrl"].endswith(f"-{rows}")


def test_two_custom_long_texts_shrink_the_page_to_200(http: TestClient, org: Any) -> None:
    for number in range(250):
        org.insert("Visit__c", "a00", number, Name=str(number))
    assert len(_ask(http, "SELECT Id, Note__c, More__c FROM Visit__c").json()["records"]) == 200
    assert len(_ask(http, "SELECT Id, Note__c FROM Visit__c").json()["records"]) == 250


@pytest.mark.parametrize(
    "locator", ["nonsense", "01g000000000001AAA-2000", "01g5g0000000001EAA-0", "01g5g0000000001EAA-9"]
)
def test_unknown_locators_are_refused(http: TestClient, org: Any, locator: str) -> None:
    answer = http.get(f"{DATA}/query/{locator}")
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_locator_expires_after_two_days(http: TestClient, org: Any) -> None:
    _contacts(org, 2_100)
    following = _ask(http, "SELECT Id FROM Contact").json()["nextRecordsUrl"]
    later = org.clock.now() + timedelta(days=2, seconds=1)
    org.clock = SimpleNamespace(now=lambda: later)
    assert http.get(following).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_deleted_rows_show_in_query_all_only(http: TestClient, org: Any) -> None:
    org.insert("Contact", "003", 1, Name="gone", IsDeleted=True)
    org.insert("Contact", "003", 2, Name="here")
    org.insert("Task", "00T", 1, Subject="old", IsArchived=True)
    text = "SELECT Name, IsDeleted FROM Contact"
    assert [r["Name"] for r in _ask(http, text).json()["records"]] == ["here"]
    assert [r["Name"] for r in _ask(http, text, "queryAll").json()["records"]] == ["gone", "here"]
    assert [r["Name"] for r in _ask(http, f"{text} ALL ROWS").json()["records"]] == ["gone", "here"]
    assert _ask(http, "SELECT COUNT() FROM Task").json()["totalSize"] == 0
    assert _ask(http, "SELECT COUNT() FROM Task", "queryAll").json()["totalSize"] == 1


def test_count_has_a_total_and_no_records(http: TestClient, org: Any) -> None:
    _contacts(org, 7)
    assert _ask(http, "SELECT COUNT() FROM Contact").json() == {"totalSize": 7, "done": True, "records": []}
    assert _ask(http, "SELECT COUNT() FROM Contact LIMIT 3").json()["totalSize"] == 3
    assert _ask(http, "SELECT COUNT() FROM Contact LIMIT 0").json()["totalSize"] == 0
    assert _ask(http, "SELECT COUNT() FROM Contact OFFSET 5").json()["totalSize"] == 2


def test_a_child_result_of_more_than_2000_rows_has_pages_of_its_own(http: TestClient, org: Any) -> None:
    parent = org.insert("Account", "001", 1, Name="A")
    _contacts(org, 2_300)
    org.db.execute('UPDATE "Contact" SET "AccountId" = ?', [parent])
    (record,) = _ask(http, "SELECT Id, (SELECT Id FROM Contacts) FROM Account").json()["records"]
    child = record["Contacts"]
    assert (child["totalSize"], child["done"], len(child["records"])) == (2_300, False, 2_000)
    rest = http.get(child["nextRecordsUrl"]).json()
    assert (rest["done"], len(rest["records"])) == (True, 300)
    assert {r["Id"] for r in child["records"]}.isdisjoint({r["Id"] for r in rest["records"]})


def test_record_counts_leave_unknown_objects_out(http: TestClient, org: Any) -> None:
    _contacts(org, 3)
    answer = http.get(f"{DATA}/limits/recordCount", params={"sObjects": "Contact,Nope__c,account"}).json()
    assert answer == {"sObjects": [{"count": 3, "name": "Contact"}, {"count": 0, "name": "Account"}]}


def test_columns_tell_what_a_statement_returns(http: TestClient) -> None:
    text = "SELECT Id, Account.Name, (SELECT Fee__c FROM Visits__r) FROM Contact"
    answer = http.get(f"{DATA}/query", params={"q": text, "columns": "true"}).json()
    columns = {column["columnName"]: column for column in answer["columnMetadata"]}
    assert answer["entityName"] == "Contact"
    assert list(columns) == ["Id", "Account", "Visits__r"]
    assert [c["columnName"] for c in columns["Account"]["joinColumns"]] == ["Name"]
    assert columns["Visits__r"]["aggregate"] is True
    grouped = http.get(f"{DATA}/query", params={"q": "SELECT COUNT(Id) FROM Contact", "columns": "true"}).json()
    (column,) = grouped["columnMetadata"]
    assert (column["displayName"], column["columnName"], column["aggregate"]) == ("COUNT(Id)", "expr0", True)


def test_tooling_queries_have_the_longer_envelope(http: TestClient) -> None:
    answer = _ask(http, "SELECT Id FROM SandboxProcess", "tooling/query").json()
    assert answer == {
        "size": 0, "entityTypeName": "SandboxProcess", "queryLocator": None,
        "totalSize": 0, "done": True, "records": [],
    }  # fmt: skip


def test_a_missing_statement_is_refused(http: TestClient) -> None:
    assert http.get(f"{DATA}/query").json()[0]["errorCode"] == "MALFORMED_QUERY"


def _job(http: TestClient, text: str, **more: str) -> Any:
    return http.post(f"{DATA}/jobs/query", json={"operation": "query", "query": text} | more)


def _visits(org: Any) -> None:
    owner = org.insert("Contact", "003", 1, Name='Say "hi", Ann')
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC).replace(tzinfo=None)
    org.insert("Visit__c", "a00", 1, Name="one\ntwo", Fee__c=120.0, Start__c=moment, At__c=time(9, 5), Contact__c=owner)
    org.insert("Visit__c", "a00", 2, Name=None, Fee__c=912260031.0)
    org.insert("Visit__c", "a00", 3, Name="x", Fee__c=0.00012)


CELLS = "SELECT Name, Fee__c, Start__c, At__c, Contact__r.Name, IsDeleted FROM Visit__c ORDER BY Id"


def test_a_query_job_runs_through_its_states_and_gives_quoted_csv(http: TestClient, org: Any) -> None:
    _visits(org)
    made = _job(http, CELLS)
    assert made.status_code == 200
    assert (made.json()["state"], made.json()["apiVersion"], made.json()["object"]) == (
        "UploadComplete",
        67.0,
        "Visit__c",
    )
    url = f"{DATA}/jobs/query/{made.json()['id']}"
    status = http.get(url).json()
    assert (status["state"], status["numberRecordsProcessed"], status["jobType"]) == ("JobComplete", 3, "V2Query")
    answer = http.get(f"{url}/results")
    assert answer.headers["sforce-numberofrecords"] == "3"
    assert answer.headers["sforce-locator"] == "null"
    assert answer.headers["content-type"].lower() == "text/csv; charset=utf-8"
    assert answer.text == (
        '"Name","Fee__c","Start__c","At__c","Contact__r.Name","IsDeleted"\n'
        '"one\ntwo","120.0","2026-03-29T01:30:00.000Z","09:05:00.000Z","Say ""hi"", Ann","false"\n'
        '"","9.12260031E8","","","","false"\n'
        '"x","1.2E-4","","","","false"\n'
    )


def test_a_query_job_writes_the_delimiter_and_line_ending_it_was_asked_for(http: TestClient, org: Any) -> None:
    _visits(org)
    url = f"{DATA}/jobs/query/{_job(http, CELLS, columnDelimiter='PIPE', lineEnding='CRLF').json()['id']}"
    text = http.get(f"{url}/results").text
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="|"))
    assert [len(row) for row in rows] == [6] * 4
    assert rows[1][0] == "one\ntwo"
    assert text.count("\r\n") == 4


def test_result_pages_are_cut_at_any_row_and_stay_as_they_were(http: TestClient, org: Any) -> None:
    _contacts(org, 5_000)
    url = f"{DATA}/jobs/query/{_job(http, 'SELECT Id, Name FROM Contact').json()['id']}"
    org.db.execute('UPDATE "Contact" SET "Name" = \'changed\'')
    seen: list[str] = []
    locator, calls = "", 0
    while locator != "null":
        parameters = {"maxRecords": "1700"} | ({"locator": locator} if locator else {})
        answer = http.get(f"{url}/results", params=parameters)
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == int(answer.headers["sforce-numberofrecords"])
        seen += [row["Name"] for row in rows]
        locator, calls = answer.headers["sforce-locator"], calls + 1
    assert calls == 3
    assert seen == [f"P{n}" for n in range(5_000)]


def test_result_pages_can_be_fetched_side_by_side(http: TestClient, org: Any) -> None:
    _contacts(org, 1_000)
    url = f"{DATA}/jobs/query/{_job(http, 'SELECT Name FROM Contact').json()['id']}"
    first = http.get(f"{url}/resultPages", params={"maxRecords": "150"}).json()
    second = http.get(first["nextRecordsUrl"]).json()
    assert (first["done"], second["done"], len(first["resultPages"]), len(second["resultPages"])) == (False, True, 5, 2)
    names: list[str] = []
    for page in [*first["resultPages"], *second["resultPages"]]:
        names += [row["Name"] for row in csv.DictReader(io.StringIO(http.get(page["resultUrl"]).text))]
    assert names == [f"P{n}" for n in range(1_000)]


def test_a_result_of_no_rows_is_the_header_alone(http: TestClient) -> None:
    url = f"{DATA}/jobs/query/{_job(http, 'SELECT Id, Account.Name FROM Contact').json()['id']}"
    answer = http.get(f"{url}/results")
    assert answer.text == '"Id","Account.Name"\n'
    assert answer.headers["sforce-numberofrecords"] == "0"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT() FROM Contact",
        "SELECT Name, COUNT(Id) FROM Contact GROUP BY Name",
        "SELECT MAX(Name) FROM Contact",
        "SELECT Id FROM Contact OFFSET 5",
        "SELECT Id, (SELECT Id FROM Visits__r) FROM Contact",
        "SELECT TYPEOF What WHEN Account THEN Name END FROM Task",
        "SELECT MailingAddress FROM Contact",
    ],
)
def test_constructs_that_a_query_job_cannot_run_are_refused(http: TestClient, text: str) -> None:
    answer = _job(http, text)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "API_ERROR")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "query", "query": "SELECT Nope FROM Contact"}, "INVALID_FIELD"),
        ({"operation": "query", "query": "SELECT FROM"}, "MALFORMED_QUERY"),
        ({"operation": "insert", "query": "SELECT Id FROM Contact"}, "INVALIDJOB"),
        ({"operation": "query"}, "INVALIDJOB"),
        ({"operation": "query", "query": "SELECT Id FROM Contact", "colour": "red"}, "JSON_PARSER_ERROR"),
        ({"operation": "query", "query": "SELECT Id FROM Contact", "columnDelimiter": "DASH"}, "INVALIDJOB"),
    ],
)
def test_a_bad_job_is_refused_when_it_is_made(http: TestClient, body: dict[str, str], code: str) -> None:
    answer = http.post(f"{DATA}/jobs/query", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_a_job_can_be_aborted_only_before_its_end_and_deleted_only_after(http: TestClient) -> None:
    made = _job(http, "SELECT Id FROM Contact").json()["id"]
    url = f"{DATA}/jobs/query/{made}"
    early = http.delete(url)
    assert (early.status_code, early.json()[0]["errorCode"]) == (400, "API_ERROR")
    assert http.patch(url, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert http.get(f"{url}/results").status_code == 400
    done = _job(http, "SELECT Id FROM Contact").json()["id"]
    http.get(f"{DATA}/jobs/query/{done}")
    late = http.patch(f"{DATA}/jobs/query/{done}", json={"state": "Aborted"})
    assert late.json()[0] == {
        "errorCode": "INVALIDJOBSTATE", "message": "Aborting already Completed Job not allowed",
    }  # fmt: skip
    assert [job["id"] for job in http.get(f"{DATA}/jobs/query").json()["records"]] == [done, made]
    assert http.delete(f"{DATA}/jobs/query/{done}").status_code == 204
    assert http.get(f"{DATA}/jobs/query/{done}").status_code == 404
    assert http.get(f"{DATA}/jobs/query/{made[:15]}").status_code == 200


def test_results_belong_to_the_version_that_made_the_job(http: TestClient) -> None:
    made = _job(http, "SELECT Id FROM Contact").json()["id"]
    answer = http.get(f"/services/data/v66.0/jobs/query/{made}/results")
    assert answer.status_code == 409


def test_query_all_jobs_see_deleted_rows(http: TestClient, org: Any) -> None:
    org.insert("Contact", "003", 1, Name="gone", IsDeleted=True)
    made = _job(http, "SELECT Id FROM Contact", operation="queryAll").json()["id"]
    assert http.get(f"{DATA}/jobs/query/{made}").json()["numberRecordsProcessed"] == 1


def test_jobs_count_against_the_daily_allowance(org: Any, ada: Any) -> None:
    app = Starlette(
        routes=bulk_query.routes(org, SimpleNamespace(take=lambda _key: False)),
        exception_handlers={OrgError: lambda _request, error: error_response(error)},
    )

    async def admit(request: Request, call_next: Any) -> Response:
        request.state.actor, request.state.version = ada, "67.0"
        return await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=admit)
    with TestClient(app) as client:
        assert _job(client, "SELECT Id FROM Contact").json()[0]["errorCode"] == "EXCEEDEDQUOTA"

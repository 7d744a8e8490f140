from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pyarrow as pa
import pytest

from chartlift.errors import Unreachable
from chartlift.model.ports import ByPrefix, ByValues, Everywhere

Connect = Callable[..., Any]
FIELDS = ["Id", "LastName", "Email", "Cost__c", "Active__c", "Seen__c", "Born__c", "Account.Name"]
TYPES = {
    "Id": "id",
    "LastName": "string",
    "Email": "email",
    "Cost__c": "currency",
    "Active__c": "boolean",
    "Seen__c": "datetime",
    "Born__c": "date",
}
RECORD = {
    "attributes": {"type": "Contact"},
    "Id": "0035g00000AbCdE",
    "LastName": "  O'Hara\r\nJr ",
    "Email": "A@X.test",
    "Cost__c": 120.50,
    "Active__c": True,
    "Seen__c": "2026-11-23T20:06:28.000+0000",
    "Born__c": "1980-01-02",
    "Account": {"attributes": {}, "Name": "Practice"},
}
CANONICAL = [
    "0035g00000AbCdEAAV",
    "O'Hara\nJr",
    "a@x.test",
    "120.5",
    "true",
    "2026-11-23T20:06:28.000Z",
    "1980-01-02",
    "Practice",
]
LINE = (
    '"0035g00000AbCdE","  O\'Hara\r\nJr ","A@X.test","1.205E2","true",'
    '"2026-11-23T20:06:28.000Z","1980-01-02","Practice"'
)


@pytest.fixture
def readable(org: Any, faults: Any) -> Any:
    document = {"name": "Contact", "fields": [{"name": name, "type": kind} for name, kind in TYPES.items()]}
    org.answers["/sobjects/Contact/describe$"] = lambda _: faults.json_answer(200, document)
    return org


def serve_pages(org: Any, faults: Any, total: int, size: int) -> list[str]:
    asked: list[str] = []

    def page(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.params.get("q", ""))
        start = int(request.url.path.rpartition("-")[2]) if "-" in request.url.path else 0
        count = min(size, total - start)
        document: dict[str, Any] = {"totalSize": total, "done": start + count >= total, "records": [RECORD] * count}
        if not document["done"]:
            document["nextRecordsUrl"] = f"/services/data/v67.0/query/01g0-{start + count}"
        return faults.json_answer(200, document)

    org.answers["/query"] = page
    return asked


def serve_job(
    org: Any, pages: list[tuple[list[str], str]], processed: int, header: str = ",".join(FIELDS)
) -> list[str]:
    """A query job; each page has lines and the locator of the next one."""
    queries: list[str] = []
    turn = iter(range(10**6))

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            queries.append(json.loads(request.content)["query"])
        if not request.url.path.endswith("/results"):
            state = {"id": "7505g000000AAAAAA0", "state": "JobComplete", "numberRecordsProcessed": processed}
            return httpx2.Response(200, json=state)
        lines, locator = pages[next(turn) % len(pages)]
        headers = {"Content-Type": "text/csv", "Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(lines))}
        return httpx2.Response(200, headers=headers, content="\n".join([header, *lines, ""]).encode())

    org.answers["/jobs/query"] = answer
    return queries


def test_a_small_answer_comes_by_rest_in_canonical_text(connect: Connect, readable: Any, faults: Any) -> None:
    serve_pages(readable, faults, 5, 2)
    found = pa.table(connect().read("Contact", FIELDS, Everywhere()))
    assert found.column_names == FIELDS
    assert found.num_rows == 5
    assert list(found.to_pylist()[0].values()) == CANONICAL


def test_a_large_answer_comes_by_a_job_in_the_same_text(connect: Connect, readable: Any, faults: Any) -> None:
    serve_job(readable, [([LINE] * 3, "AAA"), ([LINE] * 2, "null")], 5)
    serve_pages(readable, faults, 5, 2)
    found = pa.table(connect(rest_rows=4).read("Contact", FIELDS, Everywhere()))
    assert found.num_rows == 5
    assert list(found.to_pylist()[4].values()) == CANONICAL


def test_empty_cells_of_a_job_are_null(connect: Connect, readable: Any, faults: Any) -> None:
    serve_job(readable, [(['"0035g00000AbCdE",""'] * 2, "null")], 2, "Id,LastName")
    serve_pages(readable, faults, 2, 1)
    found = pa.table(connect(rest_rows=1).read("Contact", ["Id", "LastName"], Everywhere()))
    assert found.column("LastName").to_pylist() == [None, None]


def test_no_rows_still_have_columns(connect: Connect, readable: Any, faults: Any) -> None:
    serve_pages(readable, faults, 0, 2)
    found = pa.table(connect().read("Contact", FIELDS, ByPrefix("Key__c", "c-")))
    assert (found.num_rows, found.column_names) == (0, FIELDS)
    assert pa.table(connect().read("Contact", FIELDS, ByValues("Key__c", ()))).column_names == FIELDS


def test_many_values_go_by_jobs(connect: Connect, readable: Any) -> None:
    queries = serve_job(readable, [([LINE], "null")], 1)
    values = tuple(f"clinic-PAT-{i:08}" for i in range(8_000))
    found = pa.table(connect().read("Contact", FIELDS, ByValues("Key__c", values)))
    assert 2 <= len(queries) <= 3
    assert found.num_rows == len(queries)


@pytest.mark.parametrize(
    "pages",
    [
        [([LINE] * 3, "AAA"), ([LINE] * 3, "AAA")],  # the locator goes round
        [([LINE] * 3, "null")],  # a page is lost
        [([LINE] * 3, "AAA"), ([LINE] * 3, "BBB"), ([LINE] * 3, "null")],  # a page comes twice
    ],
)
def test_pages_that_do_not_add_up_are_no_answer(connect: Connect, readable: Any, faults: Any, pages: Any) -> None:
    serve_job(readable, pages, 5)
    serve_pages(readable, faults, 5, 2)
    with pytest.raises(Unreachable):
        connect(rest_rows=4).read("Contact", FIELDS, Everywhere())
    assert len(readable.requests) < 50


@pytest.mark.parametrize("end", [b'"b\n', b'"b ""c', b'"b"', b'"b'])
def test_a_last_cell_that_is_cut_is_no_answer(connect: Connect, readable: Any, faults: Any, end: bytes) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/results"):
            state = {"id": "7505g000000AAAAAA0", "state": "JobComplete", "numberRecordsProcessed": 2}
            return httpx2.Response(200, json=state)
        return faults.raw(200, b'Id,LastName\n"0035g00000AbCdE","a"\n"0035g00000AbCdF",' + end, content_type="text/csv")

    readable.answers["/jobs/query"] = answer
    serve_pages(readable, faults, 2, 1)
    with pytest.raises(Unreachable, match="middle of a row"):
        connect(rest_rows=1).read("Contact", ["Id", "LastName"], Everywhere())


def test_the_recycle_bin_is_asked_for(connect: Connect, readable: Any, faults: Any) -> None:
    serve_pages(readable, faults, 1, 2)
    connect().read("Contact", ["Id"], ByPrefix("Key__c", "c_"), deleted=True)
    assert readable.requests[-1].endswith("/queryAll")


def test_rows_lost_on_the_way_are_no_answer(connect: Connect, readable: Any, faults: Any) -> None:
    readable.answers["/query"] = lambda _: faults.json_answer(
        200, {"totalSize": 3, "done": True, "records": [RECORD] * 2}
    )
    with pytest.raises(Unreachable, match="2 rows came of 3"):
        connect().read("Contact", ["Id"], Everywhere())


def test_a_count_sums_over_all_statements(connect: Connect, org: Any, faults: Any) -> None:
    org.answers["/query$"] = lambda _: faults.json_answer(200, {"totalSize": 7, "done": True, "records": []})
    assert connect().count("Contact", Everywhere()) == 7
    values = tuple(f"clinic-PAT-{i:08}" for i in range(600))
    assert connect().count("Contact", ByValues("Key__c", values)) == 14

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pyarrow as pa
import pytest

from chartlift.errors import Unreachable
from chartlift.model.ports import NULL_CELL

KEY = "Source_System_ID__c"
Connect = Callable[..., Any]
TYPES = {"Active__c": "boolean", "Cost__c": "currency", "LastName": "string"}


@pytest.fixture
def calls(org: Any, faults: Any) -> list[httpx2.Request]:
    """An org that takes collections; LastName "bad" is refused."""
    document = {"name": "Contact", "fields": [{"name": name, "type": kind} for name, kind in TYPES.items()]}
    org.answers["/sobjects/Contact/describe$"] = lambda _: faults.json_answer(200, document)
    seen: list[httpx2.Request] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        if request.method == "DELETE":
            ids = request.url.params["ids"].split(",")
            return faults.json_answer(200, [{"id": i, "success": True, "errors": []} for i in ids])
        records = json.loads(request.content)["records"]
        problem = {"statusCode": "STRING_TOO_LONG", "message": "Jane", "fields": ["LastName"]}
        answers = [
            {"success": False, "errors": [problem]}
            if record.get("LastName") == "bad"
            else {"id": record.get("id", "0035g00000AbCdEAAV"), "success": True, "errors": []}
            for record in records
        ]
        return faults.json_answer(200, answers)

    org.answers["/composite/sobjects"] = serve
    return seen


def write(
    destination: Any, steps: Any, table: pa.Table, operation: str = "insert", key: str = KEY
) -> list[dict[str, Any]]:
    result = destination.write("Contact", operation, table, key_column=key, wire="rows", on_step=steps)
    return pa.table(result.rows).to_pylist()


def test_values_are_typed_and_cleared_by_null(connect: Connect, calls: list[httpx2.Request], steps: Any) -> None:
    table = pa.table(
        {
            KEY: ["a", "b"],
            "LastName": ["#N/A", "bad"],
            "Active__c": ["true", None],
            "Cost__c": ["45.5", NULL_CELL],
            "Account.Ext__c": ["P1", None],
        }
    )
    rows = write(connect(), steps, table)
    document = json.loads(calls[0].content)
    assert document["allOrNone"] is False
    first, second = document["records"]
    assert first == {
        "attributes": {"type": "Contact"},
        KEY: "a",
        "LastName": "#N/A",
        "Active__c": True,
        "Cost__c": 45.5,
        "Account": {"Ext__c": "P1"},
    }
    assert second == {"attributes": {"type": "Contact"}, KEY: "b", "LastName": "bad", "Cost__c": None}
    assert [(r["key"], r["outcome"], r["code"], r["fields"], r["created"]) for r in rows] == [
        ("a", "ok", "", "", True),
        ("b", "failed", "STRING_TOO_LONG", "LastName", False),
    ]
    assert "Jane" not in str(rows)
    assert "allowSave=true" in calls[0].headers["sforce-duplicate-rule-header"]


def test_two_hundred_rows_a_call(connect: Connect, calls: list[httpx2.Request], steps: Any) -> None:
    rows = write(connect(), steps, pa.table({KEY: [str(i) for i in range(450)], "LastName": ["x"] * 450}))
    assert [len(json.loads(call.content)["records"]) for call in calls] == [200, 200, 50]
    assert len(rows) == 450


def test_long_texts_make_smaller_calls(connect: Connect, calls: list[httpx2.Request], steps: Any) -> None:
    write(connect(), steps, pa.table({KEY: [str(i) for i in range(90)], "LastName": ["x" * 100_000] * 90}))
    assert [len(json.loads(call.content)["records"]) for call in calls] == [39, 39, 12]


def test_a_lost_insert_is_unknown_and_nothing_more_is_sent(
    connect: Connect, calls: list[httpx2.Request], org: Any, steps: Any, faults: Any
) -> None:
    table = pa.table({KEY: [str(i) for i in range(600)], "LastName": ["x"] * 600})
    destination = connect()
    destination.describe("Contact")
    org.fault("POST .*/composite", after=lambda response: response)
    org.fault("POST .*/composite", after=faults.lost)
    rows = write(destination, steps, table)
    assert [row["outcome"] for row in rows] == ["ok"] * 200 + ["unknown"] * 200 + ["unprocessed"] * 200
    assert len(calls) == 2


def test_a_lost_update_is_said_again(
    connect: Connect, calls: list[httpx2.Request], org: Any, steps: Any, faults: Any
) -> None:
    org.fault("PATCH .*/composite", after=faults.lost)
    rows = write(connect(), steps, pa.table({"Id": ["0035g00000AbCdEAAV"], "LastName": ["x"]}), "update", "Id")
    assert [row["outcome"] for row in rows] == ["ok"]
    assert json.loads(calls[1].content)["records"][0]["id"] == "0035g00000AbCdEAAV"


def test_nothing_sent_at_all_is_an_error(connect: Connect, org: Any, steps: Any, faults: Any, calls: Any) -> None:
    org.fault("POST .*/composite", before=faults.reset, times=99)
    with pytest.raises(Unreachable):
        write(connect(), steps, pa.table({KEY: ["a"]}))


def test_another_number_of_answers_is_unknown(
    connect: Connect, calls: list[httpx2.Request], org: Any, steps: Any, faults: Any
) -> None:
    org.fault("POST .*/composite", after=lambda _: faults.json_answer(200, [{"success": True}]))
    rows = write(connect(), steps, pa.table({KEY: ["a", "b"]}))
    assert [row["outcome"] for row in rows] == ["unknown", "unknown"]


def test_deletes_name_their_ids(connect: Connect, calls: list[httpx2.Request], steps: Any) -> None:
    rows = write(connect(), steps, pa.table({"Id": ["0035g00000AbCdEAAV"], KEY: ["k"]}), "delete")
    assert calls[0].url.params["allOrNone"] == "false"
    assert (rows[0]["key"], rows[0]["outcome"], rows[0]["created"]) == ("k", "ok", False)


def test_undelete_goes_by_soap(connect: Connect, org: Any, steps: Any) -> None:
    seen: list[bytes] = []

    def soap(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.content)
        results = (
            "<result><id>0035g00000AbCdEAAV</id><success>true</success></result><result><errors><fields>Id</fields>"
            "<message>Jane</message><statusCode>UNDELETE_FAILED</statusCode></errors><success>false</success></result>"
        )
        body = (
            f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{results}</e:Body></e:Envelope>'
        )
        return httpx2.Response(200, headers={"Content-Type": "text/xml"}, content=body.encode())

    org.answers["/services/Soap/u/67.0"] = soap
    org.answers["/describe$"] = lambda _: httpx2.Response(404, json=[{"errorCode": "NOT_FOUND"}])
    table = pa.table({"Id": ["0035g00000AbCdEAAV", "0035g00000XbCdEAAV"]})
    rows = write(connect(), steps, table, "undelete", "Id")
    assert [(row["outcome"], row["code"], row["fields"]) for row in rows] == [
        ("ok", "", ""),
        ("failed", "UNDELETE_FAILED", "Id"),
    ]
    assert b"<sessionId>00D5g000004XyzAEAS!1</sessionId>" in seen[0]


def test_an_ended_session_in_a_soap_fault_is_renewed(connect: Connect, org: Any, steps: Any) -> None:
    def soap(request: httpx2.Request) -> httpx2.Response:
        fault = "<faultcode>sf:INVALID_SESSION_ID</faultcode>"
        good = "<result><id>0035g00000AbCdEAAV</id><success>true</success></result>"
        inner, status = (good, 200) if b"!2<" in request.content else (fault, 500)
        return httpx2.Response(status, headers={"Content-Type": "text/xml"}, content=f"<a>{inner}</a>".encode())

    org.answers["/services/Soap/u/67.0"] = soap
    org.answers["/describe$"] = lambda _: httpx2.Response(404, json=[{"errorCode": "NOT_FOUND"}])
    rows = write(connect(), steps, pa.table({"Id": ["0035g00000AbCdEAAV"]}), "undelete", "Id")
    assert rows[0]["outcome"] == "ok"
    assert org.logins == 2


def test_the_wrong_wire_is_a_mistake_of_the_caller(connect: Connect, steps: Any) -> None:
    table = pa.table({"Id": ["0035g00000AbCdEAAV"]})
    with pytest.raises(ValueError, match="undelete"):
        connect().write("Contact", "undelete", table, key_column="Id", wire="bulk", on_step=steps)
    with pytest.raises(ValueError, match="Id"):
        connect().write("Contact", "update", pa.table({KEY: ["a"]}), key_column=KEY, wire="bulk", on_step=steps)
    with pytest.raises(ValueError, match="repeated"):
        connect().write("Contact", "insert", pa.table({KEY: ["a", "a"]}), key_column=KEY, wire="bulk", on_step=steps)
    with pytest.raises(ValueError, match="not text"):
        connect().write("Contact", "insert", pa.table({KEY: [1]}), key_column=KEY, wire="bulk", on_step=steps)

"""SObject collections and the composite resources."""

from __future__ import annotations

from typing import Any

from engine_bench import Bench, WebBench

V = "/services/data/v67.0"


def _of(kind: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind}, **values}


def test_create_keeps_order_over_types_and_reports_each_row(web: WebBench) -> None:
    records = [
        _of("Account", Name="A"), _of("Visit__c", Status__c="Bad"), _of("Account", Name="B"), _of("Visit__c", Name="v"),
    ]  # fmt: skip
    answer = web("POST", "/composite/sobjects", {"allOrNone": False, "records": records})
    assert answer.status_code == 200
    rows = answer.json()
    assert [row["success"] for row in rows] == [True, False, True, True]
    assert rows[0]["errors"] == []
    assert [rows[0]["id"][:3], rows[3]["id"][:3]] == ["001", "a00"]
    assert rows[1] == {
        "success": False,
        "errors": [
            {
                "statusCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "message": "Status: bad value for restricted picklist field: Bad",
                "fields": ["Status__c"],
            }
        ],
    }


def test_all_or_none_covers_every_type(web: WebBench, bench: Bench) -> None:
    before = bench.org.state_hash()
    records = [_of("Account", Name="A"), _of("Visit__c", Status__c="Bad")]
    rows = web("POST", "/composite/sobjects", {"allOrNone": True, "records": records}).json()
    assert [row["errors"][0]["statusCode"] for row in rows] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    ]  # fmt: skip
    assert bench.org.state_hash() == before


def test_update_delete_and_retrieve(web: WebBench, bench: Bench) -> None:
    ids = [bench.insert("Visit__c", Name=f"c{n}") for n in range(3)]
    rows = web("PATCH", "/composite/sobjects", {"records": [_of("Visit__c", id=ids[0], Name="new")]}).json()
    assert rows == [{"id": ids[0], "success": True, "errors": []}]
    absent = bench.org.new_id("a00")
    wanted = f"{ids[1]},{absent},{ids[0][:15]}"
    got = web("GET", f"/composite/sobjects/Visit__c?ids={wanted}&fields=Name").json()
    assert [row and row["Name"] for row in got] == ["c1", None, "new"]
    posted = web("POST", "/composite/sobjects/Visit__c", {"ids": [ids[2]], "fields": ["Id"]}).json()
    assert posted[0]["Id"] == ids[2]
    rows = web("DELETE", f"/composite/sobjects?ids={ids[0]},{absent},zzz&allOrNone=false").json()
    assert [row["success"] for row in rows] == [True, False, False]
    assert [row["errors"][0]["statusCode"] for row in rows[1:]] == ["INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]


def test_upsert_reports_created(web: WebBench, bench: Bench) -> None:
    old = bench.insert("Visit__c", Source_System_ID__c="cu-1")
    records = [_of("Visit__c", Source_System_ID__c="cu-1", Name="n"), _of("Visit__c", Source_System_ID__c="cu-2")]
    rows = web("PATCH", "/composite/sobjects/Visit__c/Source_System_ID__c", {"records": records}).json()
    assert rows[0] == {"id": old, "success": True, "errors": [], "created": False}
    assert rows[1]["created"] is True
    by_id = web("PATCH", "/composite/sobjects/Visit__c/Id", {"records": [_of("Visit__c", Id=None, Name="x")]}).json()
    assert by_id[0]["created"] is True


def test_more_than_200_records_are_refused(web: WebBench) -> None:
    records = [_of("Account", Name="x")] * 201
    answer = web("POST", "/composite/sobjects", {"records": records})
    assert answer.status_code == 400
    assert web("POST", "/composite/sobjects", {"records": [{"Name": "x"}]}).json()[0]["errorCode"] == "INVALID_INPUT"


def _step(method: str, url: str, reference: str, body: Any = None) -> dict[str, Any]:
    return {"method": method, "url": V + url, "referenceId": reference, **({"body": body} if body else {})}


def test_composite_follows_references(web: WebBench) -> None:
    steps = [
        _step("POST", "/sobjects/Account", "acc", {"Name": "Comp"}),
        _step("POST", "/sobjects/Contact", "con", {"LastName": "Comp", "AccountId": "@{acc.id}"}),
        _step("GET", "/sobjects/Contact/@{con.id}?fields=AccountId", "get"),
        _step("GET", "/sobjects/Nope/describe", "bad"),
    ]
    answer = web("POST", "/composite", {"compositeRequest": steps})
    assert answer.status_code == 200
    made, contact, read, bad = answer.json()["compositeResponse"]
    assert [made["httpStatusCode"], contact["httpStatusCode"], read["httpStatusCode"]] == [201, 201, 200]
    assert made["httpHeaders"]["Location"].endswith(made["body"]["id"])
    assert read["body"]["AccountId"] == made["body"]["id"]
    assert (bad["httpStatusCode"], bad["body"][0]["errorCode"], bad["referenceId"]) == (404, "NOT_FOUND", "bad")


def test_composite_all_or_none_halts_and_undoes(web: WebBench, bench: Bench) -> None:
    before = bench.org.state_hash()
    steps = [
        _step("POST", "/sobjects/Account", "a", {"Name": "Halt"}),
        _step("POST", "/sobjects/Contact", "b", {"FirstName": "no last name"}),
        _step("POST", "/sobjects/Account", "c", {"Name": "Never"}),
    ]
    answers = web("POST", "/composite", {"allOrNone": True, "compositeRequest": steps}).json()["compositeResponse"]
    assert [a["body"][0]["errorCode"] for a in answers] == [
        "PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"
    ]  # fmt: skip
    assert bench.org.state_hash() == before
    too_many = web("POST", "/composite", {"compositeRequest": [steps[0]] * 26})
    assert too_many.status_code == 400


def test_composite_queries_and_collections_count_as_subrequests(web: WebBench, bench: Bench) -> None:
    before = bench.org.state_hash()
    broken = {"records": [_of("Account", Name="In"), _of("Account", Site="x")]}
    steps = [
        _step("POST", "/composite/sobjects", "many", broken),
        _step("POST", "/sobjects/Account", "a", {"Name": "B"}),
    ]
    halted = web("POST", "/composite", {"allOrNone": True, "compositeRequest": steps}).json()["compositeResponse"]
    assert [entry["httpStatusCode"] for entry in halted] == [200, 400]
    assert bench.org.state_hash() == before
    query = _step("GET", "/query?q=SELECT+Id,Name+FROM+Organization", "q")
    answer = web("POST", "/composite", {"compositeRequest": [query]}).json()["compositeResponse"][0]
    assert answer["body"]["totalSize"] == 1
    assert answer["body"]["records"][0]["Id"] == bench.org.org_id


def test_describe_inside_composite_can_be_not_modified(web: WebBench) -> None:
    first = web("POST", "/composite", {"compositeRequest": [_step("GET", "/sobjects/Contact/describe", "d")]}).json()
    stamp = first["compositeResponse"][0]["httpHeaders"]["Last-Modified"]
    again = _step("GET", "/sobjects/Contact/describe", "d") | {"httpHeaders": {"If-Modified-Since": stamp}}
    answer = web("POST", "/composite", {"compositeRequest": [again]}).json()["compositeResponse"][0]
    assert (answer["httpStatusCode"], answer["body"]) == (304, None)


def test_batch_runs_every_request(web: WebBench) -> None:
    entries = [
        {"method": "GET", "url": "v67.0/sobjects/Account/describe"}, {"method": "GET", "url": "v67.0/sobjects/Nope"}
    ]  # fmt: skip
    answer = web("POST", "/composite/batch", {"batchRequests": entries}).json()
    assert answer["hasErrors"] is True
    assert [entry["statusCode"] for entry in answer["results"]] == [200, 404]


def test_graphs_succeed_or_fail_each_by_itself(web: WebBench) -> None:
    good = {"graphId": "1", "compositeRequest": [_step("POST", "/sobjects/Account", "a", {"Name": "G"})]}
    bad = {"graphId": "2", "compositeRequest": [_step("POST", "/sobjects/Account", "a", {"Site": "x"})]}
    graphs = web("POST", "/composite/graph", {"graphs": [good, bad]}).json()["graphs"]
    assert [entry["isSuccessful"] for entry in graphs] == [True, False]


def test_tree_saves_parents_with_children_or_nothing(web: WebBench, bench: Bench) -> None:
    child = {"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "Leaf"}
    root = {"attributes": {"type": "Account", "referenceId": "a1"}, "Name": "Root", "Contacts": {"records": [child]}}
    answer = web("POST", "/composite/tree/Account", {"records": [root]})
    assert answer.status_code == 201
    results = {row["referenceId"]: row["id"] for row in answer.json()["results"]}
    assert bench.one("Contact", results["c1"])["AccountId"] == results["a1"]
    before = bench.org.state_hash()
    broken = web(
        "POST", "/composite/tree/Account", {"records": [root, {"attributes": {"type": "Account"}, "Site": "x"}]}
    )
    assert (broken.status_code, broken.json()["hasErrors"]) == (400, True)
    assert bench.org.state_hash() == before

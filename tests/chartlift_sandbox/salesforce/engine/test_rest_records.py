"""Single records over REST: status codes and bodies."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from engine_bench import Bench, WebBench


def test_create_read_update_delete(web: WebBench) -> None:
    made = web("POST", "/sobjects/Contact", {"LastName": "Rest", "FirstName": "Jo", "MailingCity": "Leeds"})
    assert made.status_code == 201
    record_id = made.json()["id"]
    assert made.json() == {"id": record_id, "success": True, "errors": []}
    assert made.headers["location"] == f"/services/data/v67.0/sobjects/Contact/{record_id}"
    shown = web("GET", f"/sobjects/contact/{record_id[:15]}").json()
    assert shown["attributes"] == {"type": "Contact", "url": f"/services/data/v67.0/sobjects/Contact/{record_id}"}
    assert shown["Name"] == "Jo Rest"
    assert shown["MailingAddress"]["city"] == "Leeds"
    assert shown["OtherAddress"] is None
    assert shown["CreatedDate"].endswith(".000+0000")
    assert "_deleted_at" not in shown
    changed = web("PATCH", f"/sobjects/Contact/{record_id}", {"FirstName": None, "Title": ""})
    assert (changed.status_code, changed.content) == (204, b"")
    some = web("GET", f"/sobjects/Contact/{record_id}?fields=FirstName,Name").json()
    assert (some["FirstName"], some["Name"], some["Id"]) == (None, "Rest", record_id)
    assert web("DELETE", f"/sobjects/Contact/{record_id}").status_code == 204
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"LastName": "x"})):
        gone = web(method, f"/sobjects/Contact/{record_id}", body)
        assert (gone.status_code, gone.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


def test_json_types_survive_the_way_in_and_out(web: WebBench) -> None:
    body = {
        "Cost__c": 12.5,
        "Count__c": 3,
        "Paid__c": False,
        "Start__c": "2020-01-01T00:00:00Z",
        "Day__c": "2020-01-02",
    }
    record_id = web("POST", "/sobjects/Visit__c", body | {"Loose_Key__c": "#N/A", "Clock__c": "09:00:00"}).json()["id"]
    shown = web("GET", f"/sobjects/Visit__c/{record_id}").json()
    assert shown["Start__c"] == "2020-01-01T00:00:00.000+0000"
    assert (shown["Cost__c"], shown["Count__c"], shown["Paid__c"]) == (12.5, 3, False)
    assert (shown["Day__c"], shown["Clock__c"], shown["Loose_Key__c"]) == ("2020-01-02", "09:00:00.000Z", "#N/A")


def test_a_failed_record_is_an_array_of_one_error(web: WebBench) -> None:
    answer = web("POST", "/sobjects/Contact", {"Email": "x"})
    assert answer.status_code == 400
    assert answer.json() == [
        {"message": "Email: invalid email address: x", "errorCode": "INVALID_EMAIL_ADDRESS", "fields": ["Email"]}
    ]
    unknown = web("POST", "/sobjects/Contact", {"Nope__c": "x"})
    assert unknown.json()[0]["errorCode"] == "INVALID_FIELD"
    inner = web("PATCH", f"/sobjects/Contact/{'0035g0000000zzz'}", {"Id": "x"})
    assert inner.json()[0]["errorCode"] == "INVALID_FIELD"


@pytest.mark.parametrize("path", ["/sobjects/Nope", "/sobjects/Contact/nonsense", "/sobjects/Contact/0035g0000009zzz"])
def test_what_is_not_there_is_404(web: WebBench, path: str) -> None:
    answer = web("GET", path)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_a_parent_can_be_named_by_its_key(web: WebBench, bench: Bench) -> None:
    contact = bench.insert("Contact", LastName="Parent", Source_System_ID__c="rest-parent")
    body = {"Contact__r": {"Source_System_ID__c": "rest-parent"}}
    made = web("POST", "/sobjects/Visit__c", body).json()["id"]
    assert bench.one("Visit__c", made)["Contact__c"] == contact
    who = {"WhoId": None, "Who": {"attributes": {"type": "Contact"}, "Source_System_ID__c": "rest-parent"}}
    del who["WhoId"]
    task = web("POST", "/sobjects/Task", {"Subject": "t", **who}).json()["id"]
    assert bench.one("Task", task)["WhoId"] == contact


def test_upsert_by_external_id(web: WebBench, bench: Bench) -> None:
    key = quote("a/b c", safe="")
    path = f"/sobjects/Visit__c/Source_System_ID__c/{key}"
    first = web("PATCH", path, {"Name": "one"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    record_id = first.json()["id"]
    assert bench.one("Visit__c", record_id)["Source_System_ID__c"] == "a/b c"
    second = web("PATCH", path, {"Name": "two"})
    assert (second.status_code, second.json()) == (
        200, {"id": record_id, "success": True, "errors": [], "created": False}
    )  # fmt: skip
    old = web("PATCH", f"/services/data/v45.0{path}", {"Name": "three"})
    assert (old.status_code, old.content) == (204, b"")
    assert web("GET", path).json()["Name"] == "three"
    refused = web("PATCH", path, {"Source_System_ID__c": "z"})
    assert refused.json()[0]["message"] == "The Source_System_ID__c field should not be specified in the sobject data."
    assert web("DELETE", path).status_code == 204
    assert web("GET", path).status_code == 404
    assert web("PATCH", path + "?updateOnly=true", {"Name": "x"}).status_code == 404


def test_an_ambiguous_key_answers_300_with_urls(web: WebBench, bench: Bench) -> None:
    ids = [bench.insert("Visit__c", Loose_Key__c="several") for _ in range(2)]
    urls = [f"/services/data/v67.0/sobjects/Visit__c/{record_id}" for record_id in ids]
    for method, body in (("GET", None), ("PATCH", {"Name": "x"}), ("DELETE", None)):
        answer = web(method, "/sobjects/Visit__c/Loose_Key__c/several", body)
        assert (answer.status_code, answer.json()) == (300, urls)


def test_a_field_that_is_no_key_is_404(web: WebBench) -> None:
    assert web("PATCH", "/sobjects/Visit__c/Note__c/x", {"Name": "n"}).status_code == 404
    made = web("POST", "/sobjects/Visit__c/Id", {"Name": "by Id"})
    assert (made.status_code, made.json()["created"]) == (201, True)


def test_the_duplicate_header_lets_a_twin_in(web: WebBench) -> None:
    twin = {"FirstName": "Web", "LastName": "Twin", "Email": "web@example.com"}
    assert web("POST", "/sobjects/Contact", twin).status_code == 201
    blocked = web("POST", "/sobjects/Contact", twin)
    error = blocked.json()[0]
    assert (error["message"], error["errorCode"]) == ("Use one of these records?", "DUPLICATES_DETECTED")
    found = error["duplicateResult"]
    assert (found["allowSave"], found["duplicateRule"]) == (True, "Standard_Contact_Duplicate_Rule")
    assert found["matchResults"][0]["size"] == len(found["matchResults"][0]["matchRecords"]) == 1
    allowed = web("POST", "/sobjects/Contact", twin, Sforce_Duplicate_Rule_Header="allowSave=true")
    assert allowed.status_code == 201


def test_deleted_and_updated_feeds(web: WebBench, bench: Bench) -> None:
    start = quote(f"{bench.org.now():%Y-%m-%dT%H:%M:%S}+00:00")
    kept, gone = (bench.insert("Guard__c", Must__c="x") for _ in range(2))
    bench.org.clock.advance(10)
    bench.dml("delete", "Guard__c", [{"Id": gone}])
    bench.org.clock.advance(10)
    end = quote(f"{bench.org.now():%Y-%m-%dT%H:%M:%S}+00:00")
    deleted = web("GET", f"/sobjects/Guard__c/deleted?start={start}&end={end}").json()
    assert [row["id"] for row in deleted["deletedRecords"]] == [gone]
    assert set(deleted) == {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}
    updated = web("GET", f"/sobjects/Guard__c/updated?start={start}&end={end}").json()
    assert kept in updated["ids"]
    assert gone not in updated["ids"]
    assert web("GET", "/sobjects/Guard__c/updated").status_code == 400
    far = quote("2020-01-01T00:00:00+00:00")
    assert web("GET", f"/sobjects/Guard__c/deleted?start={far}&end={end}").json()[0]["errorCode"] == (
        "INVALID_REPLICATION_DATE"
    )


def test_a_body_that_is_no_json_object_is_refused(web: WebBench) -> None:
    assert web("POST", "/sobjects/Contact", [1]).json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert web("POST", "/sobjects/Contact", {"LastName": [1]}).json()[0]["errorCode"] == "JSON_PARSER_ERROR"

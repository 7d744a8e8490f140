"""Details of refusals that loaders stumble over: which keys an error has, headers that change a save, owners, logins."""

from __future__ import annotations

from email.utils import format_datetime

import pytest
from engine_bench import BULK, Bench, WebBench

TWIN = {"FirstName": "Ada", "LastName": "Twin", "Email": "ada@twin.example"}
ALLOW = "allowSave=true; includeRecordDetails=false"


@pytest.fixture(scope="module")
def twin(web: WebBench) -> WebBench:
    """An org that has the contact already."""
    assert web("POST", "/sobjects/Contact", TWIN).status_code == 201
    return web


def test_an_error_of_a_record_lists_fields_and_one_of_a_request_does_not(web: WebBench) -> None:
    wrong_parent = {"LastName": "x", "AccountId": "001000000000000AAA"}
    error = web("POST", "/sobjects/Contact", wrong_parent).json()
    assert error == [
        {"message": "invalid cross reference id", "errorCode": "INVALID_CROSS_REFERENCE_KEY", "fields": []}
    ]
    for method, path in (("POST", "/sobjects/Account"), ("PATCH", "/sobjects/Contact/Email/a@b.example")):
        error = web(method, path, {"Nope__c": "x"}).json()[0]
        assert (error["errorCode"], sorted(error)) == ("INVALID_FIELD", ["errorCode", "message"])
    record = {"attributes": {"type": "Account"}, "Nope__c": "x"}
    error = web("POST", "/composite/sobjects", {"records": [record]}).json()[0]["errors"][0]
    assert (error["statusCode"], error["fields"]) == ("INVALID_FIELD", [])


def test_the_header_that_saves_duplicates_holds_everywhere_but_in_bulk(twin: WebBench, bench: Bench) -> None:
    record = {"attributes": {"type": "Contact"}, **TWIN}
    url = "/services/data/v67.0/sobjects/Contact"
    step = {"method": "POST", "url": url, "referenceId": "a", "body": TWIN}
    collection, composite = {"records": [record, record]}, {"compositeRequest": [step]}
    for headers, saved in (({}, False), ({"sforce_duplicate_rule_header": ALLOW}, True)):
        status = twin("POST", "/sobjects/Contact", TWIN, **headers).status_code
        assert status == (201 if saved else 400)
        rows = twin("POST", "/composite/sobjects", collection, **headers).json()
        assert [row["success"] for row in rows] == [saved, saved]
        answer = twin("POST", "/composite", composite, **headers).json()["compositeResponse"][0]
        assert answer["httpStatusCode"] == (201 if saved else 400)
        grown = {"records": [{"attributes": {"type": "Contact", "referenceId": "r"}, **TWIN}]}
        assert twin("POST", "/composite/tree/Contact", grown, **headers).status_code == (201 if saved else 400)
    own = {
        "compositeRequest": [
            {**step, "httpHeaders": {"Sforce-Duplicate-Rule-Header": ALLOW}},
            {**step, "referenceId": "b"},
        ]
    }
    statuses = [one["httpStatusCode"] for one in twin("POST", "/composite", own).json()["compositeResponse"]]
    assert statuses == [201, 400]
    assert bench.dml("insert", "Contact", [dict(TWIN)], options=BULK)[0]["code"] == "DUPLICATES_DETECTED"


def test_a_blank_email_matches_nobody(twin: WebBench, bench: Bench) -> None:
    names = {"FirstName": "Ada", "LastName": "Twin"}
    for blank in ({}, {"Email": None}, {"Email": ""}, {"Email": "  "}):
        assert twin("POST", "/sobjects/Contact", {**names, **blank}).status_code == 201
    rows = [{**names, "Email": value} for value in (None, "", "\x00null", "alone@twin.example")]
    assert [row["success"] for row in bench.dml("insert", "Contact", rows, options=BULK)] == [True] * 4
    assert (
        bench.dml("insert", "Contact", [{**TWIN, "FirstName": "ADA"}], options=BULK)[0]["code"] == "DUPLICATES_DETECTED"
    )


def test_a_group_owns_records_only_as_a_queue_for_them(bench: Bench) -> None:
    queue = bench.insert("Group", Name="Recalls", DeveloperName="Recalls", Type="Queue")
    refused = bench.error("insert", "Task", Subject="S", OwnerId=queue)
    assert refused[:2] == ("INVALID_OPERATION", "Queue not associated with this SObject type")
    bench.insert("QueueSobject", QueueId=queue, SobjectType="Task")
    task = bench.insert("Task", Subject="S", OwnerId=queue)
    assert bench.one("Task", task)["OwnerId"] == queue
    assert bench.error("insert", "Visit__c", OwnerId=queue)[0] == "INVALID_OPERATION"
    assert bench.error("insert", "Contact", LastName="S", OwnerId=queue)[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_logins_and_nicknames_are_taken_in_their_own_words(bench: Bench) -> None:
    profile = bench.org.rows('SELECT "Id" FROM "Profile" LIMIT 1')[0]["Id"]
    user = {
        "LastName": "New", "Email": "n@x.example", "Alias": "new", "ProfileId": profile, "TimeZoneSidKey": "Europe/London",
        "LocaleSidKey": "en_GB", "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US",
    }  # fmt: skip
    bench.insert("User", Username="new@x.example", CommunityNickname="newbie", **user)
    taken = bench.error("insert", "User", Username="NEW@x.example", CommunityNickname="other", **user)
    assert taken[::2] == ("DUPLICATE_USERNAME", "Username")
    nick = bench.error("insert", "User", Username="other@x.example", CommunityNickname="newbie", **user)
    assert nick[::2] == ("DUPLICATE_COMM_NICKNAME", "CommunityNickname")


def test_records_answer_conditional_requests(web: WebBench, bench: Bench) -> None:
    record = f"/sobjects/Account/{bench.insert('Account', Name='Firm')}"
    now = format_datetime(bench.org.clock.now(), usegmt=True)
    before = "Mon, 01 Jan 2024 00:00:00 GMT"
    unchanged = web("GET", record, if_modified_since=now)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert web("GET", record, if_modified_since=before).status_code == 200
    assert web("GET", record, if_modified_since="never").status_code == 200
    late = web("PATCH", record, {"Name": "Late"}, if_unmodified_since=before)
    assert (late.status_code, late.json()[0]["errorCode"]) == (412, "PRECONDITION_FAILED")
    assert web("PATCH", record, {"Name": "In time"}, if_unmodified_since=now).status_code == 204


def test_an_id_of_no_object_spoils_a_delete_of_all_or_none(web: WebBench, bench: Bench) -> None:
    account = bench.insert("Account", Name="Kept")
    answer = web("DELETE", f"/composite/sobjects?ids={account},zzz000000000000&allOrNone=true").json()
    assert [row["errors"][0]["statusCode"] for row in answer] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    assert bench.one("Account", account)["IsDeleted"] is False
    answer = web("DELETE", f"/composite/sobjects?ids={account},zzz000000000000").json()
    assert [row["success"] for row in answer] == [True, False]


def test_a_value_of_the_wrong_type_spoils_its_record_or_by_a_switch_the_body(web: WebBench, bench: Bench) -> None:
    bad = {"LastName": "Wrong", "Birthdate": "01/02/2020"}
    records = [{"attributes": {"type": "Contact"}, **one} for one in ({"LastName": "Right"}, bad)]
    assert web("POST", "/sobjects/Contact", bad).json()[0]["errorCode"] == "INVALID_TYPE_ON_FIELD_IN_RECORD"
    count = 'SELECT count(*) AS n FROM "Contact"'
    before = bench.org.rows(count)
    bench.org.settings.rest_parses_types = True
    try:
        for method, path, body in (
            ("POST", "/sobjects/Contact", bad),
            ("POST", "/composite/sobjects", {"records": records}),
            ("PATCH", "/composite/sobjects/Contact/Email", {"records": records}),
        ):
            refused = web(method, path, body)
            assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR"), path
        assert bench.org.rows(count) == before
        assert web("POST", "/sobjects/Contact", {"LastName": "Right", "Birthdate": "2020-02-01"}).status_code == 201
    finally:
        bench.org.settings.rest_parses_types = False


def test_duplicates_are_told_with_their_addresses_and_under_the_key_of_the_org(twin: WebBench, bench: Bench) -> None:
    for key in ("duplicateResut", "duplicateResult"):
        bench.org.settings.duplicate_result_key = key
        found = twin("POST", "/sobjects/Contact", TWIN).json()[0][key]["matchResults"][0]["matchRecords"][0]["record"]
        assert found["attributes"]["url"] == f"/services/data/v67.0/sobjects/Contact/{found['Id']}"

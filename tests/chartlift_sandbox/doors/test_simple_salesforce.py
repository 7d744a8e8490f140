"""The most used Python client, unchanged, over TLS."""

from collections.abc import Iterator

import pytest
from door_harness import Sandbox
from simple_salesforce import (
    Salesforce,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Salesforce]:
    at = sandbox.estate.addresses
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", at.ca_file)
    found = Salesforce(instance_url=at.org_tls, session_id=sandbox.estate.access_token, version="66.0")
    yield found
    found.session.close()


def test_bulk2_insert_tells_good_rows_from_bad_ones(client: Salesforce) -> None:
    records = [
        {"Key__c": "ss-1", "Cost__c": "12.5", "Note__c": 'quoted "text", and a comma'},
        {"Key__c": "ss-2", "Cost__c": "many", "Note__c": "bad"},
    ]
    [job] = client.bulk2.Visit__c.insert(records=records, wait=0)
    assert (job["numberRecordsTotal"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 2, 1)
    assert '"ss-1"' in client.bulk2.Visit__c.get_successful_records(job["job_id"])
    failed = client.bulk2.Visit__c.get_failed_records(job["job_id"])
    assert "INVALID_TYPE_ON_FIELD_IN_RECORD" in failed
    assert client.bulk2.Visit__c.get_unprocessed_records(job["job_id"]).count("\n") == 1
    found = client.query("SELECT Key__c, Note__c FROM Visit__c WHERE Key__c LIKE 'ss-%'")
    assert found["totalSize"] == 1
    assert found["records"][0]["Note__c"] == 'quoted "text", and a comma'


def test_bulk2_query_upsert_and_delete(client: Salesforce) -> None:
    client.bulk2.Visit__c.upsert(
        records=[{"Key__c": f"sq-{n}", "Short__c": "é 漢"} for n in range(3)], external_id_field="Key__c"
    )
    [text] = client.bulk2.Visit__c.query("SELECT Id, Key__c, Short__c FROM Visit__c WHERE Key__c LIKE 'sq-%'", wait=0)
    assert text.count("é 漢") == 3
    ids = [row["Id"] for row in client.query_all("SELECT Id FROM Visit__c WHERE Key__c LIKE 'sq-%'")["records"]]
    [job] = client.bulk2.Visit__c.delete(records=[{"Id": one} for one in ids], wait=0)
    assert job["numberRecordsFailed"] == 0
    assert client.query("SELECT Id FROM Visit__c WHERE Key__c LIKE 'sq-%'")["totalSize"] == 0


def test_records_describe_and_limits(client: Salesforce) -> None:
    made = client.Contact.create({"LastName": "Simple", "Email": "Simple@Example.com"})
    assert made["success"] is True
    assert client.Contact.get(made["id"])["Email"] == "simple@example.com"
    assert client.Contact.update(made["id"], {"Title": "Dr"}) == 204
    assert client.Contact.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Contact.get(made["id"])
    names = {one["name"] for one in client.Visit__c.describe()["fields"]}
    assert {"Id", "Name", "Key__c", "Status__c"} <= names
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    assert client.api_usage["api-usage"].used > 0
    assert client.describe()["sobjects"]


def test_a_dead_session_is_told_as_such(sandbox: Sandbox, client: Salesforce) -> None:
    client.session_id = "00D000000000000!dead"
    client.headers["Authorization"] = "Bearer 00D000000000000!dead"
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM User")


def test_the_old_bulk_api_answers_in_input_order(client: Salesforce) -> None:
    records = [{"Key__c": f"b1-{n}", "Cost__c": "x" if n == 1 else n} for n in range(3)]
    results = client.bulk.Visit__c.insert(records, batch_size=2)
    assert [one["success"] for one in results] == [True, False, True]
    assert results[1]["errors"][0]["statusCode"] == "INVALID_TYPE_ON_FIELD_IN_RECORD"
    rows = client.bulk.Visit__c.query("SELECT Key__c FROM Visit__c WHERE Key__c LIKE 'b1-%' ORDER BY Key__c")
    assert [row["Key__c"] for row in rows] == ["b1-0", "b1-2"]


def test_searches_by_words_and_by_statement(client: Salesforce) -> None:
    made = client.Contact.create({"LastName": "Searchable-Smythe", "FirstName": "Zoë", "Email": "zoe@smythe.example"})[
        "id"
    ]
    (found,) = client.quick_search("zoë smythe")["searchRecords"]
    assert (found["Id"], found["attributes"]["type"]) == (made, "Contact")
    assert found["attributes"]["url"] == f"/services/data/v66.0/sobjects/Contact/{made}"
    text = "FIND {smy*} IN EMAIL FIELDS RETURNING Contact(Id, Email WHERE FirstName = 'Zoë'), Lead"
    assert [one["Email"] for one in client.search(text)["searchRecords"]] == ["zoe@smythe.example"]
    assert client.search("FIND {nobody}") == {"searchRecords": []}
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.search("FIND {a-b} RETURNING Contact")
    assert refused.value.content[0]["errorCode"] == "MALFORMED_SEARCH"
    client.Contact.delete(made)
    assert client.quick_search("zoë smythe")["searchRecords"] == []


def test_parameterized_searches_by_both_methods(client: Salesforce, sandbox: Sandbox) -> None:
    made = client.Account.create({"Name": "Parameter Dental & Sons"})["id"]
    words = {
        "q": "parameter dental & sons",
        "sobject": ["Account", "Contact"],
        "Account.fields": "Id,Name",
        "in": "NAME",
    }
    answer = sandbox.get("/parameterizedSearch", params=words | {"Account.limit": "3", "metadata": "LABELS"}).json()
    assert [(one["Id"], one["Name"]) for one in answer["searchRecords"]] == [(made, "Parameter Dental & Sons")]
    assert [one["entityName"] for one in answer["metadata"]["entityetadata"]] == ["Account", "Contact"]
    body = {
        "q": "param*",
        "fields": ["Name"],
        "sobjects": [{"name": "Account", "where": "Name LIKE '%Sons'", "limit": 2}],
    }
    (one,) = sandbox.post("/parameterizedSearch/", json=body).json()["searchRecords"]
    assert one["Name"] == "Parameter Dental & Sons"
    for refused in (sandbox.post("/parameterizedSearch", json={}), sandbox.get("/search")):
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "MALFORMED_SEARCH")
    assert sandbox.post("/parameterizedSearch", content=b"{").json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert isinstance(sandbox.org.get("/services/data/v36.0/search", params={"q": "FIND {param*}"}).json(), list)
    client.Account.delete(made)

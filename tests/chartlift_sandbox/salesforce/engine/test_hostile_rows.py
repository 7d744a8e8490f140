"""Rows that look harmless: cycles, nulls where there is a default, empty choices, undelete of parts, files by Bulk."""

from __future__ import annotations

import pytest
from engine_bench import BULK, Bench, WebBench

from chartlift_sandbox.salesforce.dml import SET_NULL
from chartlift_sandbox.salesforce.errors import OrgError


def test_nobody_stands_above_itself(bench: Bench) -> None:
    top = bench.insert("Account", Name="Top")
    middle = bench.insert("Account", Name="Middle", ParentId=top)
    low = bench.insert("Account", Name="Low", ParentId=middle)
    for parent in (top, middle, low, low[:15]):
        refused = bench.error("update", "Account", Id=top, ParentId=parent)
        assert refused == ("CIRCULAR_DEPENDENCY", "attempting to violate hierarchy constraints", "ParentId")
    assert bench.dml("update", "Account", [{"Id": low, "ParentId": top}, {"Id": middle, "ParentId": low}])[0]["success"]
    contact = bench.insert("Contact", LastName="Self")
    assert bench.error("update", "Contact", Id=contact, ReportsToId=contact)[0] == "CIRCULAR_DEPENDENCY"


def test_null_is_no_value_where_a_field_must_have_one(bench: Bench) -> None:
    row = bench.one("Task", bench.insert("Task", Subject="S", Status=SET_NULL, Priority=SET_NULL))
    assert (row["Status"], row["Priority"]) == ("Not Started", "Normal")
    assert bench.error("update", "Task", Id=row["Id"], Status=SET_NULL)[0] == "REQUIRED_FIELD_MISSING"


@pytest.mark.parametrize("given", [";", " ; ; ", ""])
def test_no_choice_is_null(bench: Bench, given: str) -> None:
    assert bench.one("Visit__c", bench.insert("Visit__c", Surfaces__c=given))["Surfaces__c"] is None


def test_what_went_with_its_parent_comes_back_with_it_alone(fresh: Bench) -> None:
    account = fresh.insert("Account", Name="Firm")
    contact = fresh.insert("Contact", LastName="Along", AccountId=account)
    first = fresh.insert("Contact", LastName="Before", AccountId=account)
    fresh.dml("delete", "Contact", [{"Id": first}])
    fresh.dml("delete", "Account", [{"Id": account}])
    assert fresh.error("undelete", "Contact", Id=contact)[0] == "UNDELETE_FAILED"
    assert fresh.dml("undelete", "Contact", [{"Id": first}])[0]["success"]
    assert fresh.one("Contact", first)["AccountId"] is None
    assert fresh.dml("undelete", "Account", [{"Id": account}])[0]["success"]
    assert fresh.one("Contact", contact)["AccountId"] == account


def test_a_converted_lead_is_closed(bench: Bench) -> None:
    lead = bench.insert("Lead", LastName="New", Company="Firm", IsConverted="true")
    assert bench.error("update", "Lead", Id=lead, LastName="x")[:2] == (
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "cannot reference converted lead",
    )


def test_a_login_is_an_address(bench: Bench) -> None:
    user = bench.org.people.manager
    assert bench.error("update", "User", Id=user, Username="no address")[::2] == ("INVALID_EMAIL_ADDRESS", "Username")


def test_bulk_knows_no_column_with_the_content_of_a_file(bench: Bench) -> None:
    file = [{"PathOnClient": "a.txt", "VersionData": "QUI="}]
    with pytest.raises(OrgError) as refused:
        bench.dml("insert", "ContentVersion", file, options=BULK)
    assert refused.value.fields == ("VersionData",)
    bench.org.settings.bulk_takes_base64 = True
    assert bench.dml("insert", "ContentVersion", file, options=BULK)[0]["success"]


def _graph(name: str | None) -> dict:
    step = {
        "method": "POST",
        "url": "/services/data/v67.0/sobjects/Account",
        "referenceId": "a",
        "body": {"Name": name},
    }
    return {"graphId": str(name), "compositeRequest": [step]}


def test_graphs_halt_after_fourteen_failures_and_count_their_nodes(web: WebBench) -> None:
    graphs = [_graph("first"), *[_graph(None)] * 14, _graph("halted")]
    answers = web("POST", "/composite/graph", {"graphs": graphs}).json()["graphs"]
    assert [one["isSuccessful"] for one in answers] == [True, *[False] * 15]
    last = answers[-1]["graphResponse"]["compositeResponse"][0]
    assert last["body"][0]["errorCode"] == "PROCESSING_HALTED"
    many = {"graphId": "1", "compositeRequest": _graph("x")["compositeRequest"] * 251}
    refused = web("POST", "/composite/graph", {"graphs": [many, many]})
    assert refused.status_code == 400

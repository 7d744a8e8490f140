"""A clinic's whole schema over HTTP: a detail object, required and optional lookups, long texts, amounts."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from door_clinic import OBJECTS, clinic_package
from door_harness import DATA, Sandbox, run_in_thread
from door_packages import field_grant, grant, manifest, permission_set, zipped
from simple_salesforce import Salesforce
from test_soap import PARTNER, post

from chartlift_sandbox.estate import build_estate


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An org with the clinic's objects; its Contact and Invoice are made by the tests."""
    estate = build_estate(Path(tmp_path_factory.mktemp("clinic")), patients=2, seed=3)
    thread, loop, stop = run_in_thread(estate)
    bearer = {"authorization": f"Bearer {estate.access_token}"}
    with (
        httpx2.Client(base_url=estate.addresses.org, headers=bearer, timeout=30) as client,
        httpx2.Client(base_url=estate.addresses.control, timeout=30) as control,
    ):
        box = Sandbox(estate, client, control)
        result = box.deploy(clinic_package())
        assert result["status"] == "Succeeded", result["details"]["componentFailures"]
        box.assign("Clinic_Access")
        yield box
    loop.call_soon_threadsafe(stop.set)
    thread.join(15)


def made(org: Sandbox, name: str, **fields: Any) -> str:
    answer = org.post(f"/sobjects/{name}", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def refused(org: Sandbox, name: str, **fields: Any) -> tuple[str, str]:
    answer = org.post(f"/sobjects/{name}", json=fields)
    assert answer.status_code == 400, answer.text
    return answer.json()[0]["errorCode"], answer.json()[0]["message"]


def found(org: Sandbox, soql: str, *, every: bool = False) -> list[dict[str, Any]]:
    answer = org.get("/queryAll" if every else "/query", params={"q": soql})
    assert answer.status_code == 200, answer.text
    return [{k: v for k, v in row.items() if k != "attributes"} for row in answer.json()["records"]]


def invoice(org: Sandbox, lines: int = 2) -> tuple[str, list[str]]:
    """An invoice with lines; answers their ids."""
    patient = made(org, "Contact", LastName="Byrne")
    key = made(org, "Invoice__c", ContactId__c=patient, Invoice_Number__c="INV-1")
    return key, [made(org, "Invoice_Line__c", InvoiceId__c=key, Line_Number__c=n + 1) for n in range(lines)]


def test_the_master_of_a_detail_is_described_as_such(org: Sandbox) -> None:
    described = org.get("/sobjects/Invoice_Line__c/describe").json()
    fields = {one["name"]: one for one in described["fields"]}
    assert "OwnerId" not in fields
    master = fields["InvoiceId__c"]
    assert (master["type"], master["referenceTo"], master["relationshipName"]) == (
        "reference", ["Invoice__c"], "InvoiceId__r",
    )  # fmt: skip
    assert (master["nillable"], master["createable"], master["updateable"]) == (False, True, False)
    assert (master["relationshipOrder"], master["cascadeDelete"], master["permissionable"]) == (0, True, False)
    children = org.get("/sobjects/Invoice__c/describe").json()["childRelationships"]
    by_child = {(one["childSObject"], one["field"]): one for one in children}
    assert by_child["Invoice_Line__c", "InvoiceId__c"]["cascadeDelete"] is True
    assert by_child["Payment_Plan__c", "InvoiceId__c"]["cascadeDelete"] is False
    name = fields["Name"]
    assert (name["autoNumber"], name["createable"], name["updateable"], name["length"]) == (True, False, False, 80)


def test_required_lookups_and_long_texts_are_described_as_such(org: Sandbox) -> None:
    fields = {one["name"]: one for one in org.get("/sobjects/Clinical_Note__c/describe").json()["fields"]}
    contact = fields["ContactId__c"]
    assert (contact["nillable"], contact["restrictedDelete"], contact["permissionable"]) == (False, True, False)
    assert (fields["TreatmentId__c"]["nillable"], fields["TreatmentId__c"]["restrictedDelete"]) == (True, False)
    text = fields["Note_Text__c"]
    assert (text["type"], text["length"], text["byteLength"], text["extraTypeInfo"]) == (
        "textarea", 32768, 98304, "plaintextarea",
    )  # fmt: skip
    assert (text["filterable"], text["sortable"], text["groupable"]) == (False, False, False)
    amount = {one["name"]: one for one in org.get("/sobjects/Invoice__c/describe").json()["fields"]}["Amount__c"]
    assert (amount["type"], amount["precision"], amount["scale"]) == ("currency", 16, 2)


@pytest.mark.parametrize("name", ["Invoice_Line__c.InvoiceId__c", "Treatment__c.ContactId__c"])
def test_no_permission_set_may_name_a_required_parent(org: Sandbox, name: str) -> None:
    result = org.deploy(clinic_package(extra_grants=(name,)))
    [failure] = result["details"]["componentFailures"]
    assert failure["problem"] == f"You cannot deploy to a required field: {name}"


def test_a_detail_is_granted_only_with_its_master(org: Sandbox) -> None:
    inner = grant("Invoice_Line__c") + field_grant("Invoice_Line__c.Description__c")
    files = {
        "package.xml": manifest({"PermissionSet": ["Lines"]}),
        "permissionsets/Lines.permissionset": permission_set("Lines", inner),
    }
    [failure] = org.deploy(zipped(files))["details"]["componentFailures"]
    assert failure["problem"] == "Permission Read Invoice_Line__c depends on permission(s): Read Invoice__c"


def test_a_line_needs_a_live_invoice_and_stays_with_it(org: Sandbox) -> None:
    key, lines = invoice(org)
    other, _ = invoice(org, 0)
    assert refused(org, "Invoice_Line__c", Description__c="x") == (
        "REQUIRED_FIELD_MISSING", "Required fields are missing: [InvoiceId__c]",
    )  # fmt: skip
    assert refused(org, "Invoice_Line__c", InvoiceId__c=key, Name="L")[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert refused(org, "Invoice_Line__c", InvoiceId__c=key, OwnerId=org.estate.org.people.admin)[0] == "INVALID_FIELD"
    moved = org.org.patch(f"{DATA}/sobjects/Invoice_Line__c/{lines[0]}", json={"InvoiceId__c": other})
    assert moved.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    org.org.delete(f"{DATA}/sobjects/Invoice__c/{other}")
    assert refused(org, "Invoice_Line__c", InvoiceId__c=other)[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_an_invoice_takes_its_lines_to_the_bin_and_back(org: Sandbox) -> None:
    key, lines = invoice(org)
    gone = made(org, "Invoice_Line__c", InvoiceId__c=key)
    org.org.delete(f"{DATA}/sobjects/Invoice_Line__c/{gone}")
    named = [
        row["Name"] for row in found(org, f"SELECT Name FROM Invoice_Line__c WHERE InvoiceId__c = '{key}' ORDER BY Id")
    ]
    assert org.org.delete(f"{DATA}/sobjects/Invoice__c/{key}").status_code == 204
    mine = f"FROM Invoice_Line__c WHERE InvoiceId__c = '{key}' ORDER BY Id"
    assert found(org, f"SELECT Id {mine}") == []
    assert [row["IsDeleted"] for row in found(org, f"SELECT IsDeleted {mine}", every=True)] == [True, True, True]
    answer = post(org, "u", PARTNER, f'<undelete xmlns="{PARTNER}"><ids>{key}</ids></undelete>')
    assert answer.status_code == 200
    assert found(org, f"SELECT Id, Name {mine}") == [
        {"Id": one, "Name": name} for one, name in zip(lines, named, strict=True)
    ]  # the line that had been deleted before stays in the bin


def test_a_line_cannot_leave_the_bin_without_its_invoice(org: Sandbox) -> None:
    key, [line] = invoice(org, 1)
    org.org.delete(f"{DATA}/sobjects/Invoice_Line__c/{line}")
    org.org.delete(f"{DATA}/sobjects/Invoice__c/{key}")
    answer = post(org, "u", PARTNER, f'<undelete xmlns="{PARTNER}"><ids>{line}</ids></undelete>')
    assert "ENTITY_IS_DELETED" in answer.text


def test_a_required_lookup_holds_its_parent_and_an_optional_one_lets_go(org: Sandbox) -> None:
    patient = made(org, "Contact", LastName="Doyle")
    treatment = made(org, "Treatment__c", ContactId__c=patient, Treatment_Name__c="Crown")
    note = made(org, "Clinical_Note__c", ContactId__c=patient, TreatmentId__c=treatment)
    held = org.org.delete(f"{DATA}/sobjects/Contact/{patient}")
    assert (held.status_code, held.json()[0]["errorCode"]) == (400, "DELETE_FAILED")
    assert org.org.delete(f"{DATA}/sobjects/Treatment__c/{treatment}").status_code == 204
    assert found(org, f"SELECT TreatmentId__c FROM Clinical_Note__c WHERE Id = '{note}'") == [{"TreatmentId__c": None}]
    assert refused(org, "Clinical_Note__c", Note_Text__c="x")[0] == "REQUIRED_FIELD_MISSING"


def test_long_texts_are_counted_in_units_with_each_line_end_as_two(org: Sandbox) -> None:
    patient = made(org, "Contact", LastName="Keane")
    texts = {
        "fits": "n" * 32_768, "one over": "n" * 32_769, "emoji fits": "n" * 32_766 + "😀",
        "emoji over": "n" * 32_767 + "😀", "ends fit": "a\n" * 10_922 + "bb", "ends over": "a\n" * 10_922 + "bbb",
        "returns over": "a\r\n" * 10_922 + "bbb",
    }  # fmt: skip
    sink = io.StringIO()
    rows = csv.writer(sink, lineterminator="\n")
    rows.writerow(["Source_System_ID__c", "ContactId__c", "Note_Text__c"])
    rows.writerows([key, patient, text] for key, text in texts.items())
    job = org.ingest("insert", "Clinical_Note__c", sink.getvalue().encode())
    failed = org.get(f"/jobs/ingest/{job['id']}/failedResults").text
    assert failed.count("STRING_TOO_LONG:Note Text: data value too large: ") == job["numberRecordsFailed"]
    kept = found(
        org, f"SELECT Source_System_ID__c, Note_Text__c FROM Clinical_Note__c WHERE ContactId__c = '{patient}'"
    )
    assert {row["Source_System_ID__c"]: row["Note_Text__c"] for row in kept} == {
        key: text for key, text in texts.items() if key.endswith(("fits", "fit"))
    }


def test_a_cell_beyond_every_limit_fails_the_job_with_its_name(org: Sandbox) -> None:
    patient = made(org, "Contact", LastName="Long")
    body = f"Source_System_ID__c,ContactId__c,Note_Text__c\nhuge,{patient},{'é' * 3_000_000}\n"
    job = org.ingest("insert", "Clinical_Note__c", body.encode())
    assert (job["state"], job["errorMessage"]) == (
        "Failed", "ClientInputError : Field Note_Text__c is longer than 131072 characters",
    )  # fmt: skip


def test_amounts_are_bounded_before_the_point_only(org: Sandbox) -> None:
    key, _ = invoice(org, 0)
    line = made(org, "Invoice_Line__c", InvoiceId__c=key, Quantity__c="123456.789", Unit_Price__c=99999999999999.25)
    assert found(org, f"SELECT Quantity__c, Unit_Price__c FROM Invoice_Line__c WHERE Id = '{line}'") == [
        {"Quantity__c": 123456.789, "Unit_Price__c": 99999999999999.25}
    ]
    assert refused(org, "Invoice_Line__c", InvoiceId__c=key, Quantity__c=1_000_000)[0] == "NUMBER_OUTSIDE_VALID_RANGE"
    assert refused(org, "Invoice_Line__c", InvoiceId__c=key, Line_Number__c=10_000)[0] == "NUMBER_OUTSIDE_VALID_RANGE"
    assert refused(org, "Invoice__c", ContactId__c=key)[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_the_usual_client_sees_every_object(org: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    at = org.estate.addresses
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", at.ca_file)
    client = Salesforce(instance_url=at.org_tls, session_id=org.estate.access_token, version="67.0")
    names = {one["name"]: one for one in client.describe()["sobjects"]}
    assert set(OBJECTS) <= set(names)
    key, _ = invoice(org, 0)
    records = [{"InvoiceId__c": key, "Description__c": f"Filling {n}", "Line_Total__c": "76.60"} for n in range(3)]
    [job] = client.bulk2.Invoice_Line__c.insert(records=records, wait=0)
    assert job["numberRecordsFailed"] == 0
    nested = client.query(
        f"SELECT (SELECT Line_Total__c FROM Invoice_LineInvoiceId__r) FROM Invoice__c WHERE Id = '{key}'"
    )
    assert [row["Line_Total__c"] for row in nested["records"][0]["Invoice_LineInvoiceId__r"]["records"]] == [76.6] * 3
    client.session.close()

"""One bad row per error code: code, message and field list as the platform words them."""

from __future__ import annotations

import pytest
from engine_bench import BULK, Bench

from chartlift_sandbox.salesforce.dml import SET_NULL
from chartlift_sandbox.salesforce.errors import OrgError

BAD_CELLS = [
    ("Loose_Key__c", "x" * 21, "STRING_TOO_LONG", f"Loose Key: data value too large: {'x' * 21} (max length=20)"),
    ("Loose_Key__c", "\U0001f600" * 11, "STRING_TOO_LONG", None),
    ("Note__c", "a\nb" * 6, "STRING_TOO_LONG", None),
    ("Status__c", "Late", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
     "Status: bad value for restricted picklist field: Late"),
    ("Status__c", "Old", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", None),
    ("Surfaces__c", "M;X", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", None),
    ("Cost__c", "100000.01", "NUMBER_OUTSIDE_VALID_RANGE",
     "Cost: value outside of valid range on numeric field: 100000.01"),
    ("Cost__c", "12,50", "INVALID_TYPE_ON_FIELD_IN_RECORD", "Cost: value not of required type: 12,50"),
    ("Cost__c", "NaN", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Count__c", "1.5", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Count__c", "10000", "NUMBER_OUTSIDE_VALID_RANGE", None),
    ("Day__c", "2021-02-29", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Day__c", "1699-12-31", "FIELD_INTEGRITY_EXCEPTION", None),
    ("Day__c", "01/02/2020", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Start__c", "2020-01-01T10:00:00", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Start__c", "2020-01-01T24:00:00Z", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Clock__c", "25:00:00", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Paid__c", "maybe", "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
    ("Contact_Email__c", "abc@", "INVALID_EMAIL_ADDRESS", "Contact Email: invalid email address: abc@"),
    ("Contact_Email__c", "jos\u00e9@example.com", "INVALID_EMAIL_ADDRESS", None),
    ("Contact__c", "003", "MALFORMED_ID", "Contact: id value of incorrect type: 003"),
    ("Contact__c", "0035g0000000zzzAAB", "MALFORMED_ID", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "code", "message"), BAD_CELLS)
def test_a_bad_cell_fails_its_row_with_the_code_of_its_type(
    bench: Bench, name: str, value: str, code: str, message: str | None
) -> None:
    results = bench.dml("insert", "Visit__c", [{name: value}, {name: None}])
    assert [row["success"] for row in results] == [False, True]
    assert results[0]["code"] == code
    assert results[0]["fields"] == name
    if message is not None:
        assert results[0]["message"] == message


def test_required_fields_are_listed_together(bench: Bench) -> None:
    code, message, fields = bench.error("insert", "Contact", FirstName="Jo")
    assert (code, message, fields) == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "LastName")
    code, message, _ = bench.error("insert", "PermissionSet", Description="x")
    assert (code, message) == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name, Label]")


def test_a_required_field_cannot_be_emptied(bench: Bench) -> None:
    guard = bench.insert("Guard__c", Must__c="here")
    assert bench.error("update", "Guard__c", Id=guard, Must__c=SET_NULL)[0] == "REQUIRED_FIELD_MISSING"
    assert bench.error("insert", "Line__c", Source_System_ID__c="no-master")[0] == "REQUIRED_FIELD_MISSING"


def test_an_unknown_parent_is_a_cross_reference_error(bench: Bench) -> None:
    absent = bench.org.new_id("003")
    assert bench.error("insert", "Visit__c", Contact__c=absent) == (
        "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "",
    )  # fmt: skip
    wrong_object = bench.insert("Account", Name="A")
    assert bench.error("insert", "Visit__c", Contact__c=wrong_object)[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_a_deleted_parent_is_a_cross_reference_error(bench: Bench) -> None:
    contact = bench.insert("Contact", LastName="Soon gone")
    bench.dml("delete", "Contact", [{"Id": contact}])
    assert bench.error("insert", "Visit__c", Contact__c=contact)[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_a_missing_external_parent_names_field_and_entity(bench: Bench) -> None:
    result = bench.dml("insert", "Visit__c", [{"Contact__r.Source_System_ID__c": "nobody"}])[0]
    assert result["code"] == "INVALID_FIELD"
    assert result["message"] == (
        "Foreign key external ID: nobody not found for field Source_System_ID__c in entity Contact"
    )
    assert result["fields"] == ""


def test_an_ambiguous_external_parent_fails_the_row(bench: Bench) -> None:
    for _ in range(2):
        bench.insert("Visit__c", Loose_Key__c="twice")
    code, message, _ = bench.error("insert", "Visit__c", **{"Follows__r.Loose_Key__c": "twice"})
    assert code == "INVALID_FIELD"
    assert "more than one record found" in message


def test_read_only_and_audit_fields_are_refused_by_name(bench: Bench) -> None:
    code, message, fields = bench.error("insert", "Contact", LastName="A", Name="B")
    assert (code, fields) == ("INVALID_FIELD_FOR_INSERT_UPDATE", "Name")
    assert message.startswith("Unable to create/update fields: Name. Please check the security settings")
    visit = bench.insert("Visit__c", Name="v")
    stamp = "2020-01-01T00:00:00Z"
    assert bench.error("update", "Visit__c", Id=visit, CreatedDate=stamp)[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert bench.error("insert", "Visit__c", SystemModstamp=stamp)[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert bench.error("insert", "Visit__c", Id=visit)[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_inactive_owner_is_refused_unless_permitted(bench: Bench) -> None:
    gone = bench.org.find_user("ian@clinic.example")
    code, message, fields = bench.error("insert", "Contact", LastName="A", OwnerId=gone)
    assert (code, fields) == ("INACTIVE_OWNER_OR_USER", "")
    assert message == f"operation performed with inactive user [{str(gone)[:15]}] as owner of contact"
    assert bench.error("insert", "Contact", LastName="A", OwnerId="me")[0] == "MALFORMED_ID"
    bench.insert("Visit__c", Practitioner__c=gone)


def test_update_and_delete_need_an_id_that_exists(bench: Bench) -> None:
    visit = bench.insert("Visit__c", Name="v")
    assert bench.error("update", "Visit__c", Id=None, Name="x")[0] == "MISSING_ARGUMENT"
    assert bench.error("update", "Visit__c", Id="nonsense", Name="x")[0] == "MALFORMED_ID"
    assert bench.error("delete", "Visit__c", Id=bench.org.new_id("a00"))[0] == "INVALID_CROSS_REFERENCE_KEY"
    bench.dml("delete", "Visit__c", [{"Id": visit}])
    expected = ("ENTITY_IS_DELETED", "entity is deleted", "")
    assert bench.error("update", "Visit__c", Id=visit, Name="x") == expected
    assert bench.error("delete", "Visit__c", Id=visit) == expected


def test_an_unknown_column_fails_the_whole_call(bench: Bench) -> None:
    with pytest.raises(OrgError) as caught:
        bench.dml("insert", "Visit__c", [{"ContactId__c": "x"}])
    assert (caught.value.code, caught.value.fields) == ("INVALID_FIELD", ("ContactId__c",))
    with pytest.raises(OrgError, match="Owner"):
        bench.dml("insert", "Visit__c", [{"Owner.Username": "ann@clinic.example"}])
    with pytest.raises(OrgError, match="INVALID_TYPE"):
        bench.dml("insert", "Nothing__c", [{"Name": "x"}])


def test_the_first_error_in_the_order_of_execution_wins(bench: Bench) -> None:
    row: dict[str, str | None] = {"LastName": None, "FirstName": "x" * 41}
    assert bench.error("insert", "Contact", **row)[0] == "STRING_TOO_LONG"


def test_good_rows_land_beside_bad_ones_in_input_order(bench: Bench) -> None:
    rows: list[dict[str, str | None]] = [
        {"Count__c": str(n) if n % 3 else "bad", "Source_System_ID__c": f"mix-{n}"} for n in range(30)
    ]
    results = bench.dml("insert", "Visit__c", rows, options=BULK)
    assert [row["row"] for row in results] == list(range(30))
    assert [row["success"] for row in results] == [bool(n % 3) for n in range(30)]
    stored = bench.org.rows(
        'SELECT "Id", "Source_System_ID__c" AS k FROM "Visit__c" WHERE starts_with("Source_System_ID__c", \'mix-\') '
        'ORDER BY "Id"'
    )
    assert [(row["Id"], row["k"]) for row in stored] == [(r["id"], f"mix-{r['row']}") for r in results if r["success"]]

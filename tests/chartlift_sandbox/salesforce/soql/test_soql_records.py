"""What records and refusals look like."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from chartlift_sandbox.salesforce import ids, soql
from chartlift_sandbox.salesforce.errors import OrgError

ROOT = "/services/data/v67.0/sobjects"


def _moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # ty: ignore[invalid-argument-type]


def _refusal(org: Any, actor: Any, text: str) -> OrgError:
    with pytest.raises(OrgError) as caught:
        soql.run(org, actor, text)
    return caught.value


@pytest.fixture
def clinic(org: Any, ada: Any) -> dict[str, str]:
    account = org.insert("Account", "001", 1, Name="Harbour Street", OwnerId=ada.user_id)
    contact = org.insert(
        "Contact", "003", 1, Name="Jo Ó Sé", Birthdate=date(1980, 2, 29), NumberOfVisits=3, AccountId=account,
        OwnerId=ada.user_id, MailingCity="Cork", MailingStreet="1 Quay", HasOptedOutOfEmail=True,
    )  # fmt: skip
    group = ids.make("00G", 1)
    visit = org.insert(
        "Visit__c", "a00", 1, Name="V-1", Contact__c=contact, OwnerId=group, Fee__c=120.0, At__c=time(9, 30),
        Start__c=_moment(2026, 11, 23, 20, 6, 28),
    )  # fmt: skip
    org.insert("Task", "00T", 1, Subject="Call", WhoId=contact, WhatId=visit, OwnerId=ada.user_id)
    org.insert("Task", "00T", 2, Subject="Mail", WhatId=account, OwnerId=ada.user_id)
    return {"account": account, "contact": contact, "visit": visit, "group": group}


def test_values_have_the_types_and_forms_of_the_rest_api(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    (record,) = soql.run(
        org, ada, "SELECT id, FEE__C, Start__c, At__c, Status__c, IsDeleted FROM visit__c"
    ).to_records()
    assert record == {
        "attributes": {"type": "Visit__c", "url": f"{ROOT}/Visit__c/{clinic['visit']}"},
        "Id": clinic["visit"], "Fee__c": 120.0, "Start__c": "2026-11-23T20:06:28.000+0000", "At__c": "09:30:00.000Z",
        "Status__c": None, "IsDeleted": False,
    }  # fmt: skip
    assert list(record) == ["attributes", "Id", "Fee__c", "Start__c", "At__c", "Status__c", "IsDeleted"]
    (person,) = soql.run(org, ada, "SELECT Birthdate, NumberOfVisits, MailingAddress FROM Contact").to_records("60.0")
    assert person["attributes"]["url"].startswith("/services/data/v60.0/")
    assert (person["Birthdate"], person["NumberOfVisits"]) == ("1980-02-29", 3)
    assert person["MailingAddress"]["city"] == "Cork"
    assert set(person["MailingAddress"]) == {
        "city", "country", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state", "street",
    }  # fmt: skip


def test_parents_are_nested_and_null_when_there_is_none(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    org.insert("Visit__c", "a00", 2, Name="V-2", OwnerId=ada.user_id)
    text = "SELECT Name, Contact__r.Account.Owner.Email, Contact__r.Name FROM Visit__c"
    first, second = soql.run(org, ada, text).to_records()
    assert first["Contact__r"] == {
        "attributes": {"type": "Contact", "url": f"{ROOT}/Contact/{clinic['contact']}"},
        "Account": {
            "attributes": {"type": "Account", "url": f"{ROOT}/Account/{clinic['account']}"},
            "Owner": {
                "attributes": {"type": "User", "url": f"{ROOT}/User/{ada.user_id}"},
                "Email": "ada@clinic.example",
            },
        },
        "Name": "Jo Ó Sé",
    }  # fmt: skip
    assert second["Contact__r"] is None


def test_polymorphic_parents_show_their_common_face(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    text = "SELECT Owner.Name, Owner.Type FROM Visit__c WHERE Owner.Type = 'group'"
    (record,) = soql.run(org, ada, text).to_records()
    assert record["Owner"] == {
        "attributes": {"type": "Name", "url": f"{ROOT}/Group/{clinic['group']}"}, "Name": "Reception", "Type": "Group",
    }  # fmt: skip
    names = soql.run(org, ada, "SELECT What.Name, Who.Name FROM Task ORDER BY Subject").rows
    assert names == [("V-1", "Jo Ó Sé"), ("Harbour Street", None)]
    assert _refusal(org, ada, "SELECT Owner.Fee__c FROM Visit__c").code == "INVALID_FIELD"


def test_typeof_picks_the_branch_of_the_parents_type(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    text = "SELECT TYPEOF What WHEN Account THEN Name, Rating ELSE Name END FROM Task ORDER BY Subject"
    first, second = soql.run(org, ada, text).to_records()
    assert first["What"]["attributes"]["type"] == "Name"
    assert (second["What"]["attributes"]["type"], second["What"]["Rating"]) == ("Account", None)


def test_children_are_nested_results_down_to_five_levels(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    org.insert("Payment__c", "a01", 1, Name="P", Visit__c=clinic["visit"], Amount__c=12.5)
    text = (
        "SELECT Name, (SELECT Name, (SELECT Name, (SELECT Amount__c, Visit__r.Name FROM Payments__r) FROM Visits__r) "
        "FROM Contacts), (SELECT Id FROM ChildAccounts) FROM Account"
    )
    (record,) = soql.run(org, ada, text).to_records()
    assert record["ChildAccounts"] is None
    payments = record["Contacts"]["records"][0]["Visits__r"]["records"][0]["Payments__r"]
    assert (payments["totalSize"], payments["done"]) == (1, True)
    assert payments["records"][0]["Amount__c"] == 12.5
    assert payments["records"][0]["Visit__r"]["Name"] == "V-1"


def test_aggregates_are_named_by_alias_or_by_number(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    text = "SELECT Contact__r.Name, COUNT(Id), SUM(Fee__c) fees, MAX(Start__c) FROM Visit__c GROUP BY Contact__r.Name"
    (record,) = soql.run(org, ada, text).to_records()
    assert record == {
        "attributes": {"type": "AggregateResult"}, "Name": "Jo Ó Sé", "expr0": 1, "fees": 120.0,
        "expr1": "2026-11-23T20:06:28.000+0000",
    }  # fmt: skip


def test_text_groups_ignore_case_and_picklists_sort_by_their_values(org: Any, ada: Any) -> None:
    for number, (name, rating) in enumerate([("a", "Cold"), ("A", "Hot"), ("b", None), ("c", "Warm")]):
        org.insert("Account", "001", number, Name=name, Rating=rating)
    assert len(soql.run(org, ada, "SELECT Name, COUNT(Id) FROM Account GROUP BY Name").rows) == 3
    ordered = soql.run(org, ada, "SELECT Rating FROM Account ORDER BY Rating").rows
    assert ordered == [(None,), ("Hot",), ("Warm",), ("Cold",)]


def test_roll_ups_add_subtotals(org: Any, ada: Any) -> None:
    for number, (status, fee) in enumerate([("Done", 1.0), ("Done", 2.0), ("Open", 4.0)]):
        org.insert("Visit__c", "a00", number, Name="x", Status__c=status, Fee__c=fee)
    text = "SELECT Status__c, SUM(Fee__c), GROUPING(Status__c) FROM Visit__c GROUP BY ROLLUP(Status__c)"
    assert soql.run(org, ada, text).rows == [("Done", 3.0, 0), ("Open", 4.0, 0), (None, 7.0, 1)]


def test_parts_of_a_date_are_utc_unless_converted(org: Any, ada: Any) -> None:
    org.insert("Visit__c", "a00", 1, Name="x", Start__c=_moment(2026, 6, 30, 23, 30))
    call = "DAY_IN_MONTH({0}), CALENDAR_MONTH({0}), HOUR_IN_DAY({0})"
    for field, want in (("Start__c", (30, 6, 23)), ("convertTimezone(Start__c)", (1, 7, 0))):
        calls = call.format(field)
        assert soql.run(org, ada, f"SELECT {calls} FROM Visit__c GROUP BY {calls}").rows == [want]


def test_date_literals_follow_the_callers_zone(org: Any, ada: Any) -> None:
    # one minute before midnight UTC in summer is already the next day in London
    org.clock.now = lambda: datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
    org.insert("Visit__c", "a00", 1, Name="late", Start__c=_moment(2026, 6, 30, 23, 0))
    org.insert("Visit__c", "a00", 2, Name="early", Start__c=_moment(2026, 6, 30, 22, 59))
    assert soql.run(org, ada, "SELECT Name FROM Visit__c WHERE Start__c = TODAY").rows == [("late",)]
    assert soql.run(org, ada, "SELECT Name FROM Visit__c WHERE Start__c = LAST_MONTH").rows == [("early",)]


def test_ids_of_15_and_18_characters_are_the_same_record(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    short = clinic["contact"][:15]
    for condition in (f"Id = '{short}'", f"Id IN ('{short}', '{clinic['contact']}')"):
        assert soql.run(org, ada, f"SELECT Id FROM Contact WHERE {condition}").total == 1
    assert soql.run(org, ada, f"SELECT Id FROM Visit__c WHERE Contact__c = '{short}'").total == 1
    assert soql.run(org, ada, f"SELECT Id FROM Contact WHERE Id > '{clinic['contact']}'").total == 0
    wrong = clinic["contact"][:15] + "ZZZ"
    assert _refusal(org, ada, f"SELECT Id FROM Contact WHERE Id = '{wrong}'").code == "INVALID_QUERY_FILTER_OPERATOR"


def test_fields_functions_select_what_the_caller_sees(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    org.hidden = {("Contact", "Email"), ("Contact", "Interests__c")}
    custom = soql.run(org, ada, "SELECT FIELDS(CUSTOM) FROM Contact LIMIT 200").columns
    assert custom == ["Source_System_ID__c"]
    standard = soql.run(org, ada, "SELECT FIELDS(STANDARD) FROM Contact").columns
    assert "Email" not in standard
    assert "Birthdate" in standard
    listed = f"Id IN ('{clinic['contact']}')"
    assert soql.run(org, ada, f"SELECT FIELDS(ALL) FROM Contact WHERE {listed} AND Name != null").total == 1
    for text in ("SELECT FIELDS(ALL) FROM Contact", "SELECT FIELDS(CUSTOM) FROM Contact LIMIT 201"):
        assert _refusal(org, ada, text).code == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Email FROM Contact",
        "SELECT Id FROM Contact WHERE Email = 'x'",
        "SELECT Id FROM Contact ORDER BY Email",
        "SELECT COUNT(Email) FROM Contact",
        "SELECT Contact__r.Email FROM Visit__c",
        "SELECT Id, (SELECT Email FROM Contacts) FROM Account",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Email = 'x')",
    ],
)
def test_a_field_hidden_from_the_caller_does_not_exist_for_them(org: Any, ada: Any, text: str) -> None:
    soql.run(org, ada, text)
    org.hidden = {("Contact", "Email")}
    error = _refusal(org, ada, text)
    assert error.code == "INVALID_FIELD"
    assert "No such column 'Email' on entity 'Contact'" in error.message


@pytest.mark.parametrize(
    "text", ["SELECT Id FROM Contact", "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)"]
)
def test_an_object_the_caller_may_not_read_does_not_exist_for_them(org: Any, ada: Any, text: str) -> None:
    org.unreadable = {"Contact"}
    error = _refusal(org, ada, text)
    assert error.code == "INVALID_TYPE"
    assert "sObject type 'Contact' is not supported" in error.message


def test_refusals_point_at_the_place(org: Any, ada: Any) -> None:
    error = _refusal(org, ada, "select count() from XYZZY")
    assert error.code == "INVALID_TYPE"
    place = "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
    assert error.message.startswith(f"{place}sObject type 'XYZZY' is not supported. ")
    error = _refusal(org, ada, "SELECT Id\nFROM Contact\nWHERE Nope__c = 1")
    assert error.message.startswith("\nWHERE Nope__c = 1\n      ^\nERROR at Row:3:Column:7\nNo such column 'Nope__c' ")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("SELECT Id, FROM Contact", "MALFORMED_QUERY", "Column:12\nunexpected token: 'FROM'"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: <EOF>"),
        (
            "SELECT Id FROM Contact WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Contact WHERE Name = 'a' AND NOT Name = 'b'", "MALFORMED_QUERY", "unexpected token: 'NOT'"),
        ("SELECT Id FROM Contact LIMIT 1 WHERE Name = 'a'", "MALFORMED_QUERY", "unexpected token: 'where'"),
        ("SELECT Id FROM Contact WHERE Name = 'a", "MALFORMED_QUERY", "mismatched character"),
        ("SELECT Id FROM Contact WHERE Name = 'a\\q'", "MALFORMED_QUERY", "Illegal character sequence '\\q'"),
        ("SELECT Id FROM Contact WHERE Name = :name", "MALFORMED_QUERY", "Bind variables only allowed in Apex code"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Name n FROM Contact", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
        ("SELECT Foo__r.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Foo__r' in field path"),
        (
            "SELECT Id, (SELECT Id FROM Foos) FROM Contact",
            "INVALID_TYPE",
            "Didn't understand relationship 'Foos' in FROM part",
        ),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "field 'Description' can not be filtered"),
        ("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD", "field 'Description' can not be sorted"),
        (
            "SELECT Id FROM Contact WHERE Birthdate = '1980-01-01'",
            "INVALID_FIELD",
            "must be of type date and should not be",
        ),
        (
            "SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime and should not be",
        ),
        (
            "SELECT Id FROM Contact WHERE Name = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        ("SELECT Id FROM Contact WHERE Birthdate = 1980-13-01", "MALFORMED_QUERY", "Invalid date: 1980-13-01"),
        ("SELECT Id FROM Contact WHERE Birthdate = 1699-12-31", "MALFORMED_QUERY", "Invalid date"),
        ("SELECT Id FROM Contact WHERE HasOptedOutOfEmail > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact WHERE NumberOfVisits LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Name, COUNT(Id) FROM Contact", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
        (
            "SELECT COUNT(Id) FROM Contact GROUP BY Name ORDER BY Email",
            "MALFORMED_QUERY",
            "Ordered field must be grouped",
        ),
        ("SELECT COUNT(Id) FROM Contact LIMIT 1", "MALFORMED_QUERY", "cannot also use LIMIT"),
        ("SELECT COUNT(), Name FROM Contact", "MALFORMED_QUERY", "must be the only element"),
        ("SELECT SUM(Name) FROM Contact", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
        ("SELECT Description, COUNT(Id) FROM Contact GROUP BY Description", "MALFORMED_QUERY", "can not be grouped"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        (
            "SELECT Account.Parent.Parent.Parent.Parent.Parent.Name FROM Contact",
            "MALFORMED_QUERY",
            "more than 5 levels",
        ),
        (
            "SELECT Id FROM Contact WHERE Name = 'x' OR Id IN (SELECT Contact__c FROM Visit__c)",
            "MALFORMED_QUERY",
            "with the 'OR' operator",
        ),
        (
            "SELECT Id FROM Contact WHERE Name IN (SELECT Name FROM Visit__c)",
            "MALFORMED_QUERY",
            "should be an id field",
        ),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY", "same object type"),
    ],
)
def test_what_the_query_service_refuses(org: Any, ada: Any, text: str, code: str, words: str) -> None:
    error = _refusal(org, ada, text)
    assert (error.code, error.status) == (code, 400)
    assert words in error.message


def test_grouped_results_of_more_than_2000_groups_are_refused(org: Any, ada: Any) -> None:
    org.db.execute(
        'INSERT INTO "Account" BY NAME SELECT \'N\' || i AS "Name", false AS "IsDeleted" FROM range(2001) g(i)'
    )
    assert _refusal(org, ada, "SELECT Name, COUNT(Id) FROM Account GROUP BY Name").code == "EXCEEDED_ID_LIMIT"


def test_words_without_effect_are_accepted(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    text = (
        "SELECT c.Name, a.Name FROM Contact c, c.Account a USING SCOPE mine WHERE c.Name != null WITH USER_MODE "
        "ORDER BY c.Name LIMIT 10 OFFSET 0 FOR VIEW UPDATE TRACKING"
    )
    assert soql.run(org, ada, text).rows == [("Jo Ó Sé", "Harbour Street")]
    assert soql.run(org, ada, "SELECT Contact.Account.Name FROM Contact WITH SECURITY_ENFORCED").total == 1


def test_objects_without_a_table_are_made_from_the_schema(org: Any, ada: Any) -> None:
    text = "SELECT QualifiedApiName FROM EntityDefinition WHERE IsDeprecatedAndHidden = false ORDER BY QualifiedApiName"
    assert ("Visit__c",) in soql.run(org, ada, text).rows
    text = (
        "SELECT DataType FROM FieldDefinition "
        "WHERE EntityDefinition.QualifiedApiName = 'Visit__c' AND QualifiedApiName = 'Fee__c'"
    )
    assert soql.run(org, ada, text).rows == [("double",)]


def test_flat_tables_hold_texts_in_the_order_of_the_statement(org: Any, ada: Any, clinic: dict[str, str]) -> None:
    result = soql.run(org, ada, "SELECT Fee__c, contact__r.Name, Start__c, Status__c FROM Visit__c")
    assert result.arrow().to_pylist() == [
        {"Fee__c": "120.0", "contact__r.Name": "Jo Ó Sé", "Start__c": "2026-11-23T20:06:28.000Z", "Status__c": ""}
    ]
    assert result.arrow(java_doubles=False).column("Fee__c").to_pylist() == ["120"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"), (-1.5, "-1.5"), (9999999.0, "9999999.0"), (1e7, "1.0E7"), (912260031.0, "9.12260031E8"),
        (-123456789.125, "-1.23456789125E8"), (0.001, "0.001"), (0.00012, "1.2E-4"), (1e-5, "1.0E-5"), (1e16, "1.0E16"),
        (1.5e300, "1.5E300"), (-2.5e-10, "-2.5E-10"),
    ],
)  # fmt: skip
def test_doubles_look_as_java_writes_them(org: Any, ada: Any, number: float, text: str) -> None:
    org.insert("Visit__c", "a00", 1, Name="x", Fee__c=number)
    assert soql.run(org, ada, "SELECT Fee__c FROM Visit__c").arrow().column("Fee__c").to_pylist() == [text]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("Name = 'a' AND (Name = 'b' OR Id IN {0})", "only allowed at the top level WHERE expressions"),
        ("(NOT Id IN {0})", "with the 'NOT' operator"),
        ("Id IN {0} AND Id NOT IN {0} AND Id IN {0}", "Maximum 2 semi join sub-selects are allowed"),
        ("Parent.Id IN {0}", "should be an id field, cannot use: 'Parent.Id'"),
        ("Id IN (SELECT ParentId FROM Account)", "should not be on the same object type"),
        ("Id IN (SELECT WhatId FROM Task)", "Entity 'Task' is not supported for semi join inner selects"),
    ],
)
def test_semi_joins_have_their_bounds(org: Any, ada: Any, where: str, words: str) -> None:
    inner = "(SELECT AccountId FROM Contact)"
    error = _refusal(org, ada, f"SELECT Id FROM Account WHERE {where.format(inner)}")
    assert error.code == "MALFORMED_QUERY"
    assert words in error.message
    assert soql.run(org, ada, f"SELECT Id FROM Account WHERE (Id IN {inner} AND Id NOT IN {inner})").total == 0


def test_a_checkbox_is_null_when_it_is_not_ticked(org: Any, ada: Any) -> None:
    for number, ticked in enumerate([True, False]):
        org.insert("Contact", "003", number, Name=str(ticked), HasOptedOutOfEmail=ticked)
    for condition, want in {
        "= null": "False",
        "!= NULL": "True",
        "IN (null)": "False",
        "NOT IN (null)": "True",
    }.items():
        assert soql.run(org, ada, f"SELECT Name FROM Contact WHERE HasOptedOutOfEmail {condition}").rows == [(want,)]


def test_the_least_and_greatest_picklist_value_follow_the_order_of_the_values(org: Any, ada: Any) -> None:
    for number, rating in enumerate(["Cold", None, "Hot", "Warm"]):
        org.insert("Account", "001", number, Name="a", Rating=rating)
    assert soql.run(org, ada, "SELECT MIN(Rating), MAX(Rating) FROM Account").rows == [("Hot", "Cold")]

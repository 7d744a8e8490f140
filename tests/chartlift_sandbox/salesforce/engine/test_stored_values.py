"""What is stored is not what was sent: trimming, lower case, defaults, audit fields, names."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from engine_bench import Bench

from chartlift_sandbox.salesforce.dml import SET_NULL

STORED = [
    ("Loose_Key__c", "  \t inner  blank \n", "inner  blank"),
    ("Loose_Key__c", "\u00a0nbsp\u00a0", "\u00a0nbsp\u00a0"),
    ("Loose_Key__c", "   ", None),
    ("Contact_Email__c", "Chloe.Myers@Example.com", "chloe.myers@example.com"),
    ("Units__c", "237.631", 237.631),
    ("Cost__c", "1e3", 1000.0),
    ("Count__c", "12.0", 12),
    ("Paid__c", "FALSE", False),
    ("Paid__c", "1", True),
    ("Paid__c", SET_NULL, True),
    ("Day__c", "2020-02-29", date(2020, 2, 29)),
    ("Start__c", "2020-03-29T01:30:00.999+01:00", datetime(2020, 3, 29, 0, 30)),  # noqa: DTZ001 - stored without zone
    ("Start__c", "2020-03-29T01:30:00+0000", datetime(2020, 3, 29, 1, 30)),  # noqa: DTZ001 - same
    ("Clock__c", "09:30:00.000Z", time(9, 30)),
    ("Status__c", "no show", "No Show"),
    ("Surfaces__c", "d; M", "M;D"),
    ("Note__c", "a\r\nb", "a\r\nb"),
]


@pytest.mark.parametrize(("name", "sent", "stored"), STORED)
def test_a_value_is_stored_in_the_orgs_form(bench: Bench, name: str, sent: str, stored: object) -> None:
    visit = bench.insert("Visit__c", **{name: sent})
    assert bench.one("Visit__c", visit)[name] == stored


def test_header_names_match_in_any_case(bench: Bench) -> None:
    contact = bench.insert("CONTACT", lastname="Upper", FIRSTNAME="Case")
    assert bench.one("Contact", contact)["Name"] == "Case Upper"


def test_defaults_fill_what_is_not_given_and_only_that(bench: Bench) -> None:
    given, empty, untouched = bench.dml(
        "insert", "Visit__c", [{"Status__c": "No Show"}, {"Status__c": SET_NULL}, {"Status__c": None}]
    )
    assert bench.one("Visit__c", given["id"])["Status__c"] == "No Show"
    assert bench.one("Visit__c", empty["id"])["Status__c"] is None
    assert bench.one("Visit__c", untouched["id"])["Status__c"] == "Booked"
    assert bench.one("Visit__c", untouched["id"])["Paid__c"] is True


def test_a_record_belongs_to_its_maker_and_carries_stamps(bench: Bench) -> None:
    row = bench.one("Visit__c", bench.insert("Visit__c", OwnerId=SET_NULL))
    assert row["OwnerId"] == row["CreatedById"] == row["LastModifiedById"] == bench.actor.user_id
    assert row["CreatedDate"] == row["LastModifiedDate"] == row["SystemModstamp"]
    assert row["CreatedDate"].microsecond == 0
    assert row["Name"] == row["Id"]


def test_auto_numbers_go_on_and_ids_keep_the_order(bench: Bench) -> None:
    visit = bench.insert("Visit__c", Name="v")
    lines = [{"Visit__c": visit} for _ in range(3)]
    ids = [row["id"] for row in bench.dml("insert", "Line__c", lines)]
    names = [bench.one("Line__c", record_id)["Name"] for record_id in ids]
    first = int(names[0].removeprefix("LN-"))
    assert names == [f"LN-{first + n:04d}" for n in range(3)]
    assert ids == sorted(ids)


def test_audit_fields_are_set_on_insert_by_permission_only(bench: Bench) -> None:
    stamp = "2019-05-06T07:08:09.000Z"
    ann = bench.org.find_user("ann@clinic.example")
    row = bench.one("Contact", bench.insert("Contact", LastName="Old", CreatedDate=stamp, CreatedById=ann))
    assert row["CreatedDate"] == datetime(2019, 5, 6, 7, 8, 9)  # noqa: DTZ001 - stored without zone
    assert row["CreatedById"] == ann
    assert row["SystemModstamp"] > row["CreatedDate"]
    future = bench.error("insert", "Contact", LastName="Old", CreatedDate="2999-01-01T00:00:00Z")
    assert future[0] == "FIELD_INTEGRITY_EXCEPTION"
    before = bench.error(
        "insert", "Contact", LastName="Old", CreatedDate=stamp, LastModifiedDate="2018-01-01T00:00:00Z"
    )
    assert before[2] == "LastModifiedDate"
    admin = bench.org.actor_for(bench.org.people.admin)
    refused = bench.dml("insert", "Contact", [{"LastName": "Old", "CreatedDate": stamp}], actor=admin)[0]
    assert refused["code"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_the_org_switch_takes_the_audit_permission_away(fresh: Bench) -> None:
    fresh.org.settings.set_audit_fields = False
    fresh.org.access.invalidate()
    actor = fresh.org.actor_for(fresh.actor.user_id)
    assert "CreateAuditFields" not in actor.permissions
    row = fresh.dml("insert", "Contact", [{"LastName": "A", "CreatedDate": "2020-01-01T00:00:00Z"}], actor=actor)[0]
    assert row["code"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_update_changes_given_cells_only_and_stamps(bench: Bench) -> None:
    contact = bench.insert("Contact", FirstName="Jo", LastName="Bloggs", Phone="1")
    before = bench.one("Contact", contact)
    bench.org.clock.advance(5)
    results = bench.dml("update", "Contact", [{"Id": contact[:15], "FirstName": "Joan", "Phone": None}])
    assert results[0]["id"] == contact
    after = bench.one("Contact", contact)
    assert (after["FirstName"], after["Name"], after["Phone"]) == ("Joan", "Joan Bloggs", "1")
    assert after["SystemModstamp"] > before["SystemModstamp"]
    assert after["CreatedDate"] == before["CreatedDate"]
    bench.dml("update", "Contact", [{"Id": contact, "FirstName": SET_NULL, "Phone": SET_NULL}])
    after = bench.one("Contact", contact)
    assert (after["FirstName"], after["Name"], after["Phone"]) == (None, "Bloggs", None)


def test_the_same_id_twice_in_one_call_is_refused(bench: Bench) -> None:
    visit = bench.insert("Visit__c", Name="v")
    results = bench.dml("update", "Visit__c", [{"Id": visit, "Name": "a"}, {"Id": visit[:15], "Name": "b"}])
    assert [row["code"] for row in results] == [None, "DUPLICATE_VALUE"]
    assert bench.one("Visit__c", visit)["Name"] == "a"


def test_tasks_and_events_derive_state_account_and_times(bench: Bench) -> None:
    account = bench.insert("Account", Name="Practice")
    contact = bench.insert("Contact", LastName="P", AccountId=account)
    task = bench.one("Task", bench.insert("Task", Subject="Call", WhoId=contact, Status="Completed"))
    assert (task["IsClosed"], task["AccountId"], task["Priority"]) == (True, account, "Normal")
    event = bench.one(
        "Event", bench.insert("Event", StartDateTime="2020-01-01T10:00:00Z", DurationInMinutes="45", WhatId=account)
    )
    assert event["EndDateTime"] == datetime(2020, 1, 1, 10, 45)  # noqa: DTZ001 - stored without zone
    assert event["ActivityDate"] == date(2020, 1, 1)
    visit = bench.insert("Visit__c", Name="v")
    assert bench.insert("Task", Subject="About", WhatId=visit)


BAD_EVENTS: list[dict[str, str | None]] = [
    {"Subject": "no time", "DurationInMinutes": "5"},
    {"StartDateTime": "2020-01-01T10:00:00Z"},
    {"StartDateTime": "2020-01-01T10:00:00Z", "EndDateTime": "2020-01-01T09:00:00Z"},
    {"StartDateTime": "2020-01-01T10:00:00Z", "EndDateTime": "2020-01-01T11:00:00Z", "DurationInMinutes": "30"},
    {"StartDateTime": "2020-01-01T10:00:00Z", "ActivityDateTime": "2020-01-01T11:00:00Z", "DurationInMinutes": "30"},
]


def test_an_event_needs_a_start_and_an_end_that_agree(bench: Bench) -> None:
    codes = [row["code"] for row in bench.dml("insert", "Event", BAD_EVENTS)]
    assert codes == ["REQUIRED_FIELD_MISSING", *["FIELD_INTEGRITY_EXCEPTION"] * 4]
    assert bench.insert("Event", ActivityDate="2020-01-01", IsAllDayEvent="true")

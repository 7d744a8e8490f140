"""Tasks, events and e-mails over their lives; territory models; objects that exist only with their feature."""

from __future__ import annotations

from datetime import datetime

import pytest
from engine_bench import PERSON, Bench

from chartlift_sandbox.org_switches import set_switch
from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.errors import OrgError

NINE, TEN = "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"


def _times(bench: Bench, event: str) -> tuple[str, str, int]:
    row = bench.one("Event", event)
    assert row["ActivityDateTime"] == row["StartDateTime"]
    assert row["ActivityDate"] == row["StartDateTime"].date()
    assert row["EndDate"] == row["EndDateTime"].date()
    return f"{row['StartDateTime']:%d %H:%M}", f"{row['EndDateTime']:%d %H:%M}", row["DurationInMinutes"]


def test_a_closed_task_knows_when_it_was_closed(bench: Bench) -> None:
    task = bench.insert("Task", Subject="Call", Status="Completed")
    first = bench.one("Task", task)["CompletedDateTime"]
    assert first == bench.one("Task", task)["CreatedDate"]
    bench.org.clock.advance(3_600)
    bench.dml("update", "Task", [{"Id": task, "Subject": "Called", "Status": "Completed"}])
    assert bench.one("Task", task)["CompletedDateTime"] == first
    bench.dml("update", "Task", [{"Id": task, "Status": "Not Started"}])
    assert bench.one("Task", task)["CompletedDateTime"] is None
    bench.dml("update", "Task", [{"Id": task, "Status": "Completed"}])
    assert bench.one("Task", task)["CompletedDateTime"] > first
    assert bench.error("update", "Task", Id=task, CompletedDateTime=NINE)[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_activity_of_a_lead_is_about_nothing_else(bench: Bench) -> None:
    lead = bench.insert("Lead", LastName="New", Company="Firm")
    account, contact = bench.insert("Account", Name="Firm"), bench.insert("Contact", LastName="Both")
    task = bench.insert("Task", Subject="S", WhoId=lead)
    assert bench.error("insert", "Task", Subject="S", WhoId=lead, WhatId=account)[::2] == (
        "FIELD_INTEGRITY_EXCEPTION",
        "WhatId",
    )
    assert bench.error("update", "Task", Id=task, WhoId=lead, WhatId=account)[2] == "WhatId"
    bench.insert("Task", Subject="S", WhoId=contact, WhatId=account)


def test_an_event_that_moves_keeps_its_length(bench: Bench) -> None:
    event = bench.insert("Event", Subject="Visit", StartDateTime=NINE, DurationInMinutes="30")
    assert _times(bench, event) == ("02 09:00", "02 09:30", 30)
    bench.dml("update", "Event", [{"Id": event, "StartDateTime": TEN}])
    assert _times(bench, event) == ("02 10:00", "02 10:30", 30)
    bench.dml("update", "Event", [{"Id": event, "ActivityDateTime": NINE}])
    assert _times(bench, event) == ("02 09:00", "02 09:30", 30)
    bench.dml("update", "Event", [{"Id": event, "EndDateTime": TEN}])
    assert _times(bench, event) == ("02 09:00", "02 10:00", 60)
    bench.dml("update", "Event", [{"Id": event, "DurationInMinutes": "15"}])
    assert _times(bench, event) == ("02 09:00", "02 09:15", 15)
    clash = bench.error("update", "Event", Id=event, StartDateTime=TEN, EndDateTime=NINE)
    assert clash[0] == "FIELD_INTEGRITY_EXCEPTION"
    both = bench.error("update", "Event", Id=event, StartDateTime=TEN, ActivityDateTime=NINE)
    assert both[2] == "StartDateTime"


def test_an_event_of_the_whole_day_is_a_matter_of_dates(bench: Bench) -> None:
    day = bench.insert("Event", Subject="Training", IsAllDayEvent="true", ActivityDate="2026-03-02")
    assert _times(bench, day) == ("02 00:00", "02 00:00", 1_440)
    days = {"StartDateTime": NINE, "EndDateTime": "2026-03-04T00:00:00Z"}
    assert _times(bench, bench.insert("Event", Subject="Course", IsAllDayEvent="true", **days)) == (
        "02 00:00",
        "04 00:00",
        3 * 1_440,
    )
    two = bench.insert("Event", Subject="Two", IsAllDayEvent="true", StartDateTime=NINE, DurationInMinutes="2880")
    assert _times(bench, two) == ("02 00:00", "03 00:00", 2_880)
    timed = bench.insert("Event", Subject="Timed", StartDateTime=NINE, DurationInMinutes="30")
    assert bench.one("Event", timed)["IsAllDayEvent"] is False


def test_a_sent_email_changes_only_beside_its_words(bench: Bench) -> None:
    mail = bench.insert("EmailMessage", Subject="Sent", Status="3", TextBody="Hello")
    draft = bench.insert("EmailMessage", Subject="Draft", Status="5")
    for name, value in (("Subject", "x"), ("TextBody", "x"), ("ToAddress", "a@b.example")):
        assert bench.error("update", "EmailMessage", Id=mail, **{name: value})[0] == "INSUFFICIENT_ACCESS_OR_READONLY"
        assert bench.dml("update", "EmailMessage", [{"Id": draft, name: value}])[0]["success"]
    account = bench.insert("Account", Name="Firm")
    assert bench.dml("update", "EmailMessage", [{"Id": mail, "RelatedToId": account, "IsBounced": "true"}])[0][
        "success"
    ]
    mixed = {"Id": mail, "RelatedToId": account, "Subject": "x"}
    assert bench.error("update", "EmailMessage", **mixed)[0] == "INSUFFICIENT_ACCESS_OR_READONLY"


def _set_state(bench: Bench, model: str, state: str) -> dict:
    return bench.dml("update", "Territory2Model", [{"Id": model, "State": state}], options=PERSON)[0]


def test_one_territory_model_is_active_and_an_archived_one_is_closed(bench: Bench) -> None:
    kind = bench.insert("Territory2Type", MasterLabel="Region", DeveloperName="Region", Language="en_US", Priority="1")
    one, two = (bench.insert("Territory2Model", Name=name, DeveloperName=name) for name in ("One", "Two"))
    assert bench.one("Territory2Model", one)["State"] == "Planning"
    assert bench.error("update", "Territory2Model", Id=one, State="Active")[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    shared = {"Territory2TypeId": kind, "AccountAccessLevel": "Read"}
    north, south = (
        bench.insert("Territory2", Name=name, DeveloperName=name, Territory2ModelId=model, **shared)
        for name, model in (("North", one), ("South", two))
    )
    account = bench.insert("Account", Name="Firm")
    cause = {"ObjectId": account, "AssociationCause": "Territory2Manual"}
    planned = bench.insert("ObjectTerritory2Association", Territory2Id=north, **cause)
    assert bench.one("ObjectTerritory2Association", planned)["SobjectType"] == "Account"
    assert _set_state(bench, one, "Active")["success"]
    assert bench.one("Territory2Model", one)["ActivatedDate"] is not None
    assert _set_state(bench, two, "Active")["code"] == "FIELD_INTEGRITY_EXCEPTION"
    assert _set_state(bench, one, "Archived")["success"]
    assert _set_state(bench, two, "Active")["success"]
    user = bench.org.people.admin
    closed = bench.error("insert", "UserTerritory2Association", UserId=user, Territory2Id=north)
    assert closed[::2] == ("FIELD_INTEGRITY_EXCEPTION", "Territory2Id")
    bench.insert("UserTerritory2Association", UserId=user, Territory2Id=south)


@pytest.mark.parametrize(
    ("switch", "name"),
    [
        ("account_teams", "AccountTeamMember"),
        ("territories", "Territory2"),
        ("contacts_to_multiple_accounts", "AccountContactRelation"),
    ],
)
def test_an_object_whose_feature_is_off_does_not_exist(bench: Bench, switch: str, name: str) -> None:
    admin = bench.org.actor_for(bench.org.people.admin)
    asked = f"SELECT Id FROM {name}"
    soql.run(bench.org, admin, asked)
    set_switch(bench.org, (bench.org.settings,), switch, value=False)
    try:
        with pytest.raises(OrgError) as refused:
            soql.run(bench.org, admin, asked)
        assert refused.value.code == "INVALID_TYPE"
        with pytest.raises(OrgError) as missing:
            bench.org.describe(admin, name)
        assert missing.value.status == 404
        with pytest.raises(OrgError) as unknown:
            bench.dml("insert", name, [{"UserId": admin.user_id}])
        assert unknown.value.code == "INVALID_TYPE"
        entities = soql.run(
            bench.org, admin, f"SELECT QualifiedApiName FROM EntityDefinition WHERE QualifiedApiName = '{name}'"
        )
        assert entities.total == 0
    finally:
        set_switch(bench.org, (bench.org.settings,), switch, value=True)


def test_moments_are_stored_as_moments(bench: Bench) -> None:
    event = bench.insert("Event", Subject="S", StartDateTime=NINE, EndDateTime=TEN)
    assert bench.one("Event", event)["EndDateTime"] == datetime(2026, 3, 2, 10)  # noqa: DTZ001 - UTC without zone

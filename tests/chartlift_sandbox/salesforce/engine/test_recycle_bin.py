"""Delete, cascade, restrict, undelete, hard delete and merge."""

from __future__ import annotations

import pytest
from engine_bench import Bench

from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.errors import OrgError


def _gone(bench: Bench, name: str, record_id: str) -> bool:
    return bool(bench.one(name, record_id)["IsDeleted"])


def test_delete_takes_details_along_and_clears_lookups(bench: Bench) -> None:
    contact = bench.insert("Contact", LastName="P")
    visit = bench.insert("Visit__c", Contact__c=contact)
    line = bench.insert("Line__c", Visit__c=visit)
    follower = bench.insert("Visit__c", Follows__c=visit)
    companion = bench.insert("Guard__c", Companion__c=visit, Must__c="x")
    task = bench.insert("Task", Subject="t", WhatId=visit)
    assert bench.dml("delete", "Visit__c", [{"Id": visit}])[0]["success"]
    assert _gone(bench, "Visit__c", visit)
    assert _gone(bench, "Line__c", line)
    assert _gone(bench, "Guard__c", companion)
    assert _gone(bench, "Task", task)
    assert not _gone(bench, "Contact", contact)
    assert bench.one("Visit__c", follower)["Follows__c"] is None


def test_a_restrict_lookup_keeps_its_parent_and_everything_above(bench: Bench) -> None:
    contact = bench.insert("Contact", LastName="P")
    free, held = (bench.insert("Visit__c", Contact__c=contact) for _ in range(2))
    line = bench.insert("Line__c", Visit__c=held)
    bench.insert("Guard__c", Visit__c=held, Must__c="x")
    results = bench.dml("delete", "Visit__c", [{"Id": held}, {"Id": free}])
    assert [row["code"] for row in results] == ["DELETE_FAILED", None]
    assert "associated with the following Guards" in results[0]["message"]
    assert not _gone(bench, "Visit__c", held)
    assert not _gone(bench, "Line__c", line)
    assert _gone(bench, "Visit__c", free)


def test_undelete_restores_ids_details_and_untouched_lookups(bench: Bench) -> None:
    visit = bench.insert("Visit__c", Source_System_ID__c="bin-1")
    line = bench.insert("Line__c", Visit__c=visit)
    kept, moved = (bench.insert("Visit__c", Follows__c=visit) for _ in range(2))
    bench.dml("delete", "Visit__c", [{"Id": visit}])
    bench.dml("update", "Visit__c", [{"Id": moved, "Follows__c": kept}])
    assert bench.dml("undelete", "Visit__c", [{"Id": visit}])[0]["success"]
    assert not _gone(bench, "Visit__c", visit)
    assert not _gone(bench, "Line__c", line)
    assert bench.one("Visit__c", kept)["Follows__c"] == visit
    assert bench.one("Visit__c", moved)["Follows__c"] == kept


def test_undelete_checks_unique_values_again(bench: Bench) -> None:
    first = bench.insert("Visit__c", Source_System_ID__c="bin-2")
    bench.dml("delete", "Visit__c", [{"Id": first}])
    second = bench.insert("Visit__c", Source_System_ID__c="BIN-2")
    code, message, _ = bench.error("undelete", "Visit__c", Id=first)
    assert code == "DUPLICATE_VALUE"
    assert message.endswith(second[:15])
    assert bench.error("undelete", "Visit__c", Id=second)[0] == "UNDELETE_FAILED"


def test_a_detail_cannot_come_back_without_its_master(bench: Bench) -> None:
    visit = bench.insert("Visit__c", Name="v")
    line = bench.insert("Line__c", Visit__c=visit)
    bench.dml("delete", "Line__c", [{"Id": line}])
    bench.dml("delete", "Visit__c", [{"Id": visit}])
    assert bench.error("undelete", "Line__c", Id=line)[0] == "ENTITY_IS_DELETED"
    bench.dml("undelete", "Visit__c", [{"Id": visit}])
    assert bench.dml("undelete", "Line__c", [{"Id": line}])[0]["success"]


def test_the_recycle_bin_forgets_after_its_days(fresh: Bench) -> None:
    visit = fresh.insert("Visit__c", Name="v")
    fresh.dml("delete", "Visit__c", [{"Id": visit}])
    fresh.org.clock.advance(16 * 86_400)
    assert fresh.error("undelete", "Visit__c", Id=visit)[0] == "UNDELETE_FAILED"


def test_hard_delete_needs_its_permission_and_leaves_nothing(bench: Bench) -> None:
    visit = bench.insert("Visit__c", Name="v")
    line = bench.insert("Line__c", Visit__c=visit)
    with pytest.raises(OrgError, match="Hard Delete"):
        bench.dml("hardDelete", "Visit__c", [{"Id": visit}], actor=bench.org.actor_for(bench.org.people.admin))
    assert bench.dml("hardDelete", "Visit__c", [{"Id": visit}])[0]["success"]
    assert bench.org.rows('SELECT 1 FROM "Visit__c" WHERE "Id" = ?', [visit]) == []
    assert bench.org.rows('SELECT 1 FROM "Line__c" WHERE "Id" = ?', [line]) == []


def test_delete_takes_an_id_column_only(bench: Bench) -> None:
    with pytest.raises(OrgError, match="Name"):
        bench.dml("delete", "Visit__c", [{"Id": "x", "Name": "y"}])


def test_merge_moves_children_and_points_to_the_survivor(bench: Bench) -> None:
    winner, loser = (bench.insert("Contact", LastName=f"M{n}") for n in range(2))
    visit = bench.insert("Visit__c", Contact__c=loser)
    task = bench.insert("Task", Subject="t", WhoId=loser)
    reports = bench.insert("Contact", LastName="R", ReportsToId=loser)
    bench.org.merge("Contact", winner, [loser[:15]], bench.actor, {"Phone": "42"})
    buried = bench.one("Contact", loser)
    assert (buried["IsDeleted"], buried["MasterRecordId"]) == (True, winner)
    assert bench.one("Visit__c", visit)["Contact__c"] == winner
    assert bench.one("Task", task)["WhoId"] == winner
    assert bench.one("Contact", reports)["ReportsToId"] == winner
    assert bench.one("Contact", winner)["Phone"] == "42"
    assert bench.dml("undelete", "Contact", [{"Id": loser}])[0]["success"]
    back = bench.one("Contact", loser)
    assert (back["IsDeleted"], back["MasterRecordId"]) == (False, None)
    assert bench.one("Visit__c", visit)["Contact__c"] == winner
    assert [entry["op"] for entry in bench.org.read_writes() if entry["id"] == loser] == ["insert", "merge", "undelete"]


def test_merge_refuses_what_cannot_be_merged(bench: Bench) -> None:
    one, two = (bench.insert("Contact", LastName=f"N{n}") for n in range(2))
    with pytest.raises(OrgError, match="INVALID_OPERATION"):
        bench.org.merge("Contact", one, [one], bench.actor)
    with pytest.raises(OrgError, match="INVALID_OPERATION"):
        bench.org.merge("Visit__c", bench.insert("Visit__c", Name="v"), [two], bench.actor)
    bench.dml("delete", "Contact", [{"Id": two}])
    with pytest.raises(OrgError, match="ENTITY_IS_DELETED"):
        bench.org.merge("Contact", one, [two], bench.actor)


def test_users_cannot_be_deleted_but_switched_off(bench: Bench) -> None:
    ann = bench.org.find_user("ann@clinic.example")
    assert bench.error("delete", "User", Id=ann)[0] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert bench.dml("update", "User", [{"Id": ann, "IsActive": "false"}])[0]["success"]
    assert bench.error("insert", "Contact", LastName="A", OwnerId=ann)[0] == "INACTIVE_OWNER_OR_USER"
    bench.dml("update", "User", [{"Id": ann, "IsActive": "true"}])


def test_the_bin_holds_so_many_and_the_oldest_make_room(fresh: Bench) -> None:
    fresh.org.storage_mb = lambda: 1
    fresh.org.settings.recycle_bin_per_mb = 3
    ids = [fresh.insert("Visit__c", Name=f"v{number}") for number in range(5)]
    for one in ids:
        assert fresh.dml("delete", "Visit__c", [{"Id": one}])[0]["success"]
        fresh.org.clock.advance(60)
    left = [row["Id"] for row in fresh.org.rows('SELECT "Id" FROM "Visit__c" WHERE "IsDeleted" ORDER BY "Id"')]
    assert left == ids[2:]
    assert fresh.error("undelete", "Visit__c", Id=ids[0])[0] == "INVALID_CROSS_REFERENCE_KEY"
    assert fresh.dml("undelete", "Visit__c", [{"Id": ids[4]}])[0]["success"]


def test_query_all_forgets_after_the_days_of_the_bin(fresh: Bench) -> None:
    gone = fresh.insert("Visit__c", Name="v")
    fresh.dml("delete", "Visit__c", [{"Id": gone}])
    assert soql.run(fresh.org, fresh.actor, "SELECT Id FROM Visit__c", all_rows=True).total == 1
    fresh.org.clock.advance(15 * 86_400 + 60)
    assert soql.run(fresh.org, fresh.actor, "SELECT Id FROM Visit__c", all_rows=True).total == 0


@pytest.mark.parametrize("name", ["Account", "Lead"])
def test_accounts_and_leads_merge_too(fresh: Bench, name: str) -> None:
    values = {"Account": {"Name": "n"}, "Lead": {"LastName": "n", "Company": "c"}}[name]
    winner, *losers = (fresh.insert(name, **values) for _ in range(3))
    task = fresh.insert("Task", Subject="s", **({"WhatId": losers[1]} if name == "Account" else {"WhoId": losers[1]}))
    fresh.org.merge(name, winner, losers, fresh.actor)
    assert [fresh.one(name, one)["MasterRecordId"] for one in losers] == [winner, winner]
    assert winner in {fresh.one("Task", task)["WhatId"], fresh.one("Task", task)["WhoId"]}


def test_a_contact_with_cases_is_not_deleted(fresh: Bench) -> None:
    contact = fresh.insert("Contact", LastName="C")
    case = fresh.insert("Case", ContactId=contact, Subject="s")
    assert fresh.error("delete", "Contact", Id=contact)[0] == "DELETE_FAILED"
    fresh.dml("delete", "Case", [{"Id": case}])
    assert fresh.dml("delete", "Contact", [{"Id": contact}])[0]["success"]

"""Records are seen and changed by owners, people above them, and holders of View All and Modify All, on every channel."""

from __future__ import annotations

from typing import Any

import pytest
from engine_bench import BULK, PERSON, Bench, WebBench, new_bench

from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.access import FieldGrant, ObjectGrant
from chartlift_sandbox.salesforce.org import Actor

ALL = ObjectGrant(read=True, create=True, edit=True, delete=True)
GUARDED = ("Visit__c", "Line__c", "Account", "Contact")


@pytest.fixture
def team() -> Any:
    """An org with Private visits; Robin at the desk and Jo above, both with every object permission but no View All."""
    made = new_bench()
    org = made.org
    org.schema.objects["Visit__c"].sharing_model = "Private"
    fields = {f"{name}.{one}": FieldGrant() for name in GUARDED for one in org.schema.objects[name].fields}
    set_id = org.put_permission_set("Desk", "Desk", objects=dict.fromkeys(GUARDED, ALL), fields=fields)
    boss = made.insert("UserRole", Name="Boss", DeveloperName="Boss")
    desk = made.insert("UserRole", Name="Desk", DeveloperName="Desk", ParentRoleId=boss)
    for user, role in ((org.people.front_desk, desk), (org.people.manager, boss)):
        made.insert("PermissionSetAssignment", AssigneeId=user, PermissionSetId=set_id)
        assert made.dml("update", "User", [{"Id": user, "UserRoleId": role}])[0]["success"]
    yield made
    org.db.close()


def robin(team: Bench) -> Actor:
    return team.org.actor_for(team.org.people.front_desk)


def jo(team: Bench) -> Actor:
    return team.org.actor_for(team.org.people.manager)


def found(team: Bench, who: Actor, name: str = "Visit__c") -> set[str]:
    result = soql.run(team.org, who, f"SELECT Id FROM {name}")
    return {one["Id"] for one in result.to_records("67.0", 0, result.total)}


def code(team: Bench, who: Actor, op: str, name: str = "Visit__c", **values: str) -> str | None:
    return team.dml(op, name, [values], actor=who, options=BULK)[0]["code"]


def test_private_is_for_owners_and_those_above(team: Bench) -> None:
    mine = team.dml("insert", "Visit__c", [{"Note__c": "robin's"}], actor=robin(team))[0]["id"]
    theirs = team.insert("Visit__c", Note__c="integration's")
    assert (found(team, robin(team)), found(team, jo(team))) == ({mine}, {mine})
    assert found(team, team.actor) == {mine, theirs}
    assert code(team, robin(team), "update", Id=theirs, Note__c="x") == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    assert code(team, robin(team), "delete", Id=theirs) == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    assert code(team, jo(team), "update", Id=mine, Note__c="x") is None
    assert team.one("Visit__c", theirs)["Note__c"] == "integration's"
    rest = WebBench(team, robin(team))
    assert rest("GET", f"/sobjects/Visit__c/{theirs}").status_code == 404
    assert rest("GET", f"/sobjects/Visit__c/{mine}").status_code == 200
    refused = rest("PATCH", f"/sobjects/Visit__c/{theirs}", {"Note__c": "x"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (
        403, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    )  # fmt: skip
    shown = rest("GET", f"/composite/sobjects/Visit__c?ids={theirs},{mine}&fields=Id").json()
    assert [one and one["Id"] for one in shown] == [None, mine]


def test_read_shows_and_does_not_let_change(team: Bench) -> None:
    team.org.schema.objects["Visit__c"].sharing_model = "Read"
    theirs = team.insert("Visit__c", Note__c="t")
    assert theirs in found(team, robin(team))
    assert code(team, robin(team), "update", Id=theirs, Note__c="x") == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_public_write_lets_change_but_neither_delete_nor_give_away(team: Bench) -> None:
    team.org.schema.objects["Visit__c"].sharing_model = "ReadWrite"
    theirs, who = team.insert("Visit__c", Note__c="t"), robin(team)
    assert code(team, who, "update", Id=theirs, Note__c="x") is None
    assert code(team, who, "delete", Id=theirs) == "INSUFFICIENT_ACCESS_OR_READONLY"
    given = code(team, who, "update", Id=theirs, OwnerId=team.org.people.manager)
    assert given == "INSUFFICIENT_ACCESS_OR_READONLY"
    own = team.dml("insert", "Visit__c", [{"Note__c": "o"}], actor=who)[0]["id"]
    assert code(team, who, "update", Id=own, OwnerId=team.org.people.manager) is None


def test_a_detail_follows_its_master_and_a_lookup_needs_sight(team: Bench) -> None:
    theirs = team.insert("Visit__c", Note__c="t")
    line = team.insert("Line__c", Visit__c=theirs)
    assert found(team, robin(team), "Line__c") == set()
    assert code(team, robin(team), "insert", "Line__c", Visit__c=theirs) == (
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    )
    assert code(team, robin(team), "insert", Follows__c=theirs) == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    own = team.dml("insert", "Visit__c", [{"Note__c": "o"}], actor=robin(team))[0]["id"]
    assert code(team, robin(team), "insert", "Line__c", Visit__c=own) is None
    assert line in found(team, team.actor, "Line__c")


def test_contacts_follow_their_account_and_alone_belong_to_their_owner(team: Bench) -> None:
    account = team.insert("Account", Name="A")
    with_account = team.insert("Contact", LastName="With", AccountId=account)
    alone = team.insert("Contact", LastName="Alone")
    assert found(team, robin(team), "Contact") == set()
    team.org.schema.objects["Account"].sharing_model = "Read"
    assert found(team, robin(team), "Contact") == {with_account}
    assert alone in found(team, team.actor, "Contact")
    team.org.schema.objects["Account"].sharing_model = "Private"
    own = team.dml("insert", "Contact", [{"LastName": "Own"}], actor=robin(team))[0]["id"]
    team.dml("update", "Contact", [{"Id": own, "AccountId": account}])
    assert found(team, robin(team), "Account") == {account}


def test_view_all_modify_all_people_and_the_switch_lift_it(team: Bench) -> None:
    theirs, who = team.insert("Visit__c", Note__c="t"), robin(team)
    answer = team.dml("update", "Visit__c", [{"Id": theirs, "Note__c": "p"}], actor=who, options=PERSON)
    assert answer[0]["success"]
    view = ObjectGrant(read=True, view_all=True)
    set_id = team.org.put_permission_set("View", "View", objects={"Visit__c": view}, fields={})
    team.insert("PermissionSetAssignment", AssigneeId=who.user_id, PermissionSetId=set_id)
    assert theirs in found(team, who)
    assert code(team, who, "update", Id=theirs, Note__c="x") == "INSUFFICIENT_ACCESS_OR_READONLY"
    team.org.settings.sharing = False
    assert code(team, who, "update", Id=theirs, Note__c="x") is None


def test_an_owner_who_may_not_read_is_refused_where_the_switch_is_on(team: Bench) -> None:
    ann = team.org.find_user("ann@clinic.example") or ""
    team.org.settings.owner_needs_read = True
    assert team.error("insert", "Visit__c", OwnerId=ann) == (
        "TRANSFER_REQUIRES_READ", "The new owner must have read permission", "OwnerId",
    )  # fmt: skip
    team.org.settings.owner_needs_read = False
    assert team.insert("Visit__c", OwnerId=ann)

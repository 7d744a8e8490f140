"""Queries against the engine's own org: access by permission sets, soft deletes, seeded objects."""

from __future__ import annotations

import pyarrow as pa
import pytest

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.access import FieldGrant
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.schema import Field
from chartlift_sandbox.salesforce.seed import seed_org


@pytest.fixture(scope="module")
def seeded() -> Org:
    org = Org(Clock())
    seed_org(org, [])
    return org


def test_a_deployed_field_is_unknown_until_a_permission_set_shows_it(seeded: Org) -> None:
    user = seeded.people.integration
    seeded.create_field("Contact", Field("Key__c", "Key", "string", length=64, custom=True))
    with pytest.raises(OrgError, match="No such column 'Key__c' on entity 'Contact'"):
        soql.run(seeded, seeded.actor_for(user), "SELECT Key__c FROM Contact")
    granted = seeded.put_permission_set("Keys", "Keys", objects={}, fields={"Contact.Key__c": FieldGrant()})
    rows = pa.table({"PermissionSetId": [granted], "AssigneeId": [user]})
    assert seeded.dml("insert", "PermissionSetAssignment", rows, seeded.actor_for(seeded.people.admin))["success"][
        0
    ].as_py()
    assert soql.run(seeded, seeded.actor_for(user), "SELECT Key__c FROM Contact").columns == ["Key__c"]


def test_deleted_records_are_hidden_unless_asked_for(seeded: Org) -> None:
    admin = seeded.actor_for(seeded.people.admin)
    made = seeded.dml("insert", "Account", pa.table({"Name": ["Here", "Gone"]}), admin)["id"].to_pylist()
    seeded.dml("delete", "Account", pa.table({"Id": made[1:]}), admin)
    text = "SELECT Name, IsDeleted, CreatedBy.Email FROM Account"
    assert soql.run(seeded, admin, text).rows == [("Here", False, "admin@clinic.example")]
    assert [row[0] for row in soql.run(seeded, admin, text, all_rows=True).rows] == ["Here", "Gone"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Name, InstanceName, IsSandbox, TrialExpirationDate, OrganizationType FROM Organization",
        "SELECT Id, Email, Username, IsActive, UserType, ProfileId, Profile.Name FROM User WHERE UserType='Standard'",
        "SELECT Id, (SELECT PermissionSetId FROM PermissionSetAssignments) FROM User",
        "SELECT QualifiedApiName, Label FROM EntityDefinition WHERE IsDeprecatedAndHidden = false",
    ],
)
def test_what_clients_ask_first_is_answered(seeded: Org, text: str) -> None:
    assert soql.run(seeded, seeded.actor_for(seeded.people.admin), text).total > 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM ScratchOrgInfo LIMIT 1", "INVALID_TYPE"),
        ("SELECT IsPersonAccount FROM Account LIMIT 1", "INVALID_FIELD"),
    ],
)
def test_probes_of_absent_features_are_refused(seeded: Org, text: str, code: str) -> None:
    with pytest.raises(OrgError, match=code):
        soql.run(seeded, seeded.actor_for(seeded.people.admin), text)


def test_every_object_can_be_selected_whole(seeded: Org) -> None:
    admin = seeded.actor_for(seeded.people.admin)
    for name, sobject in seeded.schema.objects.items():
        if sobject.queryable and seeded.readable(admin, name):
            asked = f" WHERE LinkedEntityId = '{seeded.people.admin}'" if name == "ContentDocumentLink" else ""
            soql.run(seeded, admin, f"SELECT FIELDS(ALL) FROM {name}{asked} LIMIT 2").to_records()

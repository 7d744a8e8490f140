"""Objects without a table: each in the API where it really lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.salesforce import setup_rows, soql
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.hooks import FieldUpdate, ValidationRule
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.seed import seed_org


@pytest.fixture
def org() -> Iterator[Org]:
    made = Org(Clock(), seed=4)
    seed_org(made, [], 4)
    made.validation_rules += [ValidationRule("Contact", "true", "No", "LastName"), ValidationRule("Lead", "true", "No")]
    made.before_save.append(FieldUpdate("Contact", "Description", "'x'"))
    yield made
    made.db.close()


def _ask(org: Org, text: str, *, tooling: bool = False) -> list[dict]:
    return soql.run(org, org.actor_for(org.people.admin), text, tooling=tooling).to_records("67.0")


DATA = ("DuplicateRule", "FlowDefinitionView", "ApexTrigger", "EntityDefinition", "FieldDefinition", "TabDefinition")
TOOLING = ("ValidationRule", "WorkflowRule", "Flow", "FlowDefinition", "SandboxProcess")


@pytest.mark.parametrize("name", DATA)
def test_in_both_apis(org: Org, name: str) -> None:
    text = f"SELECT Id FROM {name}"
    assert [row["Id"] for row in _ask(org, text)] == [row["Id"] for row in _ask(org, text, tooling=True)]
    assert org.describe(org.actor_for(org.people.admin), name)["name"] == name


@pytest.mark.parametrize("name", TOOLING)
def test_in_the_tooling_api_only(org: Org, name: str) -> None:
    _ask(org, f"SELECT Id, CreatedDate FROM {name}", tooling=True)
    with pytest.raises(OrgError, match="is not supported") as caught:
        _ask(org, f"SELECT Id FROM {name}")
    assert caught.value.code == "INVALID_TYPE"


def test_no_org_is_a_dev_hub(org: Org) -> None:
    for tooling in (False, True):
        with pytest.raises(OrgError) as caught:
            _ask(org, "SELECT Id FROM ScratchOrgInfo LIMIT 1", tooling=tooling)
        assert caught.value.code == "INVALID_TYPE"


def test_the_questions_of_a_preflight(org: Org) -> None:
    rules = _ask(
        org,
        "SELECT ValidationName, ErrorMessage, ErrorDisplayField FROM ValidationRule WHERE Active = true AND "
        "EntityDefinition.QualifiedApiName IN ('Contact', 'Visit__c')",
        tooling=True,
    )
    assert [(row["ErrorMessage"], row["ErrorDisplayField"]) for row in rules] == [("No", "LastName")]
    flows = _ask(
        org,
        "SELECT ApiName, ProcessType, TriggerType, RecordTriggerType, TriggerObjectOrEventId, VersionNumber "
        "FROM FlowDefinitionView WHERE IsActive = true",
    )
    assert [(row["TriggerObjectOrEventId"], row["TriggerType"]) for row in flows] == [("Contact", "RecordBeforeSave")]
    duplicates = "SELECT DeveloperName, SobjectType FROM DuplicateRule WHERE IsActive = true"
    assert [row["SobjectType"] for row in _ask(org, duplicates)] == ["Contact"]
    org.settings.duplicate_rule_contact = False
    assert _ask(org, duplicates) == []
    triggers = "SELECT Id, Name, TableEnumOrId, Status, UsageBeforeInsert FROM ApexTrigger WHERE Status = 'Active'"
    assert _ask(org, triggers) == []


def test_metadata_comes_for_one_row_at_a_time(org: Org) -> None:
    with pytest.raises(OrgError, match="no more than one row"):
        _ask(org, "SELECT Metadata FROM ValidationRule", tooling=True)
    [row] = _ask(org, "SELECT Metadata, FullName FROM ValidationRule LIMIT 1", tooling=True)
    assert row["Metadata"]["errorMessage"] == "No"
    assert row["FullName"].startswith("Contact.")


def test_rows_can_be_provided(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_rows, "_SOURCES", dict(setup_rows._SOURCES))
    setup_rows.provide("ApexTrigger", lambda _: [{"Name": "Guard", "TableEnumOrId": "Contact", "Status": "Active"}])
    [row] = _ask(org, "SELECT Name, UsageBeforeInsert FROM ApexTrigger")
    assert (row["Name"], row["UsageBeforeInsert"]) == ("Guard", False)


@pytest.mark.parametrize(
    "text",
    [
        (
            "SELECT SubscriberPackage.Id, SubscriberPackage.NamespacePrefix, SubscriberPackageVersionId "
            "FROM InstalledSubscriberPackage"
        ),
        (
            "SELECT MajorVersion, MinorVersion, PatchVersion, BuildNumber, IsBeta FROM SubscriberPackageVersion "
            "WHERE Id = '04t000000000001'"
        ),
        "SELECT MemberName, MemberType, RevisionCounter FROM SourceMember WHERE IsNameObsolete = false",
    ],
)
def test_there_are_no_packages_and_no_tracked_sources(org: Org, text: str) -> None:
    assert _ask(org, text, tooling=True) == []


def test_assignments_may_be_asked_for_their_group(org: Org) -> None:
    text = "SELECT PermissionSetGroupId, PermissionSetGroup.DeveloperName FROM PermissionSetAssignment"
    assert {row["PermissionSetGroupId"] for row in _ask(org, text)} <= {None}

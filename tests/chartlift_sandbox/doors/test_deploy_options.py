"""Options of a deployment, its end before its time, and what may be deleted."""

import json
import threading
from typing import Any

import pytest
from door_harness import DATA, Sandbox
from door_packages import NS, custom_object, field, manifest, zipped

DAY = "<label>Day</label><type>Date</type>"


def failures(result: dict[str, Any]) -> dict[str, str]:
    return {one["fullName"]: one["problem"] for one in result["details"]["componentFailures"]}


def fields(owner: str, **inner: str) -> bytes:
    document = "".join(field(name, text) for name, text in inner.items())
    members = manifest({"CustomField": [f"{owner}.{name}" for name in inner]})
    return zipped({"package.xml": members, f"objects/{owner}.object": f"<CustomObject {NS}>{document}</CustomObject>"})


def destructive(file: str = "destructiveChanges.xml", more: dict[str, str] | None = None, **gone: list[str]) -> bytes:
    return zipped({"package.xml": manifest({}), file: manifest(gone)} | (more or {}))


def soon(met: Any) -> None:
    for _ in range(500):
        if met():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


def test_one_in_hand_and_one_that_waits_are_canceled(sandbox: Sandbox) -> None:
    org, jobs = sandbox.estate.org, sandbox.estate.doors.metadata
    admin, options = org.actor_for(org.people.admin), {"rollbackOnError": True}
    user = (org.people.front_desk, "Front Desk")
    with org.lock:
        running, waiting = (jobs.deploy(fields("Visit__c", **{n: DAY}), options, admin) for n in ("Late__c", "Gone__c"))
        soon(lambda: running.status == "InProgress")
        jobs.cancel(running, user)
        jobs.cancel(waiting, user)
        assert (running.status, running.done, waiting.status, waiting.done) == ("Canceling", False, "Canceled", True)
    for job in (running, waiting):
        result = sandbox.deployed(job.id)
        assert (result["status"], result["success"], result["canceledByName"]) == ("Canceled", False, "Front Desk")
        assert result["canceledBy"] == org.people.front_desk
    assert not {"Late__c", "Gone__c"} & set(org.schema.objects["Visit__c"].fields)


def test_a_deployment_that_hangs_is_canceled_by_rest(sandbox: Sandbox) -> None:
    fault = {"faults": [{"kind": "deploy", "what": "in_progress", "times": 1}]}
    sandbox.control.post("/faults", json=fault)
    jobs = sandbox.estate.doors.metadata
    job = jobs.deploy(
        fields("Visit__c", Hung__c=DAY), {}, sandbox.estate.org.actor_for(sandbox.estate.org.people.admin)
    )
    soon(lambda: not jobs.busy())
    answer = sandbox.org.patch(
        f"{DATA}/metadata/deployRequest/{job.id}", json={"deployResult": {"status": "Canceling"}}
    )
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["deployResult"]["status"]) == (job.id, "Canceled")
    refused = sandbox.org.patch(f"{DATA}/metadata/deployRequest/{job.id}", json={"deployResult": {"status": "Done"}})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"testLevel": "RunNothing"}, "INVALID_ENUM_VALUE"),
        ({"testLevel": "RunSpecifiedTests"}, "INVALID_OPERATION"),
        ({"testLevel": "NoTestRun", "runTests": ["A"]}, "INVALID_OPERATION"),
    ],
)
def test_options_that_contradict_each_other_are_refused(sandbox: Sandbox, options: dict[str, Any], code: str) -> None:
    parts = {"json": (None, json.dumps({"deployOptions": options}), "application/json"), "file": ("a.zip", b"PK")}
    answer = sandbox.post("/metadata/deployRequest", files=parts)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@pytest.mark.parametrize(("level", "enabled"), [(None, False), ("NoTestRun", False), ("RunLocalTests", True)])
def test_test_levels_are_echoed_and_no_test_runs(sandbox: Sandbox, level: str | None, *, enabled: bool) -> None:
    result = sandbox.deploy(fields("Visit__c", Dry__c=DAY), checkOnly=True, testLevel=level)
    assert (result["status"], result["runTestsEnabled"], result["numberTestsTotal"]) == ("Succeeded", enabled, 0)
    assert result["details"]["runTestResult"]["numTestsRun"] == 0


def test_nothing_that_stands_is_a_failure_even_without_rollback(sandbox: Sandbox) -> None:
    result = sandbox.deploy(fields("Visit__c", No__c="<type>Date</type>"), rollbackOnError=False)
    assert (result["status"], result["success"], result["numberComponentsDeployed"]) == ("Failed", False, 0)


def test_deletions_before_and_after_the_rest(sandbox: Sandbox) -> None:
    text = "<label>Swap</label><type>Text</type><length>10</length>"
    assert sandbox.deploy(fields("Visit__c", Swap__c=DAY, Old__c=DAY))["status"] == "Succeeded"
    refused = sandbox.deploy(fields("Visit__c", Swap__c=text))
    assert failures(refused)["Visit__c.Swap__c"].startswith("Cannot change the field type")
    files = {
        "package.xml": manifest({"CustomField": ["Visit__c.Swap__c", "Visit__c.Old__c"]}),
        "objects/Visit__c.object": f"<CustomObject {NS}>{field('Swap__c', text)}{field('Old__c', DAY)}</CustomObject>",
        "destructiveChangesPre.xml": manifest({"CustomField": ["Visit__c.Swap__c"]}),
        "destructiveChangesPost.xml": manifest({"CustomField": ["Visit__c.Old__c"]}),
    }
    result = sandbox.deploy(zipped(files), purgeOnDelete=True)
    assert result["status"] == "Succeeded", failures(result)
    found = {(one["fileName"], one["fullName"]): one for one in result["details"]["componentSuccesses"]}
    assert found["destructiveChangesPre.xml", "Visit__c.Swap__c"]["deleted"] is True
    assert found["objects/Visit__c.object", "Visit__c.Swap__c"]["created"] is True
    assert found["destructiveChangesPost.xml", "destructiveChangesPost.xml"]["componentType"] == ""
    made = sandbox.estate.org.schema.objects["Visit__c"].fields
    assert (made["Swap__c"].type, "Old__c" in made) == ("string", False)
    assert result["numberComponentsTotal"] == result["numberComponentsDeployed"] == 4


def test_what_is_in_use_or_standard_cannot_be_deleted(sandbox: Sandbox) -> None:
    rule = (
        "<validationRules><fullName>Needs_Used</fullName><active>true</active>"
        "<errorConditionFormula>ISBLANK(Used__c)</errorConditionFormula><errorMessage>No</errorMessage></validationRules>"
    )
    files = {
        "package.xml": manifest(
            {"CustomField": ["Visit__c.Used__c"], "ValidationRule": ["Visit__c.Needs_Used"], "CustomTab": ["Visit__c"]}
        ),
        "objects/Visit__c.object": f"<CustomObject {NS}>{field('Used__c', DAY)}{rule}</CustomObject>",
        "tabs/Visit__c.tab": f"<CustomTab {NS}><customObject>true</customObject></CustomTab>",
    }
    assert sandbox.deploy(zipped(files))["status"] == "Succeeded"
    gone = {"CustomField": ["Visit__c.Used__c", "Contact.LastName"], "CustomObject": ["Contact"], "Widget": ["W"]}
    told = failures(sandbox.deploy(destructive(**gone)))
    assert told == {
        "Visit__c.Used__c": (
            "This custom field is referenced elsewhere in salesforce.com. : Validation Rule - Needs_Used."
        ),
        "Contact.LastName": "The CustomField called 'Contact.LastName' is standard and cannot be deleted",
        "Contact": "The CustomObject called 'Contact' is standard and cannot be deleted",
        "W": "Unknown type name 'Widget' specified in destructiveChanges.xml",
    }
    together = {
        "CustomField": ["Visit__c.Used__c"],
        "ValidationRule": ["Visit__c.Needs_Used"],
        "CustomTab": ["Visit__c"],
    }
    assert "LastViewedDate" in sandbox.estate.org.schema.objects["Visit__c"].fields
    assert sandbox.deploy(destructive(**together))["status"] == "Succeeded"
    assert not {"Used__c", "LastViewedDate"} & set(sandbox.estate.org.schema.objects["Visit__c"].fields)


def test_objects_go_together_with_those_that_point_to_them(sandbox: Sandbox) -> None:
    lookup = (
        "<label>Plan</label><type>Lookup</type><referenceTo>Plan__c</referenceTo>"
        "<relationshipName>Steps</relationshipName>"
    )
    files = {
        "package.xml": manifest({"CustomObject": ["Plan__c", "Step__c"]}),
        "objects/Plan__c.object": custom_object("Plan", ""),
        "objects/Step__c.object": custom_object("Step", field("Plan__c", lookup)),
    }
    assert sandbox.deploy(zipped(files))["status"] == "Succeeded"
    told = failures(sandbox.deploy(destructive(CustomObject=["Plan__c"])))
    assert told["Plan__c"].endswith("Custom Field - Step__c.Plan__c.")
    assert sandbox.deploy(destructive(CustomObject=["Plan__c", "Step__c"]))["status"] == "Succeeded"
    assert not {"Plan__c", "Step__c"} & set(sandbox.estate.org.schema.objects)


def test_a_value_set_that_a_field_uses_stays(sandbox: Sandbox) -> None:
    entries = "<customValue><fullName>A</fullName><default>false</default><label>A</label></customValue>"
    shared = f"<GlobalValueSet {NS}><masterLabel>Moods</masterLabel><sorted>false</sorted>{entries}</GlobalValueSet>"
    use = "<label>M</label><type>Picklist</type><valueSet><valueSetName>Moods</valueSetName></valueSet>"
    files = {
        "package.xml": manifest({"GlobalValueSet": ["Moods"], "CustomField": ["Visit__c.M__c"]}),
        "globalValueSets/Moods.globalValueSet": shared,
        "objects/Visit__c.object": f"<CustomObject {NS}>{field('M__c', use)}</CustomObject>",
    }
    assert sandbox.deploy(zipped(files))["status"] == "Succeeded"
    assert "Moods" in failures(sandbox.deploy(destructive(GlobalValueSet=["Moods"])))
    both = {"GlobalValueSet": ["Moods"], "CustomField": ["Visit__c.M__c"]}
    assert sandbox.deploy(destructive(**both))["status"] == "Succeeded"
    assert "Moods" not in sandbox.estate.org.schema.value_sets


def test_a_formula_and_a_master_detail_stay_what_they_are(sandbox: Sandbox) -> None:
    formula = "<label>F</label><type>Number</type><precision>5</precision><scale>0</scale><formula>1 + 1</formula>"
    plain = formula.replace("<formula>1 + 1</formula>", "")
    assert sandbox.deploy(fields("Visit__c", F__c=formula, P__c=plain))["status"] == "Succeeded"
    told = failures(sandbox.deploy(fields("Visit__c", F__c=plain, P__c=formula)))
    assert told["Visit__c.F__c"] == "Cannot update a field from a Formula to something else"
    assert told["Visit__c.P__c"] == "Cannot update a field to a Formula from something else"

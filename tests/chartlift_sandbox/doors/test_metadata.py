"""Deployments by REST: what is taken, what is refused, and what fields become."""

from typing import Any

import pytest
from door_harness import DATA, Sandbox
from door_packages import NS, custom_object, field, field_grant, grant, manifest, package, permission_set, zipped

LABEL = "<label>X</label>"
LOOKUP_USER = "<type>Lookup</type><referenceTo>User</referenceTo><relationshipName>Us</relationshipName>"


def failures(result: dict[str, Any]) -> dict[str, str]:
    return {one["fullName"]: one["problem"] for one in result["details"]["componentFailures"]}


def one_field(name: str, inner: str, owner: str = "Visit__c") -> bytes:
    document = f"<CustomObject {NS}>{field(name, inner)}</CustomObject>"
    return zipped({"package.xml": manifest({"CustomField": [f"{owner}.{name}"]}), f"objects/{owner}.object": document})


def access(inner: str, name: str = "Try_Access") -> bytes:
    return zipped(
        {
            "package.xml": manifest({"PermissionSet": [name]}),
            f"permissionsets/{name}.permissionset": permission_set("Try", inner),
        }
    )


def test_a_second_deployment_changes_nothing(sandbox: Sandbox) -> None:
    result = sandbox.deploy(package())
    assert result["status"] == "Succeeded"
    assert result["success"] is True
    assert result["numberComponentErrors"] == 0
    assert result["numberComponentsTotal"] == result["numberComponentsDeployed"]
    found = {one["fullName"]: one for one in result["details"]["componentSuccesses"]}
    assert found["package.xml"]["componentType"] == ""
    visit = found["Visit__c.Status__c"]
    assert (visit["created"], visit["changed"], visit["fileName"]) == (False, False, "objects/Visit__c.object")
    assert visit["componentType"] == "CustomField"
    assert visit["id"].startswith("00N")


@pytest.mark.parametrize(
    ("name", "kind", "length", "precision", "scale"),
    [
        ("Key__c", "string", 64, 0, 0),
        ("Short__c", "textarea", 255, 0, 0),
        ("Note__c", "textarea", 32768, 0, 0),
        ("Rich__c", "textarea", 32768, 0, 0),
        ("Tooth__c", "double", 0, 3, 0),
        ("Cost__c", "currency", 0, 18, 2),
        ("Share__c", "percent", 0, 5, 2),
        ("Done__c", "boolean", 0, 0, 0),
        ("Day__c", "date", 0, 0, 0),
        ("Start__c", "datetime", 0, 0, 0),
        ("Clock__c", "time", 0, 0, 0),
        ("Status__c", "picklist", 255, 0, 0),
        ("Tags__c", "multipicklist", 4099, 4, 0),
        ("Mail__c", "email", 80, 0, 0),
        ("Phone__c", "phone", 40, 0, 0),
        ("Link__c", "url", 255, 0, 0),
        ("Contact__c", "reference", 18, 0, 0),
    ],
)
def test_every_kind_of_field_is_described_as_in_a_real_org(
    sandbox: Sandbox, name: str, kind: str, length: int, precision: int, scale: int
) -> None:
    org = sandbox.estate.org
    fields = {one["name"]: one for one in org.describe(org.actor_for(org.people.integration), "Visit__c")["fields"]}
    found = fields[name]
    assert (found["type"], found["length"], found["precision"], found["scale"]) == (kind, length, precision, scale)
    assert found["custom"] is True
    if name == "Key__c":
        assert (found["unique"], found["externalId"], found["idLookup"]) == (True, True, True)
    if name in {"Note__c", "Rich__c"}:
        assert (found["filterable"], found["sortable"], found["groupable"]) == (False, False, False)
    if name == "Contact__c":
        assert (found["relationshipName"], found["referenceTo"]) == ("Contact__r", ["Contact"])
    if name == "Done__c":
        assert (found["nillable"], found["defaultedOnCreate"]) == (False, True)
    if name == "Status__c":
        assert found["restrictedPicklist"] is True
        assert [one["value"] for one in found["picklistValues"]] == ["Booked", "No Show"]


def test_a_deployed_field_is_hidden_until_it_is_granted(sandbox: Sandbox) -> None:
    org = sandbox.estate.org
    sandbox.deploy(one_field("Hidden__c", f"{LABEL}<type>Text</type><length>10</length>", "Contact"))
    admin = org.actor_for(org.people.admin)
    assert org.schema.field("Contact", "Hidden__c") is not None
    assert "Hidden__c" not in org.visible_fields(admin, "Contact")
    status = sandbox.ingest("insert", "Contact", "LastName,Hidden__c\nA,b\n")
    assert status["errorMessage"] == "InvalidBatch : Field name not found : Hidden__c"
    granted = access(field_grant("Contact.Hidden__c") + grant("Contact"), "Hidden_Access")
    assert sandbox.deploy(granted)["status"] == "Succeeded"
    assert sandbox.ingest("insert", "Contact", "LastName,Hidden__c\nA,b\n")["state"] == "Failed"
    sandbox.assign("Hidden_Access")
    assert sandbox.ingest("insert", "Contact", "LastName,Hidden__c\nA,b\n")["numberRecordsFailed"] == 0


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ("<type>Text</type><length>5</length>", "Required field is missing: label"),
        (f"{LABEL}<type>Text</type>", "Must specify 'length' for a CustomField of type Text"),
        (f"{LABEL}<type>Text</type><length>256</length>", "Text field length must be between 1 and 255: 256"),
        (
            f"{LABEL}<type>LongTextArea</type><length>1000</length>",
            "Must specify 'visibleLines' for a CustomField of type LongTextArea",
        ),
        (
            f"{LABEL}<type>Number</type><precision>5</precision>",
            "Must specify 'scale' for a CustomField of type Number",
        ),
        (f"{LABEL}<type>Checkbox</type>", "Must specify 'defaultValue' for a CustomField of type Checkbox"),
        (f"{LABEL}<type>Picklist</type>", "Must specify 'valueSet' for a CustomField of type Picklist"),
        (f"{LABEL}<type>Colour</type>", "'Colour' is not a valid value for the enum 'FieldType'"),
        (
            f"{LABEL}<type>Lookup</type><referenceTo>Foo__c</referenceTo><relationshipName>Foos</relationshipName>",
            "In field: referenceTo - no CustomObject named Foo__c found",
        ),
        (
            f"{LABEL}<type>Lookup</type><referenceTo>Contact</referenceTo><relationshipName>Visits</relationshipName>",
            "There is already a Child Relationship named Visits on Contact.",
        ),
        (
            LABEL + LOOKUP_USER + "<required>true</required><deleteConstraint>SetNull</deleteConstraint>",
            "Must specify either cascade delete or restrict delete for required lookup foreign key",
        ),
        (
            f"{LABEL}<type>Date</type><externalId>true</externalId>",
            "Can not specify 'externalId' for a CustomField of type Date",
        ),
    ],
)
def test_a_field_that_a_real_org_refuses_fails_the_deployment(sandbox: Sandbox, inner: str, problem: str) -> None:
    result = sandbox.deploy(one_field("Bad__c", inner))
    assert (result["status"], result["success"], result["numberComponentErrors"]) == ("Failed", False, 1)
    assert failures(result) == {"Visit__c.Bad__c": problem}
    assert sandbox.estate.org.schema.field("Visit__c", "Bad__c") is None


def test_the_type_of_a_deployed_field_cannot_change(sandbox: Sandbox) -> None:
    result = sandbox.deploy(one_field("Tooth__c", f"{LABEL}<type>Date</type>"))
    assert failures(result)["Visit__c.Tooth__c"].startswith("Cannot change the field type of Tooth__c")


def test_one_bad_component_undoes_all_or_only_itself(sandbox: Sandbox) -> None:
    fields = field("Good1__c", f"{LABEL}<type>Date</type>") + field("Bad1__c", "<type>Date</type>")
    data = zipped(
        {
            "package.xml": manifest({"CustomField": ["Visit__c.Good1__c", "Visit__c.Bad1__c"]}),
            "objects/Visit__c.object": f"<CustomObject {NS}>{fields}</CustomObject>",
        }
    )
    failed = sandbox.deploy(data)
    assert (failed["status"], failed["numberComponentsDeployed"], failed["numberComponentErrors"]) == ("Failed", 0, 1)
    assert not next(one for one in failed["details"]["componentSuccesses"] if one["fullName"] == "Visit__c.Good1__c")[
        "id"
    ]
    assert sandbox.estate.org.schema.field("Visit__c", "Good1__c") is None
    result = sandbox.deploy(data, rollbackOnError=False)
    assert (result["status"], result["numberComponentsDeployed"]) == ("SucceededPartial", 1)
    assert result["success"] is True
    assert sandbox.estate.org.schema.field("Visit__c", "Good1__c") is not None


def test_checking_only_changes_nothing(sandbox: Sandbox) -> None:
    result = sandbox.deploy(one_field("Dry__c", f"{LABEL}<type>Date</type>"), checkOnly=True)
    assert (result["status"], result["checkOnly"]) == ("Succeeded", True)
    assert sandbox.estate.org.schema.field("Visit__c", "Dry__c") is None


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        (
            field_grant("Visit__c.Nope__c") + grant("Visit__c"),
            "In field: field - no CustomField named Visit__c.Nope__c found",
        ),
        (field_grant("Contact.LastName") + grant("Contact"), "You cannot deploy to a required field: Contact.LastName"),
        (
            field_grant("Visit__c.Key__c"),
            "Field permission Visit__c.Key__c depends on permission(s): Read Visit__c",
        ),
        (
            "<objectPermissions><allowEdit>true</allowEdit><object>Visit__c</object></objectPermissions>",
            "Permission allowEdit on Visit__c depends on permission(s): allowRead",
        ),
        (
            "<userPermissions><enabled>true</enabled><name>FlyToTheMoon</name></userPermissions>",
            "Unknown user permission: FlyToTheMoon",
        ),
        (grant("Foo__c"), "In field: field - no CustomObject named Foo__c found"),
    ],
)
def test_a_permission_set_that_contradicts_itself_is_refused(sandbox: Sandbox, inner: str, problem: str) -> None:
    assert failures(sandbox.deploy(access(inner))) == {"Try_Access": problem}


def test_the_audit_permission_needs_the_switch(sandbox: Sandbox) -> None:
    inner = "<userPermissions><enabled>true</enabled><name>CreateAuditFields</name></userPermissions>"
    sandbox.control.post("/org/settings", json={"set_audit_fields": False})
    refused = sandbox.deploy(access(inner))
    sandbox.control.post("/org/settings", json={"set_audit_fields": True})
    assert failures(refused) == {"Try_Access": "Unknown user permission: CreateAuditFields"}
    assert sandbox.deploy(access(inner))["status"] == "Succeeded"


def test_master_details_need_a_controlled_child_without_records(sandbox: Sandbox) -> None:
    line = (
        "<label>Visit</label><type>MasterDetail</type><referenceTo>Visit__c</referenceTo>"
        "<relationshipName>Lines</relationshipName><relationshipOrder>0</relationshipOrder>"
    )
    wrong = custom_object("Line", field("Visit__c", line))
    files = {"package.xml": manifest({"CustomObject": ["Line__c"]}), "objects/Line__c.object": wrong}
    assert "Line__c.Visit__c" in failures(sandbox.deploy(zipped(files)))
    files["objects/Line__c.object"] = custom_object("Line", field("Visit__c", line), sharing="ControlledByParent")
    assert sandbox.deploy(zipped(files))["status"] == "Succeeded"
    made = sandbox.estate.org.schema.object("Line__c")
    assert made is not None
    assert "OwnerId" not in made.fields
    assert made.fields["Visit__c"].nillable is False
    assert made.key_prefix != sandbox.estate.org.schema.objects["Visit__c"].key_prefix


def test_values_left_out_of_a_shared_set_become_inactive(sandbox: Sandbox) -> None:
    entries = "".join(
        f"<standardValue><fullName>{one}</fullName><default>false</default><label>{one}</label></standardValue>"
        for one in ("Web", "Google Ads")
    )
    document = f"<StandardValueSet {NS}><sorted>false</sorted>{entries}</StandardValueSet>"
    files = {
        "package.xml": manifest({"StandardValueSet": ["LeadSource"]}),
        "standardValueSets/LeadSource.standardValueSet": document,
    }
    assert sandbox.deploy(zipped(files))["status"] == "Succeeded"
    values = {one.value: one.active for one in sandbox.estate.org.schema.value_sets["LeadSource"]}
    assert values["Google Ads"] is True
    assert values["Other"] is False
    files["package.xml"] = manifest({"StandardValueSet": ["Moods"]})
    assert "Moods" in failures(sandbox.deploy(zipped(files)))


def test_values_left_out_of_a_field_become_inactive(sandbox: Sandbox) -> None:
    def picklist(*values: str) -> bytes:
        entries = "".join(
            f"<value><fullName>{one}</fullName><default>false</default><label>{one}</label></value>" for one in values
        )
        shown = f"<valueSetDefinition><sorted>false</sorted>{entries}</valueSetDefinition>"
        inner = f"{LABEL}<type>Picklist</type><valueSet><restricted>true</restricted>{shown}</valueSet>"
        return one_field("Mood__c", inner)

    assert sandbox.deploy(picklist("Happy", "Sad"))["status"] == "Succeeded"
    assert sandbox.deploy(picklist("Happy"))["status"] == "Succeeded"
    found = sandbox.estate.org.schema.field("Visit__c", "Mood__c")
    assert found is not None
    assert {one.value: one.active for one in found.picklist} == {"Happy": True, "Sad": False}


def test_what_was_deployed_can_be_taken_away(sandbox: Sandbox) -> None:
    sandbox.deploy(one_field("Gone__c", f"{LABEL}<type>Date</type>"))
    files = {
        "package.xml": manifest({}),
        "destructiveChanges.xml": manifest({"CustomField": ["Visit__c.Gone__c", "Visit__c.Never__c"]}),
    }
    refused = sandbox.deploy(zipped(files))
    assert refused["status"] == "Failed", "a warning fails a deployment that does not ignore it"
    [warning] = refused["details"]["componentFailures"]
    assert (warning["problemType"], warning["success"]) == ("Warning", False)
    assert sandbox.estate.org.schema.field("Visit__c", "Gone__c") is not None
    result = sandbox.deploy(zipped(files), ignoreWarnings=True)
    assert (result["status"], result["numberComponentErrors"]) == ("Succeeded", 0)
    assert sandbox.estate.org.schema.field("Visit__c", "Gone__c") is None
    assert result["details"]["componentFailures"] == []
    [warning] = [one for one in result["details"]["componentSuccesses"] if one["problem"]]
    assert (warning["fullName"], warning["problemType"]) == ("destructiveChanges.xml", "Warning")
    assert (warning["componentType"], warning["success"]) == ("CustomField", True)
    assert warning["problem"] == "No CustomField named: Visit__c.Never__c found"
    files["destructiveChanges.xml"] = manifest({"PermissionSet": ["Visit_Access"]})
    assert failures(sandbox.deploy(zipped(files))) == {
        "Visit_Access": "The permission set Visit_Access is assigned to users"
    }


NO_MANIFEST = "No package.xml found"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK no zip", "The zip file is not valid"),
        (zipped({"package.xml": manifest({}), "../evil.xml": "<a/>"}), "Illegal path in the zip: ../evil.xml"),
        (zipped({"package.xml": manifest({}), "objects/A.object": "<a/>", "objects\\A.object": "<b/>"}), "of one name"),
        (zipped({"package.xml": manifest({})})[:-40], "The zip file is not valid"),
        (zipped({"package.xml": manifest({})} | {f"a/{n}.txt": "" for n in range(10_000)}), "Too many files in zip"),
    ],
)
def test_a_dangerous_zip_is_refused_as_a_whole(sandbox: Sandbox, data: bytes, message: str) -> None:
    result = sandbox.deploy(data)
    assert (result["status"], result["success"], result["numberComponentsTotal"]) == ("Failed", False, 0)
    assert message in result["errorMessage"]
    assert result["errorStatusCode"] == ("INVALID_OPERATION" if message.startswith("Too") else "UNKNOWN_EXCEPTION")


@pytest.mark.parametrize(
    ("data", "file", "message"),
    [
        (b"not a zip", "package.xml", NO_MANIFEST),
        (zipped({"objects/X.object": "<a/>"}), "package.xml", NO_MANIFEST),
        (zipped({"package.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><Package/>"}), "package.xml", "document types"),
        (zipped({"package.xml": "<Package>"}), "package.xml", "Error parsing file"),
        (zipped({"package.xml": "<?xml version='1.0' encoding='x-none'?><Package/>"}), "package.xml", "Error parsing"),
        (zipped({"package.xml": "<Package/>"}), "package.xml", "Package is no Package of the metadata namespace"),
        (zipped({"package.xml": manifest({}).replace("67.0", "99.0")}), "package.xml", "version specified: 99.0"),
        (zipped({"package.xml": manifest({}).replace("67.0", "x")}), "package.xml", "version specified: x"),
        (zipped({"package.xml": manifest({}), "destructiveChanges.xml": "<"}), "destructiveChanges.xml", "Error pars"),
    ],
)
def test_a_broken_manifest_is_the_failure(sandbox: Sandbox, data: bytes, file: str, message: str) -> None:
    result = sandbox.deploy(data)
    assert (result["status"], result["numberComponentErrors"]) == ("Failed", 1)
    [failure] = result["details"]["componentFailures"]
    assert (failure["fileName"], failure["fullName"], failure["componentType"]) == (file, file, "")
    assert message in failure["problem"]


ENTITIES = "<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>"
OUTSIDE = "<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>"


@pytest.mark.parametrize(
    ("document", "problem", "line"),
    [
        (ENTITIES + f"<CustomObject {NS}><label>&b;</label></CustomObject>", "document types and entities", 1),
        (OUTSIDE + f"<CustomObject {NS}><label>&a;</label></CustomObject>", "document types and entities", 1),
        (f"<CustomObject {NS}>\n<label>x</label>\n</Custom>", "mismatched tag", 3),
        (f"<CustomObject {NS}><label>" + " " * (17 << 20), "it has more than 16777216 bytes", 1),
    ],
)
def test_a_bad_file_fails_what_stands_in_it_and_nothing_else(
    sandbox: Sandbox, document: str, problem: str, line: int
) -> None:
    files = {
        "package.xml": manifest({"CustomField": ["Visit__c.Day__c", "Bad__c.A__c"], "CustomObject": ["Bad__c"]}),
        "objects/Visit__c.object": f"<CustomObject {NS}>{field('Day__c', LABEL + '<type>Date</type>')}</CustomObject>",
        "objects/Bad__c.object": document,
    }
    result = sandbox.deploy(zipped(files), checkOnly=True)
    failed = {one["fullName"]: one for one in result["details"]["componentFailures"]}
    assert set(failed) == {"Bad__c", "Bad__c.A__c"}
    assert problem in failed["Bad__c"]["problem"]
    assert failed["Bad__c"]["lineNumber"] == line
    assert failed["Bad__c"]["fileName"] == "objects/Bad__c.object"
    assert "Visit__c.Day__c" in {one["fullName"] for one in result["details"]["componentSuccesses"]}


def test_a_zip_bomb_is_not_unpacked(sandbox: Sandbox) -> None:
    sandbox.control.post("/org/settings", json={"deploy_unpacked_mb": 2})
    small = {f"objects/Bomb{n}__c.object": "<" + " " * 300_000 for n in range(8)}
    result = sandbox.deploy(zipped({"package.xml": manifest({})} | small))
    sandbox.control.post("/org/settings", json={"deploy_unpacked_mb": 400})
    assert (result["status"], result["errorStatusCode"]) == ("Failed", "LIMIT_EXCEEDED")
    assert "2097152 bytes" in result["errorMessage"]


def test_a_zip_beyond_a_request_is_refused_at_once(sandbox: Sandbox) -> None:
    parts = {"json": (None, '{"deployOptions":{}}', "application/json"), "file": ("a.zip", b"PK" + bytes(39_321_600))}
    answer = sandbox.post("/metadata/deployRequest", files=parts)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


QUICK = "/metadata/deployRequest/validatedDeployRequestId"


def test_a_validation_is_deployed_once_as_it_was(sandbox: Sandbox) -> None:
    data, schema = one_field("Quick__c", f"{LABEL}<type>Date</type>"), sandbox.estate.org.schema
    checked = sandbox.deploy(data, checkOnly=True)["id"]
    assert schema.field("Visit__c", "Quick__c") is None
    answer = sandbox.post("/metadata/deployRequest", json={"validatedDeployRequestId": checked})
    assert (answer.status_code, answer.json()["validatedDeployRequestId"]) == (201, checked)
    assert sandbox.deployed(answer.json()["id"])["status"] == "Succeeded"
    assert schema.field("Visit__c", "Quick__c") is not None
    late = sandbox.deploy(data, checkOnly=True)["id"]
    refused = [
        sandbox.post(QUICK, json={"validatedDeployRequestId": one}) for one in (checked, answer.json()["id"], "x")
    ]
    sandbox.estate.org.clock.advance(11 * 86400)
    refused.append(sandbox.post(QUICK, json={"validatedDeployRequestId": late}))
    assert {(one.status_code, one.json()[0]["errorCode"]) for one in refused} == {(400, "INVALID_ID_FIELD")}


def test_activity_fields_reach_tasks_and_events(sandbox: Sandbox) -> None:
    inner = f"{LABEL}<type>Text</type><length>64</length><externalId>true</externalId>"
    granted = permission_set("Activity", field_grant("Activity.Act_Key__c"))
    files = {
        "package.xml": manifest({"CustomField": ["Activity.Act_Key__c"], "PermissionSet": ["Activity_Access"]}),
        "objects/Activity.object": f"<CustomObject {NS}>{field('Act_Key__c', inner)}</CustomObject>",
        "permissionsets/Activity_Access.permissionset": granted,
    }
    result = sandbox.deploy(zipped(files))
    assert result["status"] == "Succeeded", result["details"]["componentFailures"]
    sandbox.assign("Activity_Access")
    for name in ("Task", "Event"):
        org = sandbox.estate.org
        assert "Act_Key__c" in org.visible_fields(org.actor_for(org.people.integration), name)
    status = sandbox.ingest("insert", "Task", "Subject,Act_Key__c\nCall,ak-1\n")
    assert status["numberRecordsFailed"] == 0
    files["permissionsets/Activity_Access.permissionset"] = permission_set(
        "Activity", field_grant("Task.Act_Key__c") + field_grant("Event.Act_Key__c")
    )
    assert sandbox.deploy(zipped(files))["status"] == "Succeeded"


def test_lookups_can_be_followed_from_the_parent(sandbox: Sandbox) -> None:
    sandbox.ingest("insert", "Contact", "LastName,Key__c\nParent,pa-1\n")
    sandbox.ingest("insert", "Visit__c", "Key__c,Contact__r.Key__c\npa-v1,pa-1\npa-v2,pa-1\n")
    found = sandbox.get(
        "/query", params={"q": "SELECT (SELECT Key__c FROM Visits__r) FROM Contact WHERE Key__c = 'pa-1'"}
    )
    assert found.json()["records"][0]["Visits__r"]["totalSize"] == 2
    described = sandbox.get("/sobjects/Contact/describe").json()["childRelationships"]
    mine = next(one for one in described if one["childSObject"] == "Visit__c")
    assert (mine["relationshipName"], mine["field"], mine["cascadeDelete"]) == ("Visits__r", "Contact__c", False)


def test_missing_files_may_be_allowed(sandbox: Sandbox) -> None:
    data = zipped({"package.xml": manifest({"CustomObject": ["Lost__c"]})})
    result = sandbox.deploy(data, allowMissingFiles=True)
    assert result["status"] == "Succeeded"
    assert [one["problemType"] for one in result["details"]["componentSuccesses"] if one["problem"]] == ["Warning"]


def test_unknown_types_and_missing_files_are_named(sandbox: Sandbox) -> None:
    result = sandbox.deploy(zipped({"package.xml": manifest({"CustomObject": ["Lost__c"], "Widget": ["W"]})}))
    found = failures(result)
    assert found["Lost__c"].endswith("was named in package.xml, but was not found in zipped directory")
    assert found["package.xml"] == "Unknown type name 'Widget' specified in package.xml"


def test_a_finished_or_unknown_deployment_cannot_be_canceled(sandbox: Sandbox) -> None:
    job = sandbox.deploy(package())["id"]
    target = f"{DATA}/metadata/deployRequest/{job}"
    assert sandbox.org.patch(target, json={"deployResult": {"status": "Canceling"}}).status_code == 400
    assert sandbox.get("/metadata/deployRequest/0Af000000000000AAA").status_code == 404

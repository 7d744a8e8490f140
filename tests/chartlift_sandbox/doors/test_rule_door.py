"""Rules come by deployment and by the control door; a bad one is refused in words, a good one works on every channel."""

from door_harness import Sandbox
from door_packages import NS, manifest, permission_set, zipped

RULE = (
    "<validationRules><fullName>{name}</fullName><active>{active}</active>"
    "<errorConditionFormula>{formula}</errorConditionFormula><errorDisplayField>Tooth__c</errorDisplayField>"
    "<errorMessage>Tooth: 1 to 85, please</errorMessage></validationRules>"
)
DUPLICATE = (
    f"<DuplicateRule {NS}><actionOnInsert>Block</actionOnInsert><actionOnUpdate>Allow</actionOnUpdate>"
    "<alertText>Known already</alertText><duplicateRuleMatchRules><matchRuleSObjectType>Visit__c"
    "</matchRuleSObjectType><matchingRule>By_Phone</matchingRule></duplicateRuleMatchRules>"
    "<isActive>true</isActive><masterLabel>Visits by phone</masterLabel>"
    "<operationsOnUpdate>Report</operationsOnUpdate></DuplicateRule>"
)
MATCHING = (
    f"<MatchingRules {NS}><matchingRules><fullName>By_Phone</fullName><label>By phone</label><matchingRuleItems>"
    "<blankValueBehavior>NullNotAllowed</blankValueBehavior><fieldName>Phone__c</fieldName>"
    "<matchingMethod>Exact</matchingMethod></matchingRuleItems><ruleStatus>Active</ruleStatus></matchingRules>"
    "</MatchingRules>"
)


def rule_package(*rules: tuple[str, str], active: str = "true") -> bytes:
    inner = "".join(RULE.format(name=name, formula=formula, active=active) for name, formula in rules)
    members = {"ValidationRule": [f"Visit__c.{name}" for name, _ in rules]}
    return zipped(
        {"package.xml": manifest(members), "objects/Visit__c.object": f"<CustomObject {NS}>{inner}</CustomObject>"}
    )


def test_a_validation_rule_is_deployed_works_and_is_destroyed(sandbox: Sandbox) -> None:
    result = sandbox.deploy(rule_package(("Tooth_Range", "OR(Tooth__c &lt; 1, Tooth__c &gt; 85)")))
    assert result["status"] == "Succeeded", result
    made = [one for one in result["details"]["componentSuccesses"] if one["componentType"] == "ValidationRule"]
    assert [(one["fullName"], one["created"]) for one in made] == [("Visit__c.Tooth_Range", True)]
    message, fields = "Tooth: 1 to 85, please", ["Tooth__c"]
    single = sandbox.post("/sobjects/Visit__c", json={"Tooth__c": 99})
    assert (single.status_code, single.json()) == (
        400, [{"message": message, "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": fields}],
    )  # fmt: skip
    job = sandbox.ingest("insert", "Visit__c", "Tooth__c\n99\n12\n")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    failed = sandbox.get(f"/jobs/ingest/{job['id']}/failedResults").text
    assert f'"FIELD_CUSTOM_VALIDATION_EXCEPTION:{message}:Tooth__c --"' in failed
    query = "SELECT ValidationName, Active, ErrorMessage, ErrorDisplayField, Metadata FROM ValidationRule"
    row = sandbox.get("/tooling/query", params={"q": query}).json()["records"][0]
    assert (row["ValidationName"], row["ErrorDisplayField"]) == ("Tooth_Range", "Tooth__c")
    assert row["Metadata"]["errorConditionFormula"] == "OR(Tooth__c < 1, Tooth__c > 85)"
    off = sandbox.deploy(rule_package(("Tooth_Range", "Tooth__c &gt; 85"), active="false"))
    assert off["status"] == "Succeeded"
    assert sandbox.post("/sobjects/Visit__c", json={"Tooth__c": 99}).status_code == 201
    gone = zipped(
        {"package.xml": manifest({}), "destructiveChanges.xml": manifest({"ValidationRule": ["Visit__c.Tooth_Range"]})}
    )
    assert sandbox.deploy(gone)["status"] == "Succeeded"
    assert sandbox.estate.org.rules.validation == []


def test_a_bad_formula_fails_its_component(sandbox: Sandbox) -> None:
    result = sandbox.deploy(rule_package(("Bad", "Nope__c = 1"), ("Text", "LEN(Phone__c)")))
    assert result["status"] == "Failed"
    problems = {one["fullName"]: one["problem"] for one in result["details"]["componentFailures"]}
    assert problems["Visit__c.Bad"] == "Field Nope__c does not exist. Check spelling."
    assert "incompatible with expected data type (true or false)" in problems["Visit__c.Text"]
    assert sandbox.estate.org.rules.validation == []


def test_duplicate_rules_and_custom_permissions_are_deployed(sandbox: Sandbox) -> None:
    files = {
        "package.xml": manifest(
            {"DuplicateRule": ["Visit__c.By_Phone"], "MatchingRules": ["Visit__c"], "CustomPermission": ["Bypass"],
             "PermissionSet": ["Sparing"]}
        ),
        "duplicateRules/Visit__c.By_Phone.duplicateRule": DUPLICATE,
        "matchingRules/Visit__c.matchingRule": MATCHING,
        "customPermissions/Bypass.customPermission": f"<CustomPermission {NS}><label>B</label></CustomPermission>",
        "permissionsets/Sparing.permissionset": permission_set(
            "Sparing", "<customPermissions><enabled>true</enabled><name>Bypass</name></customPermissions>"
        ),
    }  # fmt: skip
    result = sandbox.deploy(zipped(files))
    assert result["status"] == "Succeeded", result
    book = sandbox.estate.org.rules
    assert (book.custom_permissions, book.grants) == (["Bypass"], {"sparing": ["Bypass"]})
    assert sandbox.post("/sobjects/Visit__c", json={"Phone__c": "0123"}).status_code == 201
    twin = sandbox.post("/sobjects/Visit__c", json={"Phone__c": "0123"}, headers={
        "Sforce-Duplicate-Rule-Header": "allowSave=true"})  # fmt: skip
    assert twin.json()[0]["message"] == "Known already"
    assert twin.json()[0]["duplicateResult"]["allowSave"] is False
    job = sandbox.ingest("insert", "Visit__c", "Phone__c\n0123\n")
    failed = sandbox.get(f"/jobs/ingest/{job['id']}/failedResults").text
    assert '"DUPLICATES_DETECTED:Known already:--"' in failed
    names = sandbox.get("/query", params={"q": "SELECT DeveloperName FROM DuplicateRule WHERE IsActive = true"}).json()
    assert "By_Phone" in {one["DeveloperName"] for one in names["records"]}
    sandbox.control.post("/org/rules", json={"duplicate_rules": [], "custom_permissions": {}})


def test_an_unknown_custom_permission_fails_the_set(sandbox: Sandbox) -> None:
    inner = "<customPermissions><enabled>true</enabled><name>Nope</name></customPermissions>"
    files = {
        "package.xml": manifest({"PermissionSet": ["Sparing"]}),
        "permissionsets/Sparing.permissionset": permission_set("Sparing", inner),
    }
    failure = sandbox.deploy(zipped(files))["details"]["componentFailures"][0]
    assert failure["problem"] == "In field: customPermission - no CustomPermission named Nope found"


def test_the_control_door_sets_rules_and_shows_the_mail_trap(sandbox: Sandbox) -> None:
    flows = [
        {"object": "Visit__c", "name": "Greet", "moment": "after_save", "action": "send_mail", "on": "insert",
         "to": "{!Mail__c}", "subject": "Hello", "body": "Tooth {!Tooth__c}"},
        {"object": "Visit__c", "name": "Number", "moment": "before_save", "action": "set_field",
         "field": "Short__c", "value": '"T" & TEXT(Tooth__c)'},
    ]  # fmt: skip
    answer = sandbox.control.post("/org/rules", json={"automations": flows})
    assert [one["name"] for one in answer.json()["automations"]] == ["Greet", "Number"]
    sandbox.ingest("insert", "Visit__c", "Mail__c,Tooth__c\na@example.com,1\nb@example.com,2\n,3\n")
    mail = sandbox.control.get("/org/mail").json()
    assert [(one["to"], one["body"]) for one in mail] == [("a@example.com", "Tooth 1"), ("b@example.com", "Tooth 2")]
    assert sandbox.control.delete("/org/mail").json() == []
    found = sandbox.get("/query", params={"q": "SELECT Short__c FROM Visit__c WHERE Mail__c = 'a@example.com'"}).json()
    assert found["records"][0]["Short__c"] == "T1"
    flows_seen = "SELECT ApiName, TriggerType, RecordTriggerType FROM FlowDefinitionView WHERE IsActive = true"
    seen = sandbox.get("/query", params={"q": flows_seen}).json()["records"]
    assert {(one["ApiName"], one["TriggerType"], one["RecordTriggerType"]) for one in seen} == {
        ("Greet", "RecordAfterSave", "Create"), ("Number", "RecordBeforeSave", "CreateAndUpdate"),
    }  # fmt: skip
    sandbox.control.post("/org/rules", json={"automations": []})


def test_the_control_door_refuses_in_words(sandbox: Sandbox) -> None:
    for body, words in (
        ({"automations": [{"object": "Visit__c", "name": "x", "moment": "later", "action": "send_mail"}]}, "no action"),
        ({"automations": [{"object": "Visit__c", "name": "x", "moment": "after_save", "action": "send_mail",
                           "condition": "Nope__c"}]}, "Nope__c does not exist"),
        ({"validation_rules": [{"object": "Visit__c", "formula": "1", "message": "m"}]}, "data type (Number)"),
        ({"duplicate_rules": [{"object": "Visit__c", "name": "x", "fields": ["Nope__c"]}]}, "no field"),
        ({"locked": ["x"]}, "ids of records"), ({"moods": []}, "no rules of kind moods"),
    ):  # fmt: skip
        answer = sandbox.control.post("/org/rules", json=body)
        assert answer.status_code == 400
        assert words in answer.json()["error"]

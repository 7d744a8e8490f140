"""Single components by SOAP, and retrievals that can be deployed as they came."""

import base64
import io
import zipfile
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import httpx2
import pytest
from door_harness import Sandbox
from door_packages import NS, custom_object, field, manifest, package, zipped

METADATA = "http://soap.sforce.com/2006/04/metadata"
DAY = "<label>Day</label><type>Date</type>"
PLAIN = "<label>Text</label><type>Text</type><length>10</length>"


def post(sandbox: Sandbox, body: str, header: str = "") -> httpx2.Response:
    text = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Header><SessionHeader xmlns="{METADATA}"><sessionId>'
        f"{sandbox.estate.access_token}</sessionId></SessionHeader>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
    url = f"{sandbox.estate.addresses.org}/services/Soap/m/67.0"
    return httpx2.post(url, content=text.encode(), headers={"content-type": "text/xml", "soapaction": '""'}, timeout=60)


def results(sandbox: Sandbox, operation: str, inner: str, header: str = "") -> list[dict[str, Any]]:
    answer = post(sandbox, f'<{operation} xmlns="{METADATA}">{inner}</{operation}>', header)
    assert answer.status_code == 200, answer.text
    found = fromstring(answer.text).findall(f".//{{{METADATA}}}result")
    return [{one.tag.rpartition("}")[2]: _value(one) for one in result} for result in found]


def _value(element: Element) -> Any:
    if not len(element):
        return element.text
    return {one.tag.rpartition("}")[2]: _value(one) for one in element}


def component(kind: str, name: str, inner: str) -> str:
    return f'<metadata xsi:type="{kind}"><fullName>{name}</fullName>{inner}</metadata>'


def deleted(sandbox: Sandbox, kind: str, *names: str) -> list[dict[str, Any]]:
    return results(
        sandbox, "deleteMetadata", f"<type>{kind}</type>" + "".join(f"<fullNames>{n}</fullNames>" for n in names)
    )


def test_components_are_created_updated_and_deleted_one_by_one(sandbox: Sandbox) -> None:
    fields, org = sandbox.estate.org.schema.objects["Visit__c"].fields, sandbox.estate.org
    given = (
        component("CustomField", "Visit__c.One__c", DAY)
        + component("CustomField", "Visit__c.Two__c", "<type>Date</type>")
        + component("CustomField", "Visit__c.Key__c", DAY)
        + component("CustomField", "Nowhere__c.A__c", DAY)
    )
    made = results(sandbox, "createMetadata", given)
    assert [one["success"] for one in made] == ["true", "false", "false", "false"]
    assert made[0] == {"fullName": "Visit__c.One__c", "success": "true"}
    assert [one["errors"]["statusCode"] for one in made[1:]] == [
        "REQUIRED_FIELD_MISSING", "DUPLICATE_DEVELOPER_NAME", "FIELD_INTEGRITY_EXCEPTION",
    ]  # fmt: skip
    assert {"One__c", "Two__c"} & set(fields) == {"One__c"}
    changed = component("CustomField", "Visit__c.One__c", DAY.replace("Day<", "Night<"))
    updated = results(sandbox, "updateMetadata", changed + component("CustomField", "Visit__c.Not__c", DAY))
    assert [one["success"] for one in updated] == ["true", "false"]
    assert updated[1]["errors"]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert org.schema.objects["Visit__c"].fields["One__c"].label == "Night"
    both = changed + component("CustomField", "Visit__c.New__c", PLAIN)
    assert [one["created"] for one in results(sandbox, "upsertMetadata", both)] == ["false", "true"]
    gone = deleted(sandbox, "CustomField", "Visit__c.One__c", "Visit__c.New__c", "Visit__c.Not__c", "Contact.LastName")
    assert [one["success"] for one in gone] == ["true", "true", "false", "false"]
    assert gone[2]["errors"]["message"] == "In field: fullName - no CustomField named Visit__c.Not__c found"
    assert not {"One__c", "New__c"} & set(org.schema.objects["Visit__c"].fields)


def test_all_or_none_takes_all_or_none(sandbox: Sandbox) -> None:
    header = f'<AllOrNoneHeader xmlns="{METADATA}"><allOrNone>true</allOrNone></AllOrNoneHeader>'
    good, bad = component("CustomField", "Visit__c.All__c", DAY), component("CustomField", "Visit__c.No__c", "")
    told = results(sandbox, "createMetadata", good + bad, header)
    assert [one["errors"]["statusCode"] for one in told] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING",
    ]  # fmt: skip
    assert "All__c" not in sandbox.estate.org.schema.objects["Visit__c"].fields
    more = component("CustomField", "Visit__c.Also__c", PLAIN)
    assert [one["success"] for one in results(sandbox, "createMetadata", good + more, header)] == ["true", "true"]
    assert {"All__c", "Also__c"} <= set(sandbox.estate.org.schema.objects["Visit__c"].fields)


def test_objects_and_what_belongs_to_them(sandbox: Sandbox) -> None:
    root = fromstring(custom_object("Bill", ""))
    own = "".join(f"<{c.tag.rpartition('}')[2]}>{c.text}</{c.tag.rpartition('}')[2]}>" for c in root if not len(c))
    own += "<nameField><label>No</label><type>Text</type></nameField>"
    rule = "<active>true</active><errorConditionFormula>ISBLANK(Name)</errorConditionFormula><errorMessage>x</errorMessage>"
    made = results(
        sandbox,
        "createMetadata",
        component("CustomObject", "Bill__c", own)
        + component("CustomField", "Bill__c.Paid__c", DAY)
        + component("ValidationRule", "Bill__c.Named", rule)
        + component("PermissionSet", "Bills", "<label>Bills</label>")
        + component("CustomTab", "Bill__c", "<customObject>true</customObject><motif>Custom1: Heart</motif>"),
    )
    assert [one["success"] for one in made] == ["true"] * 5, made
    listed = results(
        sandbox, "listMetadata", "<queries><type>CustomTab</type></queries><asOfVersion>67.0</asOfVersion>"
    )
    mine = next(one for one in listed if one["fullName"] == "Bill__c")
    user = sandbox.estate.org.people.integration
    assert (mine["createdById"], mine["fileName"], mine["type"]) == (user, "tabs/Bill__c.tab", "CustomTab")
    assert mine["id"].startswith("01r")
    read = results(sandbox, "readMetadata", "<type>CustomTab</type><fullNames>Bill__c</fullNames>")
    assert read[0]["records"]["motif"] == "Custom1: Heart"
    assert [one["success"] for one in deleted(sandbox, "CustomObject", "Bill__c")] == ["true"]
    none = post(
        sandbox,
        f'<readMetadata xmlns="{METADATA}"><type>CustomObject</type><fullNames>Bill__c</fullNames></readMetadata>',
    )
    assert '<records xsi:nil="true"/>' in none.text


def test_a_field_is_renamed_with_its_values(sandbox: Sandbox) -> None:
    inner = component("CustomField", "Account.Old__c", PLAIN)
    assert results(sandbox, "createMetadata", inner)[0]["success"] == "true"
    org = sandbox.estate.org
    sandbox.ingest("insert", "Account", "Name\nRenamed\n")
    org.db.execute('UPDATE "Account" SET "Old__c" = \'kept\'')
    words = "<type>CustomField</type><oldFullName>Account.{}</oldFullName><newFullName>Account.{}</newFullName>"
    assert results(sandbox, "renameMetadata", words.format("Old__c", "New__c"))[0]["success"] == "true"
    assert {row["New__c"] for row in org.rows('SELECT "New__c" FROM "Account"')} == {"kept"}
    assert "Old__c" not in org.schema.objects["Account"].fields
    for old, new in (("Old__c", "X__c"), ("New__c", "Bad"), ("New__c", "New__c")):
        assert results(sandbox, "renameMetadata", words.format(old, new))[0]["success"] == "false"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("createMetadata", "EXCEEDED_ID_LIMIT"),
        (f'<createMetadata xmlns="{METADATA}">{component("Widget", "W", "")}</createMetadata>', "INVALID_TYPE"),
        (f'<readMetadata xmlns="{METADATA}"><type>Widget</type></readMetadata>', "INVALID_TYPE"),
        (f'<describeValueType xmlns="{METADATA}"><type>CustomField</type></describeValueType>', "INVALID_TYPE"),
        (f'<fly xmlns="{METADATA}"/>', "soapenv:Client"),
    ],
)
def test_calls_that_make_no_sense_are_faults(sandbox: Sandbox, body: str, code: str) -> None:
    many = "".join(component("CustomField", f"Visit__c.A{n}__c", DAY) for n in range(11))
    asked = body if body.startswith("<") else f'<{body} xmlns="{METADATA}">{many}</{body}>'
    answer = post(sandbox, asked)
    assert answer.status_code == 500
    assert f"<faultcode>{code if ':' in code else 'sf:' + code}</faultcode>" in answer.text


def test_value_types_are_described(sandbox: Sandbox) -> None:
    asked = f"<type>{{{METADATA}}}CustomField</type>"
    answer = post(sandbox, f'<describeValueType xmlns="{METADATA}">{asked}</describeValueType>')
    root = fromstring(answer.text)
    named = {one.text for one in root.iter(f"{{{METADATA}}}name")}
    assert {"fullName", "label", "relationshipName", "valueSet"} <= named
    assert root.findtext(f".//{{{METADATA}}}foreignKeyDomain") == "CustomObject"


def retrieved(sandbox: Sandbox, wanted: dict[str, list[str]]) -> dict[str, str]:
    types = "".join(
        f"<types>{''.join(f'<members>{n}</members>' for n in names)}<name>{kind}</name></types>"
        for kind, names in wanted.items()
    )
    head = "<apiVersion>67.0</apiVersion><singlePackage>true</singlePackage>"
    request = f"<retrieveRequest>{head}<unpackaged>{types}</unpackaged></retrieveRequest>"
    [asked] = results(sandbox, "retrieve", request)
    [status] = results(sandbox, "checkRetrieveStatus", f"<asyncProcessId>{asked['id']}</asyncProcessId>")
    assert "messages" not in status, status
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(status["zipFile"])))
    return {name: archive.read(name).decode() for name in archive.namelist()}


def words(element: Element) -> Any:
    """An element without the order of its children."""
    return sorted((one.tag, words(one) if len(one) else (one.text or "")) for one in element)


WIDE = {
    "Worth__c": "<description>What it is worth</description><formula>Cost__c * 2</formula>"
    "<formulaTreatBlanksAs>BlankAsZero</formulaTreatBlanksAs><label>Worth</label><precision>18</precision><scale>2</scale>"
    "<type>Currency</type>",
    "Cost__c": "<label>Cost</label><precision>18</precision><required>false</required><scale>2</scale>"
    "<trackHistory>false</trackHistory><type>Currency</type>",
    "Kind__c": "<defaultValue>&quot;x&quot;</defaultValue><externalId>false</externalId><label>Kind</label><length>9</length>"
    "<required>false</required><type>Text</type><unique>false</unique>",
    "Who__c": "<deleteConstraint>SetNull</deleteConstraint><label>Who</label><lookupFilter><active>true</active>"
    "<filterItems><field>Contact.Email</field><operation>notEqual</operation><value>a</value></filterItems>"
    "<isOptional>false</isOptional></lookupFilter><referenceTo>Contact</referenceTo><relationshipLabel>Wide ones"
    "</relationshipLabel><relationshipName>Wides</relationshipName><required>false</required><type>Lookup</type>",
}


def test_what_was_deployed_comes_back_equal_and_can_be_deployed_again(sandbox: Sandbox) -> None:
    rule = (
        "<validationRules><fullName>Dear</fullName><active>true</active><description>Why</description>"
        "<errorConditionFormula>Cost__c &gt; 1000</errorConditionFormula><errorDisplayField>Cost__c</errorDisplayField>"
        "<errorMessage>Too dear</errorMessage></validationRules>"
    )
    view = "<listViews><fullName>All</fullName><filterScope>Everything</filterScope><label>All</label></listViews>"
    inner = "".join(field(name, text) for name, text in WIDE.items()) + rule + view
    shared = (
        f"<GlobalValueSet {NS}><customValue><fullName>A</fullName><default>false</default><label>A</label></customValue>"
        "<masterLabel>Shades</masterLabel><sorted>false</sorted></GlobalValueSet>"
    )
    layout = f"<Layout {NS}><emailDefault>false</emailDefault><showHighlightsPanel>false</showHighlightsPanel></Layout>"
    wanted = {
        "CustomObject": ["Wide__c"], "GlobalValueSet": ["Shades"], "Layout": ["Wide__c-Wide Layout"],
        "CustomTab": ["Wide__c"], "CustomPermission": ["See_Wide"], "ListView": ["Wide__c.All"],
    }  # fmt: skip
    files = {
        "package.xml": manifest(wanted),
        "objects/Wide__c.object": custom_object("Wide", inner).replace(
            "<sharingModel>", "<description>W</description><sharingModel>"
        ),
        "globalValueSets/Shades.globalValueSet": shared,
        "layouts/Wide__c-Wide Layout.layout": layout,
        "tabs/Wide__c.tab": f"<CustomTab {NS}><customObject>true</customObject><motif>Custom1: Heart</motif></CustomTab>",
        "customPermissions/See_Wide.customPermission": (
            f"<CustomPermission {NS}><isLicensed>false</isLicensed><label>See</label></CustomPermission>"
        ),
    }
    first = sandbox.deploy(zipped(files))
    assert first["status"] == "Succeeded", first["details"]["componentFailures"]
    back = retrieved(sandbox, wanted)
    assert set(back) == set(files)
    for name in set(files) - {"package.xml", "objects/Wide__c.object"}:
        assert words(fromstring(back[name])) == words(fromstring(files[name])), name
    sent, got = fromstring(files["objects/Wide__c.object"]), fromstring(back["objects/Wide__c.object"])
    for tag in ("fields", "validationRules", "listViews"):
        asked, given = (sorted(words(one) for one in root.findall(f"{{{METADATA}}}{tag}")) for root in (sent, got))
        assert given == asked, tag
    own = [one for one in words(sent) if not one[0].endswith(("fields", "validationRules", "listViews"))]
    assert [one for one in own if one not in words(got)] == []
    again = sandbox.deploy(zipped(back))
    assert again["status"] == "Succeeded", again["details"]["componentFailures"]
    changed = {one["fullName"] for one in again["details"]["componentSuccesses"] if one["changed"]}
    assert changed <= {"package.xml", "Wide__c-Wide Layout", "Wide__c.All"}
    whole = {"CustomObject": ["*"], "PermissionSet": ["*"], "CustomTab": ["*"], "Layout": ["*"]}
    every = retrieved(sandbox, whole)
    assert {"objects/Wide__c.object", "objects/Visit__c.object", "tabs/Wide__c.tab"} <= set(every)
    result = sandbox.deploy(zipped(every))
    assert result["status"] == "Succeeded", result["details"]["componentFailures"]


def test_every_kind_of_field_comes_back_equal(sandbox: Sandbox) -> None:
    archive = zipfile.ZipFile(io.BytesIO(package()))
    back = retrieved(sandbox, {"CustomObject": ["Visit__c"]})["objects/Visit__c.object"]
    sent, got = fromstring(archive.read("objects/Visit__c.object")), fromstring(back)
    given = {one.findtext(f"{{{METADATA}}}fullName"): words(one) for one in got.findall(f"{{{METADATA}}}fields")}
    for one in sent.findall(f"{{{METADATA}}}fields"):
        name = one.findtext(f"{{{METADATA}}}fullName")
        assert [part for part in words(one) if part not in given[name]] == [], name

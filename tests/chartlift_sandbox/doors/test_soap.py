"""SOAP doors: metadata retrieval and deployment, undelete and merge."""

import base64
import io
import zipfile
from xml.etree.ElementTree import Element, fromstring

import httpx2
from door_harness import Sandbox
from door_packages import package

METADATA = "http://soap.sforce.com/2006/04/metadata"
PARTNER = "urn:partner.soap.sforce.com"


def post(sandbox: Sandbox, door: str, namespace: str, body: str, token: str | None = None) -> httpx2.Response:
    session = sandbox.estate.access_token if token is None else token
    text = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<SessionHeader xmlns="{namespace}"><sessionId>{session}</sessionId></SessionHeader></e:Header>'
        f"<e:Body>{body}</e:Body></e:Envelope>"
    )
    url = f"{sandbox.estate.addresses.org}/services/Soap/{door}/67.0"
    return httpx2.post(
        url, content=text.encode(), headers={"content-type": "text/xml; charset=UTF-8", "soapaction": '""'}
    )


def metadata(sandbox: Sandbox, body: str) -> Element:
    answer = post(sandbox, "m", METADATA, body)
    assert answer.status_code == 200, answer.text
    return fromstring(answer.text)


def text(root: Element, name: str, namespace: str = METADATA) -> str:
    found = root.find(f".//{{{namespace}}}{name}")
    assert found is not None, name
    return found.text or ""


def retrieved(sandbox: Sandbox, types: str, extra: str = "") -> zipfile.ZipFile:
    asked = metadata(
        sandbox,
        f'<retrieve xmlns="{METADATA}"><retrieveRequest><apiVersion>67.0</apiVersion>{extra}<unpackaged>{types}'
        "<version>67.0</version></unpackaged></retrieveRequest></retrieve>",
    )
    old = f'<checkStatus xmlns="{METADATA}"><asyncProcessId>{text(asked, "id")}</asyncProcessId></checkStatus>'
    assert text(metadata(sandbox, old), "done") == "true", "the old way to ask is good for retrievals as well"
    status = metadata(
        sandbox,
        f'<checkRetrieveStatus xmlns="{METADATA}"><asyncProcessId>{text(asked, "id")}</asyncProcessId>'
        "<includeZip>true</includeZip></checkRetrieveStatus>",
    )
    assert (text(status, "done"), text(status, "success"), text(status, "status")) == ("true", "true", "Succeeded")
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(text(status, "zipFile"))))


def test_a_shared_value_set_can_be_retrieved_merged_and_deployed(sandbox: Sandbox) -> None:
    types = "<types><members>LeadSource</members><name>StandardValueSet</name></types>"
    archive = retrieved(sandbox, types)
    path = "unpackaged/standardValueSets/LeadSource.standardValueSet"
    assert sorted(archive.namelist()) == ["unpackaged/package.xml", path]
    document = archive.read(path).decode()
    assert "<fullName>Web</fullName>" in document
    added = "<standardValue><fullName>Leaflet</fullName><default>false</default><label>Leaflet</label></standardValue>"
    merged = document.replace("</StandardValueSet>", added + "</StandardValueSet>")
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as out:
        out.writestr("package.xml", archive.read("unpackaged/package.xml"))
        out.writestr(path.removeprefix("unpackaged/"), merged)
    before = {one.value for one in sandbox.estate.org.schema.value_sets["LeadSource"] if one.active}
    assert sandbox.deploy(sink.getvalue())["status"] == "Succeeded"
    after = {one.value for one in sandbox.estate.org.schema.value_sets["LeadSource"] if one.active}
    assert after == before | {"Leaflet"}
    again = sandbox.deploy(sink.getvalue())
    assert {one["changed"] for one in again["details"]["componentSuccesses"] if one["componentType"]} == {False}


def test_objects_and_permission_sets_come_back_as_they_were_deployed(sandbox: Sandbox) -> None:
    types = (
        "<types><members>Visit__c</members><name>CustomObject</name></types>"
        "<types><members>Contact.Key__c</members><name>CustomField</name></types>"
        "<types><members>Visit_Access</members><members>Nobody</members><name>PermissionSet</name></types>"
    )
    archive = retrieved(sandbox, types, "<singlePackage>true</singlePackage>")
    assert "objects/Contact.object" in archive.namelist()
    visit = archive.read("objects/Visit__c.object").decode()
    assert "<fullName>Status__c</fullName>" in visit
    assert "<relationshipName>Visits</relationshipName>" in visit
    names = {one: archive.read(one).decode() for one in archive.namelist()}
    assert "CreateAuditFields" in names["permissionsets/Visit_Access.permissionset"]
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as out:
        for name, document in names.items():
            out.writestr(name, document)
    result = sandbox.deploy(sink.getvalue())
    assert result["status"] == "Succeeded", result["details"]["componentFailures"]
    changed = {one["fullName"] for one in result["details"]["componentSuccesses"] if one["changed"]}
    assert changed <= {"package.xml", "Visit_Access"}


def test_a_star_finds_nothing_where_there_is_nothing(sandbox: Sandbox) -> None:
    archive = retrieved(sandbox, "<types><members>*</members><name>InstalledPackage</name></types>")
    assert archive.namelist() == ["unpackaged/package.xml"]
    assert "members" not in archive.read("unpackaged/package.xml").decode()


def test_read_and_list_show_components(sandbox: Sandbox) -> None:
    words = "<type>StandardValueSet</type><fullNames>LeadSource</fullNames>"
    root = metadata(sandbox, f'<readMetadata xmlns="{METADATA}">{words}</readMetadata>')
    assert text(root, "fullName") == "LeadSource"
    assert root.findall(f".//{{{METADATA}}}standardValue")
    listed = metadata(
        sandbox,
        f'<listMetadata xmlns="{METADATA}"><queries><type>CustomObject</type></queries>'
        "<asOfVersion>67.0</asOfVersion></listMetadata>",
    )
    assert "Visit__c" in {one.text for one in listed.findall(f".//{{{METADATA}}}fullName")}
    assert text(listed, "createdById") == sandbox.estate.org.people.admin


def test_every_type_that_is_taken_is_described(sandbox: Sandbox) -> None:
    root = metadata(sandbox, f'<describeMetadata xmlns="{METADATA}"><asOfVersion>67.0</asOfVersion></describeMetadata>')
    kinds = {one.text for one in root.iter(f"{{{METADATA}}}xmlName")}
    assert {"CustomObject", "CustomTab", "DuplicateRule", "Flow", "GlobalValueSet", "Layout", "PermissionSet"} <= kinds
    children = {one.text for one in root.iter(f"{{{METADATA}}}childXmlNames")}
    assert {"CustomField", "ValidationRule"} <= children
    assert not children & kinds


def test_a_validation_is_deployed_by_soap(sandbox: Sandbox) -> None:
    checked = sandbox.deploy(package(), checkOnly=True)["id"]
    body = f'<deployRecentValidation xmlns="{METADATA}"><validationId>{checked}</validationId></deployRecentValidation>'
    assert sandbox.deployed(text(metadata(sandbox, body), "result") or "")["status"] == "Succeeded"


def test_deployment_by_soap_takes_prefixed_envelopes(sandbox: Sandbox) -> None:
    encoded = base64.b64encode(package()).decode()
    asked = metadata(
        sandbox,
        f'<m:deploy xmlns:m="{METADATA}"><m:ZipFile>{encoded}</m:ZipFile><m:DeployOptions>'
        "<m:checkOnly>true</m:checkOnly><m:rollbackOnError>true</m:rollbackOnError></m:DeployOptions></m:deploy>",
    )
    assert (text(asked, "done"), text(asked, "state")) == ("false", "Queued")
    job = text(asked, "id")
    sandbox.deployed(job)
    status = metadata(
        sandbox,
        f'<checkDeployStatus xmlns="{METADATA}"><asyncProcessId>{job}</asyncProcessId>'
        "<includeDetails>true</includeDetails></checkDeployStatus>",
    )
    assert (text(status, "status"), text(status, "success"), text(status, "checkOnly")) == ("Succeeded", "true", "true")
    assert status.findall(f".//{{{METADATA}}}componentSuccesses")


def test_a_dead_session_is_a_fault(sandbox: Sandbox) -> None:
    for door, namespace, body in (("m", METADATA, "<checkStatus/>"), ("u", PARTNER, "<undelete/>")):
        answer = post(sandbox, door, namespace, body, token="00D000000000000!dead")
        assert answer.status_code == 500
        assert "<faultcode>sf:INVALID_SESSION_ID</faultcode>" in answer.text
        told = "<sf:exceptionMessage>Invalid Session ID found in SessionHeader" in answer.text
        assert told == (door == "u"), "the partner API tells it once more"
    login = post(sandbox, "u", PARTNER, f'<login xmlns="{PARTNER}"><username>a</username></login>')
    assert "<sf:LoginFault xsi:type=" in login.text
    assert "<sf:exceptionCode>INVALID_OPERATION</sf:exceptionCode>" in login.text


def test_undelete_brings_records_back_under_their_ids(sandbox: Sandbox) -> None:
    org = sandbox.estate.org
    sandbox.ingest("insert", "Visit__c", "Key__c\nun-1\nun-2\n")
    ids = [row["Id"] for row in org.rows("""SELECT "Id" FROM "Visit__c" WHERE "Key__c" LIKE 'un-%' ORDER BY 1""")]
    sandbox.ingest("delete", "Visit__c", "Id\n" + "\n".join(ids) + "\n")
    wanted = "".join(f"<ids>{one}</ids>" for one in [*ids, "a0X000000000001AAA"])
    answer = post(sandbox, "u", PARTNER, f'<undelete xmlns="{PARTNER}">{wanted}</undelete>')
    results = fromstring(answer.text).findall(f".//{{{PARTNER}}}result")
    assert [one.findtext(f"{{{PARTNER}}}success") for one in results] == ["true", "true", "false"]
    assert results[2].findtext(f".//{{{PARTNER}}}statusCode")
    alive = org.rows("""SELECT "Id" FROM "Visit__c" WHERE "Key__c" LIKE 'un-%' AND NOT "IsDeleted" ORDER BY 1""")
    assert [row["Id"] for row in alive] == ids
    many = "".join(f"<ids>{ids[0]}</ids>" for _ in range(201))
    refused = post(sandbox, "u", PARTNER, f'<undelete xmlns="{PARTNER}">{many}</undelete>')
    assert "sf:EXCEEDED_ID_LIMIT" in refused.text


def test_records_leave_the_recycle_bin_for_good(sandbox: Sandbox) -> None:
    org = sandbox.estate.org
    sandbox.ingest("insert", "Visit__c", "Key__c\neb-1\neb-2\n")
    gone, alive = (row["Id"] for row in org.rows("""SELECT "Id" FROM "Visit__c" WHERE "Key__c" LIKE 'eb-%'"""))
    sandbox.ingest("delete", "Visit__c", f"Id\n{gone}\n")
    wanted = "".join(f"<ids>{one}</ids>" for one in (gone[:15], alive))
    answer = post(sandbox, "u", PARTNER, f'<emptyRecycleBin xmlns="{PARTNER}">{wanted}</emptyRecycleBin>')
    results = fromstring(answer.text).findall(f".//{{{PARTNER}}}result")
    assert [one.findtext(f"{{{PARTNER}}}success") for one in results] == ["true", "false"]
    left = org.rows("""SELECT "Id" FROM "Visit__c" WHERE "Key__c" LIKE 'eb-%'""")
    assert left == [{"Id": alive}]


def test_merge_keeps_the_master(sandbox: Sandbox) -> None:
    org = sandbox.estate.org
    sandbox.ingest("insert", "Contact", "LastName,Key__c\nMerge,me-1\nMerge,me-2\n")
    sql = """SELECT "Id" FROM "Contact" WHERE "Key__c" LIKE 'me-%' ORDER BY "Key__c" """
    master, loser = (row["Id"] for row in org.rows(sql))
    body = (
        f'<merge xmlns="{PARTNER}"><request><masterRecord><type>Contact</type><Id>{master}</Id><Title>Dr</Title>'
        f"</masterRecord><recordToMergeIds>{loser}</recordToMergeIds></request></merge>"
    )
    answer = post(sandbox, "u", PARTNER, body)
    assert fromstring(answer.text).findtext(f".//{{{PARTNER}}}success") == "true", answer.text
    rows = org.rows('SELECT "IsDeleted", "MasterRecordId" FROM "Contact" WHERE "Id" = ?', [loser])
    assert rows == [{"IsDeleted": True, "MasterRecordId": master}]

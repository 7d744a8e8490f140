"""Notes as files, classic documents, files in collections, and what a query for links must say."""

from __future__ import annotations

import base64
import json

import pytest
from engine_bench import Bench, WebBench

from chartlift_sandbox.salesforce import soql
from chartlift_sandbox.salesforce.errors import OrgError

HTML = "<p>Crown &amp; bridge, <b>upper left</b></p>"
BYTES = bytes(range(256)) * 40
FILE = ("scan.bin", BYTES, "application/octet-stream")


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _json(body: dict) -> tuple[str | None, bytes, str]:
    return None, json.dumps(body).encode(), "application/json"


def test_a_note_is_a_file_of_its_own_kind(fresh: Bench) -> None:
    contact = fresh.insert("Contact", LastName="Noted")
    note = fresh.insert("ContentNote", Title="Plan", Content=_coded(HTML))
    assert note.startswith("069")
    document = fresh.one("ContentDocument", note)
    assert (document["FileType"], document["FileExtension"], document["Title"]) == ("SNOTE", "snote", "Plan")
    shown = fresh.one("ContentNote", note)
    assert base64.b64decode(shown["Content"]).decode() == HTML
    assert shown["TextPreview"] == "Crown & bridge, upper left"
    assert shown["LatestPublishedVersionId"] == document["LatestPublishedVersionId"]
    fresh.insert("ContentDocumentLink", ContentDocumentId=note, LinkedEntityId=contact, ShareType="V")
    log = [(row["op"], row["object"]) for row in fresh.org.read_writes()][-2:]
    assert log == [("insert", "ContentNote"), ("insert", "ContentDocumentLink")]


def test_a_note_gets_versions_and_goes_with_its_document(fresh: Bench) -> None:
    note = fresh.insert("ContentNote", Title="Plan", Content=_coded(HTML))
    assert fresh.dml("update", "ContentNote", [{"Id": note, "Content": _coded("<p>New</p>")}])[0]["success"]
    assert base64.b64decode(fresh.one("ContentNote", note)["Content"]) == b"<p>New</p>"
    assert fresh.org.rows('SELECT count(*) AS n FROM "ContentVersion"')[0]["n"] == 2
    assert fresh.dml("update", "ContentNote", [{"Id": note, "Title": "Other plan"}])[0]["success"]
    version = fresh.one("ContentNote", note)["LatestPublishedVersionId"]
    assert fresh.one("ContentVersion", version)["Title"] == "Other plan"
    assert fresh.org.rows('SELECT count(*) AS n FROM "ContentVersion"')[0]["n"] == 2
    assert fresh.dml("delete", "ContentNote", [{"Id": note}])[0]["success"]
    assert fresh.one("ContentDocument", note)["IsDeleted"]
    assert fresh.error("delete", "ContentNote", Id=note)[0] == "ENTITY_IS_DELETED"


def test_bad_notes_say_why_and_good_ones_beside_them_are_kept(fresh: Bench) -> None:
    rows = fresh.dml(
        "insert",
        "ContentNote",
        [{"Title": "a", "Content": "no base64!"}, {"Content": _coded("x")}, {"Title": "ok", "Content": _coded("x")}],
    )
    assert [(row["code"], row["fields"]) for row in rows] == [
        ("INVALID_BASE64_ENCODING", "Content"),
        ("REQUIRED_FIELD_MISSING", "Title"),
        (None, None),
    ]
    assert fresh.one("ContentNote", rows[2]["id"])["Title"] == "ok"
    assert fresh.error("insert", "ContentNote", Title="a", FileType="PDF")[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    file = fresh.insert("ContentVersion", PathOnClient="a.txt", VersionData="QUI=")
    document = fresh.one("ContentVersion", file)["ContentDocumentId"]
    assert fresh.error("update", "ContentNote", Id=document, Title="x")[0] == "INVALID_CROSS_REFERENCE_KEY"


def test_notes_survive_a_snapshot_and_leave_with_a_reset(fresh: Bench, tmp_path) -> None:  # noqa: ANN001
    note = fresh.insert("ContentNote", Title="Plan", Content=_coded(HTML))
    fresh.org.snapshot(str(tmp_path / "s"))
    fresh.dml("delete", "ContentNote", [{"Id": note}])
    fresh.org.restore(str(tmp_path / "s"))
    assert fresh.one("ContentNote", note)["IsDeleted"] is False
    fresh.org.reset()
    assert fresh.org.rows('SELECT * FROM "ContentNote"') == []


def test_a_collection_carries_files_of_its_records(web: WebBench) -> None:
    contact = web("POST", "/sobjects/Contact", {"LastName": "With files"}).json()["id"]
    file = {"type": "ContentVersion", "binaryPartName": "one", "binaryPartNameAlias": "VersionData"}
    attached = {"type": "Attachment", "binaryPartName": "two", "binaryPartNameAlias": "Body"}
    records = [
        {"attributes": file, "PathOnClient": "a.pdf", "FirstPublishLocationId": contact},
        {"attributes": attached, "Name": "b.txt", "ParentId": contact},
        {"attributes": {"type": "Account"}, "Name": "No file"},
    ]
    parts = {"collection": _json({"allOrNone": True, "records": records}), "one": FILE, "two": ("b", b"BB", "text/x")}
    answer = web.upload("POST", "/composite/sobjects", parts)
    assert [row["success"] for row in answer.json()] == [True] * 3, answer.text
    version, attachment, _ = (row["id"] for row in answer.json())
    got = web("GET", f"/sobjects/ContentVersion/{version}/VersionData")
    assert (got.content, got.headers["content-length"]) == (BYTES, str(len(BYTES)))
    assert web("GET", f"/sobjects/Attachment/{attachment}/Body").content == b"BB"
    again = {"attributes": attached, "id": attachment}
    change = {"collection": _json({"records": [again]}), "two": ("b", b"CCC", "text/x")}
    assert web.upload("PATCH", "/composite/sobjects", change).json()[0]["success"]
    assert web("GET", f"/sobjects/Attachment/{attachment}").json()["BodyLength"] == 3
    lacking = {"collection": _json({"records": [records[0]]})}
    refused = web.upload("POST", "/composite/sobjects", lacking)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_MULTIPART_REQUEST")


def test_a_classic_document_lives_in_a_folder_or_with_a_user(web: WebBench) -> None:
    record = {"Name": "Brochure 1", "FolderId": web.bench.org.people.integration, "Type": "pdf"}
    answer = web.upload("POST", "/sobjects/Document", {"entity_document": _json(record), "Body": FILE})
    assert answer.status_code == 201, answer.text
    path = f"/sobjects/Document/{answer.json()['id']}"
    shown = web("GET", path).json()
    assert (shown["BodyLength"], shown["DeveloperName"], shown["Body"]) == (
        len(BYTES),
        "Brochure_1",
        f"/services/data/v67.0{path}/Body",
    )
    assert web("GET", f"{path}/Body").content == BYTES
    missing = web("POST", "/sobjects/Document", {"Name": "Nowhere"})
    assert missing.json()[0]["fields"] == ["FolderId"]


def test_bytes_of_a_version_never_change_and_titles_go_both_ways(web: WebBench) -> None:
    made = web("POST", "/sobjects/ContentVersion", {"PathOnClient": "a.txt", "VersionData": "QUI="}).json()["id"]
    path = f"/sobjects/ContentVersion/{made}"
    refused = web("PATCH", path, {"VersionData": "QkI="})
    assert refused.status_code == 400
    assert (refused.json()[0]["errorCode"], refused.json()[0]["fields"]) == (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        ["VersionData"],
    )
    assert web("PATCH", path, {"Title": "Renamed"}).status_code == 204
    document = f"/sobjects/ContentDocument/{web('GET', path).json()['ContentDocumentId']}"
    assert web("GET", document).json()["Title"] == "Renamed"
    assert web("PATCH", document, {"Title": "Again"}).status_code == 204
    assert web("GET", path).json()["Title"] == "Again"


def test_files_have_a_largest_size(fresh: Bench) -> None:
    contact = fresh.insert("Contact", LastName="Large")
    fresh.org.settings.file_max_mb = fresh.org.settings.attachment_max_mb = 0
    files = (
        ("ContentVersion", {"PathOnClient": "a.txt", "VersionData": "QUI="}),
        ("Attachment", {"Name": "a", "ParentId": contact, "Body": "QUI="}),
    )
    for name, values in files:
        assert fresh.error("insert", name, **values)[0] == "FILE_SIZE_LIMIT_EXCEEDED"


REFUSED = (
    "SELECT Id FROM ContentDocumentLink",
    "SELECT COUNT() FROM ContentDocumentLink",
    "SELECT Id FROM ContentDocumentLink WHERE ShareType = 'V'",
    "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId != null",
    "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{c}' OR ShareType = 'V'",
    "SELECT Id FROM ContentDocumentLink WHERE ShareType = 'V' AND LinkedEntityId IN ('{c}')",
    "SELECT Id FROM Contact WHERE Id IN (SELECT LinkedEntityId FROM ContentDocumentLink)",
)
ANSWERED = (
    "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{c}'",
    "SELECT Id FROM ContentDocumentLink WHERE ShareType = 'V' AND LinkedEntityId = '{c}'",
    "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('{c}')",
    "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN (SELECT Id FROM Contact)",
    "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{c}' OR LinkedEntityId IN ('{c}')",
    "SELECT Id, (SELECT Id FROM ContentDocumentLinks) FROM Contact WHERE Id = '{c}'",
)


def test_links_are_asked_for_by_an_end(fresh: Bench) -> None:
    contact = fresh.insert("Contact", LastName="Linked")
    fresh.insert("ContentVersion", PathOnClient="a.txt", VersionData="QUI=", FirstPublishLocationId=contact)
    for text in REFUSED:
        with pytest.raises(OrgError) as refused:
            soql.run(fresh.org, fresh.actor, text.format(c=contact))
        assert refused.value.code == "MALFORMED_QUERY", text
    for text in ANSWERED:
        assert soql.run(fresh.org, fresh.actor, text.format(c=contact)).total == 1, text
    fresh.org.settings.content_links_need_filter = False
    assert soql.run(fresh.org, fresh.actor, REFUSED[0]).total == 2

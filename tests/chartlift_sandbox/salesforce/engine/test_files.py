"""Files: versions, documents, links, and what deletes do to them; by REST as the official clients upload them."""

from __future__ import annotations

import base64
import hashlib

from engine_bench import Bench, WebBench

BYTES = bytes(range(256)) * 3
TEXT = base64.b64encode(BYTES).decode()


def _version(bench: Bench, **more: str) -> dict:
    given = {"PathOnClient": "scan.2026.pdf", "VersionData": TEXT, **more}
    return bench.one("ContentVersion", bench.insert("ContentVersion", **given))


def _links(bench: Bench, document: str) -> dict[str, str]:
    sql = 'SELECT * FROM "ContentDocumentLink" WHERE "ContentDocumentId" = ? AND NOT "IsDeleted"'
    return {row["LinkedEntityId"]: row["ShareType"] for row in bench.org.rows(sql, [document])}


def test_a_version_brings_its_document_and_links(fresh: Bench) -> None:
    visit = fresh.insert("Visit__c", Source_System_ID__c="v1")
    row = _version(fresh, FirstPublishLocationId=visit)
    assert (row["Title"], row["FileExtension"], row["FileType"]) == ("scan.2026", "pdf", "PDF")
    assert (row["ContentSize"], row["VersionNumber"], row["IsLatest"]) == (len(BYTES), "1", True)
    assert row["Checksum"] == hashlib.md5(BYTES, usedforsecurity=False).hexdigest()
    document = fresh.one("ContentDocument", row["ContentDocumentId"])
    assert document["LatestPublishedVersionId"] == row["Id"]
    assert (document["Title"], document["ContentSize"]) == ("scan.2026", len(BYTES))
    assert _links(fresh, document["Id"]) == {fresh.actor.user_id: "I", visit: "V"}


def test_a_second_version_becomes_the_latest(fresh: Bench) -> None:
    first = _version(fresh)
    second = _version(fresh, ContentDocumentId=first["ContentDocumentId"], VersionData="QUI=", PathOnClient="b.txt")
    assert (second["VersionNumber"], second["IsLatest"]) == ("2", True)
    assert fresh.one("ContentVersion", first["Id"])["IsLatest"] is False
    document = fresh.one("ContentDocument", first["ContentDocumentId"])
    assert (document["LatestPublishedVersionId"], document["FileType"]) == (second["Id"], "TEXT")
    assert len(fresh.org.rows('SELECT * FROM "ContentDocument"')) == 1


def test_what_is_no_file_is_refused(fresh: Bench) -> None:
    document = _version(fresh)["ContentDocumentId"]
    visit = fresh.insert("Visit__c", Source_System_ID__c="v1")
    refused = fresh.error("insert", "ContentVersion", PathOnClient="a.txt", VersionData="no base64!")
    assert refused[0] == "INVALID_BASE64_ENCODING"
    assert fresh.error("insert", "ContentVersion", PathOnClient="a.txt")[0] == "REQUIRED_FIELD_MISSING"
    both = {"PathOnClient": "a", "VersionData": TEXT, "ContentDocumentId": document, "FirstPublishLocationId": visit}
    assert fresh.error("insert", "ContentVersion", **both)[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert fresh.error("insert", "ContentDocument", Title="x")[0] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    again = {"ContentDocumentId": document, "LinkedEntityId": visit, "ShareType": "V"}
    fresh.insert("ContentDocumentLink", **again)
    assert fresh.error("insert", "ContentDocumentLink", **again)[0] == "DUPLICATE_VALUE"
    assert len(fresh.org.rows('SELECT * FROM "ContentDocument"')) == 1


def test_deleting_a_document_takes_versions_and_links_and_undelete_brings_them_back(fresh: Bench) -> None:
    row = _version(fresh)
    count = 'SELECT (SELECT count(*) FROM "{}" WHERE NOT "IsDeleted") AS n'
    live = lambda: [  # noqa: E731 - asked twice
        fresh.org.rows(count.format(name))[0]["n"]
        for name in ("ContentDocument", "ContentVersion", "ContentDocumentLink")
    ]
    assert live() == [1, 1, 1]
    assert fresh.dml("delete", "ContentDocument", [{"Id": row["ContentDocumentId"]}])[0]["success"]
    assert live() == [0, 0, 0]
    assert fresh.dml("undelete", "ContentDocument", [{"Id": row["ContentDocumentId"]}])[0]["success"]
    assert live() == [1, 1, 1]


def test_deleting_a_record_leaves_the_document(fresh: Bench) -> None:
    visit = fresh.insert("Visit__c", Source_System_ID__c="v1")
    row = _version(fresh, FirstPublishLocationId=visit)
    fresh.dml("delete", "Visit__c", [{"Id": visit}])
    assert _links(fresh, row["ContentDocumentId"]) == {fresh.actor.user_id: "I"}


FILE = ("scan.png", BYTES, "image/png")


def test_a_merge_leaves_one_link_per_file(fresh: Bench) -> None:
    master, loser = fresh.insert("Contact", LastName="A"), fresh.insert("Contact", LastName="B")
    both = _version(fresh, FirstPublishLocationId=master)["ContentDocumentId"]
    fresh.insert("ContentDocumentLink", ContentDocumentId=both, LinkedEntityId=loser, ShareType="V")
    own = _version(fresh, FirstPublishLocationId=loser)["ContentDocumentId"]
    fresh.org.merge("Contact", master, [loser], fresh.actor)
    links = fresh.org.rows('SELECT * FROM "ContentDocumentLink" WHERE "LinkedEntityId" = ?', [master])
    assert sorted(row["ContentDocumentId"] for row in links) == sorted([both, own])


def test_upload_as_multipart_and_as_json_and_read_the_bytes_back(web: WebBench) -> None:
    record = b'{"Title": "Scan", "PathOnClient": "scan.png"}'
    parts = {"entity_content": (None, record, "application/json"), "VersionData": FILE}
    answer = web.upload("POST", "/sobjects/ContentVersion", parts)
    assert answer.status_code == 201, answer.text
    path = f"/sobjects/ContentVersion/{answer.json()['id']}"
    shown = web("GET", path).json()
    assert shown["VersionData"] == f"/services/data/v67.0{path}/VersionData"
    assert (shown["FileType"], shown["ContentSize"], shown["Title"]) == ("PNG", len(BYTES), "Scan")
    assert web("GET", f"{path}/VersionData").content == BYTES
    made = web("POST", "/sobjects/Attachment", {"ParentId": _contact(web), "Name": "a.txt", "Body": TEXT})
    assert made.status_code == 201, made.text
    attachment = f"/sobjects/Attachment/{made.json()['id']}"
    assert web("GET", attachment).json()["BodyLength"] == len(BYTES)
    assert web("GET", f"{attachment}/Body").content == BYTES
    assert web("GET", "/sobjects/ContentVersion/068000000000000AAA/VersionData").status_code == 404


def test_parts_without_a_record_are_refused(web: WebBench) -> None:
    answer = web.upload("POST", "/sobjects/ContentVersion", {"VersionData": FILE})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_MULTIPART_REQUEST")


def _contact(web: WebBench) -> str:
    return web("POST", "/sobjects/Contact", {"LastName": "With attachment"}).json()["id"]


def test_setup_objects_introduce_themselves(web: WebBench) -> None:
    answer = web("GET", "/sobjects/DuplicateRule").json()
    assert (answer["objectDescribe"]["keyPrefix"], answer["recentItems"]) == ("0Bm", [])
    assert web("GET", "/sobjects/ValidationRule").status_code == 404
    assert web("GET", "/tooling/sobjects/ValidationRule/describe").json()["name"] == "ValidationRule"


def test_the_tooling_api_lists_what_is_about_setup(web: WebBench) -> None:
    listed = {one["name"]: one for one in web("GET", "/tooling/sobjects").json()["sobjects"]}
    assert {"ValidationRule", "SourceMember", "InstalledSubscriberPackage", "User", "RecordType"} <= set(listed)
    assert "Contact" not in listed
    shown = web("GET", listed["ValidationRule"]["urls"]["describe"].partition("v67.0")[2])
    assert shown.json()["urls"]["sobject"] == "/services/data/v67.0/tooling/sobjects/ValidationRule"

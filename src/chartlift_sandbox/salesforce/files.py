"""Files: a version brings a document with it, the document its links; sizes and checksums come from the bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce.literals import ARROW_TYPES
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

_FILE_TYPES = {
    "pdf": "PDF", "txt": "TEXT", "csv": "CSV", "doc": "WORD", "docx": "WORD_X", "xls": "EXCEL", "xlsx": "EXCEL_X",
    "ppt": "POWER_POINT", "pptx": "POWER_POINT_X", "png": "PNG", "jpg": "JPG", "jpeg": "JPG", "gif": "GIF",
    "bmp": "BMP", "tif": "TIFF", "tiff": "TIFF", "html": "HTML", "xml": "XML", "zip": "ZIP", "mp4": "MP4",
    "rtf": "RTF", "snote": "SNOTE",
}  # fmt: skip
_UNKNOWN_TYPE = "UNKNOWN"


def decoded(text: str | None) -> bytes | None:
    """The bytes of a base64 text; None when there is none or it is not base64."""
    if text is None:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _column(call: Call, staged: dict[str, pa.Array], name: str) -> list[Any]:
    found = staged.get(name)
    return [None] * call.count if found is None else found.to_pylist()


def _put(call: Call, staged: dict[str, pa.Array], name: str, values: list[Any]) -> None:
    staged[name] = pa.array(values, ARROW_TYPES[call.sobject.fields[name].sql_type])


def _bodies(call: Call, staged: dict[str, pa.Array], name: str) -> list[bytes | None]:
    """The contents of a base64 column; rows whose text is no base64 are failed."""
    texts = _column(call, staged, name)
    bodies = [decoded(text) for text in texts]
    bad = pa.array([text is not None and body is None for text, body in zip(texts, bodies, strict=True)], pa.bool_())
    call.failures.add(bad, "INVALID_BASE64_ENCODING", f"{name}: not a valid Base64 value", name)
    return bodies


def complete_attachments(call: Call, staged: dict[str, pa.Array]) -> None:
    """BodyLength from the bytes of a new attachment or document."""
    bodies = _bodies(call, staged, "Body")
    _check_sizes(call, bodies, call.org.settings.attachment_max_mb, "Body")
    _put(call, staged, "BodyLength", [None if body is None else len(body) for body in bodies])


def change_attachments(call: Call, staged: dict[str, pa.Array]) -> None:
    """The same where an update brings another body."""
    if "Body" in staged:
        complete_attachments(call, staged)


def complete_documents(call: Call, staged: dict[str, pa.Array]) -> None:
    """Length, author and unique name of a classic document."""
    complete_attachments(call, staged)
    names = zip(_column(call, staged, "DeveloperName"), _column(call, staged, "Name"), strict=True)
    unique = [given or re.sub(r"\W+", "_", str(name or "")).strip("_")[:80] or "Document" for given, name in names]
    _put(call, staged, "DeveloperName", unique)
    _put(call, staged, "AuthorId", [given or call.actor.user_id for given in _column(call, staged, "AuthorId")])


def _check_sizes(call: Call, bodies: list[bytes | None], most_mb: int, name: str) -> None:
    large = pa.array([body is not None and len(body) > most_mb * 1024**2 for body in bodies], pa.bool_())
    call.failures.add(large, "FILE_SIZE_LIMIT_EXCEEDED", f"The file is larger than {most_mb} MB", name)


def refuse_content(call: Call, staged: dict[str, pa.Array]) -> None:
    """The bytes of a version never change: other bytes are another version."""
    if "VersionData" in staged and not call.by_person:
        message = (
            "Unable to create/update fields: VersionData. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set"
        )
        call.failures.fail_all("INVALID_FIELD_FOR_INSERT_UPDATE", message, "VersionData")


def complete_versions(call: Call, staged: dict[str, pa.Array]) -> None:
    """Title, size, checksum, type and document of new versions; rows that cannot be a version are failed."""
    paths, bodies = _column(call, staged, "PathOnClient"), _bodies(call, staged, "VersionData")
    urls, documents = _column(call, staged, "ContentUrl"), _column(call, staged, "ContentDocumentId")
    file = [url is None for url in urls]
    for name, values in (("VersionData", bodies), ("PathOnClient", paths)):
        lacking = pa.array([is_file and value is None for is_file, value in zip(file, values, strict=True)], pa.bool_())
        call.failures.add(lacking, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{name}]", name)
    places = _column(call, staged, "FirstPublishLocationId")
    both = pa.array([bool(document and place) for document, place in zip(documents, places, strict=True)], pa.bool_())
    message = "FirstPublishLocationId cannot be specified together with ContentDocumentId"
    call.failures.add(both, "INVALID_FIELD_FOR_INSERT_UPDATE", message, "FirstPublishLocationId")
    _describe_bodies(call, staged, bodies, [path or "" for path in paths])
    titles = _column(call, staged, "Title")
    stems = [PurePosixPath(str(path or "").replace("\\", "/")).stem or None for path in paths]
    _put(call, staged, "Title", [title or stem or url for title, stem, url in zip(titles, stems, urls, strict=True)])
    given = iter(call.org.take_ids("069", documents.count(None)).to_pylist() if None in documents else [])
    _put(call, staged, "ContentDocumentId", [document or next(given) for document in documents])
    _number_versions(call, staged)


def _describe_bodies(call: Call, staged: dict[str, pa.Array], bodies: list[bytes | None], paths: list[str]) -> None:
    sizes = [None if body is None else len(body) for body in bodies]
    _check_sizes(call, bodies, call.org.settings.file_max_mb, "VersionData")
    extensions = [PurePosixPath(path.replace("\\", "/")).suffix[1:] or None for path in paths]
    sums = [None if body is None else hashlib.md5(body, usedforsecurity=False).hexdigest() for body in bodies]
    _put(call, staged, "ContentSize", sizes)
    _put(call, staged, "ContentSizeLong", sizes)
    _put(call, staged, "Checksum", sums)
    _put(call, staged, "FileExtension", extensions)
    kinds = [_FILE_TYPES.get((extension or "").lower(), _UNKNOWN_TYPE) for extension in extensions]
    links = [url is not None for url in _column(call, staged, "ContentUrl")]
    _put(call, staged, "FileType", ["LINK" if link else kind for link, kind in zip(links, kinds, strict=True)])
    previews = [_preview(body) if kind == "SNOTE" else None for kind, body in zip(kinds, bodies, strict=True)]
    _put(call, staged, "TextPreview", previews)
    now = call.org.now()
    modified = _column(call, staged, "ContentModifiedDate")
    _put(call, staged, "ContentModifiedDate", [moment or now for moment in modified])
    _put(call, staged, "ContentModifiedById", [call.actor.user_id] * call.count)
    _put(call, staged, "PublishStatus", ["R"] * call.count)


def _preview(body: bytes | None) -> str | None:
    """The beginning of a note as plain text."""
    plain = html.unescape(re.sub(r"<[^>]*>", " ", (body or b"").decode("utf-8", "replace")))
    return " ".join(plain.split())[:255] or None


def _number_versions(call: Call, staged: dict[str, pa.Array]) -> None:
    """VersionNumber counts the versions of a document, those of the same call included."""
    known = call.org.rows('SELECT "ContentDocumentId" AS d, count(*) AS n FROM "ContentVersion" GROUP BY 1')
    counts = {row["d"]: row["n"] for row in known}
    numbers: list[str] = []
    for document in staged["ContentDocumentId"].to_pylist():
        counts[document] = counts.get(document, 0) + 1
        numbers.append(str(counts[document]))
    _put(call, staged, "VersionNumber", numbers)
    _put(call, staged, "IsLatest", [True] * call.count)
    _put(call, staged, "IsMajorVersion", [True] * call.count)


def publish(call: Call, incoming: pa.Table) -> None:
    """Documents of new files, their links, and the latest version of documents that got another one."""
    tables = {"_versions": incoming}
    call.org.query_with(tables, _NEW_DOCUMENTS)
    call.org.query_with(
        tables,
        'UPDATE "ContentVersion" AS t SET "IsLatest" = false FROM _versions v '
        'WHERE t."ContentDocumentId" = v."ContentDocumentId" AND CAST(t."VersionNumber" AS BIGINT) < '
        'CAST(v."VersionNumber" AS BIGINT)',
    )
    call.org.query_with(tables, _LATEST, {"who": call.actor.user_id, "now": call.org.now()})
    _link(call, incoming)


def _link(call: Call, incoming: pa.Table) -> None:
    """A document is shared with its owner and with the record it was first published to."""
    first = [number == "1" for number in incoming.column("VersionNumber").to_pylist()]
    rows = []
    documents, owners = incoming.column("ContentDocumentId").to_pylist(), incoming.column("OwnerId").to_pylist()
    names = incoming.column_names
    places = incoming.column("FirstPublishLocationId").to_pylist() if "FirstPublishLocationId" in names else []
    for number, (document, owner) in enumerate(zip(documents, owners, strict=True)):
        if first[number]:
            rows.append((document, owner, "I"))
            if places and places[number] and places[number] != owner:
                rows.append((document, places[number], "V"))
    if not rows:
        return
    document, entity, kind = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    table = pa.table({"Id": call.org.take_ids("06A", len(rows)), "d": document, "e": entity, "k": kind})
    call.org.query_with(
        {"_links": table},
        'INSERT INTO "ContentDocumentLink" ("Id", "ContentDocumentId", "LinkedEntityId", "ShareType", "Visibility", '
        '"SystemModstamp") SELECT "Id", d, e, k, \'AllUsers\', $now FROM _links',
        {"now": call.org.now()},
    )


def share_titles(call: Call, names: list[str], incoming: pa.Table) -> None:
    """A title, a description or a setting of sharing is that of the document and of its latest version."""
    both = [name for name in names if name in _BOTH]
    if not both:
        return
    sets = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in both)
    if call.sobject.name == "ContentVersion":
        target, same = "ContentDocument", 't."Id" = s."ContentDocumentId" AND s."IsLatest"'
    else:
        target, same = "ContentVersion", 't."ContentDocumentId" = s."Id" AND t."IsLatest"'
    call.org.query_with(
        {"_rows": incoming.select(["_rid"])},
        f'UPDATE {quote(target)} AS t SET {sets}, "SystemModstamp" = $now FROM {quote(call.sobject.name)} s '
        f"WHERE {same} AND s.rowid IN (SELECT _rid FROM _rows)",
        {"now": call.org.now()},
    )


_BOTH = ("Title", "Description", "SharingOption", "SharingPrivacy", "OwnerId")
_DOCUMENT_COLUMNS = (
    "Title", "FileType", "FileExtension", "ContentSize", "PublishStatus", "SharingOption", "SharingPrivacy",
    "ContentModifiedDate",
)  # fmt: skip
_STAMPS = ("OwnerId", "CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate", "SystemModstamp")
_LISTED = ", ".join(quote(name) for name in (*_DOCUMENT_COLUMNS, *_STAMPS))
_NEW_DOCUMENTS = (
    f'INSERT INTO "ContentDocument" ("Id", "LatestPublishedVersionId", {_LISTED}) '
    f'SELECT "ContentDocumentId", "Id", {_LISTED} FROM _versions WHERE "VersionNumber" = \'1\''
)
_LATEST = (
    'UPDATE "ContentDocument" AS d SET "LatestPublishedVersionId" = v."Id", "LastModifiedDate" = $now, '
    '"LastModifiedById" = $who, "SystemModstamp" = $now, '
    + ", ".join(f"{quote(name)} = v.{quote(name)}" for name in _DOCUMENT_COLUMNS)
    + ' FROM _versions v WHERE d."Id" = v."ContentDocumentId" AND v."VersionNumber" <> \'1\''
)

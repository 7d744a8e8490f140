"""Binary fields by REST: uploads as multipart, contents as they were sent."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from chartlift_sandbox.salesforce.errors import OrgError, not_found
from chartlift_sandbox.salesforce.files import decoded
from chartlift_sandbox.salesforce.records import existing_id, readable_object
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

MOST_JSON_BYTES = 52_428_800
"""Largest request that carries a file as base64 text: 37.5 MB of content."""
_FIELDS = (
    ("ContentVersion", "VersionData"), ("ContentNote", "Content"), ("Attachment", "Body"), ("Document", "Body"),
)  # fmt: skip
_BASE = "/services/data/v{version}/sobjects"
_CONTENT = "application/octet-stream"
_PIECE = 262_144


def is_multipart(request: Request) -> bool:
    """Whether the request carries a file beside its record."""
    return request.headers.get("content-type", "").lower().startswith("multipart/")


async def read_parts(request: Request) -> dict[str, Any]:
    """The record of a multipart upload; the file becomes a base64 text under its part's name.

    Raises:
        OrgError: INVALID_MULTIPART_REQUEST when the parts cannot be told or there is no record among them.
    """
    record, contents = await _parts(request)
    return record | contents


async def read_collection(request: Request) -> dict[str, Any]:
    """The body of a collection whose records name the parts with their files, and the field each belongs to.

    Raises:
        OrgError: INVALID_MULTIPART_REQUEST as above, or when a record names a part that was not sent.
    """
    body, contents = await _parts(request)
    records = body.get("records")
    for record in records if isinstance(records, list) else ():
        attributes = record.get("attributes") if isinstance(record, dict) else None
        if not isinstance(attributes, dict) or (part := attributes.get("binaryPartName")) is None:
            continue
        if part not in contents:
            raise OrgError("INVALID_MULTIPART_REQUEST", f"There is no part named {part}")
        record[str(attributes.get("binaryPartNameAlias") or part)] = contents[part]
    return body


async def _parts(request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    """The JSON part, and the others as base64 by name."""
    record: dict[str, Any] | None = None
    contents: dict[str, str] = {}
    try:
        async with request.form(max_part_size=MOST_JSON_BYTES) as form:
            for name, part in form.multi_items():
                raw = await part.read() if isinstance(part, UploadFile) else part.encode()
                if record is None and _is_record(part, raw):
                    record = _record(raw)
                else:
                    contents[name] = base64.b64encode(raw).decode()
    except MultiPartException as error:
        raise OrgError("INVALID_MULTIPART_REQUEST", error.message) from error
    if record is None:
        raise OrgError("INVALID_MULTIPART_REQUEST", "The request has no part with the record's fields")
    return record, contents


def _is_record(part: UploadFile | str, raw: bytes) -> bool:
    declared = part.content_type if isinstance(part, UploadFile) else None
    return raw.lstrip()[:1] == b"{" if declared is None else declared.startswith("application/json")


def _record(raw: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise OrgError("JSON_PARSER_ERROR", f"The record is not well-formed JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise OrgError("JSON_PARSER_ERROR", "The record must be one JSON object")
    return parsed


def routes(org: Org) -> list[BaseRoute]:
    """GET of the bytes of a file or attachment; before the routes of records by key."""
    return [
        Route(f"{_BASE}/{name}/{{id}}/{field}", _reader(org, name, field), methods=["GET"]) for name, field in _FIELDS
    ]


def _reader(org: Org, name: str, field: str) -> Any:
    def read(request: Request) -> memoryview:
        with org.lock:
            sobject = readable_object(org, request.state.actor, name)
            record_id = existing_id(org, sobject, request.path_params["id"])
            rows = org.rows(f'SELECT {quote(field)} AS body FROM {quote(name)} WHERE "Id" = ?', [record_id])
        body = decoded(rows[0]["body"])
        if body is None:
            raise not_found()
        return memoryview(body)

    async def endpoint(request: Request) -> Response:
        body = await run_in_threadpool(read, request)
        pieces = (bytes(body[at : at + _PIECE]) for at in range(0, len(body), _PIECE))
        return StreamingResponse(pieces, headers={"content-length": str(len(body))}, media_type=_CONTENT)

    return endpoint

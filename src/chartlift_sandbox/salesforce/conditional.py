"""Conditional requests for single records: not modified since, and changed meanwhile."""

from __future__ import annotations

from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.ids import normalise
from chartlift_sandbox.salesforce.singles import Answer, Asked
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from datetime import datetime

    from chartlift_sandbox.salesforce.org import Org

_SINCE, _UNLESS = "if-modified-since", "if-unmodified-since"


def unchanged(org: Org, asked: Asked, method: str, headers: Headers) -> Answer | None:
    """304 where a record has not been modified since the caller's copy; None where the request goes on.

    Raises:
        OrgError: 412, the record was modified after the moment that the caller names.
    """
    if _SINCE not in headers and _UNLESS not in headers:
        return None
    changed = _changed(org, asked)
    if changed is None:
        return None
    if _UNLESS in headers and (limit := _moment(headers[_UNLESS])) is not None and changed.timestamp() > limit:
        message = "The record was modified after the time in If-Unmodified-Since"
        raise OrgError("PRECONDITION_FAILED", message, status=412)
    since = _moment(headers.get(_SINCE, "")) if method == "GET" else None
    if since is not None and changed.timestamp() <= since:
        return Answer(304, None, {"Last-Modified": format_datetime(changed, usegmt=True)})
    return None


def _changed(org: Org, asked: Asked) -> datetime | None:
    sobject, record_id = org.schema.object(asked.path["object"]), normalise(asked.path["id"])
    if sobject is None or record_id is None or "LastModifiedDate" not in sobject.fields:
        return None
    sql = f'SELECT "LastModifiedDate" AS at FROM {quote(sobject.name)} WHERE "Id" = ?'
    rows = org.rows(sql, [record_id])
    return rows[0]["at"].replace(tzinfo=org.clock.now().tzinfo) if rows and rows[0]["at"] else None


def _moment(header: str) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return None

"""The deleted and updated feeds of an object, in windows of at most thirty days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.records import json_value, readable_object
from chartlift_sandbox.salesforce.singles import Answer, Asked
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

WINDOW = timedelta(days=30)


def deleted(org: Org, asked: Asked) -> Answer:
    """GET /sobjects/X/deleted?start=..&end=..: ids with the time of their delete."""
    sobject = readable_object(org, asked.actor, asked.path["object"])
    start, end = _window(org, asked)
    rows = []
    if "IsDeleted" in sobject.fields:
        rows = org.rows(
            f'SELECT "Id" AS id, "_deleted_at" AS at FROM {quote(sobject.name)} WHERE "IsDeleted" '
            'AND "_deleted_at" >= ? AND "_deleted_at" < ? ORDER BY "_deleted_at", "Id"',
            [start, end],
        )
    bin_days = timedelta(days=org.settings.recycle_bin_days)
    return Answer(
        200,
        {
            "deletedRecords": [{"id": row["id"], "deletedDate": json_value(row["at"])} for row in rows],
            "earliestDateAvailable": json_value(org.now() - bin_days),
            "latestDateCovered": json_value(end),
        },
    )


def updated(org: Org, asked: Asked) -> Answer:
    """GET /sobjects/X/updated?start=..&end=..: ids of live records changed in the window."""
    sobject = readable_object(org, asked.actor, asked.path["object"])
    start, end = _window(org, asked)
    alive = ' AND NOT "IsDeleted"' if "IsDeleted" in sobject.fields else ""
    rows = org.rows(
        f'SELECT "Id" AS id FROM {quote(sobject.name)} WHERE "SystemModstamp" >= ? AND "SystemModstamp" < ?{alive} '
        'ORDER BY "SystemModstamp", "Id"',
        [start, end],
    )
    return Answer(200, {"ids": [row["id"] for row in rows], "latestDateCovered": json_value(end)})


def _window(org: Org, asked: Asked) -> tuple[datetime, datetime]:
    """Start and end in UTC without zone. Raises OrgError for a window that is missing, inverted or too long."""
    start, end = _moment(asked.query.get("start")), _moment(asked.query.get("end"))
    if start >= end or end - start > WINDOW:
        raise OrgError("INVALID_REPLICATION_DATE", "startDate before endDate, at most 30 days apart, is needed")
    if start < org.now() - WINDOW:
        raise OrgError("INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
    return start, min(end, org.now() + timedelta(seconds=1))


def _moment(text: str | None) -> datetime:
    if not text:
        raise OrgError("MISSING_ARGUMENT", "start and end are required")
    try:
        parsed = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise OrgError("INVALID_REPLICATION_DATE", f"Not a date-time: {text}") from error
    aware = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(tzinfo=None, microsecond=0)

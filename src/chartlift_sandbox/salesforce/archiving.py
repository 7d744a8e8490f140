"""The nightly archiving of old activities: ordinary queries do not see them any more, queryAll does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org

_OLD = {
    "Task": '"IsClosed" AND coalesce(CAST("ActivityDate" AS TIMESTAMP), "CreatedDate") < $oldest',
    "Event": 'coalesce("EndDateTime", CAST("ActivityDate" AS TIMESTAMP)) < $oldest',
}


def archive_if_due(org: Org) -> None:
    """Archive once per day of the org's clock; what came in today waits for the next night."""
    today = org.now().date()
    if today <= org.archived_on or not org.settings.archive_after_days:
        return
    with org.lock:
        org.archived_on = today
        oldest = org.now() - timedelta(days=org.settings.archive_after_days)
        for name, old in _OLD.items():
            org.db.execute(
                f'UPDATE "{name}" SET "IsArchived" = true WHERE NOT "IsDeleted" AND NOT "IsArchived" AND {old}',
                {"oldest": oldest},
            )

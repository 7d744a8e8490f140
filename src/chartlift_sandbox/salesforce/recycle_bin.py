"""The recycle bin's limits: what lies there too long, or is too much, is gone for good, oldest first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chartlift_sandbox.salesforce.schema import SObject
from chartlift_sandbox.salesforce.store import literal, quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Org


def oldest_kept(org: Org) -> datetime:
    """Records deleted before this instant cannot come back and are not seen by queryAll."""
    return org.now() - timedelta(days=org.settings.recycle_bin_days)


def binned(org: Org, count: int) -> None:
    """Note that records went to the bin; empties it from the bottom when it holds too many."""
    org.binned += count
    room = org.settings.recycle_bin_per_mb * org.storage_mb()
    if org.binned <= room:  # an upper bound, so that most deletes count nothing
        return
    _purge(org, room)


def emptied(org: Org, sobject: SObject, record_ids: list[str]) -> set[str]:
    """Take records out of the bin for good, with what was deleted along with them; answers those that lay in it."""
    bin_of = {"ids": record_ids, "oldest": oldest_kept(org)}
    found = org.rows(
        f'SELECT "Id" FROM {quote(sobject.name)} WHERE "Id" IN (SELECT unnest($ids)) AND "IsDeleted" '
        'AND "_deleted_at" >= $oldest',
        bin_of,
    )
    gone = [row["Id"] for row in found]
    for one in org.schema.objects.values():
        if "IsDeleted" in one.fields and not one.view:
            sql = f'DELETE FROM {quote(one.name)} WHERE "IsDeleted" AND "_deleted_with" IN (SELECT unnest(?))'
            org.db.execute(sql, [gone])
    return set(gone)


def _purge(org: Org, room: int) -> None:
    owners = [one for one in org.schema.objects.values() if "IsDeleted" in one.fields and one.undeletable]
    if not owners:
        return
    parts = " UNION ALL ".join(_deleted(one) for one in owners)
    org.db.execute(
        f"CREATE OR REPLACE TEMP TABLE _purged AS SELECT object, id FROM ({parts}) "
        "QUALIFY gone < $oldest OR row_number() OVER (ORDER BY gone DESC, id DESC) > $room",
        {"oldest": oldest_kept(org), "room": room},
    )
    for one in owners:
        sql = f'DELETE FROM {quote(one.name)} WHERE "Id" IN (SELECT id FROM _purged WHERE object = {literal(one.name)})'
        org.db.execute(sql)
    org.db.execute("DROP TABLE _purged")
    row = org.db.execute(f"SELECT count(*) FROM ({parts})").fetchone()
    org.binned = row[0] if row else 0


def _deleted(one: SObject) -> str:
    return f'SELECT {literal(one.name)} AS object, "Id" AS id, "_deleted_at" AS gone FROM {quote(one.name)} WHERE "IsDeleted"'

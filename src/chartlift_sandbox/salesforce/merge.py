"""Merge: losers go to the recycle bin with a pointer to the survivor, their children move over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chartlift_sandbox.salesforce import consequences
from chartlift_sandbox.salesforce import ids as record_ids
from chartlift_sandbox.salesforce.call import DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError, unknown_object
from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.recycle_bin import binned
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.uniqueness import alive
from chartlift_sandbox.salesforce.writes import NEW, OLD, Entry

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

MAX_LOSERS = 2
_OWN_WAYS = frozenset({"AccountContactRelation"})
"""Objects whose doubles are put right after the merge, by rules of their own."""


def merge(
    org: Org, object_name: str, master_id: str, loser_ids: list[str], actor: Actor, fields: dict[str, Any] | None = None
) -> None:
    """Merge one or two records into the master, which also takes the given field values.

    Raises OrgError when the object cannot be merged, or a record is missing, deleted or named twice.
    """
    sobject = org.schema.object(object_name)
    if sobject is None:
        raise unknown_object(object_name)
    if not sobject.mergeable or "MasterRecordId" not in sobject.fields:
        raise OrgError("INVALID_OPERATION", f"entity type cannot be merged: {sobject.label}")
    if not org.deletable(actor, sobject.name) or not org.editable(actor, sobject.name):
        raise OrgError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", status=403)
    everyone = [record_ids.normalise(text) or text for text in (master_id, *loser_ids)]
    if not loser_ids or len(loser_ids) > MAX_LOSERS or len(set(everyone)) < len(everyone):
        raise OrgError("INVALID_OPERATION", "a merge takes one master and one or two other records")
    with org.transaction():
        _check_alive(org, sobject, everyone)
        for child, found in org.schema.children(sobject.name):
            if found.name != "MasterRecordId" and found.stored:
                _move(org, child, found, everyone[0], everyone[1:], actor)
        _bury(org, sobject, everyone[0], everyone[1:], actor)
        consequences.after_merge(org, sobject.name, everyone[0])
        if fields:
            row = pa.table({"Id": [everyone[0]], **{k: [v] for k, v in fields.items()}})
            _update_master(org, sobject, row, actor)
    org.after_dml(sobject.name)


def _update_master(org: Org, sobject: SObject, row: pa.Table, actor: Actor) -> None:
    options = DmlOptions(allow_duplicates=True, channel="person")
    result = org.dml("update", sobject.name, row, actor, options=options).to_pylist()[0]
    if not result["success"]:
        fields = tuple(name for name in result["fields"].split(",") if name)
        raise OrgError(result["code"], result["message"], fields)


def _check_alive(org: Org, sobject: SObject, everyone: list[str]) -> None:
    rows = org.rows(
        f'SELECT "Id", "IsDeleted" AS gone FROM {quote(sobject.name)} WHERE "Id" IN (SELECT unnest(?))', [everyone]
    )
    if len(rows) < len(everyone):
        raise OrgError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if any(row["gone"] for row in rows):
        raise OrgError("ENTITY_IS_DELETED", "entity is deleted")


def _move(org: Org, child: SObject, found: Field, master: str, losers: list[str], actor: Actor) -> None:
    """Children of the losers point to the master; a record never points to itself."""
    column = quote(found.name)
    rows = org.query(
        f'SELECT row_number() OVER (ORDER BY t."Id") - 1 AS row, t."Id" AS id, t.{column} AS {quote(OLD + found.name)} '
        f"FROM {quote(child.name)} t WHERE t.{column} IN (SELECT unnest(?)) AND {alive(child)} ORDER BY 1",
        [losers],
    )
    if rows.num_rows == 0:
        return
    target = pc.if_else(pc.equal(rows.column("id"), master), pa.scalar(None, pa.string()), master)
    rows = rows.append_column(NEW + found.name, target)
    sets = [f"{column} = r.{quote(NEW + found.name)}"]
    if child.field("SystemModstamp"):
        sets.append('"SystemModstamp" = $now')
    org.query_with(
        {"_moved": rows},
        f'UPDATE {quote(child.name)} AS t SET {", ".join(sets)} FROM _moved r WHERE t."Id" = r.id',
        {"now": org.now()} if len(sets) > 1 else None,
    )
    _log(org, "update", child, rows, actor)
    key = org.natural_keys.get(child.name, ())
    if found.name in key and child.name not in _OWN_WAYS:
        _keep_first(org, child, key, found, master)


def _keep_first(org: Org, child: SObject, key: tuple[str, ...], found: Field, master: str) -> None:
    """Where the losers and the master had the same thing, the master has it once."""
    columns = ", ".join(f"t.{quote(name)}" for name in key)
    org.db.execute(
        f'DELETE FROM {quote(child.name)} WHERE "Id" IN (SELECT t."Id" FROM {quote(child.name)} t '
        f"WHERE t.{quote(found.name)} = $master AND {alive(child)} "
        f'QUALIFY row_number() OVER (PARTITION BY {columns} ORDER BY t."Id") > 1)',
        {"master": master},
    )


def _bury(org: Org, sobject: SObject, master: str, losers: list[str], actor: Actor) -> None:
    org.db.execute(
        f'UPDATE {quote(sobject.name)} SET "IsDeleted" = true, "_deleted_at" = $now, "_deleted_with" = "Id", '
        '"MasterRecordId" = $master, "LastModifiedDate" = $now, "LastModifiedById" = $who, "SystemModstamp" = $now '
        'WHERE "Id" IN (SELECT unnest($losers))',
        {"now": org.now(), "master": master, "who": actor.user_id, "losers": losers},
    )
    binned(org, len(losers))
    rows = {"row": row_numbers(len(losers)), "id": losers, NEW + "MasterRecordId": [master] * len(losers)}
    _log(org, "merge", sobject, pa.table(rows), actor)


def _log(org: Org, op: str, sobject: SObject, rows: pa.Table, actor: Actor) -> None:
    none = pa.table({"row": pa.array([], pa.int64())})
    org.writes.add(Entry(0, rows.num_rows, org.now(), None, actor.user_id, op, sobject.name, rows, none))

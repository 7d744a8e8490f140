"""Delete into the recycle bin, delete for good, and undelete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce import consequences, hooks, locks
from chartlift_sandbox.salesforce.cascade import Doom, clear_lookups, drop_dangling, gather, restore_lookups
from chartlift_sandbox.salesforce.errors import OrgError
from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import column_of, missing_ids
from chartlift_sandbox.salesforce.recycle_bin import binned, oldest_kept
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.updates import existing, named_ids, stamp_values, stamps
from chartlift_sandbox.salesforce.writes import OLD, Entry

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call


def delete(call: Call) -> pa.Table:
    """Move the named records, and what hangs on them, to the recycle bin."""
    return _delete(call, for_good=False)


def hard_delete(call: Call) -> pa.Table:
    """Remove the named records, and what hangs on them, past the recycle bin.

    Raises OrgError when the caller lacks the permission Bulk API Hard Delete.
    """
    if not call.permitted("BulkApiHardDelete"):
        raise OrgError("INSUFFICIENT_ACCESS_OR_READONLY", "hardDelete needs the permission Bulk API Hard Delete")
    return _delete(call, for_good=True)


def _only_ids(call: Call) -> None:
    extra = [name for name in call.table.column_names if name.strip().lower() != "id"]
    if extra:
        raise OrgError("INVALID_FIELD", f"Field name not found : {extra[0]}", (extra[0],))


def _delete(call: Call, *, for_good: bool) -> pa.Table:
    _only_ids(call)
    if not call.sobject.deletable or not call.allowed("delete"):
        call.failures.fail_all("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    ids = named_ids(call)
    old = existing(call, ids, [f.name for f in call.sobject.stored_fields])
    locks.refuse_locked(call, ids)
    consequences.before_delete(call, ids)
    hooks.row_faults(call)
    doom = gather(call.org, call.sobject, ids if call.failures.bad is None else ids.filter(call.failures.good))
    _refuse_blocked(call, ids, doom)
    clear_lookups(call.org, doom)
    for name, records in doom.tables.items():
        if records.num_rows:
            _take_away(call, name, records, for_good=for_good)
    _log(call, ids, old)
    return call.failures.result(ids, False)


def _refuse_blocked(call: Call, ids: pa.Array, doom: Doom) -> None:
    for root, children in doom.blocked.items():
        message = (
            f"Your attempt to delete {call.sobject.label} could not be completed because it is associated with "
            f"the following {children}"
        )
        call.failures.add(pc.equal(ids, root), "DELETE_FAILED", message)


def _take_away(call: Call, name: str, records: pa.Table, *, for_good: bool) -> None:
    sobject = call.org.schema.objects[name]
    if name != call.sobject.name:
        _log_cascade(call, sobject, records)
    if for_good or not sobject.field("IsDeleted"):
        call.org.query_with({"_gone": records}, f'DELETE FROM {quote(name)} WHERE "Id" IN (SELECT id FROM _gone)')
        return
    sets = ['"IsDeleted" = true', '"_deleted_at" = $now', '"_deleted_with" = g.root', *stamps(sobject)]
    sql = f'UPDATE {quote(name)} AS t SET {", ".join(sets)} FROM _gone g WHERE t."Id" = g.id'
    call.org.query_with({"_gone": records}, sql, stamp_values(call, sql))
    binned(call.org, records.num_rows)


def _log_cascade(call: Call, sobject: SObject, records: pa.Table) -> None:
    """Children that go along are rows of the log too."""
    columns = ", ".join(f"t.{quote(f.name)} AS {quote(OLD + f.name)}" for f in sobject.stored_fields)
    good = call.org.query_with(
        {"_gone": records},
        f'SELECT row_number() OVER (ORDER BY t."Id") - 1 AS row, t."Id" AS id, {columns} '
        f'FROM {quote(sobject.name)} t JOIN _gone g ON t."Id" = g.id ORDER BY 1',
    )
    entry_time, user = call.org.now(), call.actor.user_id
    none = pa.table({"row": pa.array([], pa.int64())})
    call.org.writes.add(Entry(0, good.num_rows, entry_time, call.job, user, call.op, sobject.name, good, none))


def _log(call: Call, ids: pa.Array, old: pa.Table) -> None:
    columns: dict[str, pa.Array] = {"row": row_numbers(call.count), "id": ids}
    columns |= {name: column_of(old, name) for name in old.column_names if name.startswith(OLD)}
    call.log(call.failures, call.failures.keep(pa.table(columns)), ids)


def undelete(call: Call) -> pa.Table:
    """Bring records back from the recycle bin with their Ids, and the children that went with them."""
    _only_ids(call)
    if not call.sobject.undeletable or not call.allowed("delete"):
        call.failures.fail_all("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    ids = named_ids(call)
    names = [f.name for f in call.sobject.stored_fields]
    found = existing(call, ids, names, want_deleted=True)
    _refuse_expired(call, ids)
    _refuse_orphans(call, found)
    _refuse_taken_along(call, ids)
    good = ids if call.failures.bad is None else ids.filter(call.failures.good)
    _refuse_taken(call, ids, good)
    good = ids if call.failures.bad is None else ids.filter(call.failures.good)
    for sobject in _deletable_objects(call):
        _restore(call, sobject, good)
    restore_lookups(call.org, good)
    drop_dangling(call.org, call.sobject, good)
    _log(call, ids, found)
    return call.failures.result(ids, False)


def _refuse_expired(call: Call, ids: pa.Array) -> None:
    late = call.org.query_with(
        {"_wanted": pa.table({"i": row_numbers(call.count), "id": ids})},
        f'SELECT w.i FROM _wanted w JOIN {quote(call.sobject.name)} t ON t."Id" = w.id WHERE t."_deleted_at" < $oldest',
        {"oldest": oldest_kept(call.org)},
    )
    call.failures.add_rows(column_of(late, "i"), "UNDELETE_FAILED", "Entity is not in the recycle bin")


def _refuse_taken_along(call: Call, ids: pa.Array) -> None:
    """What went with another record comes back with that record alone."""
    along = call.org.query_with(
        {"_wanted": pa.table({"i": row_numbers(call.count), "id": ids})},
        f'SELECT w.i FROM _wanted w JOIN {quote(call.sobject.name)} t ON t."Id" = w.id '
        'WHERE t."IsDeleted" AND t."_deleted_with" <> t."Id"',
    )
    call.failures.add_rows(column_of(along, "i"), "UNDELETE_FAILED", "Entity is not in the recycle bin")


def _refuse_orphans(call: Call, found: pa.Table) -> None:
    """A master-detail child cannot come back without its master."""
    master = call.sobject.master
    if master is None:
        return
    parents = column_of(found, OLD + master.name)
    distinct = pc.unique(parents).drop_null()
    if len(distinct):
        gone = missing_ids(call.org, master, distinct)
        call.failures.add(pc.is_in(parents, value_set=gone), "ENTITY_IS_DELETED", "entity is deleted")


def _deletable_objects(call: Call) -> list[SObject]:
    return [o for o in call.org.schema.objects.values() if o.field("IsDeleted") and not o.view]


def _refuse_taken(call: Call, ids: pa.Array, good: pa.Array) -> None:
    """A unique value that a live record has taken meanwhile keeps the whole restore from happening."""
    for sobject in _deletable_objects(call):
        for found in sobject.fields.values():
            if found.unique:
                _refuse_taken_field(call, sobject, found, ids, good)


def _refuse_taken_field(call: Call, sobject: SObject, found: Field, ids: pa.Array, good: pa.Array) -> None:
    folded = found.sql_type == "VARCHAR" and not found.case_sensitive
    left, right = (f"lower({a}.{quote(found.name)})" if folded else f"{a}.{quote(found.name)}" for a in ("d", "t"))
    taken = call.org.query_with(
        {"_roots": pa.table({"root": good})},
        f'SELECT d."_deleted_with" AS root, min(t."Id") AS other FROM {quote(sobject.name)} d '
        f'JOIN _roots r ON d."_deleted_with" = r.root JOIN {quote(sobject.name)} t ON {left} = {right} '
        'WHERE d."IsDeleted" AND NOT t."IsDeleted" GROUP BY 1',
    )
    if taken.num_rows:
        place = pc.index_in(ids, value_set=column_of(taken, "root"))
        other = pc.utf8_slice_codeunits(column_of(taken, "other").take(place), 0, call.id_width)
        message = pc.binary_join_element_wise(
            f"duplicate value found: {found.name} duplicates value on record with id: ", other, ""
        )
        call.failures.add(pc.is_valid(place), "DUPLICATE_VALUE", message)


def _restore(call: Call, sobject: SObject, roots: pa.Array) -> None:
    sets = ['"IsDeleted" = false', '"_deleted_at" = NULL', '"_deleted_with" = NULL', *stamps(sobject)]
    if sobject.field("MasterRecordId"):  # the loser of a merge is a record of its own again, without its children
        sets.append('"MasterRecordId" = NULL')
    sql = (
        f"UPDATE {quote(sobject.name)} AS t SET {', '.join(sets)} FROM _roots r "
        'WHERE t."_deleted_with" = r.root AND t."IsDeleted"'
    )
    call.org.query_with({"_roots": pa.table({"root": roots})}, sql, stamp_values(call, sql))

"""Set-based DML: one call writes any number of rows, and every rule is applied to all of them at once.

`run` is what `Org.dml` calls. The steps follow the platform's order of execution: foreign keys, formats, lengths and
picklists; before-save flows; before triggers; required fields and validation rules; duplicate rules; unique values and
locks; after triggers and after-save flows that fail; save; what automation does beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce import deletes, inserts, notes, updates
from chartlift_sandbox.salesforce.call import ROLLED_BACK, Call, DmlOptions
from chartlift_sandbox.salesforce.errors import OrgError, unknown_column, unknown_object
from chartlift_sandbox.salesforce.failures import RESULT_SCHEMA, Failures, any_true, row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import find_by_key, normalise_ids, single
from chartlift_sandbox.salesforce.schema import Field
from chartlift_sandbox.salesforce.store import UndoneError, undo
from chartlift_sandbox.salesforce.uniqueness import repeated
from chartlift_sandbox.salesforce.values import SET_NULL, clean

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.org import Actor, Org

__all__ = ["SET_NULL", "DmlOptions", "run"]

_ACTIONS = {
    "insert": inserts.insert,
    "update": updates.update,
    "delete": deletes.delete,
    "hardDelete": deletes.hard_delete,
    "undelete": deletes.undelete,
}


def run(
    org: Org,
    op: str,
    object_name: str,
    table: pa.Table,
    actor: Actor,
    *,
    external_id: str | None = None,
    job: str | None = None,
    all_or_none: bool = False,
    options: DmlOptions | None = None,
) -> pa.Table:
    """Carry out one DML call and answer one result row per input row, in input order.

    Raises OrgError when the call as a whole cannot be understood: unknown object, unknown column, unknown operation.
    """
    sobject = org.schema.object(object_name)
    options = options or DmlOptions()
    if sobject is None or not (options.channel == "person" or org.readable(actor, object_name)):
        raise unknown_object(object_name)
    call = Call(org, op, sobject, _plain(table), actor, job, options)
    mark, sent = org.writes.mark(), len(org.rules.mail)
    result = RESULT_SCHEMA.empty_table()
    try:
        with org.transaction():
            result = _upsert(call, external_id) if op == "upsert" else _act(call)
            if all_or_none and not pc.all(result.column("success"), min_count=0).as_py():
                undo()
    except UndoneError:
        org.writes.roll_back(mark, ":".join(ROLLED_BACK))
        del org.rules.mail[sent:]
        return _rolled_back(result)
    org.after_dml(sobject.name)
    return result


def _act(call: Call) -> pa.Table:
    action = _ACTIONS.get(call.op)
    if action is None:
        raise OrgError("INVALID_OPERATION", f"Unknown operation {call.op}")
    return notes.ACTIONS[call.op](call, _act) if call.sobject.name == notes.OBJECT else action(call)


def _plain(table: pa.Table) -> pa.Table:
    """Every column as one array of strings."""
    arrays = [single(column).cast(pa.string()) for column in table.columns]
    return pa.table(arrays, names=table.column_names)


def _rolled_back(result: pa.Table) -> pa.Table:
    """Results of a call whose good rows were undone because of the bad ones."""
    success = result.column("success").combine_chunks()
    code = pc.if_else(success, ROLLED_BACK[0], result.column("code").combine_chunks())
    message = pc.if_else(success, ROLLED_BACK[1], result.column("message").combine_chunks())
    made = pc.and_(success, result.column("created").combine_chunks())
    ids = pc.if_else(made, pa.scalar(None, pa.string()), result.column("id").combine_chunks())
    count = result.num_rows
    columns = [result.column("row"), ids, pa.repeat(False, count), result.column("created"), code, message]
    return pa.table([*columns, result.column("fields"), result.column("detail")], schema=RESULT_SCHEMA)


def _upsert(call: Call, external_id: str | None) -> pa.Table:
    """Split the rows into updates of records that the key finds and inserts of the others."""
    key = call.sobject.field(external_id or "Id")
    if key is None or not key.is_lookup_key or key.name not in call.sees(call.sobject.name):
        raise unknown_column(external_id or "Id", call.sobject.name)
    header = next((name for name in call.table.column_names if name.lower() == key.name.lower()), None)
    if header is None:
        raise OrgError("MISSING_ARGUMENT", f"{key.name} not specified", (key.name,))
    failures = Failures(call.count)
    text, _ = clean(single(call.table.column(header)))
    ids = _match(call, key, text, failures)
    known = pc.is_valid(ids)
    parts = [_failed_part(call, failures, ids)]
    fresh = pc.invert(known)
    if failures.bad is not None:
        known, fresh = pc.and_(known, failures.good), pc.and_(fresh, failures.good)
    without_key = call.table.drop_columns([header])
    parts.append(_part(call, "update", without_key.append_column("Id", ids), known))
    parts.append(_part(call, "insert", without_key if key.name == "Id" else call.table, fresh))
    return pa.concat_tables(parts).sort_by("row")


def _match(call: Call, key: Field, text: pa.Array, failures: Failures) -> pa.Array:
    """Ids of the records that the key column names; null where there is none."""
    if key.name == "Id":
        value, malformed = normalise_ids(text)
        if any_true(malformed):
            message = pc.binary_join_element_wise(f"{key.label}: id value of incorrect type: ", text, "")
            failures.add(malformed, "MALFORMED_ID", message, "Id")
        return value
    failures.add(pc.is_null(text), "MISSING_ARGUMENT", f"{key.name} not specified")
    keys = text if key.case_sensitive else pc.utf8_lower(text)
    twice = pc.binary_join_element_wise("Duplicate external id specified: ", text, "")
    failures.add(repeated(call.org, keys), "DUPLICATE_VALUE", twice, key.name)
    values, counts, found = find_by_key(call.org, call.sobject, key, text)
    place = pc.index_in(text, value_set=values)
    label = f"{key.label}: more than one record found for external id field: ["
    several = pc.binary_join_element_wise(label, found.take(place), "]", "")
    failures.add(pc.greater(counts.take(place), 1), "DUPLICATE_EXTERNAL_ID", several, key.name)
    return pc.if_else(pc.equal(counts.take(place), 1), found.take(place), pa.scalar(None, pa.string()))


def _failed_part(call: Call, failures: Failures, ids: pa.Array) -> pa.Table:
    """Results (and log) of the rows that never reached insert or update."""
    if failures.bad is None:
        return RESULT_SCHEMA.empty_table()
    call.log(failures, None, ids)
    return failures.result(ids, False).filter(failures.bad)


def _part(call: Call, op: str, table: pa.Table, mask: pa.Array) -> pa.Table:
    """Run the rows of a mask through insert or update, and put their row numbers back."""
    if not any_true(mask):
        return RESULT_SCHEMA.empty_table()
    rows = row_numbers(call.count).filter(mask)
    inner = Call(call.org, op, call.sobject, table.filter(mask), call.actor, call.job, call.options)
    result = _act(inner)
    return result.set_column(0, "row", rows)

"""Update by Id: rows that exist, cells that are given, one UPDATE statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce import (
    audit,
    automation,
    consequences,
    duplicates,
    hooks,
    locks,
    one_row,
    sharing,
    uniqueness,
)
from chartlift_sandbox.salesforce.derived import affected, update_sql
from chartlift_sandbox.salesforce.failures import any_true, row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.lookups import UNKNOWN_REFERENCE, column_of, normalise_ids, single
from chartlift_sandbox.salesforce.schema import Field, SObject
from chartlift_sandbox.salesforce.store import match_sql, quote
from chartlift_sandbox.salesforce.values import Cells, clean
from chartlift_sandbox.salesforce.writes import NEW, OLD

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

_DRAFT = "5"
"""Status of an EmailMessage that may still change."""
_AFTER_SENDING = frozenset({"RelatedToId", "Status", "IsBounced", "IsTracked", "FirstOpenedDate", "LastOpenedDate"})
"""What changes on an e-mail that is no draft, beside custom fields: which ones do is unverified."""


def update(call: Call) -> pa.Table:
    """Update the rows of a call; answers its result table."""
    if not call.sobject.updateable or not call.allowed("edit"):
        call.failures.fail_all("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    ids = named_ids(call)
    columns = call.columns(skip=("id",))
    extra = _looked_at(call)
    found = existing(call, ids, [*dict.fromkeys([*(c.field.name for c in columns), *extra])])
    _refuse_converted(call, found)
    _refuse_sent(call, found, [column.field for column in columns])
    cells = call.cells(columns)
    staged = {name: _effective(cell, column_of(found, OLD + name)) for name, cell in cells.items()}
    consequences.before_update(call, staged)
    if "OwnerId" in staged:
        changed = pc.if_else(pc.equal(staged["OwnerId"], column_of(found, OLD + "OwnerId")), None, staged["OwnerId"])
        sharing.refuse_transfer(call, changed, found)
        audit.check_owner(call, changed)
    hooks.field_updates(call, staged, found)
    automation.before_save(call, staged, found)
    call.required([name for name, cell in cells.items() if _may_not_be_null(cell)], staged)
    hooks.validate(call, staged, found)
    duplicates.check(call, staged, found, ids)
    _check_unique(call, staged, ids)
    locks.refuse_locked(call, ids)
    locks.refuse_contended(call, staged)
    hooks.row_faults(call)
    automation.after_triggers(call, staged, found)
    return _save(call, ids, found, staged)


def _looked_at(call: Call) -> list[str]:
    """Fields that rules compare beside those that the call names; all of them where rules watch the object."""
    if call.org.rules.watches(call.sobject.name):
        return [one.name for one in call.sobject.stored_fields if one.name != "Id"]
    also = {"EmailMessage": {"Status"}, "Lead": {"IsConverted"}}.get(call.sobject.name, set())
    return sorted(also | set(duplicates.fields_of(call.org, call.sobject.name)))


def _refuse_converted(call: Call, found: pa.Table) -> None:
    if call.sobject.name == "Lead":
        converted = column_of(found, OLD + "IsConverted")
        call.failures.add(converted, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")


def _refuse_sent(call: Call, found: pa.Table, fields: list[Field]) -> None:
    if call.sobject.name != "EmailMessage" or call.by_person:
        return
    kept = any(not one.custom and one.name not in _AFTER_SENDING for one in fields)
    if kept and call.org.settings.email_message_locked_once_sent:
        sent = pc.not_equal(column_of(found, OLD + "Status"), _DRAFT)
        message = "Email messages cannot be changed once they are not a draft"
        call.failures.add(sent, "INSUFFICIENT_ACCESS_OR_READONLY", message)


def named_ids(call: Call) -> pa.Array:
    """The Id column in 18 characters; rows without one, or with a malformed one, are failed."""
    header = next((name for name in call.table.column_names if name.strip().lower() == "id"), None)
    if header is None:
        call.failures.fail_all("MISSING_ARGUMENT", f"Id not specified in an {call.op} call")
        return pa.nulls(call.count, pa.string())
    text, _ = clean(single(call.table.column(header)))
    call.failures.add(pc.is_null(text), "MISSING_ARGUMENT", f"Id not specified in an {call.op} call")
    value, malformed = normalise_ids(text)
    if any_true(malformed):
        label = f"{call.sobject.fields['Id'].label}: id value of incorrect type: "
        call.failures.add(malformed, "MALFORMED_ID", pc.binary_join_element_wise(label, text, ""), "Id")
    twice = uniqueness.repeated(call.org, value)
    message = pc.binary_join_element_wise("Duplicate id specified: ", text, "")
    call.failures.add(twice, "DUPLICATE_VALUE", message, "Id")
    return value


def existing(call: Call, ids: pa.Array, names: list[str], *, want_deleted: bool = False) -> pa.Table:
    """Per input row the stored record: `rid` and the old values, null when there is none; bad rows are failed."""
    columns = "".join(f", t.{quote(name)} AS {quote(OLD + name)}" for name in names)
    gone = 't."IsDeleted"' if call.sobject.field("IsDeleted") else 't."_deleted_at" IS NOT NULL'
    same, values = match_sql('t."Id"', "w.id", ids)
    asked = f"t.rowid AS rid, {gone} AS gone{columns}{sharing.columns(call, 't')}"
    if values:  # one record: beside a join the engine plans for longer than it looks
        found = call.org.query(f"SELECT 0 AS i, {asked} FROM {quote(call.sobject.name)} t WHERE {same}", values)
        if not found.num_rows:
            found = pa.table({one.name: pa.nulls(1, one.type) for one in found.schema})
    else:
        found = call.org.query_with(
            {"_wanted": pa.table({"i": row_numbers(call.count), "id": ids})},
            f"SELECT w.i, {asked} FROM _wanted w LEFT JOIN {quote(call.sobject.name)} t ON {same} ORDER BY w.i",
        )
    missing = pc.and_(pc.is_valid(ids), pc.is_null(column_of(found, "rid")))
    call.failures.add(missing, "INVALID_CROSS_REFERENCE_KEY", UNKNOWN_REFERENCE)
    deleted = column_of(found, "gone")
    if want_deleted:
        call.failures.add(pc.invert(deleted), "UNDELETE_FAILED", "Entity is not in the recycle bin")
    else:
        call.failures.add(deleted, "ENTITY_IS_DELETED", "entity is deleted")
    sharing.refuse_others(call, ids, found)
    return found


def _effective(cell: Cells, old: pa.Array) -> pa.Array:
    """The value after the update: the given one, else the old one."""
    return cell.value if cell.given is None else pc.if_else(cell.given, cell.value, old)


def _may_not_be_null(cell: Cells) -> bool:
    found = cell.field
    return not found.nillable or found.required


def _check_unique(call: Call, staged: dict[str, pa.Array], ids: pa.Array) -> None:
    for name, value in staged.items():
        if call.sobject.fields[name].unique:
            uniqueness.check_unique(
                call.org, call.sobject, call.sobject.fields[name], value, ids, call.failures, call.id_width
            )  # fmt: skip


def _save(call: Call, ids: pa.Array, found: pa.Table, staged: dict[str, pa.Array]) -> pa.Table:
    incoming = call.failures.keep(pa.table({"_rid": column_of(found, "rid"), **staged}))
    if incoming.num_rows:
        _write(call, incoming, list(staged), ids)
    _log(call, ids, found, staged)
    automation.after_save(call, staged, ids, found)
    return call.failures.result(ids, False)


def _write(call: Call, incoming: pa.Table, names: list[str], ids: pa.Array) -> None:
    same, values = match_sql('t."Id"', 't."Id"', ids)
    row = one_row.cells(incoming.select(names), values) if values else None
    shown = {name: row[name] if row else f"_incoming.{quote(name)}" for name in names}
    sets = [*(f"{quote(name)} = {value}" for name, value in shown.items()), *stamps(call.sobject)]
    sql = f"UPDATE {quote(call.sobject.name)} AS t SET {', '.join(sets)}"
    stamped = stamp_values(call, sql)
    if row:  # one record is found by index, many by their place
        call.org.run(f"{sql} WHERE {same}", stamped | values)
    else:
        call.org.query_with({"_incoming": incoming}, f"{sql} FROM _incoming WHERE t.rowid = _incoming._rid", stamped)
    rules = affected(call.sobject, set(names))
    if rules:
        rows = pa.table({"rid": incoming.column("_rid")})
        call.org.query_with({"_rows": rows}, update_sql(call.sobject, rules, "_rows"))
    consequences.after_update(call, names, incoming)


def stamps(sobject: SObject) -> list[str]:
    """SET clauses for the fields that say who changed a record when, with parameters $now and $who."""
    values = {"LastModifiedDate": "$now", "LastModifiedById": "$who", "SystemModstamp": "$now"}
    return [f"{quote(name)} = {value}" for name, value in values.items() if sobject.field(name) is not None]


def stamp_values(call: Call, sql: str) -> dict[str, object]:
    """Values of the parameters that `stamps` put into a statement."""
    values = {"now": call.org.now(), "who": call.actor.user_id}
    return {name: value for name, value in values.items() if f"${name}" in sql}


def _log(call: Call, ids: pa.Array, found: pa.Table, staged: dict[str, pa.Array]) -> None:
    columns: dict[str, pa.Array] = {"row": row_numbers(call.count), "id": ids}
    for name, value in staged.items():
        columns[NEW + name] = value
        if OLD + name in found.column_names:
            columns[OLD + name] = column_of(found, OLD + name)
    call.log(call.failures, call.failures.keep(pa.table(columns)), ids)

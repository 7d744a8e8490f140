"""Insert: defaults, checks in the platform's order, ids, one INSERT statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce import (
    activities,
    audit,
    automation,
    consequences,
    duplicates,
    hooks,
    locks,
    uniqueness,
)
from chartlift_sandbox.salesforce.autonumber import render
from chartlift_sandbox.salesforce.derived import derivations
from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.kernels import pc
from chartlift_sandbox.salesforce.literals import ARROW_TYPES, FALSE, NO_TEXT, text
from chartlift_sandbox.salesforce.schema import Field
from chartlift_sandbox.salesforce.store import quote
from chartlift_sandbox.salesforce.values import Cells
from chartlift_sandbox.salesforce.writes import NEW

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call


def insert(call: Call) -> pa.Table:
    """Insert the rows of a call; answers its result table."""
    _check_access(call)
    _refuse_ids(call)
    cells = call.cells(call.columns(skip=("id",)))
    staged = {name: cell.value for name, cell in cells.items()}
    given = list(staged)
    _defaults(call, cells, staged)
    audit.default_owner(call, staged)
    audit.check_owner(call, staged.get("OwnerId") if "OwnerId" in cells else None)
    consequences.before_insert(call, staged)
    hooks.field_updates(call, staged)
    automation.before_save(call, staged)
    required = [f.name for f in call.sobject.fields.values() if _is_required(f)]
    call.required(required, staged)
    activities.check_event(call, staged)
    hooks.validate(call, staged)
    audit.stamp(call, staged)
    duplicates.check(call, staged)
    _check_unique(call, staged)
    locks.refuse_contended(call, staged)
    hooks.row_faults(call)
    automation.after_triggers(call, staged)
    return _save(call, staged, given)


def _check_access(call: Call) -> None:
    if not call.sobject.createable or not call.allowed("create"):
        message = f"entity type cannot be inserted: {call.sobject.label}"
        call.failures.fail_all("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)


def _refuse_ids(call: Call) -> None:
    for name in call.table.column_names:
        if name.strip().lower() == "id":
            given = pc.is_valid(call.table.column(name).combine_chunks())
            call.failures.add(given, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")


def _is_required(found: Field) -> bool:
    return found.required or (found.master_detail and not found.nillable)


def _defaults(call: Call, cells: dict[str, Cells], staged: dict[str, pa.Array]) -> None:
    """Picklist and checkbox defaults where a row gives nothing, and auto-numbers."""
    for found in call.sobject.fields.values():
        if found.auto_number:
            staged[found.name] = render(call.org.numbers(call.sobject.name, found, call.count), found.auto_number)
        elif found.default is not None and found.stored:
            _default(call, found, cells.get(found.name), staged)


def _default(call: Call, found: Field, cell: Cells | None, staged: dict[str, pa.Array]) -> None:
    kind = ARROW_TYPES[found.sql_type]
    default = pa.scalar(found.default == "true", kind) if kind == pa.bool_() else text(str(found.default)).cast(kind)
    if cell is None:
        staged[found.name] = pa.repeat(default, call.count)
    elif not found.nillable:  # null is no value here, so it says nothing
        staged[found.name] = pc.fill_null(cell.value, default)
    elif cell.given is not None:
        staged[found.name] = pc.if_else(cell.given, cell.value, default)


def _check_unique(call: Call, staged: dict[str, pa.Array]) -> None:
    for found in call.sobject.fields.values():
        if found.unique and found.name in staged:
            uniqueness.check_unique(
                call.org, call.sobject, found, staged[found.name], None, call.failures, call.id_width
            )  # fmt: skip
    key = call.org.natural_keys.get(call.sobject.name)
    if key is not None:
        uniqueness.check_natural_key(call.org, call.sobject, key, staged, call.failures)


def _save(call: Call, staged: dict[str, pa.Array], given: list[str]) -> pa.Table:
    ids = call.org.take_ids(call.sobject.key_prefix, call.count)
    if call.sobject.custom and not call.sobject.fields["Name"].auto_number:
        staged["Name"] = pc.coalesce(staged["Name"], ids) if "Name" in staged else ids
    for rule in derivations(call.sobject):
        for name in rule.reads:
            if name not in staged:
                kind = ARROW_TYPES[call.sobject.fields[name].sql_type]
                staged[name] = pa.repeat(FALSE, call.count) if kind == pa.bool_() else pa.nulls(call.count, kind)
    incoming = call.failures.keep(pa.table({"Id": ids, **staged}))
    if incoming.num_rows:
        computed = {rule.name: rule.sql for rule in derivations(call.sobject)}
        targets = [*incoming.column_names, *(name for name in computed if name not in staged)]
        selects = [computed.get(name, quote(name)) for name in targets]
        call.org.query_with(
            {"_incoming": incoming},
            f"INSERT INTO {quote(call.sobject.name)} ({hooks.select_columns(targets)}) "
            f"SELECT {', '.join(selects)} FROM _incoming",
        )
        consequences.after_insert(call, incoming)
    _log(call, incoming, given)
    automation.after_save(call, staged, ids)
    shown = ids if call.failures.bad is None else pc.if_else(call.failures.bad, NO_TEXT, ids)
    return call.failures.result(shown, True)


def _log(call: Call, incoming: pa.Table, given: list[str]) -> None:
    rows = row_numbers(call.count)
    kept = rows if call.failures.bad is None else rows.filter(call.failures.good)
    good = pa.table([kept, incoming.column("Id")], names=["row", "id"])
    for name in given:
        good = good.append_column(NEW + name, incoming.column(name))
    call.log(call.failures, good, None)

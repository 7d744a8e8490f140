"""Record automation of the org, kept to three restricted kinds: field updates, validation rules and row faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.failures import row_numbers
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call


@dataclass(frozen=True, slots=True)
class FieldUpdate:
    """Before-save flow: on insert (and update, if `on_update`) set `field` to an SQL expression over the record."""

    object_name: str
    field: str
    expression: str
    on_update: bool = False


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A row for which the SQL condition is true is refused with the message, at `error_field` or at the page top."""

    object_name: str
    condition: str
    message: str
    error_field: str = ""


RowFault = Callable[[str, str, int], pa.Table | None]
"""Called with operation, object and number of rows; answers a table row, code, message of rows to fail, or None."""


def _staged_table(call: Call, staged: dict[str, pa.Array]) -> pa.Table:
    """The record as SQL sees it: every stored field, null where nothing was given."""
    columns: dict[str, pa.Array] = {"_row": row_numbers(call.count)}
    for found in call.sobject.stored_fields:
        value = staged.get(found.name)
        columns[found.name] = pa.nulls(call.count, pa.string()) if value is None else value
    return pa.table(columns)


def field_updates(call: Call, staged: dict[str, pa.Array], *, update: bool = False) -> None:
    """Apply the org's before-save field updates to the staged values."""
    for rule in call.org.before_save:
        if rule.object_name != call.sobject.name or (update and not rule.on_update):
            continue
        found = call.sobject.fields[rule.field]
        sql = f"SELECT CAST({rule.expression} AS {found.sql_type}) AS v FROM _record ORDER BY _row"
        staged[rule.field] = column_of(call.org.query_with({"_record": _staged_table(call, staged)}, sql), "v")


def validate(call: Call, staged: dict[str, pa.Array]) -> None:
    """Refuse rows for which an active validation rule is true."""
    for rule in call.org.validation_rules:
        if rule.object_name == call.sobject.name:
            sql = f"SELECT _row FROM _record WHERE {rule.condition}"
            rows = column_of(call.org.query_with({"_record": _staged_table(call, staged)}, sql), "_row")
            call.failures.add_rows(rows, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, rule.error_field)


def row_faults(call: Call) -> None:
    """Let the fault injection fail rows, as a lock or a trigger would."""
    for fault in call.org.row_faults:
        table = fault(call.op, call.sobject.name, call.count)
        if table is not None and table.num_rows:
            codes, messages = column_of(table, "code"), column_of(table, "message")
            call.failures.add_rows(column_of(table, "row"), codes, messages)


def select_columns(names: list[str]) -> str:
    """A quoted column list."""
    return ", ".join(quote(name) for name in names)

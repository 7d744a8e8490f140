"""Where rules take part in a save: before-save flows in SQL, validation rules, and faults that were planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from chartlift_sandbox.salesforce.formulas import FormulaError
from chartlift_sandbox.salesforce.lookups import column_of
from chartlift_sandbox.salesforce.rulebook import FieldUpdate, ValidationRule
from chartlift_sandbox.salesforce.saving import Saving, formula
from chartlift_sandbox.salesforce.store import quote

if TYPE_CHECKING:
    from chartlift_sandbox.salesforce.call import Call

__all__ = ["FieldUpdate", "RowFault", "ValidationRule"]

RowFault = Callable[[str, str, int], pa.Table | None]
"""Called with operation, object and number of rows; answers a table row, code, message of rows to fail, or None."""


def field_updates(call: Call, staged: dict[str, pa.Array], found: pa.Table | None = None) -> None:
    """Apply the org's before-save field updates to the staged values; `found` is the old records of an update."""
    for rule in call.org.before_save:
        if rule.object_name != call.sobject.name or (found is not None and not rule.on_update):
            continue
        target = call.sobject.fields[rule.field]
        sql = f"CAST({rule.expression} AS {target.sql_type})"
        staged[rule.field] = Saving(call, staged, found).value(sql, {}, frozenset())


def validate(call: Call, staged: dict[str, pa.Array], found: pa.Table | None = None) -> None:
    """Refuse rows for which an active validation rule is true."""
    for rule in call.org.validation_rules:
        if rule.object_name == call.sobject.name and rule.active:
            rows = _broken(call, rule, Saving(call, staged, found))
            call.failures.add_rows(rows, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, rule.error_field)


def _broken(call: Call, rule: ValidationRule, saving: Saving) -> pa.Array:
    """Numbers of the rows that break a rule."""
    if not rule.formula:
        sql = f"SELECT _row FROM _record WHERE {rule.condition}"
        return column_of(call.org.query_with({"_record": saving.table()}, sql), "_row")
    try:
        return saving.rows_where(formula(call.org, call.sobject, rule.formula))
    except FormulaError:
        return pa.array([], pa.int64())  # a field that it names has gone since; Setup would show the rule as broken


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

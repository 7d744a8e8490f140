"""`columns=true` of the query resource: what the columns of a statement are, instead of rows."""

from __future__ import annotations

from typing import Any

from chartlift_sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field, Schema
from chartlift_sandbox.salesforce.soql.plan import ChildSlot, Choice, Layout, Output, Plan

_APEX_TYPES = {
    "boolean": "Boolean",
    "date": "Date",
    "datetime": "Datetime",
    "time": "Time",
    "int": "Integer",
    "id": "Id",
    "reference": "Id",
    "address": "Address",
}


def column_metadata(schema: Schema, plan: Plan) -> dict[str, Any]:
    """The answer to `query?q=…&columns=true`. Keys as the sf CLI reads them."""
    found = schema.object(plan.entity)
    columns = _columns(plan, plan.layout) if plan.layout is not None else []
    return {
        "columnMetadata": columns,
        "entityName": plan.entity,
        "groupBy": plan.aggregate and not plan.count_only,
        "idSelected": any(column["columnName"] == "Id" for column in columns),
        "keyPrefix": found.key_prefix if found is not None else None,
    }


def _columns(plan: Plan, layout: Layout) -> list[dict[str, Any]]:
    columns = []
    for key, entry in layout.entries.items():
        if isinstance(entry, int):
            columns.append(_column(key, plan.outputs[entry]))
        elif isinstance(entry, Layout):
            columns.append(_joined(key, _columns(plan, entry), aggregate=False))
        elif isinstance(entry, ChildSlot):
            child = plan.children[entry.number].plan
            inner = _columns(child, child.layout) if child.layout is not None else []
            columns.append(_joined(key, inner, aggregate=True))
        elif isinstance(entry, Choice):
            columns.append(_joined(key, [], aggregate=False))
    return columns


def _column(key: str, output: Output) -> dict[str, Any]:
    field: Field = output.field
    return {
        "aggregate": output.aggregate,
        "apexType": _APEX_TYPES.get(field.type, "Double" if field.type in NUMBER_TYPES else "String"),
        "booleanType": field.type == "boolean",
        "columnName": key,
        "custom": field.custom,
        "displayName": output.label,
        "foreignKeyName": None,
        "insertable": field.createable and not output.aggregate,
        "joinColumns": [],
        "numberType": field.type in NUMBER_TYPES or field.type == "int",
        "textType": field.type in TEXT_TYPES,
        "updatable": field.updateable and not output.aggregate,
    }


def _joined(key: str, columns: list[dict[str, Any]], *, aggregate: bool) -> dict[str, Any]:
    return {
        "aggregate": aggregate,
        "apexType": None,
        "booleanType": False,
        "columnName": key,
        "custom": key.endswith("__r"),
        "displayName": key,
        "foreignKeyName": key,
        "insertable": False,
        "joinColumns": columns,
        "numberType": False,
        "textType": False,
        "updatable": False,
    }

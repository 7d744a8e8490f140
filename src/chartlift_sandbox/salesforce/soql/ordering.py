"""ORDER BY: text without regard to case, picklists in the order of their values, nulls first unless told otherwise."""

from __future__ import annotations

from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.conditions import plain
from chartlift_sandbox.salesforce.soql.functions import sort_keys
from chartlift_sandbox.salesforce.soql.grouping import Grouping
from chartlift_sandbox.salesforce.soql.scope import Scope
from chartlift_sandbox.salesforce.soql.syntax import OrderItem

_UNSORTABLE = frozenset({"address", "location", "base64", "multipicklist"})


def order_sql(scope: Scope, grouping: Grouping | None, items: tuple[OrderItem, ...]) -> list[str]:
    """Sort keys as SQL, in order."""
    keys: list[str] = []
    for item in items:
        if grouping is not None:
            column = grouping.column(item.what, "Ordered field must be grouped or aggregated")
        else:
            column = plain(scope, item.what)
        if column.kind == "field" and (not column.field.sortable or column.type in _UNSORTABLE):
            message = f"field '{item.what.written}' can not be sorted in a query call"
            raise refusal.placed("INVALID_FIELD", scope.statement.text, item.what.at, message)
        way = f"{'DESC' if item.descending else 'ASC'} NULLS {'LAST' if item.nulls_last else 'FIRST'}"
        keys += [f"{sql} {way}" for sql in sort_keys(scope, column)]
    return keys

"""GROUP BY, ROLLUP and CUBE: what may be selected, and how a group shows its value."""

from __future__ import annotations

from dataclasses import replace

from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.functions import group_key, is_aggregate, is_grouping, operand
from chartlift_sandbox.salesforce.soql.scope import Column, Scope
from chartlift_sandbox.salesforce.soql.syntax import FieldRef, Function, Operand

_WAYS = frozenset({"ROLLUP", "CUBE"})


def _identity(column: Column) -> str:
    return ".".join(column.path).lower() or column.kind


class Grouping:
    """The groups of one SELECT with aggregates; without GROUP BY there is one group of all rows."""

    def __init__(self, scope: Scope, items: tuple[Operand, ...]) -> None:
        self._scope = scope
        self._keys: dict[str, Column] = {}
        self._way = ""
        for item in items:
            if isinstance(item, Function) and item.upper in _WAYS and len(items) == 1:
                self._way = item.upper
                for inner in item.arguments:
                    if not isinstance(inner, FieldRef | Function):
                        raise refusal.malformed(scope.statement.text, item.at, f"unexpected token: '{item.name}'")
                    self._add(inner)
            else:
                self._add(item)

    def _add(self, item: Operand) -> None:
        text = self._scope.statement.text
        if is_aggregate(item) or is_grouping(item):
            raise refusal.malformed(text, item.at, f"unexpected token: '{item.written}'")
        column = operand(self._scope, item)
        part_of_date = isinstance(item, Function)
        if not (column.field.groupable or part_of_date) or column.type in {"address", "base64"}:
            raise refusal.malformed(text, item.at, f"field '{item.written}' can not be grouped in a query call")
        self._keys[_identity(column)] = column

    def column(self, what: Operand, complaint: str = "Field must be grouped or aggregated") -> Column:
        """The column of an operand of SELECT, HAVING or ORDER BY.

        Raises:
            OrgError: MALFORMED_QUERY when it is neither grouped nor aggregated.
        """
        column = operand(self._scope, what)
        if column.kind == "aggregate":
            return column
        known = self._keys.get(_identity(column))
        if known is None:
            raise refusal.malformed(self._scope.statement.text, what.at, f"{complaint}: {what.written}")
        return column if column.kind == "grouping" else replace(column, sql=self._shown(known))

    def _shown(self, column: Column) -> str:
        key = group_key(column)
        if key == column.sql:
            return key
        # spellings that differ in case share a group, which shows one of them
        shown = f"min({column.sql})"
        return f"CASE WHEN grouping({key}) = 0 THEN {shown} END" if self._way else shown

    @property
    def order(self) -> str | None:
        """Sort keys that make the order of the groups total."""
        return ", ".join(f"{group_key(column)} NULLS LAST" for column in self._keys.values()) or None

    def sql(self) -> str:
        """The GROUP BY clause, or nothing."""
        keys = ", ".join(group_key(column) for column in self._keys.values())
        if not keys:
            return ""
        return f" GROUP BY {self._way} ({keys})" if self._way else f" GROUP BY {keys}"

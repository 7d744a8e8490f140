"""Functions of SOQL: aggregates, parts of dates, labels. Each turns into a column with a type."""

from __future__ import annotations

from dataclasses import replace

from chartlift_sandbox.salesforce.schema import NUMBER_TYPES, Field
from chartlift_sandbox.salesforce.soql import refusal
from chartlift_sandbox.salesforce.soql.money import corporate_sql
from chartlift_sandbox.salesforce.soql.scope import Column, Scope
from chartlift_sandbox.salesforce.soql.shown import converted, formatted
from chartlift_sandbox.salesforce.soql.syntax import FieldRef, Function, Operand

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_NUMERIC = NUMBER_TYPES | {"int", "long"}
_COUNTABLE_NOT = frozenset({"address", "location", "base64"})
_COMPARABLE_NOT = _COUNTABLE_NOT | {"boolean", "multipicklist"}
_DATE_PARTS = {
    "CALENDAR_YEAR": "year({0})",
    "CALENDAR_QUARTER": "quarter({0})",
    "CALENDAR_MONTH": "month({0})",
    "DAY_IN_MONTH": "day({0})",
    "DAY_IN_WEEK": "dayofweek({0}) + 1",
    "DAY_IN_YEAR": "dayofyear({0})",
    "FISCAL_YEAR": "year({0} + to_months({1}))",
    "FISCAL_QUARTER": "quarter({0} + to_months({1}))",
    "FISCAL_MONTH": "month({0} + to_months({1}))",
    "HOUR_IN_DAY": "hour({0})",
    "WEEK_IN_MONTH": "(day({0}) - 1) // 7 + 1",
    "WEEK_IN_YEAR": "(dayofyear({0}) - 1) // 7 + 1",
    "DAY_ONLY": "CAST({0} AS DATE)",
}
_COUNT = Field("count", "Count", "int", digits=9)
_PART = Field("part", "Part of a date", "int", digits=4)
_DAY = Field("day", "Day", "date")
_AVERAGE = Field("avg", "Average", "double", precision=18)
_BIT = Field("grouping", "Grouping", "int", digits=1)


def is_aggregate(what: Operand) -> bool:
    """Whether an operand is an aggregate function."""
    if isinstance(what, Function) and what.upper == "FORMAT":
        return any(is_aggregate(inner) for inner in what.arguments if isinstance(inner, FieldRef | Function))
    return isinstance(what, Function) and what.upper in AGGREGATES


def is_grouping(what: Operand) -> bool:
    """Whether an operand is `GROUPING(field)`, which only rows of groups have."""
    return isinstance(what, Function) and what.upper == "GROUPING"


def is_count_all(what: Operand) -> bool:
    """Whether an operand is `COUNT()`."""
    return isinstance(what, Function) and what.upper == "COUNT" and not what.arguments


def operand(scope: Scope, what: Operand) -> Column:
    """The column of a field or function.

    Raises:
        OrgError: INVALID_FIELD or MALFORMED_QUERY at the place of the name.
    """
    if isinstance(what, FieldRef):
        return scope.resolve(what)
    if what.upper in AGGREGATES:
        return _aggregate(scope, what)
    if what.upper in _DATE_PARTS:
        return _date_part(scope, what)
    if what.upper == "TOLABEL":
        return _label(scope, what)
    if what.upper == "FORMAT":
        return formatted(scope, operand(scope, _argument(scope, what)))
    if what.upper == "CONVERTCURRENCY":
        return converted(scope, what, _only(scope, what))
    if what.upper == "GROUPING":
        inner = _only(scope, what)
        return Column(f"grouping({group_key(inner)})", _BIT, inner.path, kind="grouping")
    raise refusal.malformed(scope.statement.text, what.at, f"unexpected token: '{what.name}'")


def group_key(column: Column) -> str:
    """What rows are grouped by: text without regard to case unless the field says otherwise, the rest by value."""
    return column.sql if column.field.case_sensitive else _folded(column)


def _folded(column: Column) -> str:
    return f"lower({column.sql})" if column.field.sql_type == "VARCHAR" and column.type not in _EXACT else column.sql


_EXACT = frozenset({"id", "reference"})


def _argument(scope: Scope, call: Function) -> Operand:
    """The one argument of FORMAT: a field, an aggregate or a conversion."""
    given = call.arguments[0] if len(call.arguments) == 1 else None
    if isinstance(given, FieldRef) or (isinstance(given, Function) and given.upper in _FORMATTED):
        return given
    raise refusal.malformed(scope.statement.text, call.at, f"unexpected token: '{call.name}'")


_FORMATTED = AGGREGATES | {"CONVERTCURRENCY"}


def _only(scope: Scope, call: Function) -> Column:
    text = scope.statement.text
    if len(call.arguments) != 1 or not isinstance(call.arguments[0], FieldRef):
        raise refusal.malformed(text, call.at, f"unexpected token: '{call.name}'")
    return scope.resolve(call.arguments[0])


def _aggregate(scope: Scope, call: Function) -> Column:
    if is_count_all(call):
        return Column("count(*)", _COUNT, (), kind="aggregate")
    inner = _only(scope, call)
    name = call.upper
    refused = _COUNTABLE_NOT
    if name in {"SUM", "AVG"}:
        allowed = inner.type in _NUMERIC
    else:
        refused = _COMPARABLE_NOT if name in {"MIN", "MAX"} else _COUNTABLE_NOT
        allowed = inner.type not in refused and inner.field.filterable
    if not allowed:
        message = f"field {inner.field.name} does not support aggregate operator {name}"
        raise refusal.malformed(scope.statement.text, call.at, message)
    return Column(_aggregate_sql(scope, name, inner), _aggregate_type(name, inner), inner.path, kind="aggregate")


def sort_keys(scope: Scope, column: Column) -> list[str]:
    """What rows are sorted by, as SQL: picklists by the order of their values, text without regard to case."""
    if column.type == "currency" and column.kind == "field":
        return [corporate_sql(scope.statement, column)]
    values = scope.statement.schema.values(column.field) if column.type == "picklist" else ()
    if not values:
        return [_folded(column)]
    listed = scope.statement.bind_texts([value.value.lower() for value in values])
    place = f"coalesce(nullif(list_position({listed}, lower({column.sql})), 0), {_AFTER_ALL})"
    return [f"CASE WHEN {column.sql} IS NOT NULL THEN {place} END", _folded(column)]


_AFTER_ALL = 1_000_000


def _aggregate_sql(scope: Scope, name: str, inner: Column) -> str:
    if name in {"SUM", "AVG", "MIN", "MAX"}:
        inner = replace(inner, sql=corporate_sql(scope.statement, inner))
    if name == "COUNT_DISTINCT":
        return f"count(DISTINCT {group_key(inner)})"
    if name == "SUM":
        return f"CAST(sum({inner.sql}) AS {inner.field.sql_type})"
    if name in {"MIN", "MAX"} and inner.field.sql_type == "VARCHAR" and inner.type not in _EXACT:
        return f"arg_{name.lower()}({inner.sql}, row({', '.join(sort_keys(scope, inner))}))"
    return f"{name.lower()}({inner.sql})"


def _aggregate_type(name: str, inner: Column) -> Field:
    if name in {"COUNT", "COUNT_DISTINCT"}:
        return _COUNT
    return _AVERAGE if name == "AVG" else inner.field


def _date_part(scope: Scope, call: Function) -> Column:
    text = scope.statement.text
    argument = call.arguments[0] if len(call.arguments) == 1 else None
    zoned = isinstance(argument, Function) and argument.upper == "CONVERTTIMEZONE"
    inner = _only(scope, argument if zoned and isinstance(argument, Function) else call)
    if inner.type not in {"date", "datetime"} or (inner.type == "date" and (zoned or call.upper == "HOUR_IN_DAY")):
        raise refusal.malformed(text, call.at, f"field {inner.field.name} does not support function {call.name}")
    sql = inner.sql
    if zoned:
        zone = scope.statement.bind(scope.statement.calendar.zone.key)
        sql = f"timezone({zone}, timezone('UTC', {sql}))"
    field = _DAY if call.upper == "DAY_ONLY" else _PART
    # a fiscal year that begins in April 2026 is called 2027, after the year in which it ends
    ahead = (1 - scope.statement.calendar.fiscal_start) % 12 if call.upper.startswith("FISCAL") else 0
    return Column(_DATE_PARTS[call.upper].format(sql, ahead), field, (), inner.relation, kind=call.written.lower())


def _label(scope: Scope, call: Function) -> Column:
    inner = _only(scope, call)
    pairs = {v.value: v.label for v in scope.statement.schema.values(inner.field) if v.value != v.label}
    if not pairs:
        return Column(inner.sql, inner.field, inner.path, inner.relation, kind="label")
    keys, labels = scope.statement.bind_texts(list(pairs)), scope.statement.bind_texts(list(pairs.values()))
    place = f"CAST(nullif(list_position({keys}, {inner.sql}), 0) AS BIGINT)"
    sql = f"coalesce(list_extract({labels}, {place}), {inner.sql})"
    return Column(sql, inner.field, inner.path, inner.relation, kind="label")
